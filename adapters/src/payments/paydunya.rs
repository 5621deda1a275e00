//! PayDunya, an aggregator: invoices paid on its page, money out by its disbursement API (providers.md §3.2). Francs only.
//!
//! What it does not have shapes everything here. Nothing is found by our reference, no invoice can be closed or given back,
//! and a refusal usually comes inside HTTP 200. Its callbacks are signed with a constant, so that only asking counts.

mod disburse;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub mod webhook;
mod wire;

use domain::{
    money::{Currency, Money},
    payment::{ProviderId, Reference},
};
use reqwest::{
    Client,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use url::Url;

use super::{Closed, Opened, Order, PayoutOrder, PayoutStatus, ProviderStatus};
use crate::{
    call::{self, Answer, ConfigError, Outcome, Refusal, Timeouts, Unknown},
    secret::Secret,
};

/// What PayDunya is called in paths and on messages.
pub const NAME: &str = "paydunya";

/// How to reach PayDunya, and for which means of payment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `https://app.paydunya.com`, or a fake on loopback.
    pub base_url: String,
    /// Play money: `/sandbox-api/v1` with keys `test_…`. There is no sandbox for payouts, so none are made then.
    pub sandbox: bool,
    /// `PAYDUNYA-MASTER-KEY`; callbacks carry its hash ([`webhook::verify`]).
    pub master_key: Secret,
    /// `PAYDUNYA-PRIVATE-KEY`
    pub private_key: Secret,
    /// `PAYDUNYA-TOKEN`
    pub token: Secret,
    /// Shown on the payment page.
    pub store_name: String,
    /// Where callbacks about invoices and payouts go. PayDunya has been seen to probe it with an empty POST before it
    /// takes a payout, and to refuse (4002) unless that was answered with a 2xx.
    #[serde(deserialize_with = "address")]
    pub callback_url: Url,
    pub channel: Channel,
    #[serde(default)]
    pub timeouts: Timeouts,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    Url::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// The one means of payment that an invoice offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Mixx by Yas, which PayDunya still knows as Free Money.
    Yas,
    Card,
    Wave,
    OrangeMoney,
}

impl Channel {
    /// As `invoice.channels` has it.
    const fn name(self) -> &'static str {
        match self {
            Self::Yas => "free-money-senegal",
            Self::Card => "card",
            Self::Wave => "wave-senegal",
            Self::OrangeMoney => "orange-money-senegal",
        }
    }

    /// As `withdraw_mode` has it; money cannot be sent to a card.
    const fn withdraw_mode(self) -> Option<&'static str> {
        match self {
            Self::Card => None,
            Self::Yas | Self::Wave | Self::OrangeMoney => Some(self.name()),
        }
    }
}

/// A PayDunya application with one means of payment.
#[derive(Clone, Debug)]
pub struct PayDunya {
    client: Client,
    base: Url,
    sandbox: bool,
    store_name: String,
    callback_url: Url,
    channel: Channel,
}

impl PayDunya {
    /// # Errors
    /// [`ConfigError`] when the address or a key cannot be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let base = call::base_url(&config.base_url)?;
        let mut headers = HeaderMap::new();
        let keys = [
            ("paydunya-master-key", &config.master_key),
            ("paydunya-private-key", &config.private_key),
            ("paydunya-token", &config.token),
        ];
        for (name, key) in keys {
            let mut key = HeaderValue::try_from(key.expose()).map_err(|_| ConfigError::UnsendableKey)?;
            key.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), key);
        }
        Ok(Self {
            client: call::client(&base, config.timeouts, headers)?,
            base,
            sandbox: config.sandbox,
            store_name: config.store_name.clone(),
            callback_url: config.callback_url.clone(),
            channel: config.channel,
        })
    }

    /// See [`super::Rail::open`].
    pub async fn open(&self, order: &Order) -> Outcome<Opened> {
        let amount = match francs(order.amount) {
            Ok(amount) => amount,
            Err(refused) => return refused,
        };
        if order.payer.is_some() {
            return Refusal::local("not-offered", "PayDunya lets anybody pay");
        }
        // No `customer`: PayDunya would write to them, and then somebody has the link of an invoice that we lost.
        let body = json!({
            "invoice": {
                "total_amount": amount,
                "description": "Réservation",
                "channels": [self.channel.name()],
            },
            "store": { "name": self.store_name },
            "custom_data": { "reference": order.reference.as_str() },
            "actions": {
                "cancel_url": order.error_url.as_str(),
                "return_url": order.success_url.as_str(),
                "callback_url": self.callback_url.as_str(),
            },
        });
        let request = self.client.post(self.invoices(&["create"])).json(&body);
        sorted(call::send(request).await)
            .then(|reply| reply.opened().map_or_else(|| Unknown::unreadable("no token or address"), Outcome::Done))
    }

    /// See [`super::Rail::status`]. An invoice that is pending is `Unpaid`: the answer has neither its address nor its
    /// end, and we have the address from opening it.
    pub async fn status(&self, id: &ProviderId) -> Outcome<ProviderStatus> {
        if !is_plain(id.as_str()) {
            return bad_id();
        }
        let request = self.client.get(self.invoices(&["confirm", id.as_str()]));
        sorted(call::send(request).await).then(|reply| reply.status(id, mode(self.sandbox)))
    }

    /// See [`super::Rail::search`]. PayDunya finds nothing by our reference, and `NotFound` is safe all the same: asked
    /// without a token, we never had the answer to the creation, which was the only way to the page of the invoice. It
    /// was shown to nobody and sent to nobody ([`PayDunya::open`] names no customer), so nobody can pay in it, and
    /// another one may be made.
    pub async fn search(&self, _: &Reference) -> Outcome<ProviderStatus> {
        Outcome::Done(ProviderStatus::NotFound)
    }

    /// See [`super::Rail::expire`]. PayDunya closes nothing and says of no invoice when it ends.
    pub async fn expire(&self, id: &ProviderId) -> Outcome<Closed> {
        self.status(id).await.map(|status| match status {
            ProviderStatus::Succeeded(_) | ProviderStatus::Failed { .. } | ProviderStatus::Expired { .. } => {
                Closed::Already
            }
            _ => Closed::ByItself,
        })
    }

    /// See [`super::Rail::refund_full`]: no such call is known. Money goes back by [`PayDunya::payout`].
    pub async fn refund_full(&self, _: &ProviderId) -> Outcome<()> {
        Refusal::local("not-offered", "PayDunya gives no invoice back")
    }

    fn invoices(&self, path: &[&str]) -> Url {
        let api = if self.sandbox { "sandbox-api" } else { "api" };
        self.at(&[&[api, "v1", "checkout-invoice"], path].concat())
    }

    fn at(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // `base_url` lets only addresses pass that have segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

/// What `mode` says in answers and callbacks.
const fn mode(sandbox: bool) -> &'static str {
    if sandbox { "test" } else { "live" }
}

/// Sorts an answer by its status and then by its `response_code`, for most refusals come inside a 200. `Done` is `00`.
fn sorted(sent: Result<Answer, Unknown>) -> Outcome<wire::Reply> {
    let answer = match sent {
        Ok(answer) => answer,
        Err(unknown) => return Outcome::Unknown(unknown),
    };
    let (status, reply) = (answer.status.as_u16(), wire::Reply::read(&answer.body));
    match (status, reply) {
        (429, _) => Outcome::RetryAfter(answer.retry_after),
        (200..=299, Some(reply)) if reply.is_success() => Outcome::Done(reply),
        (200..=299, None) => Unknown::unreadable("without a code of PayDunya's"),
        // A 4xx that claims success contradicts itself.
        (400..=407 | 409..=499, Some(reply)) if reply.is_success() => Outcome::Unknown(Unknown::Status(status)),
        (200..=299 | 400..=407 | 409..=499, Some(reply)) => Outcome::Refused(reply.refusal(status)),
        (400..=407 | 409..=499, None) => {
            let (code, message) = (format!("http-{status}"), "no reason given".to_owned());
            Outcome::Refused(Refusal { http: Some(status), code, message, retryable: false })
        }
        (status, _) => Outcome::Unknown(Unknown::Status(status)),
    }
}

/// A token that cannot change a path.
fn is_plain(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The amount as PayDunya is given it: whole francs, more than nothing.
fn francs<T>(amount: Money) -> Result<i64, Outcome<T>> {
    if amount.currency != Currency::Xof {
        return Err(Refusal::local("currency-mismatch", "PayDunya moves XOF only"));
    }
    if !amount.is_positive() || amount.bounded().is_err() {
        return Err(Refusal::local("amount", "must be more than nothing"));
    }
    Ok(amount.amount)
}

fn bad_id<T>() -> Outcome<T> {
    Refusal::local("provider-id", "not a token of PayDunya's")
}

#[cfg(test)]
mod tests;
