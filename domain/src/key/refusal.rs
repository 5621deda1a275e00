//! Why a grant was refused.

use thiserror::Error;

use crate::{actor::Role, refusal::Refused};

use super::Scope;

/// Why a key was not granted or not revoked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the key does not exist")]
    Unknown,
    #[error("the key was already granted, and differently")]
    AlreadyGranted,
    #[error("the key was revoked")]
    Revoked,
    #[error("two secrets of a key open together for at most {} hours", most_hours)]
    OverlapTooLong { most_hours: i64 },
    #[error("a key needs at least one scope")]
    NoScope,
    #[error("the role {} may not have the scope {scope:?}", role.as_str())]
    TooWide { role: Role, scope: Scope },
    #[error("no key is made for the role {}", role.as_str())]
    NotForKeys { role: Role },
    #[error("a {} has a key only with an account in which they work as that", role.as_str())]
    NoAccount { role: Role },
    #[error("an empty list of sites would let the key do nothing; leave it out not to restrict")]
    NoSites,
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "key.unknown",
            Self::AlreadyGranted => "key.already_granted",
            Self::Revoked => "key.revoked",
            Self::OverlapTooLong { .. } => "key.overlap_too_long",
            Self::NoScope => "key.no_scope",
            Self::TooWide { .. } => "key.too_wide",
            Self::NotForKeys { .. } => "key.not_for_keys",
            Self::NoAccount { .. } => "key.no_account",
            Self::NoSites => "key.no_sites",
        }
    }
}
