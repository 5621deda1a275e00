//! Money landed: the whole late-money table of domain.md (Payment), one row after the other.
//!
//! Money is never refused. Whatever the reservation has become in the meantime, in one decision the money is received
//! and either allocated, credited or on its way back.

use super::{Duplicated, Payment, ProviderId, Refusal, Requested, Succeeded};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::{Loaded, Version},
    client::{self, Fine, Standing},
    decision::{Change, Decision},
    ids::RefundId,
    money::Money,
    promotion::{self, Promotion},
    refund::{self, Reason},
    reservation::{self, Expired, Grounds, Held, HoldProlonged, PaymentReceived, Purpose, Reservation, Status},
    text::Slug,
};

/// What a provider, asked by us, says has landed.
#[derive(Clone, Debug)]
pub struct Landed {
    /// The provider's transaction: the same one lands once.
    pub transaction: ProviderId,
    /// The checkout it was paid in, where there is one.
    pub provider_id: Option<ProviderId>,
    /// What was really paid.
    pub received: Money,
    pub by: Actor,
}

/// Money that landed, with everything the table needs to know.
#[derive(Clone, Debug)]
pub struct Settle<'a> {
    pub payment: &'a Loaded<Payment>,
    /// The reservation the payment is for.
    pub reservation: &'a Loaded<Reservation>,
    /// Version of the stream of the client who pays (`client_id` of the request), when they are known: more than was due
    /// becomes their credit.
    pub client: Option<Version>,
    /// Their fine of this reservation as it stands at that version; only asked of a payment for it.
    pub fine: Option<Fine>,
    /// The promotion of the price, where it has a discount: a hold that ended has given its part of the budget back.
    pub promotion: Option<&'a Loaded<Promotion>>,
    /// The id of the refund, should one be due: made at the edge.
    pub refund_id: RefundId,
    pub landed: Landed,
    pub now: Timestamp,
}

/// What is known of the cells when the hold has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cells {
    /// The first try: claim them again, and let the lane decide.
    Free,
    /// The lane said that somebody else has them.
    Taken,
}

/// Which row of the table it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// This transaction had landed before: nothing is written.
    Known,
    /// The hold was alive: confirmed.
    Confirmed,
    /// The hold had ended and the cells are claimed again: confirmed. On `SlotTaken` decide again with
    /// [`Cells::Taken`].
    ConfirmedLate,
    /// A balance, a share that was paid without reaching the quorum, or another part of what is due.
    Allocated,
    /// Too little to confirm, or for the share; the hold lives on.
    Underpaid,
    /// It came too late (or too late and too little): it goes back.
    Orphaned,
    /// It was already paid, or is owed no more: it goes back.
    Duplicate,
    /// Too little for a fine, which is settled whole or not at all: the client's credit.
    Credited,
    /// The reservation was called off or nobody came: the policy snapshot says what is kept.
    AfterEnd,
}

/// What to write, and which row of the table said so.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    pub row: Row,
    pub decision: Decision,
}

/// How one landing is divided.
struct Division {
    row: Row,
    /// To the reservation.
    allocated: Money,
    /// Back to the payer, and why; the rest is client credit.
    back: Option<Reason>,
    confirms: bool,
    /// It is the first share that is paid: the hold lives until the deadline.
    pledges: bool,
}

impl Division {
    const fn to_reservation(row: Row, allocated: Money) -> Self {
        Self { row, allocated, back: None, confirms: false, pledges: false }
    }
}

impl Settle<'_> {
    /// # Errors
    /// [`Refusal`] when nothing of this kind was asked for: another currency, another reservation, no money at all.
    /// An authentic message that is refused is parked and somebody is told; it is never a state change.
    pub fn decide(self, cells: Cells) -> Result<Settled, Refusal> {
        let (request, terms) = self.check()?;
        let payment = &self.payment.state;
        if payment.capture(&self.landed.transaction).is_some() {
            return Ok(Settled { row: Row::Known, decision: Decision::nothing() });
        }
        if !payment.captures.is_empty() {
            return self.second_success(request);
        }
        if request.purpose == Purpose::Debt {
            return self.settle_debt(request);
        }
        self.land(request, terms, cells)
    }

    /// Money for a fine. It settles what is owed or nothing: less than that, and what is left over, is the client's credit.
    /// What comes when it was settled or waived already goes back. The reservation is long over and does not change.
    pub(super) fn settle_debt(&self, request: &Requested) -> Result<Settled, Refusal> {
        let received = self.landed.received;
        let nothing = Money::zero(received.currency);
        let Some(fine) = self.fine.filter(|fine| fine.standing.is_open()) else {
            return self.owed_no_more(request);
        };
        let enough = fine.amount.compare(received)?.is_le();
        let (row, allocated) = if enough { (Row::Allocated, fine.amount) } else { (Row::Credited, nothing) };
        let credited = received.minus(allocated)?;
        let decision = Decision::default().then(self.payment, self.succeeded(request, allocated, credited));
        let (Some(client_id), Some(expected)) = (request.client_id, self.client) else {
            return Err(Refusal::ClientMissing);
        };
        let (payment_id, reservation_id, site_id) = (self.payment.id, self.reservation.id, request.site_id);
        let mut events = Vec::new();
        if allocated.is_positive() {
            let (amount, at) = (allocated, self.now);
            events.push(client::FineSettled { client_id, reservation_id, site_id, payment_id, amount, at }.into());
        }
        if credited.is_positive() {
            events.push(client::Credited { client_id, payment_id, amount: credited, at: self.now }.into());
        }
        let change = Change { stream: client_id.into(), expected, events };
        Ok(Settled { row, decision: decision.and(Decision { changes: vec![change], reads: Vec::new() }) })
    }

    /// Paid in another tab, or waived while they paid.
    fn owed_no_more(&self, request: &Requested) -> Result<Settled, Refusal> {
        let (received, nothing) = (self.landed.received, Money::zero(self.landed.received.currency));
        let paid = self.fine.is_some_and(|fine| fine.standing == Standing::Settled);
        let reason = if paid { Reason::Duplicate } else { Reason::Overpayment };
        let succeeded = self.succeeded(request, nothing, nothing);
        let mut after = self.payment.clone();
        after.apply(succeeded.clone().into());
        let (transaction, id) = (&self.landed.transaction, self.refund_id);
        let back = refund::automatic(&after, id, transaction, received, reason, self.now)?;
        // A fine that is over never opens again: nothing else is relied on.
        Ok(Settled { row: Row::Duplicate, decision: Decision::default().then(self.payment, succeeded).and(back) })
    }

    fn succeeded(&self, request: &Requested, allocated: Money, credited: Money) -> Succeeded {
        Succeeded {
            payment_id: self.payment.id,
            reservation_id: self.reservation.id,
            transaction: self.landed.transaction.clone(),
            merchant_account: self.account(),
            provider_id: self.landed.provider_id.clone(),
            method: request.method,
            expected: request.amount,
            received: self.landed.received,
            allocated,
            credited,
            by: self.landed.by,
            at: self.now,
        }
    }

    /// The first money of the payment, whoever says that it is there.
    pub(super) fn land(&self, request: &Requested, terms: &Held, cells: Cells) -> Result<Settled, Refusal> {
        let division = self.divide(request, terms, cells)?;
        let received = self.landed.received;
        let rest = received.minus(division.allocated)?;
        // More than was due is the client's credit; it goes back when there is a reason, or nobody to credit.
        let nothing = Money::zero(rest.currency);
        let credits = division.back.is_none() && request.client_id.is_some();
        let (credited, back) = if credits { (rest, nothing) } else { (nothing, rest) };
        let succeeded = self.succeeded(request, division.allocated, credited);
        let mut after = self.payment.clone();
        after.apply(succeeded.clone().into());
        let mut decision = Decision::default().then(self.payment, succeeded);
        decision = self.allocate(decision, &division, request, terms);
        if division.row == Row::ConfirmedLate
            && let Some(discount) = self.discount(terms)?
        {
            decision = decision.and(discount);
        }
        if credited.is_positive() {
            decision = decision.and(self.credit(credited, request)?);
        }
        if back.is_positive() {
            let (transaction, reason) = (&self.landed.transaction, division.back.unwrap_or(Reason::Overpayment));
            decision = decision.and(refund::automatic(&after, self.refund_id, transaction, back, reason, self.now)?);
        }
        Ok(Settled { row: division.row, decision })
    }

    /// Where the money is: as it was agreed when the reservation was placed.
    fn account(&self) -> Option<Slug> {
        self.reservation.state.terms.as_ref()?.contract.merchant_account.clone()
    }

    fn check(&self) -> Result<(&Requested, &Held), Refusal> {
        let Some(request) = &self.payment.state.request else { return Err(Refusal::NotFound) };
        if request.reservation_id != self.reservation.id {
            return Err(Refusal::OtherReservation);
        }
        let Some(terms) = &self.reservation.state.terms else { return Err(Refusal::OtherReservation) };
        if !request.method.has_provider() {
            return Err(Refusal::ByHand { method: request.method });
        }
        let (expected, actual) = (request.amount.currency, self.landed.received.currency);
        if expected != actual {
            return Err(Refusal::OtherCurrency { expected, actual });
        }
        if !self.landed.received.is_positive() {
            return Err(Refusal::NothingReceived);
        }
        Ok((request, terms))
    }

    /// The table.
    fn divide(&self, request: &Requested, terms: &Held, cells: Cells) -> Result<Division, Refusal> {
        let state = &self.reservation.state;
        let received = self.landed.received;
        let nothing = Money::zero(received.currency);
        let back = |row, reason| Division { back: Some(reason), ..Division::to_reservation(row, nothing) };
        let due = request.share_id.map_or_else(|| state.balance_due(), |share_id| state.share_due(share_id));
        let fits = received.min(due)?;
        // Of a share nothing is missing any more, whatever is missing of the others.
        let filled = request.share_id.is_some() && due.is_zero();
        match state.status {
            Status::Held | Status::Expired if filled => Ok(back(Row::Duplicate, Reason::Duplicate)),
            Status::Held | Status::Expired => {
                let ended = state.status == Status::Expired;
                let enough = !state.confirmation_due().compare(fits)?.is_gt();
                let in_time = self.now < reservation::fence(terms) && !ended;
                let playable = self.now < terms.slot.during.from();
                Ok(match (in_time || playable, enough) {
                    (true, true) if ended && (cells == Cells::Taken || self.discount(terms)?.is_none()) => {
                        back(Row::Orphaned, Reason::Orphaned)
                    }
                    (true, true) => {
                        let row = if ended { Row::ConfirmedLate } else { Row::Confirmed };
                        Division { confirms: true, ..Division::to_reservation(row, fits) }
                    }
                    (true, false) if !ended => self.part_of_a_hold(request, fits, due),
                    (_, false) => back(Row::Orphaned, Reason::Underpayment),
                    (false, true) => back(Row::Orphaned, Reason::Orphaned),
                })
            }
            Status::Confirmed | Status::CheckedIn | Status::Completed => {
                if state.due_of(request.purpose, request.share_id).is_zero() {
                    return Ok(back(Row::Duplicate, Reason::Duplicate));
                }
                Ok(Division::to_reservation(Row::Allocated, fits))
            }
            Status::Cancelled | Status::NoShow => {
                let (most, reason) = match state.cancelled {
                    // A split that was called off before it was confirmed gave everything back: whoever pays last, too.
                    Some(_) if request.share_id.is_some() && state.grounds.is_none() => (nothing, Reason::Cancellation),
                    Some((why, at)) => (reservation::kept_at_most(terms, why, at), Reason::Cancellation),
                    None => (terms.price.deposit, Reason::NoShow),
                };
                let missing = most.minus(state.held_money().min(most)?)?;
                let allocated = fits.min(missing)?;
                Ok(Division { back: Some(reason), ..Division::to_reservation(Row::AfterEnd, allocated) })
            }
            Status::Absent => Err(Refusal::OtherReservation),
        }
    }

    /// What a hold that ended takes of the budget again, when it had a discount; `None` when others have used that up meanwhile:
    /// the price it was quoted is no longer to be had, as the slot is not when others have that.
    fn discount(&self, terms: &Held) -> Result<Option<Decision>, Refusal> {
        let Some(discount) = terms.price.discounts.first() else { return Ok(Some(Decision::nothing())) };
        let Some(promotion) = self.promotion.filter(|promotion| promotion.id == discount.promotion_id) else {
            return Err(Refusal::PromotionMissing);
        };
        let off = Money::zero(discount.amount.currency).minus(discount.amount)?;
        let (site_id, client_id) = (terms.slot.site_id, terms.client_id);
        promotion::stands(promotion, self.reservation.id, site_id, client_id, off, self.now)
            .map_err(|_| Refusal::PromotionMissing)
    }

    /// Too little to confirm it. Only a share that is paid whole is a pledge: a franc must not hold a pitch for weeks.
    fn part_of_a_hold(&self, request: &Requested, fits: Money, due: Money) -> Division {
        let whole = request.share_id.is_some() && fits == due;
        let row = if whole { Row::Allocated } else { Row::Underpaid };
        let split = self.reservation.state.split.as_ref();
        let pledges = whole && split.is_some_and(|split| !split.pledged && self.now < split.deadline);
        Division { pledges, ..Division::to_reservation(row, fits) }
    }

    fn allocate(&self, decision: Decision, division: &Division, request: &Requested, terms: &Held) -> Decision {
        let (reservation_id, payment_id) = (self.reservation.id, self.payment.id);
        let state = &self.reservation.state;
        let mut decision = decision;
        // Nobody has ended this hold yet although its time is long over: say so before its money goes back.
        if state.status == Status::Held && division.row == Row::Orphaned {
            let (client_id, counts_on) = (terms.client_id, terms.counts_on());
            decision = decision.then(self.reservation, Expired { reservation_id, client_id, counts_on, at: self.now });
        }
        if division.allocated.is_positive() {
            let (purpose, amount, share_id) = (request.purpose, division.allocated, request.share_id);
            let (client_id, at) = (terms.client_id, self.now);
            let received = PaymentReceived { reservation_id, client_id, payment_id, share_id, purpose, amount, at };
            decision = decision.then(self.reservation, received);
        }
        if let (true, Some(split)) = (division.pledges, &state.split) {
            let (client_id, until) = (terms.client_id, split.deadline);
            decision =
                decision.then(self.reservation, HoldProlonged { reservation_id, client_id, until, at: self.now });
        }
        if division.confirms {
            let confirmed = reservation::confirmed(state, terms, Grounds::Payment { payment_id }, self.now);
            return decision.then(self.reservation, confirmed);
        }
        // Whatever was decided rests on what the reservation was: it must not have moved.
        let touched = decision.changes.iter().any(|change| change.stream == reservation_id.into());
        if touched { decision } else { decision.relying_on(self.reservation) }
    }

    /// What the client's stream gets for the part that became their credit.
    fn credit(&self, amount: Money, request: &Requested) -> Result<Decision, Refusal> {
        let (Some(client_id), Some(expected)) = (request.client_id, self.client) else {
            return Err(Refusal::ClientMissing);
        };
        let credited = client::Credited { client_id, payment_id: self.payment.id, amount, at: self.now };
        let change = Change { stream: client_id.into(), expected, events: vec![credited.into()] };
        Ok(Decision { changes: vec![change], reads: Vec::new() })
    }

    /// Paid twice in the same checkout: two receipts, and the second goes back whole.
    fn second_success(&self, request: &Requested) -> Result<Settled, Refusal> {
        let transaction = self.landed.transaction.clone();
        let duplicated = Duplicated {
            payment_id: self.payment.id,
            reservation_id: self.reservation.id,
            transaction: transaction.clone(),
            merchant_account: self.account(),
            method: request.method,
            received: self.landed.received,
            at: self.now,
        };
        let mut after = self.payment.clone();
        after.apply(duplicated.clone().into());
        let back =
            refund::automatic(&after, self.refund_id, &transaction, duplicated.received, Reason::Duplicate, self.now)?;
        Ok(Settled { row: Row::Duplicate, decision: Decision::default().then(self.payment, duplicated).and(back) })
    }
}
