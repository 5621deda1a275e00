//! Request bodies: JSON objects with known fields, each checked; all that is wrong is told at once.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};
use url::Url;

use super::error::{Answer, Error};

/// A body being read.
pub(crate) struct Fields {
    object: Map<String, Value>,
    details: Vec<Value>,
}

impl Fields {
    /// # Errors
    /// `request-not-json`, `request-parsing-error`, as Wave tells them apart.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Answer<Self> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/json") {
            return Err(Error::new(
                StatusCode::BAD_REQUEST,
                "request-not-json",
                "Content-Type must be application/json",
            ));
        }
        let parsing = |why: String| Error::new(StatusCode::BAD_REQUEST, "request-parsing-error", why);
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(Self { object, details: Vec::new() }),
            Ok(_) => Err(parsing("The body must be an object".into())),
            Err(error) => Err(parsing(error.to_string())),
        }
    }

    pub(crate) fn wrong(&mut self, field: &str, msg: &str) {
        self.details.push(json!({ "loc": ["body", field], "msg": msg, "type": "value_error" }));
    }

    /// A string of at most `max` characters; `null` counts as absent.
    pub(crate) fn text(&mut self, field: &str, max: usize) -> Option<String> {
        match self.object.remove(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if !text.is_empty() && text.chars().count() <= max => Some(text),
            Some(Value::String(_)) => {
                self.wrong(field, &format!("must have 1 to {max} characters"));
                None
            }
            Some(_) => {
                self.wrong(field, "str type expected");
                None
            }
        }
    }

    pub(crate) fn required(&mut self, field: &str, max: usize) -> String {
        let before = self.details.len();
        let text = self.text(field, max);
        if text.is_none() && self.details.len() == before {
            self.wrong(field, "field required");
        }
        text.unwrap_or_default()
    }

    /// An amount of francs: a string of digits that does not start with 0 (XOF has no decimals).
    pub(crate) fn amount(&mut self, field: &str) -> i64 {
        let before = self.details.len();
        let text = self.required(field, 12);
        if self.details.len() > before {
            return 0;
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        match text.parse() {
            Ok(amount) if digits => amount,
            _ => {
                self.wrong(field, "must match ^[1-9][0-9]*$ for XOF");
                0
            }
        }
    }

    pub(crate) fn currency(&mut self) {
        let before = self.details.len();
        let currency = self.required("currency", 3);
        if self.details.len() == before && currency != "XOF" {
            self.wrong("currency", "must be XOF");
        }
    }

    pub(crate) fn mobile(&mut self, field: &str) -> Option<String> {
        let mobile = self.text(field, 16)?;
        let digits = mobile.strip_prefix('+').unwrap_or_default();
        if (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(mobile);
        }
        self.wrong(field, "must be a phone number in E.164");
        None
    }

    /// An https address; http on loopback only if the fake was told so.
    pub(crate) fn url(&mut self, field: &str, loopback_http: bool) -> String {
        let before = self.details.len();
        let text = self.required(field, 2_048);
        if self.details.len() > before {
            return text;
        }
        let fine = Url::parse(&text).is_ok_and(|url| match url.scheme() {
            "https" => true,
            "http" => loopback_http && matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")),
            _ => false,
        });
        if !fine {
            self.wrong(field, "must be a valid https URL");
        }
        text
    }

    /// # Errors
    /// `request-validation-error` when anything was wrong or any field is left over.
    pub(crate) fn done(mut self) -> Answer<()> {
        for field in std::mem::take(&mut self.object).keys() {
            self.wrong(field, "extra fields not permitted");
        }
        if self.details.is_empty() { Ok(()) } else { Err(Error::validation(self.details)) }
    }
}
