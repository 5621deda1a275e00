//! Orange Money by Sonatel's eWallet API: QR codes, and cash-in for what goes back (developer.orange-sonatel.com;
//! providers.md §2a). Francs only.
//!
//! Sonatel lists payments and not checkouts, and can be asked about a payment by our reference only. So the reference is
//! the id of a checkout here, nobody having paid looks like [`ProviderStatus::Unpaid`], and nothing can be closed.

mod callback;
mod cashin;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod gateway;
pub mod webhook;
mod wire;

use std::sync::Arc;

use chrono::{NaiveDate, SecondsFormat, TimeDelta};
use domain::{
    money::{Currency, Money},
    payment::{ProviderId, Reference},
};
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::json;

use self::{cashin::Desk, gateway::Gateway};
use super::{Closed, Opened, Order, ProviderStatus};
use crate::{
    call::{self, ConfigError, Outcome, Refusal, Timeouts, Unknown},
    secret::Secret,
    statements::Listed,
};

/// What Sonatel is called in paths and on messages.
pub const NAME: &str = "sonatel";

/// Pages of a day at most, and of what came after it.
const DAY_PAGES: usize = 500;

/// The longest that a code can be payable, in seconds; as long as one is without an end of ours.
const LONGEST: i64 = 86_400;
/// Francs. The specification says 1; in production less than 10 cannot be paid.
const LEAST: i64 = 10;

/// How to reach Sonatel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `https://api.orange-sonatel.com`, or a fake on loopback.
    pub base_url: String,
    /// Of the portal's application.
    pub client_id: String,
    pub client_secret: Secret,
    /// Six digits.
    pub merchant_code: String,
    /// What the payer reads.
    pub merchant_name: String,
    /// Where news of each code go, instead of the address that is registered; https.
    #[serde(default)]
    pub callback_url: Option<String>,
    /// `X-Api-Key`, if the contract gives one.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// With the distributor's subscription only; without it nothing can be sent back.
    #[serde(default)]
    pub cash_in: Option<CashIn>,
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// Whose account cash-ins come out of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashIn {
    /// The distributor's number: 9 digits.
    pub msisdn: String,
    pub pin: Secret,
}

/// A merchant's account.
#[derive(Clone, Debug)]
pub struct Sonatel {
    gateway: Gateway,
    merchant: Arc<Merchant>,
    /// Shared by clones, like the token: one key and one token for all.
    desk: Option<Arc<Desk>>,
}

#[derive(Debug)]
struct Merchant {
    code: String,
    name: String,
    callback_url: Option<HeaderValue>,
    api_key: Option<HeaderValue>,
}

impl Sonatel {
    /// # Errors
    /// [`ConfigError`] when an address, a key, the merchant's code or the distributor's number cannot be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        if !is_digits(&config.merchant_code, 6) {
            return Err(ConfigError::Setting("merchant_code must have 6 digits"));
        }
        if config.merchant_name.trim().is_empty() || config.client_id.trim().is_empty() {
            return Err(ConfigError::Setting("merchant_name and client_id must not be empty"));
        }
        if config.cash_in.as_ref().is_some_and(|cash_in| !is_digits(&cash_in.msisdn, 9)) {
            return Err(ConfigError::Setting("cash_in.msisdn must have 9 digits"));
        }
        let callback_url = config.callback_url.as_deref().map(|url| sendable(call::base_url(url)?.as_str()));
        let api_key = config.api_key.as_ref().map(|key| sendable(key.expose()));
        let merchant = Merchant {
            code: config.merchant_code.clone(),
            name: config.merchant_name.clone(),
            callback_url: callback_url.transpose()?,
            api_key: api_key.transpose()?,
        };
        Ok(Self {
            gateway: Gateway::new(config)?,
            merchant: Arc::new(merchant),
            desk: config.cash_in.as_ref().map(|cash_in| Arc::new(Desk::new(cash_in))),
        })
    }

    /// Whether money can be sent: with a distributor's subscription.
    pub const fn pays_out(&self) -> bool {
        self.desk.is_some()
    }

    /// See [`super::Rail::open`]. The code can be paid until its end, whatever becomes of the order. Unknown is harmless:
    /// no money moves, and a code that nobody was shown is not paid.
    pub async fn open(&self, order: &Order) -> Outcome<Opened> {
        if let Err(refused) = francs(order.amount, LEAST) {
            return refused;
        }
        if order.payer.is_some() {
            return Refusal::local("payer", "Sonatel lets anybody pay a code");
        }
        let ends = order.closes_at.map_or(LONGEST, |end| (end - order.now).num_seconds());
        let body = json!({
            "code": self.merchant.code,
            "name": self.merchant.name,
            "amount": { "value": order.amount.amount, "unit": "XOF" },
            "validity": ends.clamp(1, LONGEST),
            "reference": order.reference.as_str(),
            "callbackSuccessUrl": order.success_url.as_str(),
            "callbackCancelUrl": order.error_url.as_str(),
            // Comes back with the answer, which has no reference otherwise.
            "metadata": { "reference": order.reference.as_str() },
            "restrictions": { "isSingleUse": true },
        });
        let mut request = self.gateway.post(&["api", "eWallet", "v4", "qrcode"]).json(&body);
        if let Some(url) = &self.merchant.callback_url {
            request = request.header("X-Callback-Url", url.clone());
        }
        if let Some(key) = &self.merchant.api_key {
            request = request.header("X-Api-Key", key.clone());
        }
        self.gateway.call(request).await.then(|answer| {
            let Some(code) = wire::Code::read(&answer.body) else { return Unknown::unreadable("not a code") };
            // An answer about something else is no answer.
            if !code.may_be_for(order.amount, order.reference.as_str()) {
                return Unknown::unreadable("another amount or reference");
            }
            code.opened(&order.reference).map_or_else(|| Unknown::unreadable("no link"), Outcome::Done)
        })
    }

    /// See [`super::Rail::status`]. The id of a checkout is our reference.
    pub async fn status(&self, id: &ProviderId) -> Outcome<ProviderStatus> {
        match Reference::new(id.as_str()) {
            Ok(reference) => self.search(&reference).await,
            Err(_) => bad_id(),
        }
    }

    /// See [`super::Rail::search`].
    pub async fn search(&self, reference: &Reference) -> Outcome<ProviderStatus> {
        let rows = self.gateway.rows(&[("reference", reference.as_str())]).await;
        rows.then(|rows| wire::payment(&rows, reference))
    }

    /// See [`super::Rail::expire`]. There is no such call: what can be said is whether somebody paid.
    pub async fn expire(&self, id: &ProviderId) -> Outcome<Closed> {
        self.status(id).await.map(|status| match status {
            ProviderStatus::Succeeded(_) | ProviderStatus::Several(_) => Closed::Already,
            _ => Closed::ByItself,
        })
    }

    /// See [`super::Rail::statement`]. The list has a beginning and no end: what came after the day is left out.
    pub async fn statement(&self, day: NaiveDate) -> Outcome<Vec<Listed>> {
        // A strict bound, and clocks differ (providers.md §2a).
        let from = domain::reconciliation::begin(day) - TimeDelta::seconds(120);
        let from = from.to_rfc3339_opts(SecondsFormat::Secs, true);
        self.gateway.rows_of(&[("fromDateTime", &from)], DAY_PAGES).await.then(|rows| {
            let of_the_day = rows.iter().filter(|row| row.may_be_of(day));
            let lines = of_the_day.map(wire::Row::listed).collect::<Option<Vec<_>>>();
            // A statement with a hole is worse than none.
            lines.map_or_else(|| Unknown::unreadable("a transaction that cannot be compared"), Outcome::Done)
        })
    }

    /// See [`super::Rail::refund_full`]. Merchants cannot undo a payment; what goes back goes by cash-in.
    #[expect(clippy::unused_async, reason = "one signature for all rails")]
    pub async fn refund_full(&self, _: &ProviderId) -> Outcome<()> {
        Refusal::local("not-offered", "Sonatel gives no payment back; send a payout")
    }
}

/// Whole francs, and at least so many.
fn francs<T>(amount: Money, least: i64) -> Result<(), Outcome<T>> {
    if amount.currency != Currency::Xof {
        return Err(Refusal::local("currency-mismatch", "Sonatel moves XOF only"));
    }
    if amount.amount < least || amount.bounded().is_err() {
        return Err(Refusal::local("amount", "is less than Sonatel moves, or more than anybody"));
    }
    Ok(())
}

fn bad_id<T>() -> Outcome<T> {
    Refusal::local("provider-id", "not an identifier of Sonatel's")
}

fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn sendable(text: &str) -> Result<HeaderValue, ConfigError> {
    let mut value = HeaderValue::try_from(text).map_err(|_| ConfigError::UnsendableKey)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
