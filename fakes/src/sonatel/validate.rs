//! Request bodies: JSON objects whose fields are checked one by one; the first that is wrong is told.

use axum::body::Bytes;
use serde_json::{Map, Value};
use url::Url;

use super::error::{Answer, BAD_MSISDN, BAD_REQUEST, Problem};

/// A body, or an object inside of one.
pub(crate) struct Fields(Map<String, Value>);

pub(crate) fn bad(detail: impl Into<String>) -> Problem {
    Problem::refused(BAD_REQUEST, detail)
}

impl Fields {
    /// # Errors
    /// 4099 unless it is a JSON object; the same for everything below that is missing or of the wrong kind.
    pub(crate) fn read(body: &Bytes) -> Answer<Self> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            Ok(_) => Err(bad("The body must be an object")),
            Err(error) => Err(bad(error.to_string())),
        }
    }

    fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn object(&self, field: &str) -> Answer<Self> {
        self.optional_object(field)?.ok_or_else(|| bad(format!("{field} is required")))
    }

    pub(crate) fn optional_object(&self, field: &str) -> Answer<Option<Self>> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Self(object.clone()))),
            Some(_) => Err(bad(format!("{field} must be an object"))),
        }
    }

    pub(crate) fn text(&self, field: &str) -> Answer<String> {
        self.optional_text(field)?.ok_or_else(|| bad(format!("{field} is required")))
    }

    pub(crate) fn optional_text(&self, field: &str) -> Answer<Option<String>> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(_) => Err(bad(format!("{field} must be a text that is not empty"))),
        }
    }

    pub(crate) fn whole(&self, field: &str) -> Answer<i64> {
        let value = self.get(field).ok_or_else(|| bad(format!("{field} is required")))?;
        value.as_i64().ok_or_else(|| bad(format!("{field} must be a whole number")))
    }

    pub(crate) fn flag(&self, field: &str) -> Answer<bool> {
        match self.get(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(bad(format!("{field} must be true or false"))),
        }
    }

    /// `amount: {value, unit}` in francs.
    pub(crate) fn amount(&self, least: i64) -> Answer<i64> {
        let amount = self.object("amount")?;
        let value = amount.whole("value")?;
        if amount.text("unit")? != "XOF" {
            return Err(bad("amount.unit must be XOF"));
        }
        if (least..=1_000_000_000).contains(&value) { Ok(value) } else { Err(bad(format!("amount: at least {least}"))) }
    }

    /// Texts under names.
    pub(crate) fn metadata(&self) -> Answer<Map<String, Value>> {
        let metadata = self.optional_object("metadata")?.map(|fields| fields.0).unwrap_or_default();
        if metadata.values().all(Value::is_string) { Ok(metadata) } else { Err(bad("metadata: texts only")) }
    }

    /// `{idType: "MSISDN", id}`: 9 digits.
    pub(crate) fn msisdn(&self) -> Answer<String> {
        if self.text("idType")? != "MSISDN" {
            return Err(bad("idType must be MSISDN"));
        }
        let id = self.text("id")?;
        if is_msisdn(&id) { Ok(id) } else { Err(Problem::refused(BAD_MSISDN, "The msisdn is invalid")) }
    }

    pub(crate) fn optional_url(&self, field: &str, loopback_http: bool) -> Answer<Option<String>> {
        match self.optional_text(field)? {
            Some(url) if !is_good_url(&url, loopback_http) => Err(bad(format!("{field} must be an https address"))),
            url => Ok(url),
        }
    }
}

/// A Senegalese mobile as Sonatel writes it: without country code.
pub(crate) fn is_msisdn(text: &str) -> bool {
    text.len() == 9 && text.starts_with('7') && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An https address; http on loopback only if the fake was told so.
pub(crate) fn is_good_url(text: &str, loopback_http: bool) -> bool {
    Url::parse(text).is_ok_and(|url| match url.scheme() {
        "https" => true,
        "http" => loopback_http && matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")),
        _ => false,
    })
}
