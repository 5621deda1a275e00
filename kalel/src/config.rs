//! The configuration file of `kalel serve`. Addresses of the servers come from the environment (`DATABASE_URL`,
//! `NATS_URL`, `REDIS_URL`); everything else is here, the secrets too. An unknown key stops the start.
//!
//! `docs/configuration.md` is the same list for operators.

mod accounts;
mod fees;
mod limits;
mod processes;
mod rails;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::payment::Method;
use domain::text::Slug;
use eventstore::Keyring;
use eventstore::note::Signer;
use eventstore::seal::Pace;
use serde::{Deserialize, Serialize};
use url::Url;
use workers::sealer::Sealing;
use zeroize::Zeroizing;

pub use fees::Fees;
pub use limits::Limits;
pub use processes::{Projections, Seal, Shutdown, Workers};
pub use rails::{Aggregator, CashIn, PayDunya, PayTech, PayTechEnv, Sonatel, Through, WebPay};

/// Why the configuration cannot be used. One line each, naming the setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {why}", path = path.display())]
    Parse { path: PathBuf, why: String },
    #[error("{setting} is missing: {hint}")]
    Missing { setting: &'static str, hint: &'static str },
    #[error("{setting}: {why}")]
    Invalid { setting: &'static str, why: String },
}

/// Test or live money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Keys are `kk_test_…`, the clock can be set, providers may be fakes on loopback.
    Test,
    /// Keys are `kk_live_…`, every address outside is https.
    Live,
}

impl From<Mode> for eventstore::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Test => Self::Test,
            Mode::Live => Self::Live,
        }
    }
}

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub mode: Mode,
    /// Where the API listens. Default `127.0.0.1:8080`.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// How clients reach the API: in links, tickets, pay links and providers' return addresses. https in live mode.
    pub public_url: String,
    /// The order in which methods are offered where a site lists none; those that are left out follow.
    #[serde(default)]
    pub payment_methods: Vec<Method>,
    #[serde(default)]
    pub secrets: Secrets,
    #[serde(default)]
    pub wave: Wave,
    /// Without it Orange Money is not offered.
    pub sonatel: Option<Sonatel>,
    /// Orange Money by the group's page, instead of by Sonatel.
    pub webpay: Option<WebPay>,
    pub paytech: Option<PayTech>,
    pub paydunya: Option<PayDunya>,
    /// Without it Yas is not offered.
    pub yas: Option<Through>,
    /// Without it cards are not taken.
    pub card: Option<Through>,
    #[serde(default)]
    pub fees: Fees,
    #[serde(default)]
    pub sms: Sms,
    /// Without it no mail is sent.
    pub email: Option<Email>,
    #[serde(default)]
    pub cors: Cors,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub sign_in: api::challenge::Settings,
    #[serde(default)]
    pub database: Database,
    #[serde(default)]
    pub seal: Seal,
    #[serde(default)]
    pub shutdown: Shutdown,
    #[serde(default)]
    pub projections: Projections,
    #[serde(default)]
    pub workers: Workers,
}

/// 32 random bytes each, base64url without padding: `head -c 32 /dev/urandom | basenc --base64url | tr -d =`.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// Wraps the key of every person's sealed data. Lost = every name and phone number is lost.
    pub master_key: String,
    /// Former master keys: what they wrapped can still be opened.
    pub older_master_keys: Vec<String>,
    /// Keys the hashes by which people, API keys and idempotency keys are found; ticket, quote and link signatures are
    /// derived from it. Cannot be changed later.
    pub lookup_key: String,
}

/// Wave Business (docs.wave.com/business).
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wave {
    /// Default `https://api.wave.com`.
    pub base_url: String,
    /// `wave_sn_prod_…`, with the checkout, payout and balance APIs.
    pub api_key: String,
    /// What webhooks are proven with: the signing secret or the shared secret, `wave_sn_WHS_…`.
    pub webhook_secret: String,
    /// The former secret while it is being changed.
    pub older_webhook_secret: Option<String>,
    /// How webhooks are proven: `signing` (default) or `shared`.
    pub webhook_strategy: WebhookStrategy,
    /// Wallets of managers, by the names that contracts know them by.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<Slug, Self>,
}

/// How Wave proves a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookStrategy {
    /// `Wave-Signature: t=…,v1=…`.
    #[default]
    Signing,
    /// `Authorization: Bearer <secret>`.
    Shared,
}

/// Africa's Talking.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sms {
    /// Default `https://api.africastalking.com`.
    pub base_url: String,
    pub username: String,
    pub api_key: String,
    /// The registered sender id; none = the provider's shared one.
    pub sender: Option<String>,
}

/// An SMTP relay.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    pub host: String,
    /// Default 465 for `tls`, 587 for `starttls`, 25 for `plain`.
    pub port: Option<u16>,
    /// `tls`, `starttls` (default), or `plain` to this machine only.
    #[serde(default)]
    pub security: Security,
    pub username: Option<String>,
    pub password: Option<String>,
    /// `Kalel <ne-pas-repondre@example.sn>`.
    pub from: String,
    /// Who is told when money needs a person.
    pub finance: Option<String>,
}

/// How the SMTP relay is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    Tls,
    #[default]
    Starttls,
    Plain,
}

/// Which web pages may call the API from a browser.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// Origins such as `https://app.example.sn`. Default none.
    pub origins: Vec<String>,
}

/// The connections of one process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// In the pool, the append lane's own not counted. Default 24.
    pub connections: u32,
    /// How many of them an API keeps for webhooks, payments and the gate. Default 4, never more than half.
    pub kept: u32,
}

impl Default for Wave {
    fn default() -> Self {
        Self {
            base_url: "https://api.wave.com".into(),
            api_key: String::new(),
            webhook_secret: String::new(),
            older_webhook_secret: None,
            webhook_strategy: WebhookStrategy::default(),
            accounts: BTreeMap::new(),
        }
    }
}

impl Default for Sms {
    fn default() -> Self {
        Self {
            base_url: "https://api.africastalking.com".into(),
            username: String::new(),
            api_key: String::new(),
            sender: None,
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self { connections: 24, kept: crate::serve::POOL.1 }
    }
}

// Never printed: what is inside stays inside.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl std::fmt::Debug for Wave {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wave").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Sms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sms").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email").field("host", &self.host).finish_non_exhaustive()
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

/// 32 bytes from their base64url form.
///
/// # Errors
/// [`ConfigError::Missing`] when empty, [`ConfigError::Invalid`] when it is not 32 bytes.
pub fn key(setting: &'static str, text: &str) -> Result<[u8; 32], ConfigError> {
    if text.is_empty() {
        return Err(ConfigError::Missing { setting, hint: "32 random bytes, base64url without padding" });
    }
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    key.ok_or_else(|| ConfigError::Invalid { setting, why: "not 32 bytes in base64url".into() })
}

fn present(setting: &'static str, value: &str, hint: &'static str) -> Result<(), ConfigError> {
    if value.trim().is_empty() { Err(ConfigError::Missing { setting, hint }) } else { Ok(()) }
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`ConfigError`], one line that names the setting.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
        let config: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().lines().count().max(1));
            let at = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            // Not the library's picture of the line: it may be a secret.
            let why = format!("{at}{}", error.message().lines().collect::<Vec<_>>().join(" "));
            ConfigError::Parse { path: path.into(), why }
        })?;
        config.check()?;
        Ok(config)
    }

    /// Says the first thing that is missing or wrong. Everything is compulsory in both modes: nothing is accepted
    /// unproven because a secret was forgotten.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        self.keyring()?;
        self.check_wave(&self.wave)?;
        present("sms.username", &self.sms.username, "the Africa's Talking application")?;
        present("sms.api_key", &self.sms.api_key, "the Africa's Talking API key")?;
        let shortest = if self.mode == Mode::Live { 20_000 } else { 1_000 };
        if !(shortest..=600_000).contains(&self.workers.lease_ms) {
            let why = format!("{} is not from {shortest} to 600000", self.workers.lease_ms);
            return Err(ConfigError::Invalid { setting: "workers.lease_ms", why });
        }
        for (setting, url) in [("public_url", &self.public_url), ("sms.base_url", &self.sms.base_url)] {
            self.check_url(setting, url)?;
        }
        self.fees.check()?;
        self.limits.check()?;
        self.check_rails()?;
        self.check_accounts()
    }

    /// The secrets outside the database.
    ///
    /// # Errors
    /// [`ConfigError`] when one is missing or malformed.
    pub fn keyring(&self) -> Result<Keyring, ConfigError> {
        let master = key("secrets.master_key", &self.secrets.master_key)?;
        let mut keyring = Keyring::new(master, key("secrets.lookup_key", &self.secrets.lookup_key)?);
        for older in &self.secrets.older_master_keys {
            keyring = keyring.with_older_master(key("secrets.older_master_keys", older)?);
        }
        Ok(keyring)
    }

    /// What the sealer signs with; `None` when nothing is set.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be read, is no key, or is readable by others.
    pub fn sealing(&self) -> Result<Option<Sealing>, ConfigError> {
        let Some(path) = &self.seal.key_file else { return Ok(None) };
        let unread = |source| ConfigError::Read { path: path.clone(), source };
        let invalid = |why: &str| ConfigError::Invalid { setting: "seal.key_file", why: why.into() };
        let mode = std::fs::metadata(path).map_err(unread)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(invalid("the file is readable by others: chmod 600"));
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(unread)?);
        let signer = Signer::parse(&text).map_err(|_| invalid("not a key as `kalel audit key` writes it"))?;
        let origin = self.seal.origin.clone().unwrap_or_else(|| signer.name().to_owned());
        if origin.is_empty() || origin.chars().any(char::is_control) {
            return Err(ConfigError::Invalid { setting: "seal.origin", why: "must be one line of text".into() });
        }
        Ok(Some(Sealing { signer, origin, pace: Pace::default() }))
    }

    /// https everywhere; in test mode also http to this machine itself, where the fakes are.
    fn check_url(&self, setting: &'static str, text: &str) -> Result<(), ConfigError> {
        let url = Url::parse(text).map_err(|error| ConfigError::Invalid { setting, why: error.to_string() })?;
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let why = match (url.scheme(), self.mode) {
            ("https", _) if url.host_str().is_some() => return Ok(()),
            ("http", Mode::Test) if loopback => return Ok(()),
            (_, Mode::Live) => "must be https",
            (_, Mode::Test) => "must be https, or http to this machine",
        };
        Err(ConfigError::Invalid { setting, why: why.into() })
    }
}

#[cfg(test)]
mod tests;
