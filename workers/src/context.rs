//! What every worker has: the store, the bells, the providers, the settings.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
    time::Duration,
};

use adapters::{email, payments::Rail, sms::Gateway};
use domain::{
    ids::PaymentId,
    payment::Method,
    reconciliation::{Provider, Terms},
    text::Slug,
};
use eventstore::Store;

use crate::{bell::Bells, breaker::Breaker, random::Random, sealer::Sealing};

/// Settings of the workers. The defaults are the ones to run with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of this process among the processes of the log: letters, digits, `-` and `_`. Two that run at the same time
    /// must differ; the same name after a restart takes its leases back at once.
    pub instance: String,
    /// How long a worker may hang before its work is given to another (reliability.md F37: ≤ 60 s). Longer than a call
    /// to a provider may take.
    pub lease: Duration,
    /// Effects carried out at the same time by this process.
    pub effects_at_once: usize,
    /// Webhooks dealt with at the same time by this process.
    pub webhooks_at_once: usize,
    /// Endpoints that this process sends to at the same time. One that hangs takes one of them for 15 s, and then rests.
    pub deliveries_at_once: usize,
    /// How large the stream on the bus may become; the oldest events are dropped there first. They stay in the log.
    pub stream_bytes: i64,
    /// Who is told when money needs a person; nobody when `None` (it is logged and counted in any case).
    pub finance_email: Option<String>,
    /// Where clients reach the API, without a slash at the end: published events say there where their schemas are.
    pub public_url: String,
    /// Domain of the `Message-ID` of mails.
    pub mail_domain: String,
    /// What the sealer signs with; needed by that role only.
    pub sealing: Option<Sealing>,
    /// Whether statements are asked for each night.
    pub nightly: bool,
    /// What was agreed with each provider.
    pub terms: BTreeMap<Provider, Terms>,
    /// Whether rows of a newer projector version are put in the place of the older ones as soon as they are built.
    pub swap: bool,
}

impl Config {
    /// The defaults, for one process of this name.
    pub fn new(instance: impl Into<String>) -> Self {
        Self {
            instance: instance.into(),
            lease: Duration::from_secs(45),
            effects_at_once: 8,
            webhooks_at_once: 4,
            deliveries_at_once: 16,
            stream_bytes: 1 << 30,
            finance_email: None,
            public_url: "https://kalel.invalid".into(),
            mail_domain: "kalel.invalid".into(),
            sealing: None,
            nightly: false,
            terms: BTreeMap::new(),
            swap: false,
        }
    }
}

/// Makes the signed, stable link at which a payment is paid (decisions.md: `pay_url`).
pub type PayUrl = Arc<dyn Fn(PaymentId) -> String + Send + Sync>;

/// Providers as the workers call them. What is missing is not called, and what needs it waits.
#[derive(Clone, Default)]
pub struct Providers {
    /// The platform's own accounts.
    pub rails: HashMap<Method, Guarded<Rail>>,
    /// Managers' accounts, by the names that contracts know them by.
    pub accounts: HashMap<(Method, Slug), Guarded<Rail>>,
    pub sms: Option<Guarded<Gateway>>,
    pub email: Option<Guarded<email::Relay>>,
}

impl Providers {
    /// By whom money of this method is moved, at a merchant account (`None`: the platform's). Never by another account: what
    /// was agreed when a reservation was placed says where its money is.
    pub fn rail(&self, method: Method, account: Option<&Slug>) -> Option<&Guarded<Rail>> {
        match account {
            None => self.rails.get(&method),
            Some(account) => self.accounts.get(&(method, account.clone())),
        }
    }
}

/// A provider behind its breaker and bulkhead.
#[derive(Clone, Debug)]
pub struct Guarded<T> {
    pub provider: T,
    pub breaker: Breaker,
}

impl<T> From<T> for Guarded<T> {
    fn from(provider: T) -> Self {
        Self { provider, breaker: Breaker::default() }
    }
}

/// What every worker has. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub store: Store,
    pub config: Arc<Config>,
    pub providers: Providers,
    pub bells: Bells,
    pub random: Random,
    pub pay_url: PayUrl,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("instance", &self.config.instance).finish_non_exhaustive()
    }
}

impl Context {
    pub fn new(store: Store, config: Config, providers: Providers, pay_url: PayUrl) -> Self {
        Self { store, config: Arc::new(config), providers, bells: Bells::default(), random: Random::system(), pay_url }
    }
}
