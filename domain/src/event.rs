//! Every event Kalel can write. What is here is frozen: a shipped event is never changed, only followed by a new schema
//! number with an upcaster.

use thiserror::Error;

use crate::{client, ids::StreamId, key, payment, refund, reservation, site};

/// Why a stored event could not be read.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// Written by a newer version of Kalel: stop, do not skip (reliability.md R9).
    #[error("event type {name} with schema {schema} is not known to this version")]
    Unknown { name: String, schema: i16 },
    #[error("the data of a {name} event cannot be read")]
    Data { name: String, source: serde_json::Error },
}

/// Declares the events of one noun: a tuple variant per event, its wire name and its schema number.
///
/// To add an event: a payload struct, one line here, then wherever the compiler says.
macro_rules! events {
    ($kind:literal { $($(#[$doc:meta])* $variant:ident = $name:literal v $schema:literal),* $(,)? }) => {
        /// The events of this noun. The payload structs carry the meaning.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event {
            $($(#[$doc])* $variant($variant)),*
        }

        impl Event {
            /// The noun, as in the subject of a published event.
            pub const KIND: &'static str = $kind;
            /// Wire name and current schema number of every event of this noun.
            pub const TYPES: &'static [(&'static str, i16)] = &[$(($name, $schema)),*];

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

            /// Reads a stored event; `None` when the name is not one of this noun.
            ///
            /// # Errors
            /// [`crate::event::DecodeError`] when the schema is newer than this version, or the data do not fit.
            pub fn from_json(name: &str, schema: i16, data: &str) -> Result<Option<Self>, crate::event::DecodeError> {
                match (name, schema) {
                    $(($name, $schema) => serde_json::from_str(data).map(Self::$variant).map(Some).map_err(|source| {
                        crate::event::DecodeError::Data { name: name.to_owned(), source }
                    }),)*
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

            impl From<$variant> for crate::event::Event {
                fn from(data: $variant) -> Self {
                    Event::$variant(data).into()
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
    Client in client,
    Key in key,
}

/// An event with its place in a stream, as a fold sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub stream: StreamId,
    pub version: crate::aggregate::Version,
    pub event: Event,
}
