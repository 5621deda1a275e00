//! Why a change of a client was refused.

use thiserror::Error;

use crate::{
    ids::PaymentId,
    money::{Money, MoneyError},
    refusal::Refused,
};

/// Why a command about a client wrote nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the client does not exist")]
    Unknown,
    #[error("the client is registered with another number")]
    OtherNumber,
    #[error("the person was erased")]
    Erased,
    #[error("{reservations} reservations of this client are not over")]
    StillExpected { reservations: u32 },
    #[error("we hold {credit} of this client, which an erasure would lose to them")]
    HasCredit { credit: Money },
    #[error("a credit must be more than nothing")]
    NothingToCredit,
    #[error("payment {payment_id} was already credited with {credited}")]
    AlreadyCredited { payment_id: PaymentId, credited: Money },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "client.unknown",
            Self::OtherNumber => "client.other_number",
            Self::Erased => "client.erased",
            Self::StillExpected { .. } => "client.still_expected",
            Self::HasCredit { .. } => "client.has_credit",
            Self::NothingToCredit => "client.nothing_to_credit",
            Self::AlreadyCredited { .. } => "client.already_credited",
            Self::Money(_) => "money.out_of_range",
        }
    }
}
