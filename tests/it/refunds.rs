//! A refund that no provider tells about, over HTTP: two people of finance look at the provider, and say the same.

use std::time::Duration;

use domain::{
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    ids::{PaymentId, RefundId, ReservationId},
    money::Money,
    payment::{Cells, Landed, Payment, ProviderId, Settle},
    refund::{self, Means, Refund, Ways},
    reservation::Reservation,
    text::Note,
};
use eventstore::{Append, Meta};
use serde_json::json;

use crate::api::{Answer, Api, slot};

async fn write(api: &Api, decision: Decision) {
    api.store.append(Append::new(decision, Meta::system())).await.unwrap();
}

/// Paid by Wave: the reservation.
async fn landed(api: &Api, pays: &str, minutes: u32) -> Answer {
    let (site, _) = api.site().await;
    let mut body = slot(&site, "nord", api.midday(10), minutes);
    body["client"] = json!({ "phone": "+221771234567" });
    body["payment"] = json!({ "method": "wave", "pays": pays });
    let made = api.post("service", "/v1/reservations", body).await.is(201);
    let id = |pointer: &str| made.text(pointer).parse::<uuid::Uuid>().unwrap();
    let payment: Loaded<Payment> = api.store.load(PaymentId::new(id("/payment/id"))).await.unwrap();
    let reservation: Loaded<Reservation> = api.store.load(ReservationId::new(id("/id"))).await.unwrap();
    let asked = payment.state.request.as_ref().unwrap().amount;
    let clock = api.store.clock();
    let settle = Settle {
        payment: &payment,
        reservation: &reservation,
        client: Some(1),
        fine: None,
        promotion: None,
        refund_id: RefundId::new(clock.new_id()),
        landed: Landed {
            transaction: ProviderId::new("T1").unwrap(),
            provider_id: None,
            received: Money::xof(asked.amount),
            by: Actor::SYSTEM,
        },
        now: clock.now(),
    };
    write(api, settle.decide(Cells::Free).unwrap().decision).await;
    made
}

/// A deposit, given back because of the weather, sent, and then silence.
async fn sent_and_not_answered(api: &Api) -> RefundId {
    let made = landed(api, "deposit", 60).await;
    let clock = api.store.clock();
    let path = format!("/v1/reservations/{}", made.text("/id"));
    api.post("manager", &format!("{path}/cancellation"), json!({ "reason": "weather" })).await.is(200);
    api.settle().await;
    let shown = api.get("service", &path).await.is(200);
    let refund_id = RefundId::new(shown.text("/refunds/0/id").parse().unwrap());
    let means = Means { own: Ways { whole: true, payout: true }, ..Means::default() };
    let refund: Loaded<Refund> = api.store.load(refund_id).await.unwrap();
    write(api, refund::submit(&refund, &means, clock.now()).unwrap()).await;
    let refund: Loaded<Refund> = api.store.load(refund_id).await.unwrap();
    write(api, refund::unknown(&refund, Note::kept_of("cut off"), clock.now()).unwrap()).await;
    refund_id
}

#[tokio::test]
async fn two_people_of_finance_say_what_became_of_a_refund_and_one_cannot() {
    let api = Api::new().await;
    let refund = sent_and_not_answered(&api).await;
    let path = format!("/v1/refunds/{refund}/outcome");
    let paid = json!({ "paid": true, "provider_id": "pt-1", "note": "In the portal, 10:04" });
    api.post("finance", &path, paid.clone()).await.problem(422, "refund.still_asked");
    api.store.clock().advance(Duration::from_secs(72 * 3_600)).await.unwrap();
    for stranger in ["client", "manager", "admin", "support", "auditor", "service"] {
        api.post(stranger, &path, paid.clone()).await.problem(403, "auth.role_forbidden");
    }
    let nameless = json!({ "paid": true, "note": "In the portal" });
    api.post("finance", &path, nameless).await.problem(400, "request.invalid_field");
    let first = api.post("finance", &path, paid.clone()).await.is(200);
    assert_eq!((first.text("/status"), first.text("/stated_outcome")), ("unknown", "paid"));
    api.settle().await;
    let shown = api.get("auditor", &format!("/v1/refunds/{refund}")).await.is(200);
    assert_eq!((shown.text("/status"), shown.text("/stated_outcome")), ("unknown", "paid"));
    api.post("finance", &path, paid.clone()).await.problem(422, "refund.same_word");
    let second = api.post("second_finance", &path, paid.clone()).await.is(200);
    assert_eq!((second.text("/status"), second.text("/provider_id")), ("succeeded", "pt-1"));
    assert!(second.body.get("stated_outcome").is_none());
    api.post("second_finance", &path, paid).await.problem(422, "refund.wrong_status");
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    for account in all.body["accounts"].as_array().unwrap() {
        assert_eq!(account["balance"]["amount"], 0, "{account}");
    }
}

#[tokio::test]
async fn a_refund_that_two_people_did_not_find_is_owed_again() {
    let api = Api::new().await;
    let refund = sent_and_not_answered(&api).await;
    api.store.clock().advance(Duration::from_secs(72 * 3_600)).await.unwrap();
    let path = format!("/v1/refunds/{refund}/outcome");
    let nothing = json!({ "paid": false, "note": "Not in the statement of that day" });
    api.post("finance", &path, nothing.clone()).await.is(200);
    let second = api.post("second_finance", &path, nothing).await.is(200);
    assert_eq!(second.text("/status"), "failed");
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    let owed = all.body["accounts"].as_array().unwrap().iter().find(|one| one["account"] == "refunds:payable").unwrap();
    assert!(owed["balance"]["amount"].as_i64().unwrap() < 0);
}

#[tokio::test]
async fn a_refund_that_finance_has_seen_at_the_provider_is_written_down_once() {
    let api = Api::new().await;
    let made = landed(&api, "deposit", 60).await;
    let path = format!("/v1/payments/{}/observed-refunds", made.text("/payment/id"));
    let amount = json!({ "amount": 9_000, "currency": "XOF" });
    let seen = json!({ "provider_id": "T_BACK", "amount": amount, "note": "Portail Wave, 10:04" });
    for stranger in ["client", "manager", "admin", "support", "auditor", "service"] {
        api.post(stranger, &path, seen.clone()).await.problem(403, "auth.role_forbidden");
    }
    let mut cash = seen.clone();
    cash["method"] = json!("cash");
    api.post("finance", &path, cash).await.problem(422, "refund.other_provider");
    let mut more = seen.clone();
    more["amount"]["amount"] = json!(9_001);
    api.post("finance", &path, more).await.problem(422, "refund.more_than_captured");
    let mut nothing = seen.clone();
    nothing["note"] = json!(null);
    api.post("finance", &path, nothing).await.problem(400, "request.invalid_field");
    let strange = format!("/v1/payments/{}/observed-refunds", api.store.clock().new_id());
    api.post("finance", &strange, seen.clone()).await.problem(404, "object.not_found");

    let first = api.post("finance", &path, seen.clone()).await.is(201);
    assert_eq!((first.text("/status"), first.text("/reason")), ("succeeded", "external"));
    assert_eq!(first.text("/provider_id"), "T_BACK");
    // Whoever tells of it once more, and repeats that: nothing is written, and the answer is the same.
    let key = crate::api::fresh_key();
    for replayed in ["", "true"] {
        let ask = api.ask(reqwest::Method::POST, &path).role("second_finance").key(&key).json(&seen);
        let again = ask.send().await.is(201);
        assert_eq!(again.body, first.body, "the same movement is the same refund");
        assert_eq!(again.header("idempotent-replayed"), replayed);
    }
    // Nothing is left to give back.
    let cancelled = format!("/v1/reservations/{}/cancellation", made.text("/id"));
    api.post("manager", &cancelled, json!({ "reason": "weather" })).await.is(200);
    api.settle().await;
    let shown = api.get("service", &format!("/v1/reservations/{}", made.text("/id"))).await.is(200);
    assert_eq!(shown.body["refunds"].as_array().unwrap().len(), 1, "{}", shown.body);
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    for account in all.body["accounts"].as_array().unwrap() {
        assert_eq!(account["balance"]["amount"], 0, "{account}");
    }
}

#[tokio::test]
async fn above_the_limit_a_refund_that_was_seen_waits_for_a_second_person_and_is_never_sent() {
    let api = Api::new().await;
    let made = landed(&api, "full", 120).await;
    let paid = made.body["payment"]["amount"].clone();
    assert!(paid["amount"].as_i64().unwrap() > 50_000, "{paid}");
    let path = format!("/v1/payments/{}/observed-refunds", made.text("/payment/id"));
    let seen = json!({ "provider_id": "T_BACK", "amount": paid, "note": "Portail Wave" });
    let first = api.post("finance", &path, seen).await.is(201);
    assert_eq!((first.text("/status"), first.text("/stated_outcome")), ("requested", "paid"));
    let approval = format!("/v1/refunds/{}/approval", first.text("/id"));
    api.post("finance", &approval, json!({ "approved": true })).await.problem(422, "refund.same_person");
    let second = api.post("second_finance", &approval, json!({ "approved": true })).await.is(200);
    assert_eq!((second.text("/status"), second.text("/provider_id")), ("succeeded", "T_BACK"));
    api.settle().await;
    let shown = api.get("auditor", &format!("/v1/refunds/{}", first.text("/id"))).await.is(200);
    assert_eq!((shown.text("/status"), &shown.body["provider_id"]), ("succeeded", &json!("T_BACK")));
}
