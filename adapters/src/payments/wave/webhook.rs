//! Wave's webhooks: proof of origin, then content. Verify the raw bytes first; a webhook is a hint, the provider is asked.

use domain::{Timestamp, payment::ProviderId};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::Value;

use super::wire;
use crate::{
    payments::webhook::{Event, Forged, Hint, Kind, NotAnEvent, code, reference, same, signed, single},
    secret::Secret,
};

/// One secret as registered in the portal. During a rotation both the old and the new one are live.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "strategy", content = "secret")]
pub enum WebhookSecret {
    /// `Wave-Signature: t=…,v1=…`.
    Signing(Secret),
    /// `Authorization: Bearer …`.
    Shared(Secret),
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
            (WebhookSecret::Signing(secret), Some(signature), _) => {
                // The body follows the timestamp without anything between (providers.md §1.5).
                signed(secret, signature, "", body, now.timestamp())
            }
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

fn shared(secret: &Secret, header: &str) -> Result<(), Forged> {
    same(secret, header.strip_prefix("Bearer ").ok_or(Forged::Malformed)?)
}

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
    let Envelope { id, r#type, data } =
        serde_json::from_slice(body).map_err(|error| NotAnEvent::new(&error.to_string()))?;
    if id.is_empty() {
        return Err(NotAnEvent::new("empty id"));
    }
    let kind = match r#type.as_str() {
        "checkout.session.completed" => Kind::CheckoutCompleted(hint(&data)),
        "checkout.session.payment_failed" => Kind::CheckoutFailed(hint(&data)),
        "test.test_event" => Kind::Test,
        other => Kind::other(other),
    };
    Ok(Event { id, kind })
}

fn hint(data: &Value) -> Hint {
    let text = |field: &str| data.get(field)?.as_str().filter(|text| !text.is_empty());
    let id = |field: &str| ProviderId::new(text(field)?).ok();
    Hint {
        page: None,
        provider_id: id("id"),
        reference: text("client_reference").and_then(reference),
        amount: data
            .get("amount")
            .zip(text("currency"))
            .and_then(|(amount, currency)| wire::money(amount, currency))
            .filter(|amount| amount.is_positive()),
        transaction_id: id("transaction_id"),
        code: data.get("last_payment_error").and_then(|error| error.get("code")?.as_str()).map(code),
    }
}

#[cfg(test)]
mod tests;
