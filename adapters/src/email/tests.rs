//! The relay against the running fake.

use chrono::DateTime;
use serde_json::{Value, json};

use super::*;
use crate::testing::Fake;

fn config(port: u16) -> Config {
    Config {
        host: "127.0.0.1".into(),
        port: Some(port),
        security: Security::Plain,
        username: None,
        password: None,
        from: "Kalel <ne-pas-repondre@kalel.sn>".into(),
        timeout_ms: 5_000,
    }
}

async fn world() -> (Fake, Relay) {
    let (fake, port) = Fake::email(fakes::email::Config::default()).await;
    (fake, Relay::new(&config(port)).unwrap())
}

fn mail() -> Mail {
    Mail {
        to: "awa@example.sn".into(),
        subject: "Réservation confirmée".into(),
        text: "Bonjour Awa,\n\nÀ samedi, 18 h.\n.\nVotre équipe".into(),
        message_id: "<effect-1@kalel.sn>".into(),
        attachments: Vec::new(),
    }
}

fn now() -> Timestamp {
    DateTime::from_timestamp(1_763_800_000, 0).unwrap()
}

async fn fails(fake: &Fake, script: Value) {
    fake.control(json!({ "do": "fail", "script": script })).await;
}

#[tokio::test]
async fn a_mail_arrives_whole_with_its_id_and_date() {
    let (fake, relay) = world().await;
    assert_eq!(relay.send(&mail(), now()).await, Outcome::Done(()));
    let message = fake.get("/__messages").await[0].clone();
    assert_eq!(message["to"], json!(["awa@example.sn"]));
    assert_eq!(message["subject"], "Réservation confirmée");
    assert_eq!(message["message_id"], "<effect-1@kalel.sn>");
    assert_eq!(message["text"], mail().text);
    let raw = message["raw"].as_str().unwrap();
    assert!(raw.contains("Date: Sat, 22 Nov 2025 08:26:40") && raw.contains("Auto-Submitted: auto-generated"), "{raw}");
}

#[tokio::test]
async fn a_ticket_goes_as_an_attachment() {
    let (fake, relay) = world().await;
    let ticket =
        Attachment { name: "billet.png".into(), content_type: "image/png".into(), bytes: vec![137, 80, 78, 71] };
    assert_eq!(relay.send(&Mail { attachments: vec![ticket], ..mail() }, now()).await, Outcome::Done(()));
    let message = fake.get("/__messages").await[0].clone();
    assert_eq!(message["text"], mail().text);
    let raw = message["raw"].as_str().unwrap();
    assert!(raw.contains("billet.png") && raw.contains("iVBORw=="), "{raw}");
}

#[tokio::test]
async fn a_4xx_may_pass_and_a_5xx_does_not() {
    let (fake, relay) = world().await;
    for at in ["mail", "rcpt", "data", "end"] {
        for (reply, retryable) in [("451 4.7.1 greylisted", true), ("550 5.1.1 no such user", false)] {
            fails(&fake, json!({ "at": at, "reply": reply })).await;
            match relay.send(&mail(), now()).await {
                Outcome::Refused(refusal) => {
                    assert_eq!((refusal.retryable, &refusal.code), (retryable, &reply[..3].to_owned()), "{at}");
                }
                other => panic!("{at} {reply}: {other:?}"),
            }
        }
    }
    assert_eq!(fake.get("/__messages").await, json!([]));
}

#[tokio::test]
async fn a_line_dropped_after_the_message_is_unknown() {
    for taken in [true, false] {
        let (fake, relay) = world().await;
        fails(&fake, json!({ "at": "end", "after_effect": taken })).await;
        let outcome = relay.send(&mail(), now()).await;
        assert!(matches!(&outcome, Outcome::Unknown(unknown) if unknown.may_have_happened()), "{outcome:?}");
        assert_eq!(fake.get("/__messages").await.as_array().unwrap().len(), usize::from(taken));
    }
}

#[tokio::test]
async fn a_relay_that_is_not_there_has_sent_nothing() {
    let (fake, relay) = world().await;
    fails(&fake, json!({ "at": "connect" })).await;
    let dropped = relay.send(&mail(), now()).await;
    let nobody = Relay::new(&config(1)).unwrap().send(&mail(), now()).await;
    for outcome in [dropped, nobody] {
        assert!(matches!(&outcome, Outcome::Unknown(Unknown::Unreachable(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn credentials_are_used_and_wrong_ones_refused() {
    let credentials = Some(("kalel".to_owned(), "geheim".to_owned()));
    let (fake, port) = Fake::email(fakes::email::Config { credentials }).await;
    let with = |password: &str| {
        let password = Some(Secret::new(password).unwrap());
        Relay::new(&Config { username: Some("kalel".into()), password, ..config(port) }).unwrap()
    };
    assert_eq!(with("geheim").send(&mail(), now()).await, Outcome::Done(()));
    assert!(matches!(with("falsch").send(&mail(), now()).await, Outcome::Refused(refusal) if refusal.code == "535"));
    let none = Relay::new(&config(port)).unwrap().send(&mail(), now()).await;
    assert!(matches!(none, Outcome::Refused(refusal) if refusal.code == "530"));
    assert_eq!(fake.get("/__messages").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn without_starttls_nothing_is_sent() {
    let (fake, port) = Fake::email(fakes::email::Config::default()).await;
    let relay = Relay::new(&Config { security: Security::Starttls, ..config(port) }).unwrap();
    assert!(matches!(relay.send(&mail(), now()).await, Outcome::Refused(refusal) if refusal.code == "starttls"));
    let relay = Relay::new(&Config { security: Security::Tls, ..config(port) }).unwrap();
    assert!(matches!(relay.send(&mail(), now()).await, Outcome::Unknown(Unknown::Unreachable(_))));
    assert_eq!(fake.get("/__messages").await, json!([]));
}

#[test]
fn plain_smtp_is_for_this_machine_only() {
    let refused = |host: &str| Relay::new(&Config { host: host.into(), ..config(25) }).err();
    assert_eq!(refused("localhost"), None);
    for host in ["smtp.example.sn", "10.0.0.1", "127.0.0.1.example.sn"] {
        assert_eq!(refused(host), Some(ConfigError::NotEncrypted(host.into())));
    }
    let half = Config { username: Some("kalel".into()), ..config(25) };
    assert_eq!(Relay::new(&half).err(), Some(ConfigError::HalfCredentials));
}

#[tokio::test]
async fn addresses_and_subjects_cannot_add_headers_or_recipients() {
    let (fake, relay) = world().await;
    for to in ["awa@example.sn, b@example.sn", "awa@example.sn\r\nBcc: b@example.sn", "", "awa", "<awa@example.sn> x"] {
        let outcome = relay.send(&Mail { to: to.into(), ..mail() }, now()).await;
        assert!(matches!(&outcome, Outcome::Refused(refusal) if refusal.http.is_none()), "{to}: {outcome:?}");
    }
    let subject = "Bonjour\r\nBcc: b@example.sn".to_owned();
    assert_eq!(relay.send(&Mail { subject, ..mail() }, now()).await, Outcome::Done(()));
    let messages = fake.get("/__messages").await;
    assert_eq!(messages.as_array().unwrap().len(), 1);
    assert_eq!(messages[0]["to"], json!(["awa@example.sn"]));
    assert!(!messages[0]["raw"].as_str().unwrap().contains("\r\nBcc:"));
}
