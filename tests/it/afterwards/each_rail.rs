//! Each row of the late-money table (domain.md, Payment), on each rail, by the rail's own ledger.

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    client::Client,
    ids::{ClientId, PaymentId, ReservationId},
    money::Money,
    payment::{Payment, Request},
    reservation::{Purpose, Reservation},
};
use serde_json::json;

use super::{
    bench::{Bench, CLIENT, DEPOSIT, PRICE},
    rails::{Kind, on_each_rail},
};

on_each_rail!(
    row_1_money_while_the_hold_is_alive_confirms,
    row_2_late_money_confirms_while_the_cells_are_free,
    row_3_late_money_is_not_kept_when_the_cells_are_taken,
    row_4_too_little_never_confirms_and_more_than_the_price_is_credit,
    row_5_a_second_payment_is_not_kept,
    row_6_money_after_the_client_cancelled_follows_the_policy,
    row_7_a_silent_provider_is_asked_until_it_tells,
    an_unpaid_hold_ends_at_the_latest_after_its_grace,
    a_checkout_whose_answer_was_lost_charges_nobody_twice,
    a_provider_that_answers_nonsense_is_asked_again,
    a_message_a_hundred_times_is_one_payment,
);
// By the group's page as well; nobody can pay another amount there, so that there is no row 4.
on_each_rail!(@ webpay WebPay row_1_money_while_the_hold_is_alive_confirms row_2_late_money_confirms_while_the_cells_are_free row_3_late_money_is_not_kept_when_the_cells_are_taken row_5_a_second_payment_is_not_kept row_6_money_after_the_client_cancelled_follows_the_policy row_7_a_silent_provider_is_asked_until_it_tells an_unpaid_hold_ends_at_the_latest_after_its_grace a_checkout_whose_answer_was_lost_charges_nobody_twice a_provider_that_answers_nonsense_is_asked_again a_message_a_hundred_times_is_one_payment);

/// Charged, given back and paid out, by the provider's own ledger, in which nothing happened twice.
pub async fn books(bench: &Bench) -> (i64, i64) {
    let ledger = bench.rail.get("/__ledger").await;
    for repeated in ["charges", "refunds", "payouts"] {
        let twice = ledger["repeated"][repeated].as_array().map_or(0, Vec::len);
        assert_eq!(twice, 0, "{repeated}: {ledger}");
    }
    let total = |name: &str| ledger["totals"][name].as_i64().unwrap();
    (total("charged"), total("refunded") + total("paid_out"))
}

/// All that was received went back to the payer or is the client's credit.
async fn none_is_kept(bench: &Bench, payments: &[PaymentId], amount: i64) {
    // A refund may be accepted first and done a little later.
    bench.pass_in_steps(6, 60).await;
    let credit = bench.load::<Client>(bench.client).await.state.credits;
    let credit: i64 = payments.iter().filter_map(|payment| credit.get(payment)).map(|credit| credit.amount).sum();
    let (_, back) = books(bench).await;
    assert_eq!(back + credit, amount, "{:?}: {back} went back, {credit} are credit", bench.kind);
    // Cards cannot be sent money, and PayDunya takes no payment back; Orange's page does neither.
    assert_eq!(credit > 0, matches!(bench.kind, Kind::Card | Kind::WebPay));
    for payment in payments {
        for (_, status, _) in bench.refunds(*payment).await {
            assert_eq!(status, "succeeded");
        }
    }
}

/// The provider can be asked and told nothing until the grace is over; the payer pays meanwhile, unseen.
async fn paid_in_the_dark(bench: &Bench) -> (ReservationId, PaymentId) {
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.rail.control(json!({"do": "webhooks", "next": "drop", "times": 0})).await;
    for call in bench.kind.questions() {
        let dark = json!({"do": "fail", "call": call, "how": "status", "status": 503, "times": 500});
        bench.rail.control(dark).await;
    }
    bench.pass(14 * 60).await;
    bench.pay(payment).await;
    bench.pass_in_steps(6, 50).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("expired", "unknown"));
    (reservation, payment)
}

async fn ask_again(bench: &Bench, reservation: ReservationId) -> PaymentId {
    let payment = PaymentId::new(bench.store.clock().new_id());
    let request = Request {
        reservation: &bench.load::<Reservation>(reservation).await,
        payment: &Loaded::<Payment>::new(payment),
        method: bench.kind.method(),
        purpose: Purpose::Deposit,
        by: Actor::new(Role::Client, bench.client.uuid().into()),
    };
    bench.append(request.decide(bench.store.clock().now()).unwrap()).await.unwrap();
    bench.pump().await;
    payment
}

async fn row_1_money_while_the_hold_is_alive_confirms(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.confirmed(20).await;
    assert_eq!(bench.inbox().await, [("applied".to_owned(), 1)], "by its own webhook");
    let state = bench.load::<Payment>(payment).await.state;
    assert_eq!(state.captures.len(), 1);
    assert_eq!((state.captured(), books(&bench).await), (Money::xof(DEPOSIT), (DEPOSIT, 0)));
    assert_eq!(bench.load::<Reservation>(reservation).await.state.balance_due(), Money::xof(PRICE - DEPOSIT));
    // Asked again later, the provider tells no news.
    bench.pass_in_steps(4, 600).await;
    assert_eq!((bench.status(reservation).await, bench.refunds(payment).await), ("confirmed", vec![]));
}

async fn row_2_late_money_confirms_while_the_cells_are_free(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = paid_in_the_dark(&bench).await;
    bench.rail.control(json!({"do": "heal"})).await;
    bench.pass_in_steps(4, 600).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("confirmed", "succeeded"));
    assert_eq!((bench.refunds(payment).await, books(&bench).await), (vec![], (DEPOSIT, 0)));
}

async fn row_3_late_money_is_not_kept_when_the_cells_are_taken(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = paid_in_the_dark(&bench).await;
    let other = ClientId::new(bench.store.clock().new_id());
    bench.register_client(other, "+221761112233").await;
    let (winner, _) = bench.hold_for(other, 20).await.unwrap();
    bench.rail.control(json!({"do": "heal"})).await;
    bench.pass_in_steps(4, 600).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("expired", "succeeded"));
    assert_ne!(winner, reservation);
    none_is_kept(&bench, &[payment], DEPOSIT).await;
    let told = bench.texts(CLIENT).await;
    assert!(told.iter().any(|text| text.contains("payé trop tard")), "{told:?}");
}

async fn row_4_too_little_never_confirms_and_more_than_the_price_is_credit(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.pay_amount(payment, Some(DEPOSIT - 1)).await;
    bench.pump().await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("held", "succeeded"));
    bench.pass(16 * 60).await;
    assert_eq!(bench.status(reservation).await, "expired");
    none_is_kept(&bench, &[payment], DEPOSIT - 1).await;

    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.pay_amount(payment, Some(PRICE + 15_000)).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    let credit = bench.load::<Client>(bench.client).await.state.credits.get(&payment).copied();
    assert_eq!((credit, books(&bench).await), (Some(Money::xof(15_000)), (PRICE + 15_000, 0)));
}

async fn row_5_a_second_payment_is_not_kept(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, first) = bench.hold(20).await;
    let second = ask_again(&bench, reservation).await;
    // Both tabs pay before either message is here.
    bench.rail.control(json!({"do": "webhooks", "next": "hold", "times": 2})).await;
    bench.pay(first).await;
    bench.pay(second).await;
    bench.rail.control(json!({"do": "release"})).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    assert_eq!((bench.payment(first).await, bench.payment(second).await), ("succeeded", "succeeded"));
    assert_eq!(books(&bench).await.0, 2 * DEPOSIT);
    none_is_kept(&bench, &[first, second], DEPOSIT).await;
    assert_eq!(bench.status(reservation).await, "confirmed");
}

async fn row_6_money_after_the_client_cancelled_follows_the_policy(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.hold(30).await;
    bench.pump().await;
    bench.rail.control(json!({"do": "webhooks", "next": "hold"})).await;
    bench.pay(payment).await;
    super::money::cancel(&bench, reservation).await;
    bench.pump().await;
    bench.rail.control(json!({"do": "release"})).await;
    bench.pump().await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("cancelled", "succeeded"));
    // 22 hours ahead: everything goes back.
    none_is_kept(&bench, &[payment], DEPOSIT).await;
}

async fn row_7_a_silent_provider_is_asked_until_it_tells(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.rail.control(json!({"do": "webhooks", "next": "drop", "times": 0})).await;
    bench.pay(payment).await;
    bench.pass(9).await;
    assert_eq!(bench.payment(payment).await, "pending");
    bench.pass(2).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("confirmed", "succeeded"));
    assert_eq!(bench.inbox().await, []);
}

async fn an_unpaid_hold_ends_at_the_latest_after_its_grace(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.pass(15 * 60 - 1).await;
    assert_eq!(bench.status(reservation).await, "held");
    bench.pass(2).await;
    bench.pass(2 * 60).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("expired", "expired"));
    let other = ClientId::new(bench.store.clock().new_id());
    bench.register_client(other, "+221761112233").await;
    let (_, theirs) = bench.hold_for(other, 20).await.unwrap();
    bench.pump().await;
    bench.pay(theirs).await;
    bench.pump().await;
    // Whatever can still be paid there is asked about on, and is late money when it was.
    if kind != Kind::Wave && kind != Kind::OrangeMoney {
        bench.rail.control(json!({"do": "webhooks", "next": "drop", "times": 0})).await;
        bench.pay(payment).await;
        bench.pass_in_steps(3, 1_800).await;
        assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("expired", "succeeded"));
        none_is_kept(&bench, &[payment], DEPOSIT).await;
        assert_eq!(books(&bench).await.0, 2 * DEPOSIT);
    }
}

async fn a_checkout_whose_answer_was_lost_charges_nobody_twice(kind: Kind) {
    for after_effect in [true, false] {
        let bench = Bench::by(kind).await;
        let (reservation, payment) = bench.hold(20).await;
        let lost = json!({"do": "fail", "call": kind.create(), "how": "cut", "after_effect": after_effect});
        bench.rail.control(lost).await;
        bench.pump().await;
        assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("held", "unknown"));
        bench.pass(11).await;
        let (payment, status) = match bench.payment(payment).await {
            // They take no second order under one reference, and tell the address of the first to nobody.
            "failed" if matches!(kind, Kind::Yas | Kind::WebPay) && after_effect => {
                (ask_again(&bench, reservation).await, "pending")
            }
            status => (payment, status),
        };
        assert_eq!((status, bench.payment(payment).await), ("pending", "pending"), "after_effect: {after_effect}");
        bench.pay(payment).await;
        bench.pump().await;
        assert_eq!(bench.status(reservation).await, "confirmed");
        assert_eq!(books(&bench).await, (DEPOSIT, 0));
    }
}

async fn a_provider_that_answers_nonsense_is_asked_again(kind: Kind) {
    for how in ["html", "empty", "cut"] {
        let bench = Bench::by(kind).await;
        let (reservation, payment) = bench.hold(20).await;
        bench.pump().await;
        bench.rail.control(json!({"do": "webhooks", "next": "drop", "times": 0})).await;
        for call in kind.questions() {
            let nonsense = json!({"do": "fail", "call": call, "how": how, "status": 200, "times": 2});
            bench.rail.control(nonsense).await;
        }
        bench.pay(payment).await;
        bench.pass_in_steps(12, 55).await;
        assert_eq!(
            (bench.status(reservation).await, bench.payment(payment).await),
            ("confirmed", "succeeded"),
            "{how}"
        );
        assert_eq!(books(&bench).await, (DEPOSIT, 0));
    }
}

async fn a_message_a_hundred_times_is_one_payment(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.rail.control(json!({"do": "webhooks", "next": {"duplicate": {"copies": 100}}})).await;
    bench.pay(payment).await;
    bench.pump().await;
    let history = bench.history(reservation).await;
    assert_eq!(history.iter().filter(|name| *name == "reservation.confirmed").count(), 1, "{history:?}");
    let history = bench.history(payment).await;
    assert_eq!(history, ["payment.requested", "payment.opened", "payment.succeeded"]);
    assert_eq!(bench.inbox().await, [("applied".to_owned(), 1)]);
    assert!(bench.load::<Payment>(payment).await.state.provider_id().is_some());
}
