//! Messages that we send: signed as Standard Webhooks 1.0 says (github.com/standard-webhooks/standard-webhooks), and
//! verified by the same rules.
//!
//! What is signed is `<id>.<timestamp>.<body>`; the header holds `v1,<HMAC-SHA-256>` for each secret that is live and
//! `v1a,<Ed25519>` under the key of the log, separated by spaces.

use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use chrono::TimeDelta;
use domain::Timestamp;
use ed25519_dalek::{Signature, Signer as _, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::signing::PublicKey;

pub const ID: &str = "webhook-id";
pub const TIMESTAMP: &str = "webhook-timestamp";
pub const SIGNATURE: &str = "webhook-signature";

/// How far the clocks of both sides may be apart.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// Bytes of a secret: 192 to 512 bits, as the standard says.
const SHORTEST: usize = 24;
const LONGEST: usize = 64;
/// Signatures that are looked at; a header with more is no header of ours.
const MOST_SIGNATURES: usize = 16;

/// Base64 with or without its padding: the reference implementations read both.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Not a secret of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be whsec_ and the base64 of {SHORTEST} to {LONGEST} bytes")]
pub struct NotASecret;

/// A secret shared with one endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedSecret(Vec<u8>);

impl SharedSecret {
    /// From random bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(bytes.to_vec())
    }

    /// From `whsec_…`.
    ///
    /// # Errors
    /// [`NotASecret`].
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let bytes = text.strip_prefix("whsec_").and_then(|rest| LENIENT.decode(rest).ok()).ok_or(NotASecret)?;
        if (SHORTEST..=LONGEST).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(NotASecret) }
    }

    /// `whsec_…`, for the one answer that shows it and for the table that keeps it sealed.
    pub fn expose(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.0))
    }

    fn mac(&self, signed: &[u8]) -> Option<[u8; 32]> {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(signed);
        Some(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

/// The key of a log, for those who would rather not share a secret. It signs nothing else.
#[derive(Clone)]
pub struct LogKey {
    key: SigningKey,
}

impl LogKey {
    /// From 32 secret bytes that are used for nothing else.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// The half to publish; `None` for a weak key, which no random seed gives.
    pub fn public(&self) -> Option<PublicKey> {
        PublicKey::from_bytes(&self.key.verifying_key().to_bytes())
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogKey(…)")
    }
}

/// `whpk_…`, the form in which the standard publishes a key.
pub fn published(key: &PublicKey) -> String {
    format!("whpk_{}", STANDARD.encode(key.bytes()))
}

/// What is sent, without how it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The same whenever the same is sent again; without a full stop.
    pub id: &'a str,
    /// Of this attempt.
    pub at: Timestamp,
    pub body: &'a [u8],
}

impl Message<'_> {
    /// The value of [`SIGNATURE`].
    pub fn signature(&self, secrets: &[SharedSecret], key: &LogKey) -> String {
        let signed = signed(self.id, self.at.timestamp(), self.body);
        let shared = secrets.iter().filter_map(|secret| secret.mac(&signed));
        let mut all: Vec<String> = shared.map(|mac| format!("v1,{}", STANDARD.encode(mac))).collect();
        all.push(format!("v1a,{}", STANDARD.encode(key.key.sign(&signed).to_bytes())));
        all.join(" ")
    }
}

/// Headers of a message.
pub type Headers = HeaderMap;

/// An id that no header can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the id of a message cannot be sent")]
pub struct Unsendable;

impl Message<'_> {
    /// What goes with the body: its type, and the three headers of the standard.
    ///
    /// # Errors
    /// [`Unsendable`].
    pub fn headers(&self, secrets: &[SharedSecret], key: &LogKey) -> Result<Headers, Unsendable> {
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Unsendable);
        Ok(HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/cloudevents+json")),
            (HeaderName::from_static(ID), value(self.id)?),
            (HeaderName::from_static(TIMESTAMP), value(&self.at.timestamp().to_string())?),
            (HeaderName::from_static(SIGNATURE), value(&self.signature(secrets, key))?),
        ]))
    }
}

fn signed(id: &str, seconds: i64, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", seconds.to_string().as_bytes(), b".", body].concat()
}

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Forged {
    #[error("a header is missing or unreadable")]
    Headers,
    #[error("too old, or from the future")]
    Stale,
    #[error("no signature is right")]
    Signature,
}

/// What a message may be signed with.
#[derive(Clone, Copy, Debug)]
pub enum Trusted<'a> {
    /// All that are live: two during a rotation.
    Secrets(&'a [SharedSecret]),
    Key(&'a PublicKey),
}

/// Whether a message comes from whoever has the secret or the key.
///
/// # Errors
/// [`Forged`].
pub fn verify(trusted: Trusted<'_>, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Forged> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Forged::Headers);
    let (id, seconds, signatures) = (header(ID)?, header(TIMESTAMP)?, header(SIGNATURE)?);
    // Digits alone: what is signed is the number, not how it was written.
    if id.is_empty() || seconds.is_empty() || !seconds.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Forged::Headers);
    }
    let seconds: i64 = seconds.parse().map_err(|_| Forged::Headers)?;
    let at = chrono::DateTime::from_timestamp(seconds, 0).ok_or(Forged::Headers)?;
    if (now - at).abs() > TOLERANCE {
        return Err(Forged::Stale);
    }
    let signed = signed(id, seconds, body);
    let good = signatures.split(' ').take(MOST_SIGNATURES).any(|signature| is_good(trusted, &signed, signature));
    if good { Ok(()) } else { Err(Forged::Signature) }
}

fn is_good(trusted: Trusted<'_>, signed: &[u8], signature: &str) -> bool {
    let Some((version, text)) = signature.split_once(',') else { return false };
    let Ok(given) = STANDARD.decode(text) else { return false };
    match (trusted, version) {
        (Trusted::Secrets(secrets), "v1") => secrets
            .iter()
            .filter_map(|secret| secret.mac(signed))
            .any(|mac| bool::from(mac.as_slice().ct_eq(given.as_slice()))),
        (Trusted::Key(key), "v1a") => {
            Signature::from_slice(&given).is_ok_and(|given| key.verifies_bare(signed, &given))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
