//! Proofs and forgeries.

use chrono::DateTime;
use domain::money::Money;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use reqwest::header::HeaderValue;
use serde_json::json;
use sha2::Sha256;

use super::*;

const SECRET: &str = "wave_sn_WHS_test_secret";
const T: i64 = 1_763_800_000;
const V1: &str = "8f39c89b0021da92dbe389cf71d08f64deefd8ea5f80ca65e017c0a30e076eb0";
const BODY: &str = r#"{"id":"EV_test0000001","type":"checkout.session.completed","data":{"id":"cos-1test000000a","amount":"15000","currency":"XOF","checkout_status":"complete","payment_status":"succeeded","client_reference":"bk_01TEST","transaction_id":"T_TEST000001"}}"#;

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn signing(secret: &str) -> WebhookSecret {
    WebhookSecret::Signing(Secret::new(secret).unwrap())
}

fn shared_with(secret: &str) -> WebhookSecret {
    WebhookSecret::Shared(Secret::new(secret).unwrap())
}

fn header(name: &'static str, value: impl AsRef<[u8]>) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_ref()).unwrap())])
}

fn signature(value: impl AsRef<[u8]>) -> HeaderMap {
    header("wave-signature", value)
}

fn genuine() -> String {
    format!("t={T},v1={V1}")
}

fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), Forged> {
    verify(&[signing(SECRET)], headers, body, at(T))
}

#[test]
fn the_test_vector_is_genuine_and_says_what_it_says() {
    assert_eq!(check(&signature(genuine()), BODY.as_bytes()), Ok(()));
    let event = parse(BODY.as_bytes()).unwrap();
    assert_eq!(event.id, "EV_test0000001");
    let hint = Hint {
        page: None,
        provider_id: ProviderId::new("cos-1test000000a").ok(),
        reference: Some("bk_01TEST".into()),
        amount: Some(Money::xof(15_000)),
        transaction_id: ProviderId::new("T_TEST000001").ok(),
        code: None,
    };
    assert_eq!(event.kind, Kind::CheckoutCompleted(hint));
}

#[test]
fn a_webhook_is_refused_when_no_secret_is_set() {
    assert_eq!(verify(&[], &signature(genuine()), BODY.as_bytes(), at(T)), Err(Forged::NoSecret));
    assert!(serde_json::from_value::<WebhookSecret>(json!({ "strategy": "signing", "secret": "" })).is_err());
}

#[test]
fn a_replay_is_refused_outside_five_minutes_either_way() {
    let verdict = |now| verify(&[signing(SECRET)], &signature(genuine()), BODY.as_bytes(), at(now));
    assert_eq!([verdict(T - 300), verdict(T + 300)], [Ok(()), Ok(())]);
    assert_eq!([verdict(T - 301), verdict(T + 301)], [Err(Forged::Stale), Err(Forged::Stale)]);
}

#[test]
fn any_of_several_live_secrets_and_signatures_will_do() {
    let secrets = [shared_with("old"), signing("wave_sn_WHS_other"), signing(SECRET)];
    assert_eq!(verify(&secrets, &signature(genuine()), BODY.as_bytes(), at(T)), Ok(()));
    let rotating = signature(format!("t={T},v1={},v1={V1}", "0".repeat(64)));
    assert_eq!(check(&rotating, BODY.as_bytes()), Ok(()));
    assert_eq!(verify(&secrets, &header("authorization", "Bearer old"), BODY.as_bytes(), at(T)), Ok(()));
}

#[test]
fn a_strategy_that_is_not_configured_opens_nothing() {
    let bearer = header("authorization", format!("Bearer {SECRET}"));
    assert_eq!(check(&bearer, BODY.as_bytes()), Err(Forged::NoProof));
    let signed = verify(&[shared_with(SECRET)], &signature(genuine()), BODY.as_bytes(), at(T));
    assert_eq!(signed, Err(Forged::NoProof));
}

#[test]
fn a_shared_secret_must_be_the_whole_of_it() {
    let secrets = [shared_with("wave_sn_WHS_shared")];
    let verdict = |value: &str| verify(&secrets, &header("authorization", value), BODY.as_bytes(), at(T));
    assert_eq!(verdict("Bearer wave_sn_WHS_shared"), Ok(()));
    for wrong in [
        "",
        "Bearer ",
        "Bearer wave_sn_WHS_share",
        "Bearer wave_sn_WHS_shared2",
        "wave_sn_WHS_shared",
        "bearer wave_sn_WHS_shared",
    ] {
        assert!(verdict(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn signatures_of_the_wrong_make_are_refused() {
    let sign = |message: &[u8], secret: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(message);
        hex::encode(mac.finalize().into_bytes())
    };
    let dotted = sign(format!("{T}.{BODY}").as_bytes(), SECRET.as_bytes());
    let keyless = sign(format!("{T}{BODY}").as_bytes(), b"");
    let bodyless = sign(T.to_string().as_bytes(), SECRET.as_bytes());
    let headers = [
        format!("t={T},v1={dotted}"),
        format!("t={T},v1={keyless}"),
        format!("t={T},v1={bodyless}"),
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
        assert!(check(&signature(&value), BODY.as_bytes()).is_err(), "{value}");
    }
}

#[test]
fn two_signature_headers_are_one_too_many() {
    let mut headers = signature(genuine());
    headers.append("wave-signature", HeaderValue::from_static("t=1,v1=0"));
    assert_eq!(check(&headers, BODY.as_bytes()), Err(Forged::Malformed));
}

#[test]
fn a_body_written_again_is_another_body() {
    let again = serde_json::from_str::<Value>(BODY).unwrap();
    let pretty = serde_json::to_string_pretty(&again).unwrap();
    assert_eq!(check(&signature(genuine()), pretty.as_bytes()), Err(Forged::Wrong));
}

/// F43: two thousand and more mutations of a valid webhook.
#[test]
fn each_flipped_bit_of_body_and_header_is_refused() {
    for bit in 0..BODY.len() * 8 {
        let mut body = BODY.as_bytes().to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(check(&signature(genuine()), &body), Err(Forged::Wrong), "body bit {bit}");
    }
    let value = genuine();
    for bit in 0..value.len() * 8 {
        let mut value = value.as_bytes().to_vec();
        value[bit / 8] ^= 1 << (bit % 8);
        // What is no header at all never reaches us.
        let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
        let headers = HeaderMap::from_iter([(HeaderName::from_static("wave-signature"), value)]);
        assert!(check(&headers, BODY.as_bytes()).is_err(), "header bit {bit}");
    }
    assert_eq!(check(&HeaderMap::new(), BODY.as_bytes()), Err(Forged::NoProof));
}

proptest! {
    #[test]
    fn whatever_else_is_sent_is_refused(body in proptest::collection::vec(any::<u8>(), 0..300), value in "[ -~]{0,120}") {
        prop_assert!(check(&signature(value), &body).is_err());
        prop_assert!(check(&signature(genuine()), &body).is_err());
    }

    #[test]
    fn no_body_makes_the_reader_fall_over(body in "\\PC{0,200}", tail in 0..BODY.len()) {
        let _ = parse(body.as_bytes());
        prop_assert!(parse(&BODY.as_bytes()[..tail]).is_err());
    }
}

#[test]
fn a_minimal_failure_is_known_by_its_session() {
    let body = json!({
        "id": "AE_1", "type": "checkout.session.payment_failed",
        "data": { "id": "cos-1", "last_payment_error": { "code": "insufficient-funds", "message": "" } },
    });
    let hint =
        Hint { provider_id: ProviderId::new("cos-1").ok(), code: Some("insufficient-funds".into()), ..Hint::default() };
    assert_eq!(parse(body.to_string().as_bytes()).unwrap().kind, Kind::CheckoutFailed(hint));
}

#[test]
fn a_success_without_an_amount_carries_none() {
    let body =
        json!({ "id": "EV_1", "type": "checkout.session.completed", "data": { "id": "cos-1", "amount": "12.50" } });
    match parse(body.to_string().as_bytes()).unwrap().kind {
        Kind::CheckoutCompleted(hint) => assert_eq!(hint.amount, None),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_portals_test_and_types_we_do_not_use_are_told_apart() {
    let kind = |kind: &str| parse(json!({ "id": "EV_1", "type": kind }).to_string().as_bytes()).map(|event| event.kind);
    assert_eq!(kind("test.test_event"), Ok(Kind::Test));
    assert_eq!(kind("b2b.payment_received"), Ok(Kind::Other("b2b.payment_received".into())));
    for body in ["", "[]", "{}", r#"{"id":"","type":"x"}"#, r#"{"id":1,"type":"x"}"#] {
        assert!(parse(body.as_bytes()).is_err(), "{body}");
    }
}
