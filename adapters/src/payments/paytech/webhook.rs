//! PayTech's IPN: proof of origin, then content. It has no timestamp and no id: it can be replayed, and only amount and
//! reference are under its HMAC. That is enough for a hint; the provider is asked.

mod fields;

use domain::{money::Money, payment::ProviderId};
use reqwest::header::HeaderMap;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use self::fields::Fields;
use super::{Env, wire};
use crate::{
    payments::webhook::{Event, Forged, Hint, Kind, NotAnEvent, hmac_hex, reference},
    secret::Secret,
};

/// What proves an IPN: the keys that the calls are made with. During a rotation both the old and the new ones are live.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    pub api_key: Secret,
    pub api_secret: Secret,
    pub env: Env,
}

/// Checks that an IPN comes from PayTech. `body` is the raw bytes as received, a form or JSON.
///
/// One that carries `hmac_compute` stands or falls with it. One that does not is believed by the hashes of both keys,
/// which are the same in each: whoever has seen one can make more. Nothing but a question to PayTech may follow from it.
///
/// # Errors
/// [`Forged`] unless one of the secrets proves it; in particular when there is none.
pub fn verify(secrets: &[Secrets], headers: &HeaderMap, body: &[u8]) -> Result<(), Forged> {
    if secrets.is_empty() {
        return Err(Forged::NoSecret);
    }
    let fields = Fields::read(headers, body)?;
    let mut verdict = Forged::NoProof;
    for secret in secrets {
        match secret.prove(&fields) {
            Ok(()) => return Ok(()),
            Err(forged) => verdict = forged,
        }
    }
    Err(verdict)
}

impl Secrets {
    fn prove(&self, fields: &Fields) -> Result<(), Forged> {
        if fields.get("env") != Some(self.env.as_str()) {
            return Err(Forged::Wrong);
        }
        match fields.get("hmac_compute") {
            Some(given) => self.signed(fields, given),
            None => self.hashed(fields),
        }
    }

    /// HMAC over `amount|reference|key`, the amount as it is written there: the final one, or that of the item.
    fn signed(&self, fields: &Fields, given: &str) -> Result<(), Forged> {
        let reference = fields.filled("ref_command").ok_or(Forged::Malformed)?;
        let amounts = ["final_item_price", "item_price"].map(|name| fields.filled(name));
        // A bar inside would let one part lend characters to another.
        if amounts.into_iter().flatten().chain([reference]).any(|part| part.contains('|')) {
            return Err(Forged::Malformed);
        }
        let mut found = Choice::from(0);
        for amount in amounts.into_iter().flatten() {
            let key = self.api_key.expose();
            let parts = [amount, "|", reference, "|", key].map(str::as_bytes);
            let expected = hmac_hex(self.api_secret.expose().as_bytes(), &parts).ok_or(Forged::Malformed)?;
            found |= given.as_bytes().ct_eq(expected.as_bytes());
        }
        if bool::from(found) { Ok(()) } else { Err(Forged::Wrong) }
    }

    fn hashed(&self, fields: &Fields) -> Result<(), Forged> {
        let (Some(key), Some(secret)) = (fields.get("api_key_sha256"), fields.get("api_secret_sha256")) else {
            return Err(Forged::NoProof);
        };
        let is = |given: &str, secret: &Secret| given.as_bytes().ct_eq(sha256(secret).as_bytes());
        let both = is(key, &self.api_key) & is(secret, &self.api_secret);
        if bool::from(both) { Ok(()) } else { Err(Forged::Wrong) }
    }
}

fn sha256(secret: &Secret) -> String {
    hex::encode(Sha256::digest(secret.expose().as_bytes()))
}

/// Reads an IPN that has been verified. It has no id: whoever keeps it tells it by its bytes.
///
/// # Errors
/// [`NotAnEvent`] unless it has a `type_event`.
pub fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Event, NotAnEvent> {
    let fields = Fields::read(headers, body).map_err(|forged| NotAnEvent::new(&forged.to_string()))?;
    let kind = fields.filled("type_event").ok_or_else(|| NotAnEvent::new("no type_event"))?;
    let kind = match kind {
        "sale_complete" => Kind::CheckoutCompleted(Hint { transaction_id: token(&fields), ..hint(&fields) }),
        "sale_canceled" => Kind::CheckoutFailed(hint(&fields)),
        "refund_complete" => Kind::Refunded(hint(&fields)),
        transfer if transfer.starts_with("transfer_") => Kind::Payout(hint(&fields)),
        other => Kind::other(other),
    };
    Ok(Event { id: String::new(), kind })
}

fn hint(fields: &Fields) -> Hint {
    Hint {
        page: None,
        provider_id: token(fields),
        reference: fields.filled("ref_command").and_then(reference),
        amount: amount(fields),
        transaction_id: None,
        code: None,
    }
}

fn token(fields: &Fields) -> Option<ProviderId> {
    ProviderId::new(fields.filled("token")?).ok()
}

fn amount(fields: &Fields) -> Option<Money> {
    wire::paid(|name| fields.filled(name).map(str::to_owned))?.ok()
}

#[cfg(test)]
mod tests;
