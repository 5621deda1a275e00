//! The rails beside Wave. Each is there when its table is in the file; a method without a rail is not offered.

use std::collections::BTreeMap;

use domain::payment::Method;
use domain::text::Slug;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, Mode, Wave, present};

/// Orange Money, by Sonatel's eWallet API (developer.orange-sonatel.com).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sonatel {
    #[serde(default = "sonatel")]
    pub base_url: String,
    pub client_id: String,
    pub client_secret: String,
    /// Six digits.
    pub merchant_code: String,
    /// Shown to the payer.
    pub merchant_name: String,
    /// What we registered with our callback; every webhook carries it.
    pub callback_key: String,
    /// What Sonatel signs webhooks with, when it has issued a secret: then a signature is compulsory.
    pub signing_secret: Option<String>,
    /// `X-Api-Key`, when the contract gives one.
    pub api_key: Option<String>,
    /// Without it nothing can be sent to a number, and a refund goes another way.
    pub cash_in: Option<CashIn>,
    /// Merchants of managers, by the names that contracts know them by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<Slug, Self>,
}

/// Sonatel's distributor subscription.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashIn {
    /// Nine digits.
    pub msisdn: String,
    pub pin: String,
}

/// Orange Money by the group's web payment (developer.orange.com): only where Orange has given it; not beside Sonatel.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebPay {
    #[serde(default = "webpay")]
    pub base_url: String,
    /// Two letters of a country with our franc, or `dev`: play money, in test mode only.
    pub country: String,
    pub client_id: String,
    pub client_secret: String,
    pub merchant_key: String,
}

/// `PayTech` (doc.paytech.sn).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayTech {
    #[serde(default = "paytech")]
    pub base_url: String,
    pub api_key: String,
    pub api_secret: String,
    /// `prod` (default), or `test`, which debits 100 to 150 francs whatever the price.
    #[serde(default)]
    pub env: PayTechEnv,
}

/// Which of its two modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayTechEnv {
    #[default]
    Prod,
    Test,
}

/// `PayDunya` (paydunya.com/developers).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayDunya {
    #[serde(default = "paydunya")]
    pub base_url: String,
    /// Play money; there are no payouts then.
    #[serde(default)]
    pub sandbox: bool,
    pub master_key: String,
    pub private_key: String,
    pub token: String,
    /// Shown to the payer.
    pub store_name: String,
}

/// By whom a method without a rail of its own is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Through {
    pub through: Aggregator,
}

/// Whoever gathers several means of payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregator {
    PayTech,
    PayDunya,
}

fn sonatel() -> String {
    "https://api.orange-sonatel.com".into()
}

fn webpay() -> String {
    "https://api.orange.com".into()
}

fn paytech() -> String {
    "https://paytech.sn/api".into()
}

fn paydunya() -> String {
    "https://app.paydunya.com".into()
}

// Never printed: what is inside stays inside.
macro_rules! closed {
    ($($name:ident),*) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        })*
    };
}
closed!(Sonatel, CashIn, WebPay, PayTech, PayDunya);

impl Config {
    /// The methods that can be asked for at a provider, in the order in which they are offered.
    pub fn methods(&self) -> Vec<Method> {
        let there = [
            (Method::Wave, true),
            (Method::OrangeMoney, self.sonatel.is_some() || self.webpay.is_some()),
            (Method::Yas, self.yas.is_some()),
            (Method::Card, self.card.is_some()),
        ];
        let mut methods: Vec<Method> =
            there.into_iter().filter_map(|(method, there)| there.then_some(method)).collect();
        let place = |method: &Method| self.payment_methods.iter().position(|wished| wished == method);
        methods.sort_by_key(|method| place(method).unwrap_or(usize::MAX));
        methods
    }

    /// Wave, of the platform or of a manager.
    pub(super) fn check_wave(&self, wave: &Wave) -> Result<(), ConfigError> {
        present("wave.api_key", &wave.api_key, "the API key of the Wave business wallet")?;
        present("wave.webhook_secret", &wave.webhook_secret, "without it no webhook can be believed")?;
        self.check_url("wave.base_url", &wave.base_url)
    }

    /// Sonatel, of the platform or of a manager.
    pub(super) fn check_sonatel(&self, sonatel: &Sonatel) -> Result<(), ConfigError> {
        let mut texts = vec![
            ("sonatel.client_id", sonatel.client_id.as_str()),
            ("sonatel.client_secret", &sonatel.client_secret),
            ("sonatel.callback_key", &sonatel.callback_key),
            ("sonatel.merchant_name", &sonatel.merchant_name),
        ];
        digits("sonatel.merchant_code", &sonatel.merchant_code, 6)?;
        if let Some(cash_in) = &sonatel.cash_in {
            digits("sonatel.cash_in.msisdn", &cash_in.msisdn, 9)?;
            texts.push(("sonatel.cash_in.pin", &cash_in.pin));
        }
        self.check_url("sonatel.base_url", &sonatel.base_url)?;
        whole(&texts)
    }

    /// Says the first thing that is missing or wrong about them.
    pub(super) fn check_rails(&self) -> Result<(), ConfigError> {
        let methods = self.methods();
        if let Some(missing) = self.payment_methods.iter().find(|method| !methods.contains(method)) {
            let why = format!("no provider is configured for {}", missing.as_str());
            return Err(ConfigError::Invalid { setting: "payment_methods", why });
        }
        let mut texts: Vec<(&'static str, &str)> = Vec::new();
        if let Some(sonatel) = &self.sonatel {
            self.check_sonatel(sonatel)?;
        }
        if let Some(webpay) = &self.webpay {
            if self.sonatel.is_some() {
                let why = "Orange Money is moved by [sonatel]; it is one of them or the other".into();
                return Err(ConfigError::Invalid { setting: "webpay", why });
            }
            if webpay.country == "dev" && self.mode == Mode::Live {
                let why = "dev is play money".into();
                return Err(ConfigError::Invalid { setting: "webpay.country", why });
            }
            texts.extend([
                ("webpay.country", webpay.country.as_str()),
                ("webpay.client_id", &webpay.client_id),
                ("webpay.client_secret", &webpay.client_secret),
                ("webpay.merchant_key", &webpay.merchant_key),
            ]);
            self.check_url("webpay.base_url", &webpay.base_url)?;
        }
        if let Some(paytech) = &self.paytech {
            texts.extend([("paytech.api_key", paytech.api_key.as_str()), ("paytech.api_secret", &paytech.api_secret)]);
            self.check_url("paytech.base_url", &paytech.base_url)?;
        }
        if let Some(paydunya) = &self.paydunya {
            texts.extend([
                ("paydunya.master_key", paydunya.master_key.as_str()),
                ("paydunya.private_key", &paydunya.private_key),
                ("paydunya.token", &paydunya.token),
                ("paydunya.store_name", &paydunya.store_name),
            ]);
            self.check_url("paydunya.base_url", &paydunya.base_url)?;
        }
        whole(&texts)?;
        for (setting, method) in [("yas.through", self.yas), ("card.through", self.card)] {
            let hint = match method.map(|method| method.through) {
                Some(Aggregator::PayTech) if self.paytech.is_none() => "there is no table [paytech]",
                Some(Aggregator::PayDunya) if self.paydunya.is_none() => "there is no table [paydunya]",
                _ => continue,
            };
            return Err(ConfigError::Invalid { setting, why: hint.into() });
        }
        Ok(())
    }
}

/// A table that is there is wanted, so all of it must be.
fn whole(texts: &[(&'static str, &str)]) -> Result<(), ConfigError> {
    match texts.iter().find(|(_, text)| text.trim().is_empty()) {
        Some((setting, _)) => Err(ConfigError::Missing { setting, hint: "its table is there, so it is wanted" }),
        None => Ok(()),
    }
}

fn digits(setting: &'static str, text: &str, count: usize) -> Result<(), ConfigError> {
    if text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(ConfigError::Invalid { setting, why: format!("must have {count} digits") })
}
