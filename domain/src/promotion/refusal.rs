//! Why a code does not count.

use thiserror::Error;

use crate::{
    actor::Role,
    money::{Money, MoneyError},
    refusal::{Refused, Rule},
};

/// Why a promotion was not made, ended or redeemed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Unknown, of another site, ended or not valid at this time: all the same to whoever tries words.
    #[error("this code does not count here")]
    Invalid,
    #[error("this code is for prices of {least} and more")]
    BelowMinimum { least: Money },
    #[error("this code is for {}", formats.join(", "))]
    OtherFormat { formats: Vec<String> },
    #[error("this code is for games on {}", days.join(", "))]
    OtherDay { days: Vec<String> },
    #[error("nothing is left of this code")]
    Exhausted,
    #[error("a client may use this code {most} time(s)")]
    ClientLimit { most: u32 },
    #[error("this code is counted by client: say who plays")]
    ClientRequired,
    #[error("a {} may not do this", role.as_str())]
    RoleNotAllowed { role: Role },
    #[error("this promotion exists already, and differs")]
    AlreadyCreated,
    #[error("{what} is out of range")]
    OutOfRange { what: &'static str },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid => "promotion.invalid",
            Self::BelowMinimum { .. } => "promotion.below_minimum",
            Self::OtherFormat { .. } => "promotion.other_format",
            Self::OtherDay { .. } => "promotion.other_day",
            Self::Exhausted => "promotion.exhausted",
            Self::ClientLimit { .. } => "promotion.client_limit",
            Self::ClientRequired => "promotion.client_required",
            Self::RoleNotAllowed { .. } => "promotion.role_not_allowed",
            Self::AlreadyCreated => "promotion.already_created",
            Self::OutOfRange { .. } => "promotion.out_of_range",
            Self::Money(_) => "money.out_of_range",
        }
    }

    // The terms never change: their version is that of the creation.
    fn rule(&self) -> Option<Rule> {
        match self {
            Self::BelowMinimum { least } => Some(Rule::new("minimum_total", least, 1)),
            Self::OtherFormat { formats } => Some(Rule::new("formats", formats.join(","), 1)),
            Self::OtherDay { days } => Some(Rule::new("days", days.join(","), 1)),
            Self::ClientLimit { most } => Some(Rule::new("uses_per_client", most, 1)),
            _ => None,
        }
    }
}
