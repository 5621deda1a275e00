//! The callback registered, and the fake's webhooks and forgeries as they arrive.

use std::sync::{Arc, Mutex};

use reqwest::header::{HeaderMap, HeaderName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{
    super::webhook::{Secrets, parse, verify},
    *,
};
use crate::payments::webhook::{Forged, Kind};

type Got = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

/// Takes every POST, answers 202, and keeps what came.
async fn receiver() -> (Url, Got) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/hook", listener.local_addr().unwrap())).unwrap();
    let got = Got::default();
    let kept = Arc::clone(&got);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            let message = loop {
                let mut chunk = [0; 4_096];
                let count = socket.read(&mut chunk).await.unwrap();
                bytes.extend_from_slice(&chunk[..count]);
                if let Some(message) = read(&bytes) {
                    break message;
                }
                assert!(count > 0, "cut off");
            };
            kept.lock().unwrap().push(message);
            let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            socket.write_all(answer).await.unwrap();
        }
    });
    (url, got)
}

fn read(bytes: &[u8]) -> Option<(HeaderMap, Vec<u8>)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let headers: HeaderMap = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
        .collect();
    let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
    let body = &bytes[end + 4..];
    (body.len() >= length).then(|| (headers, body.to_vec()))
}

fn secrets(signing: Option<&str>) -> [Secrets; 1] {
    [Secrets { api_key: Secret::new("key-1").unwrap(), signing: signing.and_then(|text| Secret::new(text).ok()) }]
}

/// The time at the fake, from its own answer.
async fn now(world: &World) -> domain::Timestamp {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}/__control", world.fake.base)).json(&json!([]));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer["now"].as_str().unwrap().parse().unwrap()
}

/// A world whose callback we registered by the API.
async fn registered(proof: Value) -> (World, Got) {
    let world = World::new().await;
    let (url, got) = receiver().await;
    done(world.sonatel.register(&url, &Secret::new("key-1").unwrap()).await);
    let mut prove = proof;
    prove["do"] = json!("prove");
    world.fake.control(prove).await;
    world.opened(&order("ref-1", 15_000)).await;
    (world, got)
}

#[tokio::test]
async fn a_webhook_is_believed_in_each_form_that_sonatel_may_send() {
    for basic in ["literal", "base64"] {
        for signing in [None, Some("secret-1")] {
            let (world, got) = registered(json!({ "basic": basic, "signing": signing })).await;
            world.settle(&order("ref-1", 15_000), "fail").await;
            world.fake.control(json!({ "do": "drain" })).await;
            world.settle(&order("ref-1", 15_000), "pay").await;
            let shown = world.fake.control(json!({ "do": "drain" })).await[0].clone();
            let now = now(&world).await;
            let got = got.lock().unwrap();
            for (number, (headers, body)) in got.iter().enumerate() {
                assert_eq!(verify(&secrets(signing), headers, body, now), Ok(()), "{basic} {signing:?}");
                let event = parse(body, headers).unwrap();
                assert_eq!(json!(event.id), shown["events"][number]["id"]);
                match (number, event.kind) {
                    (0, Kind::CheckoutFailed(hint)) => assert_eq!(hint.code.as_deref(), Some("FAILED")),
                    (1, Kind::CheckoutCompleted(hint)) => {
                        assert_eq!((hint.amount, hint.reference.as_deref()), (Some(Money::xof(15_000)), Some("ref-1")));
                        assert_eq!(hint.provider_id, ProviderId::new("ref-1").ok());
                    }
                    (_, other) => panic!("{other:?}"),
                }
            }
            assert_eq!(got.len(), 2);
        }
    }
}

#[tokio::test]
async fn no_forgery_is_believed() {
    let (world, got) = registered(json!({ "signing": "secret-1" })).await;
    world.settle(&order("ref-1", 15_000), "pay").await;
    world.fake.control(json!({ "do": "drain" })).await;
    got.lock().unwrap().clear();
    let proofs = [
        ("valid", Ok(())),
        ("bad", Err(Forged::Wrong)),
        ("missing", Err(Forged::NoProof)),
        ("other", Err(Forged::Wrong)),
        ("empty", Err(Forged::Wrong)),
        ("bearer", Err(Forged::Malformed)),
        ("unsigned", Err(Forged::NoProof)),
        ("keyless", Err(Forged::NoProof)),
        ("stale", Err(Forged::Stale)),
        ("future", Err(Forged::Stale)),
        ("reserialised", Err(Forged::Wrong)),
        ("dotted", Err(Forged::Wrong)),
        ("joined", Err(Forged::Wrong)),
    ];
    for (proof, _) in proofs {
        world.fake.control(json!({ "do": "forge", "transaction": "ref-1", "proof": proof })).await;
    }
    let now = now(&world).await;
    let got = got.lock().unwrap();
    for ((proof, expected), (headers, body)) in proofs.into_iter().zip(got.iter()) {
        assert_eq!(verify(&secrets(Some("secret-1")), headers, body, now), expected, "{proof}");
    }
    assert_eq!(got.len(), proofs.len());
}

#[tokio::test]
async fn a_cashin_tells_of_itself_as_a_payout() {
    let (world, got) = registered(json!({})).await;
    let order = crate::payments::PayoutOrder {
        recipient: Phone::new("+221771234567").unwrap(),
        amount: Money::xof(500),
        reference: reference("pay-1"),
        idempotency_key: "pay-1".into(),
        reason: None,
    };
    done(world.sonatel.payout(&order).await);
    world.fake.control(json!({ "do": "drain" })).await;
    let got = got.lock().unwrap();
    match parse(&got[0].1, &got[0].0).unwrap().kind {
        Kind::Payout(hint) => assert!(hint.provider_id.is_some_and(|id| id.as_str().starts_with("CI"))),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_registration_is_done_when_it_can_be_read_back() {
    let world = World::new().await;
    let (url, key) = (Url::parse("https://kalel.sn/hook").unwrap(), Secret::new("key-1").unwrap());
    for _ in 0..2 {
        done(world.sonatel.register(&url, &key).await);
    }
    // Answered as usual, with nothing; and nothing was done.
    let other = Url::parse("https://kalel.sn/other").unwrap();
    world.fail(json!({ "call": "callback.register", "how": "empty", "status": 201 })).await;
    assert!(matches!(unknown(world.sonatel.register(&other, &key).await), Unknown::Unreadable(_)));
    world.fail(json!({ "call": "callback.register", "how": "cut" })).await;
    assert!(unknown(world.sonatel.register(&other, &key).await).may_have_happened());
    let plain = Url::parse("http://kalel.sn/hook").unwrap();
    assert_eq!(refused(world.sonatel.register(&plain, &key).await).code, "callback-url");
}
