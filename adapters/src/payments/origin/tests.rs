//! What is read off messages goes into a database and into notes.

use serde_json::{Value, json};

use super::*;
use crate::payments::webhook::{Hint, Kind};

fn wave() -> Origin {
    Origin::Wave(vec![wave::webhook::WebhookSecret::Shared(Secret::new("s").unwrap())])
}

fn sonatel() -> Origin {
    let api_key = Secret::new("k").unwrap();
    Origin::Sonatel(vec![sonatel::webhook::Secrets { api_key, signing: None }])
}

fn id(origin: &Origin, body: &Value) -> Option<String> {
    origin.event_id(&HeaderMap::new(), body.to_string().as_bytes())
}

fn event(provider: &str, body: &Value) -> Event {
    read(provider, body.to_string().as_bytes()).unwrap().unwrap()
}

fn hint(event: Event) -> Hint {
    match event.kind {
        Kind::CheckoutCompleted(hint) | Kind::CheckoutFailed(hint) | Kind::Payout(hint) => hint,
        other => panic!("{other:?}"),
    }
}

/// The body goes by its hash then. A NUL would be refused by the database, and the message sent again for days.
#[test]
fn an_id_that_cannot_be_kept_is_none() {
    let of = |id: &str| json!({ "id": id, "type": "test.test_event" });
    assert_eq!(id(&wave(), &of("EV_1")).as_deref(), Some("EV_1"));
    assert_eq!(id(&wave(), &of(&"x".repeat(255))), Some("x".repeat(255)));
    for wrong in ["EV\0", "EV\u{7f}", "\n", &"x".repeat(256), &"é".repeat(128)] {
        assert_eq!(id(&wave(), &of(wrong)), None, "{wrong:?}");
    }
    let of = |id: &str, status: &str| json!({ "transactionId": id, "status": status });
    assert_eq!(id(&sonatel(), &of("MP1", "SUCCESS")).as_deref(), Some("MP1:SUCCESS"));
    assert_eq!(id(&sonatel(), &of("MP\0", "SUCCESS")), None);
    assert_eq!(id(&sonatel(), &of("MP1", "SUCC\0ESS")), None);
}

#[test]
fn a_kind_is_kept_as_a_note_is() {
    let long = "x".repeat(2_000);
    for (said, kept) in [("a\0b", "ab"), ("\u{202e}a\n", "a"), (long.as_str(), &long[..500]), ("\0", "-")] {
        let kinds = [
            event("wave", &json!({ "id": "EV_1", "type": said })),
            event("sonatel", &json!({ "transactionId": "MP1", "status": said })),
            event("paytech", &json!({ "type_event": said })),
            event("paydunya", &json!({ "status": said })),
        ];
        for event in kinds {
            assert_eq!(event.kind, Kind::Other(kept.to_owned()), "{said:?}");
        }
    }
}

#[test]
fn a_reference_that_nobody_was_given_is_none() {
    let long = "x".repeat(256);
    for (said, kept) in [("bk_01", Some("bk_01")), (" bk_01", Some(" bk_01")), ("bk\0", None), (long.as_str(), None)] {
        let events = [
            event(
                "wave",
                &json!({ "id": "EV_1", "type": "checkout.session.completed", "data": { "client_reference": said } }),
            ),
            event("sonatel", &json!({ "transactionId": "MP1", "status": "SUCCESS", "reference": said })),
            event("paytech", &json!({ "type_event": "sale_complete", "ref_command": said })),
            event("paydunya", &json!({ "status": "completed", "invoice": {}, "custom_data": { "reference": said } })),
            event("paydunya", &json!({ "status": "success", "disburse_id": said })),
        ];
        for event in events {
            assert_eq!(hint(event).reference.as_deref(), kept, "{said:?}");
        }
    }
}

#[test]
fn a_hint_of_nothing_is_no_amount() {
    for said in [json!(0), json!("0"), json!("0.00")] {
        let data = json!({ "amount": said, "currency": "XOF" });
        let amount = json!({ "value": said, "unit": "XOF" });
        let events = [
            event("wave", &json!({ "id": "EV_1", "type": "checkout.session.completed", "data": data })),
            event("sonatel", &json!({ "transactionId": "MP1", "status": "SUCCESS", "amount": amount })),
            event("paytech", &json!({ "type_event": "sale_complete", "item_price": said })),
            event("paydunya", &json!({ "status": "completed", "invoice": { "total_amount": said } })),
        ];
        for event in events {
            assert_eq!(hint(event).amount, None, "{said}");
        }
    }
}

#[test]
fn why_a_message_is_none_is_kept_as_a_note_is() {
    let body = json!({ "id": "x".repeat(9_000), "type": ["x"] }).to_string();
    let long = json!({ "id": { "x": 1 }, "type": "x" }).to_string();
    for body in [body, long, json!("x\0".repeat(900)).to_string()] {
        let why = read("wave", body.as_bytes()).unwrap().unwrap_err().to_string();
        assert!(why.chars().count() < 600 && !why.chars().any(char::is_control), "{why:?}");
    }
}
