//! Paying together: five friends on three rails, by the rails' own ledgers.

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    ids::{ClientId, PaymentId, ReservationId, ShareId},
    money::Money,
    payment::{Payment, RequestShare, reference},
    reservation::{Parts, Purpose, Reservation, Split},
};
use serde_json::json;

use super::{
    bench::{Bench, CLIENT, PRICE, at},
    rails::Kind,
    servers::Fake,
};

const FRIENDS: [&str; 5] = ["+221770000011", "+221770000012", "+221770000013", "+221770000014", "+221770000015"];

/// A pitch held without a checkout, whose price five friends share until noon.
async fn shared(bench: &Bench) -> (ReservationId, Vec<ShareId>) {
    let reservation = bench.hold_only(20).await;
    let clock = bench.store.clock();
    let ids: Vec<ShareId> = (0..5).map(|_| ShareId::new(clock.new_id())).collect();
    let split = Split {
        reservation: &bench.load::<Reservation>(reservation).await,
        payments: &[],
        of: Purpose::Full,
        parts: Parts::Equal(ids.clone()),
        quorum: None,
        deadline: at(14),
        by: Actor::new(Role::Client, bench.client.uuid().into()),
        now: clock.now(),
    };
    bench.append(split.decide().unwrap()).await.unwrap();
    (reservation, ids)
}

/// A friend asks to pay a share by a rail, and pays there.
async fn pays(bench: &Bench, of: (ReservationId, ShareId), friend: ClientId, (kind, fake): (Kind, &Fake)) -> PaymentId {
    let payment = PaymentId::new(bench.store.clock().new_id());
    let request = RequestShare {
        reservation: &bench.load::<Reservation>(of.0).await,
        payment: &Loaded::<Payment>::new(payment),
        others: &[],
        share_id: of.1,
        method: kind.method(),
        payer: Some(friend),
        by: Actor::SYSTEM,
    };
    bench.append(request.decide(bench.store.clock().now()).unwrap()).await.unwrap();
    bench.pump().await;
    fake.control(kind.deed(reference(payment.uuid(), 1).as_str(), "pay", None)).await;
    fake.control(json!({"do": "drain"})).await;
    bench.pump().await;
    assert_eq!(bench.payment(payment).await, "succeeded");
    payment
}

async fn friends(bench: &Bench) -> Vec<ClientId> {
    let mut friends = Vec::new();
    for number in FRIENDS {
        let friend = ClientId::new(bench.store.clock().new_id());
        bench.register_client(friend, number).await;
        friends.push(friend);
    }
    friends
}

async fn totals(fake: &Fake) -> (i64, i64) {
    let ledger = fake.get("/__ledger").await;
    let of = |name: &str| ledger["totals"][name].as_i64().unwrap();
    (of("charged"), of("refunded") + of("paid_out"))
}

#[tokio::test]
async fn five_friends_on_three_rails_confirm_it() {
    let mut bench = Bench::by(Kind::OrangeMoney).await;
    let yas = bench.add(Kind::Yas).await;
    let (wave, orange) = (bench.wave.clone(), bench.rail.clone());
    let rails = [
        (Kind::Wave, &wave),
        (Kind::OrangeMoney, &orange),
        (Kind::Yas, &yas),
        (Kind::Wave, &wave),
        (Kind::OrangeMoney, &orange),
    ];
    let (reservation, shares) = shared(&bench).await;
    let friends = friends(&bench).await;
    for (number, (share, rail)) in shares.iter().zip(rails).enumerate() {
        assert_eq!(bench.status(reservation).await, "held", "after {number} shares");
        pays(&bench, (reservation, *share), friends[number], rail).await;
        // The first one pledges it: nobody else has it when an ordinary hold would have ended.
        bench.pass(20 * 60).await;
    }
    assert_eq!(bench.status(reservation).await, "confirmed");
    let state = bench.load::<Reservation>(reservation).await.state;
    assert_eq!((state.received(), state.balance_due()), (Money::xof(PRICE), Money::xof(0)));
    let charged = [totals(&wave).await.0, totals(&orange).await.0, totals(&yas).await.0];
    assert_eq!(charged, [PRICE / 5 * 2, PRICE / 5 * 2, PRICE / 5]);
    let told = bench.texts(CLIENT).await;
    assert!(told.iter().any(|text| text.contains("3 sur 5")), "{told:?}");
    assert!(told.iter().any(|text| text.starts_with("Confirmé")), "{told:?}");
}

#[tokio::test]
async fn a_game_that_does_not_come_together_gives_everybody_back_what_they_paid() {
    let mut bench = Bench::by(Kind::OrangeMoney).await;
    let yas = bench.add(Kind::Yas).await;
    let (wave, orange) = (bench.wave.clone(), bench.rail.clone());
    let (reservation, shares) = shared(&bench).await;
    let friends = friends(&bench).await;
    let mut paid = Vec::new();
    for (number, rail) in [(Kind::Wave, &wave), (Kind::OrangeMoney, &orange), (Kind::Yas, &yas)].into_iter().enumerate()
    {
        paid.push(pays(&bench, (reservation, shares[number]), friends[number], rail).await);
    }
    bench.pass(5 * 3_600).await;
    assert_eq!(bench.status(reservation).await, "held");
    bench.pass(3_600 + 60).await;
    bench.pass_in_steps(4, 60).await;
    assert_eq!(bench.status(reservation).await, "expired");
    for (fake, payment) in [&wave, &orange, &yas].into_iter().zip(paid) {
        let refunds = bench.refunds(payment).await;
        assert_eq!(totals(fake).await, (PRICE / 5, PRICE / 5), "{refunds:?}");
    }
    // Each to whoever paid: Orange Money by its number, the others by their transaction.
    let cash_in = orange.get("/__calls").await;
    let calls = cash_in["calls"].as_array().unwrap();
    let to = &calls.iter().find(|call| call["call"] == "cashin.create").unwrap()["body"]["customer"]["id"];
    assert_eq!(to, FRIENDS[1].strip_prefix("+221").unwrap());
    let state = bench.load::<Reservation>(reservation).await.state;
    assert_eq!((state.received(), state.held_money()), (Money::xof(PRICE / 5 * 3), Money::xof(0)));
    // The slot is free again.
    let other = ClientId::new(bench.store.clock().new_id());
    bench.register_client(other, "+221761112233").await;
    bench.hold_for(other, 20).await.unwrap();
}

#[tokio::test]
async fn nobody_keeps_a_pitch_that_nobody_pays_a_share_of() {
    let bench = Bench::new().await;
    let (reservation, shares) = shared(&bench).await;
    assert_eq!(shares.len(), 5);
    bench.pass(15 * 60 + 1).await;
    assert_eq!(bench.status(reservation).await, "expired");
}
