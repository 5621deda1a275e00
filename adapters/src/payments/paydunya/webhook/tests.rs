//! Proofs and forgeries.

use domain::money::Money;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// providers.md §13.
const KEY: &str = "master_test";
const HASH: &str = "f85d3e00385f287cf78464e503f3d2f3cd24475867b593a3901faecd241ef49f47f44474e3c587f70d32f353cf94212665cc4b2cb112f3c0165141af4facfcbe";

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

fn invoice() -> Value {
    json!({
        "response_code": "00", "response_text": "Transaction Found", "hash": HASH, "status": "completed", "mode": "live",
        "invoice": { "token": "tok1", "total_amount": "15000", "description": "Réservation & bien à vous = 100%" },
        "custom_data": { "reference": "bk_01TEST" },
        "customer": { "name": "", "email": "", "phone": "760000000" },
        "actions": { "callback_url": "https://book.example.sn/ipn?a=1&b=2" },
    })
}

fn payout_body() -> String {
    format!(
        "hash={HASH}&status=success&token=tok2+&withdraw_mode=wave-senegal&amount=203.00&updated_at=11%2F01%2F2026+14%3A30%3A32\
         &disburse_id=pay-1&transaction_id=TX-1&disburse_tx_id=OP-1"
    )
}

fn in_form(payload: &Value) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("data", &payload.to_string()).finish()
}

fn in_brackets(root: &str, payload: &Value) -> String {
    fn walk(name: &str, value: &Value, out: &mut form_urlencoded::Serializer<'_, String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                let inner = if name.is_empty() { key.clone() } else { format!("{name}[{key}]") };
                walk(&inner, value, out);
            }),
            other => drop(out.append_pair(name, other.as_str().unwrap_or(&other.to_string()))),
        }
    }
    let mut out = form_urlencoded::Serializer::new(String::new());
    walk(root, payload, &mut out);
    out.finish()
}

/// The same payload in each form seen.
fn forms(payload: &Value) -> [String; 5] {
    let wrapped = json!({ "data": payload }).to_string();
    [in_form(payload), in_brackets("data", payload), in_brackets("", payload), payload.to_string(), wrapped]
}

fn check(body: &str) -> Result<(), Forged> {
    verify(&[secret(KEY)], false, body.as_bytes())
}

fn with(pointer: &str, value: Value) -> Value {
    let mut payload = invoice();
    *payload.pointer_mut(pointer).unwrap() = value;
    payload
}

#[test]
fn the_test_vector_is_genuine_and_says_what_it_says_in_each_form() {
    assert_eq!(hex::encode(Sha512::digest(KEY)), HASH);
    let hint = Hint {
        provider_id: ProviderId::new("tok1").ok(),
        reference: Some("bk_01TEST".into()),
        amount: Some(Money::xof(15_000)),
        ..Hint::default()
    };
    for body in forms(&invoice()) {
        assert_eq!(check(&body), Ok(()), "{body}");
        let event = parse(body.as_bytes()).unwrap();
        assert_eq!(event, Event { id: String::new(), kind: Kind::CheckoutCompleted(hint.clone()) }, "{body}");
    }
}

#[test]
fn a_callback_is_refused_when_no_key_is_set() {
    assert_eq!(verify(&[], false, in_form(&invoice()).as_bytes()), Err(Forged::NoSecret));
    // The hash of nothing is known to everybody; there is no empty secret to have it.
    let nothing = with("/hash", json!(hex::encode(Sha512::digest(""))));
    assert_eq!(check(&in_form(&nothing)), Err(Forged::Wrong));
}

#[test]
fn any_of_several_live_keys_will_do() {
    let keys = [secret("old"), secret(KEY), secret("new")];
    assert_eq!(verify(&keys, false, in_form(&invoice()).as_bytes()), Ok(()));
    assert_eq!(verify(&[secret("old"), secret("new")], false, in_form(&invoice()).as_bytes()), Err(Forged::Wrong));
}

#[test]
fn hashes_of_the_wrong_make_are_refused() {
    let other = |text: &[u8]| hex::encode(Sha512::digest(text));
    let wrong = [
        json!(HASH.to_uppercase()),
        json!(&HASH[..127]),
        json!(format!("{HASH}0")),
        json!(format!(" {HASH}")),
        json!(KEY),
        json!(other(b"master_test ")),
        json!(other(HASH.as_bytes())),
        json!(hex::encode(sha2::Sha256::digest(KEY))),
        json!("0"),
    ];
    for hash in wrong {
        for body in forms(&with("/hash", hash.clone())) {
            assert_eq!(check(&body), Err(Forged::Wrong), "{hash}");
        }
    }
    for hash in [json!(""), json!({ "0": HASH })] {
        assert!(check(&in_form(&with("/hash", hash.clone()))).is_err(), "{hash}");
    }
    for hash in [json!(null), json!(true), json!(0), json!([HASH])] {
        assert_eq!(check(&in_form(&with("/hash", hash.clone()))), Err(Forged::NoProof), "{hash}");
    }
}

#[test]
fn each_flipped_bit_of_the_hash_is_refused() {
    for bit in 0..HASH.len() * 8 {
        let mut hash = HASH.as_bytes().to_vec();
        hash[bit / 8] ^= 1 << (bit % 8);
        let Ok(hash) = String::from_utf8(hash) else { continue };
        assert!(check(&in_form(&with("/hash", json!(hash)))).is_err(), "bit {bit}");
    }
}

/// What the hash does not protect: providers.md §3.2. Whoever calls this must ask PayDunya and compare.
#[test]
fn the_hash_binds_nothing_so_that_a_changed_amount_passes() {
    let changed = in_form(&with("/invoice/total_amount", json!("1")));
    assert_eq!(check(&changed), Ok(()));
    assert!(
        matches!(parse(changed.as_bytes()).unwrap().kind, Kind::CheckoutCompleted(hint) if hint.amount == Some(Money::xof(1)))
    );
}

#[test]
fn play_money_does_not_pass_for_money_nor_the_other_way_round() {
    let (live, test) = (in_form(&invoice()), in_form(&with("/mode", json!("test"))));
    let verdict = |sandbox, body: &str| verify(&[secret(KEY)], sandbox, body.as_bytes());
    assert_eq!([verdict(false, &live), verdict(true, &test)], [Ok(()), Ok(())]);
    assert_eq!([verdict(true, &live), verdict(false, &test)], [Err(Forged::Wrong), Err(Forged::Wrong)]);
    for mode in [json!("LIVE"), json!(""), json!(null), json!("prod")] {
        assert_eq!(verdict(false, &in_form(&with("/mode", mode.clone()))), Err(Forged::Wrong), "{mode}");
    }
}

#[test]
fn a_payout_calls_flatly_and_without_a_mode() {
    assert_eq!(check(&payout_body()), Ok(()));
    let hint = Hint {
        page: None,
        provider_id: ProviderId::new("tok2").ok(),
        reference: Some("pay-1".into()),
        amount: Some(Money::xof(203)),
        transaction_id: ProviderId::new("TX-1").ok(),
        code: None,
    };
    assert_eq!(parse(payout_body().as_bytes()).unwrap().kind, Kind::Payout(hint));
    // There are none in the sandbox.
    assert_eq!(verify(&[secret(KEY)], true, payout_body().as_bytes()), Err(Forged::Wrong));
    // An invoice does not get past the mode by looking like a payout as well.
    let mut both = invoice();
    both.as_object_mut().unwrap().remove("mode");
    both["withdraw_mode"] = json!("wave-senegal");
    assert_eq!(check(&in_form(&both)), Err(Forged::Wrong));
}

#[test]
fn a_hash_beside_the_data_counts_but_not_two_that_differ() {
    let mut payload = invoice();
    let hash = payload.as_object_mut().unwrap().remove("hash").unwrap();
    let beside = |payload: &Value, hash: &Value| json!({ "data": payload, "hash": hash }).to_string();
    assert_eq!(check(&beside(&payload, &hash)), Ok(()));
    assert_eq!(check(&beside(&invoice(), &hash)), Ok(()));
    assert_eq!(check(&beside(&invoice(), &json!("other"))), Err(Forged::Malformed));
}

#[test]
fn each_status_has_its_kind() {
    let kind = |status: &str| parse(in_form(&with("/status", json!(status))).as_bytes()).unwrap().kind;
    assert!(matches!(kind("completed"), Kind::CheckoutCompleted(_)));
    assert!(matches!(kind("cancelled"), Kind::CheckoutFailed(_)) && matches!(kind("failed"), Kind::CheckoutFailed(_)));
    assert_eq!(kind("pending"), Kind::Other("invoice pending".into()));
    let mut inner = invoice();
    inner.as_object_mut().unwrap().remove("status");
    inner["invoice"]["status"] = json!("failed");
    inner["fail_reason"] = json!("Solde insuffisant");
    assert!(matches!(parse(in_form(&inner).as_bytes()).unwrap().kind,
        Kind::CheckoutFailed(hint) if hint.code.as_deref() == Some("Solde insuffisant")));
    inner["status"] = json!("completed");
    assert!(parse(in_form(&inner).as_bytes()).is_err());
    assert_eq!(parse(br#"{"status":"new","hash":"x"}"#).unwrap().kind, Kind::Other("new".into()));
    assert!(parse(br#"{"hash":"x"}"#).is_err());
}

#[test]
fn an_empty_question_is_a_probe_and_no_callback() {
    for body in ["", " \r\n", "{}", "[]"] {
        assert!(is_probe(body.as_bytes()) && check(body).is_err() && parse(body.as_bytes()).is_err(), "{body:?}");
    }
    assert!(!is_probe(in_form(&invoice()).as_bytes()) && !is_probe(b"data="));
}

#[test]
fn forms_that_play_games_are_not_read() {
    let genuine = in_brackets("data", &invoice());
    let deep = format!("data{}=1", "[a]".repeat(DEPTH));
    let many = (0..=FIELDS).map(|number| format!("data[x{number}]=1")).collect::<Vec<_>>().join("&");
    let more = [
        "data[hash]=again",
        "data=x",
        "data[invoice]=x",
        "data[hash][x]=1",
        "data[a=1",
        "data]a[=1",
        "data[a]b=1",
        "data[a[b]]=1",
        "[a]=1",
        "=1",
        &deep,
        &many,
        &format!("x={}", "y".repeat(BYTES)),
    ];
    for more in more {
        assert_eq!(check(&format!("{genuine}&{more}")), Err(Forged::Malformed), "{}", &more[..more.len().min(40)]);
    }
    for body in ["data=42", "data=", "data=%7B", "data=[]", r#"{"data":[1]}"#, r#"{"data":"x"}"#, "[1]", "{", "null"] {
        assert!(check(body).is_err() && parse(body.as_bytes()).is_err(), "{body}");
    }
    // Lists, as PHP writes them, are no game.
    assert_eq!(
        check(&format!("{genuine}&data[invoice][channels][]=card&data[invoice][channels][]=wave-senegal")),
        Ok(())
    );
}

#[test]
fn json_that_is_too_deep_is_not_read() {
    let deep = format!(r#"{{"hash":"{HASH}","mode":"live","x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(check(&deep), Err(Forged::Malformed));
}

proptest! {
    #[test]
    fn whatever_else_is_sent_is_refused(body in proptest::collection::vec(any::<u8>(), 0..300), hash in "[0-9a-f]{128}") {
        prop_assert!(verify(&[secret(KEY)], false, &body).is_err());
        prop_assume!(hash != HASH);
        for body in forms(&with("/hash", json!(hash))) {
            prop_assert_eq!(check(&body), Err(Forged::Wrong));
        }
    }

    #[test]
    fn no_body_makes_the_reader_fall_over(body in "\\PC{0,200}", fields in "(data)?(\\[[a-z]{0,3}\\]){0,3}=[a-z0-9%]{0,9}(&(data)?(\\[[a-z]{0,2}\\]){0,9}=x){0,6}") {
        for body in [&body, &fields] {
            let _ = parse(body.as_bytes());
            prop_assert!(check(body).is_err());
        }
    }

    #[test]
    fn a_part_of_a_callback_is_not_the_callback(cut in 0..400_usize) {
        let body = in_form(&invoice());
        prop_assert!(parse(&body.as_bytes()[..cut.min(body.len() - 1)]).is_err());
    }

    #[test]
    fn what_is_written_with_brackets_reads_as_it_was(text in "\\PC{1,40}") {
        let payload = with("/custom_data/reference", json!(text));
        for body in forms(&payload) {
            let Kind::CheckoutCompleted(hint) = parse(body.as_bytes()).unwrap().kind else { panic!("{body}") };
            prop_assert_eq!(hint.reference.as_deref(), Some(text.as_str()));
        }
    }
}
