//! What is read off Orange's JSON, and what is not.

use domain::{money::Money, payment::Reference};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn page() -> Value {
    json!({
        "status": 201, "message": "OK", "pay_token": "f5720dd906203c62033ffe64ed75614f672cb437",
        "payment_url": "https://webpayment.orange-money.com/payment/pay_token/f5720dd906203c62033ffe64ed75614f672cb437",
        "notif_token": "dd497bda3b250e536186fc0663f32f40",
    })
}

#[test]
fn a_page_has_all_three_or_is_unknown() {
    let Outcome::Done(opened) = opened(&page()) else { panic!() };
    assert_eq!(pay_token(&opened.provider_id), Some("f5720dd906203c62033ffe64ed75614f672cb437"));
    let notified = notified_as("dd497bda3b250e536186fc0663f32f40").unwrap();
    assert!(opened.provider_id.as_str().starts_with(&format!("{notified}.")));
    for (field, wrong) in [
        ("pay_token", json!(null)),
        ("pay_token", json!("")),
        ("pay_token", json!("a b")),
        ("pay_token", json!("x".repeat(200))),
        ("notif_token", json!(null)),
        ("notif_token", json!(7)),
        ("payment_url", json!("javascript:alert(1)")),
        ("payment_url", json!("http://webpayment.orange-money.com/x")),
        ("payment_url", json!(null)),
    ] {
        let mut body = page();
        body[field] = wrong.clone();
        let read = super::opened(&body);
        assert!(matches!(read, Outcome::Unknown(_)), "{field} {wrong}: {read:?}");
    }
}

#[test]
fn a_no_inside_a_yes_is_a_no() {
    let body = json!({ "status": 400, "code": 1204, "message": "Order already exists" });
    let Outcome::Refused(refusal) = opened(&body) else { panic!() };
    assert_eq!((refusal.code.as_str(), refusal.http), (REFERENCE_USED, Some(400)));
    let Outcome::Refused(refusal) = opened(&json!({ "status": 403, "message": "Access denied" })) else { panic!() };
    assert!(refusal.is_about_our_account());
    // Their own trouble is nobody's no.
    assert!(matches!(opened(&json!({ "status": 500 })), Outcome::Unknown(_)));
}

proptest! {
    #[test]
    fn whatever_comes_is_read_without_harm(text in any::<String>(), status in "[A-Z]{0,8}", txnid in any::<String>()) {
        let (id, reference) = (ProviderId::new("om-x.t").unwrap(), Reference::new("ref-1").unwrap());
        let asked = Asked { provider_id: &id, reference: &reference, amount: Money::xof(1_000) };
        let body = json!({ "status": status, "order_id": "ref-1", "txnid": txnid, "amount": text });
        if let Outcome::Done(ProviderStatus::Succeeded(receipt)) = super::status(&body, asked) {
            prop_assert_eq!((receipt.amount, status.as_str()), (Money::xof(1_000), "SUCCESS"));
        }
        if let Some(notified) = notified_as(&text) {
            prop_assert_eq!(notified.len(), 25);
        }
        let _ = opened(&serde_json::from_str(&text).unwrap_or(Value::String(text)));
    }
}
