//! What an invoice may do, step by step.

use chrono::Duration;

use super::*;
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    contract::{Contract, Flow},
    decision::Decision,
    event,
    ids::{InvoiceId, PrincipalId},
    ledger::Account,
    money::{Currency, Money},
    payment::Method,
    reservation::Purpose,
    site::{Registered, Site},
    spec::{
        example::profile,
        ledgers::{balance, entries},
        story::{Booking, Paying, evening, note},
        world::{No, SITE, World, Written, person},
    },
    text::{Slug, Text},
};

const CONTRACT: Contract =
    Contract { flow: Flow::ManagerCollects, commission: crate::policy::BasisPoints(1_000), merchant_account: None };

fn finance() -> Actor {
    person(Role::Finance, 3)
}

/// Somebody played at a site that collects by itself: 12 000 are earned, 1 200 of them the platform's.
fn earn(world: &mut World, day: u32) {
    let booking = Booking { contract: CONTRACT, ..Booking::online(evening(day)) };
    let (reservation, payment) = world.place(&booking, Paying::Online(Method::Wave, Purpose::Deposit)).unwrap();
    world.open(payment).unwrap();
    world.land(payment, &format!("T{day}"), 12_000).unwrap();
    world.now = evening(day);
    world.check_in(reservation).unwrap();
}

fn world() -> World {
    let mut world = World::new();
    let registered = Registered {
        site_id: SITE,
        slug: Slug::new("temple-du-foot").unwrap(),
        manager_id: PrincipalId::new(uuid::Uuid::from_u128(0x3A7A)),
        time_zone: chrono_tz::Africa::Dakar,
        currency: Currency::Xof,
        profile: profile(),
    };
    world.append(&Decision::default().then(&Loaded::<Site>::new(SITE), registered)).unwrap();
    world
}

/// What the views say at the end of the log.
fn due(world: &World) -> Due {
    let head = i64::try_from(world.log.len()).unwrap();
    let of_reservations = entries(world).into_iter().filter(|(name, _)| !name.starts_with("invoice."));
    let on = of_reservations.flat_map(|(_, postings)| postings).filter(|(it, _)| *it == Account::CommissionDue(SITE));
    let live = all(world).into_iter().filter(|invoice| invoice.state.status != Status::Cancelled);
    let invoiced = live.filter_map(|invoice| invoice.state.issued).map(|issued| issued.amount.amount).sum();
    Due {
        up_to_position: head,
        commission: Money::xof(on.map(|(_, amount)| amount).sum()),
        invoiced: Money::xof(invoiced),
        read_at: head,
    }
}

fn all(world: &World) -> Vec<Loaded<Invoice>> {
    let of = |(_, event): &(_, event::Event)| match event {
        event::Event::Invoice(Event::Issued(issued)) => Some(issued.invoice_id),
        _ => None,
    };
    world.log.iter().filter_map(of).map(|id| world.load(id)).collect()
}

fn issue_of(world: &mut World, due: &Due, to: Timestamp, by: Actor) -> Result<InvoiceId, No> {
    let id = InvoiceId::new(world.id());
    let last = all(world).pop();
    let position = |invoice: &Loaded<Invoice>| world.log.iter().rposition(|(stream, _)| *stream == invoice.id.into());
    let position = last.as_ref().and_then(position).map_or(0, |at| i64::try_from(at).unwrap() + 1);
    let previous = last.as_ref().map(|invoice| Previous { invoice, position });
    let decision = issue(id, &world.load(SITE), previous, due, to, by, world.now);
    world.write(decision).map(|_| id)
}

fn issue_now(world: &mut World, by: Actor) -> Result<InvoiceId, No> {
    let (due, now) = (due(world), world.now);
    issue_of(world, &due, now, by)
}

fn with(
    world: &mut World,
    id: InvoiceId,
    verb: impl FnOnce(&Loaded<Invoice>, Timestamp) -> Result<Decision, Refusal>,
) -> Written {
    let decision = verb(&world.load(id), world.now);
    world.write(decision)
}

fn reference() -> Text<60> {
    Text::new("VIR-1").unwrap()
}

fn amount(world: &World, id: InvoiceId) -> i64 {
    world.load::<Invoice>(id).state.issued.unwrap().amount.amount
}

#[test]
fn commission_is_asked_for_once_whatever_became_of_the_invoice() {
    let mut world = world();
    assert_eq!(issue_now(&mut world, finance()), Err(No::Refused("invoice.below_minimum")));
    earn(&mut world, 1);
    let first = issue_now(&mut world, Actor::SYSTEM).unwrap();
    assert_eq!(amount(&world, first), 1_200);
    assert_eq!(issue_now(&mut world, finance()), Err(No::Refused("invoice.below_minimum")));
    earn(&mut world, 2);
    with(&mut world, first, |it, now| pay(it, reference(), finance(), now)).unwrap();
    let second = issue_now(&mut world, finance()).unwrap();
    assert_eq!(amount(&world, second), 1_200, "what was paid is not asked for again");
    with(&mut world, second, |it, now| cancel(it, note("wrong"), finance(), now)).unwrap();
    let third = issue_now(&mut world, finance()).unwrap();
    let issued = world.load::<Invoice>(third).state.issued.unwrap();
    assert_eq!((issued.amount, issued.number, issued.follows), (Money::xof(1_200), 3, Some(second)));
}

#[test]
fn an_invoice_moves_money_when_it_is_paid() {
    let mut world = world();
    earn(&mut world, 1);
    let on = |world: &World, account: &str| balance(world, account);
    let due = format!("site:{SITE}:commission_due");
    let id = issue_now(&mut world, finance()).unwrap();
    assert_eq!((on(&world, &due), on(&world, "platform:bank")), (1_200, 0));
    with(&mut world, id, |it, now| pay(it, reference(), finance(), now)).unwrap();
    assert_eq!((on(&world, &due), on(&world, "platform:bank")), (0, 1_200));
    assert_eq!(with(&mut world, id, |it, now| pay(it, reference(), finance(), now)), Ok(vec![]));
    let other = Text::new("VIR-2").unwrap();
    assert_eq!(
        with(&mut world, id, |it, now| pay(it, other, finance(), now)),
        Err(No::Refused("invoice.wrong_status"))
    );
    assert_eq!(
        with(&mut world, id, |it, now| cancel(it, note("late"), finance(), now)),
        Err(No::Refused("invoice.wrong_status"))
    );
}

#[test]
fn it_is_overdue_when_its_day_is_over_and_not_before() {
    let mut world = world();
    earn(&mut world, 1);
    let id = issue_now(&mut world, finance()).unwrap();
    world.now += Duration::days(DAYS_TO_PAY) - Duration::seconds(1);
    assert_eq!(with(&mut world, id, become_overdue), Ok(vec![]));
    world.now += Duration::seconds(1);
    assert_eq!(with(&mut world, id, become_overdue), Ok(vec!["invoice.became_overdue"]));
    assert_eq!(with(&mut world, id, become_overdue), Ok(vec![]), "once");
    with(&mut world, id, |it, now| pay(it, reference(), finance(), now)).unwrap();
    assert_eq!(with(&mut world, id, become_overdue), Ok(vec![]));
    let ended = world.load::<Invoice>(id).state;
    assert_eq!((ended.status, ended.overdue_since.is_some()), (Status::Paid, true));
}

#[test]
fn nobody_but_finance_asks_settles_and_cancels() {
    let mut world = world();
    earn(&mut world, 1);
    let id = issue_now(&mut world, finance()).unwrap();
    earn(&mut world, 2);
    for by in [Role::Manager, Role::Admin, Role::Auditor, Role::Service].map(|role| person(role, 7)) {
        assert_eq!(issue_now(&mut world, by), Err(No::Refused("invoice.role_not_allowed")));
        let refused = Err(No::Refused("invoice.role_not_allowed"));
        assert_eq!(with(&mut world, id, |it, now| pay(it, reference(), by, now)), refused);
        assert_eq!(with(&mut world, id, |it, now| cancel(it, note("no"), by, now)), refused);
    }
}

#[test]
fn two_cannot_follow_the_same_invoice_nor_ask_on_what_is_old() {
    let mut world = world();
    earn(&mut world, 1);
    let seen = due(&world);
    let (one, two) = (InvoiceId::new(world.id()), InvoiceId::new(world.id()));
    let decide = |world: &World, id| issue(id, &world.load(SITE), None, &seen, world.now, finance(), world.now);
    let (first, second) = (decide(&world, one), decide(&world, two));
    world.write(first).unwrap();
    assert_eq!(world.write(second), Err(No::NotUnique));
    // A view that has not seen the first one would ask for the same again.
    earn(&mut world, 2);
    let old = Due { read_at: seen.read_at, invoiced: Money::xof(0), ..due(&world) };
    let now = world.now;
    assert_eq!(issue_of(&mut world, &old, now, finance()), Err(No::Refused("invoice.before_the_last")));
    let later = now + Duration::seconds(1);
    let fresh = due(&world);
    assert_eq!(issue_of(&mut world, &fresh, later, finance()), Err(No::Refused("invoice.not_over")));
    assert!(issue_of(&mut world, &fresh, now, finance()).is_ok());
}
