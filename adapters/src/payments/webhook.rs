//! What the webhooks of all providers have in common: proof of origin over the raw bytes, then content. A webhook is a
//! hint; the provider is asked (providers.md §0 rule 3).

use domain::{money::Money, payment::ProviderId, text::Note};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{HeaderMap, HeaderName};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::secret::Secret;

/// A signature is good for this many seconds around its timestamp.
const WINDOW: i64 = 300;
/// More signatures in one header than any rotation needs are an attempt to keep us busy.
const SIGNATURES: usize = 8;

/// What Wave takes, the most of all (providers.md §0 rule 8). In bytes.
const LONGEST_REFERENCE: usize = 255;

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

/// A webhook's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The provider's id of the message: the same when it is sent again. Empty when it gives none.
    pub id: String,
    pub kind: Kind,
}

/// What it says. Each is a reason to ask the provider, none is a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    CheckoutCompleted(Hint),
    /// An attempt failed; the checkout may still be open.
    CheckoutFailed(Hint),
    /// News of money that we sent.
    Payout(Hint),
    /// A payment went back to whoever had paid it, at our wish or without us.
    Refunded(Hint),
    /// The portal's test button: accept and ignore.
    Test,
    /// Something we do not use, by its type.
    Other(String),
}

/// What a webhook says about itself; any part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    pub provider_id: Option<ProviderId>,
    /// How the provider's id begins, where the message has nothing more that leads to it.
    pub page: Option<String>,
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

impl NotAnEvent {
    pub(super) fn new(why: &str) -> Self {
        Self(Note::kept_of(why).into())
    }
}

impl Kind {
    /// What is written there goes into notes, so it is kept as they are.
    pub(super) fn other(kind: &str) -> Self {
        Self::Other(Note::kept_of(kind).into())
    }
}

/// A reference as it is written, to the letter. One that no provider was ever given is none.
pub(super) fn reference(text: &str) -> Option<String> {
    let possible = (1..=LONGEST_REFERENCE).contains(&text.len()) && !text.chars().any(char::is_control);
    possible.then(|| text.to_owned())
}

/// The code of a failed attempt.
pub(super) fn code(text: &str) -> String {
    Note::kept_of(text).into()
}

/// A header that stands there once; twice is somebody playing games.
pub(super) fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Forged> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Forged::Malformed),
        (Some(_), Some(_)) => Err(Forged::Malformed),
    }
}

/// A static secret, compared in constant time.
pub(super) fn same(secret: &Secret, given: &str) -> Result<(), Forged> {
    if bool::from(given.as_bytes().ct_eq(secret.expose().as_bytes())) { Ok(()) } else { Err(Forged::Wrong) }
}

/// HMAC-SHA-256 in lower-case hex of the parts in a row. `None` never happens: HMAC takes keys of any length.
pub(super) fn hmac_hex(key: &[u8], parts: &[&[u8]]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(hex::encode(mac.finalize().into_bytes()))
}

/// `t=<unix seconds>,v1=<hex>[,v1=…]`: HMAC-SHA-256 over the digits of `t`, `between`, and the body.
pub(super) fn signed(secret: &Secret, header: &str, between: &str, body: &[u8], now: i64) -> Result<(), Forged> {
    let fields = || header.split(',').map(str::trim);
    let t = fields().find_map(|field| field.strip_prefix("t=")).ok_or(Forged::Malformed)?;
    // Digits only: what `parse` tolerates beyond them (a sign) no provider writes.
    if t.is_empty() || t.len() > 12 || !t.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Forged::Malformed);
    }
    let at: i64 = t.parse().map_err(|_| Forged::Malformed)?;
    if (now - at).abs() > WINDOW {
        return Err(Forged::Stale);
    }
    let parts = [t.as_bytes(), between.as_bytes(), body];
    let expected = hmac_hex(secret.expose().as_bytes(), &parts).ok_or(Forged::Malformed)?;
    let given = fields().filter_map(|field| field.strip_prefix("v1=")).take(SIGNATURES);
    // All are compared, so that timing does not tell which one came close.
    let found = given.fold(subtle::Choice::from(0), |found, v1| found | v1.as_bytes().ct_eq(expected.as_bytes()));
    if bool::from(found) { Ok(()) } else { Err(Forged::Wrong) }
}
