//! Why a wish about a drawer was refused.

use thiserror::Error;

use crate::{
    actor::Role,
    aggregate::Version,
    money::{Money, MoneyError},
    refusal::{Refused, Rule},
};

/// A rule or the state of the drawer said no. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the till is open already")]
    AlreadyOpen,
    #[error("the till is closed")]
    NotOpen,
    #[error("a {} may not do this", role.as_str())]
    RoleNotAllowed { role: Role },
    #[error("{expected} should be in the till: more cannot be taken out")]
    MoreThanThere { expected: Money, version: Version },
    #[error("{expected} should be in the till: say why it differs")]
    ReasonRequired { expected: Money, version: Version },
    #[error("nothing is taken out")]
    Nothing,
    #[error("movements are counted up to {known} already")]
    CountedFurther { known: i64 },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyOpen => "till.already_open",
            Self::NotOpen => "till.not_open",
            Self::RoleNotAllowed { .. } => "till.role_not_allowed",
            Self::MoreThanThere { .. } => "till.more_than_there",
            Self::ReasonRequired { .. } => "till.reason_required",
            Self::Nothing => "till.nothing_moved",
            Self::CountedFurther { .. } => "till.counted_further",
            Self::Money(_) => "money.out_of_range",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::MoreThanThere { expected, version } | Self::ReasonRequired { expected, version } => {
                Some(Rule::new("till_expected", expected, *version))
            }
            _ => None,
        }
    }
}
