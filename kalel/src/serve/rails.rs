//! The rails as the configuration says, and how their webhooks are believed.

use std::collections::HashMap;

use adapters::call::Timeouts;
use adapters::payments::origin::Origin;
use adapters::payments::wave::webhook::WebhookSecret;
use adapters::payments::{Rail, paydunya, paytech, sonatel, wave};
use api::payment::{Verifier, Verifiers};
use domain::payment::Method;
use workers::Guarded;

use super::ServeError;
use super::providers::secret;
use crate::config::{Aggregator, Config, PayTechEnv, WebhookStrategy};

/// What the workers call.
pub(super) fn rails(config: &Config) -> Result<HashMap<Method, Guarded<Rail>>, ServeError> {
    let wrong =
        |setting| move |why: adapters::call::ConfigError| ServeError::Provider { setting, why: why.to_string() };
    let wave = wave::Config {
        base_url: config.wave.base_url.clone(),
        api_key: secret("wave.api_key", &config.wave.api_key)?,
        timeouts: Timeouts::default(),
    };
    let wave = wave::Wave::new(&wave).map_err(wrong("wave.base_url"))?;
    let mut rails = HashMap::from([(Method::Wave, Guarded::from(Rail::Wave(wave)))]);
    if let Some(sonatel) = sonatel(config)? {
        let sonatel = sonatel::Sonatel::new(&sonatel).map_err(wrong("sonatel"))?;
        rails.insert(Method::OrangeMoney, Rail::Sonatel(sonatel).into());
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

/// Where a provider tells us something.
fn hook(config: &Config, provider: &str) -> String {
    format!("{}/v1/provider-webhooks/{provider}", super::public_url(config))
}

fn sonatel(config: &Config) -> Result<Option<sonatel::Config>, ServeError> {
    let Some(wanted) = &config.sonatel else { return Ok(None) };
    let api_key = wanted.api_key.as_deref().map(|key| secret("sonatel.api_key", key)).transpose()?;
    let cash_in = match &wanted.cash_in {
        Some(cash_in) => {
            Some(sonatel::CashIn { msisdn: cash_in.msisdn.clone(), pin: secret("sonatel.cash_in.pin", &cash_in.pin)? })
        }
        None => None,
    };
    Ok(Some(sonatel::Config {
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
    }))
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

/// Who may send webhooks. During a rotation of Wave's two secrets are live.
pub(super) fn verifiers(config: &Config) -> Result<Verifiers, ServeError> {
    let wave = &config.wave;
    let mut secrets = vec![secret("wave.webhook_secret", &wave.webhook_secret)?];
    if let Some(older) = &wave.older_webhook_secret {
        secrets.push(secret("wave.older_webhook_secret", older)?);
    }
    let strategy = match wave.webhook_strategy {
        WebhookStrategy::Signing => WebhookSecret::Signing,
        WebhookStrategy::Shared => WebhookSecret::Shared,
    };
    let mut origins = vec![Origin::Wave(secrets.into_iter().map(strategy).collect())];
    if let Some(sonatel) = &config.sonatel {
        let signing = sonatel.signing_secret.as_deref();
        origins.push(Origin::Sonatel(vec![sonatel::webhook::Secrets {
            api_key: secret("sonatel.callback_key", &sonatel.callback_key)?,
            signing: signing.map(|signing| secret("sonatel.signing_secret", signing)).transpose()?,
        }]));
    }
    if let Some(paytech) = &config.paytech {
        origins.push(Origin::PayTech(vec![paytech::webhook::Secrets {
            api_key: secret("paytech.api_key", &paytech.api_key)?,
            api_secret: secret("paytech.api_secret", &paytech.api_secret)?,
            env: env(paytech.env),
        }]));
    }
    if let Some(paydunya) = &config.paydunya {
        let master_keys = vec![secret("paydunya.master_key", &paydunya.master_key)?];
        origins.push(Origin::PayDunya { master_keys, sandbox: paydunya.sandbox });
    }
    Ok(Verifiers(origins.into_iter().map(Verifier::from).collect()))
}
