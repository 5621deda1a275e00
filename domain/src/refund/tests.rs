//! The rulebook of refunds.

use crate::{
    actor::{Actor, Role},
    ids::{PaymentId, RefundId, ReservationId},
    money::Money,
    payment::{Method, ProviderId},
    refund::{self, Next, Refund, Route, Status},
    reservation::{CancelReason, Purpose},
    spec::{
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager, note},
        world::{CLIENT, No, World, Written, person},
    },
};

fn finance() -> Actor {
    person(Role::Finance, 11)
}

fn refused(code: &'static str) -> Written {
    Err(No::Refused(code))
}

/// Confirmed and paid in full through Wave.
pub(super) fn paid(world: &mut World) -> (ReservationId, PaymentId) {
    let wave = Paying::Online(Method::Wave, Purpose::Full);
    let (reservation, payment) = world.place(&Booking { total: 80_000, ..Booking::online(evening(2)) }, wave).unwrap();
    world.open(payment).unwrap();
    world.land(payment, "T1", 80_000).unwrap();
    (reservation, payment)
}

/// Nobody we know, who paid the deposit by Wave.
pub(super) fn walk_in_by_wave(world: &mut World) -> (ReservationId, PaymentId) {
    let walk_in = Booking { client: None, ..Booking::manual(evening(2)) };
    let wave = Paying::Online(Method::Wave, Purpose::Deposit);
    let (reservation, payment) = world.place(&walk_in, wave).unwrap();
    world.open(payment).unwrap();
    world.land(payment, "T1", DEPOSIT).unwrap();
    (reservation, payment)
}

/// An automatic refund of a whole Wave deposit, submitted.
fn submitted(world: &mut World) -> RefundId {
    let (reservation, _) = world.confirm(evening(2));
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    let id = world.refunds().pop().unwrap().refund_id;
    world.submit(id).unwrap();
    id
}

fn fail(world: &mut World, id: RefundId) -> Written {
    world.with_refund(id, |refund, now| refund::fail(refund, note("refused"), now))
}

fn unknown(world: &mut World, id: RefundId) -> Written {
    world.with_refund(id, |refund, now| refund::unknown(refund, note("cut off"), now))
}

fn succeed(world: &mut World, id: RefundId, provider_id: Option<&str>) -> Written {
    let provider_id = provider_id.map(|id| ProviderId::new(id).unwrap());
    world.with_refund(id, |refund, now| refund::succeed(refund, provider_id, Actor::SYSTEM, now))
}

#[test]
fn never_again_a_refund_of_money_never_received() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    assert!(world.refunds().is_empty());
    assert_eq!(world.ask_refund(payment, None, finance()), Err(No::Refused("refund.not_received")));
    assert_eq!(world.ask_refund(payment, Some(1), finance()), Err(No::Refused("refund.not_received")));
}

#[test]
fn never_again_a_refund_twice() {
    let mut world = World::new();
    let (reservation, payment) = world.confirm(evening(2));
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    assert_eq!(world.ask_refund(payment, Some(1), finance()), Err(No::Refused("refund.more_than_captured")));
    assert_eq!(world.ask_refund(payment, None, finance()), Err(No::Refused("refund.nothing_to_refund")));
}

#[test]
fn two_managers_cannot_both_refund_the_same_money() {
    let mut world = World::new();
    let (reservation_id, payment_id) = paid(&mut world);
    let (payment, reservation) = (world.load(payment_id), world.load(reservation_id));
    // Both saw the same state; the payment's version decides.
    let ask = |world: &mut World, by| {
        let (refund_id, amount, now) = (world.id().into(), Some(Money::xof(50_000)), world.now);
        let (payment, reservation) = (&payment, &reservation);
        let request =
            refund::Request { payment, reservation, refund_id, amount, note: note("a fault of ours"), by, now };
        world.write(request.decide())
    };
    assert!(ask(&mut world, person(Role::Manager, 1)).is_ok());
    assert_eq!(ask(&mut world, person(Role::Manager, 2)), Err(No::Conflict));
}

#[test]
fn above_the_limit_a_second_person_is_needed_and_it_is_a_second_one() {
    let mut world = World::new();
    let (reservation, payment) = paid(&mut world);
    let id = world.ask_refund(payment, Some(50_001), finance()).unwrap();
    assert_eq!(world.refund(id).status, Status::Requested);
    assert_eq!(world.reservation(reservation).held_money(), Money::xof(80_000), "nothing has gone yet");
    assert_eq!(world.submit(id), refused("refund.wrong_status"));
    assert_eq!(world.second(id, true, finance()), refused("refund.same_person"));
    let same_person_other_role = Actor { role: Role::Manager, ..finance() };
    assert_eq!(world.second(id, true, same_person_other_role), refused("refund.same_person"));
    assert_eq!(world.second(id, true, client()), refused("refund.role_not_allowed"));
    assert!(world.second(id, true, person(Role::Finance, 12)).is_ok());
    assert_eq!(world.reservation(reservation).held_money(), Money::xof(80_000 - 50_001));
    assert!(world.submit(id).is_ok());
}

#[test]
fn at_the_limit_one_person_is_enough_but_many_small_refunds_are_one_large_one() {
    let mut world = World::new();
    let (_, payment) = paid(&mut world);
    let first = world.ask_refund(payment, Some(50_000), finance()).unwrap();
    assert_eq!(world.refund(first).status, Status::Approved);
    let second = world.ask_refund(payment, Some(1), finance()).unwrap();
    assert_eq!(world.refund(second).status, Status::Requested);
}

#[test]
fn many_small_refunds_of_several_payments_are_one_large_one() {
    let mut world = World::new();
    let cash = Paying::Recorded(Method::Cash, Purpose::Deposit);
    let booking = Booking { total: 90_000, deposit: 45_000, ..Booking::manual(evening(2)) };
    let (reservation, deposit) = world.place(&booking, cash).unwrap();
    let balance = world.record(reservation, Method::Cash, 45_000, manager()).unwrap();
    let first = world.ask_refund(deposit, Some(45_000), finance()).unwrap();
    let second = world.ask_refund(balance, Some(45_000), finance()).unwrap();
    assert_eq!((world.refund(first).status, world.refund(second).status), (Status::Approved, Status::Requested));
}

#[test]
fn a_cancellation_does_not_wait_for_a_refund_that_waits() {
    let mut world = World::new();
    let (reservation, payment) = paid(&mut world);
    let waiting = world.ask_refund(payment, Some(60_000), finance()).unwrap();
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    assert_eq!(world.refunds()[1].amount, Money::xof(20_000), "the rest is spoken for");
    world.second(waiting, true, manager()).unwrap();
    assert_eq!(world.reservation(reservation).held_money(), Money::xof(0));
}

#[test]
fn automatic_refunds_never_wait_however_large() {
    let mut world = World::new();
    let (reservation, _) = paid(&mut world);
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    let refund = world.refunds().pop().unwrap();
    assert_eq!((refund.amount, refund.by), (Money::xof(80_000), Actor::SYSTEM));
    assert_eq!(world.refund(refund.refund_id).status, Status::Approved);
}

#[test]
fn what_is_declined_can_be_asked_for_again() {
    let mut world = World::new();
    let (_, payment) = paid(&mut world);
    let id = world.ask_refund(payment, None, finance()).unwrap();
    assert_eq!(world.ask_refund(payment, Some(1), finance()), Err(No::Refused("refund.more_than_captured")));
    world.second(id, false, manager()).unwrap();
    assert_eq!(world.second(id, false, manager()), Ok(vec![]));
    assert_eq!(world.second(id, true, manager()), refused("refund.wrong_status"));
    assert!(world.ask_refund(payment, Some(1), finance()).is_ok());
}

#[test]
fn a_hold_is_cancelled_not_refunded() {
    let mut world = World::new();
    let (_, payment) = world.hold(evening(2));
    world.land(payment, "T1", 5_000).unwrap();
    assert_eq!(world.ask_refund(payment, None, finance()), Err(No::Refused("refund.reservation_open")));
}

#[test]
fn goodwill_is_not_owed_again_and_a_later_cancellation_gives_the_rest() {
    let mut world = World::new();
    let (reservation, payment) = paid(&mut world);
    world.ask_refund(payment, Some(10_000), finance()).unwrap();
    assert_eq!(world.reservation(reservation).balance_due(), Money::xof(0));
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    assert_eq!(world.refunds()[1].amount, Money::xof(70_000));
    assert_eq!(world.refunds()[1].route, Route::Payout, "no longer the whole transaction");
}

#[test]
fn who_may_not_ask_is_refused() {
    let mut world = World::new();
    let (_, payment) = paid(&mut world);
    for role in [Role::Client, Role::Gatekeeper, Role::Cashier, Role::Admin, Role::Auditor] {
        let asked = world.ask_refund(payment, None, person(role, 4));
        assert_eq!(asked, Err(No::Refused("refund.role_not_allowed")), "{role:?}");
    }
    let nameless = Actor { role: Role::Finance, id: None };
    assert_eq!(world.ask_refund(payment, None, nameless), Err(No::Refused("refund.name_required")));
}

#[test]
fn the_key_stays_the_same_until_the_outcome_is_known() {
    let mut world = World::new();
    let id = submitted(&mut world);
    let key = |world: &World| world.refund(id).attempt.unwrap().reference;
    let first = key(&world);
    unknown(&mut world, id).unwrap();
    assert_eq!(world.submit(id), Ok(vec![]));
    assert_eq!(world.retry(id), Ok(vec![]), "never another try while nobody can tell");
    let by = person(Role::Cashier, 5);
    assert_eq!(world.with_refund(id, |r, now| refund::hand_out(r, by, now)), refused("refund.outcome_unknown"));
    assert_eq!(key(&world), first);
    fail(&mut world, id).unwrap();
    world.retry(id).unwrap();
    assert_eq!(key(&world).as_str(), format!("{first}-2"));
    assert!(key(&world).as_str().len() <= 30);
}

#[test]
fn a_failed_refund_goes_the_same_way_again_then_another_then_credit() {
    let mut world = World::new();
    let id = submitted(&mut world);
    let mut tried = Vec::new();
    while let Some(attempt) = world.refund(id).attempt.filter(|_| world.refund(id).status == Status::Submitted) {
        tried.push(attempt.route);
        fail(&mut world, id).unwrap();
        world.retry(id).unwrap();
    }
    let (whole, part) = (Route::WholeTransaction, Route::Payout);
    assert_eq!(tried, [whole, whole, part, part]);
    assert_eq!(world.refund(id).status, Status::Succeeded);
    assert_eq!(world.refund(id).attempt.unwrap().route, Route::Credit);
    assert_eq!(*world.names().last().unwrap(), "client.credited");
    assert_eq!(world.version(CLIENT.into()), 1);
    let reversed = world.with_refund(id, |r, now| refund::reverse(r, note("a mistake"), now));
    assert_eq!(reversed, refused("refund.by_hand"), "only a provider takes money back");
}

#[test]
fn credit_of_a_refund_adds_to_the_credit_of_its_payment() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.land(payment, "T1", TOTAL + 500).unwrap();
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    let id = world.refunds()[0].refund_id;
    world.submit(id).unwrap();
    while world.refund(id).status != Status::Succeeded {
        fail(&mut world, id).unwrap();
        world.retry(id).unwrap();
    }
    let client = world.load::<crate::client::Client>(CLIENT).state;
    assert_eq!(client.credit(crate::money::Currency::Xof), Ok(Money::xof(TOTAL + 500)));
}

#[test]
fn without_a_client_the_last_way_is_cash_against_a_signature() {
    let mut world = World::new();
    let (reservation, _) = walk_in_by_wave(&mut world);
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    let id = world.refunds().pop().unwrap().refund_id;
    world.submit(id).unwrap();
    for _ in 0..4 {
        fail(&mut world, id).unwrap();
        world.retry(id).unwrap();
    }
    assert_eq!(world.next(id), Next::Cash);
    assert_eq!(world.retry(id), Ok(vec![]), "a person must");
    let cashier = person(Role::Cashier, 5);
    let written = world.with_refund(id, |r, now| refund::hand_out(r, cashier, now));
    assert_eq!(written, Ok(vec!["refund.submitted", "refund.succeeded"]));
}

#[test]
fn cash_is_handed_out_by_somebody_with_a_name() {
    let mut world = World::new();
    let cash = Paying::Recorded(Method::Cash, Purpose::Deposit);
    let (reservation, _) = world.place(&Booking::manual(evening(2)), cash).unwrap();
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    let id = world.refunds().pop().unwrap().refund_id;
    assert_eq!(world.submit(id), refused("refund.by_hand"));
    let nameless = Actor { role: Role::Cashier, id: None };
    assert_eq!(world.with_refund(id, |r, now| refund::hand_out(r, nameless, now)), refused("refund.name_required"));
    let gate = person(Role::Gatekeeper, 6);
    assert_eq!(world.with_refund(id, |r, now| refund::hand_out(r, gate, now)), refused("refund.role_not_allowed"));
    assert!(world.with_refund(id, |r, now| refund::hand_out(r, person(Role::Cashier, 5), now)).is_ok());
    assert_eq!(world.with_refund(id, |r, now| refund::hand_out(r, manager(), now)), refused("refund.wrong_status"));
}

#[test]
fn a_reversed_refund_is_owed_again() {
    let mut world = World::new();
    let id = submitted(&mut world);
    succeed(&mut world, id, Some("pt-1")).unwrap();
    let reverse = |r: &crate::aggregate::Loaded<Refund>, now| refund::reverse(r, note("account closed"), now);
    assert_eq!(world.with_refund(id, reverse), Ok(vec!["refund.reversed"]));
    assert_eq!(world.with_refund(id, reverse), Ok(vec![]));
    assert_eq!(world.next(id), Next::Provider(Route::WholeTransaction, None));
}

#[test]
fn an_answer_is_lost_until_the_provider_says_that_it_has_the_order() {
    let mut world = World::new();
    let id = submitted(&mut world);
    let lost_at = |world: &World| world.refund(id).attempt.unwrap().lost_at;
    assert_eq!(lost_at(&world), None);
    unknown(&mut world, id).unwrap();
    assert_eq!(lost_at(&world), Some(world.now));
    let found = ProviderId::new("pt-1").unwrap();
    world.with_refund(id, |r, now| refund::pending(r, found, now)).unwrap();
    assert_eq!(lost_at(&world), None);
}

#[test]
fn answers_are_monotone_and_about_one_movement() {
    let mut world = World::new();
    let id = submitted(&mut world);
    let movement = |id: &str| ProviderId::new(id).unwrap();
    world.with_refund(id, |r, now| refund::pending(r, movement("pt-1"), now)).unwrap();
    assert_eq!(succeed(&mut world, id, Some("pt-2")), refused("refund.other_movement"));
    assert_eq!(succeed(&mut world, id, None), Ok(vec!["refund.succeeded"]));
    assert_eq!(world.refund(id).attempt.unwrap().provider_id, Some(movement("pt-1")));
    assert_eq!(succeed(&mut world, id, Some("pt-1")), Ok(vec![]));
    assert_eq!(unknown(&mut world, id), Ok(vec![]));
    assert_eq!(world.with_refund(id, |r, now| refund::pending(r, movement("pt-1"), now)), Ok(vec![]));
    assert_eq!(fail(&mut world, id), refused("refund.wrong_status"), "a paid refund is reversed, not failed");
}

#[test]
fn a_success_after_a_failure_is_for_a_person_to_look_at() {
    let mut world = World::new();
    let id = submitted(&mut world);
    fail(&mut world, id).unwrap();
    assert_eq!(succeed(&mut world, id, None), refused("refund.wrong_status"));
}
