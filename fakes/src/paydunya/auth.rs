//! Three keys in three headers; the private key and the token belong to one mode, and each mode has its own base.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, request::Parts},
};
use subtle::ConstantTimeEq;

use super::{
    PayDunya,
    books::Mode,
    error::{Error, KEYS_OR_MODE},
};
use crate::server::lock;

/// Proof that the call may be made, and in which mode.
pub(crate) struct May(pub Mode);

impl FromRequestParts<Arc<PayDunya>> for May {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, paydunya: &Arc<PayDunya>) -> Result<Self, Error> {
        // Nested routers take their prefix away from the path; the whole of it is kept beside.
        let whole = parts.extensions.get::<axum::extract::OriginalUri>().map(|uri| uri.0.path().to_owned());
        let path = whole.unwrap_or_else(|| parts.uri.path().to_owned());
        let mode = if path.starts_with("/sandbox-api/") { Mode::Test } else { Mode::Live };
        check(paydunya, &parts.headers, mode).map(|()| Self(mode))
    }
}

fn check(paydunya: &PayDunya, headers: &HeaderMap, mode: Mode) -> Result<(), Error> {
    let config = &paydunya.config;
    let (keys, name) = match mode {
        Mode::Test => (&config.test, "TEST"),
        Mode::Live => (&config.live, "LIVE"),
    };
    if !is(headers, "paydunya-master-key", &config.master_key) {
        return Err(refused(paydunya, "Invalid Masterkey Specified".into()));
    }
    let pair = is(headers, "paydunya-private-key", &keys.private_key) & is(headers, "paydunya-token", &keys.token);
    if pair { Ok(()) } else { Err(refused(paydunya, format!("{name} Private Key and Token combination is invalid"))) }
}

fn is(headers: &HeaderMap, name: &str, key: &str) -> bool {
    headers.get(name).is_some_and(|given| bool::from(given.as_bytes().ct_eq(key.as_bytes())))
}

fn refused(paydunya: &PayDunya, text: String) -> Error {
    if lock(&paydunya.quirks).keys_by_status {
        Error { http: StatusCode::UNAUTHORIZED, ..Error::new("401", text) }
    } else {
        Error::new(KEYS_OR_MODE, text)
    }
}
