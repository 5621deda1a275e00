//! The same key, the same answer: also when many ask at once, and when the first answer was never given.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, fresh_key, slot};

#[tokio::test]
async fn a_missing_or_malformed_key_is_400() {
    let api = Api::new().await;
    let ask = || api.ask(Method::POST, "/v1/reservations").role("service").json(&json!({}));
    ask().send().await.problem(400, "idempotency.key_missing");
    ask().key("short").send().await.problem(400, "idempotency.key_malformed");
    ask().key(&"x".repeat(256)).send().await.problem(400, "idempotency.key_malformed");
    ask().key("sixteen chars at").key("twice is too many").send().await.problem(400, "idempotency.key_malformed");
}

#[tokio::test]
async fn the_same_key_and_body_give_the_same_answer_and_another_body_422() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let (key, body) = (fresh_key(), slot(&site, "nord", api.midday(3), 60));
    let send =
        |role: &'static str, body: &Value| api.ask(Method::POST, "/v1/reservations").role(role).key(&key).json(body);
    let first = send("service", &body).send().await.is(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    let head = api.store.head().await.unwrap();
    let again = send("service", &body).send().await.is(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(first.bytes, again.bytes, "not the same bytes");
    assert_eq!(first.header("kalel-position"), again.header("kalel-position"));
    assert_eq!(first.header("etag"), again.header("etag"));
    // What happened since does not change what was answered.
    let path = format!("/v1/reservations/{}/cancellation", first.text("/id"));
    api.post("service", &path, json!({})).await.is(200);
    let later = send("service", &body).send().await.is(201);
    assert_eq!(first.bytes, later.bytes);
    let other = slot(&site, "sud", api.midday(3), 60);
    send("service", &other).send().await.problem(422, "idempotency.key_reused");
    // Another caller may choose the same key.
    send("client", &other).send().await.is(201);
    assert!(api.store.head().await.unwrap() > head);
}

#[tokio::test]
async fn a_refusal_does_not_consume_the_key() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let (key, body) = (fresh_key(), slot(&site, "nord", api.midday(3), 60));
    let winner = api.post("client", "/v1/reservations", body.clone()).await.is(201);
    let send = || api.ask(Method::POST, "/v1/reservations").role("service").key(&key).json(&body);
    send().send().await.problem(409, "reservation.slot_taken");
    let path = format!("/v1/reservations/{}/cancellation", winner.text("/id"));
    api.post("client", &path, json!({})).await.is(200);
    send().send().await.is(201);
}

#[tokio::test]
async fn twenty_at_once_with_one_key_make_one_reservation() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let (key, body) = (fresh_key(), slot(&site, "nord", api.midday(3), 60));
    let before = api.store.head().await.unwrap();
    let all = (0..20).map(|_| api.ask(Method::POST, "/v1/reservations").role("service").key(&key).json(&body).send());
    let answers = futures_util::future::join_all(all).await;
    let first = answers.iter().find(|answer| answer.header("idempotent-replayed").is_empty()).unwrap();
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.bytes, first.bytes);
    }
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replayed").is_empty()).count(), 1);
    assert_eq!(api.store.head().await.unwrap(), before + 1, "more than one hold was written");
}

#[tokio::test]
async fn a_client_made_id_can_be_put_again_and_somebody_else_s_is_409() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let id = api.store.clock().new_id();
    let path = format!("/v1/reservations/{id}");
    let put = |role: &'static str, body: Value| api.ask(Method::PUT, &path).role(role).json(&body).send();
    let body = slot(&site, "nord", api.midday(3), 60);
    let first = put("client", body.clone()).await.is(201);
    assert_eq!(first.text("/id"), id.to_string());
    let again = put("client", body.clone()).await.is(200);
    assert_eq!(again.text("/id"), id.to_string());
    let other = put("other_client", slot(&site, "sud", api.midday(3), 60)).await.problem(409, "object.exists");
    assert!(!other.body.to_string().contains("client_id"));
    let ask = api.ask(Method::PUT, &format!("/v1/reservations/{site}")).role("client").json(&body);
    ask.send().await.problem(409, "object.exists");
    let ask = api.ask(Method::PUT, "/v1/reservations/5a1f1d0e-8f5e-4c55-9d1a-000000000000").role("client").json(&body);
    ask.send().await.problem(400, "request.invalid_parameter");
}

#[tokio::test]
async fn reads_wait_for_a_position_and_say_up_to_where_they_count() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let held = api.post("client", "/v1/reservations", slot(&site, "nord", api.midday(3), 60)).await.is(201);
    let path = format!("/v1/reservations/{}", held.text("/id"));
    let read = |position: i64| {
        api.ask(Method::GET, &path).role("client").header("kalel-min-position", &position.to_string()).send()
    };
    read(held.position()).await.problem(503, "projection_behind");
    let (answer, ()) = tokio::join!(read(held.position()), api.settle());
    assert!(answer.is(200).position() >= held.position());
    read(held.position() + 1_000).await.problem(400, "position.beyond_head");
}

/// What the trial found (`kalel trial --seed 1`): the database went away between the commit and the keeping of the answer;
/// the client got one answer, and another one when it asked again.
#[tokio::test]
async fn an_answer_that_cannot_be_kept_is_not_given() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let mut body = slot(&site, "nord", api.midday(3), 60);
    body["payment"] = json!({ "method": "wave", "pays": "deposit" });
    body["client"] = json!({ "phone": "77 111 22 33", "name": "Awa" });
    let key = fresh_key();
    let send = || api.ask(Method::POST, "/v1/reservations").role("service").key(&key).json(&body).send();
    let mut owner = kalel::up::postgres::connect(&api.world.owner_url).await.unwrap();
    let away = "CREATE FUNCTION event_log.away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'away'; END $$;
                CREATE TRIGGER away BEFORE UPDATE ON event_log.idempotency
                    FOR EACH ROW EXECUTE FUNCTION event_log.away()";
    sqlx::raw_sql(away).execute(&mut owner).await.unwrap();
    let lost = send().await.problem(503, "server.outcome_unknown");
    assert_eq!(lost.body["outcome"], "unknown");
    sqlx::raw_sql("DROP TRIGGER away ON event_log.idempotency").execute(&mut owner).await.unwrap();
    let first = send().await.is(201);
    let again = send().await.is(201);
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(held(&api).await, 1);
}

/// And this: a repetition that could not be shown what the first one did was told that nothing had been done.
#[tokio::test]
async fn nobody_is_told_that_nothing_was_done_before_their_key_was_asked() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let (key, body) = (fresh_key(), slot(&site, "nord", api.midday(3), 60));
    let send = || api.ask(Method::POST, "/v1/reservations").role("service").key(&key).json(&body).send();
    let first = send().await.is(201);
    let mut owner = kalel::up::postgres::connect(&api.world.owner_url).await.unwrap();
    sqlx::raw_sql("REVOKE SELECT ON event_log.events FROM kalel_app").execute(&mut owner).await.unwrap();
    let unsure = send().await.is(503);
    assert_eq!(unsure.body["outcome"], "unknown", "{}", unsure.body);
    sqlx::raw_sql("GRANT SELECT ON event_log.events TO kalel_app").execute(&mut owner).await.unwrap();
    let again = send().await.is(201);
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(held(&api).await, 1);
}

async fn held(api: &Api) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM event_log.events WHERE type = 'reservation.held'")
        .fetch_one(&api.world.pool)
        .await
        .unwrap()
}
