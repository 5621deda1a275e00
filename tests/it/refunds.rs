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

use crate::api::{Api, slot};

async fn write(api: &Api, decision: Decision) {
    api.store.append(Append::new(decision, Meta::system())).await.unwrap();
}

/// A deposit by Wave, landed, given back because of the weather, sent, and then silence.
async fn sent_and_not_answered(api: &Api) -> RefundId {
    let (site, _) = api.site().await;
    let mut body = slot(&site, "nord", api.midday(10), 60);
    body["client"] = json!({ "phone": "+221771234567" });
    body["payment"] = json!({ "method": "wave", "pays": "deposit" });
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
