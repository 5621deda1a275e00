//! The schemas of the types that write themselves in a way of their own.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    account::EmailHash,
    key::SecretHash,
    phone::PhoneHash,
    sealed::Sealed,
    text::{Slug, Text},
};

/// Says that a member may lead back to a person or open a door: it does not leave the house.
pub(super) const WITHHELD: &str = "x-withheld";

macro_rules! shapes {
    ($($name:ident $(<$size:ident>)? => $schema:tt),* $(,)?) => {$(
        impl $(<const $size: usize>)? JsonSchema for $name $(<$size>)? {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

shapes! {
    Text<MAX> => { "type": "string", "minLength": 1, "maxLength": MAX },
    Slug => { "type": "string", "maxLength": Slug::MAX, "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" },
    Sealed => { "type": "string", WITHHELD: "ciphertext under the key of the person" },
    PhoneHash => { "type": "string", "pattern": "^[0-9a-f]{64}$", WITHHELD: "keyed hash" },
    EmailHash => { "type": "string", "pattern": "^[0-9a-f]{64}$", WITHHELD: "keyed hash" },
    SecretHash => { "type": "string", "pattern": "^[0-9a-f]{64}$", WITHHELD: "keyed hash" },
}
