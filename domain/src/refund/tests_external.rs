//! Money that went back without us, and how it is told from our own.

use crate::{
    actor::{Actor, Role},
    ids::PaymentId,
    money::Money,
    payment::{Method, ProviderId},
    refund::{self, Reason, Refusal, Status, tests::paid},
    refusal::Refused,
    reservation::CancelReason,
    spec::{
        ledgers::balance,
        story::{DEPOSIT, TOTAL, client, evening, manager, note},
        world::{No, World, person},
    },
};

const FINANCE: u128 = 20;
const PROVIDER: Actor = Actor { role: Role::Provider, id: None };
/// Above what one person may give back.
const PAID: i64 = 80_000;

fn finance() -> Actor {
    person(Role::Finance, FINANCE)
}

fn seen(world: &mut World, payment: PaymentId, amount: i64) -> Result<Vec<&'static str>, No> {
    world.observe(payment, "portal-1", amount, None, PROVIDER)
}

fn refused(code: &'static str) -> Result<Vec<&'static str>, No> {
    Err(No::Refused(code))
}

#[test]
fn a_refund_made_at_the_provider_is_written_down_when_it_is_seen_and_once() {
    let mut world = World::new();
    let (reservation, payment) = world.confirm(evening(2));
    seen(&mut world, payment, DEPOSIT).unwrap();
    let refund = world.refunds().pop().unwrap();
    assert_eq!((refund.reason, world.refund(refund.refund_id).status), (Reason::External, Status::Succeeded));
    assert_eq!(world.reservation(reservation).held_money(), Money::xof(0));
    assert_eq!((balance(&world, "provider:wave:clearing"), balance(&world, "refunds:payable")), (0, 0));
    assert_eq!(seen(&mut world, payment, DEPOSIT), Ok(vec![]), "the same news again");
    let other = world.observe(payment, "portal-2", DEPOSIT, None, PROVIDER);
    assert_eq!(other, refused("refund.more_than_captured"));
}

#[test]
fn what_went_back_already_is_not_given_back_once_more_by_a_cancellation() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.land(payment, "T1", TOTAL).unwrap();
    seen(&mut world, payment, DEPOSIT).unwrap();
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    let back: i64 = world.refunds().iter().map(|refund| refund.amount.amount).sum();
    assert_eq!(back, TOTAL);
}

#[test]
fn one_of_ours_that_is_on_its_way_may_be_what_was_seen() {
    let mut world = World::new();
    let (reservation, payment) = world.confirm(evening(2));
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    let ours = world.refunds().pop().unwrap().refund_id;
    assert_eq!(seen(&mut world, payment, DEPOSIT), refused("refund.may_be_ours"), "approved");
    world.submit(ours).unwrap();
    assert_eq!(seen(&mut world, payment, DEPOSIT), refused("refund.may_be_ours"), "submitted");
    world.with_refund(ours, |it, now| refund::unknown(it, note("cut off"), now)).unwrap();
    assert_eq!(seen(&mut world, payment, DEPOSIT), refused("refund.may_be_ours"), "unknown");
    let movement = ProviderId::new("portal-1").unwrap();
    world.with_refund(ours, |it, now| refund::succeed(it, Some(movement), Actor::SYSTEM, now)).unwrap();
    assert_eq!(seen(&mut world, payment, DEPOSIT), Ok(vec![]), "it was");
}

#[test]
fn what_was_paid_without_an_id_of_its_own_is_known_by_its_amount() {
    let mut world = World::new();
    let (_, payment) = world.hold(evening(2));
    world.land(payment, "T1", TOTAL).unwrap();
    world.ask_refund(payment, Some(DEPOSIT), manager()).unwrap();
    let ours = world.refunds().pop().unwrap().refund_id;
    world.submit(ours).unwrap();
    world.with_refund(ours, |it, now| refund::succeed(it, None, Actor::SYSTEM, now)).unwrap();
    assert_eq!(seen(&mut world, payment, DEPOSIT), Ok(vec![]));
    assert!(!seen(&mut world, payment, DEPOSIT - 1_000).unwrap().is_empty(), "another amount is another movement");
}

#[test]
fn a_debt_that_no_way_had_worked_for_is_paid_by_what_was_seen() {
    let mut world = World::new();
    let (reservation, payment) = world.confirm(evening(2));
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    let ours = world.refunds().pop().unwrap().refund_id;
    world.submit(ours).unwrap();
    world.with_refund(ours, |it, now| refund::fail(it, note("refused"), now)).unwrap();
    assert_eq!(seen(&mut world, payment, DEPOSIT - 1), refused("refund.more_than_captured"), "not what is owed");
    assert_eq!(seen(&mut world, payment, DEPOSIT), Ok(vec!["refund.submitted", "refund.succeeded"]));
    assert_eq!((world.refunds().len(), world.refund(ours).status), (1, Status::Succeeded));
    assert_eq!((balance(&world, "provider:wave:clearing"), balance(&world, "refunds:payable")), (0, 0));
    assert_eq!(world.next(ours), refund::Next::Nothing);
}

#[test]
fn what_was_taken_back_is_not_paid_by_being_listed_once_more() {
    let mut world = World::new();
    let (_, payment) = world.confirm(evening(2));
    seen(&mut world, payment, DEPOSIT).unwrap();
    let id = world.refunds().pop().unwrap().refund_id;
    world.with_refund(id, |it, now| refund::reverse(it, note("taken back"), now)).unwrap();
    assert_eq!(seen(&mut world, payment, DEPOSIT), Ok(vec![]));
    assert_eq!(world.refund(id).status, Status::Reversed);
    world.observe(payment, "portal-2", DEPOSIT, None, PROVIDER).unwrap();
    assert_eq!(world.refund(id).status, Status::Succeeded);
}

#[test]
fn above_the_limit_a_person_s_word_waits_for_a_second_one_and_nothing_is_sent() {
    let mut world = World::new();
    let (reservation, payment) = paid(&mut world);
    let asked = world.observe(payment, "portal-1", PAID, None, finance()).unwrap();
    assert_eq!(asked, ["payment.refund_allotted", "refund.requested", "refund.outcome_stated"]);
    let id = world.refunds().pop().unwrap().refund_id;
    assert_eq!(balance(&world, "provider:wave:clearing"), PAID, "it counts for nothing yet");
    assert_eq!(world.observe(payment, "portal-1", PAID, None, finance()), Ok(vec![]), "the same word");
    assert_eq!(world.second(id, true, finance()), refused("refund.same_person"));
    let agreed = world.second(id, true, person(Role::Finance, 21)).unwrap();
    assert!(agreed.starts_with(&["refund.approved", "refund.submitted", "refund.succeeded"]), "{agreed:?}");
    assert_eq!((balance(&world, "provider:wave:clearing"), balance(&world, "refunds:payable")), (0, 0));
    assert_eq!(world.submit(id), Ok(vec![]), "whoever would send it finds it paid");
    assert_eq!(world.reservation(reservation).held_money(), Money::xof(0));
}

#[test]
fn a_word_that_the_second_person_declined_can_be_said_again() {
    let mut world = World::new();
    let (_, payment) = paid(&mut world);
    world.observe(payment, "portal-1", PAID, None, finance()).unwrap();
    let id = world.refunds().pop().unwrap().refund_id;
    world.second(id, false, person(Role::Finance, 21)).unwrap();
    assert_eq!(balance(&world, "provider:wave:clearing"), PAID);
    assert!(!world.observe(payment, "portal-1", PAID, None, finance()).unwrap().is_empty());
}

#[test]
fn only_finance_and_the_provider_itself_have_seen_it_and_only_what_came_goes_back() {
    let mut world = World::new();
    let (_, payment) = world.confirm(evening(2));
    for role in [Role::Client, Role::Manager, Role::Cashier, Role::Support, Role::Admin, Role::Auditor, Role::Service] {
        let by = person(role, FINANCE);
        assert_eq!(world.observe(payment, "p", 1, None, by), refused("refund.role_not_allowed"), "{role:?}");
    }
    let nameless = Actor { role: Role::Finance, id: None };
    assert_eq!(world.observe(payment, "p", 1, None, nameless), refused("refund.name_required"));
    let other = ProviderId::new("T9").unwrap();
    assert_eq!(world.observe(payment, "p", 1, Some(other), finance()), refused("refund.not_received"));
    assert_eq!(world.observe(payment, "p", 0, None, finance()), refused("refund.nothing_to_refund"));
    assert_eq!(Refusal::OtherProvider { method: Method::Cash }.code(), "refund.other_provider");
}
