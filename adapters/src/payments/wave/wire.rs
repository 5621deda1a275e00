//! Wave's JSON, read with tolerance: fields come and go, amounts come as text or number; what matters must be there.

use domain::{
    Timestamp,
    money::{Currency, Money},
    payment::ProviderId,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::{
    call::{Outcome, Unknown},
    payments::{Opened, PayoutStatus, ProviderStatus, Receipt},
};

/// A checkout session, as much of it as we use.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Session {
    pub id: String,
    amount: Option<Value>,
    currency: Option<String>,
    checkout_status: Option<String>,
    payment_status: Option<String>,
    pub client_reference: Option<String>,
    pub transaction_id: Option<String>,
    last_payment_error: Option<Value>,
    wave_launch_url: Option<String>,
    when_completed: Option<String>,
    when_expires: Option<String>,
}

impl Session {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    pub(super) fn is_for(&self, reference: &str) -> bool {
        self.client_reference.as_deref() == Some(reference)
    }

    pub(super) fn amount(&self) -> Option<Money> {
        money(self.amount.as_ref()?, self.currency.as_deref()?).filter(|amount| amount.is_positive())
    }

    pub(super) fn opened(&self) -> Option<Opened> {
        let launch_url = self.wave_launch_url.clone().filter(|url| Url::parse(url).is_ok())?;
        let expires_at = self.when_expires.as_deref().and_then(instant);
        Some(Opened { provider_id: ProviderId::new(&self.id).ok()?, launch_url, expires_at })
    }

    /// The mapping of providers.md §1.2. What contradicts itself is unknown, never a success.
    pub(super) fn status(&self) -> Outcome<ProviderStatus> {
        let Ok(provider_id) = ProviderId::new(&self.id) else { return Unknown::unreadable("no id") };
        let (checkout, payment) = (self.checkout_status.as_deref(), self.payment_status.as_deref());
        match (checkout.unwrap_or_default(), payment.unwrap_or_default()) {
            ("complete", "succeeded") => self.receipt(provider_id),
            ("open" | "complete", "processing") => match self.opened() {
                Some(opened) => Outcome::Done(ProviderStatus::Pending { opened, last_error: self.last_error() }),
                None => Unknown::unreadable("no address"),
            },
            ("expired", "processing" | "cancelled") => Outcome::Done(ProviderStatus::Expired { provider_id }),
            ("open" | "complete", "cancelled") => {
                let code = self.last_error().unwrap_or_else(|| "cancelled".to_owned());
                Outcome::Done(ProviderStatus::Failed { provider_id, code })
            }
            (checkout, payment) => Unknown::unreadable(format!("status {checkout:?} with payment {payment:?}")),
        }
    }

    /// A success must say how much, and under which transaction (providers.md §0 rule 3).
    fn receipt(&self, provider_id: ProviderId) -> Outcome<ProviderStatus> {
        let transaction_id = self.transaction_id.as_deref().and_then(|id| ProviderId::new(id).ok());
        let (Some(amount), Some(transaction_id)) = (self.amount(), transaction_id) else {
            return Unknown::unreadable("a success without amount or transaction");
        };
        Outcome::Done(ProviderStatus::Succeeded(Receipt {
            provider_id,
            transaction_id,
            amount,
            reference: self.client_reference.clone(),
            // Told by the list of transactions only.
            payer: None,
            at: self.when_completed.as_deref().and_then(instant),
        }))
    }

    pub(super) fn last_error(&self) -> Option<String> {
        Some(self.last_payment_error.as_ref()?.get("code")?.as_str()?.to_owned())
    }
}

/// A payout, as much of it as we use.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Payout {
    pub id: String,
    receive_amount: Option<Value>,
    currency: Option<String>,
    fee: Option<Value>,
    status: Option<String>,
    client_reference: Option<String>,
    payout_error: Option<Value>,
    timestamp: Option<String>,
}

impl Payout {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    pub(super) fn is_for(&self, reference: &str) -> bool {
        self.client_reference.as_deref() == Some(reference)
    }

    pub(super) fn amount(&self) -> Option<Money> {
        money(self.receive_amount.as_ref()?, self.currency.as_deref()?).filter(|amount| amount.is_positive())
    }

    /// Wave has two ways to say no; this is the one inside a 200.
    pub(super) fn status(&self) -> Outcome<PayoutStatus> {
        let Ok(provider_id) = ProviderId::new(&self.id) else { return Unknown::unreadable("no id") };
        let said = |field: &str| Some(self.payout_error.as_ref()?.get(field)?.as_str()?.to_owned());
        match (self.status.as_deref().unwrap_or_default(), self.amount()) {
            ("processing", _) => Outcome::Done(PayoutStatus::Processing { provider_id }),
            ("succeeded", Some(amount)) => Outcome::Done(PayoutStatus::Succeeded {
                provider_id,
                amount,
                fee: self.fee.as_ref().and_then(|fee| money(fee, amount.currency.code())),
                at: self.timestamp.as_deref().and_then(instant),
            }),
            ("failed", _) => Outcome::Done(PayoutStatus::Failed {
                provider_id,
                code: said("error_code").unwrap_or_else(|| "unspecified".to_owned()),
                message: said("error_message").unwrap_or_default(),
            }),
            ("reversed", _) => Outcome::Done(PayoutStatus::Reversed { provider_id }),
            (status, amount) => Unknown::unreadable(format!("payout {status:?} of {amount:?}")),
        }
    }
}

/// `{"result": […]}`; `None` when it is anything else.
pub(super) fn read_list<T: DeserializeOwned>(body: &[u8]) -> Option<Vec<T>> {
    #[derive(Deserialize)]
    struct List<T> {
        result: Vec<T>,
    }
    serde_json::from_slice::<List<T>>(body).ok().map(|list| list.result)
}

/// Code and message of an error body, in each of the shapes seen (providers.md §1.1).
pub(super) fn error(body: &[u8]) -> Option<(String, String)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let inner = body.get("error").filter(|inner| inner.is_object()).unwrap_or(&body);
    let text = |names: &[&str]| names.iter().find_map(|name| inner.get(*name)?.as_str()).map(str::to_owned);
    let code = text(&["code", "error_code", "error"])?;
    let place = inner.get("details").and_then(|details| details.get(0)?.get("loc")).map(|place| format!(" {place}"));
    let message = text(&["message", "error_message"]).unwrap_or_default();
    Some((code, message + &place.unwrap_or_default()))
}

/// An amount in whole francs: `"1000"`, `1000`, `1000.0` or `"1000.00"`. Anything else is none. A fee may be nothing.
pub(super) fn money(amount: &Value, currency: &str) -> Option<Money> {
    if currency != Currency::Xof.code() {
        return None;
    }
    let text = match amount {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.bytes().any(|byte| byte != b'0') {
        return None;
    }
    Money::xof(whole.parse().ok()?).bounded().ok()
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_read_in_each_shape_seen_and_in_no_other() {
        for amount in [json!("1000"), json!(1000), json!(1000.0), json!("1000.00")] {
            assert_eq!(money(&amount, "XOF"), Some(Money::xof(1_000)), "{amount}");
        }
        let wrong = [json!("1000.5"), json!("1e3"), json!("-1"), json!("+1"), json!(""), json!("1 000"), json!(null)];
        for amount in wrong.into_iter().chain([json!(1e30), json!("1000."), json!(".0"), json!("99999999999999")]) {
            assert_eq!(money(&amount, "XOF"), None, "{amount}");
        }
        assert_eq!(money(&json!("1000"), "GMD"), None);
    }

    #[test]
    fn a_success_of_nothing_is_no_success() {
        for nothing in [json!(0), json!("0"), json!("0.00")] {
            let body = json!({
                "id": "cos-1", "amount": nothing, "currency": "XOF", "checkout_status": "complete",
                "payment_status": "succeeded", "transaction_id": "T_1",
            });
            assert!(matches!(Session::read(body.to_string().as_bytes()).unwrap().status(), Outcome::Unknown(_)));
            let of = |amount: &Value, fee: &Value| {
                let body = json!({ "id": "pt-1", "receive_amount": amount, "currency": "XOF", "fee": fee, "status": "succeeded" });
                Payout::read(body.to_string().as_bytes()).unwrap().status()
            };
            assert!(matches!(of(&nothing, &json!("5")), Outcome::Unknown(_)), "{nothing}");
            let Outcome::Done(PayoutStatus::Succeeded { fee, .. }) = of(&json!("500"), &nothing) else { panic!() };
            assert_eq!(fee, Some(Money::xof(0)), "a fee may be nothing");
        }
    }

    #[test]
    fn errors_are_read_in_each_shape_seen() {
        let shapes = [
            json!({ "code": "c", "message": "m" }),
            json!({ "error": "c", "message": "m" }),
            json!({ "error_code": "c", "error_message": "m" }),
            json!({ "error": { "code": "c", "message": "m", "httpcode": 400 } }),
        ];
        for shape in shapes {
            assert_eq!(error(shape.to_string().as_bytes()), Some(("c".into(), "m".into())));
        }
        assert_eq!(error(b"<html>"), None);
        assert_eq!(error(b"{}"), None);
    }

    fn session(checkout: &str, payment: &str, without: Option<&str>) -> Outcome<ProviderStatus> {
        let mut body = json!({
            "id": "cos-1", "amount": "15000", "currency": "XOF", "checkout_status": checkout, "payment_status": payment,
            "wave_launch_url": "https://pay.wave.com/c/cos-1", "transaction_id": "T_1",
        });
        without.and_then(|field| body.as_object_mut()?.remove(field));
        Session::read(body.to_string().as_bytes()).unwrap().status()
    }

    #[test]
    fn a_success_without_amount_or_transaction_is_no_success() {
        assert!(matches!(session("complete", "succeeded", None), Outcome::Done(ProviderStatus::Succeeded(_))));
        for field in ["amount", "currency", "transaction_id", "payment_status", "checkout_status"] {
            assert!(matches!(session("complete", "succeeded", Some(field)), Outcome::Unknown(_)), "{field}");
        }
    }

    proptest! {
        #[test]
        fn only_complete_and_succeeded_together_are_a_success(
            checkout in prop_oneof!["open", "complete", "expired", "[a-z]{0,9}"],
            payment in prop_oneof!["processing", "cancelled", "succeeded", "[a-z]{0,9}"],
        ) {
            let success = matches!(session(&checkout, &payment, None), Outcome::Done(ProviderStatus::Succeeded(_)));
            prop_assert_eq!(success, checkout == "complete" && payment == "succeeded");
        }

        #[test]
        fn no_body_makes_the_reader_fall_over(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (Session::read(&body).map(|s| s.status()), Payout::read(&body).map(|p| p.status()), error(&body));
        }
    }
}
