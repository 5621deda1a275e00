//! The fields of a payment request, each checked; all that is wrong is told at once.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};
use url::Url;

use super::answer::No;

/// A body being read.
pub(crate) struct Fields {
    object: Map<String, Value>,
    errors: Vec<String>,
    loopback_http: bool,
}

impl Fields {
    /// # Errors
    /// When it is not a JSON object.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8], loopback_http: bool) -> Result<Self, No> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let object = kind.starts_with("application/json").then(|| serde_json::from_slice(body).ok()).flatten();
        let object = object.ok_or_else(|| No::message(-1, "Format JSON attendu"))?;
        Ok(Self { object, errors: Vec::new(), loopback_http })
    }

    pub(crate) fn wrong(&mut self, field: &str, why: &str) {
        self.errors.push(format!("{field} {why}"));
    }

    /// A text of at most `max` characters; `null` and nothing count as absent.
    pub(crate) fn text(&mut self, field: &str, max: usize) -> Option<String> {
        match self.object.remove(field)? {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) if text.chars().count() <= max => Some(text),
            _ => {
                self.wrong(field, "est invalide");
                None
            }
        }
    }

    pub(crate) fn required(&mut self, field: &str, max: usize) -> String {
        let before = self.errors.len();
        let text = self.text(field, max);
        if text.is_none() && self.errors.len() == before {
            self.wrong(field, "est obligatoire");
        }
        text.unwrap_or_default()
    }

    /// One of these; the first one when it is absent.
    pub(crate) fn choice(&mut self, field: &str, known: &[&str]) -> String {
        let text = self.text(field, 255).unwrap_or_else(|| known.first().copied().unwrap_or_default().to_owned());
        if !known.contains(&text.as_str()) {
            self.wrong(field, "est invalide");
        }
        text
    }

    /// Whole francs, more than nothing.
    pub(crate) fn price(&mut self, field: &str) -> i64 {
        match self.object.remove(field) {
            None | Some(Value::Null) => self.wrong(field, "est obligatoire"),
            Some(value) => match value.as_i64() {
                Some(price) if (1..1_000_000_000_000).contains(&price) => return price,
                _ => self.wrong(field, "doit être un entier positif"),
            },
        }
        0
    }

    /// An https address; http on loopback only if the fake was told so.
    pub(crate) fn url(&mut self, field: &str) -> Option<String> {
        let text = self.text(field, 2_048)?;
        let fine = Url::parse(&text).is_ok_and(|url| match url.scheme() {
            "https" => true,
            "http" => self.loopback_http && matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")),
            _ => false,
        });
        if !fine {
            self.wrong(field, "doit être en https");
        }
        Some(text)
    }

    /// # Errors
    /// All that was wrong. Fields that nobody knows are ignored.
    pub(crate) fn done(self) -> Result<(), No> {
        if self.errors.is_empty() { Ok(()) } else { Err(No::errors(&self.errors)) }
    }
}
