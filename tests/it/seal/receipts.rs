//! Receipts over HTTP: numbered by site without a gap, each proven to be in the log; as JSON and on paper.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use eventstore::{
    merkle::{Hash, verify_inclusion},
    note::Checkpoint,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ORIGIN, every, seal, signer};
use crate::api::{Answer, Api, slot};

fn hash(text: &Value) -> Hash {
    Hash(STANDARD.decode(text.as_str().unwrap()).unwrap().try_into().unwrap())
}

/// A manual booking, its deposit of 9 000 paid in cash.
async fn paid(api: &Api, site: &str, day: i64) -> Answer {
    let mut body = slot(site, "nord", api.midday(day), 60);
    body["payment"] = json!({ "method": "cash", "pays": "deposit" });
    api.post("manager", "/v1/reservations", body).await.is(201)
}

fn path(made: &Answer) -> String {
    format!("/v1/reservations/{}/receipt", made.text("/id"))
}

fn numbers(receipt: &Answer) -> Vec<i64> {
    receipt.body["receipts"].as_array().unwrap().iter().map(|one| one["number"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn receipts_are_numbered_by_site_without_a_gap_and_alike_when_the_view_is_built_again() {
    let api = Api::new().await;
    let (here, _) = api.site().await;
    let (there, _) = api.site().await;
    let (first, other) = (paid(&api, &here, 3).await, paid(&api, &there, 3).await);
    // What is not paid has no number.
    let unpaid = api.post("manager", "/v1/reservations", slot(&here, "sud", api.midday(3), 60)).await.is(201);
    api.settle().await;
    let (second, third) = (paid(&api, &here, 4).await, paid(&api, &here, 5).await);
    let balance = json!({ "method": "cash", "purpose": "balance" });
    api.post("manager", &format!("/v1/reservations/{}/payments", first.text("/id")), balance).await.is(201);
    api.settle().await;
    seal(&api.store, every(10_000)).await;
    let mut all = Vec::new();
    for (made, wanted) in [(&first, vec![1, 4]), (&other, vec![1]), (&second, vec![2]), (&third, vec![3])] {
        let receipt = api.get("manager", &path(made)).await.is(200);
        assert_eq!(numbers(&receipt), wanted);
        all.push(receipt.body);
    }
    assert_eq!((&all[0]["paid"]["amount"], &all[0]["balance_due"]["amount"]), (&json!(30_000), &json!(0)));
    api.get("manager", &path(&unpaid)).await.problem(422, "receipt.nothing_received");
    // The same events, in one batch.
    for table in ["receipts", "receipt_sites"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM read.{table}"))).execute(&api.world.pool).await.unwrap();
    }
    sqlx::query("UPDATE read.checkpoints SET position = 0 WHERE name = 'receipt'")
        .execute(&api.world.pool)
        .await
        .unwrap();
    let projector = &projections::receipt::PROJECTOR;
    let mut runner = projections::Runner::own(projector, api.store.clone(), "again", None).await.unwrap();
    runner.catch_up().await.unwrap();
    for (made, before) in [&first, &other, &second, &third].into_iter().zip(all) {
        assert_eq!(api.get("manager", &path(made)).await.is(200).body["receipts"], before["receipts"]);
    }
}

#[tokio::test]
async fn each_receipt_is_proven_to_be_in_the_log() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let made = paid(&api, &site, 3).await;
    api.settle().await;
    api.get("manager", &path(&made)).await.problem(503, "audit.not_sealed_yet");
    seal(&api.store, every(10_000)).await;
    let receipt = api.get("manager", &path(&made)).await.is(200);
    let checkpoint = &receipt.body["checkpoint"];
    let signed = Checkpoint::open(checkpoint["note"].as_str().unwrap(), ORIGIN, &signer(1).verifier()).unwrap();
    let one = &receipt.body["receipts"][0];
    let line = one["line"].as_str().unwrap();
    assert!(line.contains("payment.succeeded") && line.contains(one["payment_id"].as_str().unwrap()));
    assert_eq!(Hash::leaf(line.as_bytes()), hash(&one["leaf_hash"]));
    let proof: Vec<Hash> = one["proof"].as_array().unwrap().iter().map(hash).collect();
    let index = u64::try_from(one["position"].as_i64().unwrap() - 1).unwrap();
    verify_inclusion(hash(&one["leaf_hash"]), index, signed.size, signed.root, &proof).unwrap();
    let other = Hash::leaf(line.replace("9000", "90000").as_bytes());
    assert!(verify_inclusion(other, index, signed.size, signed.root, &proof).is_err());
    for role in ["other_manager", "other_client", "client", "other_service"] {
        api.get(role, &path(&made)).await.problem(404, "object.not_found");
        api.get(role, &format!("{}.pdf", path(&made))).await.problem(404, "object.not_found");
    }
}

#[tokio::test]
async fn a_receipt_on_paper_is_in_french_or_english_and_the_same_each_time() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let made = paid(&api, &site, 3).await;
    api.settle().await;
    seal(&api.store, every(10_000)).await;
    let ask = async |path: String, headers: &[(&str, &str)]| {
        let asked = headers
            .iter()
            .fold(api.ask(Method::GET, &path).role("manager"), |ask, (name, value)| ask.header(name, value));
        asked.send().await.is(200)
    };
    let named = ask(format!("{}.pdf", path(&made)), &[]).await;
    let accepted = ask(path(&made), &[("accept", "application/pdf")]).await;
    assert_eq!(named.header("content-type"), "application/pdf");
    assert!(named.bytes.starts_with(b"%PDF-"));
    assert_eq!(named.bytes, accepted.bytes);
    let english = ask(path(&made), &[("accept", "application/pdf"), ("accept-language", "en")]).await;
    let title = format!("(Receipt {})", made.text("/code"));
    assert!(english.bytes.windows(title.len()).any(|window| window == title.as_bytes()));
    assert_ne!(english.bytes, named.bytes);
    // Whoever takes JSON, or anything, gets it.
    for accept in ["*/*", "application/json", "application/json, application/pdf;q=0.5"] {
        let answer = ask(path(&made), &[("accept", accept)]).await;
        assert_eq!(answer.text("/object"), "receipt");
    }
}
