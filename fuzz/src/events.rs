//! What is read off a message must be usable: it goes into a database, into notes, and is compared.

use adapters::payments::{
    origin::{self, Origin},
    webhook::{Event, Hint, Kind},
};
use http::HeaderMap;

const NAMES: [&str; 4] = ["wave", "sonatel", "paytech", "paydunya"];
const ID: usize = 120;
const WORDS: usize = 500;
const REFERENCE: usize = 255;
const MOST: i64 = 1_000_000_000_000;

/// Reads a message as one of `provider`'s, twice, and as everybody else's.
///
/// # Panics
/// When what is read cannot be used, or differs from one time to the next.
pub fn read(provider: u8, origin: &Origin, headers: &HeaderMap, body: &[u8]) {
    let name = NAMES[usize::from(provider % 4)];
    assert_eq!(origin.provider(), name);
    let event = origin::read(name, body).expect("a reader for each provider");
    assert_eq!(Some(&event), origin::read(name, body).as_ref(), "read twice, read differently");
    match &event {
        Ok(event) => holds(event),
        Err(error) => assert!(kept(&error.to_string(), WORDS + 20), "{error:?}"),
    }
    let id = origin.event_id(headers, body);
    assert_eq!(id, origin.event_id(headers, body), "two ids of one message");
    if let Some(id) = &id {
        assert!(!id.is_empty() && id.len() <= 255 && kept(id, 255), "an id that cannot be kept: {id:?}");
    }
    if origin.is_probe(body) {
        assert!(event.is_err() && id.is_none(), "a probe that says something");
    }
    for other in NAMES {
        if let Some(Ok(event)) = origin::read(other, body) {
            holds(&event);
        }
    }
    assert!(origin::read("nobody", body).is_none());
}

fn holds(event: &Event) {
    match &event.kind {
        Kind::CheckoutCompleted(hint) | Kind::CheckoutFailed(hint) | Kind::Refunded(hint) | Kind::Payout(hint) => {
            hint_holds(hint)
        }
        Kind::Test => {}
        Kind::Other(kind) => assert!(kept(kind, WORDS), "a kind that cannot be kept: {kind:?}"),
    }
}

fn hint_holds(hint: &Hint) {
    for id in [&hint.provider_id, &hint.transaction_id].into_iter().flatten() {
        assert!(!id.as_str().is_empty() && kept(id.as_str(), ID), "an id {id:?}");
    }
    if let Some(amount) = hint.amount {
        assert!((1..=MOST).contains(&amount.amount) && amount.currency.code() == "XOF", "an amount {amount:?}");
    }
    if let Some(reference) = &hint.reference {
        assert!(!reference.is_empty() && kept(reference, REFERENCE), "a reference {reference:?}");
    }
    if let Some(code) = &hint.code {
        assert!(kept(code, WORDS), "a code {code:?}");
    }
}

fn kept(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(char::is_control)
}
