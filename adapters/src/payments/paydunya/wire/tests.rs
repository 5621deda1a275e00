//! What is read, and what is not.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn reply(body: &Value) -> Reply {
    Reply::read(body.to_string().as_bytes()).unwrap()
}

fn id(token: &str) -> ProviderId {
    ProviderId::new(token).unwrap()
}

/// A paid invoice as `confirm` answers it.
fn paid() -> Value {
    json!({
        "response_code": "00", "status": "completed", "mode": "live",
        "invoice": { "token": "t1", "total_amount": "15000.00", "status": "completed" },
        "custom_data": { "reference": "ref-1" },
    })
}

fn confirmed(body: &Value) -> Outcome<ProviderStatus> {
    reply(body).status(&id("t1"), "live")
}

fn is_paid(outcome: &Outcome<ProviderStatus>) -> bool {
    matches!(outcome, Outcome::Done(ProviderStatus::Succeeded(_)))
}

#[test]
fn amounts_are_read_in_each_shape_seen_and_in_no_other() {
    for amount in [json!("1000"), json!(1000), json!(1000.0), json!("1000.00")] {
        assert_eq!(money(&amount), Some(Money::xof(1_000)), "{amount}");
    }
    let wrong = [json!("1000.5"), json!("1e3"), json!("-1"), json!("+1"), json!(""), json!("1 000"), json!(null)];
    for amount in wrong.into_iter().chain([json!(1e30), json!("1000."), json!(".0"), json!(-5), json!([1000])]) {
        assert_eq!(money(&amount), None, "{amount}");
    }
}

#[test]
fn a_success_of_nothing_is_no_success() {
    let id = ProviderId::new("tok-1").unwrap();
    for nothing in [json!(0), json!("0"), json!("0.00")] {
        let body = json!({
            "response_code": "00", "status": "completed", "mode": "live",
            "invoice": { "total_amount": nothing }, "custom_data": { "reference": "ref-1" },
        });
        assert!(matches!(reply(&body).status(&id, "live"), Outcome::Unknown(_)), "{nothing}");
        let payout = json!({ "response_code": "00", "status": "success", "amount": nothing });
        assert!(reply(&payout).payout(&id, None).is_err(), "{nothing}");
    }
}

#[test]
fn only_a_code_of_two_noughts_is_a_yes() {
    assert!(reply(&json!({ "response_code": "00" })).is_success());
    for code in [json!("1001"), json!(1001), json!("42"), json!("OK"), json!("")] {
        assert!(!Reply::read(json!({ "response_code": code }).to_string().as_bytes()).is_some_and(|r| r.is_success()));
    }
    for body in ["", "[]", "{}", "<html>", "null", "\"00\"", r#"{"response_code":0}"#, r#"{"response_code":"000"}"#] {
        assert!(Reply::read(body.as_bytes()).is_none(), "{body}");
    }
    assert!(Reply::read(br#"{"response_code":{"00":1}}"#).is_none());
}

#[test]
fn a_success_needs_its_status_amount_and_reference() {
    assert!(is_paid(&confirmed(&paid())));
    for (parent, field) in
        [("/invoice", "total_amount"), ("/custom_data", "reference"), ("", "custom_data"), ("", "invoice")]
    {
        let mut body = paid();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field);
        assert!(matches!(confirmed(&body), Outcome::Unknown(_)), "{parent}/{field}");
    }
    let mut body = paid();
    body["custom_data"] = json!([]);
    assert!(matches!(confirmed(&body), Outcome::Unknown(_)));
}

#[test]
fn another_invoice_or_another_mode_is_no_answer() {
    for (pointer, value) in [("/invoice/token", "t2"), ("/mode", "test"), ("/mode", "LIVE")] {
        let mut body = paid();
        *body.pointer_mut(pointer).unwrap() = json!(value);
        assert!(matches!(confirmed(&body), Outcome::Unknown(_)), "{pointer} {value}");
    }
}

#[test]
fn a_refusal_says_whether_it_is_about_us_and_whether_to_come_again() {
    let refusal = |code: &str, text: &str| reply(&json!({ "response_code": code, "response_text": text })).refusal(200);
    let keys = refusal("1001", "TEST Private Key and Token combination is invalid");
    assert!(keys.is_about_our_account() && !keys.retryable);
    assert!(refusal("1001", "Invalid Masterkey Specified").is_about_our_account());
    assert!(refusal("401", "").is_about_our_account());
    let mode = refusal("1001", "withdraw_mode non pris en charge");
    assert_eq!((mode.http, mode.code.as_str(), mode.retryable), (Some(200), "paydunya-1001", false));
    let trouble = refusal("5000", "Service en maintenance");
    assert!(trouble.retryable && !trouble.is_about_our_account());
    assert!(!refusal("4002", "You don't have enough funds").retryable);
}

#[test]
fn a_disburse_id_used_before_is_told_from_a_maintenance_by_its_words() {
    let duplicate =
        |code: &str, text: &str| reply(&json!({ "response_code": code, "response_text": text })).is_duplicate();
    assert!(duplicate("5000", "disburse_id already used"));
    assert!(duplicate("4000", "Transaction déjà soumise"));
    assert!(!duplicate("5000", "Service en maintenance, veuillez réessayer plus tard"));
    assert!(!duplicate("4002", "You don't have enough funds. Consider crediting your account"));
    assert!(!duplicate("00", "already"));
}

#[test]
fn a_payout_of_another_token_or_amount_is_no_answer() {
    let payout = |body: Value| reply(&body).payout(&id("d1"), Some(Money::xof(500)));
    let success = json!({ "response_code": "00", "status": "success", "token": "d1 ", "amount": "500.00" });
    assert!(
        matches!(payout(success.clone()), Ok(Some(PayoutStatus::Succeeded { amount, .. })) if amount == Money::xof(500))
    );
    for (field, value) in
        [("token", json!("d2")), ("amount", json!(499)), ("amount", json!("x")), ("status", json!("done"))]
    {
        let mut body = success.clone();
        body[field] = value;
        assert!(payout(body).is_err(), "{field}");
    }
    assert_eq!(payout(json!({ "response_code": "00", "status": "created" })), Ok(None));
    let bare = reply(&json!({ "response_code": "00", "status": "success" }));
    assert!(bare.payout(&id("d1"), None).is_err() && bare.payout(&id("d1"), Some(Money::xof(1))).is_ok());
}

proptest! {
    #[test]
    fn only_completed_wherever_it_stands_and_nowhere_contradicted_is_a_success(
        top in prop::option::of(prop_oneof!["completed", "pending", "cancelled", "failed", "[a-z]{0,9}"]),
        inner in prop::option::of(prop_oneof!["completed", "pending", "cancelled", "failed", "[a-z]{0,9}"]),
    ) {
        let mut body = paid();
        body["status"] = json!(top);
        body["invoice"]["status"] = json!(inner);
        let said: Vec<_> = top.iter().chain(&inner).collect();
        let expected = !said.is_empty() && said.iter().all(|status| *status == "completed");
        prop_assert_eq!(is_paid(&confirmed(&body)), expected);
    }

    #[test]
    fn no_body_makes_the_reader_fall_over(body in prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        "\\{\"response_code\":\"00\",\"[a-z_]{1,9}\":[\\[\\]{}\"0-9a-z:,]{0,20}\\}".prop_map(String::into_bytes),
    ]) {
        if let Some(reply) = Reply::read(&body) {
            let _ = (reply.status(&id("t1"), "live"), reply.opened(), reply.payout(&id("t1"), None), reply.refusal(200));
        }
    }
}
