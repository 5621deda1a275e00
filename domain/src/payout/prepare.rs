//! How much a site is paid, and the first of two persons who say so.

use chrono::Duration;

use super::{Payout, Prepared, Refusal};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    ids::PayoutId,
    money::{Currency, Money},
    site::{Destination, PayoutHold, Site},
    text::Text,
};

/// Less than so many francs is carried over to the next one.
pub const MINIMUM: i64 = 1_000;

/// So many hours nothing is paid to an account that took the place of another one: time to hear of it.
pub const ACCOUNT_RESTS: i64 = 24;

/// What the ledger says of a site's `payable`: owed to the site is positive.
///
/// The ledger is a function of the log, and its postings up to a position never change: what was read at a position that it
/// has reached is the truth of that position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payable {
    /// The last position before the end of the period.
    pub up_to_position: i64,
    /// On the account at that position.
    pub owed: Money,
    /// The position that the ledger was read at.
    pub read_at: i64,
    /// On the account at that one.
    pub owed_now: Money,
    /// Money of the platform's that the site has at that one: in its till and on its account at a bank. Never negative.
    pub at_site: Money,
    /// Of the account's postings in the period.
    pub lines: u32,
    pub digest: Text<64>,
}

/// The payout of the site before this one, and where in the log its last event is.
#[derive(Clone, Copy, Debug)]
pub struct Previous<'a> {
    pub payout: &'a Loaded<Payout>,
    pub position: i64,
}

/// What would be paid.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub from: Option<Timestamp>,
    pub to: Timestamp,
    pub after_position: i64,
    pub payable: Money,
    pub taken_back: Money,
    pub at_site: Money,
    pub held: Money,
    pub amount: Money,
    pub destination: Destination,
}

impl From<&Prepared> for Plan {
    fn from(prepared: &Prepared) -> Self {
        let Prepared { from, to, after_position, payable, taken_back, at_site, held, amount, .. } = *prepared;
        let destination = prepared.destination();
        Self { from, to, after_position, payable, taken_back, at_site, held, amount, destination }
    }
}

/// What would be paid to the site for all that was entered before `to`: what was owed then, less what has gone back since,
/// less what the site has taken in itself, less what is held. Never more than is owed now.
///
/// # Errors
/// [`Refusal`] when the payout before is not over, the ledger was read before its end, the site has no account (or a new one),
/// all is held, or what is left is below the minimum.
pub fn plan(
    site: &Loaded<Site>,
    previous: Option<Previous<'_>>,
    payable: &Payable,
    to: Timestamp,
    now: Timestamp,
) -> Result<Plan, Refusal> {
    let Some(identity) = &site.state.identity else { return Err(Refusal::UnknownSite) };
    if to > now {
        return Err(Refusal::NotOver { to });
    }
    if let Some(Previous { payout, position }) = previous {
        let of_this_site = payout.state.prepared.as_ref().is_some_and(|prepared| prepared.site_id == site.id);
        if !of_this_site {
            return Err(Refusal::NotFound);
        }
        if !payout.state.status.is_over() {
            return Err(Refusal::OneAtATime { payout_id: payout.id, status: payout.state.status });
        }
        // Before its end, what it took was still on the account.
        if payable.read_at < position || payable.up_to_position < position {
            return Err(Refusal::BeforeTheLast { payout_id: payout.id });
        }
    }
    let (after_position, from) = previous.map_or((0, None), |previous| previous.payout.state.paid_up_to());
    let destination = destination(&site.state, now)?;
    let nothing = Money::zero(identity.currency);
    let owed_now = payable.owed.min(payable.owed_now)?;
    let taken_back = payable.owed.minus(owed_now)?;
    let at_site = at_most(payable.at_site, owed_now)?;
    let to_be_sent = owed_now.minus(at_site)?;
    let held = held(site.state.payout_hold.as_ref(), to_be_sent)?;
    let amount = to_be_sent.minus(held)?;
    if held.is_positive() && amount.amount < minimum(identity.currency).amount {
        let hold = site.state.payout_hold.as_ref();
        return Err(Refusal::HeldBack {
            reason: hold.map(|hold| hold.reason.to_string()).unwrap_or_default(),
            version: hold.map_or(0, |hold| hold.version),
        });
    }
    if amount.compare(nothing)?.is_le() || amount.compare(minimum(identity.currency))?.is_lt() {
        return Err(Refusal::BelowMinimum { amount, minimum: minimum(identity.currency) });
    }
    Ok(Plan { from, to, after_position, payable: payable.owed, taken_back, at_site, held, amount, destination })
}

/// Prepares a payout: finance by name, or by itself at the end of a month.
///
/// # Errors
/// As [`plan`]; [`Refusal::RoleNotAllowed`] and [`Refusal::NameRequired`] for anybody else.
pub fn prepare(
    payout_id: PayoutId,
    site: &Loaded<Site>,
    previous: Option<Previous<'_>>,
    payable: &Payable,
    to: Timestamp,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if by != Actor::SYSTEM {
        finance(by)?;
    }
    let Plan { from, to, after_position, payable: owed, taken_back, at_site, held, amount, destination } =
        plan(site, previous, payable, to, now)?;
    let Destination { method, subject, account } = destination;
    let prepared = Prepared {
        payout_id,
        site_id: site.id,
        follows: previous.map(|previous| previous.payout.id),
        from,
        to,
        after_position,
        up_to_position: payable.up_to_position,
        lines: payable.lines,
        digest: payable.digest.clone(),
        payable: owed,
        taken_back,
        at_site,
        held,
        amount,
        method,
        subject,
        account,
        by,
        at: now,
    };
    let decision = Decision::default().then(&Loaded::<Payout>::new(payout_id), prepared).relying_on(site);
    Ok(match previous {
        Some(previous) => decision.relying_on(previous.payout),
        None => decision,
    })
}

pub(super) fn finance(by: Actor) -> Result<(), Refusal> {
    if by.role != Role::Finance {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if by.id.is_none() {
        return Err(Refusal::NameRequired);
    }
    Ok(())
}

/// The account of the site, once it has rested.
pub(super) fn destination(site: &Site, now: Timestamp) -> Result<Destination, Refusal> {
    let Some(account) = &site.payout_account else { return Err(Refusal::NoAccount) };
    let until = account.since + Duration::hours(ACCOUNT_RESTS);
    if account.replaced && now < until {
        return Err(Refusal::AccountRests { until });
    }
    Ok(account.destination.clone())
}

/// What of so much is held: never more than there is.
pub(super) fn held(hold: Option<&PayoutHold>, owed: Money) -> Result<Money, Refusal> {
    match hold {
        None => Ok(Money::zero(owed.currency)),
        Some(PayoutHold { amount: None, .. }) => at_most(owed, owed),
        Some(PayoutHold { amount: Some(amount), .. }) => at_most(*amount, owed),
    }
}

/// A part of what is owed: never more than all of it, and nothing of nothing.
pub(super) fn at_most(part: Money, owed: Money) -> Result<Money, Refusal> {
    let nothing = Money::zero(owed.currency);
    Ok(part.min(if owed.is_positive() { owed } else { nothing })?)
}

/// [`MINIMUM`] in francs; as many whole units of another currency as are worth about that.
fn minimum(currency: Currency) -> Money {
    match currency {
        Currency::Xof => Money::xof(MINIMUM),
        Currency::Eur => Money::new(150, currency),
    }
}
