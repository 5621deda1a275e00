//! JSON whose values count as they are written.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::form::Fields;

/// Names and texts: of a string what it says, of null nothing, of anything else how it is written. `None` when it is no
/// object.
pub fn fields(body: &[u8]) -> Option<Fields> {
    let Written(members) = serde_json::from_slice(body).ok()?;
    members.into_iter().map(|(name, raw)| Some((name, text(raw.get())?))).collect()
}

/// `None` for what cannot be decoded.
fn text(raw: &str) -> Option<Option<String>> {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).ok().map(Some),
        _ if raw == "null" => Some(None),
        _ => Some(Some(raw.to_owned())),
    }
}

struct Written(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Written, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry()? {
                    members.push(member);
                }
                Ok(Written(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
