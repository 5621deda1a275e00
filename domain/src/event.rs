//! Every event Kalel can write. What is here is frozen: a shipped event is never changed, only followed by a new schema
//! number with an upcaster.

mod outside;
mod sight;
pub(crate) mod stored;
#[cfg(test)]
pub(crate) mod tests;

use thiserror::Error;

pub use outside::{outside, withheld};
pub use sight::Reader;
pub(crate) use stored::one_more_choice;
pub use stored::{Members, Shape, Upcast, address};

use crate::{
    account, client, endpoint, ids::StreamId, invoice, key, payment, payout, promotion, reconciliation, refund,
    reservation, site, till,
};

/// Why a stored event could not be read.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// Written by a newer version of Kalel: stop, do not skip (reliability.md R9).
    #[error("event type {name} with schema {schema} is not known to this version")]
    Unknown { name: String, schema: i16 },
    #[error("the data of a {name} event cannot be read")]
    Data { name: String, source: serde_json::Error },
}

/// Declares the events of one noun: a tuple variant per event, its wire name and its schema number. Each number has its
/// JSON Schema in `domain/schemas` and a sample in `domain/golden`.
///
/// To add an event: a payload struct, one line here, then wherever the compiler says.
///
/// To change a shipped one: keep what it was, raise the number, and say how each older number becomes the next, from 1 on:
/// `Held = "reservation.held" v 3 from [1 => one_to_two, 2 => two_to_three]`. The compiler refuses a list with a hole.
macro_rules! events {
    ($kind:literal { $($body:tt)* }) => {
        crate::event::events! { $kind in "../../" { $($body)* } }
        crate::event::events! { any $($body)* }
    };
    (any $($(#[$doc:meta])* $variant:ident = $name:literal v $schema:literal $(from $older:tt)?),* $(,)?) => {
        $(
            impl From<$variant> for crate::event::Event {
                fn from(data: $variant) -> Self {
                    Event::$variant(data).into()
                }
            }
        )*
    };
    ($kind:literal in $folder:literal { $($(#[$doc:meta])* $variant:ident = $name:literal v $schema:literal
        $(from [$($older:literal => $upcast:expr),+ $(,)?])?),* $(,)? }) => {
        /// The events of this noun. The payload structs carry the meaning.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event {
            $($(#[$doc])* $variant($variant)),*
        }

        $(const _: () = crate::event::stored::assert_every_older(&[$($($older),+)?], $schema);)*

        impl Event {
            /// The noun, as in the subject of a published event.
            pub const KIND: &'static str = $kind;
            /// Stands for all events of this noun in a filter.
            pub const ALL: &'static str = concat!($kind, ".*");
            /// Wire name and current schema number of every event of this noun.
            pub const TYPES: &'static [(&'static str, i16)] = &[$(($name, $schema)),*];
            /// Every shape that an event of this noun was ever written in.
            pub const SHAPES: &'static [crate::event::Shape] = &[$(
                $($(crate::event::Shape {
                    name: $name,
                    schema: $older,
                    document: include_str!(concat!($folder, "schemas/", $name, ".v", $older, ".json")),
                    sample: include_str!(concat!($folder, "golden/", $name, ".v", $older, ".json")),
                },)+)?
                crate::event::Shape {
                    name: $name,
                    schema: $schema,
                    document: include_str!(concat!($folder, "schemas/", $name, ".v", $schema, ".json")),
                    sample: include_str!(concat!($folder, "golden/", $name, ".v", $schema, ".json")),
                },
            )*];

            /// The schema of every payload as it is now, made from its struct.
            #[cfg(test)]
            pub fn derived() -> Vec<(&'static str, i16, serde_json::Value)> {
                vec![$(($name, $schema, crate::event::tests::derive::<$variant>($name))),*]
            }

            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),* }
            }

            pub const fn schema(&self) -> i16 {
                match self { $(Self::$variant(_) => $schema),* }
            }

            /// The exact bytes that are stored, hashed and proven.
            ///
            /// # Errors
            /// Never for a value built by the domain; serde's type asks for it.
            pub fn to_json(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$variant(data) => serde_json::to_string(data)),* }
            }

            /// Reads a stored event of any schema number there ever was; `None` when the name is not one of this noun.
            ///
            /// # Errors
            /// [`crate::event::DecodeError`] when the schema is newer than this version, or the data do not fit.
            pub fn from_json(name: &str, schema: i16, data: &str) -> Result<Option<Self>, crate::event::DecodeError> {
                match name {
                    $($name => {
                        const OLDER: &[crate::event::Upcast] = &[$($($upcast),+)?];
                        crate::event::stored::read(name, schema, OLDER, data).map(Self::$variant).map(Some)
                    })*
                    _ => Ok(None),
                }
            }
        }

        $(
            impl From<$variant> for Event {
                fn from(data: $variant) -> Self {
                    Self::$variant(data)
                }
            }
        )*
    };
}
pub(crate) use events;

macro_rules! nouns {
    ($($noun:ident in $module:ident),* $(,)?) => {
        /// An event of any noun.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event {
            $($noun($module::Event)),*
        }

        impl Event {
            /// Wire name, such as `reservation.held`.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$noun(event) => event.name()),* }
            }

            pub const fn schema(&self) -> i16 {
                match self { $(Self::$noun(event) => event.schema()),* }
            }

            /// The noun, such as `reservation`.
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$noun(_) => $module::Event::KIND),* }
            }

            /// The exact bytes that are stored, hashed and proven.
            ///
            /// # Errors
            /// Never for a value built by the domain; serde's type asks for it.
            pub fn to_json(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$noun(event) => event.to_json()),* }
            }

            /// Reads a stored event.
            ///
            /// # Errors
            /// [`DecodeError`] when the type or schema is not known, or the data do not fit.
            pub fn from_json(name: &str, schema: i16, data: &str) -> Result<Self, DecodeError> {
                $(if let Some(event) = $module::Event::from_json(name, schema, data)? {
                    return Ok(Self::$noun(event));
                })*
                Err(DecodeError::Unknown { name: name.to_owned(), schema })
            }

            #[cfg(test)]
            pub fn derived() -> Vec<(&'static str, i16, serde_json::Value)> {
                [$($module::Event::derived()),*].concat()
            }

            /// Every shape that an event was ever written in.
            pub fn shapes() -> impl Iterator<Item = &'static Shape> {
                [$($module::Event::SHAPES),*].into_iter().flatten()
            }

            /// Whether a stored event of this name and schema number can be read.
            pub fn reads(name: &str, schema: i16) -> bool {
                Self::shapes().any(|shape| shape.name == name && shape.schema == schema)
            }

            /// What a reader may choose events by: every wire name, and `<noun>.*`.
            pub const CHOICES: &'static [&'static str] = &stored::choices::<{
                0 $(+ 1 + $module::Event::TYPES.len())*
            }>(&[$(($module::Event::ALL, $module::Event::TYPES)),*]);

            /// Wire name and current schema number of every event there is.
            pub fn types() -> impl Iterator<Item = (&'static str, i16)> {
                [$($module::Event::TYPES),*].into_iter().flatten().copied()
            }
        }

        $(
            impl From<$module::Event> for Event {
                fn from(event: $module::Event) -> Self {
                    Self::$noun(event)
                }
            }
        )*
    };
}

nouns! {
    Site in site,
    Reservation in reservation,
    Payment in payment,
    Refund in refund,
    Reconciliation in reconciliation,
    Payout in payout,
    Invoice in invoice,
    Client in client,
    Key in key,
    Endpoint in endpoint,
    Promotion in promotion,
    Till in till,
    Account in account,
}

/// An event with its place in a stream, as a fold sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub stream: StreamId,
    pub version: crate::aggregate::Version,
    pub event: Event,
}
