//! Shares in a story, and their laws, checked on the events alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use proptest::prelude::*;

use super::{
    properties::Play,
    story::client,
    world::{No, World},
};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    event::Event,
    ids::{ClientId, PaymentId, ReservationId, ShareId},
    money::Money,
    payment::{self, Method, Payment, RequestShare},
    refund::{self, Reason},
    reservation::{self, Grounds, Parts, Purpose, Share, Split, Status},
};

/// Somebody who pays a share.
pub const FRIEND: ClientId = ClientId::new(uuid::Uuid::from_u128(0xF21E));

/// How a price is cut.
#[derive(Clone, Debug)]
pub struct Cut {
    pub of: Purpose,
    /// Equal ones.
    pub shares: usize,
    /// In their place, when there are any.
    pub amounts: Vec<i64>,
    pub quorum: Option<i64>,
    pub deadline: Timestamp,
}

impl Cut {
    /// The whole price in five, all of it by then.
    pub fn full(deadline: Timestamp) -> Self {
        Self { of: Purpose::Full, shares: 5, amounts: Vec::new(), quorum: None, deadline }
    }
}

impl World {
    /// The shares, in their order.
    pub fn split(
        &mut self,
        id: ReservationId,
        cut: &Cut,
        payments: &[PaymentId],
        by: Actor,
    ) -> Result<Vec<ShareId>, No> {
        let payments: Vec<Loaded<Payment>> = payments.iter().map(|payment| self.load(*payment)).collect();
        let payments: Vec<&Loaded<Payment>> = payments.iter().collect();
        let parts = if cut.amounts.is_empty() {
            Parts::Equal((0..cut.shares).map(|_| self.id().into()).collect())
        } else {
            let share = |amount: &i64| Share { share_id: self.id().into(), amount: Money::xof(*amount) };
            Parts::Amounts(cut.amounts.iter().map(share).collect())
        };
        let (of, deadline, now) = (cut.of, cut.deadline, self.now);
        let quorum = cut.quorum.map(Money::xof);
        let reservation = self.load(id);
        let split = Split { reservation: &reservation, payments: &payments, of, parts, quorum, deadline, by, now };
        self.write(split.decide())?;
        Ok(self.reservation(id).shares().map(|share| share.share_id).collect())
    }

    /// By whoever has the link; `others` may be open.
    pub fn request_share(
        &mut self,
        id: ReservationId,
        share_id: ShareId,
        method: Method,
        payer: Option<ClientId>,
        others: &[PaymentId],
    ) -> Result<PaymentId, No> {
        let payment = Loaded::<Payment>::new(self.id().into());
        let others: Vec<Loaded<Payment>> = others.iter().map(|other| self.load(*other)).collect();
        let others: Vec<&Loaded<Payment>> = others.iter().collect();
        let (reservation, by) = (self.load(id), client());
        let request =
            RequestShare { reservation: &reservation, payment: &payment, others: &others, share_id, method, payer, by };
        self.write(request.decide(self.now))?;
        Ok(payment.id)
    }

    /// Asked for, opened, and paid as asked for.
    pub fn pay_share(
        &mut self,
        id: ReservationId,
        share_id: ShareId,
        method: Method,
    ) -> Result<(PaymentId, payment::Row), No> {
        let payment = self.request_share(id, share_id, method, None, &[])?;
        self.open(payment)?;
        let amount = self.payment(payment).request.unwrap().amount.amount;
        let row = self.land(payment, &format!("T_{}", payment.uuid().as_u128()), amount)?;
        Ok((payment, row))
    }

    /// Held by a client with nothing asked for yet, and split.
    pub fn together(&mut self, from: Timestamp, cut: &Cut) -> (ReservationId, Vec<ShareId>) {
        let (id, _) = self.place(&super::story::Booking::online(from), super::story::Paying::Later).unwrap();
        let shares = self.split(id, cut, &[], client()).unwrap();
        (id, shares)
    }
}

/// What may come of a split.
pub const ENDS: &[&str] =
    &["confirmed by shares", "failed and given back", "a share paid twice", "called off with a share paid"];

/// What came of the splits of a story.
pub fn ends(world: &World) -> BTreeSet<&'static str> {
    let mut ends = BTreeSet::new();
    let mut shares = BTreeSet::new();
    let mut pledged = BTreeSet::new();
    for (stream, event) in &world.log {
        match event {
            Event::Payment(payment::Event::Requested(asked)) if asked.share_id.is_some() => {
                shares.insert(asked.payment_id);
            }
            Event::Reservation(reservation::Event::HoldProlonged(_)) => {
                pledged.insert(*stream);
            }
            Event::Reservation(reservation::Event::Confirmed(confirmed)) => {
                if matches!(confirmed.grounds, Grounds::Payment { payment_id } if shares.contains(&payment_id)) {
                    ends.insert(ENDS[0]);
                }
            }
            Event::Reservation(reservation::Event::MoneyReturned(back))
                if pledged.contains(stream) && back.reason == Reason::Underpayment && back.refunds.len() > 1 =>
            {
                ends.insert(ENDS[1]);
            }
            Event::Refund(refund::Event::Requested(back))
                if shares.contains(&back.payment_id) && back.reason == Reason::Duplicate =>
            {
                ends.insert(ENDS[2]);
            }
            Event::Reservation(reservation::Event::Cancelled(cancelled))
                if cancelled.refunds.iter().any(|share| shares.contains(&share.payment_id)) =>
            {
                ends.insert(ENDS[3]);
            }
            _ => {}
        }
    }
    ends
}

/// A split as its events tell it.
struct Book {
    split: reservation::SplitUp,
    /// Net of each share.
    paid: BTreeMap<ShareId, i64>,
    prolonged: bool,
}

/// A reservation with its money.
#[derive(Default)]
struct Whole {
    total: i64,
    deposit: i64,
    net: i64,
    ends: Option<Timestamp>,
    grace: i64,
    confirmed: bool,
    split: Option<Book>,
}

pub(super) fn check(play: &Play) -> Result<(), TestCaseError> {
    let asked = |(_, event): &(_, Event)| match event {
        Event::Payment(payment::Event::Requested(requested)) => Some((requested.payment_id, requested.clone())),
        _ => None,
    };
    let asked: BTreeMap<PaymentId, payment::Requested> = play.world.log.iter().filter_map(asked).collect();
    let mut all: BTreeMap<ReservationId, Whole> = BTreeMap::new();
    for (_, event) in &play.world.log {
        match event {
            Event::Refund(refund::Event::Requested(back)) => {
                prop_assert_eq!(back.client_id, asked[&back.payment_id].client_id, "it goes to whoever paid");
            }
            Event::Reservation(event) => reservation_laws(event, &mut all, &asked)?,
            _ => {}
        }
    }
    for (id, whole) in &all {
        the_hold_ends_in_time(play, *id, whole)?;
        nothing_stays_of_a_failed_split(play, *id, whole)?;
    }
    Ok(())
}

fn reservation_laws(
    event: &reservation::Event,
    all: &mut BTreeMap<ReservationId, Whole>,
    asked: &BTreeMap<PaymentId, payment::Requested>,
) -> Result<(), TestCaseError> {
    use reservation::Event as E;
    let mut back = |id: ReservationId, shares: &[reservation::RefundShare]| {
        let whole = all.get_mut(&id).unwrap();
        for share in shares {
            whole.net -= share.amount.amount;
            if let (Some(book), Some(of)) = (&mut whole.split, asked[&share.payment_id].share_id) {
                *book.paid.get_mut(&of).unwrap() -= share.amount.amount;
            }
        }
    };
    match event {
        E::Held(held) => {
            let (total, deposit) = (held.price.total.amount, held.price.deposit.amount);
            let (ends, grace) = (Some(held.hold_expires_at), i64::from(held.policy.checkout_grace_seconds));
            all.insert(held.reservation_id, Whole { total, deposit, ends, grace, ..Whole::default() });
        }
        E::SplitUp(split) => {
            let whole = all.get_mut(&split.reservation_id).unwrap();
            prop_assert!(whole.split.is_none(), "split twice");
            let amounts: Vec<i64> = split.shares.iter().map(|share| share.amount.amount).collect();
            prop_assert!((2..=30).contains(&amounts.len()) && amounts.iter().all(|amount| *amount > 0));
            if split.of != Purpose::Balance {
                let due = if split.of == Purpose::Deposit { whole.deposit } else { whole.total };
                prop_assert_eq!(amounts.iter().sum::<i64>(), due - whole.net, "exact");
                let quorum = split.quorum.unwrap().amount;
                prop_assert!(whole.deposit <= quorum && quorum <= due, "a quorum of {quorum}");
                prop_assert!(whole.ends.unwrap() < split.deadline);
            }
            let paid = split.shares.iter().map(|share| (share.share_id, 0)).collect();
            whole.split = Some(Book { split: split.clone(), paid, prolonged: false });
        }
        E::PaymentReceived(received) => {
            let whole = all.get_mut(&received.reservation_id).unwrap();
            whole.net += received.amount.amount;
            prop_assert_eq!(received.share_id, asked[&received.payment_id].share_id);
            if let Some(share_id) = received.share_id {
                let book = whole.split.as_mut().unwrap();
                let paid = book.paid.get_mut(&share_id).unwrap();
                *paid += received.amount.amount;
                let agreed = book.split.shares.iter().find(|share| share.share_id == share_id).unwrap().amount.amount;
                prop_assert!(*paid <= agreed, "{paid} of a share of {agreed}");
            }
        }
        E::HoldProlonged(prolonged) => {
            let whole = all.get_mut(&prolonged.reservation_id).unwrap();
            let book = whole.split.as_mut().unwrap();
            prop_assert!(!book.prolonged && !whole.confirmed, "prolonged twice, or for nothing");
            prop_assert_eq!(prolonged.until, book.split.deadline);
            let full = |share: &Share| book.paid[&share.share_id] == share.amount.amount;
            prop_assert!(book.split.shares.iter().any(full), "nobody has paid");
            (book.prolonged, whole.ends) = (true, Some(prolonged.until));
        }
        E::Confirmed(confirmed) => {
            let whole = all.get_mut(&confirmed.reservation_id).unwrap();
            whole.confirmed = true;
            if let (Some(book), Grounds::Payment { payment_id }) = (&whole.split, &confirmed.grounds) {
                // A manager who has the deposit in the till may say that it will be played.
                let quorum = book.split.quorum.unwrap().amount;
                let by_hand = !asked[payment_id].method.has_provider();
                prop_assert!(by_hand || quorum <= whole.net, "confirmed with {} of {quorum}", whole.net);
            }
        }
        E::MoneyReturned(returned) => back(returned.reservation_id, &returned.refunds),
        E::Cancelled(cancelled) => back(cancelled.reservation_id, &cancelled.refunds),
        E::NoShow(no_show) => back(no_show.reservation_id, &no_show.refunds),
        E::Rescheduled(moved) => {
            back(moved.reservation_id, &moved.refunds);
            let whole = all.get_mut(&moved.reservation_id).unwrap();
            (whole.total, whole.deposit) = (moved.price.total.amount, moved.price.deposit.amount);
        }
        E::Expired(_) | E::CheckedIn(_) | E::Completed(_) => {}
    }
    Ok(())
}

/// While it is held it keeps its cells to its end and, for an open checkout, the grace: never longer, and a pledge is kept
/// whatever becomes of the others' checkouts.
fn the_hold_ends_in_time(play: &Play, id: ReservationId, whole: &Whole) -> Result<(), TestCaseError> {
    let (Some(_), Status::Held) = (&whole.split, play.world.reservation(id).status) else { return Ok(()) };
    let end = whole.ends.unwrap();
    let may: BTreeSet<_> = [Some(end), Some(end + Duration::seconds(whole.grace))].into();
    for claim in play.world.open_claims().iter().filter(|claim| claim.holder == id.uuid()) {
        prop_assert!(may.contains(&claim.releasable_at), "kept until {:?} and not {may:?}", claim.releasable_at);
    }
    Ok(())
}

/// Every franc of a split that failed is back or on its way, payment by payment, as soon as it is asked for.
fn nothing_stays_of_a_failed_split(play: &Play, id: ReservationId, whole: &Whole) -> Result<(), TestCaseError> {
    let (Some(_), Status::Expired) = (&whole.split, play.world.reservation(id).status) else { return Ok(()) };
    let mut world = play.world.clone();
    world.return_money(id).map_err(|no| TestCaseError::fail(format!("{no:?}")))?;
    let mut back: BTreeMap<PaymentId, i64> = BTreeMap::new();
    for refund in world.refunds() {
        // Those that were declined have given their part back.
        let allotted =
            world.payment(refund.payment_id).allotments.iter().any(|part| part.refund_id == refund.refund_id);
        *back.entry(refund.payment_id).or_default() += if allotted { refund.amount.amount } else { 0 };
    }
    for payment_id in world.reservation(id).paying() {
        let payment = world.payment(payment_id);
        let credited: i64 = payment.captures.iter().map(|capture| capture.credited.amount).sum();
        let gone = back.get(&payment_id).copied().unwrap_or(0);
        prop_assert_eq!(payment.captured().amount - credited, gone, "{} is not all back", payment_id);
    }
    prop_assert!(world.reservation(id).held_money().is_zero());
    Ok(())
}
