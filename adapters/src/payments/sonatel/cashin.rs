//! Money to a customer: a cash-in from the distributor's account, with its PIN encrypted for Sonatel.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{NaiveDateTime, TimeDelta};
use domain::payment::{ProviderId, Reference};
use reqwest::RequestBuilder;
use rsa::{Pkcs1v15Encrypt, RsaPublicKey, pkcs8::DecodePublicKey, rand_core::OsRng, traits::PublicKeyParts};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{CashIn, Sonatel, bad_id, francs, is_digits, wire};
use crate::{
    call::{Outcome, Refusal, Unknown},
    payments::{PayoutOrder, PayoutStatus},
    secret::Secret,
};

/// Bytes of 2048 bits: no PIN is sent under a shorter key.
const SHORTEST: usize = 256;
const KEY_REVOKED: &str = "sonatel-4003";
const NO_SUCH_TRANSACTION: &str = "sonatel-60";

/// The distributor.
pub(super) struct Desk {
    msisdn: String,
    pin: Secret,
    key: Mutex<Option<RsaPublicKey>>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Desk {
    pub(super) fn new(cash_in: &CashIn) -> Self {
        Self { msisdn: cash_in.msisdn.clone(), pin: cash_in.pin.clone(), key: Mutex::new(None) }
    }

    /// PKCS#1 v1.5 as Sonatel wants it. Its padding is random; that is the cipher's business, as in TLS.
    fn encrypted(&self, key: &RsaPublicKey) -> Option<String> {
        let encrypted = key.encrypt(&mut OsRng, Pkcs1v15Encrypt, self.pin.expose().as_bytes()).ok()?;
        Some(STANDARD.encode(encrypted))
    }
}

impl Sonatel {
    /// See [`super::super::Rail::payout`]. Sonatel knows no idempotency keys, so our reference has to be one: what is
    /// listed under it already is the answer, and only when nothing is does money go out. That cannot see a cash-in
    /// which is not listed yet: leave time between an unknown one and the next try.
    pub async fn payout(&self, order: &PayoutOrder) -> Outcome<PayoutStatus> {
        let Some(desk) = self.desk.as_deref() else {
            return Refusal::local("not-offered", "no distributor is configured");
        };
        if let Err(refused) = francs(order.amount, 1) {
            return refused;
        }
        let recipient = order.recipient.e164().strip_prefix("+221").filter(|digits| is_digits(digits, 9));
        let Some(recipient) = recipient else {
            return Refusal::local("recipient", "not a Senegalese number");
        };
        match self.payout_search(&order.reference).await {
            Outcome::Done(PayoutStatus::NotFound) => {}
            Outcome::Done(PayoutStatus::Succeeded { amount, .. }) if amount != order.amount => {
                return Unknown::unreadable("another amount under this reference");
            }
            // That the list cannot be had says nothing of an earlier try, so it must not look like a no.
            Outcome::Refused(Refusal { http: Some(status), .. }) if !matches!(status, 401 | 403) => {
                return Outcome::Unknown(Unknown::Status(status));
            }
            answer => return answer,
        }
        match self.send(desk, order, recipient, None).await {
            (Outcome::Refused(refusal), Some(key)) if refusal.code == KEY_REVOKED => {
                self.send(desk, order, recipient, Some(&key)).await.0
            }
            (outcome, _) => outcome,
        }
    }

    /// One cash-in; with the key that it was encrypted for.
    async fn send(
        &self,
        desk: &Desk,
        order: &PayoutOrder,
        recipient: &str,
        revoked: Option<&RsaPublicKey>,
    ) -> (Outcome<PayoutStatus>, Option<RsaPublicKey>) {
        let key = match self.key(desk, revoked).await {
            Ok(key) => key,
            Err(none) => return (none, None),
        };
        let Some(pin) = desk.encrypted(&key) else {
            return (Refusal::local("pin", "cannot be encrypted for this key"), None);
        };
        let mut body = json!({
            "partner": { "idType": "MSISDN", "id": desk.msisdn, "encryptedPinCode": pin },
            "customer": { "idType": "MSISDN", "id": recipient },
            "amount": { "value": order.amount.amount, "unit": "XOF" },
            "reference": order.reference.as_str(),
            "receiveNotification": true,
        });
        if let Some(reason) = &order.reason {
            body["metadata"] = json!({ "reason": reason.chars().take(40).collect::<String>() });
        }
        let request = self.gateway.post(&["api", "eWallet", "v1", "cashins"]).json(&body);
        let answer = self.gateway.call(request).await;
        (answer.then(|answer| wire::cashin(&answer.body, order)), Some(key))
    }

    /// The key that is current as far as we know; never the one that was `revoked`.
    async fn key(&self, desk: &Desk, revoked: Option<&RsaPublicKey>) -> Result<RsaPublicKey, Outcome<PayoutStatus>> {
        let mut held = desk.key.lock().await;
        if let Some(key) = held.as_ref().filter(|key| Some(*key) != revoked) {
            return Ok(key.clone());
        }
        *held = None;
        // Nothing has been sent yet, whatever becomes of this.
        let not_sent = |why: &str| Outcome::Unknown(Unknown::Unreachable(format!("no key: {why}")));
        match self.gateway.call(self.gateway.get(&["api", "account", "v1", "publicKeys"])).await {
            Outcome::Done(answer) => {
                let key = read_key(&answer.body).ok_or_else(|| not_sent("unreadable, or too short"))?;
                *held = Some(key.clone());
                Ok(key)
            }
            Outcome::Unknown(unknown) => Err(not_sent(&unknown.to_string())),
            other => Err(other.then(|_| not_sent("no answer"))),
        }
    }

    /// See [`super::super::Rail::payout_status`]; by Sonatel's transaction id. The call says no more than a status; how
    /// much a success was is read off its row, which is listed since the minute in its id.
    pub async fn payout_status(&self, id: &ProviderId) -> Outcome<PayoutStatus> {
        let Some(request) = self.status_of(id) else { return bad_id() };
        let answer = match self.gateway.call(request).await {
            Outcome::Refused(Refusal { http: Some(404), code, .. }) => {
                // In Sonatel's own words it is an answer; any other 404 is a wrong address.
                let known = code == NO_SUCH_TRANSACTION;
                return if known {
                    Outcome::Done(PayoutStatus::NotFound)
                } else {
                    Outcome::Unknown(Unknown::Status(404))
                };
            }
            other => other,
        };
        let said = answer.then(|answer| wire::cashin_status(&answer.body, id));
        match said {
            Outcome::Done(Some(status)) => Outcome::Done(status),
            Outcome::Done(None) => self.succeeded(id).await,
            other => other.then(|_| Unknown::unreadable("no status")),
        }
    }

    async fn succeeded(&self, id: &ProviderId) -> Outcome<PayoutStatus> {
        let Some(since) = since(id.as_str()) else { return Unknown::unreadable("a success of nobody knows how much") };
        let rows = self.gateway.rows(&[("status", "SUCCESS"), ("fromDateTime", &since)]).await;
        rows.then(|rows| {
            let own =
                rows.iter().find(|row| row.transaction_id() == Some(id.as_str()) && row.kind() == Some(wire::CASHIN));
            own.map_or_else(|| Unknown::unreadable("a success that is not listed"), wire::Row::payout)
        })
    }

    /// See [`super::super::Rail::payout_search`].
    pub async fn payout_search(&self, reference: &Reference) -> Outcome<PayoutStatus> {
        let rows = self.gateway.rows(&[("reference", reference.as_str())]).await;
        rows.then(|rows| wire::payout(&rows, reference))
    }

    /// `None` for an id that would change the path.
    fn status_of(&self, id: &ProviderId) -> Option<RequestBuilder> {
        let id = id.as_str();
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let path = ["api", "eWallet", "v1", "transactions", id, "status"];
        (plain && !id.starts_with('.')).then(|| self.gateway.get(&path))
    }
}

/// A little before the minute in `CI261122.1224.A00001`: the bound is strict, and Senegal keeps UTC.
fn since(id: &str) -> Option<String> {
    let stamp = id.get(2..13)?;
    let at = NaiveDateTime::parse_from_str(stamp, "%y%m%d.%H%M").ok()?.checked_sub_signed(TimeDelta::seconds(120))?;
    Some(at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// `{key}`: SPKI in base64 without armour.
pub(super) fn read_key(body: &[u8]) -> Option<RsaPublicKey> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let spki = STANDARD.decode(body.get("key")?.as_str()?.trim()).ok()?;
    RsaPublicKey::from_public_key_der(&spki).ok().filter(|key| key.size() >= SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_transaction_is_read_off_its_id() {
        assert_eq!(since("CI261122.1224.A00001").as_deref(), Some("2026-11-22T12:22:00Z"));
        assert_eq!(since("CI270101.0001.A00001").as_deref(), Some("2026-12-31T23:59:00Z"));
        for id in ["", "CI", "CI261322.1224.A00001", "CI2611221224A00001", "Cé61122.1224.A00001"] {
            assert_eq!(since(id), None, "{id}");
        }
    }

    #[test]
    fn a_key_that_is_short_or_none_is_not_used() {
        // 512 bits.
        let short = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==";
        for key in [json!(short), json!(""), json!("bm9uZQ=="), json!("***"), json!(1), json!(null)] {
            assert!(read_key(json!({ "key": key }).to_string().as_bytes()).is_none(), "{key}");
        }
        assert!(read_key(b"<html>").is_none());
    }
}
