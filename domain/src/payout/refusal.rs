//! Why a wish about a payout was refused.

use thiserror::Error;

use super::Status;
use crate::{
    Timestamp,
    actor::Role,
    aggregate::Version,
    ids::PayoutId,
    money::{Money, MoneyError},
    payment::ProviderId,
    refusal::{Refused, Rule},
};

/// A rule or the state of the payout said no. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("there is no such payout")]
    NotFound,
    #[error("there is no such site")]
    UnknownSite,
    #[error("the period ends at {}, which is not yet", to.to_rfc3339())]
    NotOver { to: Timestamp },
    #[error("payout {payout_id} of this site is {status}: one at a time")]
    OneAtATime { payout_id: PayoutId, status: Status },
    #[error("the period ends before payout {payout_id} did: what that one took was still there")]
    BeforeTheLast { payout_id: PayoutId },
    #[error("nobody has agreed on where this site is paid")]
    NoAccount,
    #[error("the account of this site is new: nothing is paid to it before {}", until.to_rfc3339())]
    AccountRests { until: Timestamp },
    #[error("the site is paid to another account now: reject this payout and prepare another")]
    AccountChanged,
    #[error("the site's money is held: {reason}")]
    HeldBack { reason: String, version: Version },
    #[error("{amount} is less than the {minimum} that is paid at a time: it is carried over")]
    BelowMinimum { amount: Money, minimum: Money },
    #[error(
        "{amount} is more than the {payable} that is free to be paid by now: reject this payout and prepare another"
    )]
    MoreThanPayable { amount: Money, payable: Money },
    #[error("the ledger no longer says what this payout was prepared from: somebody must look")]
    LinesChanged,
    #[error("a {} may not do this", role.as_str())]
    RoleNotAllowed { role: Role },
    #[error("whoever moves money does so under their name")]
    NameRequired,
    #[error("a payout takes two persons, and you are one of them already")]
    SamePerson,
    #[error("the payout is {status}")]
    WrongStatus { status: Status },
    #[error("its outcome is unknown: only the provider's answer leads on")]
    OutcomeUnknown,
    #[error("it is a transfer, which a person makes")]
    ByHand,
    #[error("the provider pays it")]
    AtProvider,
    #[error("the provider names movement {other}, but {known} is known")]
    OtherMovement { known: ProviderId, other: ProviderId },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::UnknownSite => "object.not_found",
            Self::NotOver { .. } => "payout.not_over",
            Self::OneAtATime { .. } => "payout.one_at_a_time",
            Self::BeforeTheLast { .. } => "payout.before_the_last",
            Self::NoAccount => "payout.no_account",
            Self::AccountRests { .. } => "payout.account_rests",
            Self::AccountChanged => "payout.account_changed",
            Self::HeldBack { .. } => "payout.held_back",
            Self::BelowMinimum { .. } => "payout.below_minimum",
            Self::MoreThanPayable { .. } => "payout.more_than_payable",
            Self::LinesChanged => "payout.lines_changed",
            Self::RoleNotAllowed { .. } => "payout.role_not_allowed",
            Self::NameRequired => "payout.name_required",
            Self::SamePerson => "payout.same_person",
            Self::WrongStatus { .. } => "payout.wrong_status",
            Self::OutcomeUnknown => "payout.outcome_unknown",
            Self::ByHand => "payout.by_hand",
            Self::AtProvider => "payout.at_provider",
            Self::OtherMovement { .. } => "payout.other_movement",
            Self::Money(_) => "money.out_of_range",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::HeldBack { reason, version } => Some(Rule::new("payouts_held", reason, *version)),
            Self::BelowMinimum { minimum, .. } => Some(Rule::new("smallest_payout", minimum, 0)),
            Self::AccountRests { .. } => Some(Rule::new("account_rests_hours", super::ACCOUNT_RESTS, 0)),
            Self::SamePerson => Some(Rule::new("persons", 2, 0)),
            _ => None,
        }
    }
}
