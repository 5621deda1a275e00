//! Why a wish about a reconciliation was refused.

use chrono::NaiveDate;
use thiserror::Error;

use super::{How, Kind, MOST_DIFFERENCES};
use crate::{
    actor::Role,
    money::MoneyError,
    refusal::{Refused, Rule},
};

/// A rule or the state of the reconciliation said no. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the day {day} has not begun")]
    NotBegun { day: NaiveDate },
    #[error("the day {day} has not ended")]
    NotEnded { day: NaiveDate },
    #[error("no statement of the day was compared yet")]
    NoStatement,
    #[error("the day is closed")]
    AlreadyClosed,
    #[error("{differences} differences are unexplained")]
    Unexplained { differences: usize },
    #[error("the statement differs in {found} places: it is of another account or day")]
    TooManyDifferences { found: usize },
    #[error("there is no such difference")]
    NoSuchDifference,
    #[error("{} does not explain {}", how.as_str(), kind.as_str())]
    Unfit { how: How, kind: Kind },
    #[error("it is explained already: {}", how.as_str())]
    AlreadyExplained { how: How },
    #[error("a {} may not do this", role.as_str())]
    RoleNotAllowed { role: Role },
    #[error("the account's name collides with another's: choose another one")]
    AnotherAccount,
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NotBegun { .. } => "reconciliation.day_not_begun",
            Self::NotEnded { .. } => "reconciliation.day_not_ended",
            Self::NoStatement => "reconciliation.no_statement",
            Self::AlreadyClosed => "reconciliation.closed",
            Self::Unexplained { .. } => "reconciliation.unexplained",
            Self::TooManyDifferences { .. } => "reconciliation.too_many_differences",
            Self::NoSuchDifference => "reconciliation.no_such_difference",
            Self::Unfit { .. } => "reconciliation.explanation_unfit",
            Self::AlreadyExplained { .. } => "reconciliation.already_explained",
            Self::RoleNotAllowed { .. } => "reconciliation.role_not_allowed",
            Self::AnotherAccount => "reconciliation.account_taken",
            Self::Money(_) => "money.out_of_range",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::TooManyDifferences { .. } => Some(Rule::new("most_differences", MOST_DIFFERENCES, 0)),
            Self::Unexplained { differences } => Some(Rule::new("unexplained_differences", differences, 0)),
            _ => None,
        }
    }
}
