//! Wave's webhooks: proof of origin, then content. Verify the raw bytes first; a webhook is a hint, the provider is asked.

use domain::{Timestamp, money::Money, payment::ProviderId};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::wire;
use crate::secret::Secret;

/// A signature is good for this many seconds around its timestamp.
const WINDOW: i64 = 300;
/// More signatures in one header than any rotation needs are an attempt to keep us busy.
const SIGNATURES: usize = 8;

/// One secret as registered in the portal. During a rotation both the old and the new one are live.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "strategy", content = "secret")]
pub enum WebhookSecret {
    /// `Wave-Signature: t=…,v1=…`.
    Signing(Secret),
    /// `Authorization: Bearer …`.
    Shared(Secret),
}

/// Why a webhook is not believed. All of them are answered 401 and change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Forged {
    #[error("no secret is configured")]
    NoSecret,
    #[error("nothing in it proves its origin")]
    NoProof,
    #[error("its proof cannot be read")]
    Malformed,
    #[error("its timestamp is more than {WINDOW} s away")]
    Stale,
    #[error("its proof is wrong")]
    Wrong,
}

/// Checks that a webhook comes from Wave. `body` is the raw bytes as received.
///
/// # Errors
/// [`Forged`] unless one live secret proves it; in particular when there is none.
pub fn verify(secrets: &[WebhookSecret], headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Forged> {
    if secrets.is_empty() {
        return Err(Forged::NoSecret);
    }
    let signature = single(headers, &HeaderName::from_static("wave-signature"))?;
    let bearer = single(headers, &AUTHORIZATION)?;
    let mut verdict = Forged::NoProof;
    for secret in secrets {
        let checked = match (secret, signature, bearer) {
            (WebhookSecret::Signing(secret), Some(signature), _) => signed(secret, signature, body, now.timestamp()),
            (WebhookSecret::Shared(secret), _, Some(bearer)) => shared(secret, bearer),
            _ => continue,
        };
        match checked {
            Ok(()) => return Ok(()),
            Err(forged) => verdict = forged,
        }
    }
    Err(verdict)
}

/// A header that stands there once; twice is somebody playing games.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Forged> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Forged::Malformed),
        (Some(_), Some(_)) => Err(Forged::Malformed),
    }
}

fn shared(secret: &Secret, header: &str) -> Result<(), Forged> {
    let token = header.strip_prefix("Bearer ").ok_or(Forged::Malformed)?;
    if bool::from(token.as_bytes().ct_eq(secret.expose().as_bytes())) { Ok(()) } else { Err(Forged::Wrong) }
}

/// HMAC-SHA-256 over the digits of `t` immediately followed by the body (providers.md §1.5).
fn signed(secret: &Secret, header: &str, body: &[u8], now: i64) -> Result<(), Forged> {
    let fields = || header.split(',').map(str::trim);
    let t = fields().find_map(|field| field.strip_prefix("t=")).ok_or(Forged::Malformed)?;
    // Digits only: what `parse` tolerates beyond them (a sign) the provider does not write.
    if t.is_empty() || t.len() > 12 || !t.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Forged::Malformed);
    }
    let at: i64 = t.parse().map_err(|_| Forged::Malformed)?;
    if (now - at).abs() > WINDOW {
        return Err(Forged::Stale);
    }
    // HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).map_err(|_| Forged::Malformed)?;
    mac.update(t.as_bytes());
    mac.update(body);
    let expected = hex::encode(mac.finalize().into_bytes());
    let given = fields().filter_map(|field| field.strip_prefix("v1=")).take(SIGNATURES);
    // All are compared, so that timing does not tell which one came close.
    let found = given.fold(subtle::Choice::from(0), |found, v1| found | v1.as_bytes().ct_eq(expected.as_bytes()));
    if bool::from(found) { Ok(()) } else { Err(Forged::Wrong) }
}

/// A webhook's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `EV_…` or `AE_…`: the same when it is sent again.
    pub id: String,
    pub kind: Kind,
}

/// What it says. Each is a reason to ask the provider, none is a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    CheckoutCompleted(Hint),
    /// An attempt failed; the checkout may still be open.
    CheckoutFailed(Hint),
    /// The portal's test button: accept and ignore.
    Test,
    /// Something we do not use, by its type.
    Other(String),
}

/// What a checkout webhook says about itself; any part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    pub provider_id: Option<ProviderId>,
    pub reference: Option<String>,
    pub amount: Option<Money>,
    pub transaction_id: Option<ProviderId>,
    /// Code of a failed attempt.
    pub code: Option<String>,
}

/// A genuine webhook that says nothing: to be parked and looked at.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not an event: {0}")]
pub struct NotAnEvent(String);

/// Reads a webhook that has been verified.
///
/// # Errors
/// [`NotAnEvent`] unless it is JSON with an id and a type.
pub fn parse(body: &[u8]) -> Result<Event, NotAnEvent> {
    #[derive(Deserialize)]
    struct Envelope {
        id: String,
        r#type: String,
        #[serde(default)]
        data: Value,
    }
    let Envelope { id, r#type, data } = serde_json::from_slice(body).map_err(|error| NotAnEvent(error.to_string()))?;
    if id.is_empty() {
        return Err(NotAnEvent("empty id".into()));
    }
    let kind = match r#type.as_str() {
        "checkout.session.completed" => Kind::CheckoutCompleted(hint(&data)),
        "checkout.session.payment_failed" => Kind::CheckoutFailed(hint(&data)),
        "test.test_event" => Kind::Test,
        _ => Kind::Other(r#type),
    };
    Ok(Event { id, kind })
}

fn hint(data: &Value) -> Hint {
    let text = |field: &str| data.get(field)?.as_str().filter(|text| !text.is_empty());
    let id = |field: &str| ProviderId::new(text(field)?).ok();
    Hint {
        provider_id: id("id"),
        reference: text("client_reference").map(str::to_owned),
        amount: data.get("amount").zip(text("currency")).and_then(|(amount, currency)| wire::money(amount, currency)),
        transaction_id: id("transaction_id"),
        code: data.get("last_payment_error").and_then(|error| error.get("code")?.as_str()).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
