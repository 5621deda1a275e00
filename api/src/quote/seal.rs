//! A quote as the caller carries it: its contents in the clear, and our signature over them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{
    Timestamp,
    ids::{PitchId, SiteId},
    interval::Interval,
    policy::Policy,
    quote::Price,
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{App, problem::Problem};

const PURPOSE: &str = "api.quote.v1";
/// How long a price is honoured, in minutes (decisions.md).
pub const MINUTES: i64 = 15;

/// What is promised, and to whom: caller, pitch, interval, lines and site version are all signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// The principal of the key that asked.
    pub caller: Uuid,
    pub site_id: SiteId,
    pub pitch_id: PitchId,
    pub during: Interval,
    pub price: Price,
    pub policy: Policy,
    pub expires_at: Timestamp,
}

/// The text of a quote: `qt_<contents>.<signature>`.
///
/// # Errors
/// `server.error` when it cannot be written, which is a bug.
pub fn seal(app: &App, quote: &Quote) -> Result<String, Problem> {
    let contents = serde_json::to_vec(quote).map_err(|_| Problem::new("server.error"))?;
    let contents = BASE64_URL_SAFE_NO_PAD.encode(contents);
    let tag = BASE64_URL_SAFE_NO_PAD.encode(app.keyring.hash(PURPOSE, contents.as_bytes()));
    Ok(format!("qt_{contents}.{tag}"))
}

/// Reads a quote back.
///
/// # Errors
/// `quote.invalid` when it is not ours or not the caller's, `quote.expired` after its time.
pub fn open(app: &App, text: &str, caller: Uuid, now: Timestamp) -> Result<Quote, Problem> {
    let invalid = || Problem::new("quote.invalid").at("/quote", "is not a quote of ours for this caller");
    let (contents, tag) = text.strip_prefix("qt_").and_then(|rest| rest.split_once('.')).ok_or_else(invalid)?;
    let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).map_err(|_| invalid())?;
    let genuine: bool = app.keyring.hash(PURPOSE, contents.as_bytes()).as_slice().ct_eq(&tag).into();
    if !genuine {
        return Err(invalid());
    }
    let contents = BASE64_URL_SAFE_NO_PAD.decode(contents).map_err(|_| invalid())?;
    let quote: Quote = serde_json::from_slice(&contents).map_err(|_| invalid())?;
    if quote.caller != caller {
        return Err(invalid());
    }
    if quote.expires_at <= now {
        return Err(Problem::new("quote.expired").member("expired_at", quote.expires_at.to_rfc3339()));
    }
    Ok(quote)
}
