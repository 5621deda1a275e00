//! `kalel serve`: the roles of one process, put together from configuration and environment.
//!
//! Provider fakes never run here: `up` starts them as servers of their own, and a live log accepts https only.

pub mod listen;
mod providers;
mod rails;

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use eventstore::Store;
use projections::Watch;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use workers::{Bus, Context};

use crate::config::{Config, ConfigError};

/// How long requests in hand may take once no more are taken: as long as any request may take.
const GRACE: Duration = Duration::from_secs(10);

/// How long an API waits for a connection to Postgres (reliability.md §5.3), and how many it keeps for what must not wait.
pub const POOL: (Duration, u32) = (Duration::from_millis(250), 4);

/// What this process does.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Any of api, projector, worker, relay, sealer; each may run in any number of processes.
    #[arg(long, value_delimiter = ',', default_value = "api,projector,worker,relay,sealer")]
    pub roles: Vec<Role>,
    /// The configuration file; docs/configuration.md.
    #[arg(long)]
    pub config: PathBuf,
    /// The name of this process among those of the log: letters, digits, `-`, `_`. Default: the host's name and the
    /// process id. A name that stays the same takes its work back at once after a restart.
    #[arg(long)]
    pub instance: Option<String>,
    /// Put views of a newer version in the place of the older ones as soon as they are built, without
    /// `kalel rebuild NAME --swap`: when no program of the older version runs any more.
    #[arg(long)]
    pub swap: bool,
}

/// A part of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// HTTP.
    Api,
    /// Fills the read models.
    Projector,
    /// Payments, refunds, messages, timers.
    Worker,
    /// Publishes events to NATS.
    Relay,
    /// Seals the log: Merkle tree and signed checkpoints.
    Sealer,
}

impl Role {
    fn behind(self) -> Option<workers::Role> {
        match self {
            Self::Api => None,
            Self::Projector => Some(workers::Role::Projector),
            Self::Worker => Some(workers::Role::Worker),
            Self::Relay => Some(workers::Role::Relay),
            Self::Sealer => Some(workers::Role::Sealer),
        }
    }
}

/// Where the servers are.
#[derive(Clone)]
pub struct Servers {
    pub database: String,
    /// Without it everything works by polling, and nothing is published.
    pub nats: Option<String>,
    /// Without it every answer is computed.
    pub redis: Option<String>,
}

impl Servers {
    /// From `DATABASE_URL`, `NATS_URL` and `REDIS_URL`.
    ///
    /// # Errors
    /// [`ConfigError::Missing`]: the database is always needed, NATS for every role but the API and the sealer.
    pub fn from_environment(roles: &[Role]) -> Result<Self, ConfigError> {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let missing = |setting, hint| ConfigError::Missing { setting, hint };
        let database =
            read("DATABASE_URL").ok_or(missing("DATABASE_URL", "postgres://kalel:…@host/kalel in the environment"))?;
        let nats = read("NATS_URL");
        if nats.is_none() && roles.iter().any(|role| !matches!(role, Role::Api | Role::Sealer)) {
            return Err(missing("NATS_URL", "nats://user:…@host:4222 in the environment"));
        }
        Ok(Self { database, nats, redis: read("REDIS_URL") })
    }
}

/// Why a process cannot start, or why it ended. One line.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{setting}: {why}")]
    Provider { setting: &'static str, why: String },
    #[error("the log cannot be opened: {}", with_causes(.0))]
    Open(#[from] eventstore::OpenError),
    #[error("listening on {address}: {source}")]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
    #[error("NATS_URL: {0}")]
    Bus(#[from] workers::BusError),
    #[error(
        "the database holds a copy of the past, up to position {until}: it can be read and nothing else, with \
         --roles api,projector"
    )]
    Fork { until: eventstore::Position },
    #[error("{0}")]
    Ended(String),
}

/// Runs the roles until SIGTERM or Ctrl-C.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(options: &Options) -> Result<(), ServeError> {
    let mut config = Config::read(&options.config)?;
    config.projections.swap |= options.swap;
    let servers = Servers::from_environment(&options.roles)?;
    let instance = options.instance.clone().unwrap_or_else(default_instance);
    let shutdown = CancellationToken::new();
    let (asked, ending) = (crate::stop::asked(), shutdown.clone());
    tokio::spawn(async move {
        asked.await;
        ending.cancel();
    });
    run(&config, &servers, &options.roles, &instance, shutdown).await
}

/// Runs the roles until `shutdown`: the body of [`serve`], for whoever has the parts already.
///
/// # Errors
/// [`ServeError`].
pub async fn run(
    config: &Config,
    servers: &Servers,
    roles: &[Role],
    instance: &str,
    shutdown: CancellationToken,
) -> Result<(), ServeError> {
    // Before the first figure is counted.
    let _ = api::http::health::recorder();
    let providers = providers::providers(config)?;
    let verifiers = rails::verifiers(config)?;
    let sealing = config.sealing()?;
    let mut store = eventstore::Options::new(&servers.database, config.keyring()?, config.mode.into());
    store.connections = config.database.connections;
    store.keep_connections = roles.contains(&Role::Api);
    if roles.contains(&Role::Api) {
        // Whoever asks is told soon that there is none, and what must not wait has some of its own.
        (store.acquire_timeout, _) = POOL;
        store.kept_for_urgent = config.database.kept;
    }
    let store = Store::open(store).await?;
    let fork = store.log().fork;
    if let Some(until) = fork
        && roles.iter().any(|role| !matches!(role, Role::Api | Role::Projector))
    {
        store.close().await;
        return Err(ServeError::Fork { until });
    }
    if roles.contains(&Role::Sealer) && sealing.is_none() {
        store.close().await;
        let hint = "the role sealer signs with it; `kalel audit key` makes one";
        return Err(ConfigError::Missing { setting: "seal.key_file", hint }.into());
    }
    // A copy has the id of the log it was made of: on a Redis or NATS of both they would take each other for themselves.
    let servers = if fork.is_some() { &Servers { nats: None, redis: None, ..servers.clone() } } else { servers };
    let watch = Watch::new(store.clone());
    let mut running: JoinSet<Result<(), ServeError>> = JoinSet::new();
    if roles.contains(&Role::Api) {
        let app = api::App::new(api::Options {
            store: store.clone(),
            watch: watch.clone(),
            settings: api::Settings {
                public_url: public_url(config),
                allowed_origins: config.cors.origins.clone(),
                methods: config.methods(),
                accounts: config.accounts(),
                redis_url: servers.redis.clone(),
                bus: servers.nats.as_deref().and_then(authority),
                terms: config.fees.terms(),
                streams: api::event::Limits::default(),
                limits: config.limits.settings(),
                sign_in: config.sign_in,
                most_at_once: config.limits.enabled.then_some(config.limits.most_at_once),
            },
            webhooks: verifiers,
        });
        let address = config.listen;
        let listener = TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
        let notice = Duration::from_millis(config.shutdown.notice_ms);
        let connections = listen::room_for(config.limits.connections);
        let bounds = listen::Bounds {
            connections,
            per_address: config.limits.connections_per_address,
            proxies: config.limits.trusted_proxies.clone().into(),
            ..Default::default()
        };
        running.spawn(http(listener, bounds, app, shutdown.clone(), notice));
    }
    let behind: Vec<workers::Role> = roles.iter().filter_map(|role| role.behind()).collect();
    if !behind.is_empty() {
        let mut settings = providers::settings(config, instance);
        settings.sealing = sealing;
        let bus = match &servers.nats {
            Some(url) => Some(Bus::connect(url, store.log().id, settings.stream_bytes).await?),
            None => None,
        };
        let context = Context::new(store.clone(), settings, providers, providers::pay_url(config, &store));
        let ending = shutdown.clone();
        running.spawn(async move {
            let outcome = workers::run(context, &behind, bus, Some(watch), ending).await;
            outcome.map_err(|error| ServeError::Ended(with_causes(&error)))
        });
    }
    tracing::info!(log = %store.log().id, mode = %store.log().mode, roles = ?roles, instance, "running");
    // The first to end takes the others with it: a process that does half its work looks healthy and is not.
    let mut outcome = Ok(());
    while let Some(ended) = running.join_next().await {
        let ended = ended.unwrap_or_else(|panic| Err(ServeError::Ended(panic.to_string())));
        if outcome.is_ok() {
            outcome = ended;
        }
        shutdown.cancel();
    }
    store.close().await;
    outcome
}

/// Serves HTTP/1.1 and h2c. When asked to end it says that it is not ready, takes what still comes for `notice`, so that
/// whoever spreads the load can look away, then takes no more and lets what is in hand finish for [`GRACE`].
async fn http(
    listener: TcpListener,
    bounds: listen::Bounds,
    app: api::App,
    shutdown: CancellationToken,
    notice: Duration,
) -> Result<(), ServeError> {
    let closed = CancellationToken::new();
    let serving = listen::serve(listener, api::door(app.clone()), bounds, closed.clone());
    tokio::select! {
        () = serving => Ok(()),
        () = async {
            shutdown.cancelled().await;
            app.end();
            tokio::time::sleep(notice).await;
            closed.cancel();
            tokio::time::sleep(GRACE).await;
        } => Ok(()),
    }
}

/// What went wrong and why, in one line: the process ends with it and nobody else says more.
fn with_causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source()).fold(error.to_string(), |said, cause| {
        let cause = cause.to_string();
        if said.contains(&cause) { said } else { format!("{said}: {cause}") }
    })
}

fn public_url(config: &Config) -> String {
    config.public_url.trim_end_matches('/').to_owned()
}

/// `host:port` of a server's address, without its login.
fn authority(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    Some(format!("{}:{}", url.host_str()?, url.port().unwrap_or(4222)))
}

fn default_instance() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.trim().chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' }).collect();
    format!("{host}-{}", std::process::id())
}
