//! Which way money goes back when the one it came by does not work: each path of domain.md (Refund) by name, for what each
//! provider can do.

use crate::{
    ids::RefundId,
    payment::Method,
    refund::{self, Next, Route, Status, Ways},
    reservation::CancelReason,
    spec::{
        story::{TOTAL, client, evening, manager, note},
        world::{CLIENT, WAVE, World},
    },
};

/// Sonatel: sends money, takes no payment back.
const SONATEL: Ways = Ways { whole: false, payout: true };
/// PayTech: takes a payment back, sends nothing.
const PAYTECH: Ways = Ways { whole: true, payout: false };

/// A whole deposit on its way back.
fn owed(world: &mut World) -> RefundId {
    let (reservation, _) = world.confirm(evening(2));
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    world.refunds().pop().unwrap().refund_id
}

fn fail(world: &mut World, id: RefundId) {
    world.with_refund(id, |refund, now| refund::fail(refund, note("refused"), now)).unwrap();
}

/// All that is tried until it is credit or cash, each with the provider asked.
fn tries(world: &mut World, id: RefundId) -> Vec<(Route, Option<Method>)> {
    let mut tried = Vec::new();
    world.submit(id).unwrap();
    loop {
        let attempt = world.load::<refund::Refund>(id).state.attempt.unwrap();
        tried.push((attempt.route, attempt.method));
        match world.load::<refund::Refund>(id).state.status {
            Status::Submitted => fail(world, id),
            _ => return tried,
        }
        if world.next(id) == Next::Cash {
            return tried;
        }
        world.retry(id).unwrap();
    }
}

#[test]
fn the_same_rail_again_then_another_rail_then_credit() {
    let mut world = World::new();
    world.other_rails = vec![Method::OrangeMoney];
    let id = owed(&mut world);
    let orange = Some(Method::OrangeMoney);
    let whole = (Route::WholeTransaction, None);
    let payout = (Route::Payout, None);
    assert_eq!(
        tries(&mut world, id),
        [whole, whole, payout, payout, (Route::Payout, orange), (Route::Payout, orange), (Route::Credit, None)]
    );
    let credit = world.load::<crate::client::Client>(CLIENT).state.credit(crate::money::Currency::Xof);
    assert_eq!(credit, Ok(world.refunds().pop().unwrap().amount));
}

#[test]
fn what_a_provider_cannot_do_is_not_tried_there() {
    for (ways, first) in [(SONATEL, Route::Payout), (PAYTECH, Route::WholeTransaction)] {
        let mut world = World::new();
        world.ways = ways;
        let id = owed(&mut world);
        assert_eq!(tries(&mut world, id), [(first, None), (first, None), (Route::Credit, None)], "{ways:?}");
    }
}

#[test]
fn a_part_of_what_paytech_received_goes_by_another_rail_or_becomes_credit() {
    for (others, way) in [(vec![Method::Wave], (Route::Payout, Some(Method::Wave))), (vec![], (Route::Credit, None))] {
        let mut world = World::new();
        (world.ways, world.other_rails) = (PAYTECH, others);
        let (reservation, payment) = world.hold(evening(2));
        world.land(payment, "T1", TOTAL).unwrap();
        // Too late for the deposit: the balance alone goes back.
        world.pass(60 * 24 * 2);
        world.cancel(reservation, CancelReason::Client, client()).unwrap();
        let request = world.refunds().pop().unwrap();
        assert_eq!(request.route, Route::Payout);
        world.submit(request.refund_id).unwrap();
        let attempt = world.load::<refund::Refund>(request.refund_id).state.attempt.unwrap();
        assert_eq!((attempt.route, attempt.method), way);
    }
}

#[test]
fn the_ledger_says_which_provider_paid() {
    let mut world = World::new();
    world.other_rails = vec![Method::OrangeMoney];
    let id = owed(&mut world);
    world.submit(id).unwrap();
    for _ in 0..4 {
        fail(&mut world, id);
        world.retry(id).unwrap();
    }
    world.with_refund(id, |refund, now| refund::succeed(refund, None, client(), now)).unwrap();
    let amount = world.refunds().pop().unwrap().amount.amount;
    let balance = |name: &str| crate::spec::ledgers::balance(&world, name);
    assert_eq!(balance("provider:orange_money:clearing"), -amount, "it left there");
    assert_eq!(balance("provider:wave:clearing"), amount, "and stays here");
    assert_eq!(balance("refunds:payable"), 0);
}

#[test]
fn a_way_that_was_taken_back_counts_as_one_that_failed() {
    let mut world = World::new();
    world.other_rails = vec![Method::OrangeMoney];
    let id = owed(&mut world);
    world.submit(id).unwrap();
    for _ in 0..4 {
        fail(&mut world, id);
        world.retry(id).unwrap();
    }
    world.with_refund(id, |refund, now| refund::succeed(refund, None, client(), now)).unwrap();
    world.with_refund(id, |refund, now| refund::reverse(refund, note("taken back"), now)).unwrap();
    assert_eq!(world.next(id), Next::Provider(Route::Payout, Some(Method::OrangeMoney)), "once more there");
    world.retry(id).unwrap();
    fail(&mut world, id);
    assert_eq!(world.next(id), Next::Credit);
    assert_eq!(world.ways, WAVE);
}

#[test]
fn nobody_to_credit_and_no_provider_that_can_is_a_matter_for_the_till() {
    let mut world = World::new();
    world.ways = Ways::default();
    let (reservation, _) = crate::refund::tests::walk_in_by_wave(&mut world);
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    let id = world.refunds().pop().unwrap().refund_id;
    assert_eq!(world.submit(id), Ok(vec!["refund.submitted", "refund.failed"]));
    assert_eq!(world.next(id), Next::Cash);
    let written = world.with_refund(id, |refund, now| refund::hand_out(refund, manager(), now));
    assert_eq!(written, Ok(vec!["refund.submitted", "refund.succeeded"]));
}
