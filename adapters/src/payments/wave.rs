//! Wave Business API: checkout and payout (docs.wave.com/business; providers.md §1). Francs only.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod statement;
pub mod webhook;
mod wire;

use domain::{
    money::{Currency, Money},
    payment::{ProviderId, Reference},
};
use reqwest::{
    Client, RequestBuilder,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{Closed, Opened, Order, PayoutOrder, PayoutStatus, ProviderStatus};
use crate::{
    call::{self, Answer, ConfigError, Outcome, Refusal, Timeouts, Unknown},
    secret::Secret,
};

/// What Wave is called in paths and on messages.
pub const NAME: &str = "wave";

/// Wave's own words for a thing that is not there.
const NOT_FOUND: [&str; 2] = ["not-found", "checkout-session-not-found"];

/// How to reach Wave.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `https://api.wave.com`, or a fake on loopback.
    pub base_url: String,
    /// `wave_sn_prod_…`
    pub api_key: Secret,
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// A Wave business wallet.
#[derive(Clone, Debug)]
pub struct Wave {
    client: Client,
    base: Url,
}

impl Wave {
    /// # Errors
    /// [`ConfigError`] when the address or the key cannot be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let base = call::base_url(&config.base_url)?;
        let bearer = format!("Bearer {}", config.api_key.expose());
        let mut bearer = HeaderValue::try_from(bearer).map_err(|_| ConfigError::UnsendableKey)?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
        Ok(Self { client: call::client(&base, config.timeouts, headers)?, base })
    }

    /// See [`super::Rail::open`].
    pub async fn open(&self, order: &Order) -> Outcome<Opened> {
        let amount = match francs(order.amount) {
            Ok(amount) => amount,
            Err(refused) => return refused,
        };
        let mut body = json!({
            "amount": amount,
            "currency": "XOF",
            "client_reference": order.reference.as_str(),
            "success_url": order.success_url.as_str(),
            "error_url": order.error_url.as_str(),
        });
        if let Some(payer) = &order.payer {
            body["restrict_payer_mobile"] = json!(payer.e164());
        }
        let request = self.client.post(self.at(&["v1", "checkout", "sessions"])).json(&body);
        call::call(request, refusal).await.then(|answer| match wire::Session::read(&answer.body) {
            // An answer about something else is no answer.
            Some(session) if session.amount() != Some(order.amount) => Unknown::unreadable("another amount"),
            Some(session) if !session.is_for(order.reference.as_str()) => Unknown::unreadable("another reference"),
            Some(session) => session.opened().map_or_else(|| Unknown::unreadable("no id or address"), Outcome::Done),
            None => Unknown::unreadable("not a session"),
        })
    }

    /// See [`super::Rail::status`].
    pub async fn status(&self, id: &ProviderId) -> Outcome<ProviderStatus> {
        let Some(url) = self.item(&["v1", "checkout", "sessions"], id, &[]) else { return bad_id() };
        let found = call::call(self.client.get(url), refusal).await.then(|answer| {
            let session = wire::Session::read(&answer.body).filter(|session| session.id == id.as_str());
            session.map_or_else(|| Unknown::unreadable("not that session"), |session| session.status())
        });
        or_not_found(found, ProviderStatus::NotFound)
    }

    /// See [`super::Rail::search`].
    pub async fn search(&self, reference: &Reference) -> Outcome<ProviderStatus> {
        let request = self.by_reference(&["v1", "checkout", "sessions", "search"], reference);
        call::call(request, refusal).await.then(|answer| {
            let Some(sessions) = wire::read_list::<wire::Session>(&answer.body) else {
                return Unknown::unreadable("no result");
            };
            let ours = sessions.iter().filter(|session| session.is_for(reference.as_str())).map(wire::Session::status);
            one_or_several(ours, ProviderStatus::NotFound, ProviderStatus::Several)
        })
    }

    /// See [`super::Rail::expire`].
    pub async fn expire(&self, id: &ProviderId) -> Outcome<Closed> {
        let Some(url) = self.item(&["v1", "checkout", "sessions"], id, &["expire"]) else { return bad_id() };
        match call::call(self.client.post(url), refusal).await.then(empty) {
            Outcome::Refused(Refusal { http: Some(409), .. }) => Outcome::Done(Closed::Already),
            other => or_not_found(other.map(|()| Closed::Now), Closed::NotFound),
        }
    }

    /// See [`super::Rail::refund_full`].
    pub async fn refund_full(&self, id: &ProviderId) -> Outcome<()> {
        let Some(url) = self.item(&["v1", "checkout", "sessions"], id, &["refund"]) else { return bad_id() };
        call::call(self.client.post(url), refusal).await.then(empty)
    }

    /// See [`super::Rail::payout`].
    pub async fn payout(&self, order: &PayoutOrder) -> Outcome<PayoutStatus> {
        let amount = match francs(order.amount) {
            Ok(amount) => amount,
            Err(refused) => return refused,
        };
        let key = HeaderValue::from_str(&order.idempotency_key).ok();
        let Some(key) = key.filter(|key| (1..=255).contains(&key.len())) else {
            return Refusal::local("idempotency-key", "must have 1 to 255 visible characters");
        };
        let mut body = json!({
            "currency": "XOF",
            "receive_amount": amount,
            "mobile": order.recipient.e164(),
            "client_reference": order.reference.as_str(),
        });
        if let Some(reason) = &order.reason {
            body["payment_reason"] = json!(reason.chars().take(40).collect::<String>());
        }
        let request = self.client.post(self.at(&["v1", "payout"])).header("Idempotency-Key", key).json(&body);
        call::call(request, refusal).await.then(|answer| match wire::Payout::read(&answer.body) {
            Some(payout) if payout.amount() != Some(order.amount) => Unknown::unreadable("another amount"),
            Some(payout) if !payout.is_for(order.reference.as_str()) => Unknown::unreadable("another reference"),
            Some(payout) => payout.status(),
            None => Unknown::unreadable("not a payout"),
        })
    }

    /// See [`super::Rail::payout_status`].
    pub async fn payout_status(&self, id: &ProviderId) -> Outcome<PayoutStatus> {
        let Some(url) = self.item(&["v1", "payout"], id, &[]) else { return bad_id() };
        let found = call::call(self.client.get(url), refusal).await.then(|answer| {
            let payout = wire::Payout::read(&answer.body).filter(|payout| payout.id == id.as_str());
            payout.map_or_else(|| Unknown::unreadable("not that payout"), |payout| payout.status())
        });
        or_not_found(found, PayoutStatus::NotFound)
    }

    /// See [`super::Rail::payout_search`].
    pub async fn payout_search(&self, reference: &Reference) -> Outcome<PayoutStatus> {
        let request = self.by_reference(&["v1", "payouts", "search"], reference);
        call::call(request, refusal).await.then(|answer| {
            let Some(payouts) = wire::read_list::<wire::Payout>(&answer.body) else {
                return Unknown::unreadable("no result");
            };
            let ours = payouts.iter().filter(|payout| payout.is_for(reference.as_str())).map(wire::Payout::status);
            one_or_several(ours, PayoutStatus::NotFound, PayoutStatus::Several)
        })
    }

    fn at(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // `base_url` lets only addresses pass that have segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// The address of one thing. `None` for an id that would change the path.
    fn item(&self, path: &[&str], id: &ProviderId, action: &[&str]) -> Option<Url> {
        let plain = id.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        plain.then(|| self.at(&[path, &[id.as_str()], action].concat()))
    }

    fn by_reference(&self, path: &[&str], reference: &Reference) -> RequestBuilder {
        self.client.get(self.at(path)).query(&[("client_reference", reference.as_str())])
    }
}

/// The amount as Wave writes it: digits only, more than nothing.
fn francs<T>(amount: Money) -> Result<String, Outcome<T>> {
    if amount.currency != Currency::Xof {
        return Err(Refusal::local("currency-mismatch", "Wave moves XOF only"));
    }
    if !amount.is_positive() || amount.bounded().is_err() {
        return Err(Refusal::local("amount", "must be more than nothing"));
    }
    Ok(amount.amount.to_string())
}

fn bad_id<T>() -> Outcome<T> {
    Refusal::local("provider-id", "not an identifier of Wave's")
}

fn refusal(answer: &Answer) -> (String, String) {
    wire::error(&answer.body).unwrap_or_else(|| {
        let status = answer.status.as_u16();
        (format!("http-{status}"), "no reason given".to_owned())
    })
}

/// A 404 in Wave's own words is an answer. Any other 404 is somebody else's: a wrong base URL must not look like a
/// payment that never was.
fn or_not_found<T>(outcome: Outcome<T>, not_found: T) -> Outcome<T> {
    match outcome {
        Outcome::Refused(Refusal { http: Some(404), code, .. }) if NOT_FOUND.contains(&code.as_str()) => {
            Outcome::Done(not_found)
        }
        Outcome::Refused(Refusal { http: Some(404), .. }) => Outcome::Unknown(Unknown::Status(404)),
        other => other,
    }
}

/// Wave answers expire and refund with nothing. A page of HTML is not nothing.
fn empty(answer: Answer) -> Outcome<()> {
    let body = answer.body.trim_ascii();
    if body.is_empty() || serde_json::from_slice::<serde_json::Value>(body).is_ok() {
        Outcome::Done(())
    } else {
        Unknown::unreadable("neither empty nor JSON")
    }
}

/// None, the one, or all of them; unknown as soon as one cannot be read.
fn one_or_several<S>(found: impl Iterator<Item = Outcome<S>>, none: S, several: fn(Vec<S>) -> S) -> Outcome<S> {
    let mut read = Vec::new();
    for outcome in found {
        match outcome {
            Outcome::Done(status) => read.push(status),
            other => return other,
        }
    }
    match (read.pop(), read.is_empty()) {
        (None, _) => Outcome::Done(none),
        (Some(one), true) => Outcome::Done(one),
        (Some(last), false) => {
            read.push(last);
            Outcome::Done(several(read))
        }
    }
}

#[cfg(test)]
mod tests;
