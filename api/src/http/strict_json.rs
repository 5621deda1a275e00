//! Reads a JSON body once, strictly: bounded depth, no key twice, no field unknown. Says where with JSON Pointers (RFC 6901).

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Number, Value};
use serde_path_to_error::Segment;

use crate::problem::Problem;

/// Deepest nesting accepted (api.md).
pub const DEEPEST: usize = 32;

/// Reads a body into `T`.
///
/// # Errors
/// `request.malformed_json` when it is not one JSON document within the limits; `request.invalid_field` when it does not
/// fit `T`, whose types must deny unknown fields.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    fit(value(body)?)
}

/// Reads a body into a value, refusing duplicate keys and deep nesting.
///
/// # Errors
/// `request.malformed_json`.
pub fn value(body: &[u8]) -> Result<Value, Problem> {
    let malformed = |error: serde_json::Error| Problem::new("request.malformed_json").with("reason", error.to_string());
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(malformed)?;
    deserializer.end().map_err(malformed)?;
    Ok(value)
}

fn fit<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Fit(value)).map_err(|error| {
        let pointer: String = error.path().iter().map(segment).collect();
        Problem::new("request.invalid_field").at(pointer, error.inner().to_string())
    })
}

fn segment(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

struct Strict {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > DEEPEST { Err(E::custom(format!("nested deeper than {DEEPEST}"))) } else { Ok(Self { depth }) }
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(self.deeper()?)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        // Also where it has no members.
        self.deeper()?;
        let mut members = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(self.deeper()?)?;
            if members.insert(key.clone(), value).is_some() {
                return Err(serde::de::Error::custom(format!("the key {key:?} is there twice")));
            }
        }
        Ok(Value::Object(members))
    }
}

/// A value that is read as the document says: what has named members comes from an object only, never from a list in the order
/// of its fields, as serde would have it.
struct Fit(Value);

impl IntoDeserializer<'_, serde_json::Error> for Fit {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Fit {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Array(values) => {
                let mut values = SeqDeserializer::new(values.into_iter().map(Fit));
                let read = visitor.visit_seq(&mut values)?;
                values.end().map(|()| read)
            }
            Value::Object(members) => {
                let mut members = MapDeserializer::new(members.into_iter().map(|(name, value)| (name, Fit(value))));
                let read = visitor.visit_map(&mut members)?;
                members.end().map(|()| read)
            }
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Array(_) => Err(<serde_json::Error as serde::de::Error>::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// An optional field that must not be `null` when it is there.
///
/// # Errors
/// When the value does not fit.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by the test through its errors")]
    struct Body {
        minutes: u32,
        client: Option<Client>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by the test through its errors")]
    struct Client {
        name: String,
    }

    fn code(body: &str) -> String {
        read::<Body>(body.as_bytes()).map_or_else(|problem| problem.code().to_owned(), |_| "ok".to_owned())
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for body in [
            "",
            "{",
            "{\"minutes\":60}x",
            "{\"minutes\":1e309}",
            "{\"minutes\":NaN}",
            "\u{feff}{}",
            "{\"a\":\"\\ud800\"}",
        ] {
            assert_eq!(code(body), "request.malformed_json", "{body}");
        }
        assert_eq!(code("{\"minutes\":60,\"minutes\":61}"), "request.malformed_json");
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("{}{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1));
        assert_eq!(code(&deep), "request.malformed_json");
        let bomb = "[".repeat(60_000);
        assert_eq!(code(&bomb), "request.malformed_json");
        let fine = format!("{}{}", "[".repeat(DEEPEST), "]".repeat(DEEPEST));
        assert!(value(fine.as_bytes()).is_ok());
    }

    #[test]
    fn an_empty_object_is_as_deep_as_an_empty_list() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for empty in ["[]", "{}"] {
                let nested = |around: usize| format!("{}{empty}{}", open.repeat(around), close.repeat(around));
                assert!(value(nested(DEEPEST - 1).as_bytes()).is_ok(), "{open} {empty}");
                assert!(value(nested(DEEPEST).as_bytes()).is_err(), "{open} {empty}");
            }
        }
    }

    /// What the fuzzer has kept (fuzz/corpus). Tests run in the folder of their package.
    #[test]
    fn kept_requests_are_read_without_harm() {
        fn depth(value: &Value) -> usize {
            match value {
                Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
                Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
                _ => 0,
            }
        }
        let (mut fine, mut refused) = (0, 0);
        for entry in std::fs::read_dir("../fuzz/corpus/requests").unwrap() {
            let body = std::fs::read(entry.unwrap().path()).unwrap();
            match (value(&body), read::<Body>(&body)) {
                (Ok(value), _) => {
                    assert!(depth(&value) <= DEEPEST);
                    fine += 1;
                }
                (Err(problem), Err(_)) => {
                    assert_eq!(problem.code(), "request.malformed_json");
                    refused += 1;
                }
                (Err(problem), Ok(body)) => panic!("{body:?} in spite of {problem:?}"),
            }
        }
        assert!(fine > 20 && refused > 20, "only {fine} and {refused} inputs");
    }

    #[test]
    fn a_list_in_the_order_of_the_fields_is_no_object() {
        assert_eq!(code(r#"[60, null]"#), "request.invalid_field");
        assert_eq!(code(r#"{"minutes":60,"client":["A"]}"#), "request.invalid_field");
        assert_eq!(code(r#"{"minutes":60,"client":{"name":"A"}}"#), "ok");
        let problem = read::<Body>(br#"{"minutes":60,"client":["A"]}"#).unwrap_err();
        assert!(format!("{problem:?}").contains("/client"), "{problem:?}");
    }

    #[test]
    fn errors_point_at_the_field() {
        let problem = read::<Body>(br#"{"minutes":60,"client":{"name":"A","nick":"b"}}"#).unwrap_err();
        assert!(format!("{problem:?}").contains("/client/nick"), "{problem:?}");
        let problem = read::<Body>(br#"{"minutes":-1}"#).unwrap_err();
        assert!(format!("{problem:?}").contains("/minutes"), "{problem:?}");
    }
}
