//! Why a change of an account was refused.

use thiserror::Error;

use crate::{
    actor::Role,
    refusal::{Refused, Rule},
};

/// Why a command about an account wrote nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the account does not exist")]
    Unknown,
    #[error("the account exists")]
    Exists,
    #[error("a {} may not do this", role.as_str())]
    RoleNotAllowed { role: Role },
    #[error("nobody is invited as {}", role.as_str())]
    NoSuchRole { role: Role },
    #[error("whoever works at sites needs at least one")]
    NoSites,
    #[error("a second person has to agree")]
    SamePerson,
    #[error("a second admin has not agreed yet")]
    NotApproved,
    #[error("the invitation was accepted")]
    Accepted,
    #[error("the invitation was not accepted yet")]
    NotAccepted,
    #[error("nothing was proposed")]
    NothingProposed,
    #[error("the account is suspended")]
    Suspended,
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "account.unknown",
            Self::Exists => "account.exists",
            Self::RoleNotAllowed { .. } => "account.role_not_allowed",
            Self::NoSuchRole { .. } => "account.no_such_role",
            Self::NoSites => "account.no_sites",
            Self::SamePerson => "account.same_person",
            Self::NotApproved => "account.not_approved",
            Self::Accepted => "account.accepted",
            Self::NotAccepted => "account.not_accepted",
            Self::NothingProposed => "account.nothing_proposed",
            Self::Suspended => "account.suspended",
        }
    }

    fn rule(&self) -> Option<Rule> {
        None
    }
}
