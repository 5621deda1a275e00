//! The merchant's two keys, in the headers `API_KEY` and `API_SECRET` of each call.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use subtle::ConstantTimeEq;

use super::{PayTech, answer::No};

/// Proof that the call comes from the merchant.
pub(crate) struct Merchant;

impl FromRequestParts<Arc<PayTech>> for Merchant {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, paytech: &Arc<PayTech>) -> Result<Self, No> {
        let switches = paytech.switches();
        let refused = |no: No, status| Err(if switches.http_statuses { no.with(status) } else { no });
        let is = |name: &str, expected: &str| {
            let given = parts.headers.get(name).map(|value| value.as_bytes()).unwrap_or_default();
            bool::from(given.ct_eq(expected.as_bytes()))
        };
        let (key, secret) = (is("api_key", &paytech.config.api_key), is("api_secret", &paytech.config.api_secret));
        if !(key && secret) {
            // Word for word as an integration reports it.
            let no = No::message(-1, "Le vendeur n'existe pas ou cle api invalide");
            return refused(no, StatusCode::UNAUTHORIZED);
        }
        if switches.suspended {
            return refused(No::message(0, "Compte marchand suspendu"), StatusCode::FORBIDDEN);
        }
        Ok(Self)
    }
}
