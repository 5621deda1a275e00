//! Orange's JSON. What it calls a page has two tokens: one that it is asked about by, one that its notifications name.
//! Our id of a page has both, the second one as a hash, for a notification has nothing else that leads to a payment.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::payment::ProviderId;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    call::{self, Answer, Outcome, Refusal, Unknown},
    payments::{Asked, Opened, ProviderStatus, Receipt},
};

/// Our code for an order id that Orange knows already (its 1204).
pub(super) const REFERENCE_USED: &str = "reference-used";
/// Longest token that is one, in bytes.
const LONGEST_TOKEN: usize = 512;

/// The beginning of a page's id, by the token of its notifications: the same length for each. Not the token itself: who
/// reads ids cannot write notifications.
pub(super) fn notified_as(notif_token: &str) -> Option<String> {
    let plain =
        (1..=LONGEST_TOKEN).contains(&notif_token.len()) && notif_token.bytes().all(|byte| byte.is_ascii_graphic());
    let digest = Sha256::digest(notif_token.as_bytes());
    // Sixteen bytes: 22 characters.
    plain.then(|| digest.first_chunk::<16>().map(|half| format!("om-{}", URL_SAFE_NO_PAD.encode(half)))).flatten()
}

/// The token that a page is asked about by.
pub(super) fn pay_token(id: &ProviderId) -> Option<&str> {
    let (_, pay_token) = id.as_str().strip_prefix("om-")?.split_once('.')?;
    Some(pay_token).filter(|token| !token.is_empty())
}

/// A page that was made. Its tokens and its address must be there: without any of them nobody could pay, ask or tell.
pub(super) fn opened(body: &Value) -> Outcome<Opened> {
    if let Some(refusal) = inner_refusal(body) {
        return Outcome::Refused(refusal);
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::trim);
    let id = text("notif_token").and_then(notified_as).zip(text("pay_token").filter(|token| is_token(token)));
    let id = id.and_then(|(notified, pay)| ProviderId::new(&format!("{notified}.{pay}")).ok());
    let launch_url = text("payment_url").filter(|url| call::base_url(url).is_ok());
    match (id, launch_url) {
        (Some(provider_id), Some(url)) => Outcome::Done(Opened {
            provider_id,
            launch_url: url.to_owned(),
            // Some ten minutes, says nobody who must know: asked, Orange says EXPIRED.
            expires_at: None,
        }),
        _ => Unknown::unreadable("a page without its tokens or its address"),
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Where a page stands (providers.md §2c).
pub(super) fn status(body: &Value, asked: Asked<'_>) -> Outcome<ProviderStatus> {
    if let Some(refusal) = inner_refusal(body) {
        return Outcome::Refused(refusal);
    }
    let text = |name: &str| match body.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    if text("order_id").is_some_and(|order| order != asked.reference.as_str()) {
        return Unknown::unreadable("about another order");
    }
    // None is documented; one that is there all the same must be ours.
    let amount = body.get("amount").filter(|amount| !amount.is_null());
    if amount.is_some_and(|amount| !is_amount(amount, asked.amount.amount)) {
        return Unknown::unreadable("about another amount");
    }
    let provider_id = asked.provider_id.clone();
    match body.get("status").and_then(Value::as_str).map(str::trim) {
        // As open as it was: neither its address nor its end is told.
        Some("INITIATED") => Outcome::Done(ProviderStatus::Unpaid),
        Some("PENDING") => Outcome::Done(ProviderStatus::UnderWay),
        Some("FAILED") => Outcome::Done(ProviderStatus::Failed { provider_id, code: "FAILED".to_owned() }),
        Some("EXPIRED") => Outcome::Done(ProviderStatus::Expired { provider_id }),
        Some("SUCCESS") => {
            let transaction = text("txnid").and_then(|id| ProviderId::new(&id).ok());
            match (transaction, text("order_id")) {
                (Some(transaction_id), Some(reference)) => Outcome::Done(ProviderStatus::Succeeded(Receipt {
                    provider_id,
                    transaction_id,
                    // What the page was made for, and what we asked about: Orange takes no other.
                    amount: asked.amount,
                    reference: Some(reference),
                    payer: None,
                    at: None,
                })),
                _ => Unknown::unreadable("a success without its transaction or its order"),
            }
        }
        Some(_) => Unknown::unreadable("a status nobody knows"),
        None => Unknown::unreadable("no status"),
    }
}

/// `1000`, `1000.0`, `"1000"` or `"1000.00"`.
fn is_amount(written: &Value, francs: i64) -> bool {
    let text = match written {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return false,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    whole == francs.to_string() && !part.is_empty() && part.bytes().all(|byte| byte == b'0')
}

/// A no inside a success: `status` is a number then, and another one than that of the success.
fn inner_refusal(body: &Value) -> Option<Refusal> {
    let said = body.get("status").and_then(Value::as_u64)?;
    let said = u16::try_from(said).ok().filter(|said| (400..500).contains(said) && *said != 408 && *said != 429)?;
    let (code, message) = words(said, body);
    Some(Refusal::said(Some(said), &code, &message))
}

/// Code and message of an answer with a 4xx.
pub(super) fn refusal(answer: &Answer) -> (String, String) {
    words(answer.status.as_u16(), &serde_json::from_slice(&answer.body).unwrap_or_default())
}

fn words(status: u16, body: &Value) -> (String, String) {
    let text = |field: &str| match body.get(field)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let code = match text("code") {
        Some(code) if code == "1204" => REFERENCE_USED.to_owned(),
        Some(code) => format!("orange-{code}"),
        None => text("error").unwrap_or_else(|| format!("http-{status}")),
    };
    let said = ["description", "error_description", "message"].iter().find_map(|field| text(field));
    (code, said.unwrap_or_else(|| "no reason given".to_owned()))
}

#[cfg(test)]
mod tests;
