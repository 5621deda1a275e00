//! What is held of a client's is spent once, and comes back when what it paid for does.

use crate::{
    contract::{Contract, Flow},
    event::Event,
    ids::PaymentId,
    payment::{Method, Row},
    policy::BasisPoints,
    refund::Route,
    reservation::{CancelReason, Purpose, Status},
    spec::{
        ledgers::balance,
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager},
        world::{No, World},
    },
};

/// Somebody who paid `more` than the whole price, by Wave, under this flow.
fn rich_by(more: i64, contract: Contract) -> World {
    let mut world = World::new();
    let booking = Booking { contract, ..Booking::online(evening(1)) };
    let (_, payment) = world.place(&booking, Paying::Online(Method::Wave, Purpose::Deposit)).unwrap();
    world.open(payment).unwrap();
    assert_eq!(world.land(payment, "T0", TOTAL + more), Ok(Row::Confirmed));
    world
}

fn rich(more: i64) -> World {
    rich_by(more, Contract::default())
}

fn flow(flow: Flow) -> Contract {
    Contract { flow, commission: BasisPoints(1_000), merchant_account: None }
}

#[test]
fn a_deposit_from_credit_confirms_at_once() {
    let mut world = rich(15_000);
    let from = world.log.len();
    let (reservation, payment) = world.place(&Booking::online(evening(2)), Paying::Credit(Purpose::Deposit)).unwrap();
    let names: Vec<_> = world.names()[from..].to_vec();
    assert_eq!(
        names,
        [
            "reservation.held",
            "reservation.payment_received",
            "reservation.confirmed",
            "payment.requested",
            "payment.succeeded",
            "client.credit_spent"
        ]
    );
    assert_eq!(world.reservation(reservation).status, Status::Confirmed);
    assert_eq!(world.payment(payment).request.unwrap().method, Method::Credit);
    assert_eq!(world.credit(), 3_000);
    assert!(world.counted().is_empty(), "a confirmed one is no unpaid hold: {:?}", world.counted());
}

#[test]
fn more_than_there_is_cannot_be_spent() {
    let mut world = rich(DEPOSIT - 1);
    let refused = world.place(&Booking::online(evening(2)), Paying::Credit(Purpose::Deposit));
    assert_eq!(refused, Err(No::Refused("credit.insufficient")));
    assert_eq!(world.credit(), DEPOSIT - 1);
}

#[test]
fn two_tabs_cannot_spend_it_twice() {
    let mut world = rich(DEPOSIT);
    let (one, _) = world.place(&Booking::online(evening(2)), Paying::Later).unwrap();
    let (other, _) = world.place(&Booking::online(evening(3)), Paying::Later).unwrap();
    let decide = |world: &World, id, payment: u128| {
        let payment = crate::aggregate::Loaded::new(PaymentId::new(uuid::Uuid::from_u128(payment)));
        let (reservation, client_now) = (world.load(id), world.load(crate::spec::world::CLIENT));
        let (purpose, share_id, by, now) = (Purpose::Deposit, None, client(), world.now);
        crate::payment::Spend {
            reservation: &reservation,
            payment: &payment,
            client: &client_now,
            purpose,
            share_id,
            by,
            now,
        }
        .decide()
        .unwrap()
    };
    // Both decided on the same credit.
    let (first, second) = (decide(&world, one, 0xF1), decide(&world, other, 0xF2));
    world.append(&first).unwrap();
    assert_eq!(world.append(&second), Err(No::Conflict));
    assert_eq!(world.spend(other, Purpose::Deposit, None, client()), Err(No::Refused("credit.insufficient")));
    assert_eq!(world.credit(), 0);
}

#[test]
fn nobody_but_its_owner_and_who_books_for_them_spends_it() {
    let mut world = rich(TOTAL);
    let (reservation, _) = world.place(&Booking::online(evening(2)), Paying::Later).unwrap();
    let refused = Err(No::Refused("payment.role_not_allowed"));
    assert_eq!(world.spend(reservation, Purpose::Deposit, None, manager()), refused);
    assert_eq!(world.record(reservation, Method::Credit, DEPOSIT, manager()), refused);
    let walk_in = Booking { client: None, ..Booking::manual(evening(3)) };
    let (walk_in, _) = world.place(&walk_in, Paying::Later).unwrap();
    assert_eq!(world.spend(walk_in, Purpose::Deposit, None, client()), Err(No::Refused("payment.no_client")));
}

#[test]
fn what_was_paid_from_credit_goes_back_to_credit_by_itself() {
    let mut world = rich(DEPOSIT);
    let (reservation, _) = world.place(&Booking::online(evening(2)), Paying::Credit(Purpose::Deposit)).unwrap();
    assert_eq!(world.credit(), 0);
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    let refund = world.refunds()[0].clone();
    assert_eq!((refund.route, refund.method), (Route::Credit, Method::Credit));
    world.submit(refund.refund_id).unwrap();
    assert_eq!(world.credit(), DEPOSIT);
    // And can be spent again.
    world.place(&Booking::online(evening(3)), Paying::Credit(Purpose::Deposit)).unwrap();
    assert_eq!(world.credit(), 0);
}

/// docs/ledger.md, "Credit spent elsewhere": 12 000 credited under one flow, spent on a game under another, which is
/// played.
#[test]
fn credit_of_one_flow_pays_under_another_and_the_books_balance() {
    let site = crate::spec::world::SITE;
    let on = |world: &World| {
        let of = |account: &str| balance(world, account);
        [
            of("provider:wave:clearing"),
            of(&format!("site:{site}:payable")),
            of(&format!("site:{site}:collected")),
            of(&format!("site:{site}:commission_due")),
            of("platform:commission"),
            of("deposits:unearned"),
        ]
    };
    let (platform, manager) = (Flow::PlatformCollects, Flow::ManagerCollects);
    // What the second game adds: wave, payable, collected, commission_due, commission, unearned.
    let table = [
        (platform, platform, [0, -10_800, 0, 0, -1_200, 0]),
        (platform, manager, [0, 0, -12_000, 1_200, -1_200, 0]),
        (manager, platform, [0, -10_800, 0, 0, -1_200, 0]),
        (manager, manager, [0, 0, -12_000, 1_200, -1_200, 0]),
    ];
    for (credited, spent, expected) in table {
        let mut world = rich_by(DEPOSIT, flow(credited));
        let before = on(&world);
        let booking = Booking { contract: flow(spent), ..Booking::online(evening(2)) };
        let (reservation, _) = world.place(&booking, Paying::Credit(Purpose::Deposit)).unwrap();
        world.now = evening(2);
        world.check_in(reservation).unwrap();
        let added: Vec<i64> = on(&world).iter().zip(before).map(|(after, before)| after - before).collect();
        assert_eq!(added, expected, "{credited:?}, then {spent:?}");
        let credit = format!("client:{}:credit", crate::spec::world::CLIENT);
        assert_eq!(balance(&world, &credit), 0);
    }
}

#[test]
fn a_credit_of_a_site_that_collects_and_is_spent_there_again_is_square() {
    let mut world = rich_by(DEPOSIT, flow(Flow::ManagerCollects));
    let collected = format!("site:{}:collected", crate::spec::world::SITE);
    let booking = Booking { contract: flow(Flow::ManagerCollects), ..Booking::online(evening(2)) };
    let (reservation, _) = world.place(&booking, Paying::Credit(Purpose::Deposit)).unwrap();
    world.now = evening(2);
    world.check_in(reservation).unwrap();
    // Of the first game, whose deposit and balance are not earned yet: nothing else.
    assert_eq!(balance(&world, &collected), TOTAL);
}

#[test]
fn nothing_happens_by_a_word_of_the_provider_about_credit() {
    let mut world = rich(DEPOSIT);
    let (_, payment) = world.place(&Booking::online(evening(2)), Paying::Credit(Purpose::Deposit)).unwrap();
    assert_eq!(world.land(payment, "T9", DEPOSIT), Err(No::Refused("payment.by_hand")));
    let spent = |event: &&Event| event.name() == "client.credit_spent";
    assert_eq!(world.log.iter().map(|(_, event)| event).filter(spent).count(), 1);
}
