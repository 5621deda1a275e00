//! `kill -9` of the API at the worst moment: when it is recorded, and before anybody was told.

use serde_json::{Value, json};
use uuid::Uuid;

use super::served::Served;
use crate::api::{ground, slot};

/// Type and stream of every event, in order; the positions have no gap.
async fn log(served: &Served) -> Vec<(String, Uuid)> {
    let rows: Vec<(i64, String, Uuid)> =
        sqlx::query_as("SELECT position, type, stream_id FROM event_log.events ORDER BY position")
            .fetch_all(&served.world.pool)
            .await
            .unwrap();
    let positions: Vec<i64> = rows.iter().map(|row| row.0).collect();
    assert_eq!(positions, (1..=i64::try_from(rows.len()).unwrap()).collect::<Vec<_>>());
    rows.into_iter().map(|(_, name, stream)| (name, stream)).collect()
}

async fn now(served: &Served) -> chrono::DateTime<chrono::Utc> {
    sqlx::query_scalar("SELECT now()").fetch_one(&served.world.pool).await.unwrap()
}

#[tokio::test]
async fn killed_between_commit_and_answer_the_same_key_gives_the_same_reservation() {
    let served = Served::new().await;
    let (manager, service) = (served.secret("manager"), served.secret("service"));
    let pid = served.start().await;
    let ask = |secret: &str, path: &str, key: &str, body: &Value| {
        let ask = served.http.post(format!("{}{path}", served.base)).bearer_auth(secret).header("idempotency-key", key);
        ask.header("content-type", "application/json").body(body.to_string())
    };
    let site = ground("terrain", json!({}));
    let site = ask(&manager, "/v1/sites", "the key of the site", &site).send().await.unwrap();
    assert_eq!(site.status(), 201);
    let site: Value = site.json().await.unwrap();
    let noon = (now(&served).await.date_naive() + chrono::Days::new(3)).and_hms_opt(12, 0, 0).unwrap();
    let mut body = slot(site["id"].as_str().unwrap(), "nord", noon.and_utc(), 60);
    body["client"] = json!({ "phone": "77 123 45 67", "name": "Awa Ndiaye" });
    body["payment"] = json!({ "method": "wave", "pays": "deposit" });
    let book = || ask(&service, "/v1/reservations", "the key of the reservation", &body).send();

    // Nobody opens checkouts here, so the answer waits up to two seconds for one; the commit does not.
    let first = tokio::spawn(book());
    let held = loop {
        if let Some((_, stream)) = log(&served).await.into_iter().find(|(name, _)| name == "reservation.held") {
            break stream;
        }
    };
    served.kill(pid);
    let first = first.await.unwrap();
    assert!(first.is_err(), "it was answered: {first:?}");
    let recorded = log(&served).await;

    let pid = served.start().await;
    let mut bodies = Vec::new();
    for nth in 0..2 {
        let again = book().await.unwrap();
        assert_eq!(again.status(), 201);
        assert_eq!(again.headers()["idempotent-replayed"], "true", "answer {nth}");
        bodies.push((again.headers()["kalel-position"].clone(), again.bytes().await.unwrap()));
    }
    assert_eq!(bodies[0], bodies[1], "not the same bytes");
    let answer: Value = serde_json::from_slice(&bodies[0].1).unwrap();
    assert_eq!((&answer["id"], &answer["status"]), (&json!(held.to_string()), &json!("held")));
    assert!(answer["payment"]["pay_url"].is_string() && answer["payment"]["checkout_url"].is_null(), "{answer}");
    assert_eq!(log(&served).await, recorded, "something was written again");

    // And over another restart.
    served.kill(pid);
    served.start().await;
    let last = book().await.unwrap();
    assert_eq!(last.headers()["idempotent-replayed"], "true");
    assert_eq!(last.bytes().await.unwrap(), bodies[0].1);
    let count = |wanted: &str| recorded.iter().filter(|(name, _)| name == wanted).count();
    assert_eq!(["reservation.held", "payment.requested", "client.registered"].map(count), [1, 1, 1], "{recorded:?}");
    let mut other = body.clone();
    other["minutes"] = json!(90);
    let reused = ask(&service, "/v1/reservations", "the key of the reservation", &other).send().await.unwrap();
    assert_eq!(reused.status(), 422);
}
