//! The outside of a process, as its configuration says: rails, SMS, mail, and how webhooks are believed.

use std::sync::Arc;

use adapters::call::Timeouts;
use adapters::email;
use adapters::secret::Secret;
use adapters::sms;
use eventstore::Store;
use workers::{Guarded, PayUrl, Providers};

use super::ServeError;
use crate::config::{Config, ConfigError, Security};

pub(super) fn secret(setting: &'static str, text: &str) -> Result<Secret, ConfigError> {
    Secret::new(text).map_err(|error| ConfigError::Invalid { setting, why: error.to_string() })
}

/// What the workers call.
pub(super) fn providers(config: &Config) -> Result<Providers, ServeError> {
    let wrong =
        |setting| move |why: adapters::call::ConfigError| ServeError::Provider { setting, why: why.to_string() };
    let gateway = sms::Config {
        base_url: config.sms.base_url.clone(),
        username: config.sms.username.clone(),
        api_key: secret("sms.api_key", &config.sms.api_key)?,
        sender: config.sms.sender.clone(),
        timeouts: Timeouts::default(),
    };
    let gateway = sms::AfricasTalking::new(&gateway).map_err(wrong("sms.base_url"))?;
    Ok(Providers {
        rails: super::rails::rails(config)?,
        accounts: super::rails::accounts(config)?,
        sms: Some(Guarded::from(sms::Gateway::AfricasTalking(gateway))),
        email: relay(config)?.map(Guarded::from),
    })
}

fn relay(config: &Config) -> Result<Option<email::Relay>, ServeError> {
    let Some(wanted) = &config.email else { return Ok(None) };
    let password = wanted.password.as_deref().map(|text| secret("email.password", text)).transpose()?;
    let relay = email::Config {
        host: wanted.host.clone(),
        port: wanted.port,
        security: match wanted.security {
            Security::Tls => email::Security::Tls,
            Security::Starttls => email::Security::Starttls,
            Security::Plain => email::Security::Plain,
        },
        username: wanted.username.clone(),
        password,
        from: wanted.from.clone(),
        timeout_ms: 15_000,
    };
    let relay = email::Relay::new(&relay);
    relay.map(Some).map_err(|error| ServeError::Provider { setting: "email", why: error.to_string() })
}

/// The workers' settings.
pub(super) fn settings(config: &Config, instance: &str) -> workers::Config {
    let mut settings = workers::Config::new(instance);
    settings.public_url = super::public_url(config);
    settings.swap = config.projections.swap;
    settings.lease = std::time::Duration::from_millis(config.workers.lease_ms);
    settings.nightly = config.workers.nightly_statements;
    settings.terms = config.fees.terms();
    if let Some(email) = &config.email {
        settings.finance_email.clone_from(&email.finance);
        if let Some((_, domain)) = email.from.trim_end_matches('>').rsplit_once('@') {
            settings.mail_domain = domain.to_owned();
        }
    }
    settings
}

/// Our own page for a payment: stable and signed.
pub(super) fn pay_url(config: &Config, store: &Store) -> PayUrl {
    let (keyring, public_url) = (store.keyring().clone(), super::public_url(config));
    Arc::new(move |payment| eventstore::link::pay_url(&keyring, &public_url, payment))
}
