//! Proofs over HTTP, receipts, and the program of 50 lines that knows nothing of us.

use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use eventstore::{
    merkle::{Hash, verify_consistency, verify_inclusion},
    note::Checkpoint,
    receipt::{self, BadReceipt},
};
use serde_json::{Value, json};

use super::{ORIGIN, docs, every, outsiders, own, seal, signer};
use crate::api::{Api, slot};

fn hash(text: &Value) -> Hash {
    Hash(STANDARD.decode(text.as_str().unwrap()).unwrap().try_into().unwrap())
}

fn hashes(list: &Value) -> Vec<Hash> {
    list.as_array().unwrap().iter().map(hash).collect()
}

async fn booked(api: &Api) -> (String, String) {
    let (site, _) = api.site().await;
    api.settle().await;
    let pitch = api.get("client", &format!("/v1/sites/{site}")).await.is(200).text("/pitches/1/id").to_owned();
    let placed = api.post("manager", "/v1/reservations", slot(&site, &pitch, api.midday(3), 60)).await.is(201);
    (site, placed.text("/id").to_owned())
}

#[tokio::test]
async fn checkpoint_inclusion_and_consistency_over_http_prove_the_log() {
    let api = Api::new().await;
    let early = api.ask(reqwest::Method::GET, "/v1/audit/checkpoint").send().await;
    early.problem(503, "audit.not_sealed_yet");
    let first = seal(&api.store, every(10_000)).await;
    let kept = api.ask(reqwest::Method::GET, "/v1/audit/checkpoint").send().await.is(200);
    let verifier = signer(1).verifier();
    let old = Checkpoint::open(kept.text("/note"), ORIGIN, &verifier).unwrap();
    assert_eq!((kept.text("/key"), kept.body["size"].as_i64()), (verifier.to_text().as_str(), Some(first)));

    booked(&api).await;
    let head = seal(&api.store, every(10_000)).await;
    let now = api.ask(reqwest::Method::GET, "/v1/audit/checkpoint").send().await.is(200);
    let new = Checkpoint::open(now.text("/note"), ORIGIN, &verifier).unwrap();
    assert_eq!((hash(&now.body["root"]), now.text("/origin")), (new.root, ORIGIN));
    for position in 1..=head {
        let proof = api.get("auditor", &format!("/v1/audit/proofs/{position}")).await.is(200);
        let leaf = hash(&proof.body["leaf_hash"]);
        let index = u64::try_from(position - 1).unwrap();
        verify_inclusion(leaf, index, new.size, new.root, &hashes(&proof.body["proof"])).unwrap();
        match proof.body["line"].as_str() {
            Some(line) => assert_eq!(Hash::leaf(line.as_bytes()), leaf),
            None => {
                let event = api.get("auditor", &format!("/v1/events?after={}&limit=1", position - 1)).await.is(200);
                let kind = event.text("/data/0/type").to_owned();
                assert!(!domain::event::withheld(&kind).is_empty(), "{kind}");
            }
        }
    }
    let path = format!("/v1/audit/consistency?from={first}");
    let grown = api.ask(reqwest::Method::GET, &path).send().await.is(200);
    let proof = hashes(&grown.body["proof"]);
    verify_consistency((old.size, old.root), (new.size, new.root), &proof).unwrap();
    assert!(verify_consistency((old.size, new.root), (new.size, new.root), &proof).is_err());
}

#[tokio::test]
async fn who_may_not_see_an_event_gets_no_proof_of_it() {
    let api = Api::new().await;
    booked(&api).await;
    let head = seal(&api.store, every(10_000)).await;
    let of_site = api.get("auditor", &format!("/v1/audit/proofs/{head}")).await.is(200);
    assert!(of_site.text("/line").starts_with(&format!("{{\"v\":1,\"position\":{head},")), "{}", of_site.body);
    api.get("manager", &format!("/v1/audit/proofs/{head}")).await.is(200);
    api.get("other_manager", &format!("/v1/audit/proofs/{head}")).await.problem(404, "object.not_found");
    api.get("client", &format!("/v1/audit/proofs/{head}")).await.problem(403, "auth.role_forbidden");
    api.ask(reqwest::Method::GET, "/v1/audit/proofs/1").send().await.problem(401, "auth.missing");
    for odd in ["0", "-1", "x", "1e3", "99999999999999999999"] {
        api.get("auditor", &format!("/v1/audit/proofs/{odd}")).await.problem(404, "object.not_found");
    }
    api.get("auditor", &format!("/v1/audit/proofs/{}", head + 1)).await.problem(404, "object.not_found");
    for odd in ["from=2&to=1".to_owned(), format!("from=1&to={}", head + 1)] {
        api.get("auditor", &format!("/v1/audit/consistency?{odd}")).await.problem(400, "audit.no_such_position");
    }
    api.get("auditor", "/v1/audit/consistency").await.problem(400, "request.invalid_parameter");
}

#[tokio::test]
async fn a_proof_that_is_asked_for_too_early_is_there_a_moment_later() {
    let api = Api::new().await;
    seal(&api.store, every(10_000)).await;
    let (_, reservation) = booked(&api).await;
    let path = format!("/v1/reservations/{reservation}/proof");
    let early = api.get("manager", &path).await.problem(503, "audit.not_sealed_yet");
    assert_eq!((early.header("retry-after"), early.body["retryable"].as_bool()), ("1", Some(true)));
    // Asking made the sealer sign.
    own(&api.store, every(10_000)).await.unwrap().step(1_000).await.unwrap();
    api.get("manager", &path).await.is(200);
    api.get("other_manager", &path).await.problem(404, "object.not_found");
}

#[tokio::test]
async fn a_receipt_proves_itself_and_every_change_of_it_is_found() {
    let api = Api::new().await;
    let (_, reservation) = booked(&api).await;
    seal(&api.store, every(10_000)).await;
    let answer = api.get("manager", &format!("/v1/reservations/{reservation}/proof")).await.is(200);
    let text = answer.body.to_string();
    let keys = [signer(1).verifier()];
    let (receipt, checkpoint) = receipt::verify(&text, &keys).unwrap();
    assert_eq!((receipt.events.len(), checkpoint.origin.as_str()), (2, ORIGIN));
    assert_eq!(receipt.receipt.streams[0].to_string(), reservation);

    assert!(matches!(receipt::verify(&text, &[signer(2).verifier()]), Err(BadReceipt::Key(_))));
    let mut other = answer.body.clone();
    other["receipt"]["streams"] = json!(["019ab2c4-5f00-7000-8000-0000000000b1"]);
    assert!(matches!(receipt::verify(&other.to_string(), &keys), Err(BadReceipt::OtherEvent(_))));
    other["events"] = json!([]);
    assert!(matches!(receipt::verify(&other.to_string(), &keys), Err(BadReceipt::Incomplete(_))));
    let mut moved = answer.body.clone();
    moved["events"][0]["position"] = json!(1);
    assert!(matches!(receipt::verify(&moved.to_string(), &keys), Err(BadReceipt::Event { .. })));
    moved["events"][0]["position"] = json!(i64::MIN);
    assert!(matches!(receipt::verify(&moved.to_string(), &keys), Err(BadReceipt::Event { .. })));
    // Letters and digits of what is proven: any other character changes it.
    for at in (0..text.len()).filter(|at| text.as_bytes()[*at].is_ascii_alphanumeric()) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        assert!(receipt::verify(&changed, &keys).is_err(), "{at}: {changed}");
    }
}

/// docs/verify_receipt.py was written from RFC 6962 alone; it shares nothing with us but the file.
#[tokio::test]
async fn the_program_of_50_lines_says_the_same() {
    outsiders();
    let lines = std::fs::read_to_string(docs("verify_receipt.py")).unwrap().lines().count();
    assert!(lines <= 50, "{lines} lines");
    let api = Api::new().await;
    let (_, reservation) = booked(&api).await;
    seal(&api.store, every(10_000)).await;
    let answer = api.get("manager", &format!("/v1/reservations/{reservation}/proof")).await.is(200);
    let folder = tempfile::tempdir().unwrap();
    let judged = |name: &str, body: &Value| {
        let file = folder.path().join(name);
        std::fs::write(&file, body.to_string()).unwrap();
        let said = Command::new("python3").arg(docs("verify_receipt.py")).arg(&file).output().unwrap();
        (
            said.status.code(),
            String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr),
        )
    };
    let (code, said) = judged("good.json", &answer.body);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(ORIGIN), "{said}");
    let line = answer.text("/events/0/line");
    for (pointer, change) in [
        ("/events/0/line", json!(line.replace("\"v\":1", "\"v\":2"))),
        ("/events/0/position", json!(1)),
        ("/events/0/proof/0", json!(STANDARD.encode([7; 32]))),
        ("/events/0/proof", json!([])),
    ] {
        let mut bad = answer.body.clone();
        *bad.pointer_mut(pointer).unwrap() = change;
        let (code, said) = judged("bad.json", &bad);
        assert_eq!(code, Some(1), "{pointer}: {said}");
    }
}
