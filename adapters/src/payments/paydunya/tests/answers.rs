//! Answers that are lost, late, or something else than an answer.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_creation_whose_answer_was_lost_left_an_invoice_that_nobody_can_reach() {
    for mut fault in [
        json!({ "how": "hang", "ms": 60_000 }),
        json!({ "how": "cut" }),
        json!({ "how": "html", "status": 200 }),
        json!({ "how": "empty" }),
        json!({ "how": "status", "status": 500 }),
        json!({ "how": "status", "status": 503 }),
    ] {
        let world = World::new().await;
        fault["call"] = json!("checkout.create");
        fault["after_effect"] = json!(true);
        world.fail(fault.clone()).await;
        let impatient = paydunya_at(&world.fake.base, 400);
        let order = order("ref-1", 15_000);
        assert!(unknown(impatient.open(&order).await).may_have_happened(), "{fault}");
        assert_eq!(done(impatient.search(&order.reference).await), ProviderStatus::NotFound);
        // Another one is made and paid; of the first nobody has the address.
        let opened = world.opened().await;
        world.settle("pay").await;
        receipt(done(world.paydunya.status(&opened.provider_id).await));
        assert_eq!(world.fake.get("/__ledger").await["repeated"]["charges"], json!([]));
    }
}

#[tokio::test]
async fn each_way_of_not_answering_has_its_name() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    for status in [408, 500, 502, 503, 504, 302] {
        world.fail(json!({ "call": "checkout.create", "how": "status", "status": status })).await;
        assert_eq!(unknown(world.paydunya.open(&order).await), Unknown::Status(status));
    }
    world.fail(json!({ "how": "html" })).await;
    assert_eq!(unknown(world.paydunya.open(&order).await), Unknown::Status(502));
    for how in ["html", "empty"] {
        world.fail(json!({ "how": how, "status": 200 })).await;
        assert!(matches!(unknown(world.paydunya.open(&order).await), Unknown::Unreadable(_)));
    }
    world.fail(json!({ "how": "status", "status": 429, "retry_after": 7 })).await;
    assert_eq!(world.paydunya.open(&order).await, Outcome::RetryAfter(Some(Duration::from_secs(7))));
    world.fail(json!({ "how": "status", "status": 429 })).await;
    assert_eq!(world.paydunya.open(&order).await, Outcome::RetryAfter(None));
}

#[tokio::test]
async fn a_status_that_is_html_or_nothing_is_unknown() {
    let world = World::new().await;
    let opened = world.opened().await;
    world.settle("pay").await;
    for fault in [json!({ "how": "html", "status": 200 }), json!({ "how": "empty" }), json!({ "how": "cut" })] {
        world.fail(fault).await;
        unknown(world.paydunya.status(&opened.provider_id).await);
    }
    world.fail(json!({ "how": "status", "status": 500 })).await;
    assert_eq!(unknown(world.paydunya.status(&opened.provider_id).await), Unknown::Status(500));
    receipt(done(world.paydunya.status(&opened.provider_id).await));
}

#[tokio::test]
async fn a_404_is_never_a_payment_that_was_not() {
    let world = World::new().await;
    world.fail(json!({ "call": "checkout.confirm", "how": "html", "status": 404 })).await;
    let status = world.paydunya.status(&ProviderId::new("t1").unwrap()).await;
    assert_eq!((refused(status.clone()).http, refused(status).code.as_str()), (Some(404), "http-404"));
}

#[tokio::test]
async fn a_refusal_in_a_4xx_has_its_code_and_one_in_a_5xx_is_unknown() {
    let world = World::new().await;
    let refuse = |http: u16| json!({ "do": "refuse", "call": "checkout.create", "code": "5000", "http": http });
    world.fake.control(refuse(400)).await;
    let refusal = refused(world.paydunya.open(&order("ref-1", 500)).await);
    assert_eq!((refusal.http, refusal.code.as_str(), refusal.retryable), (Some(400), "paydunya-5000", true));
    world.fake.control(refuse(503)).await;
    assert_eq!(unknown(world.paydunya.open(&order("ref-1", 500)).await), Unknown::Status(503));
    // A yes in a 4xx is neither.
    world.fake.control(json!({ "do": "refuse", "code": "00", "text": "https://x.sn/", "http": 400 })).await;
    assert_eq!(unknown(world.paydunya.open(&order("ref-1", 500)).await), Unknown::Status(400));
}

#[tokio::test]
async fn a_yes_without_token_or_address_is_no_yes() {
    let world = World::new().await;
    for text in ["https://app.paydunya.com/checkout/invoice/x", "javascript:alert(1)", ""] {
        // A refusal with the code of success has the address and no token.
        world.refuse("checkout.create", "00", text).await;
        assert!(matches!(unknown(world.paydunya.open(&order("ref-1", 500)).await), Unknown::Unreadable(_)), "{text}");
    }
    let reply = |url: &str, token: &str| {
        let body = json!({ "response_code": "00", "response_text": url, "token": token });
        wire::Reply::read(body.to_string().as_bytes()).unwrap().opened()
    };
    assert!(reply("https://app.paydunya.com/checkout/invoice/t1", "t1").is_some());
    for (url, token) in
        [("javascript:alert(1)", "t1"), ("/checkout", "t1"), ("https://x.sn/", "../t1"), ("https://x.sn/", "")]
    {
        assert!(reply(url, token).is_none(), "{url} {token}");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_cannot_have_done_anything() {
    let world = World::new().await;
    let paydunya = paydunya_at(&world.fake.base, 2_000);
    drop(world.fake);
    // Stopping takes a moment; until then the old server may still answer.
    for _ in 0..200 {
        if let Outcome::Unknown(Unknown::Unreachable(_)) = paydunya.open(&order("ref-1", 500)).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still reachable");
}

#[tokio::test]
async fn fields_of_next_year_are_no_trouble() {
    let world = World::new().await;
    world.fail(json!({ "how": "extra_fields", "times": 2 })).await;
    let opened = world.opened().await;
    done(world.paydunya.status(&opened.provider_id).await);
}

#[tokio::test]
async fn a_forged_success_changes_no_answer() {
    // A callback with the right hash that claims a payment: PayDunya itself knows better.
    let world = World::new().await;
    let opened = world.opened().await;
    let (listener, address) = crate::testing::listen().await;
    let (sender, receiver) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut read = vec![0; 64 << 10];
        let mut length = 0;
        let whole = |read: &[u8]| {
            let text = String::from_utf8_lossy(read).to_lowercase();
            let (head, body) = text.split_once("\r\n\r\n")?;
            let wanted: usize = head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
            (body.len() >= wanted).then_some(())
        };
        while whole(&read[..length]).is_none() {
            length += socket.read(&mut read[length..]).await.unwrap();
        }
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
        let text = String::from_utf8(read[..length].to_vec()).unwrap();
        sender.send(text.split_once("\r\n\r\n").unwrap().1.to_owned()).unwrap();
    });
    let forge = json!({
        "do": "forge", "invoice": "ref-1", "hash": "valid", "url": format!("{address}/ipn"),
        "set": { "/status": "completed", "/invoice/status": "completed" },
    });
    assert_eq!(world.fake.control(forge).await[0]["status"], 200);
    let body = receiver.await.unwrap();
    assert_eq!(webhook::verify(&[Secret::new("master_fake").unwrap()], false, body.as_bytes()), Ok(()));
    let kind = webhook::parse(body.as_bytes()).unwrap().kind;
    match kind {
        crate::payments::webhook::Kind::CheckoutCompleted(hint) => {
            assert_eq!(hint.provider_id, Some(opened.provider_id.clone()));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(done(world.paydunya.status(&opened.provider_id).await), ProviderStatus::Unpaid);
}
