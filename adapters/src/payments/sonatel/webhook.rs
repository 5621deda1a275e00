//! Sonatel's webhooks: proof of origin, then content. Verify the raw bytes first; a webhook is a hint, Sonatel is asked.
//!
//! A 4xx of ours is final there: only what proves nothing may be answered with one.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    Timestamp,
    payment::{ProviderId, Reference},
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};
use serde::Deserialize;

use super::wire::{CASHIN, PAYMENTS, Row, State};
use crate::{
    payments::webhook::{Event, Forged, Hint, Kind, NotAnEvent, code, reference, same, signed, single},
    secret::Secret,
};

const SIGNATURE: HeaderName = HeaderName::from_static("x-sonatel-signature");
const IDEMPOTENCY: HeaderName = HeaderName::from_static("x-sonatel-idempotency-key");
/// Longer than any key that was seen; a longer one is no key.
const LONGEST_KEY: usize = 120;

/// What proves a webhook. While a key is being changed both the old and the new one are live.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// The `apiKey` that was registered with the callback; comes as `Authorization: Basic`.
    pub api_key: Secret,
    /// Issued by Sonatel, if it was. With it, a right `X-Sonatel-Signature` is demanded as well.
    #[serde(default)]
    pub signing: Option<Secret>,
}

/// Checks that a webhook comes from Sonatel. `body` is the raw bytes as received.
///
/// # Errors
/// [`Forged`] unless one live set of secrets proves it; in particular when there is none.
pub fn verify(secrets: &[Secrets], headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Forged> {
    if secrets.is_empty() {
        return Err(Forged::NoSecret);
    }
    let basic = single(headers, &AUTHORIZATION)?.ok_or(Forged::NoProof)?;
    let basic = basic.strip_prefix("Basic ").ok_or(Forged::Malformed)?;
    let signature = single(headers, &SIGNATURE)?;
    let mut verdict = Forged::NoProof;
    for secrets in secrets {
        let checked = keyed(&secrets.api_key, basic).and_then(|()| match (&secrets.signing, signature) {
            // A comma stands between the timestamp and the body (providers.md §2a).
            (Some(secret), Some(signature)) => signed(secret, signature, ",", body, now.timestamp()),
            (Some(_), None) => Err(Forged::NoProof),
            (None, _) => Ok(()),
        });
        match checked {
            Ok(()) => return Ok(()),
            Err(forged) => verdict = forged,
        }
    }
    Err(verdict)
}

/// The key as registered, as it comes in production; or in base64, as HTTP would have it.
fn keyed(key: &Secret, given: &str) -> Result<(), Forged> {
    let encoded = Secret::new(&STANDARD.encode(key.expose())).map_err(|_| Forged::NoSecret)?;
    // Both are compared, whatever comes of the first.
    let (literal, encoded) = (same(key, given), same(&encoded, given));
    literal.or(encoded)
}

/// Reads a webhook that has been verified. Its id is Sonatel's idempotency key; without one, what it says of which
/// transaction.
///
/// # Errors
/// [`NotAnEvent`] unless it is a JSON object with a status and some id.
pub fn parse(body: &[u8], headers: &HeaderMap) -> Result<Event, NotAnEvent> {
    let row = Row::read(body).ok_or_else(|| NotAnEvent::new("not an object"))?;
    let status = row.status().ok_or_else(|| NotAnEvent::new("no status"))?;
    let key = headers.get(&IDEMPOTENCY).and_then(|key| key.to_str().ok()).map(str::trim);
    let key = key.filter(|key| (1..=LONGEST_KEY).contains(&key.len())).map(str::to_owned);
    let own = || Some(format!("{}:{status}", row.transaction_id()?));
    let id = key.or_else(own).ok_or_else(|| NotAnEvent::new("neither key nor transaction"))?;
    let kind = match (row.kind(), State::of(status)) {
        (Some(CASHIN), _) => Kind::Payout(payout_hint(&row)),
        (Some(kind), _) if !PAYMENTS.contains(&kind) => Kind::other(kind),
        // News of payments do not always name their type.
        (_, Some(State::Success)) => Kind::CheckoutCompleted(hint(&row)),
        (_, Some(State::Failed)) => Kind::CheckoutFailed(Hint { code: Some(code(status)), ..hint(&row) }),
        (_, Some(State::Open) | None) => Kind::other(status),
    };
    Ok(Event { id, kind })
}

/// The id of a checkout is our reference.
fn hint(row: &Row) -> Hint {
    let ours = row.reference().and_then(|text| Reference::new(text).ok());
    Hint {
        page: None,
        provider_id: ours.and_then(|ours| ProviderId::new(ours.as_str()).ok()),
        reference: row.reference().and_then(reference),
        amount: row.amount(),
        transaction_id: row.transaction_id().and_then(|id| ProviderId::new(id).ok()),
        code: None,
    }
}

/// The id of a payout is Sonatel's.
fn payout_hint(row: &Row) -> Hint {
    let hint = hint(row);
    Hint { provider_id: hint.transaction_id.clone(), ..hint }
}

#[cfg(test)]
mod tests;
