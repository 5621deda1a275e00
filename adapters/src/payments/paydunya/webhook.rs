//! PayDunya's callbacks (IPN): a form with JSON in it, or one with brackets, or plain JSON.
//!
//! Their proof is the SHA-512 of the master key: the same in each callback, bound to nothing it says. Whoever has seen one
//! callback can make up any other. It keeps strangers out and proves no content (providers.md §3.2), so that nothing may
//! rest on a callback but the question that it leads to.

use domain::payment::ProviderId;
use serde_json::{Map, Value};
use sha2::{Digest, Sha512};
use url::form_urlencoded;

use super::{mode, wire};
use crate::{
    payments::webhook::{Event, Forged, Hint, Kind, NotAnEvent, code, reference, same},
    secret::Secret,
};

/// A longer body is no callback.
const BYTES: usize = 64 << 10;
/// Nor is one with more fields.
const FIELDS: usize = 256;
/// Names in a bracketed field: `data[invoice][items][item_0][name]` has five.
const DEPTH: usize = 8;

/// Checks that a callback comes from somebody who knows the hash of a master key, and that its mode is ours. `master_keys`
/// are all that are live, several while they change. `body` is the raw bytes as received.
///
/// # Errors
/// [`Forged`] unless one key proves it; in particular when there is none.
pub fn verify(master_keys: &[Secret], sandbox: bool, body: &[u8]) -> Result<(), Forged> {
    if master_keys.is_empty() {
        return Err(Forged::NoSecret);
    }
    let payload = read(body).ok_or(Forged::Malformed)?;
    let hash = wire::said(&payload, "hash").ok_or(Forged::NoProof)?;
    // All are compared, so that timing does not tell which one came close.
    if !master_keys.iter().fold(false, |found, key| found | proves(key, hash)) {
        return Err(Forged::Wrong);
    }
    match wire::said(&payload, "mode") {
        Some(said) if said == mode(sandbox) => Ok(()),
        // Those of payouts have no mode, for payouts exist live only.
        None if !sandbox && is_payout(&payload) => Ok(()),
        Some(_) | None => Err(Forged::Wrong),
    }
}

fn proves(master_key: &Secret, given: &str) -> bool {
    let expected = hex::encode(Sha512::digest(master_key.expose().as_bytes()));
    Secret::new(&expected).is_ok_and(|expected| same(&expected, given).is_ok())
}

/// Whether a POST to the callback address says nothing at all. Before a payout PayDunya has been seen to ask in this way
/// whether anybody is there; it may be answered with a 2xx, and changes nothing.
pub fn is_probe(body: &[u8]) -> bool {
    matches!(body.trim_ascii(), b"" | b"{}" | b"[]")
}

/// Reads a callback that has been verified. Callbacks have no id: the event's is empty.
///
/// # Errors
/// [`NotAnEvent`] unless it is about an invoice or a payout and says how that stands.
pub fn parse(body: &[u8]) -> Result<Event, NotAnEvent> {
    let payload = read(body).ok_or_else(|| NotAnEvent::new("neither a form nor JSON"))?;
    let kind = if payload.get("invoice").is_some_and(Value::is_object) {
        let status = wire::status(&payload).map_err(NotAnEvent::new)?;
        match status {
            "completed" => Kind::CheckoutCompleted(checkout(&payload)),
            "cancelled" | "canceled" | "failed" => Kind::CheckoutFailed(checkout(&payload)),
            other => Kind::other(&format!("invoice {other}")),
        }
    } else if is_payout(&payload) {
        Kind::Payout(payout(&payload))
    } else {
        Kind::other(wire::said(&payload, "status").ok_or_else(|| NotAnEvent::new("says nothing"))?)
    };
    Ok(Event { id: String::new(), kind })
}

fn is_payout(payload: &Value) -> bool {
    let fields = ["withdraw_mode", "disburse_id", "disburse_invoice", "disburse_tx_id"];
    payload.get("invoice").is_none() && fields.iter().any(|field| payload.get(field).is_some())
}

fn checkout(payload: &Value) -> Hint {
    Hint {
        page: None,
        provider_id: id(payload, "invoice.token"),
        reference: wire::said(payload, "custom_data.reference").and_then(reference),
        amount: payload.pointer("/invoice/total_amount").and_then(wire::money),
        transaction_id: None,
        code: wire::said(payload, "fail_reason").map(code),
    }
}

fn payout(payload: &Value) -> Hint {
    Hint {
        page: None,
        provider_id: id(payload, "token").or_else(|| id(payload, "disburse_invoice")),
        reference: wire::said(payload, "disburse_id").and_then(reference),
        amount: payload.get("amount").and_then(wire::money),
        transaction_id: id(payload, "transaction_id"),
        code: wire::said(payload, "fail_reason").map(code),
    }
}

/// Published examples have blanks behind tokens.
fn id(payload: &Value, path: &str) -> Option<ProviderId> {
    ProviderId::new(wire::said(payload, path)?.trim()).ok()
}

/// The payload of a body in any of its forms: what stands under `data` (an object, or text that is one), else the whole.
fn read(body: &[u8]) -> Option<Value> {
    if body.len() > BYTES {
        return None;
    }
    let mut root = match body.trim_ascii_start().first()? {
        b'{' => serde_json::from_slice::<Map<String, Value>>(body).ok()?,
        _ => form(body)?,
    };
    let mut payload = match root.remove("data") {
        None => return Some(Value::Object(root)),
        Some(Value::Object(data)) => data,
        Some(Value::String(text)) => serde_json::from_str::<Map<String, Value>>(&text).ok()?,
        Some(_) => return None,
    };
    // Some have it beside `data`. Two that differ are somebody playing games.
    if let Some(hash) = root.remove("hash") {
        let inside = payload.entry("hash").or_insert_with(|| hash.clone());
        if *inside != hash {
            return None;
        }
    }
    Some(Value::Object(payload))
}

/// A form whose names have brackets, as PHP writes them. `None` when it has too much, or says one thing twice.
fn form(body: &[u8]) -> Option<Map<String, Value>> {
    let mut root = Map::new();
    for (number, (name, value)) in form_urlencoded::parse(body).enumerate() {
        if number >= FIELDS {
            return None;
        }
        let path = path(&name)?;
        let (last, parents) = path.split_last()?;
        let mut at = &mut root;
        for name in parents {
            let name = key(name, at);
            at = at.entry(name).or_insert_with(|| Value::Object(Map::new())).as_object_mut()?;
        }
        let last = key(last, at);
        if at.insert(last, Value::String(value.into_owned())).is_some() {
            return None;
        }
    }
    (!root.is_empty()).then_some(root)
}

/// `a[]` is the next of a list.
fn key(name: &str, siblings: &Map<String, Value>) -> String {
    if name.is_empty() { siblings.len().to_string() } else { name.to_owned() }
}

/// `data[invoice][token]` in its parts.
fn path(name: &str) -> Option<Vec<&str>> {
    let (first, mut rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    if first.is_empty() {
        return None;
    }
    let mut parts = vec![first];
    while !rest.is_empty() {
        let (part, after) = rest.strip_prefix('[')?.split_once(']')?;
        if part.contains('[') || parts.len() == DEPTH {
            return None;
        }
        parts.push(part);
        rest = after;
    }
    Some(parts)
}

#[cfg(test)]
mod tests;
