//! Money back: paid at once, paid later, refused for good, unknown; and never twice.

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    ids::{PaymentId, RefundId, ReservationId},
    money::Money,
    payment::Payment,
    refund::Request,
    reservation::Reservation,
    text::Note,
};
use serde_json::json;

use super::bench::{Bench, CLIENT, DEPOSIT, MANAGER};

/// The manager gives a part of the deposit back: a payout, for Wave refunds whole checkouts only.
pub async fn give_back(bench: &Bench, reservation: ReservationId, payment: PaymentId, amount: i64) -> RefundId {
    let refund_id = RefundId::new(bench.store.clock().new_id());
    let request = Request {
        payment: &bench.load::<Payment>(payment).await,
        reservation: &bench.load::<Reservation>(reservation).await,
        refund_id,
        amount: Some(Money::xof(amount)),
        note: Note::new("Coupure de courant").unwrap(),
        by: Actor::new(Role::Manager, bench.site.uuid().into()),
        now: bench.store.clock().now(),
    };
    bench.append(request.decide().unwrap()).await.unwrap();
    refund_id
}

async fn status(bench: &Bench, payment: PaymentId) -> &'static str {
    let refunds = bench.refunds(payment).await;
    assert_eq!(refunds.len(), 1, "{refunds:?}");
    refunds[0].1
}

async fn paid_out(bench: &Bench) -> i64 {
    let ledger = bench.wave.get("/__ledger").await;
    assert_eq!(ledger["repeated"], json!({"charges": [], "refunds": [], "payouts": []}));
    ledger["totals"]["paid_out"].as_i64().unwrap()
}

#[tokio::test]
async fn a_part_goes_back_as_a_payout_and_the_client_reads_its_reference() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.confirmed(20).await;
    give_back(&bench, reservation, payment, 4_000).await;
    bench.pump().await;
    assert_eq!((status(&bench, payment).await, paid_out(&bench).await), ("succeeded", 4_000));
    let calls = bench.wave.get("/__calls").await;
    let payout =
        calls["calls"].as_array().unwrap().iter().find(|call| call["call"] == "payout.create").unwrap().clone();
    assert_eq!(payout["body"]["mobile"], CLIENT);
    let client = bench.texts(CLIENT).await;
    let told = client.last().unwrap();
    assert!(told.contains("4 000 F remboursés") && told.contains("Réf. pt-"), "{told}");
}

#[tokio::test]
async fn a_payout_that_takes_its_time_is_asked_about() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.confirmed(20).await;
    bench.wave.control(json!({"do": "next_payout", "status": "processing"})).await;
    let refund = give_back(&bench, reservation, payment, 4_000).await;
    bench.pump().await;
    assert_eq!(status(&bench, payment).await, "pending");
    bench.pass(11).await;
    assert_eq!(status(&bench, payment).await, "pending");
    let reference = domain::payment::reference(refund.uuid(), 1).to_string();
    bench.wave.control(json!({"do": "settle_payout", "payout": reference, "status": "succeeded"})).await;
    bench.pass(21).await;
    assert_eq!((status(&bench, payment).await, paid_out(&bench).await), ("succeeded", 4_000));
}

#[tokio::test]
async fn a_refused_payout_is_tried_once_more_then_kept_as_credit() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.confirmed(20).await;
    for _ in 0..2 {
        bench.wave.control(json!({"do": "next_payout", "status": "failed"})).await;
    }
    let refund = give_back(&bench, reservation, payment, 4_000).await;
    bench.pass_in_steps(6, 31).await;
    assert_eq!((status(&bench, payment).await, paid_out(&bench).await), ("succeeded", 0));
    let history = bench.history(refund).await;
    assert_eq!(history.iter().filter(|name| *name == "refund.failed").count(), 2, "{history:?}");
    let client: Loaded<domain::client::Client> = bench.load(bench.client).await;
    assert_eq!(client.state.credits.get(&payment), Some(&Money::xof(4_000)));
    let texts = bench.texts(CLIENT).await;
    assert!(texts.last().unwrap().contains("4 000 F"), "{texts:?}");
}

#[tokio::test]
async fn a_payout_without_an_answer_is_asked_about_and_never_sent_twice() {
    for after_effect in [true, false] {
        let bench = Bench::new().await;
        let (reservation, payment) = bench.confirmed(20).await;
        let fault = json!({"do": "fail", "call": "payout.create", "how": "cut", "after_effect": after_effect});
        bench.wave.control(fault).await;
        give_back(&bench, reservation, payment, 4_000).await;
        bench.pump().await;
        assert_eq!(status(&bench, payment).await, "unknown");
        bench.pass(31).await;
        assert_eq!((status(&bench, payment).await, paid_out(&bench).await), ("succeeded", 4_000));
        assert_eq!(bench.wave.calls("payout.create").await, if after_effect { 1 } else { 2 });
    }
}

/// The first order was cut off, and may still arrive: that its repetition is refused says nothing about it.
#[tokio::test]
async fn the_refusal_of_a_repetition_is_not_believed_while_the_first_order_may_still_arrive() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.confirmed(20).await;
    bench.wave.control(json!({"do": "fail", "call": "payout.create", "how": "cut", "after_effect": false})).await;
    give_back(&bench, reservation, payment, 4_000).await;
    bench.pump().await;
    assert_eq!(status(&bench, payment).await, "unknown");
    let no = json!({"do": "fail", "call": "payout.create", "how": "status", "status": 400, "times": 1});
    bench.wave.control(no).await;
    bench.pass(31).await;
    assert_eq!((status(&bench, payment).await, bench.wave.calls("payout.create").await), ("unknown", 2));
    bench.pass(90).await;
    assert_eq!((status(&bench, payment).await, paid_out(&bench).await), ("succeeded", 4_000));
}

/// However late timers are: what was on its way has arrived before anybody asks.
#[tokio::test]
async fn nothing_is_said_about_an_order_for_half_a_minute_after_its_answer_was_lost() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.confirmed(20).await;
    let busy = json!({"do": "fail", "call": "payout.create", "how": "status", "status": 429, "times": 1_000});
    bench.wave.control(busy).await;
    give_back(&bench, reservation, payment, 4_000).await;
    bench.pump().await;
    bench.pass(100).await;
    assert_eq!(status(&bench, payment).await, "submitted", "Wave has no time for it");
    bench.wave.control(json!({"do": "heal"})).await;
    bench.wave.control(json!({"do": "fail", "call": "payout.create", "how": "cut", "after_effect": false})).await;
    // Whoever comes again after it was busy does so within seconds.
    let mut seconds = 0;
    while status(&bench, payment).await == "submitted" {
        bench.pass(1).await;
        seconds += 1;
        assert!(seconds < 19, "nobody came again");
    }
    assert_eq!(status(&bench, payment).await, "unknown");
    let said = async || (bench.wave.calls("payout.create").await, bench.wave.calls("payout.search").await);
    let before = said().await;
    // Two minutes after the submission it would be believed, and the money go another way, before the order arrives.
    let no = json!({"do": "fail", "call": "payout.create", "how": "status", "status": 400, "times": 1});
    bench.wave.control(no).await;
    for _ in 0..2 {
        // The question of that time falls into this.
        bench.pass(14).await;
        assert_eq!((status(&bench, payment).await, said().await), ("unknown", before));
    }
    bench.pass(3).await;
    assert_eq!((status(&bench, payment).await, said().await), ("unknown", (before.0 + 1, before.1 + 1)));
    bench.pass(600).await;
    assert_eq!((status(&bench, payment).await, paid_out(&bench).await), ("succeeded", 4_000));
}

#[tokio::test]
async fn a_repetition_that_is_refused_for_longer_is_believed_and_the_money_goes_another_way() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.confirmed(20).await;
    bench.wave.control(json!({"do": "fail", "call": "payout.create", "how": "cut", "after_effect": false})).await;
    give_back(&bench, reservation, payment, 4_000).await;
    bench.pump().await;
    let no = json!({"do": "fail", "call": "payout.create", "how": "status", "status": 400, "times": 9});
    bench.wave.control(no).await;
    for (seconds, expected) in [(11, "unknown"), (20, "unknown"), (91, "failed")] {
        bench.pass(seconds).await;
        assert_eq!(status(&bench, payment).await, expected, "after {seconds} s");
    }
    bench.pass(31).await;
    assert_eq!((status(&bench, payment).await, paid_out(&bench).await), ("failed", 0));
    bench.pass(31).await;
    assert_eq!((status(&bench, payment).await, paid_out(&bench).await), ("succeeded", 0), "as credit");
}

#[tokio::test]
async fn a_whole_refund_without_an_answer_is_made_once() {
    for after_effect in [true, false] {
        let bench = Bench::new().await;
        // Far enough ahead for everything to go back.
        let (reservation, payment) = bench.confirmed(40).await;
        let fault = json!({"do": "fail", "call": "checkout.refund", "how": "cut", "after_effect": after_effect});
        bench.wave.control(fault).await;
        super::money::cancel(&bench, reservation).await;
        bench.pump().await;
        assert_eq!(status(&bench, payment).await, "unknown");
        bench.pass(31).await;
        assert_eq!(status(&bench, payment).await, "succeeded");
        let ledger = bench.wave.get("/__ledger").await;
        assert_eq!(ledger["totals"]["refunded"], json!(DEPOSIT));
        assert_eq!(ledger["repeated"], json!({"charges": [], "refunds": [], "payouts": []}));
        let (client, manager) = (bench.texts(CLIENT).await, bench.texts(MANAGER).await);
        assert!(
            client.iter().any(|text| text.starts_with("Annulé") && text.contains("10 000 F remboursés")),
            "{client:?}"
        );
        assert!(manager.last().unwrap().starts_with("Annulation"), "{manager:?}");
    }
}
