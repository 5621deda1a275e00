//! What proves a webhook; and webhooks that nobody should believe: wrong proofs, or genuine ones that say something else.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::{
    Basic, Proof, Sonatel,
    error::{Answer, Problem},
    hooks::Endpoint,
    payer::endpoint,
    validate::bad,
};
use crate::server::lock;

const SIGNATURE: HeaderName = HeaderName::from_static("x-sonatel-signature");
const IDEMPOTENCY: HeaderName = HeaderName::from_static("x-sonatel-idempotency-key");

/// What to send. Without `transaction` the body is empty but for what `set` puts in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forgery {
    /// A transaction's id or reference, to start from its true state.
    pub transaction: Option<String>,
    /// By default a new one.
    pub event_id: Option<String>,
    /// Fields of the body to overwrite; null removes.
    #[serde(default)]
    pub set: Map<String, Value>,
    #[serde(default)]
    pub proof: Forged,
    /// Send this event again, byte for byte, instead of making one up.
    pub replay: Option<String>,
    /// By default where the news go.
    pub url: Option<String>,
}

/// How the forgery proves itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Forged {
    /// As Sonatel would.
    Valid,
    /// The last character of each proof is another.
    #[default]
    Bad,
    Missing,
    /// A key and a secret that are not ours.
    Other,
    /// The empty key and the empty secret.
    Empty,
    /// `Bearer` instead of `Basic`.
    Bearer,
    /// The right key without a signature.
    Unsigned,
    /// A right signature without the key.
    Keyless,
    /// Right, an hour ago.
    Stale,
    /// Right, in an hour.
    Future,
    /// Right for the body before it was written again with other spaces.
    Reserialised,
    /// `t.body` instead of `t,body`.
    Dotted,
    /// `tbody`, as Wave signs.
    Joined,
}

impl Sonatel {
    /// Sends a forgery; answers with `{url, status}`.
    pub(crate) async fn forge(&self, forgery: &Forgery) -> Answer<Value> {
        let (id, body) = match &forgery.replay {
            Some(id) => {
                let event = self.hooks.event(id).ok_or_else(|| Problem::unknown("No such event"))?;
                (event.id, event.body)
            }
            None => {
                let id = forgery.event_id.clone().unwrap_or_else(|| self.ids.lower("", 32));
                (id, self.forged_body(forgery)?)
            }
        };
        let to = endpoint(&lock(&self.books), forgery.url.clone()).ok_or_else(|| bad("no callback, and no url"))?;
        let (headers, body) = dress(&to, &self.hooks.proof(), forgery.proof, &id, body, self.clock.now().timestamp());
        let status = self.hooks.post(&to.url, headers, body).await;
        Ok(json!({ "url": to.url, "event": id, "status": status }))
    }

    fn forged_body(&self, forgery: &Forgery) -> Answer<String> {
        let mut body = match &forgery.transaction {
            None => Map::new(),
            Some(wanted) => {
                let books = lock(&self.books);
                let row = books.row(wanted).ok_or_else(|| Problem::unknown("No such transaction"))?;
                row.json(self.config.amounts).as_object().cloned().unwrap_or_default()
            }
        };
        for (field, value) in &forgery.set {
            if value.is_null() {
                body.remove(field);
            } else {
                body.insert(field.clone(), value.clone());
            }
        }
        Ok(Value::Object(body).to_string())
    }
}

fn dress(to: &Endpoint, proof: &Proof, forged: Forged, id: &str, body: String, now: i64) -> (HeaderMap, String) {
    let with = |key: &str, secret: &str| {
        let to = Endpoint { api_key: to.api_key.as_ref().map(|_| key.to_owned()), ..to.clone() };
        let proof = Proof { signing: proof.signing.as_ref().map(|_| secret.to_owned()), ..proof.clone() };
        proofs(&to, &proof, id, &body, now)
    };
    let at = |t: i64| proofs(to, proof, id, &body, t);
    let mut headers = match forged {
        Forged::Other => with("key-of-somebody-else", "secret-of-somebody-else"),
        Forged::Empty => with("", ""),
        Forged::Stale => at(now - 3_600),
        Forged::Future => at(now + 3_600),
        _ => at(now),
    };
    let signed = |between: &str| {
        let secret = proof.signing.as_deref()?;
        HeaderValue::from_str(&format!("t={now},v1={}", mac(secret, now, between, &body))).ok()
    };
    let bearer = || HeaderValue::from_str(&format!("Bearer {}", to.api_key.as_deref().unwrap_or_default())).ok();
    let replaced = match forged {
        Forged::Bearer => Some((AUTHORIZATION, bearer())),
        Forged::Dotted => Some((SIGNATURE, signed("."))),
        Forged::Joined => Some((SIGNATURE, signed(""))),
        _ => None,
    };
    if let Some((name, Some(value))) = replaced {
        headers.insert(name, value);
    }
    if forged == Forged::Bad {
        [AUTHORIZATION, SIGNATURE].iter().for_each(|name| spoil(&mut headers, name));
    }
    if matches!(forged, Forged::Missing | Forged::Keyless) {
        headers.remove(AUTHORIZATION);
    }
    if matches!(forged, Forged::Missing | Forged::Unsigned) {
        headers.remove(SIGNATURE);
    }
    (headers, if forged == Forged::Reserialised { body.replacen('{', "{ ", 1) } else { body })
}

/// Changes the last character of a header.
fn spoil(headers: &mut HeaderMap, name: &HeaderName) {
    let Some(text) = headers.get(name).and_then(|value| value.to_str().ok()) else { return };
    let last = if text.ends_with('0') { '1' } else { '0' };
    let changed = format!("{}{last}", text.get(..text.len().saturating_sub(1)).unwrap_or_default());
    if let Ok(changed) = HeaderValue::from_str(&changed) {
        headers.insert(name, changed);
    }
}

/// The headers that prove an event, at Unix second `t`.
pub(crate) fn proofs(to: &Endpoint, proof: &Proof, id: &str, body: &str, t: i64) -> HeaderMap {
    let basic = to.api_key.as_ref().map(|key| match proof.basic {
        Basic::Literal => format!("Basic {key}"),
        Basic::Base64 => format!("Basic {}", STANDARD.encode(key)),
    });
    let signature = proof.signing.as_ref().map(|secret| format!("t={t},v1={}", mac(secret, t, ",", body)));
    let id = proof.idempotency.then(|| id.to_owned());
    let named = [(AUTHORIZATION, basic), (SIGNATURE, signature), (IDEMPOTENCY, id)];
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    headers.extend(named.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value?).ok()?))));
    headers
}

/// HMAC-SHA-256 over the timestamp's digits, what stands between, and the body; lower-case hex.
fn mac(secret: &str, t: i64, between: &str, body: &str) -> String {
    // HMAC takes keys of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    [t.to_string().as_str(), between, body].iter().for_each(|part| mac.update(part.as_bytes()));
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_test_vector() {
        let body = r#"{"status":"SUCCESS","transactionId":"MP261122.1224.A00001","reference":"bk_01TEST","amount":{"value":15000.0,"unit":"XOF"}}"#;
        assert_eq!(
            mac("endpoint_secret_test", 1_763_800_000, ",", body),
            "2793229fb5bcb712820841372d249944ee79b070b3eb83a4bcd046a5b2fc9043"
        );
    }
}
