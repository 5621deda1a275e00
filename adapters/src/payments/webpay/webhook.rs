//! Orange's notifications: `{status, notif_token, txnid}`, unsigned.
//!
//! The token was given out with the page and is known to Orange and to us. There is no secret to prove a message by before
//! it is read: whoever takes it in looks whether a page with this token is there, by the token's hash, so that neither the
//! time it takes nor what is kept tells anything of it. One with another token is answered and forgotten.

use domain::payment::ProviderId;
use serde_json::{Map, Value};

use super::wire;
use crate::payments::webhook::{Event, Forged, Hint, Kind, NotAnEvent, code};

/// A longer body is no notification.
const BYTES: usize = 4 << 10;

/// Checks that a body has the form of a notification. That proves nothing: see [`token`].
///
/// # Errors
/// [`Forged`] unless it names a token.
pub fn verify(body: &[u8]) -> Result<(), Forged> {
    let fields = read(body).ok_or(Forged::Malformed)?;
    named(&fields).map(drop).ok_or(Forged::NoProof)
}

/// The beginning of the id of the page that a notification is about. `None` when it names no token.
pub fn token(body: &[u8]) -> Option<String> {
    named(&read(body)?)
}

/// Reads a notification. It has no id: the event's is empty.
///
/// # Errors
/// [`NotAnEvent`] unless it names a token and says how its page stands.
pub fn parse(body: &[u8]) -> Result<Event, NotAnEvent> {
    let fields = read(body).ok_or_else(|| NotAnEvent::new("not a JSON object"))?;
    let Some(page) = named(&fields) else { return Err(NotAnEvent::new("no notif_token")) };
    let status = fields.get("status").and_then(Value::as_str).map(str::trim);
    let hint = Hint {
        page: Some(page),
        transaction_id: fields.get("txnid").and_then(Value::as_str).and_then(|id| ProviderId::new(id).ok()),
        ..Hint::default()
    };
    let kind = match status {
        Some("SUCCESS") => Kind::CheckoutCompleted(hint),
        Some(said @ ("FAILED" | "EXPIRED")) => Kind::CheckoutFailed(Hint { code: Some(code(said)), ..hint }),
        Some(other) => Kind::other(other),
        None => return Err(NotAnEvent::new("no status")),
    };
    Ok(Event { id: String::new(), kind })
}

fn read(body: &[u8]) -> Option<Map<String, Value>> {
    if body.len() > BYTES {
        return None;
    }
    serde_json::from_slice(body).ok()
}

fn named(fields: &Map<String, Value>) -> Option<String> {
    wire::notified_as(fields.get("notif_token")?.as_str()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(value: &Value) -> Vec<u8> {
        value.to_string().into_bytes()
    }

    #[test]
    fn a_notification_leads_to_its_page_by_a_hash() {
        let told =
            body(&json!({ "status": "SUCCESS", "notif_token": "dd497bda3b250e53", "txnid": "MP150709.1341.A00073" }));
        assert_eq!(verify(&told), Ok(()));
        let Ok(Event { id, kind: Kind::CheckoutCompleted(hint) }) = parse(&told) else { panic!() };
        assert_eq!((id.as_str(), hint.page.as_deref()), ("", token(&told).as_deref()));
        assert_eq!(hint.transaction_id.unwrap().as_str(), "MP150709.1341.A00073");
        let page = hint.page.unwrap();
        assert!(page.len() == 25 && page.starts_with("om-") && !page.contains("dd497bda"), "{page}");
        // Nothing else in it is believed.
        assert_eq!((hint.amount, hint.reference, hint.provider_id), (None, None, None));
    }

    #[test]
    fn each_status_is_a_reason_to_ask() {
        let kind = |status: &str| parse(&body(&json!({ "status": status, "notif_token": "t" }))).unwrap().kind;
        assert!(matches!(kind("FAILED"), Kind::CheckoutFailed(Hint { code: Some(code), .. }) if code == "FAILED"));
        assert!(matches!(kind("EXPIRED"), Kind::CheckoutFailed(_)));
        assert_eq!(kind("PENDING"), Kind::Other("PENDING".into()));
    }

    #[test]
    fn what_names_no_token_is_no_notification() {
        for (wrong, why) in [
            (json!({ "status": "SUCCESS", "txnid": "T" }), Forged::NoProof),
            (json!({ "status": "SUCCESS", "notif_token": "" }), Forged::NoProof),
            (json!({ "status": "SUCCESS", "notif_token": 7 }), Forged::NoProof),
            (json!({ "status": "SUCCESS", "notif_token": "a b" }), Forged::NoProof),
            (json!({ "status": "SUCCESS", "notif_token": "x".repeat(600) }), Forged::NoProof),
            (json!(["SUCCESS"]), Forged::Malformed),
            (json!({ "notif_token": "t", "more": "x".repeat(5_000) }), Forged::Malformed),
        ] {
            assert_eq!(verify(&body(&wrong)), Err(why), "{wrong}");
            assert!(parse(&body(&wrong)).is_err(), "{wrong}");
        }
        assert!(parse(&body(&json!({ "notif_token": "t" }))).is_err());
        assert_eq!(verify(b"notif_token=t"), Err(Forged::Malformed));
    }
}
