//! What we owe the world after an event: data, written down in the transaction that read the event, carried out later by
//! somebody else. A crash in between loses nothing, and a replay carries nothing out.
//!
//! [`react`] is a pure function of the event. Everything here is ids and instants, never a person's data; whoever
//! carries it out loads what it needs then, and finds the wish overtaken by events when it is (every verb it may call
//! answers with nothing, or a refusal that says until when).

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp, client, endpoint,
    event::Event,
    ids::{
        ClientId, EndpointId, InvoiceId, NumberChangeId, PaymentId, PayoutId, PrincipalId, ReconciliationId,
        RecoveryId, RefundId, ReservationId, SiteId,
    },
    invoice, payment, payout, reconciliation, refund, reservation, till,
};

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reaction {
    /// Open a checkout at the provider, then [`payment::Open`]; cut off ⇒ [`payment::unknown`], refused ⇒
    /// [`payment::fail`].
    OpenCheckout { payment_id: PaymentId },
    /// Have the provider close this checkout, then [`payment::expire`]; already paid ⇒ [`payment::Settle`]; cut off ⇒
    /// [`payment::unknown`].
    CloseCheckout { payment_id: PaymentId, at: Timestamp },
    /// The same for every checkout of the reservation that is still open: nothing is to be paid for it any more in
    /// these.
    CloseCheckouts { reservation_id: ReservationId },
    /// Ask the provider what became of it, and again at [`Ask::next`] while its answer is not final.
    Ask(Ask),
    /// [`refund::submit`], then call the provider. Refused as by hand when a person hands it out.
    SubmitRefund { refund_id: RefundId },
    /// [`refund::retry`], then call the provider when it was submitted there. When [`refund::next`] says cash, the
    /// manager is told ([`Notice::HandOut`]).
    RetryRefund { refund_id: RefundId },
    /// [`payout::submit`], then call the provider.
    SubmitPayout { payout_id: PayoutId },
    /// [`payout::prepare`] for all that was entered before the month that begins at `at`, by itself; then the next month, as
    /// long as the site is paid to the account that it was given at `since`. `None` finds out which month is the first.
    PreparePayout { site_id: SiteId, since: Timestamp, at: Option<Timestamp> },
    /// [`invoice::issue`] for all that was entered before the month that begins at `at`, by itself; then the next month, as long
    /// as the contract is the one that was agreed on at `since`. `None` finds out which month is the first.
    IssueInvoice { site_id: SiteId, since: Timestamp, at: Option<Timestamp> },
    /// [`invoice::become_overdue`].
    InvoiceDue { invoice_id: InvoiceId, at: Timestamp },
    /// Mail the invitation; its token is made at the moment of sending.
    Invite { account_id: PrincipalId },
    /// [`client::complete_number_change`]; somebody else has it meanwhile ⇒ [`client::cancel_number_change`].
    ChangeNumber { client_id: ClientId, change_id: NumberChangeId, at: Timestamp },
    /// [`reservation::return_money`].
    ReturnMoney { reservation_id: ReservationId },
    /// Fetch the statement of a day from the provider, then [`reconciliation::import`].
    FetchStatement { reconciliation_id: ReconciliationId },
    /// [`refund::Observed`] of the payment that a listed movement gave back, and [`reconciliation::catch_up`].
    ObserveRefund { reconciliation_id: ReconciliationId, number: u32 },
    /// [`crate::promotion::release`] of whatever discount it has.
    ReleaseDiscount { reservation_id: ReservationId },
    /// At that time, see whether the reservation moves on.
    Wake { reservation_id: ReservationId, at: Timestamp, alarm: Alarm },
    /// Say something to somebody.
    Tell { whom: Whom, notice: Notice },
}

impl Reaction {
    /// When it is due; `None` means at once.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Self::CloseCheckout { at, .. }
            | Self::Wake { at, .. }
            | Self::ChangeNumber { at, .. }
            | Self::InvoiceDue { at, .. } => Some(*at),
            Self::Ask(ask) => Some(ask.due()),
            Self::PreparePayout { at, .. } | Self::IssueInvoice { at, .. } => {
                at.map(|month| month + Duration::hours(payout::MONTH_RESTS))
            }
            Self::OpenCheckout { .. }
            | Self::CloseCheckouts { .. }
            | Self::SubmitRefund { .. }
            | Self::RetryRefund { .. }
            | Self::SubmitPayout { .. }
            | Self::Invite { .. }
            | Self::ReturnMoney { .. }
            | Self::FetchStatement { .. }
            | Self::ObserveRefund { .. }
            | Self::ReleaseDiscount { .. }
            | Self::Tell { .. } => None,
        }
    }
}

/// Why a reservation is looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "alarm", rename_all = "snake_case")]
pub enum Alarm {
    /// [`reservation::expire`]. Refused with `HoldAlive { until }` while a checkout keeps the cells: wake again then.
    HoldEnds,
    /// [`reservation::finish`].
    Finish,
    /// [`Notice::Reminder`] to the client, if it is still confirmed and still starts then.
    Remind { starts_at: Timestamp },
    /// [`client::waive_undecided`], of the fine of this reservation.
    AppealUndecided { client_id: ClientId },
}

/// A question to a provider, and which one of a series it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ask {
    pub about: About,
    /// When the movement went out: the times of the series count from here.
    pub since: Timestamp,
    /// 0 for the first question.
    pub nth: u16,
}

/// What the question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Payment(PaymentId),
    Refund(RefundId),
    /// A payment that a statement lists as paid, whatever we thought of it.
    Listed(PaymentId),
    Payout(PayoutId),
}

/// So much lies between an answer that was lost and whatever is said about the same order next: what was on its way has arrived by
/// then, and the refusal of a repetition cannot overtake it.
pub const APART: Duration = Duration::seconds(30);

impl Ask {
    /// Questions before the hourly ones: 10 s, 30 s, 2 min, 10 min (domain.md, Payment).
    const FIRST: [i64; 4] = [10, 30, 120, 600];
    /// The last hourly question: 72 h.
    const HOURS: i64 = 72;

    /// The first question of a series, 10 s after `since`.
    pub const fn first(about: About, since: Timestamp) -> Self {
        Self { about, since, nth: 0 }
    }

    /// When this question is to be asked.
    pub fn due(&self) -> Timestamp {
        let nth = usize::from(self.nth);
        let hours = || (i64::from(self.nth) - 3) * 3_600;
        self.since + Duration::seconds(Self::FIRST.get(nth).copied().unwrap_or_else(hours))
    }

    /// When it may be asked, if the last answer about it was lost then: not so soon that it meets what was on its way
    /// ([`APART`]), however late timers are.
    pub fn due_after(&self, lost_at: Option<Timestamp>) -> Timestamp {
        lost_at.map_or(self.due(), |lost_at| self.due().max(lost_at + APART))
    }

    /// The next question; `None` after 72 hours, when somebody must look at it ([`Notice::NoAnswer`]).
    pub fn next(self) -> Option<Self> {
        let next = Self { nth: self.nth.saturating_add(1), ..self };
        (next.due() <= self.since + Duration::hours(Self::HOURS)).then_some(next)
    }
}

/// To whom something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    Client(ClientId),
    ManagerOf(SiteId),
    /// Whoever looks after the money.
    Finance,
}

/// What is said: a kind of message and the ids it speaks of. The words are the messenger's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// The slot is held: pay by this link until then.
    PayToConfirm {
        reservation_id: ReservationId,
        payment_id: PaymentId,
    },
    /// Pay the rest by this link.
    PayBalance {
        reservation_id: ReservationId,
        payment_id: PaymentId,
    },
    /// Confirmed, with the code. To the manager: a booking came in.
    Confirmed {
        reservation_id: ReservationId,
    },
    /// The money came late, the slot was still free: confirmed after all.
    ConfirmedLate {
        reservation_id: ReservationId,
    },
    /// The hold ended unpaid.
    Expired {
        reservation_id: ReservationId,
    },
    /// Called off, with the money said.
    Cancelled {
        reservation_id: ReservationId,
    },
    /// Moved, with the money said.
    Rescheduled {
        reservation_id: ReservationId,
    },
    Reminder {
        reservation_id: ReservationId,
    },
    /// Nobody came: what is kept, and the fine if there is one.
    NoShow {
        reservation_id: ReservationId,
    },
    /// A fine: how much, how to pay it, and how to appeal.
    Fined {
        reservation_id: ReservationId,
    },
    /// To the manager: somebody appeals their fine.
    FineAppealed {
        reservation_id: ReservationId,
    },
    /// The appeal was decided.
    FineDecided {
        reservation_id: ReservationId,
    },
    /// The fine is paid: they can book again.
    FineSettled {
        reservation_id: ReservationId,
    },
    /// Pay the fine by this link.
    PayFine {
        reservation_id: ReservationId,
        payment_id: PaymentId,
    },
    /// A balance was paid.
    Paid {
        reservation_id: ReservationId,
        payment_id: PaymentId,
    },
    /// To whoever holds it: a share was paid, and how many are.
    SharePaid {
        reservation_id: ReservationId,
        payment_id: PaymentId,
    },
    /// The money came after the slot was sold: it is on its way back, and here is what is free instead.
    SlotLost {
        reservation_id: ReservationId,
        refund_id: RefundId,
    },
    /// Paid twice, or more than was due: the difference is on its way back.
    PaidTooMuch {
        reservation_id: ReservationId,
        refund_id: RefundId,
    },
    /// Paid less than the deposit.
    PaidTooLittle {
        reservation_id: ReservationId,
        refund_id: RefundId,
    },
    /// The money went out, with the provider's reference.
    Refunded {
        refund_id: RefundId,
    },
    /// More was paid than was due: it is kept as credit.
    Credited {
        payment_id: PaymentId,
    },
    /// To finance: another amount arrived than was asked for.
    AmountDiffers {
        payment_id: PaymentId,
    },
    /// To finance: the same thing was paid twice.
    PaidTwice {
        payment_id: PaymentId,
    },
    /// To finance: a refund waits for a second person.
    ApprovalWanted {
        refund_id: RefundId,
    },
    /// To the manager: hand this out, against signature.
    HandOut {
        refund_id: RefundId,
    },
    /// To the manager: the till was closed, and so much was too much in it, or missing.
    TillVariance {
        site_id: SiteId,
        /// In minor units of the site's currency; negative when something was missing.
        variance: i64,
    },
    /// To finance: the provider took a refund back.
    RefundReversed {
        refund_id: RefundId,
    },
    /// To finance: a statement and the log do not agree.
    DifferencesFound {
        reconciliation_id: ReconciliationId,
    },
    /// To finance: a payout waits for somebody who has not signed it.
    PayoutWaits {
        payout_id: PayoutId,
    },
    /// To finance: a payout is to be made at the bank.
    TransferWanted {
        payout_id: PayoutId,
    },
    /// To finance: a payout failed, or was taken back; the money is payable again.
    PayoutFailed {
        payout_id: PayoutId,
    },
    /// To the manager: commission is asked for.
    Invoiced {
        invoice_id: InvoiceId,
    },
    /// To finance: nothing is sent to an endpoint any more, because it took nothing for days.
    EndpointDisabled {
        endpoint_id: EndpointId,
    },
    /// To the manager and finance: an invoice was not paid in time.
    InvoiceOverdue {
        invoice_id: InvoiceId,
    },
    /// To the manager: the site was paid.
    PaidOut {
        payout_id: PayoutId,
    },
    /// Somebody says that the PIN is lost: stop it by this link, unless it is you.
    RecoveryBegun {
        recovery_id: RecoveryId,
    },
    /// Another PIN counts.
    RecoveryCompleted,
    /// To the number that is theirs until then: another one is to take its place; stop it by this link.
    NumberChangeBegun {
        change_id: NumberChangeId,
    },
    /// To the new number: they are known by it.
    NumberChanged,
    /// Somebody wanted to be known by their number.
    NumberWanted,
    /// To finance: a provider has not told what became of it.
    NoAnswer {
        about: About,
    },
}

/// What we owe the world after an event.
pub fn react(event: &Event) -> Vec<Reaction> {
    match event {
        Event::Reservation(event) => reservation::react(event),
        Event::Payment(event) => payment::react(event),
        Event::Refund(event) => refund::react(event),
        Event::Client(event) => client::react(event),
        Event::Reconciliation(event) => reconciliation::react(event),
        Event::Payout(event) => payout::react(event),
        Event::Invoice(event) => invoice::react(event),
        Event::Site(crate::site::Event::ContractSet(set)) => {
            vec![Reaction::IssueInvoice { site_id: set.site_id, since: set.at, at: None }]
        }
        Event::Site(crate::site::Event::PayoutAccountSet(set)) => {
            vec![Reaction::PreparePayout { site_id: set.site_id, since: set.at, at: None }]
        }
        Event::Till(event) => till::react(event),
        Event::Account(event) => crate::account::react(event),
        Event::Endpoint(event) => endpoint::react(event),
        Event::Site(_) | Event::Key(_) | Event::Promotion(_) => Vec::new(),
    }
}

/// To the client, when there is one.
pub(crate) fn tell_client(client: Option<ClientId>, notice: Notice) -> Option<Reaction> {
    client.map(|client| Reaction::Tell { whom: Whom::Client(client), notice })
}

#[cfg(test)]
mod tests;
