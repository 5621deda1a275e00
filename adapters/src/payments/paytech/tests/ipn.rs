//! What the fake sends, and what others could send in its name, before our verifier.

use std::sync::{Arc, Mutex};

use reqwest::header::HeaderMap;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;
use crate::{
    payments::webhook::{Forged, Kind},
    testing::listen,
};

type Got = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

/// Listens for IPN and answers each with 200 `OK`.
async fn receiver() -> (String, Got) {
    let (listener, base) = listen().await;
    let got = Got::default();
    let kept = Arc::clone(&got);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let got = Arc::clone(&kept);
            tokio::spawn(async move { take(stream, &got).await });
        }
    });
    (format!("{base}/ipn"), got)
}

/// One request of a connection, which is then closed.
async fn take(mut stream: TcpStream, got: &Got) -> Option<()> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut part = [0; 4_096];
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            break (head, end + 4 + length.unwrap_or(0_usize));
        }
    };
    while bytes.len() < length {
        let mut part = [0; 4_096];
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
    }
    let headers = head.lines().skip(1).filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((HeaderName::try_from(name).ok()?, HeaderValue::from_str(value).ok()?))
    });
    let start = head.len() + 4;
    got.lock().unwrap().push((headers.collect(), bytes[start..].to_vec()));
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK").await.ok()
}

async fn told() -> (World, Got) {
    let (url, got) = receiver().await;
    (World::with(|config| config.ipn_url = url).await, got)
}

/// The verdict on the last one received.
fn verdict(world: &World, got: &Got) -> Result<(), Forged> {
    let (headers, body) = got.lock().unwrap().last().cloned().unwrap();
    webhook::verify(&[config(&world.fake.base).secrets()], &headers, &body)
}

fn kind(got: &Got) -> Kind {
    let (headers, body) = got.lock().unwrap().last().cloned().unwrap();
    webhook::parse(&headers, &body).unwrap().kind
}

async fn drain(world: &World) {
    world.fake.control(json!({ "do": "drain" })).await;
}

#[tokio::test]
async fn each_ipn_is_believed_as_form_and_as_json_with_hmac_and_without() {
    for (ipn, hmac) in [("form", true), ("form", false), ("json", true), ("json", false)] {
        let (world, got) = told().await;
        world.switch(json!({ "ipn": ipn, "hmac": hmac, "refund_seconds": 0 })).await;
        let id = world.paid("ref-1", 15_000).await;
        drain(&world).await;
        assert_eq!(verdict(&world, &got), Ok(()), "{ipn} {hmac}");
        match kind(&got) {
            Kind::CheckoutCompleted(hint) => {
                let paid = receipt(done(world.paytech.status(&id).await));
                assert_eq!((hint.provider_id, hint.transaction_id), (Some(id.clone()), Some(paid.transaction_id)));
                assert_eq!((hint.reference, hint.amount), (paid.reference, Some(paid.amount)));
            }
            other => panic!("{other:?}"),
        }
        done(world.paytech.refund_full(&id).await);
        drain(&world).await;
        assert_eq!((verdict(&world, &got), matches!(kind(&got), Kind::Refunded(_))), (Ok(()), true));
        world.opened(&order("ref-2", 500)).await;
        world.settle("ref-2", "cancel").await;
        drain(&world).await;
        assert_eq!((verdict(&world, &got), matches!(kind(&got), Kind::CheckoutFailed(_))), (Ok(()), true));
        assert_eq!(got.lock().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_promotion_and_the_hmac_of_the_item_price_are_believed() {
    let (world, got) = told().await;
    world.opened(&order("ref-1", 15_000)).await;
    world.fake.control(json!({ "do": "promo", "sale": "ref-1", "percent": 10 })).await;
    world.settle("ref-1", "pay").await;
    drain(&world).await;
    assert_eq!(verdict(&world, &got), Ok(()));
    assert!(matches!(kind(&got), Kind::CheckoutCompleted(hint) if hint.amount == Some(Money::xof(13_500))));
    world.fake.control(json!({ "do": "forge", "sale": "ref-1", "proof": "item_price" })).await;
    assert_eq!(verdict(&world, &got), Ok(()));
}

#[tokio::test]
async fn each_forgery_is_refused() {
    let (world, got) = told().await;
    world.paid("ref-1", 15_000).await;
    let forgeries = [
        (json!({ "proof": "bad" }), Forged::Wrong),
        (json!({ "proof": "missing" }), Forged::NoProof),
        (json!({ "proof": "other_hashes" }), Forged::Wrong),
        (json!({ "proof": "other_keys" }), Forged::Wrong),
        (json!({ "proof": "empty_keys" }), Forged::Wrong),
        (json!({ "proof": "valid", "set": { "env": "test" } }), Forged::Wrong),
        (json!({ "proof": "hashes", "set": { "env": "test" } }), Forged::Wrong),
        (json!({ "proof": "valid", "tamper": { "final_item_price": 1, "item_price": 1 } }), Forged::Wrong),
        (json!({ "proof": "valid", "tamper": { "ref_command": "ref-2" } }), Forged::Wrong),
        (json!({ "proof": "valid", "tamper": { "hmac_compute": "" } }), Forged::Wrong),
    ];
    for (forgery, expected) in forgeries {
        for (encoding, untyped) in [("form", false), ("form", true), ("json", false), ("json", true)] {
            let mut forge = forgery.clone();
            forge["do"] = json!("forge");
            forge["sale"] = json!("ref-1");
            forge["encoding"] = json!(encoding);
            forge["untyped"] = json!(untyped);
            world.fake.control(forge).await;
            assert_eq!(verdict(&world, &got), Err(expected), "{forgery} {encoding} {untyped}");
        }
    }
}

/// The weakness of the static hashes: whoever has seen them can say what they like. It is believed as a hint, and the
/// provider, being asked, knows better.
#[tokio::test]
async fn the_static_hashes_let_a_lie_through_that_the_status_does_not_confirm() {
    let (world, got) = told().await;
    let id = world.opened(&order("ref-1", 15_000)).await;
    world.fake.control(json!({ "do": "forge", "sale": "ref-1", "proof": "hashes" })).await;
    assert_eq!(verdict(&world, &got), Ok(()));
    assert!(matches!(kind(&got), Kind::CheckoutCompleted(hint) if hint.provider_id.as_ref() == Some(&id)));
    assert_eq!(done(world.paytech.status(&id).await), ProviderStatus::Unpaid);
}
