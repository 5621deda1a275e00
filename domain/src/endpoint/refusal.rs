//! Why something about an endpoint was refused.

use thiserror::Error;

use crate::refusal::Refused;

/// Why an endpoint was not added or not changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the endpoint does not exist")]
    Unknown,
    #[error("the endpoint exists with other contents")]
    AlreadyAdded,
    #[error("events are sent encrypted: the address must begin with https://")]
    NotEncrypted,
    #[error("{name} is no event")]
    UnknownType { name: String },
    #[error("at most {most} types can be named; leave them out for all")]
    TooManyTypes { most: usize },
    #[error("an empty list of sites would send nothing; leave it out for all")]
    NoSites,
    #[error("the key may not read events")]
    MayNotRead,
    #[error("two secrets sign together for at most {most_hours} hours")]
    OverlapTooLong { most_hours: i64 },
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "endpoint.unknown",
            Self::AlreadyAdded => "endpoint.already_added",
            Self::NotEncrypted => "endpoint.not_encrypted",
            Self::UnknownType { .. } => "endpoint.unknown_type",
            Self::TooManyTypes { .. } => "endpoint.too_many_types",
            Self::NoSites => "endpoint.no_sites",
            Self::MayNotRead => "endpoint.may_not_read",
            Self::OverlapTooLong { .. } => "endpoint.overlap_too_long",
        }
    }
}
