//! PayDunya's JSON, read with tolerance: a status stands in one of two places or in both, amounts come as text or number;
//! what matters must be there, and what contradicts itself is unknown.

use domain::{money::Money, payment::ProviderId};
use serde_json::Value;
use url::Url;

use super::is_plain;
use crate::{
    call::{Outcome, Refusal, Unknown},
    payments::{Opened, PayoutStatus, ProviderStatus, Receipt},
};

/// The code of their own trouble; also, by those who have seen it, of a `disburse_id` that was used before.
const TROUBLE: &str = "5000";

/// An answer with a `response_code`.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    code: String,
    body: Value,
}

impl Reply {
    /// `None` for what is not PayDunya's: no JSON object, no code, or a nought that is not their `00`.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok().filter(Value::is_object)?;
        let code = match body.get("response_code")? {
            Value::String(code) => code.trim().to_owned(),
            Value::Number(code) => code.to_string(),
            _ => return None,
        };
        let nought = code.bytes().all(|byte| byte == b'0') && code != "00";
        (!nought && code.len() <= 40).then_some(Self { code, body })
    }

    pub(super) fn is_success(&self) -> bool {
        self.code == "00"
    }

    /// A text field that says something.
    fn text(&self, field: &str) -> Option<&str> {
        said(&self.body, field)
    }

    fn message(&self) -> &str {
        self.text("response_text").or_else(|| self.text("description")).unwrap_or("no reason given")
    }

    /// Why they say no.
    pub(super) fn refusal(&self, http: u16) -> Refusal {
        // Wrong keys come as 1001 inside a 200; the same code has other meanings, so its text decides. They are about our
        // account, which callers see by the HTTP status that PayDunya should have used.
        let keys = self.code == "1001" && self.message().to_ascii_lowercase().contains("key");
        let account = keys || self.code == "401" || self.code == "403";
        let code = format!("paydunya-{}", self.code);
        let said = Refusal::said(Some(if account { 401 } else { http }), &code, self.message());
        Refusal { retryable: self.code == TROUBLE, ..said }
    }

    /// Whether they refuse a `disburse_id` because it was submitted before. The code is that of a maintenance.
    pub(super) fn is_duplicate(&self) -> bool {
        let text = self.message().to_ascii_lowercase();
        !self.is_success() && (text.contains("disburse_id") || text.contains("already") || text.contains("déjà"))
    }

    /// The answer to a creation.
    pub(super) fn opened(&self) -> Option<Opened> {
        let token = self.text("token").filter(|token| is_plain(token))?;
        let launch_url = self.text("response_text").filter(|text| {
            Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
        })?;
        Some(Opened { provider_id: ProviderId::new(token).ok()?, launch_url: launch_url.to_owned(), expires_at: None })
    }

    /// The answer to `confirm` (the mapping of providers.md §3.2).
    pub(super) fn status(&self, id: &ProviderId, mode: &str) -> Outcome<ProviderStatus> {
        if said(&self.body, "invoice.token").is_some_and(|token| token != id.as_str()) {
            return Unknown::unreadable("another invoice");
        }
        // A payment in the sandbox must never count as money.
        if self.text("mode").is_some_and(|said| said != mode) {
            return Unknown::unreadable("another mode");
        }
        let provider_id = id.clone();
        match status(&self.body) {
            Ok("completed") => self.receipt(provider_id),
            Ok("pending") => Outcome::Done(ProviderStatus::Unpaid),
            Ok(ended @ ("cancelled" | "canceled" | "failed")) => {
                let code = self.text("fail_reason").unwrap_or(ended).to_owned();
                Outcome::Done(ProviderStatus::Failed { provider_id, code })
            }
            Ok(other) => Unknown::unreadable(format!("status {other:?}")),
            Err(why) => Unknown::unreadable(why),
        }
    }

    /// A success must say how much and for what (providers.md §0 rule 3).
    fn receipt(&self, provider_id: ProviderId) -> Outcome<ProviderStatus> {
        let amount = self.body.pointer("/invoice/total_amount").and_then(money);
        let reference = said(&self.body, "custom_data.reference");
        let (Some(amount), Some(reference)) = (amount, reference) else {
            return Unknown::unreadable("a success without amount or reference");
        };
        Outcome::Done(ProviderStatus::Succeeded(Receipt {
            // No other id is documented. One that came with some answers only would make one payment look like two.
            transaction_id: provider_id.clone(),
            provider_id,
            amount,
            reference: Some(reference.to_owned()),
            // `customer.phone` is what somebody typed.
            payer: None,
            at: None,
        }))
    }

    /// The token that `get-invoice` made.
    pub(super) fn disburse_token(&self) -> Option<ProviderId> {
        let token = self.text("disburse_token").or_else(|| self.text("token")).filter(|token| is_plain(token))?;
        ProviderId::new(token).ok()
    }

    /// The answer to `submit-invoice` or `check-status` about the token `id`. `Ok(None)`: made, and not submitted.
    /// `asked` is the amount of the order, for answers that have none.
    pub(super) fn payout(&self, id: &ProviderId, asked: Option<Money>) -> Result<Option<PayoutStatus>, &'static str> {
        if self.text("token").is_some_and(|token| token.trim() != id.as_str()) {
            return Err("another payout");
        }
        let given = match self.body.get("amount") {
            None | Some(Value::Null) => None,
            Some(amount) => Some(money(amount).ok_or("an amount that is none")?),
        };
        if given.zip(asked).is_some_and(|(given, asked)| given != asked) {
            return Err("another amount");
        }
        let provider_id = id.clone();
        match self.text("status").unwrap_or_default() {
            "success" => {
                let amount = given.or(asked).ok_or("a success without amount")?;
                Ok(Some(PayoutStatus::Succeeded { provider_id, amount, fee: None, at: None }))
            }
            "pending" => Ok(Some(PayoutStatus::Processing { provider_id })),
            "failed" => Ok(Some(PayoutStatus::Failed {
                provider_id,
                code: "failed".into(),
                message: self.text("fail_reason").unwrap_or_else(|| self.message()).to_owned(),
            })),
            "created" => Ok(None),
            _ => Err("no status that we know"),
        }
    }
}

/// Text at a path of names with dots between them, if it says something.
pub(super) fn said<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    let found = path.split('.').try_fold(value, |value, name| value.get(name))?;
    found.as_str().filter(|text| !text.is_empty())
}

/// The status of an invoice, from the top, from inside the invoice, or from both.
pub(super) fn status(body: &Value) -> Result<&str, &'static str> {
    let mut found = None;
    for place in [body.get("status"), body.pointer("/invoice/status")] {
        match (place, found) {
            (None | Some(Value::Null), _) => {}
            (Some(Value::String(status)), None) => found = Some(status.as_str()),
            (Some(Value::String(status)), Some(other)) if status == other => {}
            (Some(Value::String(_)), Some(_)) => return Err("two statuses that contradict each other"),
            (Some(_), _) => return Err("a status that is no text"),
        }
    }
    found.ok_or("no status")
}

/// An amount in whole francs: `15000`, `15000.0`, `"15000"` or `"15000.00"`. Anything else is none, and so is nothing at all.
pub(super) fn money(amount: &Value) -> Option<Money> {
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
    Money::xof(whole.parse().ok()?).bounded().ok().filter(|amount| amount.is_positive())
}

#[cfg(test)]
mod tests;
