//! Why a wish about a payment was refused.

use thiserror::Error;

use super::{Method, ProviderId, Status};
use crate::{
    Timestamp,
    actor::Role,
    ids::PaymentId,
    money::{Currency, Money, MoneyError},
    refund,
    refusal::{Refused, Rule},
    reservation::{self, Purpose},
};

/// The state of the payment or of its reservation said no. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("there is no such payment")]
    NotFound,
    #[error("this payment is already asked for")]
    AlreadyRequested,
    #[error("nobody can tell whether it is paid: the provider is being asked")]
    MayBePaid,
    #[error("the payment is for another reservation")]
    OtherReservation,
    #[error("nothing is due for this purpose ({purpose:?})")]
    NothingDue { purpose: Purpose },
    #[error("what is due is split: its shares are paid, each by itself")]
    Split,
    #[error("there is no such share")]
    NoSuchShare,
    #[error("the share is paid")]
    SharePaid,
    #[error("payment {payment_id} by {} is open for this share: pay there, or by another method", method.as_str())]
    ShareOpen { payment_id: PaymentId, method: Method },
    #[error("the hold ended at {at}")]
    HoldExpired { at: Timestamp },
    #[error("the reservation is {status} and takes no payment of this kind")]
    NotPayable { status: reservation::Status },
    #[error("{} is not asked for at a provider: whoever takes the money records it", method.as_str())]
    ByHand { method: Method },
    #[error("{} moves at its provider and cannot be recorded by hand", method.as_str())]
    AtProvider { method: Method },
    #[error("a {} may not record a payment by {}", role.as_str(), method.as_str())]
    RoleNotAllowed { role: Role, method: Method },
    #[error("whoever records money does so under their name")]
    NameRequired,
    #[error("{amount} is more than the {due} that is due")]
    MoreThanDue { amount: Money, due: Money },
    #[error("{amount} is less than the deposit of {due} that confirms")]
    BelowDeposit { amount: Money, due: Money },
    #[error("the payment is {status}")]
    Ended { status: Status },
    #[error("the provider names checkout {other}, but {known} is known")]
    OtherCheckout { known: ProviderId, other: ProviderId },
    #[error("{actual} arrived where {expected} was asked for")]
    OtherCurrency { expected: Currency, actual: Currency },
    #[error("no money arrived")]
    NothingReceived,
    #[error("client credit needs the version of the client's stream")]
    ClientMissing,
    #[error("the reservation is of nobody known: there is no credit to pay it with")]
    NoClient,
    #[error("{amount} is due, and the credit is {credit}")]
    CreditInsufficient { credit: Money, amount: Money },
    #[error("the price has a discount, and its promotion must be decided with it")]
    PromotionMissing,
    #[error(transparent)]
    Refund(#[from] refund::Refusal),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "payment.not_found",
            Self::AlreadyRequested => "payment.already_requested",
            Self::MayBePaid => "payment.may_be_paid",
            Self::OtherReservation => "payment.other_reservation",
            Self::NothingDue { .. } => "payment.nothing_due",
            Self::Split => "payment.split",
            Self::NoSuchShare => "payment.no_such_share",
            Self::SharePaid => "payment.share_paid",
            Self::ShareOpen { .. } => "payment.share_open",
            Self::HoldExpired { .. } => "reservation.hold_expired",
            Self::NotPayable { .. } => "payment.not_payable",
            Self::ByHand { .. } => "payment.by_hand",
            Self::AtProvider { .. } => "payment.at_provider",
            Self::RoleNotAllowed { .. } => "payment.role_not_allowed",
            Self::NameRequired => "payment.name_required",
            Self::MoreThanDue { .. } => "payment.more_than_due",
            Self::BelowDeposit { .. } => "payment.below_deposit",
            Self::Ended { .. } => "payment.ended",
            Self::OtherCheckout { .. } => "payment.other_checkout",
            Self::OtherCurrency { .. } => "payment.other_currency",
            Self::NothingReceived => "payment.nothing_received",
            Self::PromotionMissing => "payment.promotion_missing",
            Self::ClientMissing => "payment.client_missing",
            Self::NoClient => "payment.no_client",
            Self::CreditInsufficient { .. } => "credit.insufficient",
            Self::Refund(refusal) => refusal.code(),
            Self::Money(_) => "money.out_of_range",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::CreditInsufficient { credit, .. } => Some(Rule::new("credit", credit.amount, 0)),
            _ => None,
        }
    }
}
