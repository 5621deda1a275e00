//! The key pairs that PINs are encrypted for: one is current, `/__control` rotates to the other.

use std::io;

use axum::{Json, extract::State};
use base64::{Engine, engine::general_purpose::STANDARD};
use rsa::{
    Pkcs1v15Encrypt, RsaPrivateKey,
    pkcs8::{DecodePrivateKey, EncodePublicKey},
};
use serde_json::{Value, json};

use super::{
    App,
    auth::{DISTRIBUTOR, May},
    error::{Answer, BAD_REQUEST, KEY_REVOKED, Problem},
};
use crate::server::lock;

const PEMS: [&str; 2] = [include_str!("keys/first.pem"), include_str!("keys/second.pem")];

/// Fixed pairs: making 2048 bits anew takes seconds.
pub(crate) struct Keys([Pair; 2]);

struct Pair {
    private: RsaPrivateKey,
    /// SPKI in base64, without armour.
    public: String,
}

impl Keys {
    pub(crate) fn new() -> io::Result<Self> {
        let [first, second] = PEMS;
        Ok(Self([pair(first)?, pair(second)?]))
    }

    fn pair(&self, number: u32) -> &Pair {
        let [first, second] = &self.0;
        if number.is_multiple_of(2) { first } else { second }
    }

    /// The PIN inside, if it was encrypted for key `current`.
    ///
    /// # Errors
    /// 4003 when it was encrypted for the other key, 4099 when for none.
    pub(crate) fn decrypt(&self, current: u32, encrypted: &str) -> Answer<String> {
        let unreadable = || Problem::refused(BAD_REQUEST, "encryptedPinCode cannot be read");
        let bytes = STANDARD.decode(encrypted).map_err(|_| unreadable())?;
        let open = |number: u32| self.pair(number).private.decrypt(Pkcs1v15Encrypt, &bytes).ok();
        match open(current) {
            Some(pin) => String::from_utf8(pin).map_err(|_| unreadable()),
            None if open(current + 1).is_some() => Err(Problem::refused(KEY_REVOKED, "The key has been revoked")),
            None => Err(unreadable()),
        }
    }
}

fn pair(pem: &str) -> io::Result<Pair> {
    let body: String =
        pem.lines().skip_while(|line| !line.starts_with("-----BEGIN")).filter(|line| !line.starts_with('-')).collect();
    let wrong = |error: &dyn std::fmt::Display| io::Error::other(error.to_string());
    let der = STANDARD.decode(body).map_err(io::Error::other)?;
    let private = RsaPrivateKey::from_pkcs8_der(&der).map_err(|error| wrong(&error))?;
    let public = private.to_public_key().to_public_key_der().map_err(|error| wrong(&error))?;
    Ok(Pair { public: STANDARD.encode(public.as_bytes()), private })
}

/// `GET /api/account/v1/publicKeys`
pub(crate) async fn show(_: May<DISTRIBUTOR>, State(sonatel): App) -> Json<Value> {
    let current = lock(&sonatel.books).current_key;
    Json(json!({
        "key": sonatel.keys.pair(current).public,
        "keyId": format!("key-{current}"),
        "keySize": 2_048,
        "keyType": "RSA",
    }))
}
