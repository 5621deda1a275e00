//! Proofs and forgeries.

use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use super::*;

const HMAC: &str = "6ce12c79ff000c1dca58f19eb3c68c4547962584145d0160f847fe34b5700bb1";
const KEY_HASH: &str = "f61e08e276c56e31f0690d991ba39927cb11ed1b096576a9dffcdf90ea829c8f";
const SECRET_HASH: &str = "e810d7b45867f6973b9e0130f0b9f85d87a7dd8de27df1582126f04715f6d891";

fn secrets(key: &str, secret: &str, env: Env) -> Secrets {
    Secrets { api_key: Secret::new(key).unwrap(), api_secret: Secret::new(secret).unwrap(), env }
}

fn ours() -> Vec<Secrets> {
    vec![secrets("key_test", "secret_test", Env::Test)]
}

fn typed(kind: &str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap())])
}

/// The vector of providers.md §13 as an IPN, with both proofs.
fn genuine() -> Value {
    json!({
        "type_event": "sale_complete", "ref_command": "bk_01TEST", "token": "tok1", "item_price": 15_000,
        "final_item_price": 15_000, "currency": "XOF", "env": "test", "custom_field": "{\"a\":1}",
        "hmac_compute": HMAC, "api_key_sha256": KEY_HASH, "api_secret_sha256": SECRET_HASH,
    })
}

/// The same, with some fields changed or (by null) left out.
fn but(changes: Value) -> Value {
    let mut body = genuine();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}

fn form(body: &Value) -> String {
    let fields = body.as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = fields.map(|(name, value)| (name, text(value)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Checks it in each way of writing, which must not differ.
#[track_caller]
fn check(body: &Value) -> Result<(), Forged> {
    let json = verify(&ours(), &typed("application/json; charset=utf-8"), body.to_string().as_bytes());
    let form = form(body);
    assert_eq!(verify(&ours(), &typed("application/x-www-form-urlencoded"), form.as_bytes()), json);
    assert_eq!(verify(&ours(), &HeaderMap::new(), form.as_bytes()), json);
    assert_eq!(verify(&ours(), &HeaderMap::new(), format!(" {body}").as_bytes()), json);
    assert_eq!(verify(&ours(), &typed("text/plain"), body.to_string().as_bytes()), json);
    json
}

fn sign(message: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[test]
fn the_test_vector_is_genuine_and_says_what_it_says() {
    assert_eq!(check(&genuine()), Ok(()));
    let hint = Hint {
        page: None,
        provider_id: ProviderId::new("tok1").ok(),
        reference: Some("bk_01TEST".into()),
        amount: Some(Money::xof(15_000)),
        transaction_id: ProviderId::new("tok1").ok(),
        code: None,
    };
    let event = Event { id: String::new(), kind: Kind::CheckoutCompleted(hint) };
    assert_eq!(parse(&HeaderMap::new(), genuine().to_string().as_bytes()), Ok(event.clone()));
    assert_eq!(parse(&HeaderMap::new(), form(&genuine()).as_bytes()), Ok(event));
}

#[test]
fn the_hashes_of_the_test_vector_do_when_there_is_no_hmac() {
    assert_eq!(check(&but(json!({ "hmac_compute": null }))), Ok(()));
    let nothing = r#"{"env":"test","hmac_compute":null,"api_key_sha256":"f61e08e276c56e31f0690d991ba39927cb11ed1b096576a9dffcdf90ea829c8f","api_secret_sha256":"e810d7b45867f6973b9e0130f0b9f85d87a7dd8de27df1582126f04715f6d891"}"#;
    assert_eq!(verify(&ours(), &HeaderMap::new(), nothing.as_bytes()), Ok(()));
}

#[test]
fn the_hmac_does_without_the_hashes() {
    assert_eq!(check(&but(json!({ "api_key_sha256": null, "api_secret_sha256": "wrong" }))), Ok(()));
}

#[test]
fn a_wrong_hmac_is_not_saved_by_the_right_hashes() {
    for wrong in ["", "0", &"0".repeat(64), &HMAC.to_uppercase(), &HMAC[..63], &format!("{HMAC}0"), &format!(" {HMAC}")]
    {
        assert_eq!(check(&but(json!({ "hmac_compute": wrong }))), Err(Forged::Wrong), "{wrong}");
    }
    for nested in [json!({}), json!([HMAC]), json!(0), json!(true), json!(false)] {
        let body = but(json!({ "hmac_compute": nested })).to_string();
        assert_eq!(verify(&ours(), &HeaderMap::new(), body.as_bytes()), Err(Forged::Wrong), "{body}");
    }
}

#[test]
fn the_hashes_must_both_be_there_and_right() {
    let hashes = |key: Value, secret: Value| {
        check(&but(json!({ "hmac_compute": null, "api_key_sha256": key, "api_secret_sha256": secret })))
    };
    assert_eq!(hashes(json!(null), json!(null)), Err(Forged::NoProof));
    assert_eq!(hashes(json!(KEY_HASH), json!(null)), Err(Forged::NoProof));
    assert_eq!(hashes(json!(null), json!(SECRET_HASH)), Err(Forged::NoProof));
    for (key, secret) in [
        (KEY_HASH, ""),
        ("", SECRET_HASH),
        (SECRET_HASH, KEY_HASH),
        (KEY_HASH, KEY_HASH),
        (KEY_HASH, &SECRET_HASH[..63]),
        (KEY_HASH, &SECRET_HASH.to_uppercase()),
        // Of nothing.
        (KEY_HASH, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("key_test", "secret_test"),
    ] {
        assert_eq!(hashes(json!(key), json!(secret)), Err(Forged::Wrong), "{key} {secret}");
    }
}

#[test]
fn an_ipn_is_refused_when_no_secret_is_set() {
    assert_eq!(verify(&[], &HeaderMap::new(), genuine().to_string().as_bytes()), Err(Forged::NoSecret));
    let empty = json!({ "api_key": "k", "api_secret": "", "env": "prod" });
    assert!(serde_json::from_value::<Secrets>(empty).is_err());
}

#[test]
fn money_of_the_other_env_is_refused_however_it_is_proven() {
    for env in [json!("prod"), json!("TEST"), json!(""), json!(null), json!(["test"])] {
        let body = but(json!({ "env": env }));
        assert_eq!(check(&body), Err(Forged::Wrong), "{body}");
        let hashed = but(json!({ "env": env, "hmac_compute": null }));
        assert_eq!(check(&hashed), Err(Forged::Wrong), "{hashed}");
    }
}

#[test]
fn any_of_several_live_keys_will_do() {
    let rotating = [secrets("key_new", "secret_new", Env::Test), ours().remove(0)];
    assert_eq!(verify(&rotating, &HeaderMap::new(), genuine().to_string().as_bytes()), Ok(()));
    let others = [secrets("key_test", "secret_new", Env::Test), secrets("key_new", "secret_test", Env::Test)];
    assert_eq!(verify(&others, &HeaderMap::new(), genuine().to_string().as_bytes()), Err(Forged::Wrong));
}

#[test]
fn amount_and_reference_cannot_be_changed() {
    for changes in [
        json!({ "final_item_price": 1, "item_price": 1 }),
        json!({ "final_item_price": "015000", "item_price": "15000.0" }),
        json!({ "final_item_price": "15000 ", "item_price": null }),
        json!({ "ref_command": "bk_02TEST" }),
        json!({ "ref_command": "BK_01TEST" }),
        json!({ "ref_command": "bk_01TEST " }),
    ] {
        assert_eq!(check(&but(changes.clone())), Err(Forged::Wrong), "{changes}");
    }
    for missing in [json!({ "ref_command": null }), json!({ "ref_command": "" })] {
        assert_eq!(check(&but(missing)), Err(Forged::Malformed));
    }
    let priceless = but(json!({ "final_item_price": null, "item_price": null }));
    assert_eq!(check(&priceless), Err(Forged::Wrong));
}

#[test]
fn the_amount_is_the_final_one_or_that_of_the_item_as_it_is_written() {
    let promo = json!({ "final_item_price": 13_500, "hmac_compute": sign("13500|bk_01TEST|key_test", "secret_test") });
    assert_eq!(check(&but(promo)), Ok(()));
    // As one integration has it.
    assert_eq!(check(&but(json!({ "final_item_price": 13_500 }))), Ok(()));
    assert_eq!(check(&but(json!({ "final_item_price": null }))), Ok(()));
    assert_eq!(check(&but(json!({ "final_item_price": "" }))), Ok(()));
    let written = sign("15000.00|bk_01TEST|key_test", "secret_test");
    assert_eq!(check(&but(json!({ "item_price": "15000.00", "hmac_compute": written }))), Ok(()));
    // A number keeps its digits.
    let body = genuine().to_string().replace("\"item_price\":15000", "\"item_price\":15000.00").replace(HMAC, &written);
    assert_eq!(verify(&ours(), &HeaderMap::new(), body.as_bytes()), Ok(()));
}

#[test]
fn hmacs_of_the_wrong_make_are_refused() {
    for message in [
        "15000bk_01TESTkey_test",
        "bk_01TEST|15000|key_test",
        "15000|bk_01TEST",
        "15000|bk_01TEST|secret_test",
        "15000|bk_01TEST|",
        "15000|key_test",
        "",
    ] {
        let changes = json!({ "hmac_compute": sign(message, "secret_test") });
        assert_eq!(check(&but(changes)), Err(Forged::Wrong), "{message}");
    }
    for secret in ["", "key_test", "secret_tes", KEY_HASH, SECRET_HASH] {
        let changes = json!({ "hmac_compute": sign("15000|bk_01TEST|key_test", secret) });
        assert_eq!(check(&but(changes)), Err(Forged::Wrong), "{secret}");
    }
}

#[test]
fn no_part_can_lend_characters_to_another() {
    for (amount, reference) in
        [("15000|bk", "01"), ("1", "5000|bk_01TEST"), ("", "15000|bk_01TEST"), ("15000|bk_01TEST", "")]
    {
        let hmac = sign(&format!("{amount}|{reference}|key_test"), "secret_test");
        let changes =
            json!({ "final_item_price": amount, "item_price": "", "ref_command": reference, "hmac_compute": hmac });
        assert!(check(&but(changes)).is_err(), "{amount} {reference}");
    }
}

#[test]
fn a_field_that_stands_there_twice_is_refused() {
    let form = form(&genuine());
    for twice in ["&ref_command=bk_02TEST", "&ref_command=bk_01TEST", "&%72ef_command=x", "&env=test", "&custom_field="]
    {
        let body = format!("{form}{twice}");
        assert_eq!(verify(&ours(), &HeaderMap::new(), body.as_bytes()), Err(Forged::Malformed), "{twice}");
        assert!(parse(&HeaderMap::new(), body.as_bytes()).is_err());
    }
    let json = genuine().to_string();
    let more = [r#""ref_command":"bk_02TEST""#, r#""\u0072ef_command":"x""#, r#""env":"test""#, r#""token":null"#];
    for twice in more {
        for body in [format!("{{{twice},{}", &json[1..]), format!("{},{twice}}}", &json[..json.len() - 1])] {
            assert_eq!(verify(&ours(), &HeaderMap::new(), body.as_bytes()), Err(Forged::Malformed), "{twice}");
        }
    }
}

#[test]
fn what_is_neither_form_nor_json_is_refused() {
    let json = typed("application/json");
    for body in ["", "[]", "null", "{", "\"a\"", "{}{}", "a=1", "{\"a\":}", "{1:2}"] {
        assert_eq!(verify(&ours(), &json, body.as_bytes()), Err(Forged::Malformed), "{body}");
    }
    // By its name it is a form, and then it says nothing.
    let body = genuine().to_string();
    assert!(verify(&ours(), &typed("application/x-www-form-urlencoded"), body.as_bytes()).is_err());
    assert!(verify(&ours(), &HeaderMap::new(), b"").is_err());
    let mut twice = typed("application/json");
    twice.append(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    assert_eq!(verify(&ours(), &twice, body.as_bytes()), Err(Forged::Malformed));
}

#[test]
fn each_flipped_bit_of_what_is_proven_is_refused() {
    let body = genuine();
    for field in ["ref_command", "hmac_compute"] {
        let value = body[field].as_str().unwrap();
        for bit in 0..value.len() * 8 {
            let mut bytes = value.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(bytes) else { continue };
            assert!(check(&but(json!({ field: flipped }))).is_err(), "{field} bit {bit}");
        }
    }
}

#[test]
fn each_kind_is_known_by_its_type() {
    let kind =
        |of: &str| parse(&HeaderMap::new(), but(json!({ "type_event": of })).to_string().as_bytes()).map(|e| e.kind);
    let hint = |kind: Kind| match kind {
        Kind::CheckoutFailed(hint) | Kind::Refunded(hint) | Kind::Payout(hint) => hint,
        other => panic!("{other:?}"),
    };
    let failed = hint(kind("sale_canceled").unwrap());
    assert_eq!((failed.reference.as_deref(), failed.transaction_id), (Some("bk_01TEST"), None));
    assert!(matches!(kind("refund_complete"), Ok(Kind::Refunded(_))));
    for payout in ["transfer_success", "transfer_failed"] {
        assert!(matches!(kind(payout), Ok(Kind::Payout(_))), "{payout}");
    }
    assert_eq!(kind("subscription_due"), Ok(Kind::Other("subscription_due".into())));
    for body in ["", "{}", "a=1", "type_event=", r#"{"type_event":null}"#, "[]"] {
        assert!(parse(&HeaderMap::new(), body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn an_amount_that_cannot_be_read_is_none() {
    for changes in [
        json!({ "final_item_price": "12.50" }),
        json!({ "final_item_price": "abc" }),
        json!({ "currency": "EUR" }),
        json!({ "final_item_price": null, "item_price": null }),
    ] {
        match parse(&HeaderMap::new(), form(&but(changes.clone())).as_bytes()).unwrap().kind {
            Kind::CheckoutCompleted(hint) => assert_eq!(hint.amount, None, "{changes}"),
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn whatever_else_is_sent_is_refused(body in proptest::collection::vec(any::<u8>(), 0..300), kind in "[ -~]{0,40}") {
        prop_assert!(verify(&ours(), &HeaderMap::new(), &body).is_err());
        prop_assert!(verify(&ours(), &typed(&kind), &body).is_err());
        let _ = parse(&typed(&kind), &body);
    }

    #[test]
    fn whatever_is_claimed_without_the_keys_is_refused(
        amount in "[0-9]{1,7}", reference in "[A-Za-z0-9_-]{1,22}", hmac in "[0-9a-f]{64}", key in "\\PC{1,20}",
    ) {
        let claim = json!({ "final_item_price": amount, "ref_command": reference, "hmac_compute": hmac });
        prop_assert_eq!(check(&but(claim)), Err(if reference == "bk_01TEST" && hmac == HMAC { return Ok(()) } else { Forged::Wrong }));
        let signed = sign(&format!("{amount}|{reference}|{key}"), &key);
        let claim = json!({ "final_item_price": amount, "item_price": amount, "ref_command": reference, "hmac_compute": signed });
        prop_assert_eq!(check(&but(claim)), Err(Forged::Wrong));
    }

    #[test]
    fn the_same_is_read_from_form_and_json(
        amount in 1_i64..1_000_000, reference in "\\PC{1,30}", token in "[a-z0-9]{1,30}",
    ) {
        let body = but(json!({ "item_price": amount, "final_item_price": amount, "ref_command": reference, "token": token }));
        let from_json = parse(&typed("application/json"), body.to_string().as_bytes()).unwrap();
        prop_assert_eq!(&parse(&HeaderMap::new(), form(&body).as_bytes()).unwrap(), &from_json);
        let Kind::CheckoutCompleted(hint) = from_json.kind else { panic!() };
        prop_assert_eq!(hint.amount, Some(Money::xof(amount)));
        prop_assert_eq!(hint.reference, Some(reference));
    }
}
