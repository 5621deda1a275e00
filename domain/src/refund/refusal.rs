//! Why a wish about a refund was refused.

use thiserror::Error;

use super::{Route, Status};
use crate::{
    Timestamp,
    actor::Role,
    aggregate::Version,
    ids::RefundId,
    money::{Money, MoneyError},
    payment::{Method, ProviderId},
    refusal::{Refused, Rule},
    reservation,
};

/// A rule or the state of the refund said no. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("there is no such refund")]
    NotFound,
    #[error("this refund is already asked for")]
    AlreadyRequested,
    #[error("no such transaction was received")]
    NotReceived { transaction: Option<ProviderId> },
    #[error("{amount} is more than the {refundable} that can still be refunded")]
    MoreThanCaptured { amount: Money, refundable: Money },
    #[error("a refund is more than nothing")]
    NothingToRefund,
    #[error("the reservation is {status}: cancel it instead")]
    ReservationOpen { status: reservation::Status },
    #[error("a {} may not do this", role.as_str())]
    RoleNotAllowed { role: Role },
    #[error("whoever moves money does so under their name")]
    NameRequired,
    #[error("who asks for a refund cannot approve it")]
    SamePerson { limit: Money, version: Version },
    #[error("the refund is {status}")]
    WrongStatus { status: Status },
    #[error("its outcome is unknown: only the provider's answer leads on, never another try")]
    OutcomeUnknown,
    #[error("its provider is asked until {until}")]
    StillAsked { until: Timestamp },
    #[error("somebody else must say the same")]
    SameWord,
    #[error("it goes by {route:?}, which a person does")]
    ByHand { route: Route },
    #[error("it goes by {route:?}, which the provider does")]
    AtProvider { route: Route },
    #[error("the provider names movement {other}, but {known} is known")]
    OtherMovement { known: ProviderId, other: ProviderId },
    #[error("refund {refund_id} of the same transaction is on its way and may be this one")]
    MayBeOurs { refund_id: RefundId },
    #[error("{} is not what the money came by", method.as_str())]
    OtherProvider { method: Method },
    #[error("there is no client to credit")]
    NoClient,
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "refund.not_found",
            Self::AlreadyRequested => "refund.already_requested",
            Self::NotReceived { .. } => "refund.not_received",
            Self::MoreThanCaptured { .. } => "refund.more_than_captured",
            Self::NothingToRefund => "refund.nothing_to_refund",
            Self::ReservationOpen { .. } => "refund.reservation_open",
            Self::RoleNotAllowed { .. } => "refund.role_not_allowed",
            Self::NameRequired => "refund.name_required",
            Self::SamePerson { .. } => "refund.same_person",
            Self::WrongStatus { .. } => "refund.wrong_status",
            Self::OutcomeUnknown => "refund.outcome_unknown",
            Self::StillAsked { .. } => "refund.still_asked",
            Self::SameWord => "refund.same_word",
            Self::ByHand { .. } => "refund.by_hand",
            Self::AtProvider { .. } => "refund.at_provider",
            Self::OtherMovement { .. } => "refund.other_movement",
            Self::MayBeOurs { .. } => "refund.may_be_ours",
            Self::OtherProvider { .. } => "refund.other_provider",
            Self::NoClient => "refund.no_client",
            Self::Money(_) => "money.out_of_range",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::SamePerson { limit, version } => Some(Rule::new("four_eyes_above", limit, *version)),
            Self::NotFound
            | Self::AlreadyRequested
            | Self::NotReceived { .. }
            | Self::MoreThanCaptured { .. }
            | Self::NothingToRefund
            | Self::ReservationOpen { .. }
            | Self::RoleNotAllowed { .. }
            | Self::NameRequired
            | Self::WrongStatus { .. }
            | Self::OutcomeUnknown
            | Self::StillAsked { .. }
            | Self::SameWord
            | Self::ByHand { .. }
            | Self::AtProvider { .. }
            | Self::OtherMovement { .. }
            | Self::MayBeOurs { .. }
            | Self::OtherProvider { .. }
            | Self::NoClient
            | Self::Money(_) => None,
        }
    }
}
