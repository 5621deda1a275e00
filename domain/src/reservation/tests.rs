//! The rulebook of reservations.

use chrono::Duration;

use crate::{
    actor::Role,
    ids::ReservationId,
    money::Money,
    payment::{Method, Row},
    policy::Policy,
    refund::{Reason, Route},
    reservation::{Cancel, CancelReason, Grounds, Purpose, Refusal, Reschedule, Status},
    spec::{
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager, price, slot},
        world::{No, SITE, World, Written, person},
    },
};

const CASH_DEPOSIT: Paying = Paying::Recorded(Method::Cash, Purpose::Deposit);

fn refused(code: &'static str) -> Written {
    Err(No::Refused(code))
}

fn status(world: &World, id: ReservationId) -> Status {
    world.reservation(id).status
}

/// Confirmed with deposit and balance paid.
fn paid(world: &mut World, days: u32) -> ReservationId {
    let (id, _) = world.confirm(evening(days));
    let balance = world.request(id, Purpose::Balance).unwrap();
    world.open(balance).unwrap();
    assert_eq!(world.land(balance, "T_balance", TOTAL - DEPOSIT), Ok(Row::Allocated));
    id
}

fn refunded(world: &World) -> Vec<i64> {
    world.refunds().iter().map(|refund| refund.amount.amount).collect()
}

// Place

#[test]
fn online_the_hold_and_the_payment_are_asked_for_in_one_decision() {
    let mut world = World::new();
    world.place(&Booking::online(evening(2)), Paying::Online(Method::Wave, Purpose::Deposit)).unwrap();
    assert_eq!(world.names(), ["reservation.held", "payment.requested"]);
}

#[test]
fn with_payment_none_there_is_only_the_hold() {
    let mut world = World::new();
    world.place(&Booking::online(evening(2)), Paying::Later).unwrap();
    assert_eq!(world.names(), ["reservation.held"]);
}

#[test]
fn a_hold_lasts_15_minutes_but_never_outlives_its_start() {
    let mut world = World::new();
    let (id, _) = world.place(&Booking::online(evening(2)), Paying::Later).unwrap();
    let expires_at = |world: &World, id| world.reservation(id).terms.unwrap().hold_expires_at;
    assert_eq!(expires_at(&world, id), world.now + Duration::minutes(15));
    world.now = evening(0) - Duration::minutes(10);
    let (id, _) = world.place(&Booking::online(evening(0)), Paying::Later).unwrap();
    assert_eq!(expires_at(&world, id), evening(0));
}

#[test]
fn a_manual_booking_with_cash_is_confirmed_in_one_decision() {
    let mut world = World::new();
    let (id, _) = world.place(&Booking::manual(evening(2)), CASH_DEPOSIT).unwrap();
    let names = world.names();
    assert_eq!(names[0], "reservation.held");
    assert_eq!(names.last(), Some(&"payment.succeeded"), "streams in the order in which they were first written");
    assert_eq!(status(&world, id), Status::Confirmed);
    assert_eq!(world.reservation(id).balance_due(), Money::xof(TOTAL - DEPOSIT));
}

#[test]
fn a_manual_unpaid_booking_is_confirmed_on_account_and_counts_no_money() {
    let mut world = World::new();
    let on_account = Paying::Recorded(Method::OnAccount, Purpose::Full);
    let (id, payment) = world.place(&Booking::manual(evening(2)), on_account).unwrap();
    let state = world.reservation(id);
    assert_eq!(state.grounds, Some(Grounds::OnAccount { payment_id: payment, by: manager() }));
    assert_eq!((state.status, state.received()), (Status::Confirmed, Money::xof(0)));
    assert_eq!(state.balance_due(), Money::xof(TOTAL), "they pay at the gate");
    // Nothing was received, so nothing goes back.
    world.cancel(id, CancelReason::Weather, manager()).unwrap();
    assert!(world.refunds().is_empty());
}

#[test]
fn a_manual_booking_may_have_begun_and_is_not_limited() {
    let mut world = World::new();
    world.now = evening(0) + Duration::minutes(20);
    let (id, _) = world.place(&Booking::manual(evening(0)), Paying::Recorded(Method::Cash, Purpose::Full)).unwrap();
    assert_eq!(status(&world, id), Status::Confirmed);
    for day in 1..6 {
        world.place(&Booking::manual(evening(day)), Paying::Online(Method::Wave, Purpose::Deposit)).unwrap();
    }
}

#[test]
fn a_client_has_three_unpaid_holds_at_once() {
    let mut world = World::new();
    for day in 1..4 {
        world.place(&Booking::online(evening(day)), Paying::Later).unwrap();
    }
    assert_eq!(world.place(&Booking::online(evening(4)), Paying::Later), Err(No::Limit));
}

#[test]
fn three_holds_a_day_may_end_unpaid_however_they_end() {
    let mut world = World::new();
    for day in 1..4 {
        let (id, _) = world.place(&Booking::online(evening(day)), Paying::Later).unwrap();
        if day == 1 {
            world.cancel(id, CancelReason::Client, client()).unwrap();
        } else {
            world.pass(16);
            world.expire(id, &[]).unwrap();
        }
    }
    assert_eq!(world.place(&Booking::online(evening(4)), Paying::Later), Err(No::Limit));
    world.pass(24 * 60);
    assert!(world.place(&Booking::online(evening(4)), Paying::Later).is_ok());
}

#[test]
fn a_manual_hold_that_ends_does_not_count_against_the_client() {
    let mut world = World::new();
    for day in 1..5 {
        let wave = Paying::Online(Method::Wave, Purpose::Deposit);
        let (id, _) = world.place(&Booking::manual(evening(day)), wave).unwrap();
        world.pass(18);
        world.expire(id, &[]).unwrap();
    }
    assert!(world.place(&Booking::online(evening(5)), Paying::Later).is_ok());
}

#[test]
fn nobody_places_in_anothers_role() {
    let mut world = World::new();
    let as_client = Booking { by: client(), ..Booking::manual(evening(2)) };
    assert_eq!(world.place(&as_client, CASH_DEPOSIT), Err(No::Refused("reservation.role_not_allowed")));
    for role in [Role::Auditor, Role::Gatekeeper, Role::Support, Role::Admin] {
        let other = Booking { by: person(role, 7), ..Booking::online(evening(2)) };
        assert_eq!(world.place(&other, Paying::Later), Err(No::Refused("reservation.role_not_allowed")));
    }
}

#[test]
fn what_costs_nothing_is_confirmed_at_once() {
    let mut world = World::new();
    let free = Booking { total: 0, deposit: 0, ..Booking::online(evening(2)) };
    let (id, _) = world.place(&free, Paying::Later).unwrap();
    assert_eq!(world.reservation(id).grounds, Some(Grounds::Free));
}

#[test]
fn the_policy_and_the_price_are_those_of_the_day_it_was_made() {
    let mut world = World::new();
    let lenient = Policy { free_cancellation_minutes: 0, ..Policy::default() };
    let booking = Booking { policy: lenient.clone(), ..Booking::online(evening(0)) };
    let (id, _) = world.place(&booking, Paying::Later).unwrap();
    // Nothing but the snapshot is looked at: the site is not even passed to a cancellation.
    assert_eq!(world.reservation(id).terms.unwrap().policy, lenient);
}

// Cancel

#[test]
fn a_client_who_cancels_12_hours_before_gets_the_deposit_back() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(2));
    world.now = evening(2) - Duration::hours(12);
    world.cancel(id, CancelReason::Client, client()).unwrap();
    assert_eq!(refunded(&world), [DEPOSIT]);
    assert_eq!(world.refunds()[0].route, Route::WholeTransaction);
    assert!(world.claiming().is_empty());
}

#[test]
fn a_client_who_cancels_later_loses_the_deposit_and_gets_the_balance_back() {
    let mut world = World::new();
    let id = paid(&mut world, 2);
    world.now = evening(2) - Duration::hours(12) + Duration::seconds(1);
    world.cancel(id, CancelReason::Client, client()).unwrap();
    assert_eq!(refunded(&world), [TOTAL - DEPOSIT]);
    assert_eq!(world.refunds()[0].transaction.as_str(), "T_balance");
    assert_eq!(world.reservation(id).held_money(), Money::xof(DEPOSIT));
}

#[test]
fn the_balance_of_a_payment_in_full_goes_back_in_part() {
    let mut world = World::new();
    let wave = Paying::Online(Method::Wave, Purpose::Full);
    let (id, payment) = world.place(&Booking::online(evening(2)), wave).unwrap();
    world.open(payment).unwrap();
    world.land(payment, "T1", TOTAL).unwrap();
    world.now = evening(2) - Duration::hours(1);
    world.cancel(id, CancelReason::Client, client()).unwrap();
    assert_eq!((refunded(&world), world.refunds()[0].route), (vec![TOTAL - DEPOSIT], Route::Payout));
}

#[test]
fn a_client_who_gives_up_an_underpaid_hold_loses_nothing() {
    let mut world = World::new();
    let (id, payment) = world.hold(evening(0));
    world.land(payment, "T1", 5_000).unwrap();
    world.now = evening(0) - Duration::hours(8);
    world.cancel(id, CancelReason::Client, client()).unwrap();
    assert_eq!(refunded(&world), [5_000]);
}

#[test]
fn whoever_runs_the_site_gives_everything_back_at_any_time_and_says_why() {
    for reason in [CancelReason::Manager, CancelReason::Weather, CancelReason::PowerCut, CancelReason::Closure] {
        let mut world = World::new();
        let id = paid(&mut world, 2);
        world.now = evening(2) + Duration::minutes(30);
        world.cancel(id, reason, manager()).unwrap();
        let mut amounts = refunded(&world);
        amounts.sort_unstable();
        assert_eq!(amounts, [DEPOSIT, TOTAL - DEPOSIT]);
        assert_eq!(world.reservation(id).held_money(), Money::xof(0));
    }
}

#[test]
fn a_manager_without_a_reason_is_refused() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(2));
    let reservation = world.load(id);
    let cancel = Cancel {
        reservation: &reservation,
        sources: &[],
        reason: CancelReason::Manager,
        note: None,
        by: manager(),
        now: world.now,
    };
    assert_eq!(cancel.decide(), Err(Refusal::ReasonRequired));
}

#[test]
fn a_client_cannot_claim_the_weather_and_a_gatekeeper_cannot_cancel() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(2));
    let code = "reservation.role_not_allowed";
    assert_eq!(world.cancel(id, CancelReason::Weather, client()), refused(code));
    assert_eq!(world.cancel(id, CancelReason::Client, person(Role::Gatekeeper, 2)), refused(code));
    assert_eq!(world.cancel(id, CancelReason::Closure, client()), refused(code));
}

#[test]
fn a_preview_says_the_money_and_writes_nothing() {
    let mut world = World::new();
    let id = paid(&mut world, 2);
    let reservation = world.load(id);
    let (sources, note) = (&[], None);
    let at = |now| {
        Cancel {
            reservation: &reservation,
            sources,
            reason: CancelReason::Client,
            note: note.clone(),
            by: client(),
            now,
        }
        .preview()
        .unwrap()
    };
    let early = at(evening(2) - Duration::hours(13));
    assert_eq!((early.refund, early.kept), (Money::xof(TOTAL), Money::xof(0)));
    let late = at(evening(2) - Duration::hours(1));
    assert_eq!((late.refund, late.kept), (Money::xof(TOTAL - DEPOSIT), Money::xof(DEPOSIT)));
    assert_eq!(late.free_until, evening(2) - Duration::hours(12));
}

#[test]
fn cancelling_twice_refunds_once() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(2));
    world.cancel(id, CancelReason::Client, client()).unwrap();
    assert_eq!(world.cancel(id, CancelReason::Client, client()), Ok(vec![]));
    assert_eq!(refunded(&world), [DEPOSIT]);
}

#[test]
fn a_cancellation_must_be_decided_with_every_payment() {
    let mut world = World::new();
    let (id, payment_id) = world.confirm(evening(2));
    let forgot = world.with_sources(id, |reservation, _, now| {
        let (sources, reason, note, by) = (&[][..], CancelReason::Client, None, client());
        Cancel { reservation, sources, reason, note, by, now }.decide().map_err(|refusal| {
            assert_eq!(refusal, Refusal::PaymentMissing { payment_id });
            refusal
        })
    });
    assert_eq!(forgot, refused("reservation.payment_missing"));
}

#[test]
fn cash_goes_back_as_cash() {
    let mut world = World::new();
    let (id, _) = world.place(&Booking::manual(evening(2)), CASH_DEPOSIT).unwrap();
    world.cancel(id, CancelReason::Weather, manager()).unwrap();
    assert_eq!(world.refunds()[0].route, Route::Cash);
}

// Reschedule

#[test]
fn a_reschedule_frees_and_takes_in_one_step_also_onto_itself() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(2));
    let half_an_hour_later = evening(2) + Duration::minutes(30);
    assert_eq!(world.reschedule(id, half_an_hour_later, TOTAL, client()), Ok(vec!["reservation.rescheduled"]));
    assert_eq!(world.reservation(id).terms.unwrap().slot, slot(half_an_hour_later));
    let (other, _) = world.confirm(evening(3));
    assert_eq!(world.reschedule(other, half_an_hour_later, TOTAL, client()), Err(No::SlotTaken));
    assert_eq!(world.blocking().len(), 2);
}

#[test]
fn a_client_moves_once_and_until_6_hours_before_a_manager_always() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(2));
    world.now = evening(2) - Duration::hours(6) + Duration::seconds(1);
    let late = world.reschedule(id, evening(4), TOTAL, client());
    assert_eq!(late, refused("reservation.too_late_to_reschedule"));
    assert!(world.reschedule(id, evening(4), TOTAL, manager()).is_ok());
    world.now = evening(4) - Duration::hours(6);
    assert!(world.reschedule(id, evening(5), TOTAL, client()).is_ok(), "the manager's move did not count");
    assert_eq!(world.reschedule(id, evening(6), TOTAL, client()), refused("reservation.reschedules_used"));
    assert!(world.reschedule(id, evening(6), TOTAL, manager()).is_ok());
}

#[test]
fn a_refusal_names_its_rule_with_value_and_version() {
    use crate::refusal::Refused;

    let mut world = World::new();
    let (id, _) = world.confirm(evening(0));
    world.now = evening(0) - Duration::hours(1);
    let reservation = world.load(id);
    let site = crate::decision::Read { stream: SITE.into(), version: 7 };
    let (to, price) = (slot(evening(1)), price(evening(1), TOTAL, DEPOSIT));
    let moving = Reschedule { reservation: &reservation, to, price, site, sources: &[], by: client(), now: world.now };
    let refusal = moving.decide().unwrap_err();
    let rule = refusal.rule().unwrap();
    assert_eq!((rule.name, rule.value.as_str(), rule.version), ("reschedule_minutes", "360", 7));
    assert_eq!(refusal.to_string(), "it can be moved until 2026-11-23 12:00:00 UTC, 360 minutes before the start");
}

#[test]
fn a_cheaper_slot_gives_the_excess_back_and_a_dearer_one_leaves_a_difference() {
    let mut world = World::new();
    let id = paid(&mut world, 2);
    world.reschedule(id, evening(3), TOTAL - 4_000, manager()).unwrap();
    assert_eq!(refunded(&world), [4_000]);
    assert_eq!(world.refunds()[0].reason, Reason::Reschedule);
    assert_eq!(world.reservation(id).balance_due(), Money::xof(0));
    world.reschedule(id, evening(4), TOTAL + 6_000, manager()).unwrap();
    let state = world.reservation(id);
    assert_eq!((state.difference_due(), state.balance_due()), (Money::xof(10_000), Money::xof(10_000)));
    let difference = world.request(id, Purpose::Difference).unwrap();
    world.open(difference).unwrap();
    assert_eq!(world.land(difference, "T_difference", 10_000), Ok(Row::Allocated));
    assert_eq!(world.reservation(id).difference_due(), Money::xof(0));
}

#[test]
fn the_deposit_follows_a_reschedule() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(2));
    world.reschedule(id, evening(3), 3 * TOTAL, client()).unwrap();
    let state = world.reservation(id);
    assert_eq!(state.deposit_due(), Money::xof(0), "nothing more is due before the game");
    assert_eq!(state.balance_due(), Money::xof(3 * TOTAL - DEPOSIT));
    world.reschedule(id, evening(4), DEPOSIT - 2_000, manager()).unwrap();
    assert_eq!(refunded(&world), [2_000]);
    assert_eq!(world.reservation(id).held_money(), Money::xof(DEPOSIT - 2_000));
}

#[test]
fn only_what_is_confirmed_can_be_moved() {
    let mut world = World::new();
    let (id, _) = world.hold(evening(2));
    assert_eq!(world.reschedule(id, evening(3), TOTAL, client()), refused("reservation.not_confirmed"));
}

/// Rows hold the state as it was when they were written; a new member must not make them unreadable.
#[test]
fn a_state_that_an_older_program_kept_is_read() {
    let mut world = World::new();
    let (reservation, _) = world.confirm(evening(2));
    let state = world.reservation(reservation);
    let mut kept = serde_json::to_value(&state).unwrap();
    // As of before contracts, shares and splits.
    let terms = kept["terms"].as_object_mut().unwrap();
    assert!(terms.remove("contract").is_some());
    kept.as_object_mut().unwrap().remove("split");
    kept["receipts"][0].as_object_mut().unwrap().remove("share_id");
    assert_eq!(serde_json::from_value::<crate::reservation::Reservation>(kept).unwrap(), state);
}
