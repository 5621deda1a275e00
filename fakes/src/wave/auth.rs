//! Bearer keys, in the states that Wave tells apart.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
};
use std::sync::Arc;
use subtle::ConstantTimeEq;

use super::{KeyState, Scope, Wave, error::Error};

/// Proof that the call may use an API: `May::<CHECKOUT>`.
pub(crate) struct May<const SCOPE: u8>;

pub(crate) const CHECKOUT: u8 = 0;
pub(crate) const PAYOUT: u8 = 1;
pub(crate) const BALANCE: u8 = 2;

impl<const SCOPE: u8> FromRequestParts<Arc<Wave>> for May<SCOPE> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, wave: &Arc<Wave>) -> Result<Self, Error> {
        let scope = match SCOPE {
            CHECKOUT => Scope::Checkout,
            PAYOUT => Scope::Payout,
            _ => Scope::Balance,
        };
        check(wave, parts, scope).map(|()| Self)
    }
}

fn check(wave: &Wave, parts: &Parts, scope: Scope) -> Result<(), Error> {
    let refused = |code, message: &str| Err(Error::new(StatusCode::UNAUTHORIZED, code, message));
    let Some(header) = parts.headers.get(header::AUTHORIZATION) else {
        return refused("missing-auth-header", "Missing authorization header");
    };
    let Some(token) = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer")) else {
        return refused("invalid-auth", "Authorization must be of type Bearer");
    };
    let token = token.trim();
    if token.is_empty() {
        return refused("api-key-not-provided", "No API key provided");
    }
    let same = |key: &&super::Key| bool::from(key.token.as_bytes().ct_eq(token.as_bytes()));
    let Some(key) = wave.config.keys.iter().find(same) else {
        return refused("no-matching-api-key", "No matching API key");
    };
    match key.state {
        KeyState::Revoked => refused("api-key-revoked", "API key revoked"),
        KeyState::WalletDisabled if scope != Scope::Balance => {
            Err(Error::new(StatusCode::FORBIDDEN, "disabled-wallet", "The wallet is disabled"))
        }
        _ if !key.scopes.contains(&scope) => {
            Err(Error::new(StatusCode::FORBIDDEN, "unauthorized-wallet", "The key is not allowed to use this API"))
        }
        KeyState::Active | KeyState::WalletDisabled => Ok(()),
    }
}
