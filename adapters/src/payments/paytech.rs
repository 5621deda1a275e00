//! PayTech, an aggregator: Yas, cards and other wallets behind one page (providers.md §3.1). Francs only.
//!
//! What it cannot do shapes this adapter: nothing is found by our reference, no page is closed or ends by itself, and a
//! refund is accepted now and done later. Its no comes mostly with HTTP 200.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub mod webhook;
mod wire;

use domain::{
    money::Currency,
    payment::{ProviderId, Reference},
};
use reqwest::{
    Client, RequestBuilder,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use self::wire::State;
use super::{Closed, Opened, Order, PayoutOrder, PayoutStatus, ProviderStatus};
use crate::{
    call::{self, Answer, ConfigError, Outcome, Refusal, Timeouts, Unknown},
    secret::Secret,
};

/// What the payer sees as the thing being bought. Who, where and when is nobody's business there.
const ITEM: &str = "Réservation";

/// What PayTech is called in paths and on messages.
pub const NAME: &str = "paytech";

/// How to reach PayTech.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `https://paytech.sn/api`, or a fake on loopback with `/api` behind it.
    pub base_url: String,
    pub api_key: Secret,
    pub api_secret: Secret,
    pub env: Env,
    /// Where PayTech tells what happened: https, or http on loopback. Each request carries it.
    pub ipn_url: String,
    /// How the payer pays.
    pub channel: Channel,
    #[serde(default)]
    pub timeouts: Timeouts,
}

impl Config {
    /// What proves the IPN of this merchant.
    pub fn secrets(&self) -> webhook::Secrets {
        webhook::Secrets { api_key: self.api_key.clone(), api_secret: self.api_secret.clone(), env: self.env }
    }
}

/// Which money is meant. Both have the same keys and the same address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Env {
    /// Really debits 100 to 150 francs, whatever the price.
    Test,
    Prod,
}

impl Env {
    /// The value of the field `env`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Prod => "prod",
        }
    }
}

/// The one way to pay that the page offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Mixx by Yas, which PayTech still knows by its older name.
    Yas,
    Card,
    Wave,
    OrangeMoney,
}

impl Channel {
    /// The value of the field `target_payment`.
    pub const fn target_payment(self) -> &'static str {
        match self {
            Self::Yas => "Free Money",
            Self::Card => "Carte Bancaire",
            Self::Wave => "Wave",
            Self::OrangeMoney => "Orange Money",
        }
    }
}

/// A merchant's account at PayTech, for one way to pay.
#[derive(Clone, Debug)]
pub struct PayTech {
    client: Client,
    base: Url,
    env: Env,
    ipn_url: Url,
    channel: Channel,
}

impl PayTech {
    /// # Errors
    /// [`ConfigError`] when an address or a key cannot be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let base = call::base_url(&config.base_url)?;
        let key = |name, secret: &Secret| {
            let mut value = HeaderValue::try_from(secret.expose()).map_err(|_| ConfigError::UnsendableKey)?;
            value.set_sensitive(true);
            Ok((HeaderName::from_static(name), value))
        };
        let headers = [key("api_key", &config.api_key)?, key("api_secret", &config.api_secret)?];
        Ok(Self {
            client: call::client(&base, config.timeouts, HeaderMap::from_iter(headers))?,
            base,
            env: config.env,
            ipn_url: call::base_url(&config.ipn_url)?,
            channel: config.channel,
        })
    }

    /// See [`super::Rail::open`].
    ///
    /// `ref_command` is unique at PayTech: what an earlier try got through is refused when it is tried again, as
    /// `reference-used`. That is a refusal and not an unknown outcome: the address of the page behind it went down
    /// with the lost answer. Nobody has it, PayTech gives it out only once, so that page will never be paid, and to go on
    /// asking would hold a client up who can have a new payment at once. Were it paid all the same, its IPN finds the
    /// payment by the reference and the money is late money like any other.
    pub async fn open(&self, order: &Order) -> Outcome<Opened> {
        if order.amount.currency != Currency::Xof {
            return Refusal::local("currency-mismatch", "PayTech is asked for XOF only");
        }
        if !order.amount.is_positive() || order.amount.bounded().is_err() {
            return Refusal::local("amount", "must be more than nothing");
        }
        if order.payer.is_some() {
            return Refusal::local("not-offered", "PayTech lets anybody pay");
        }
        let reference = order.reference.as_str();
        let body = json!({
            "item_name": ITEM,
            "command_name": ITEM,
            "item_price": order.amount.amount,
            "currency": "XOF",
            "ref_command": reference,
            "env": self.env.as_str(),
            "target_payment": self.channel.target_payment(),
            "ipn_url": self.ipn_url.as_str(),
            "success_url": order.success_url.as_str(),
            "cancel_url": order.error_url.as_str(),
            // A text of JSON, as everybody sends it.
            "custom_field": json!({ "reference": reference }).to_string(),
        });
        let request = self.client.post(self.at("request-payment")).json(&body);
        self.call(request)
            .await
            .then(|body| wire::opened(&body).map_or_else(|| Unknown::unreadable("no token or address"), Outcome::Done))
    }

    /// See [`super::Rail::status`]. One that is undecided may be open or not: PayTech tells no end.
    pub async fn status(&self, id: &ProviderId) -> Outcome<ProviderStatus> {
        self.payment(id).await.then(|payment| payment.status(id))
    }

    /// See [`super::Rail::search`]. There is no such call.
    ///
    /// Not found is the safe answer: it is asked only while no page of ours is known, and a page whose answer was lost has
    /// an address that nobody knows, so nobody can pay in it. Opening again cannot charge twice: at worst the reference is
    /// used ([`PayTech::open`]).
    pub async fn search(&self, _reference: &Reference) -> Outcome<ProviderStatus> {
        Outcome::Done(ProviderStatus::NotFound)
    }

    /// See [`super::Rail::expire`]. There is no such call either: whether it is over already is asked.
    pub async fn expire(&self, id: &ProviderId) -> Outcome<Closed> {
        self.status(id).await.map(|status| match status {
            ProviderStatus::Succeeded(_) | ProviderStatus::Failed { .. } | ProviderStatus::Expired { .. } => {
                Closed::Already
            }
            ProviderStatus::NotFound => Closed::NotFound,
            ProviderStatus::Unpaid
            | ProviderStatus::UnderWay
            | ProviderStatus::Pending { .. }
            | ProviderStatus::Several(_) => Closed::ByItself,
        })
    }

    /// See [`super::Rail::refund_full`]. Accepted is not done: until the payment is given back this is unknown, and asking
    /// again is calling again.
    ///
    /// It refuses only what PayTech, asked for the refund itself, refuses in words that leave nothing open: a refund that
    /// is called failed is paid another way, and an earlier call may have been accepted.
    pub async fn refund_full(&self, id: &ProviderId) -> Outcome<()> {
        let payment = match self.payment(id).await {
            Outcome::Done(payment) => payment,
            // A question that is refused says nothing about the refund.
            Outcome::Refused(refusal) if !refusal.is_about_our_account() => {
                return Unknown::unreadable(format!("the payment cannot be looked up: {refusal}"));
            }
            other => return other.map(drop),
        };
        match payment.state {
            State::GivenBack => return Outcome::Done(()),
            State::GivingBack => return not_yet(),
            State::Open | State::Paid | State::Failed | State::Expired => {}
        }
        let Some(reference) = payment.reference else { return Unknown::unreadable("a payment without reference") };
        let request = self.client.post(self.at("refund-payment")).form(&[("ref_command", reference)]);
        match self.call(request).await {
            Outcome::Done(_) => {}
            Outcome::Refused(refusal) if wire::is_given_back(&refusal.message) => return Outcome::Done(()),
            Outcome::Refused(refusal) if wire::is_under_way(&refusal.message) => return not_yet(),
            other => return other.map(drop),
        }
        // From here on it has been accepted: nothing may call it refused or not begun.
        match self.payment(id).await {
            Outcome::Done(payment) if payment.state == State::GivenBack => Outcome::Done(()),
            _ => not_yet(),
        }
    }

    /// See [`super::Rail::is_given_back`].
    pub async fn is_given_back(&self, id: &ProviderId) -> Outcome<bool> {
        self.payment(id).await.map(|payment| payment.state == State::GivenBack)
    }

    /// See [`super::Rail::payout`]. PayTech sends money too, by calls that are not documented well enough to use.
    pub async fn payout(&self, _order: &PayoutOrder) -> Outcome<PayoutStatus> {
        no_payouts()
    }

    /// See [`super::Rail::payout_status`].
    pub async fn payout_status(&self, _id: &ProviderId) -> Outcome<PayoutStatus> {
        no_payouts()
    }

    /// See [`super::Rail::payout_search`].
    pub async fn payout_search(&self, _reference: &Reference) -> Outcome<PayoutStatus> {
        no_payouts()
    }

    /// What PayTech says of a page, which must be about that page and about our kind of money.
    async fn payment(&self, id: &ProviderId) -> Outcome<wire::Payment> {
        let request = self.client.get(self.at("get-status")).query(&[("token_payment", id.as_str())]);
        self.call(request).await.then(|body| match wire::Payment::read(&body) {
            Ok(payment) if payment.token.as_deref().is_some_and(|token| token != id.as_str()) => {
                Unknown::unreadable("another token")
            }
            Ok(payment) if payment.env.as_deref().is_some_and(|env| env != self.env.as_str()) => {
                Unknown::unreadable("another env")
            }
            Ok(payment) => Outcome::Done(payment),
            Err(why) => Unknown::unreadable(why),
        })
    }

    /// Calls, and reads PayTech's own yes or no.
    async fn call(&self, request: RequestBuilder) -> Outcome<Value> {
        match call::call(request, refusal).await {
            // No call is known to answer so: a wrong address must not look like a refusal.
            Outcome::Refused(Refusal { http: Some(404), .. }) => Outcome::Unknown(Unknown::Status(404)),
            other => other.then(|answer| {
                let Some(body) = wire::object(&answer.body) else { return Unknown::unreadable("not a JSON object") };
                match wire::success(&body) {
                    Some(1) => Outcome::Done(body),
                    Some(no @ (0 | -1)) => Outcome::Refused(wire::refusal(no, &body)),
                    _ => Unknown::unreadable("neither a success nor a refusal"),
                }
            }),
        }
    }

    fn at(&self, call: &str) -> Url {
        let mut url = self.base.clone();
        // `base_url` lets only addresses pass that have segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["payment", call]);
        }
        url
    }
}

fn not_yet<T>() -> Outcome<T> {
    Unknown::unreadable("the refund is accepted and not yet done")
}

fn no_payouts<T>() -> Outcome<T> {
    Refusal::local("not-offered", "no payouts by PayTech")
}

/// Code and message of an answer with a 4xx.
fn refusal(answer: &Answer) -> (String, String) {
    let said = wire::object(&answer.body).map(|body| wire::message(&body));
    (format!("http-{}", answer.status.as_u16()), said.unwrap_or_else(|| "no reason given".to_owned()))
}

#[cfg(test)]
mod tests;
