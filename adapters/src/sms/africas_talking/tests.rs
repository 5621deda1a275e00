//! The gateway against the running fake, and the reports it posts.

use serde_json::json;

use super::*;
use crate::testing::Fake;

fn gateway_at(base: &str, key: &str, total_ms: u64) -> AfricasTalking {
    AfricasTalking::new(&Config {
        base_url: base.to_owned(),
        username: "sandbox".into(),
        api_key: Secret::new(key).unwrap(),
        sender: Some("Kalel".into()),
        timeouts: Timeouts { connect_ms: 500, total_ms },
    })
    .unwrap()
}

async fn world() -> (Fake, AfricasTalking) {
    let fake = Fake::sms(fakes::sms::Config::default()).await;
    let gateway = gateway_at(&fake.base, "atsk_fake", 5_000);
    (fake, gateway)
}

fn message(text: &str) -> Message {
    Message { to: Phone::new("+221771234567").unwrap(), text: text.to_owned() }
}

#[tokio::test]
async fn a_message_arrives_in_the_cheap_alphabet_with_its_plus() {
    let (fake, gateway) = world().await;
    let sent = gateway.send(&message("Réservé & payé : l’équipe à 18 h + 1 = bientôt")).await;
    let Outcome::Done(Accepted { message_id: Some(id), cost: Some(cost) }) = sent else { panic!("{sent:?}") };
    assert!(id.starts_with("ATXid_") && cost == "XOF 20.0000");
    let messages = fake.get("/__messages").await;
    assert_eq!(messages[0]["to"], "+221771234567");
    assert_eq!(messages[0]["from"], "Kalel");
    assert_eq!(messages[0]["text"], "Réservé & payé : l'équipe à 18 h + 1 = bientot");
    assert_eq!(messages[0]["segments"], 1);
}

#[tokio::test]
async fn a_201_that_refuses_the_recipient_is_a_refusal() {
    let (fake, gateway) = world().await;
    for (code, retryable) in
        [(401, false), (403, false), (405, false), (406, false), (500, true), (501, true), (502, true)]
    {
        fake.control(json!({ "do": "outcome", "outcome": { "kind": "status", "code": code } })).await;
        match gateway.send(&message("x")).await {
            Outcome::Refused(refusal) => assert_eq!((refusal.code, refusal.retryable), (code.to_string(), retryable)),
            other => panic!("{code}: {other:?}"),
        }
    }
    assert_eq!(fake.get("/__messages").await, json!([]));
}

#[tokio::test]
async fn a_201_without_recipients_is_a_refusal_with_its_sentence() {
    let fake = Fake::sms(fakes::sms::Config { senders: vec!["Autre".into()], ..Default::default() }).await;
    match gateway_at(&fake.base, "atsk_fake", 5_000).send(&message("x")).await {
        Outcome::Refused(refusal) => assert_eq!(refusal.to_string(), "no-recipient: InvalidSenderId"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_key_is_about_our_account() {
    let (fake, _) = world().await;
    match gateway_at(&fake.base, "wrong", 5_000).send(&message("x")).await {
        Outcome::Refused(refusal) => assert!(refusal.is_about_our_account() && refusal.message.contains("invalid")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_unknown_and_was_sent_once() {
    let (fake, _) = world().await;
    for how in ["hang", "cut", "html", "empty"] {
        fake.control(json!([{ "do": "reset" }, { "do": "fail", "how": how, "after_effect": true, "status": 200 }]))
            .await;
        let outcome = gateway_at(&fake.base, "atsk_fake", 400).send(&message("x")).await;
        assert!(matches!(outcome, Outcome::Unknown(unknown) if unknown.may_have_happened()), "{how}");
        assert_eq!(fake.get("/__messages").await.as_array().unwrap().len(), 1, "{how}");
    }
}

#[test]
fn answers_about_somebody_else_or_without_detail_are_read_with_care() {
    let to = Phone::new("+221771234567").unwrap();
    let line = |number: &str, id: &str| {
        let recipient = json!({ "statusCode": 101, "number": number, "status": "Success", "cost": 0, "messageId": id });
        json!({ "SMSMessageData": { "Message": "", "Recipients": [recipient] } }).to_string()
    };
    assert!(matches!(read(line("+221760000000", "ATXid_1").as_bytes(), &to), Outcome::Unknown(_)));
    let accepted = Accepted { message_id: None, cost: Some("0".into()) };
    assert_eq!(read(line("221771234567", "None").as_bytes(), &to), Outcome::Done(accepted));
    for body in ["", "null", "{}", r#"{"SMSMessageData":{}}"#, r#"{"SMSMessageData":{"Recipients":[{}]}}"#] {
        assert!(matches!(read(body.as_bytes(), &to), Outcome::Unknown(_)), "{body}");
    }
}

#[test]
fn reports_are_read() {
    let report = |body: &str| Report::parse(body.as_bytes()).map(|report| report.delivery);
    assert_eq!(report("id=ATXid_1&status=Success&phoneNumber=%2B221771234567"), Ok(Delivery::Delivered));
    assert_eq!(report("id=ATXid_1&status=Buffered"), Ok(Delivery::Underway));
    let failed = Delivery::Failed { reason: "UserInactive".into() };
    assert_eq!(report("id=ATXid_1&status=Failed&failureReason=UserInactive"), Ok(failed));
    for body in ["", "status=Success", "id=&status=Success", "id=1&status=Whatever", "{}"] {
        assert_eq!(report(body), Err(NotAReport), "{body}");
    }
}

#[tokio::test]
async fn the_fakes_own_report_is_one() {
    use std::sync::{Arc, Mutex};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let (listener, url) = crate::testing::listen().await;
    let got = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&got);
    let receiver = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).contains("retryCount=0") {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        *keep.lock().unwrap() = bytes;
    });
    let config = fakes::sms::Config { delivery_url: Some(format!("{url}/hooks/sms/secret")), ..Default::default() };
    let fake = Fake::sms(config).await;
    let sent = gateway_at(&fake.base, "atsk_fake", 5_000).send(&message("x")).await;
    let Outcome::Done(Accepted { message_id: Some(id), .. }) = sent else { panic!("{sent:?}") };
    receiver.await.unwrap();
    let request = String::from_utf8(got.lock().unwrap().clone()).unwrap();
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(Report::parse(body.as_bytes()), Ok(Report { message_id: id, delivery: Delivery::Delivered }));
}
