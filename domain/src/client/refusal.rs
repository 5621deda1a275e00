//! Why a change of a client was refused.

use thiserror::Error;

use crate::{
    Timestamp,
    actor::Role,
    ids::PaymentId,
    money::{Money, MoneyError},
    refusal::{Refused, Rule},
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
    #[error("this client owes {amount} that is not settled")]
    InDebt { amount: Money },
    #[error("there is no such device")]
    NoSuchDevice,
    #[error("there is a PIN already")]
    HasPin,
    #[error("there is no PIN yet")]
    NoPin,
    #[error("there is no PIN that could be lost")]
    NothingToRecover,
    #[error("another PIN can be chosen from {ready_at} on")]
    RecoveryWaits { ready_at: Timestamp },
    #[error("there is no such recovery any more")]
    RecoveryOver,
    #[error("the number changes at {ready_at}")]
    NumberChangeWaits { ready_at: Timestamp },
    #[error("it is their number already")]
    SameNumber,
    #[error("the number changes not before {until}")]
    CoolingOff { until: Timestamp },
    #[error("the number was in use until {last_seen}")]
    NotIdle { last_seen: Timestamp },
    #[error("there is no such fine")]
    NoSuchFine,
    #[error("the fine is {standing}")]
    FineOver { standing: &'static str },
    #[error("the fine was appealed already")]
    AlreadyAppealed,
    #[error("the fine was not appealed")]
    NotAppealed,
    #[error("an appeal was possible until {until}")]
    AppealTooLate { until: Timestamp },
    #[error("the site may decide until {until}")]
    StillTime { until: Timestamp },
    #[error("a {} may not do this", role.as_str())]
    RoleNotAllowed { role: Role },
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
            Self::InDebt { .. } => "client.in_debt",
            Self::NoSuchDevice => "device.unknown",
            Self::HasPin => "pin.exists",
            Self::NoPin => "pin.required",
            Self::NothingToRecover => "recovery.not_needed",
            Self::RecoveryWaits { .. } => "recovery.waiting",
            Self::RecoveryOver => "recovery.over",
            Self::NumberChangeWaits { .. } => "client.number_changes",
            Self::SameNumber => "client.same_number",
            Self::CoolingOff { .. } => "client.cooling_off",
            Self::NotIdle { .. } => "client.not_idle",
            Self::NoSuchFine => "fine.not_found",
            Self::FineOver { .. } => "fine.over",
            Self::AlreadyAppealed => "fine.already_appealed",
            Self::NotAppealed => "fine.not_appealed",
            Self::AppealTooLate { .. } => "fine.appeal_too_late",
            Self::StillTime { .. } => "fine.still_time",
            Self::RoleNotAllowed { .. } => "client.role_not_allowed",
            Self::HasCredit { .. } => "client.has_credit",
            Self::NothingToCredit => "client.nothing_to_credit",
            Self::AlreadyCredited { .. } => "client.already_credited",
            Self::Money(_) => "money.out_of_range",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::AppealTooLate { .. } => Some(Rule::new("appeal_hours", super::APPEAL_HOURS, 0)),
            _ => None,
        }
    }
}
