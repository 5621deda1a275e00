//! What whoever checks knows of a reservation, a payment, a refund, a charge.

use std::collections::BTreeSet;

use super::provider::Moving;
use crate::{
    Timestamp,
    contract::Flow,
    ids::{PaymentId, RefundId, ReservationId},
    payment::{self, Method, ProviderId},
    refund::{self, Route},
    reservation::{self, Status},
};

/// A charge: which provider's, and which of its.
pub(super) type ChargeId = (Method, usize);

/// What became of a charge.
pub(super) struct Fate {
    pub(super) payment: PaymentId,
    pub(super) amount: i64,
    pub(super) at: Timestamp,
    /// The second one in its checkout; its webhook never came.
    pub(super) again: bool,
    pub(super) lost: bool,
    pub(super) landed: Option<Timestamp>,
    /// It landed in a hold that waits for the rest.
    pub(super) in_hold: bool,
    pub(super) rest: Option<Timestamp>,
}

pub(super) struct Stay {
    pub(super) status: Status,
    pub(super) hold_end: Timestamp,
    pub(super) grace: chrono::Duration,
    pub(super) deposit: i64,
    pub(super) received: i64,
    pub(super) flow: Flow,
    pub(super) left_hold: Option<Timestamp>,
    pub(super) open: BTreeSet<PaymentId>,
    pub(super) payments: Vec<PaymentId>,
    pub(super) refunds: Vec<RefundId>,
    pub(super) charges: Vec<ChargeId>,
    pub(super) unrested: usize,
    pub(super) failed: Vec<&'static str>,
    pub(super) steps: Vec<(Timestamp, &'static str, u64)>,
    /// What may still happen to it: effects, messages, deeds.
    pub(super) pending: u32,
}

pub(super) struct Pay {
    pub(super) of: ReservationId,
    pub(super) method: Method,
    pub(super) status: payment::Status,
    pub(super) received: i64,
    pub(super) allocated: i64,
    pub(super) returned: i64,
    pub(super) credited: i64,
    /// By the client's own stream.
    pub(super) credit: i64,
    pub(super) charges: Vec<usize>,
    pub(super) hourly: bool,
    pub(super) cut_off: bool,
    pub(super) pages: Vec<ProviderId>,
    pub(super) unasked: bool,
}

pub(super) struct Refunding {
    pub(super) of: ReservationId,
    pub(super) payment: PaymentId,
    pub(super) amount: i64,
    pub(super) status: refund::Status,
    pub(super) by_hand: bool,
    pub(super) approved: Option<Timestamp>,
    pub(super) way: Option<(Route, Method)>,
    pub(super) hourly: bool,
    pub(super) cut_off: bool,
    /// When the attempt that is out was sent, and how many there were.
    pub(super) submitted: Option<Timestamp>,
    pub(super) attempts: u32,
    /// Nobody could tell for a day what became of an attempt.
    pub(super) unseen: bool,
    /// Paid, or with a person.
    pub(super) over: bool,
    pub(super) name: Option<ProviderId>,
    pub(super) checkout: Option<ProviderId>,
    pub(super) movements: Vec<(Method, usize)>,
    /// Lines that we wrote for it beside those of a statement.
    pub(super) lines: usize,
    /// Finance has said what became of an attempt.
    pub(super) stated: bool,
    /// When it was ordered, while nobody has had an answer.
    pub(super) unanswered: Option<Timestamp>,
}

impl Stay {
    pub(super) fn new(held: &reservation::Held) -> Self {
        Self {
            status: Status::Held,
            hold_end: held.hold_expires_at,
            grace: chrono::Duration::minutes(2),
            deposit: held.price.deposit.amount,
            received: 0,
            flow: held.contract.flow,
            left_hold: None,
            open: BTreeSet::new(),
            payments: Vec::new(),
            refunds: Vec::new(),
            charges: Vec::new(),
            unrested: 0,
            failed: Vec::new(),
            steps: Vec::new(),
            pending: 0,
        }
    }
}

impl Pay {
    pub(super) fn new(of: ReservationId, method: Method) -> Self {
        let (charges, pages) = (Vec::new(), Vec::new());
        let (status, received, allocated, returned) = (payment::Status::Requested, 0, 0, 0);
        let (credited, credit, hourly, cut_off, unasked) = (0, 0, false, false, false);
        Self {
            of,
            method,
            status,
            received,
            allocated,
            returned,
            credited,
            credit,
            charges,
            hourly,
            cut_off,
            pages,
            unasked,
        }
    }

    /// With the reservation.
    pub(super) const fn held(&self) -> i64 {
        self.allocated - self.returned
    }
}

impl Refunding {
    pub(super) fn new(asked: &refund::Requested) -> Self {
        Self {
            of: asked.reservation_id,
            payment: asked.payment_id,
            amount: asked.amount.amount,
            status: refund::Status::Requested,
            by_hand: matches!(asked.route, Route::Cash | Route::Transfer),
            approved: None,
            way: None,
            hourly: false,
            cut_off: false,
            submitted: None,
            attempts: 0,
            unseen: false,
            over: false,
            name: None,
            checkout: asked.provider_id.clone(),
            movements: Vec::new(),
            lines: 0,
            stated: false,
            unanswered: None,
        }
    }

    /// The attempt that is out comes to its end.
    pub(super) fn ends(&mut self, now: Timestamp) {
        let long = self.submitted.is_some_and(|since| now - since >= chrono::Duration::hours(24));
        self.unseen |= long && self.status == refund::Status::Unknown;
    }

    /// Whether a provider has it, or has paid it.
    pub(super) const fn is_dead(moving: Moving) -> bool {
        matches!(moving, Moving::Failed | Moving::Reversed)
    }
}
