//! Reading what any version of Kalel has stored: the data of an older schema number are brought to the present one, step
//! by step. The stored bytes never change, and proofs are about them.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::DecodeError;

/// The members of an event's data.
pub type Members = Map<String, Value>;

/// Makes the data of one schema number those of the next. Pure, and never a panic: what does not fit afterwards is
/// [`DecodeError::Data`].
pub type Upcast = fn(Members) -> Members;

/// The members are what they were; one of them may say something now that it could not say before.
pub(crate) const fn one_more_choice(data: Members) -> Members {
    data
}

/// A shape that an event is, or was, written in.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Wire name, such as `reservation.held`.
    pub name: &'static str,
    pub schema: i16,
    /// Its JSON Schema (draft 2020-12) as stored in `domain/schemas`: of the data as they stand in the log.
    pub document: &'static str,
    /// A stored sample, of `domain/golden`.
    pub sample: &'static str,
}

impl Shape {
    /// Where its schema is published, under the address of an API.
    pub fn address(&self, public_url: &str) -> String {
        address(public_url, self.name, self.schema)
    }

    /// Its JSON Schema for readers outside: with its address, without what is withheld, with a stored sample as example.
    pub fn published(&self, public_url: &str) -> Value {
        let mut schema: Value = serde_json::from_str(self.document).unwrap_or_default();
        let sample = super::outside(self.name, self.sample).ok();
        let examples: Vec<Value> = sample.iter().filter_map(|sample| serde_json::from_str(sample).ok()).collect();
        let withheld = super::withheld(self.name);
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.retain(|member, _| !withheld.contains(&member.as_str()));
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|member| !member.as_str().is_some_and(|member| withheld.contains(&member)));
        }
        if let Some(members) = schema.as_object_mut() {
            members.insert("$id".to_owned(), self.address(public_url).into());
            members.insert("examples".to_owned(), examples.into());
        }
        schema
    }
}

/// Where the schema of an event is published: what `dataschema` of a CloudEvent says.
pub fn address(public_url: &str, name: &str, schema: i16) -> String {
    format!("{public_url}/v1/event-schemas/{name}/{schema}")
}

/// Reads the data of an event whose older schema numbers are 1 to `older.len()`.
///
/// # Errors
/// [`DecodeError::Unknown`] for a number that never was, [`DecodeError::Data`] when the data do not fit.
pub(crate) fn read<T: DeserializeOwned>(
    name: &str,
    schema: i16,
    older: &[Upcast],
    data: &str,
) -> Result<T, DecodeError> {
    let unfit = |source| DecodeError::Data { name: name.to_owned(), source };
    let written = usize::try_from(schema).ok().and_then(|schema| schema.checked_sub(1));
    match written.and_then(|written| older.get(written..)) {
        None => Err(DecodeError::Unknown { name: name.to_owned(), schema }),
        Some([]) => serde_json::from_str(data).map_err(unfit),
        Some(steps) => {
            let stored = serde_json::from_str(data).map_err(unfit)?;
            let present = steps.iter().fold(stored, |data, step| step(data));
            serde_json::from_value(Value::Object(present)).map_err(unfit)
        }
    }
}

/// Stops the build unless the older numbers are 1, 2, 3… up to the one before the present.
pub(crate) const fn assert_every_older(older: &[i16], present: i16) {
    let mut next: i16 = 1;
    let mut rest = older;
    while let [first, others @ ..] = rest {
        assert!(*first == next, "upcasters are listed from 1 on, without a hole");
        next += 1;
        rest = others;
    }
    assert!(next == present, "every older schema number has an upcaster, and no other has one");
}

/// The names of all nouns in one list, each noun's wildcard first. Worked out by the compiler, which also checks `N`.
pub(crate) const fn choices<const N: usize>(
    nouns: &[(&'static str, &'static [(&'static str, i16)])],
) -> [&'static str; N] {
    let mut list = [""; N];
    let (mut noun, mut free) = (0, 0);
    while noun < nouns.len() {
        let (all, types) = nouns[noun];
        list[free] = all;
        free += 1;
        let mut name = 0;
        while name < types.len() {
            list[free] = types[name].0;
            free += 1;
            name += 1;
        }
        noun += 1;
    }
    assert!(free == N, "a place for every name");
    list
}
