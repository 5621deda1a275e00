//! Several people pay together: what is due is cut into shares, each with a link of its own.
//!
//! Nobody blocks a pitch for nothing: until a share is paid the hold ends as every hold does, and then it lives until the
//! deadline. With the quorum it is confirmed; without it everything goes back to whoever paid (`payment::Settle`,
//! [`super::expire()`], [`super::return_money`]).

use chrono::Duration;

use super::{Held, Purpose, Refusal, Reservation, Share, SplitUp, Status};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    ids::ShareId,
    money::Money,
    payment::{self, Payment},
};

/// With one share nothing is shared.
const LEAST_SHARES: usize = 2;
/// The longest that money is gathered for (domain.md: two weeks).
const LONGEST_DAYS: i64 = 14;
/// The most shares there are (domain.md).
pub const MOST_SHARES: usize = 30;

/// A wish to pay together.
#[derive(Clone, Debug)]
pub struct Split<'a> {
    pub reservation: &'a Loaded<Reservation>,
    /// Payments asked for it that may be open: while one is, nothing is split.
    pub payments: &'a [&'a Loaded<Payment>],
    /// What is shared: the deposit or all of it while it is held, the balance once it is confirmed.
    pub of: Purpose,
    pub parts: Parts,
    /// What must have been received in all for it to be confirmed; everything when nothing is said. Nothing can be said
    /// when it is confirmed already.
    pub quorum: Option<Money>,
    /// After the end of the hold, and early enough for somebody else to book it.
    pub deadline: Timestamp,
    pub by: Actor,
    pub now: Timestamp,
}

/// Into what. The ids are made at the edge.
#[derive(Clone, Debug, PartialEq)]
pub enum Parts {
    /// One for each id: equal, but for a franc where that does not go (largest remainder).
    Equal(Vec<ShareId>),
    /// As agreed; they must add up to what is due.
    Amounts(Vec<Share>),
}

impl Split<'_> {
    /// # Errors
    /// [`Refusal`] when it is neither held nor confirmed, split already, or being paid otherwise; when the actor may not;
    /// and when shares, quorum or deadline are not as they must be.
    pub fn decide(self) -> Result<Decision, Refusal> {
        let terms = self.check()?;
        let due = self.due(terms)?;
        let quorum = self.quorum(terms, due)?;
        self.check_deadline(terms)?;
        let held = self.reservation.state.status == Status::Held;
        let split = SplitUp {
            reservation_id: self.reservation.id,
            of: if held { self.of } else { Purpose::Balance },
            shares: shares(&self.parts, due)?,
            quorum,
            deadline: self.deadline,
            by: self.by,
            at: self.now,
        };
        let decision = Decision::default().then(self.reservation, split);
        // One that is opened at this very moment must be seen.
        Ok(self.payments.iter().fold(decision, |decision, payment| decision.relying_on(payment)))
    }

    fn check(&self) -> Result<&Held, Refusal> {
        let state = &self.reservation.state;
        let Some(terms) = &state.terms else { return Err(Refusal::NotFound) };
        let role = self.by.role;
        let may = match role {
            Role::Manager | Role::Service => true,
            Role::Client => terms.client_id.is_some_and(|client| self.by.id == Some(client.uuid().into())),
            _ => false,
        };
        if !may {
            return Err(Refusal::RoleNotAllowed { role });
        }
        if state.split.is_some() {
            return Err(Refusal::AlreadySplit);
        }
        match self.payments.iter().find(|payment| payment.state.status.is_open()) {
            Some(payment) => Err(Refusal::CheckoutOpen { payment_id: payment.id }),
            None => Ok(terms),
        }
    }

    /// What is shared. Money that came before counts: only what is still due is split.
    fn due(&self, terms: &Held) -> Result<Money, Refusal> {
        let state = &self.reservation.state;
        let purpose = self.of;
        let due = match (state.status, purpose) {
            (Status::Held, Purpose::Deposit | Purpose::Full) if self.now < terms.hold_expires_at => state.due(purpose),
            (Status::Held, Purpose::Deposit | Purpose::Full) => {
                return Err(Refusal::HoldExpired { at: terms.hold_expires_at });
            }
            (Status::Confirmed, Purpose::Balance | Purpose::Full) => state.balance_due(),
            (Status::Held | Status::Confirmed, _) => return Err(payment::Refusal::NothingDue { purpose }.into()),
            (status, _) => return Err(payment::Refusal::NotPayable { status }.into()),
        };
        if due.is_positive() { Ok(due) } else { Err(payment::Refusal::NothingDue { purpose }.into()) }
    }

    fn quorum(&self, terms: &Held, due: Money) -> Result<Option<Money>, Refusal> {
        let state = &self.reservation.state;
        if state.status != Status::Held {
            return if self.quorum.is_none() { Ok(None) } else { Err(Refusal::NotHeld { status: state.status }) };
        }
        // More than the shares bring could never be reached.
        let (least, most) = (terms.price.deposit, state.held_money().plus(due)?);
        let quorum = self.quorum.unwrap_or(most);
        if quorum.compare(least)?.is_lt() || quorum.compare(most)?.is_gt() {
            return Err(Refusal::QuorumOutOfRange { quorum, least, most });
        }
        Ok(Some(quorum))
    }

    /// Later than the hold would have ended anyway; and when it fails somebody else can still book the slot.
    fn check_deadline(&self, terms: &Held) -> Result<(), Refusal> {
        let held = self.reservation.state.status == Status::Held;
        let after = if held { terms.hold_expires_at } else { self.now };
        let minutes = terms.policy.lead_minutes;
        let latest = terms.slot.during.from() - Duration::minutes(i64::from(minutes));
        let latest = latest.min(self.now + Duration::days(LONGEST_DAYS));
        if after < self.deadline && self.deadline <= latest {
            return Ok(());
        }
        Err(Refusal::DeadlineOutOfRange { after, latest, minutes, version: self.reservation.state.policy_version })
    }
}

fn shares(parts: &Parts, due: Money) -> Result<Vec<Share>, Refusal> {
    let shares = match parts {
        Parts::Equal(ids) => equal(ids, due),
        Parts::Amounts(shares) => shares.clone(),
    };
    let (least, most) = (LEAST_SHARES, MOST_SHARES);
    if !(least..=most).contains(&shares.len()) {
        return Err(Refusal::ShareCount { shares: shares.len(), least, most });
    }
    let sum = Money::sum(due.currency, shares.iter().map(|share| share.amount))?;
    if sum != due {
        return Err(Refusal::SharesDoNotAddUp { sum, due });
    }
    // The smallest that equal shares can be: one franc must not hold a pitch until the deadline.
    let thirtieth = i64::try_from(MOST_SHARES).map_or(0, |most| due.amount / most);
    let least = Money::new(thirtieth.max(1), due.currency);
    match shares.iter().find(|share| share.amount.amount < least.amount) {
        Some(share) => Err(Refusal::ShareTooSmall { amount: share.amount, least }),
        None => Ok(shares),
    }
}

/// Largest remainder: all have the same, so the first ones get a franc more. No coin is too small: shares are paid at a
/// provider, never in cash.
fn equal(ids: &[ShareId], due: Money) -> Vec<Share> {
    let count = i64::try_from(ids.len()).unwrap_or(i64::MAX).max(1);
    let (part, rest) = (due.amount / count, due.amount % count);
    let amount = |nth: i64| Money::new(part + i64::from(nth < rest), due.currency);
    (0..).zip(ids).map(|(nth, share_id)| Share { share_id: *share_id, amount: amount(nth) }).collect()
}
