//! The fields of an IPN, each once and as it is written: the HMAC is over their literal text.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use url::form_urlencoded;

use crate::payments::webhook::{Forged, single};

/// Name and text of each. What is nested stands there as its own JSON.
#[derive(Debug)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// A form or JSON, by its type; by its first character when it has none.
    ///
    /// # Errors
    /// [`Forged::Malformed`] for anything else, and when a field stands there twice: readers would differ about which one
    /// counts.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Forged> {
        let kind = single(headers, &CONTENT_TYPE)?.unwrap_or_default().to_ascii_lowercase();
        let json = if kind.contains("json") {
            true
        } else if kind.contains("form-urlencoded") {
            false
        } else {
            body.trim_ascii_start().starts_with(b"{")
        };
        if json { serde_json::from_slice(body).map_err(|_| Forged::Malformed) } else { Self::form(body) }
    }

    fn form(body: &[u8]) -> Result<Self, Forged> {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            if fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Forged::Malformed);
            }
        }
        Ok(Self(fields))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A field that is not empty.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with each field once")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                // With nulls, which are absent afterwards but occupy their name.
                let mut fields = BTreeMap::new();
                while let Some((name, raw)) = map.next_entry::<Cow<'de, str>, &RawValue>()? {
                    let text = literal(raw.get()).map_err(M::Error::custom)?;
                    if fields.insert(name.into_owned(), text).is_some() {
                        return Err(M::Error::custom("a field stands there twice"));
                    }
                }
                let present = fields.into_iter().filter_map(|(name, text)| Some((name, text?)));
                Ok(Fields(present.collect()))
            }
        }

        deserializer.deserialize_map(Once)
    }
}

/// A value's text: of a string what it says, of anything else how it is written. `None` for null.
fn literal(raw: &str) -> Result<Option<String>, serde_json::Error> {
    match raw {
        "null" => Ok(None),
        text if text.starts_with('"') => serde_json::from_str(text).map(Some),
        other => Ok(Some(other.to_owned())),
    }
}
