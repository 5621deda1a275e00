//! What the policy takes and gives back, for every policy, price, payment, moment and reason, against domain.md read
//! naively: francs counted by the test from what it paid, never by asking the code it checks.

use chrono::TimeDelta;
use proptest::prelude::*;

use crate::{
    Timestamp,
    actor::Actor,
    decision::{Change, Decision},
    event::Event,
    ids::{PaymentId, ReservationId},
    money::Money,
    payment::{Method, Row},
    policy::Policy,
    refund,
    reservation::{Cancel, CancelPreview, CancelReason, Cancelled, Event as E, NoShow, Purpose, RefundShare, Status},
    site::{Site, set_policy},
    spec::{
        example,
        story::{Booking, Paying, client, manager, note},
        world::{No, SITE, World},
    },
};

const SITE_S: [CancelReason; 4] =
    [CancelReason::Manager, CancelReason::Weather, CancelReason::PowerCut, CancelReason::Closure];
const MINUTE: i64 = 60_000_000;
const PLAYED: i64 = 90;
/// The longest a policy can name is 30 days.
const BOOKED_AHEAD: i64 = 40;

fn a_policy() -> impl Strategy<Value = Policy> {
    let minutes = || prop_oneof![Just(0), Just(6 * 60), Just(12 * 60), 0..=1_440_u32, 0..=43_200_u32];
    let fine = proptest::option::of((0..=Money::MAX).prop_map(Money::xof));
    (minutes(), minutes(), 0..4_u32, 0..=1_440_u32, fine, 0..60_000_i64).prop_map(
        |(free_cancellation_minutes, reschedule_minutes, free_reschedules, minutes, no_show_fine, limit)| Policy {
            free_cancellation_minutes,
            reschedule_minutes,
            free_reschedules,
            check_in_opens_minutes: minutes,
            completion_grace_minutes: minutes,
            no_show_fine,
            four_eyes_above: Money::xof(limit),
            ..Policy::default()
        },
    )
}

/// What was agreed and what became of the money before anybody calls it off.
#[derive(Clone, Debug)]
struct Case {
    policy: Policy,
    /// What the site's policy becomes once it is booked: must not matter.
    afterwards: Policy,
    total: i64,
    deposit: i64,
    /// Lands on the deposit: as many thousandths of what lies between the deposit and the price, and so much above it.
    first: (i64, i64),
    /// Thousandths of what is still due, each a payment of its own.
    later: Vec<i64>,
    /// Thousandths of what is left of a payment that a manager wants to give back: also too much, also not approved.
    goodwill: Vec<(usize, i64)>,
}

/// `thousandths` of an amount, in whole francs.
fn part(amount: i64, thousandths: i64) -> i64 {
    i64::try_from(i128::from(amount) * i128::from(thousandths) / 1_000).unwrap()
}

fn a_case() -> impl Strategy<Value = Case> {
    let total = prop_oneof![Just(0), Just(35_000), 0..50_i64, 0..100_000_i64, 0..=Money::MAX];
    let deposit = prop_oneof![Just(0), Just(1_000), 0..=1_000_i64];
    let above = prop_oneof![2 => Just(0), 1 => 1..5_000_i64];
    let later = prop::collection::vec(0..=1_000_i64, 0..4);
    let goodwill = prop::collection::vec((0..4_usize, 0..1_200_i64), 0..3);
    (a_policy(), a_policy(), total, deposit, (0..=1_000_i64, above), later, goodwill).prop_map(
        |(policy, afterwards, total, deposit, first, later, goodwill)| Case {
            policy,
            afterwards,
            total,
            deposit: part(total, deposit),
            first,
            later,
            goodwill,
        },
    )
}

/// How long before the start, in microseconds: often at a limit to the instant; down to the end, never before the booking.
fn a_notice(limits: Vec<u32>) -> impl Strategy<Value = i64> {
    let limit = prop::sample::select(limits).prop_map(|minutes| i64::from(minutes) * MINUTE);
    let by = prop::sample::select(vec![0, -1, 1, -1_000_000, 1_000_000, -MINUTE, MINUTE]);
    prop_oneof![
        3 => (limit, by).prop_map(|(limit, by)| limit + by),
        1 => -PLAYED * MINUTE + 1..35 * 1_440 * MINUTE,
    ]
}

/// A case with moments that mean something to its policy.
fn a_case_and_notices() -> impl Strategy<Value = (Case, i64, i64)> {
    a_case().prop_flat_map(|case| {
        let limits = vec![0, case.policy.free_cancellation_minutes, case.afterwards.free_cancellation_minutes];
        (Just(case), a_notice(limits.clone()), a_notice(limits))
    })
}

/// One payment, by the test's own count.
#[derive(Clone, Copy, Debug)]
struct Paid {
    payment: PaymentId,
    received: i64,
    back: i64,
    /// Wanted back and not approved yet: spoken for.
    waiting: i64,
}

#[derive(Clone)]
struct Booked {
    world: World,
    id: ReservationId,
    start: Timestamp,
    paid: Vec<Paid>,
}

impl Booked {
    fn new(case: &Case) -> Self {
        let mut world = World::new();
        let events = example::history().into_iter().map(Into::into).collect();
        let history = Change { stream: SITE.into(), expected: 0, events };
        world.append(&Decision { changes: vec![history], reads: Vec::new() }).unwrap();
        let set = |world: &mut World, policy: &Policy| {
            world.write(set_policy(&world.load::<Site>(SITE), policy.clone())).unwrap();
        };
        set(&mut world, &case.policy);
        let start = world.now + TimeDelta::days(BOOKED_AHEAD);
        let policy = world.load::<Site>(SITE).state.policy().clone();
        let booking = Booking { total: case.total, deposit: case.deposit, policy, ..Booking::online(start) };
        let (id, payment) = world.place(&booking, Paying::Online(Method::Wave, Purpose::Deposit)).unwrap();
        set(&mut world, &case.afterwards);
        let mut booked = Self { world, id, start, paid: Vec::new() };
        if case.deposit > 0 {
            let within = case.deposit + part(case.total - case.deposit, case.first.0);
            assert_eq!(booked.world.land(payment, "T", within + case.first.1), Ok(Row::Confirmed));
            // What lies above the price is the client's credit, and not the reservation's any more.
            let received = case.total.min(within + case.first.1);
            booked.paid.push(Paid { payment, received, back: 0, waiting: 0 });
        }
        for thousandths in &case.later {
            booked.pay(part(case.total - booked.holds(), *thousandths));
        }
        for (nth, thousandths) in &case.goodwill {
            booked.give_back(*nth, *thousandths);
        }
        booked
    }

    fn pay(&mut self, amount: i64) {
        let recorded = self.world.record(self.id, Method::Cash, amount, manager());
        assert_eq!(recorded.is_ok(), amount > 0, "{recorded:?}");
        self.paid.extend(recorded.map(|payment| Paid { payment, received: amount, back: 0, waiting: 0 }));
    }

    fn give_back(&mut self, nth: usize, thousandths: i64) {
        let Some(paid) = self.paid.get_mut(nth) else { return };
        let left = paid.received - paid.back - paid.waiting;
        let amount = part(left, thousandths);
        let asked = self.world.ask_refund(paid.payment, Some(amount), manager());
        assert_eq!(asked.is_ok(), 0 < amount && amount <= left, "never more than came: {asked:?}");
        match asked.map(|refund| self.world.refund(refund).status) {
            Ok(refund::Status::Requested) => paid.waiting += amount,
            Ok(_) => paid.back += amount,
            Err(_) => {}
        }
    }

    /// Received and not given back.
    fn holds(&self) -> i64 {
        self.paid.iter().map(|paid| paid.received - paid.back).sum()
    }

    fn waiting(&self) -> i64 {
        self.paid.iter().map(|paid| paid.waiting).sum()
    }

    /// The same, so long before the start.
    fn at(&self, notice: i64) -> Self {
        let mut other = self.clone();
        other.world.now = self.start - TimeDelta::microseconds(notice);
        other
    }

    fn preview(&self, reason: CancelReason) -> Result<CancelPreview, super::Refusal> {
        let reservation = &self.world.load(self.id);
        let (note, by) = (Some(note("double use")), who(reason));
        Cancel { reservation, sources: &[], reason, note, by, now: self.world.now }.preview()
    }

    fn cancel(&mut self, reason: CancelReason) -> Cancelled {
        self.world.cancel(self.id, reason, who(reason)).unwrap();
        let cancelled = self.world.log.iter().rev().find_map(|(_, event)| match event {
            Event::Reservation(E::Cancelled(cancelled)) => Some(cancelled.clone()),
            _ => None,
        });
        cancelled.unwrap()
    }

    /// Money that goes back leaves what was paid: per payment no more than is left of it, in whole francs, each with a
    /// refund of its own for the same amount.
    fn check_shares(&self, shares: &[RefundShare]) -> Result<i64, TestCaseError> {
        for share in shares {
            let paid = self.paid.iter().find(|paid| paid.payment == share.payment_id).unwrap();
            prop_assert!(0 < share.amount.amount);
            prop_assert!(share.amount.amount <= paid.received - paid.back - paid.waiting, "more than came");
            let refund = self.world.refund(share.refund_id);
            prop_assert_eq!(refund.request.unwrap().amount, share.amount);
            prop_assert!(refund.status == refund::Status::Approved, "a rule waits for nobody");
        }
        Ok(shares.iter().map(|share| share.amount.amount).sum())
    }
}

fn who(reason: CancelReason) -> Actor {
    match reason {
        CancelReason::Client => client(),
        CancelReason::Closure => Actor::SYSTEM,
        _ => manager(),
    }
}

/// domain.md, Reservation. By the client at least so long before the start: everything back; later: the deposit is kept,
/// the balance always goes back. By the site, for whatever reason: everything, at any time.
fn goes_back(reason: CancelReason, notice: i64, case: &Case, holds: i64) -> i64 {
    let late = notice < i64::from(case.policy.free_cancellation_minutes) * MINUTE;
    if reason == CancelReason::Client && late { (holds - case.deposit).max(0) } else { holds }
}

fn a_reason() -> impl Strategy<Value = CancelReason> {
    prop_oneof![4 => Just(CancelReason::Client), 3 => prop::sample::select(SITE_S.to_vec())]
}

proptest! {
    #[test]
    fn a_cancellation_gives_back_what_the_snapshot_says_to_the_franc((case, notice, _) in a_case_and_notices(), reason in a_reason()) {
        let mut booked = Booked::new(&case).at(notice);
        let holds = booked.holds();
        prop_assert_eq!(booked.world.reservation(booked.id).held_money(), Money::xof(holds));
        let wanted = goes_back(reason, notice, &case, holds);
        let preview = booked.preview(reason).unwrap();
        prop_assert_eq!((preview.refund, preview.kept), (Money::xof(wanted), Money::xof(holds - wanted)));
        let cancelled = booked.cancel(reason);
        let back = booked.check_shares(&cancelled.refunds)?;
        prop_assert_eq!(back, wanted.min(holds - booked.waiting()), "all of it but what a person has yet to decide about");
        prop_assert_eq!(back + cancelled.kept.amount, holds, "no franc is lost or made");
        let state = booked.world.reservation(booked.id);
        prop_assert_eq!((state.status, state.held_money()), (Status::Cancelled, cancelled.kept));
        prop_assert_eq!(state.terms.unwrap().policy, case.policy, "agreed is agreed");
        prop_assert_eq!(booked.world.cancel(booked.id, reason, who(reason)), Ok(Vec::new()), "and once is enough");
    }

    #[test]
    fn the_nearer_the_start_the_less_goes_back((case, one, two) in a_case_and_notices()) {
        let booked = Booked::new(&case);
        let (early, late) = (one.max(two), one.min(two));
        let back = |notice| {
            let cancelled = booked.at(notice).cancel(CancelReason::Client);
            cancelled.refunds.iter().map(|share| share.amount.amount).sum::<i64>()
        };
        prop_assert!(back(early) >= back(late));
        // What is said beforehand is where the step lies, to the instant.
        let free = i64::from(case.policy.free_cancellation_minutes) * MINUTE;
        prop_assert_eq!(booked.preview(CancelReason::Client).unwrap().free_until, booked.start - TimeDelta::microseconds(free));
        prop_assert_eq!(back(free), booked.holds() - booked.waiting());
    }

    #[test]
    fn a_client_cancels_until_the_end_and_the_site_also_what_is_being_played((case, notice, _) in a_case_and_notices(), reason in a_reason()) {
        let end = -PLAYED * MINUTE;
        let booked = Booked::new(&case);
        prop_assert!(booked.at(end + 1).preview(CancelReason::Client).is_ok());
        let over = booked.at(end).preview(CancelReason::Client);
        prop_assert!(matches!(over, Err(super::Refusal::Over { .. })), "{:?}", over);
        let mut playing = booked.at(notice.min(0));
        playing.world.check_in(playing.id).unwrap();
        let playing = playing.at(notice.min(0) - 1);
        match playing.preview(reason) {
            Err(super::Refusal::NotConfirmed { status: Status::CheckedIn }) => prop_assert_eq!(reason, CancelReason::Client),
            broken_off => prop_assert_eq!(broken_off.unwrap().refund.amount, booked.holds(), "{:?}", reason),
        }
    }

    #[test]
    fn who_does_not_come_loses_the_deposit_and_nothing_else(case in a_case()) {
        let grace = i64::from(case.policy.completion_grace_minutes);
        let due = -(PLAYED + grace) * MINUTE;
        let booked = Booked::new(&case);
        let mut early = booked.at(due + 1);
        prop_assert_eq!(early.world.finish(early.id), Err(No::Refused("reservation.not_over")));
        let mut over = booked.at(due);
        over.world.finish(over.id).unwrap();
        let no_show = over.world.log.iter().find_map(|(_, event)| match event {
            Event::Reservation(E::NoShow(no_show)) => Some(no_show.clone()),
            _ => None,
        });
        let NoShow { kept, refunds, fine, .. } = no_show.unwrap();
        let back = over.check_shares(&refunds)?;
        prop_assert_eq!(back, (booked.holds() - case.deposit).max(0).min(booked.holds() - booked.waiting()));
        prop_assert_eq!(back + kept.amount, booked.holds());
        prop_assert_eq!(fine, case.policy.no_show_fine, "owed, not taken");
    }

    #[test]
    fn the_gate_opens_and_closes_on_the_instant(case in a_case()) {
        let booked = Booked::new(&case);
        let opens = i64::from(case.policy.check_in_opens_minutes) * MINUTE;
        for (notice, expected) in [
            (opens + 1, Some("reservation.too_early_to_check_in")),
            (opens, None),
            (-PLAYED * MINUTE + 1, None),
            (-PLAYED * MINUTE, Some("reservation.too_late_to_check_in")),
        ] {
            let mut there = booked.at(notice);
            let refused = there.world.check_in(there.id).err();
            prop_assert_eq!(refused, expected.map(No::Refused), "{} before the start", notice);
        }
    }

    /// "Success after the client cancelled: apply the policy snapshot" – as of the cancellation, however late and in how
    /// many pieces the money lands.
    #[test]
    fn money_that_lands_after_the_end_is_divided_as_if_it_had_been_there(
        (case, notice, later) in a_case_and_notices(),
        reason in a_reason(),
        landings in prop::collection::vec(1..100_000_i64, 1..4),
    ) {
        prop_assume!(case.total > 0);
        let bare = Case { deposit: 0, later: Vec::new(), goodwill: Vec::new(), ..case.clone() };
        let mut booked = Booked::new(&bare);
        // On a manager's word, so that nothing was paid yet; the deposit is in the terms all the same.
        let booking = Booking { total: case.total, deposit: case.deposit, policy: case.policy.clone(), ..Booking::manual(booked.start) };
        booked.world.cancel(booked.id, CancelReason::Client, client()).unwrap();
        let (id, _) = booked.world.place(&booking, Paying::Recorded(Method::OnAccount, Purpose::Full)).unwrap();
        let open: Vec<_> = landings.iter().map(|_| booked.world.request(id, Purpose::Balance).unwrap()).collect();
        let mut booked = Booked { id, ..booked.at(notice) };
        let before = booked.world.refunds().len();
        booked.cancel(reason);
        booked.world.now = booked.world.now.max(booked.start - TimeDelta::microseconds(later));
        for (number, (payment, amount)) in open.iter().zip(&landings).enumerate() {
            prop_assert_eq!(booked.world.land(*payment, &format!("L{number}"), *amount), Ok(Row::AfterEnd));
        }
        let all: i64 = landings.iter().sum();
        let back = goes_back(reason, notice, &case, all);
        prop_assert_eq!(booked.world.reservation(id).held_money().amount, all - back);
        let refunds = booked.world.refunds();
        prop_assert_eq!(refunds[before..].iter().map(|refund| refund.amount.amount).sum::<i64>(), back);
    }
}
