//! Proofs and forgeries.

use chrono::DateTime;
use domain::money::Money;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use reqwest::header::HeaderValue;
use serde_json::json;
use sha2::Sha256;

use super::*;

const KEY: &str = "api_key_test";
const SECRET: &str = "endpoint_secret_test";
const T: i64 = 1_763_800_000;
const V1: &str = "2793229fb5bcb712820841372d249944ee79b070b3eb83a4bcd046a5b2fc9043";
const BODY: &str = r#"{"status":"SUCCESS","transactionId":"MP261122.1224.A00001","reference":"bk_01TEST","amount":{"value":15000.0,"unit":"XOF"}}"#;

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn secrets(key: &str, signing: Option<&str>) -> Secrets {
    let secret = |text: &str| Secret::new(text).unwrap();
    Secrets { api_key: secret(key), signing: signing.map(secret) }
}

fn headers(basic: Option<&str>, signature: Option<&str>) -> HeaderMap {
    let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
    let named = [(AUTHORIZATION, basic), (SIGNATURE, signature)];
    named.into_iter().filter_map(|(name, text)| Some((name, value(text?)))).collect()
}

fn basic() -> String {
    format!("Basic {KEY}")
}

fn genuine() -> String {
    format!("t={T},v1={V1}")
}

fn signed_by(value: &str) -> HeaderMap {
    headers(Some(&basic()), Some(value))
}

/// With a signing secret.
fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), Forged> {
    verify(&[secrets(KEY, Some(SECRET))], headers, body, at(T))
}

/// Without one: the key alone proves it.
fn check_key(value: &str) -> Result<(), Forged> {
    verify(&[secrets(KEY, None)], &headers(Some(value), None), BODY.as_bytes(), at(T))
}

#[test]
fn the_test_vector_is_genuine_and_says_what_it_says() {
    assert_eq!(check(&signed_by(&genuine()), BODY.as_bytes()), Ok(()));
    let event = parse(BODY.as_bytes(), &HeaderMap::new()).unwrap();
    assert_eq!(event.id, "MP261122.1224.A00001:SUCCESS");
    let hint = Hint {
        page: None,
        provider_id: ProviderId::new("bk_01TEST").ok(),
        reference: Some("bk_01TEST".into()),
        amount: Some(Money::xof(15_000)),
        transaction_id: ProviderId::new("MP261122.1224.A00001").ok(),
        code: None,
    };
    assert_eq!(event.kind, Kind::CheckoutCompleted(hint));
}

#[test]
fn a_webhook_is_refused_when_no_secret_is_set() {
    assert_eq!(verify(&[], &signed_by(&genuine()), BODY.as_bytes(), at(T)), Err(Forged::NoSecret));
    for wrong in [json!({ "api_key": "" }), json!({ "api_key": "k", "signing": " " }), json!({ "signing": "s" })] {
        assert!(serde_json::from_value::<Secrets>(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn the_key_comes_as_registered_or_in_base64_and_must_be_the_whole_of_it() {
    assert_eq!(check_key("Basic api_key_test"), Ok(()));
    assert_eq!(check_key("Basic YXBpX2tleV90ZXN0"), Ok(()));
    let wrong = [
        "",
        "Basic",
        "Basic ",
        "Basic  api_key_test",
        "Basic api_key_tes",
        "Basic api_key_test2",
        "Basic API_KEY_TEST",
        "Basic YXBpX2tleV90ZXN",
        "Basic YXBpX2tleV90ZXN0=",
        "Basic WVhCcFgydGxlVjkwWlhOMA==",
        "basic api_key_test",
        "Bearer api_key_test",
        "api_key_test",
    ];
    for value in wrong {
        assert!(check_key(value).is_err(), "{value}");
    }
}

#[test]
fn the_key_is_mandatory_and_the_signature_where_a_secret_is_set() {
    assert_eq!(check(&headers(None, Some(&genuine())), BODY.as_bytes()), Err(Forged::NoProof));
    assert_eq!(check(&headers(Some(&basic()), None), BODY.as_bytes()), Err(Forged::NoProof));
    assert_eq!(check(&headers(Some("Basic other"), Some(&genuine())), BODY.as_bytes()), Err(Forged::Wrong));
    assert_eq!(check(&HeaderMap::new(), BODY.as_bytes()), Err(Forged::NoProof));
    // Nobody can check it, so nobody relies on it.
    let unsigned = verify(&[secrets(KEY, None)], &signed_by("t=1,v1=0"), BODY.as_bytes(), at(T));
    assert_eq!(unsigned, Ok(()));
}

#[test]
fn a_replay_is_refused_outside_five_minutes_either_way() {
    let secrets = [secrets(KEY, Some(SECRET))];
    let verdict = |now| verify(&secrets, &signed_by(&genuine()), BODY.as_bytes(), at(now));
    assert_eq!([verdict(T - 300), verdict(T + 300)], [Ok(()), Ok(())]);
    assert_eq!([verdict(T - 301), verdict(T + 301)], [Err(Forged::Stale), Err(Forged::Stale)]);
}

#[test]
fn any_of_several_live_sets_and_signatures_will_do_but_no_mixture() {
    let two = [secrets("old", Some("old_secret")), secrets(KEY, Some(SECRET))];
    assert_eq!(verify(&two, &signed_by(&genuine()), BODY.as_bytes(), at(T)), Ok(()));
    let mixed = headers(Some("Basic old"), Some(&genuine()));
    assert_eq!(verify(&two, &mixed, BODY.as_bytes(), at(T)), Err(Forged::Wrong));
    let rotating = format!("t={T},v1={},v1={V1}", "0".repeat(64));
    assert_eq!(check(&signed_by(&rotating), BODY.as_bytes()), Ok(()));
}

#[test]
fn signatures_of_the_wrong_make_are_refused() {
    let sign = |message: &str, secret: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(message.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    };
    assert_eq!(sign(&format!("{T},{BODY}"), SECRET), V1);
    let headers = [
        format!("t={T},v1={}", sign(&format!("{T}.{BODY}"), SECRET)),
        format!("t={T},v1={}", sign(&format!("{T}{BODY}"), SECRET)),
        format!("t={T},v1={}", sign(&format!("{T}, {BODY}"), SECRET)),
        format!("t={T},v1={}", sign(BODY, SECRET)),
        format!("t={T},v1={}", sign(&format!("{T},{BODY}"), "")),
        format!("t={T},v1={}", sign(&format!("{T},{BODY}"), KEY)),
        format!("t={T},v1={}", V1.to_uppercase()),
        format!("t={T},v0={V1}"),
        format!("t={T},v1="),
        format!("t={T}"),
        format!("v1={V1}"),
        format!("t=+{T},v1={V1}"),
        format!("t=0{T},v1={V1}"),
        format!("t=,v1={V1}"),
        format!("t={T}.0,v1={V1}"),
        format!("t={},t={T},v1={V1}", T + 1),
        "t=99999999999999999999,v1=0".into(),
        String::new(),
    ];
    for value in headers {
        assert!(check(&signed_by(&value), BODY.as_bytes()).is_err(), "{value}");
    }
}

#[test]
fn two_headers_of_a_kind_are_one_too_many() {
    for name in [AUTHORIZATION, SIGNATURE] {
        let mut headers = signed_by(&genuine());
        headers.append(name, HeaderValue::from_static("Basic api_key_test"));
        assert_eq!(check(&headers, BODY.as_bytes()), Err(Forged::Malformed));
    }
}

#[test]
fn each_flipped_bit_of_body_and_headers_is_refused() {
    for bit in 0..BODY.len() * 8 {
        let mut body = BODY.as_bytes().to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(check(&signed_by(&genuine()), &body), Err(Forged::Wrong), "body bit {bit}");
    }
    for (name, value) in [(AUTHORIZATION, basic()), (SIGNATURE, genuine())] {
        for bit in 0..value.len() * 8 {
            let mut value = value.as_bytes().to_vec();
            value[bit / 8] ^= 1 << (bit % 8);
            // What is no header at all never reaches us.
            let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
            let mut headers = signed_by(&genuine());
            headers.insert(&name, value);
            assert!(check(&headers, BODY.as_bytes()).is_err(), "{name} bit {bit}");
        }
    }
}

#[test]
fn the_id_is_the_idempotency_key_where_there_is_one() {
    let id = |key: &str| {
        let headers = HeaderMap::from_iter([(IDEMPOTENCY, HeaderValue::from_str(key).unwrap())]);
        parse(BODY.as_bytes(), &headers).unwrap().id
    };
    assert_eq!(id("key-1"), "key-1");
    for none in ["", " ", &"k".repeat(121)] {
        assert_eq!(id(none), "MP261122.1224.A00001:SUCCESS", "{none}");
    }
    let headers = HeaderMap::from_iter([(IDEMPOTENCY, HeaderValue::from_static("key-1"))]);
    assert_eq!(parse(br#"{"status":"SUCCESS"}"#, &headers).unwrap().id, "key-1");
}

#[test]
fn each_kind_of_news_is_told_apart() {
    let kind = |status: &str, kind: Option<&str>| {
        let mut body = json!({ "transactionId": "X1", "reference": "ref-1", "status": status });
        kind.inspect(|kind| body["type"] = json!(kind));
        parse(body.to_string().as_bytes(), &HeaderMap::new()).unwrap().kind
    };
    assert!(matches!(kind("SUCCESS", Some("WEB_PAYMENT")), Kind::CheckoutCompleted(hint) if hint.amount.is_none()));
    for status in ["FAILED", "REJECTED", "CANCELLED"] {
        assert!(matches!(kind(status, None), Kind::CheckoutFailed(hint) if hint.code.as_deref() == Some(status)));
    }
    for status in ["PENDING", "ACCEPTED", "INITIATED", "success", "PAID"] {
        assert_eq!(kind(status, Some("MERCHANT_PAYMENT")), Kind::Other(status.into()));
    }
    assert_eq!(kind("SUCCESS", Some("P2P")), Kind::Other("P2P".into()));
    match kind("SUCCESS", Some("CASHIN")) {
        Kind::Payout(hint) => {
            assert_eq!((hint.provider_id, hint.reference), (ProviderId::new("X1").ok(), Some("ref-1".into())));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_says_nothing_is_not_an_event() {
    for body in ["", "[]", "{}", "<html>", r#"{"status":"SUCCESS"}"#, r#"{"transactionId":"X1"}"#, r#"{"status":1}"#] {
        assert!(parse(body.as_bytes(), &HeaderMap::new()).is_err(), "{body}");
    }
}

proptest! {
    #[test]
    fn whatever_else_is_sent_is_refused(body in proptest::collection::vec(any::<u8>(), 0..300), value in "[ -~]{0,120}") {
        prop_assert!(check(&signed_by(&value), &body).is_err());
        prop_assert!(check(&signed_by(&genuine()), &body).is_err());
        prop_assert!(check(&headers(Some(&value), Some(&genuine())), BODY.as_bytes()).is_err());
        prop_assert!(check_key(&value).is_err());
    }

    #[test]
    fn no_body_makes_the_reader_fall_over(body in "\\PC{0,200}", tail in 0..BODY.len()) {
        let _ = parse(body.as_bytes(), &HeaderMap::new());
        prop_assert!(parse(&BODY.as_bytes()[..tail], &HeaderMap::new()).is_err());
    }
}
