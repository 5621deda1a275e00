//! Orange Money Web Payment, the group's page (developer.orange.com; providers.md §2c). In Senegal Sonatel's own API is the
//! usual way; this one is for those to whom Orange has given it.
//!
//! What it does not have shapes everything here. Nothing is found by our reference, no page is closed, nothing is given
//! back or sent. Its notifications are not signed: each names a token that was given out with its page, and proves nothing
//! but that whoever sent it has heard of that token.

mod gateway;
pub mod webhook;
mod wire;

use domain::{
    money::{Currency, Money},
    payment::{ProviderId, Reference},
};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use self::gateway::Gateway;
use super::{Asked, Closed, Opened, Order, PayoutOrder, PayoutStatus, ProviderStatus};
use crate::{
    call::{self, ConfigError, Outcome, Refusal, Timeouts},
    secret::Secret,
};

/// What it is called in paths and on messages.
pub const NAME: &str = "webpay";

/// The group's countries with our franc. The others have other money, which is not ours to take.
const COUNTRIES: [&str; 8] = ["bf", "bj", "ci", "gw", "ml", "ne", "sn", "tg"];
/// Where play money is, called OUV.
const DEV: &str = "dev";
/// Characters of an address, and of a reference.
const LONGEST_ADDRESS: usize = 120;
const LONGEST_REFERENCE: usize = 30;

/// How to reach it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `https://api.orange.com`, or a fake on loopback.
    pub base_url: String,
    /// Two letters of a country with the franc of the UEMOA, or `dev`: play money.
    pub country: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub merchant_key: Secret,
    /// Where notifications go: https, or http on loopback; at most 120 characters. Each page carries it.
    pub notif_url: String,
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// A merchant at Orange.
#[derive(Clone, Debug)]
pub struct WebPay {
    gateway: Gateway,
    merchant_key: Secret,
    /// `XOF`, or `OUV` in dev.
    currency: &'static str,
    notif_url: Url,
}

impl WebPay {
    /// # Errors
    /// [`ConfigError`] when an address, a key or the country cannot be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let currency = match config.country.as_str() {
            DEV => "OUV",
            country if COUNTRIES.contains(&country) => Currency::Xof.code(),
            _ => return Err(ConfigError::Setting("country must be dev, or one whose money is the franc of the UEMOA")),
        };
        let notif_url = call::base_url(&config.notif_url)?;
        if is_too_long(&notif_url) {
            return Err(ConfigError::Setting("the address of notifications is longer than 120 characters"));
        }
        Ok(Self { gateway: Gateway::new(config)?, merchant_key: config.merchant_key.clone(), currency, notif_url })
    }

    /// See [`super::Rail::open`].
    ///
    /// An order id is taken once. One whose answer was lost is refused when it is asked for again (1204), which is no
    /// unknown outcome: nobody has the address of its page, so nobody can pay in it, and the payer can have a new payment
    /// at once.
    pub async fn open(&self, order: &Order) -> Outcome<Opened> {
        let amount = match francs(order.amount) {
            Ok(amount) => amount,
            Err(refused) => return refused,
        };
        if order.payer.is_some() {
            return Refusal::local("not-offered", "Orange's page lets anybody pay");
        }
        if order.reference.as_str().len() > LONGEST_REFERENCE {
            return Refusal::local("reference-too-long", "Orange takes 30 characters");
        }
        if is_too_long(&order.success_url) || is_too_long(&order.error_url) {
            return Refusal::local("address-too-long", "Orange takes addresses of 120 characters");
        }
        let reference = order.reference.as_str();
        let body = json!({
            "merchant_key": self.merchant_key.expose(),
            "currency": self.currency,
            "order_id": reference,
            "amount": amount,
            "return_url": order.success_url.as_str(),
            "cancel_url": order.error_url.as_str(),
            "notif_url": self.notif_url.as_str(),
            "lang": "fr",
            // Shown to the payer beside the amount.
            "reference": reference,
        });
        self.gateway.call("webpayment", &body).await.then(|body| wire::opened(&body))
    }

    /// See [`super::Rail::status`]. Orange wants to hear the order and the amount again; it answers without an amount, for
    /// a page has the one that it was made with.
    pub async fn status(&self, asked: Asked<'_>) -> Outcome<ProviderStatus> {
        let amount = match francs(asked.amount) {
            Ok(amount) => amount,
            Err(refused) => return refused,
        };
        let Some(pay_token) = wire::pay_token(asked.provider_id) else {
            return Refusal::local("provider-id", "not a page of Orange's");
        };
        let body = json!({ "order_id": asked.reference.as_str(), "amount": amount, "pay_token": pay_token });
        self.gateway.call("transactionstatus", &body).await.then(|body| wire::status(&body, asked))
    }

    /// See [`super::Rail::search`]. There is no such call, and `NotFound` is safe all the same: asked without a page, we
    /// never had the answer that its address was in, so that nobody can pay in it. Opened again, it is refused at worst.
    pub async fn search(&self, _: &Reference) -> Outcome<ProviderStatus> {
        Outcome::Done(ProviderStatus::NotFound)
    }

    /// See [`super::Rail::expire`]. There is no such call; pages end by themselves, some ten minutes after they were made.
    pub async fn expire(&self, asked: Asked<'_>) -> Outcome<Closed> {
        self.status(asked).await.map(|status| match status {
            ProviderStatus::Succeeded(_) | ProviderStatus::Failed { .. } | ProviderStatus::Expired { .. } => {
                Closed::Already
            }
            _ => Closed::ByItself,
        })
    }

    /// See [`super::Rail::refund_full`]: money goes back another way.
    pub async fn refund_full(&self, _: &ProviderId) -> Outcome<()> {
        Refusal::local("not-offered", "Orange gives no page back")
    }

    /// See [`super::Rail::payout`].
    pub async fn payout(&self, _: &PayoutOrder) -> Outcome<PayoutStatus> {
        no_payouts()
    }

    /// See [`super::Rail::payout_status`].
    pub async fn payout_status(&self, _: &ProviderId) -> Outcome<PayoutStatus> {
        no_payouts()
    }

    /// See [`super::Rail::payout_search`].
    pub async fn payout_search(&self, _: &Reference) -> Outcome<PayoutStatus> {
        no_payouts()
    }
}

fn is_too_long(address: &Url) -> bool {
    address.as_str().len() > LONGEST_ADDRESS
}

/// The amount as Orange is given it: whole francs, more than nothing.
fn francs<T>(amount: Money) -> Result<i64, Outcome<T>> {
    if amount.currency != Currency::Xof {
        return Err(Refusal::local("currency-mismatch", "only XOF is asked for here"));
    }
    if !amount.is_positive() || amount.bounded().is_err() {
        return Err(Refusal::local("amount", "must be more than nothing"));
    }
    Ok(amount.amount)
}

fn no_payouts<T>() -> Outcome<T> {
    Refusal::local("not-offered", "no payouts by Orange's web payment")
}

#[cfg(test)]
mod tests;
