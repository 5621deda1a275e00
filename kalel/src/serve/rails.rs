//! The rails as the configuration says, and how their webhooks are believed.

use std::collections::HashMap;

use adapters::call::Timeouts;
use adapters::payments::origin::Origin;
use adapters::payments::wave::webhook::WebhookSecret;
use adapters::payments::{Rail, paydunya, paytech, sonatel, wave, webpay};
use api::payment::{Verifier, Verifiers};
use domain::payment::Method;
use domain::text::Slug;
use workers::Guarded;

use super::ServeError;
use super::providers::secret;
use crate::config::{self, Aggregator, Config, PayTechEnv, WebhookStrategy};

/// What the workers call.
pub(super) fn rails(config: &Config) -> Result<HashMap<Method, Guarded<Rail>>, ServeError> {
    let wrong =
        |setting| move |why: adapters::call::ConfigError| ServeError::Provider { setting, why: why.to_string() };
    let mut rails = HashMap::from([(Method::Wave, wave(&config.wave)?.into())]);
    if let Some(wanted) = &config.sonatel {
        rails.insert(Method::OrangeMoney, sonatel(wanted)?.into());
    }
    if let Some(wanted) = &config.webpay {
        let settings = webpay::Config {
            base_url: wanted.base_url.clone(),
            country: wanted.country.clone(),
            client_id: wanted.client_id.clone(),
            client_secret: secret("webpay.client_secret", &wanted.client_secret)?,
            merchant_key: secret("webpay.merchant_key", &wanted.merchant_key)?,
            notif_url: hook(config, webpay::NAME),
            timeouts: Timeouts::default(),
        };
        let webpay = webpay::WebPay::new(&settings).map_err(wrong("webpay"))?;
        rails.insert(Method::OrangeMoney, Rail::WebPay(webpay).into());
    }
    for (method, through) in [(Method::Yas, config.yas), (Method::Card, config.card)] {
        let Some(through) = through else { continue };
        let rail = match through.through {
            Aggregator::PayTech => paytech(config, method)?
                .map(|settings| paytech::PayTech::new(&settings).map(Rail::PayTech).map_err(wrong("paytech"))),
            Aggregator::PayDunya => paydunya(config, method)?
                .map(|settings| paydunya::PayDunya::new(&settings).map(Rail::PayDunya).map_err(wrong("paydunya"))),
        };
        if let Some(rail) = rail {
            rails.insert(method, rail?.into());
        }
    }
    Ok(rails)
}

/// Managers' accounts, by the names that contracts know them by.
pub(super) fn accounts(config: &Config) -> Result<HashMap<(Method, Slug), Guarded<Rail>>, ServeError> {
    let mut rails = HashMap::new();
    for (name, wanted) in &config.wave.accounts {
        rails.insert((Method::Wave, name.clone()), wave(wanted)?.into());
    }
    for (name, wanted) in config.sonatel.iter().flat_map(|sonatel| &sonatel.accounts) {
        rails.insert((Method::OrangeMoney, name.clone()), sonatel(wanted)?.into());
    }
    Ok(rails)
}

fn wave(wanted: &config::Wave) -> Result<Rail, ServeError> {
    let settings = wave::Config {
        base_url: wanted.base_url.clone(),
        api_key: secret("wave.api_key", &wanted.api_key)?,
        timeouts: Timeouts::default(),
    };
    let wrong = |why: adapters::call::ConfigError| ServeError::Provider { setting: "wave", why: why.to_string() };
    wave::Wave::new(&settings).map(Rail::Wave).map_err(wrong)
}

/// Where a provider tells us something.
fn hook(config: &Config, provider: &str) -> String {
    format!("{}/v1/provider-webhooks/{provider}", super::public_url(config))
}

fn sonatel(wanted: &config::Sonatel) -> Result<Rail, ServeError> {
    let api_key = wanted.api_key.as_deref().map(|key| secret("sonatel.api_key", key)).transpose()?;
    let cash_in = match &wanted.cash_in {
        Some(cash_in) => {
            Some(sonatel::CashIn { msisdn: cash_in.msisdn.clone(), pin: secret("sonatel.cash_in.pin", &cash_in.pin)? })
        }
        None => None,
    };
    let settings = sonatel::Config {
        base_url: wanted.base_url.clone(),
        client_id: wanted.client_id.clone(),
        client_secret: secret("sonatel.client_secret", &wanted.client_secret)?,
        merchant_code: wanted.merchant_code.clone(),
        merchant_name: wanted.merchant_name.clone(),
        // The one that was registered, whose key we know.
        callback_url: None,
        api_key,
        cash_in,
        timeouts: Timeouts::default(),
    };
    let wrong = |why: adapters::call::ConfigError| ServeError::Provider { setting: "sonatel", why: why.to_string() };
    sonatel::Sonatel::new(&settings).map(Rail::Sonatel).map_err(wrong)
}

fn paytech(config: &Config, method: Method) -> Result<Option<paytech::Config>, ServeError> {
    let Some(wanted) = &config.paytech else { return Ok(None) };
    let channel = if method == Method::Card { paytech::Channel::Card } else { paytech::Channel::Yas };
    Ok(Some(paytech::Config {
        base_url: wanted.base_url.clone(),
        api_key: secret("paytech.api_key", &wanted.api_key)?,
        api_secret: secret("paytech.api_secret", &wanted.api_secret)?,
        env: env(wanted.env),
        ipn_url: hook(config, paytech::NAME),
        channel,
        timeouts: Timeouts::default(),
    }))
}

const fn env(env: PayTechEnv) -> paytech::Env {
    match env {
        PayTechEnv::Prod => paytech::Env::Prod,
        PayTechEnv::Test => paytech::Env::Test,
    }
}

fn paydunya(config: &Config, method: Method) -> Result<Option<paydunya::Config>, ServeError> {
    let Some(wanted) = &config.paydunya else { return Ok(None) };
    let channel = if method == Method::Card { paydunya::Channel::Card } else { paydunya::Channel::Yas };
    let callback_url = hook(config, paydunya::NAME);
    let callback_url = callback_url.parse().map_err(|_| ServeError::Provider {
        setting: "public_url",
        why: format!("{callback_url} is not an address"),
    })?;
    Ok(Some(paydunya::Config {
        base_url: wanted.base_url.clone(),
        sandbox: wanted.sandbox,
        master_key: secret("paydunya.master_key", &wanted.master_key)?,
        private_key: secret("paydunya.private_key", &wanted.private_key)?,
        token: secret("paydunya.token", &wanted.token)?,
        store_name: wanted.store_name.clone(),
        callback_url,
        channel,
        timeouts: Timeouts::default(),
    }))
}

/// Who may send webhooks: by provider and account.
pub(super) fn verifiers(config: &Config) -> Result<Verifiers, ServeError> {
    let mut verifiers = vec![Verifier::from(by_wave(&config.wave)?)];
    for (name, wave) in &config.wave.accounts {
        verifiers.push(Verifier { account: name.to_string(), origin: by_wave(wave)? });
    }
    if let Some(sonatel) = &config.sonatel {
        verifiers.push(by_sonatel(sonatel)?.into());
        for (name, sonatel) in &sonatel.accounts {
            verifiers.push(Verifier { account: name.to_string(), origin: by_sonatel(sonatel)? });
        }
    }
    if config.webpay.is_some() {
        verifiers.push(Origin::WebPay.into());
    }
    if let Some(paytech) = &config.paytech {
        let secrets = paytech::webhook::Secrets {
            api_key: secret("paytech.api_key", &paytech.api_key)?,
            api_secret: secret("paytech.api_secret", &paytech.api_secret)?,
            env: env(paytech.env),
        };
        verifiers.push(Origin::PayTech(vec![secrets]).into());
    }
    if let Some(paydunya) = &config.paydunya {
        let master_keys = vec![secret("paydunya.master_key", &paydunya.master_key)?];
        verifiers.push(Origin::PayDunya { master_keys, sandbox: paydunya.sandbox }.into());
    }
    Ok(Verifiers(verifiers))
}

/// During a rotation of Wave's two secrets are live.
fn by_wave(wave: &config::Wave) -> Result<Origin, ServeError> {
    let mut secrets = vec![secret("wave.webhook_secret", &wave.webhook_secret)?];
    if let Some(older) = &wave.older_webhook_secret {
        secrets.push(secret("wave.older_webhook_secret", older)?);
    }
    let strategy = match wave.webhook_strategy {
        WebhookStrategy::Signing => WebhookSecret::Signing,
        WebhookStrategy::Shared => WebhookSecret::Shared,
    };
    Ok(Origin::Wave(secrets.into_iter().map(strategy).collect()))
}

fn by_sonatel(sonatel: &config::Sonatel) -> Result<Origin, ServeError> {
    let signing = sonatel.signing_secret.as_deref();
    Ok(Origin::Sonatel(vec![sonatel::webhook::Secrets {
        api_key: secret("sonatel.callback_key", &sonatel.callback_key)?,
        signing: signing.map(|signing| secret("sonatel.signing_secret", signing)).transpose()?,
    }]))
}
