//! Why a wish about a reservation was refused.

use thiserror::Error;

use super::Status;
use crate::{
    Timestamp,
    actor::Role,
    aggregate::Version,
    ids::PaymentId,
    money::{Money, MoneyError},
    payment, refund,
    refusal::{Refused, Rule},
};

/// A rule or the state of the reservation said no. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("there is no such reservation")]
    NotFound,
    #[error("this reservation is already placed")]
    AlreadyPlaced,
    #[error("the reservation is {status}: this is only possible while it is held")]
    NotHeld { status: Status },
    #[error("the reservation is {status}: this is only possible while it is confirmed")]
    NotConfirmed { status: Status },
    #[error("the hold ended at {at}")]
    HoldExpired { at: Timestamp },
    #[error("the hold lives until {until}")]
    HoldAlive { until: Timestamp },
    #[error("it is not over before {at}")]
    NotOver { at: Timestamp },
    #[error("it ended at {at}")]
    Over { at: Timestamp },
    #[error("check-in opens at {opens_at}, {minutes} minutes before the start")]
    TooEarlyToCheckIn { opens_at: Timestamp, minutes: u32, version: Version },
    #[error("check-in closed with the end of the reservation at {closed_at}")]
    TooLateToCheckIn { closed_at: Timestamp },
    #[error("the ticket was already used at {at}")]
    AlreadyCheckedIn { at: Timestamp },
    #[error("it can be moved until {latest}, {minutes} minutes before the start")]
    TooLateToReschedule { latest: Timestamp, minutes: u32, version: Version },
    #[error("it can be moved {allowed} time(s), and has been")]
    ReschedulesUsed { allowed: u32, version: Version },
    #[error("a reservation can only be moved within its site")]
    OtherSite,
    #[error("whoever runs the site must say why")]
    ReasonRequired,
    #[error("a {} may not do this", role.as_str())]
    RoleNotAllowed { role: Role },
    #[error("a fine needs the version of the client's stream")]
    ClientMissing,
    #[error("payment {payment_id} holds money of this reservation and must be decided with it")]
    PaymentMissing { payment_id: PaymentId },
    #[error("what is due is split already")]
    AlreadySplit,
    #[error("payment {payment_id} may still be paid: what is due can be split when it has ended")]
    CheckoutOpen { payment_id: PaymentId },
    #[error("{shares} shares: there are {least} to {most}")]
    ShareCount { shares: usize, least: usize, most: usize },
    #[error("a share of {amount} is too small: at least {least}")]
    ShareTooSmall { amount: Money, least: Money },
    #[error("the shares add up to {sum}, and {due} is due")]
    SharesDoNotAddUp { sum: Money, due: Money },
    #[error("{quorum} cannot be the quorum: {least} to {most} can")]
    QuorumOutOfRange { quorum: Money, least: Money, most: Money },
    #[error(
        "the deadline must be after {after} and not after {latest}: {minutes} minutes before the start, and two weeks at most"
    )]
    DeadlineOutOfRange { after: Timestamp, latest: Timestamp, minutes: u32, version: Version },
    #[error(transparent)]
    Payment(#[from] payment::Refusal),
    #[error(transparent)]
    Refund(#[from] refund::Refusal),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "reservation.not_found",
            Self::AlreadyPlaced => "reservation.already_placed",
            Self::NotHeld { .. } => "reservation.not_held",
            Self::NotConfirmed { .. } => "reservation.not_confirmed",
            Self::HoldExpired { .. } => "reservation.hold_expired",
            Self::HoldAlive { .. } => "reservation.hold_alive",
            Self::NotOver { .. } => "reservation.not_over",
            Self::Over { .. } => "reservation.over",
            Self::TooEarlyToCheckIn { .. } => "reservation.too_early_to_check_in",
            Self::TooLateToCheckIn { .. } => "reservation.too_late_to_check_in",
            Self::AlreadyCheckedIn { .. } => "reservation.already_checked_in",
            Self::TooLateToReschedule { .. } => "reservation.too_late_to_reschedule",
            Self::ReschedulesUsed { .. } => "reservation.reschedules_used",
            Self::OtherSite => "reservation.other_site",
            Self::ReasonRequired => "reservation.reason_required",
            Self::RoleNotAllowed { .. } => "reservation.role_not_allowed",
            Self::ClientMissing => "reservation.client_missing",
            Self::PaymentMissing { .. } => "reservation.payment_missing",
            Self::AlreadySplit => "reservation.already_split",
            Self::CheckoutOpen { .. } => "reservation.checkout_open",
            Self::ShareCount { .. } => "reservation.share_count",
            Self::ShareTooSmall { .. } => "reservation.share_too_small",
            Self::SharesDoNotAddUp { .. } => "reservation.shares_do_not_add_up",
            Self::QuorumOutOfRange { .. } => "reservation.quorum_out_of_range",
            Self::DeadlineOutOfRange { .. } => "reservation.deadline_out_of_range",
            Self::Payment(refusal) => refusal.code(),
            Self::Refund(refusal) => refusal.code(),
            Self::Money(_) => "money.out_of_range",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::TooEarlyToCheckIn { minutes, version, .. } => {
                Some(Rule::new("check_in_opens_minutes", minutes, *version))
            }
            Self::TooLateToReschedule { minutes, version, .. } => {
                Some(Rule::new("reschedule_minutes", minutes, *version))
            }
            Self::DeadlineOutOfRange { minutes, version, .. } => Some(Rule::new("lead_minutes", minutes, *version)),
            Self::ReschedulesUsed { allowed, version } => Some(Rule::new("free_reschedules", allowed, *version)),
            Self::Payment(refusal) => refusal.rule(),
            Self::Refund(refusal) => refusal.rule(),
            Self::NotFound
            | Self::AlreadyPlaced
            | Self::NotHeld { .. }
            | Self::NotConfirmed { .. }
            | Self::HoldExpired { .. }
            | Self::HoldAlive { .. }
            | Self::NotOver { .. }
            | Self::Over { .. }
            | Self::TooLateToCheckIn { .. }
            | Self::AlreadyCheckedIn { .. }
            | Self::OtherSite
            | Self::ReasonRequired
            | Self::RoleNotAllowed { .. }
            | Self::ClientMissing
            | Self::PaymentMissing { .. }
            | Self::AlreadySplit
            | Self::CheckoutOpen { .. }
            | Self::ShareCount { .. }
            | Self::ShareTooSmall { .. }
            | Self::SharesDoNotAddUp { .. }
            | Self::QuorumOutOfRange { .. }
            | Self::Money(_) => None,
        }
    }
}
