//! What a payout may do, step by step.

use chrono::Duration;
use uuid::Uuid;

use super::*;
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    event,
    ids::{PayoutId, PrincipalId},
    money::{Currency, Money},
    payment::{Method, ProviderId},
    place::Point,
    sealed::Sealed,
    site::{self, Destination, Profile, Site},
    spec::{
        ledgers::entries,
        story::note,
        world::{No, SITE, World, Written, person},
    },
    text::{Name, Slug, Text},
};

pub(super) fn finance(number: u128) -> Actor {
    person(Role::Finance, number)
}

fn admin() -> Actor {
    person(Role::Admin, 5)
}

pub(super) fn destination(method: Method, account: &str) -> Destination {
    Destination { method, subject: PrincipalId::new(Uuid::from_u128(0x3A7A)), account: Sealed(account.into()) }
}

/// A world with a site that has an account.
pub(super) fn world(method: Method) -> World {
    let mut world = World::new();
    let profile = Profile {
        name: Name::new("Temple du Foot").unwrap(),
        address: None,
        city: None,
        country: Text::new("SN").unwrap(),
        location: None::<Point>,
        footprint: None,
        surface: None,
        area_m2: None,
        capacity_players: None,
        house_rules: Vec::new(),
        notes: Vec::new(),
        payment_methods: Vec::new(),
    };
    let registered = site::Registered {
        site_id: SITE,
        slug: Slug::new("temple-du-foot").unwrap(),
        manager_id: PrincipalId::new(Uuid::from_u128(0x3A7A)),
        time_zone: chrono_tz::Africa::Dakar,
        currency: Currency::Xof,
        profile,
    };
    world.append(&Decision::default().then(&Loaded::<Site>::new(SITE), registered)).unwrap();
    set_account(&mut world, destination(method, "sealed")).unwrap();
    world
}

pub(super) fn set_account(world: &mut World, to: Destination) -> Written {
    let decision = site::set_payout_account(&world.load(SITE), to, admin(), world.now);
    world.write(decision)
}

/// What the ledger says, as the edge reads it: at the end of the log, for a period that ends there.
pub(super) fn payable(world: &World) -> Payable {
    let head = i64::try_from(world.log.len()).unwrap();
    let lines: Vec<i64> = entries(world)
        .into_iter()
        .flat_map(|(_, postings)| postings)
        .filter(|(account, _)| account.to_string() == format!("site:{SITE}:payable"))
        .map(|(_, amount)| amount)
        .collect();
    let owed = Money::xof(-lines.iter().sum::<i64>());
    Payable {
        up_to_position: head,
        owed,
        read_at: head,
        owed_now: owed,
        at_site: Money::xof((balance(world, &format!("cash:{SITE}:main"))).max(0)),
        lines: u32::try_from(lines.len()).unwrap(),
        digest: Text::kept_of(&format!("{lines:?}")),
    }
}

/// The latest payout and where its last event is, by the log.
pub(super) fn last(world: &World) -> Option<(Loaded<Payout>, i64)> {
    let of = |event: &event::Event| match event {
        event::Event::Payout(Event::Prepared(prepared)) => Some(prepared.payout_id),
        _ => None,
    };
    let id = world.log.iter().rev().find_map(|(_, event)| of(event))?;
    let position = world.log.iter().rposition(|(stream, _)| *stream == id.into())?;
    Some((world.load(id), i64::try_from(position).unwrap() + 1))
}

pub(super) fn prepare_now(world: &mut World, by: Actor) -> Result<PayoutId, No> {
    let payable = payable(world);
    let now = world.now;
    prepare_of(world, &payable, now, by)
}

fn prepare_of(world: &mut World, payable: &Payable, to: Timestamp, by: Actor) -> Result<PayoutId, No> {
    let id = PayoutId::new(world.id());
    let last = last(world);
    let previous = last.as_ref().map(|(payout, position)| Previous { payout, position: *position });
    let decision = prepare(id, &world.load(SITE), previous, payable, to, by, world.now);
    world.write(decision).map(|_| id)
}

pub(super) fn approve_now(world: &mut World, id: PayoutId, by: Actor) -> Written {
    let prepared = world.load::<Payout>(id).state.prepared.unwrap();
    let now = payable(world);
    let then = Payable {
        up_to_position: prepared.up_to_position,
        owed: prepared.payable,
        lines: prepared.lines,
        digest: prepared.digest,
        ..now
    };
    let decision = approve(&world.load(id), &world.load(SITE), &then, by, world.now);
    world.write(decision)
}

pub(super) fn with(
    world: &mut World,
    id: PayoutId,
    verb: impl FnOnce(&Loaded<Payout>, Timestamp) -> Result<Decision, Refusal>,
) -> Written {
    let decision = verb(&world.load(id), world.now);
    world.write(decision)
}

/// Somebody played: 12 000 are earned, 10 800 of them the site's.
pub(super) fn earn(world: &mut World, day: u32) -> crate::ids::ReservationId {
    let (reservation, _) = world.confirm(crate::spec::story::evening(day));
    world.now = crate::spec::story::evening(day);
    world.check_in(reservation).unwrap();
    reservation
}

fn balance(world: &World, account: &str) -> i64 {
    crate::spec::ledgers::balance(world, account)
}

fn of_site(world: &World) -> i64 {
    balance(world, &format!("site:{SITE}:payable"))
}

fn paid(world: &mut World) -> PayoutId {
    let id = prepare_now(world, finance(3)).unwrap();
    approve_now(world, id, finance(4)).unwrap();
    with(world, id, submit).unwrap();
    with(world, id, |it, now| succeed(it, ProviderId::new("pt-1").ok(), Some(Money::xof(108)), admin(), now)).unwrap();
    id
}

#[test]
fn a_payout_takes_two_persons_of_finance() {
    let mut world = world(Method::Wave);
    earn(&mut world, 1);
    for nobody in [person(Role::Manager, 1), admin(), person(Role::Auditor, 6), person(Role::Service, 7)] {
        assert_eq!(prepare_now(&mut world, nobody), Err(No::Refused("payout.role_not_allowed")));
    }
    let id = prepare_now(&mut world, finance(3)).unwrap();
    assert_eq!(approve_now(&mut world, id, finance(3)), Err(No::Refused("payout.same_person")));
    assert_eq!(approve_now(&mut world, id, person(Role::Admin, 4)), Err(No::Refused("payout.role_not_allowed")));
    assert_eq!(with(&mut world, id, submit), Err(No::Refused("payout.wrong_status")));
    assert_eq!(of_site(&world), -10_800, "nothing moves before both have said so");
    assert_eq!(approve_now(&mut world, id, finance(4)), Ok(vec!["payout.approved"]));
    assert_eq!(approve_now(&mut world, id, finance(4)), Ok(vec![]), "a double click is harmless");
    assert_eq!((of_site(&world), balance(&world, "payouts:payable")), (0, -10_800));
}

#[test]
fn one_that_was_prepared_by_itself_takes_two_as_well() {
    let mut world = world(Method::Wave);
    earn(&mut world, 1);
    let id = prepare_now(&mut world, Actor::SYSTEM).unwrap();
    assert_eq!(approve_now(&mut world, id, finance(3)), Ok(vec!["payout.agreed"]));
    assert_eq!(approve_now(&mut world, id, finance(3)), Err(No::Refused("payout.same_person")));
    assert_eq!(world.load::<Payout>(id).state.status, Status::Agreed);
    assert_eq!(approve_now(&mut world, id, finance(4)), Ok(vec!["payout.approved"]));
}

#[test]
fn the_ledger_follows_it_to_the_end() {
    let mut world = world(Method::Wave);
    earn(&mut world, 1);
    paid(&mut world);
    assert_eq!((of_site(&world), balance(&world, "payouts:payable")), (0, 0));
    assert_eq!(balance(&world, "provider:fees"), 108);
    assert_eq!(balance(&world, "provider:wave:clearing"), 12_000 - 10_800 - 108);
    let id = last(&world).unwrap().0.id;
    with(&mut world, id, |it, now| reverse(it, note("taken back"), now)).unwrap();
    assert_eq!(of_site(&world), -10_800, "it is the site's again");
    assert_eq!(balance(&world, "provider:wave:clearing"), 12_000 - 108);
    let again = prepare_now(&mut world, finance(3)).unwrap();
    assert_eq!(world.load::<Payout>(again).state.prepared.unwrap().amount, Money::xof(10_800));
}

#[test]
fn what_failed_is_payable_again_under_another_key() {
    let mut world = world(Method::Wave);
    earn(&mut world, 1);
    let id = prepare_now(&mut world, finance(3)).unwrap();
    approve_now(&mut world, id, finance(4)).unwrap();
    with(&mut world, id, submit).unwrap();
    with(&mut world, id, |it, now| unknown(it, note("cut off"), now)).unwrap();
    assert_eq!(prepare_now(&mut world, finance(3)), Err(No::Refused("payout.one_at_a_time")), "never while unknown");
    assert_eq!(with(&mut world, id, submit), Ok(vec![]), "and never a new key");
    with(&mut world, id, |it, now| fail(it, note("the wallet is full"), now)).unwrap();
    assert_eq!((of_site(&world), balance(&world, "payouts:payable")), (-10_800, 0));
    assert_eq!(
        with(&mut world, id, |it, now| succeed(it, None, None, admin(), now)),
        Err(No::Refused("payout.wrong_status"))
    );
    let again = prepare_now(&mut world, finance(3)).unwrap();
    let (first, second) = (world.load::<Payout>(id).state, world.load::<Payout>(again).state.prepared.unwrap());
    assert_eq!(second.amount, Money::xof(10_800));
    assert_eq!(second.after_position, first.prepared.unwrap().after_position, "its lines are told again");
    approve_now(&mut world, again, finance(4)).unwrap();
    with(&mut world, again, submit).unwrap();
    let reference = |id| world.load::<Payout>(id).state.attempt.unwrap().reference;
    assert_ne!(reference(id), reference(again));
}

#[test]
fn money_that_went_back_after_it_was_paid_makes_the_next_one_smaller() {
    let mut world = world(Method::Wave);
    let reservation = earn(&mut world, 1);
    paid(&mut world);
    let payment = world.reservation(reservation).paying()[0];
    let refund = world.ask_refund(payment, Some(5_000), person(Role::Manager, 1)).unwrap();
    assert_eq!(world.refund(refund).status, crate::refund::Status::Approved);
    assert_eq!(of_site(&world), 4_500, "the site owes it");
    assert_eq!(prepare_now(&mut world, finance(3)), Err(No::Refused("payout.below_minimum")));
    earn(&mut world, 3);
    let id = prepare_now(&mut world, finance(3)).unwrap();
    assert_eq!(world.load::<Payout>(id).state.prepared.unwrap().amount, Money::xof(10_800 - 4_500));
}

#[test]
fn less_than_the_minimum_is_carried_over() {
    let mut world = world(Method::Wave);
    assert_eq!(prepare_now(&mut world, finance(3)), Err(No::Refused("payout.below_minimum")));
    for (owed, fits) in [(-5, false), (0, false), (999, false), (1_000, true)] {
        let owed = Money::xof(owed);
        let payable = Payable { owed, owed_now: owed, ..payable(&world) };
        let planned = plan(&world.load(SITE), None, &payable, world.now, world.now);
        assert_eq!(planned.is_ok(), fits, "{owed}");
    }
}

#[test]
fn what_is_held_stays_until_it_is_released() {
    let mut world = world(Method::Wave);
    earn(&mut world, 1);
    let hold = |world: &mut World, amount: Option<i64>, by| {
        let decision = site::hold_payouts(&world.load(SITE), amount.map(Money::xof), note("a dispute"), by, world.now);
        world.write(decision)
    };
    assert_eq!(hold(&mut world, None, person(Role::Manager, 1)), Err(No::Refused("site.role_not_allowed")));
    assert_eq!(hold(&mut world, Some(0), finance(3)), Err(No::Refused("site.payout_hold")));
    hold(&mut world, None, finance(3)).unwrap();
    assert_eq!(prepare_now(&mut world, finance(3)), Err(No::Refused("payout.held_back")));
    hold(&mut world, Some(4_000), finance(3)).unwrap();
    let id = prepare_now(&mut world, finance(3)).unwrap();
    let prepared = world.load::<Payout>(id).state.prepared.unwrap();
    assert_eq!((prepared.held, prepared.amount), (Money::xof(4_000), Money::xof(6_800)));
    hold(&mut world, Some(4_001), finance(3)).unwrap();
    assert_eq!(approve_now(&mut world, id, finance(4)), Err(No::Refused("payout.more_than_payable")));
    hold(&mut world, Some(4_000), finance(3)).unwrap();
    approve_now(&mut world, id, finance(4)).unwrap();
    with(&mut world, id, submit).unwrap();
    with(&mut world, id, |it, now| succeed(it, None, None, admin(), now)).unwrap();
    let released = site::release_payouts(&world.load(SITE), note("settled"), finance(3), world.now);
    world.write(released).unwrap();
    let id = prepare_now(&mut world, finance(3)).unwrap();
    assert_eq!(world.load::<Payout>(id).state.prepared.unwrap().amount, Money::xof(4_000));
}

#[test]
fn what_went_back_since_the_period_is_not_paid() {
    let mut world = world(Method::Wave);
    let reservation = earn(&mut world, 1);
    let (then, to) = (payable(&world), world.now);
    world.pass(60);
    let payment = world.reservation(reservation).paying()[0];
    world.ask_refund(payment, Some(5_000), person(Role::Manager, 1)).unwrap();
    let now = payable(&world);
    let both = Payable { read_at: now.read_at, owed_now: now.owed, ..then };
    let id = prepare_of(&mut world, &both, to, finance(3)).unwrap();
    let prepared = world.load::<Payout>(id).state.prepared.unwrap();
    assert_eq!((prepared.payable, prepared.taken_back), (Money::xof(10_800), Money::xof(4_500)));
    assert_eq!(prepared.amount, Money::xof(6_300));
    // More goes back before the second person looks.
    world.ask_refund(payment, Some(1_000), person(Role::Manager, 1)).unwrap();
    assert_eq!(approve_now(&mut world, id, finance(4)), Err(No::Refused("payout.more_than_payable")));
}

#[test]
fn a_ledger_read_before_the_last_payout_ended_says_nothing() {
    let mut world = world(Method::Wave);
    earn(&mut world, 1);
    let stale = payable(&world);
    paid(&mut world);
    world.pass(1);
    let (now, old) = (world.now, world.now - Duration::minutes(1));
    assert_eq!(prepare_of(&mut world, &stale, old, finance(3)), Err(No::Refused("payout.before_the_last")));
    let fresh = Payable { up_to_position: stale.up_to_position, ..payable(&world) };
    assert_eq!(prepare_of(&mut world, &fresh, now, finance(3)), Err(No::Refused("payout.before_the_last")));
    let later = now + Duration::seconds(1);
    let fresh = payable(&world);
    assert_eq!(prepare_of(&mut world, &fresh, later, finance(3)), Err(No::Refused("payout.not_over")));
}

#[test]
fn two_cannot_follow_the_same_payout() {
    let mut world = world(Method::Wave);
    earn(&mut world, 1);
    let (id, other) = (PayoutId::new(world.id()), PayoutId::new(world.id()));
    let site = world.load(SITE);
    let seen = payable(&world);
    let decide = |id, now| prepare(id, &site, None, &seen, now, finance(3), now);
    let (one, two) = (decide(id, world.now), decide(other, world.now));
    world.write(one).unwrap();
    assert_eq!(world.write(two), Err(No::NotUnique), "somebody was faster");
    // Not even after it was rejected: the next one follows it by name.
    with(&mut world, id, |it, now| reject(it, note("no"), finance(3), now)).unwrap();
    let late = decide(other, world.now);
    assert_eq!(world.write(late), Err(No::NotUnique));
    let next = prepare_now(&mut world, finance(3)).unwrap();
    assert_eq!(world.load::<Payout>(next).state.prepared.unwrap().follows, Some(id));
}

#[test]
fn a_new_account_rests_for_a_day_and_is_agreed_on_anew() {
    let mut world = world(Method::Wave);
    earn(&mut world, 1);
    let id = prepare_now(&mut world, finance(3)).unwrap();
    set_account(&mut world, destination(Method::Wave, "somebody else's")).unwrap();
    assert_eq!(approve_now(&mut world, id, finance(4)), Err(No::Refused("payout.account_rests")));
    world.pass(24 * 60);
    assert_eq!(approve_now(&mut world, id, finance(4)), Err(No::Refused("payout.account_changed")));
    with(&mut world, id, |it, now| reject(it, note("another account"), finance(4), now)).unwrap();
    assert!(prepare_now(&mut world, finance(3)).is_ok());
}

#[test]
fn nobody_but_an_admin_says_where_a_site_is_paid() {
    let mut world = world(Method::Wave);
    for by in [finance(3), person(Role::Manager, 1), person(Role::Service, 9)] {
        let decision = site::set_payout_account(&world.load(SITE), destination(Method::Wave, "x"), by, world.now);
        assert_eq!(world.write(decision), Err(No::Refused("site.role_not_allowed")));
    }
    for method in [Method::Cash, Method::OnAccount, Method::Card] {
        assert_eq!(set_account(&mut world, destination(method, "x")), Err(No::Refused("site.payout_method")));
    }
}

#[test]
fn what_the_site_has_in_its_till_is_not_sent_to_it() {
    let mut world = world(Method::Wave);
    let reservation = earn(&mut world, 1);
    // The rest of the price is paid at the gate.
    world.record(reservation, Method::Cash, 8_000, person(Role::Manager, 1)).unwrap();
    assert_eq!(balance(&world, &format!("cash:{SITE}:main")), 8_000);
    let id = prepare_now(&mut world, finance(3)).unwrap();
    let prepared = world.load::<Payout>(id).state.prepared.unwrap();
    assert_eq!((prepared.payable, prepared.at_site), (Money::xof(18_000), Money::xof(8_000)));
    // Of 12 000 by Wave and 8 000 in cash a tenth is the platform's: it has it out of what came by Wave.
    assert_eq!(prepared.amount, Money::xof(10_000));
    approve_now(&mut world, id, finance(4)).unwrap();
    with(&mut world, id, submit).unwrap();
    with(&mut world, id, |it, now| succeed(it, None, None, admin(), now)).unwrap();
    assert_eq!(of_site(&world), -8_000, "as much as the till holds, and no more");
    let again = prepare_now(&mut world, finance(3));
    assert_eq!(again, Err(No::Refused("payout.below_minimum")), "nor the next time");
}

#[test]
fn a_transfer_is_recorded_by_whoever_made_it() {
    let mut world = world(Method::Transfer);
    earn(&mut world, 1);
    let id = prepare_now(&mut world, finance(3)).unwrap();
    let reference = || Text::new("VIR-17").unwrap();
    let by_hand = |world: &mut World, by| with(world, id, |it, now| pay_by_hand(it, reference(), by, now));
    assert_eq!(by_hand(&mut world, finance(3)), Err(No::Refused("payout.wrong_status")), "before two have said so");
    approve_now(&mut world, id, finance(4)).unwrap();
    assert_eq!(with(&mut world, id, submit), Err(No::Refused("payout.by_hand")));
    assert_eq!(by_hand(&mut world, admin()), Err(No::Refused("payout.role_not_allowed")));
    assert_eq!(by_hand(&mut world, finance(3)), Ok(vec!["payout.paid_by_hand"]));
    assert_eq!(by_hand(&mut world, finance(3)), Ok(vec![]));
    assert_eq!((balance(&world, "platform:bank"), balance(&world, "payouts:payable")), (-10_800, 0));
    let mut other = super::tests::world(Method::Wave);
    earn(&mut other, 1);
    let id = prepare_now(&mut other, finance(3)).unwrap();
    approve_now(&mut other, id, finance(4)).unwrap();
    assert_eq!(
        with(&mut other, id, |it, now| pay_by_hand(it, reference(), finance(3), now)),
        Err(No::Refused("payout.at_provider"))
    );
}

#[test]
fn the_provider_cannot_name_another_movement() {
    let mut world = world(Method::Wave);
    earn(&mut world, 1);
    let id = prepare_now(&mut world, finance(3)).unwrap();
    approve_now(&mut world, id, finance(4)).unwrap();
    with(&mut world, id, submit).unwrap();
    with(&mut world, id, |it, now| pending(it, ProviderId::new("pt-1").unwrap(), now)).unwrap();
    let other = || ProviderId::new("pt-2").ok();
    assert_eq!(
        with(&mut world, id, |it, now| succeed(it, other(), None, admin(), now)),
        Err(No::Refused("payout.other_movement"))
    );
    with(&mut world, id, |it, now| succeed(it, None, None, admin(), now)).unwrap();
    assert_eq!(world.load::<Payout>(id).state.attempt.unwrap().provider_id, ProviderId::new("pt-1").ok());
}

#[test]
fn a_ledger_that_says_something_else_is_for_somebody_to_look_at() {
    let mut world = world(Method::Wave);
    earn(&mut world, 1);
    let id = prepare_now(&mut world, finance(3)).unwrap();
    let prepared = world.load::<Payout>(id).state.prepared.unwrap();
    let now = payable(&world);
    for other in [
        Payable { digest: Text::new("other").unwrap(), ..now.clone() },
        Payable { lines: 9, ..now.clone() },
        Payable { owed: Money::xof(10_801), ..now.clone() },
    ] {
        let other = Payable { up_to_position: prepared.up_to_position, ..other };
        let decision = approve(&world.load(id), &world.load(SITE), &other, finance(4), world.now);
        assert_eq!(world.write(decision), Err(No::Refused("payout.lines_changed")));
    }
}
