//! `kalel fork`: a private copy of the past, with servers of its own, that can be read and nothing else.
//!
//! It is `kalel up` with another beginning: instead of demo data, the database gets the log up to a moment
//! (eventstore/src/fork.rs), and of the roles only those that read are started. `kalel up` starts it again.

use std::fmt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Timestamp;
use eventstore::{AsOf, Position, Store};
use projections::PROJECTORS;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::admin::Log;
use crate::config::{self, Config, Mode};
use crate::up::folder::{self, Folder, Private};
use crate::up::progress::Progress;
use crate::up::{Problem, ports, run};

/// A name that no resolver answers (RFC 6761): a copy calls nobody.
const NOBODY: &str = "https://nobody.invalid";

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The last moment of the copy: a position, or a time as in 2026-11-23T18:00:00Z.
    #[arg(long, allow_negative_numbers = true)]
    at: String,
    /// The data folder of the copy. It must not exist yet.
    #[arg(long)]
    data: PathBuf,
    /// The port of its API on 127.0.0.1. Default: 8080, else a free one.
    #[arg(long)]
    port: Option<u16>,
    #[command(flatten)]
    log: Log,
}

/// What a folder is a copy of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Forked {
    /// The last position that is in it.
    pub position: Position,
    /// The moment that was asked for.
    pub at: Timestamp,
    pub mode: Mode,
    /// Where the clients of the log itself reach it.
    pub public_url: String,
}

impl fmt::Display for Forked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position {}, {}", self.position, self.at.to_rfc3339())
    }
}

/// The log that is copied, and up to where.
pub(crate) struct Past {
    store: Store,
    forked: Forked,
}

/// Makes the copy and serves it until Ctrl-C or SIGTERM; a copy that does not get so far leaves nothing behind.
///
/// # Errors
/// One line.
pub async fn run(options: &Options) -> Result<(), String> {
    let at: AsOf = options.at.parse().map_err(|error| format!("--at: {error}"))?;
    let taken = || format!("--data: {} is there already; a copy needs a folder of its own", options.data.display());
    if options.data.symlink_metadata().is_ok() {
        return Err(taken());
    }
    if let Some(port) = options.port.filter(|port| !ports::is_free(*port)) {
        return Err(Problem::PortTaken(port).to_string());
    }
    let config = Config::read(&options.log.config).map_err(|error| error.to_string())?;
    let store = options.log.open().await?;
    let moment = match store.moment(at).await {
        Ok(moment) => moment,
        Err(error) => {
            store.close().await;
            return Err(format!("--at: {error}"));
        }
    };
    let forked =
        Forked { position: moment.position, at: moment.at, mode: config.mode, public_url: config.public_url.clone() };
    let past = Past { store, forked };
    let outcome = match begin(&options.data) {
        Ok(true) => past.serve(&config, &options.data, options.port).await.map_err(|problem| problem.to_string()),
        Ok(false) => Err(taken()),
        Err(problem) => Err(problem.to_string()),
    };
    past.store.close().await;
    outcome
}

/// Makes the folder; `false` when somebody else just did.
fn begin(path: &Path) -> Result<bool, Problem> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder::make(parent, 0o755)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(source) => Err(Problem::Io { path: path.into(), source }),
    }
}

impl Past {
    async fn serve(&self, config: &Config, data: &Path, port: Option<u16>) -> Result<(), Problem> {
        let folder = match Folder::open(data) {
            Ok(folder) => folder,
            Err(problem) => {
                folder::remove(data)?;
                return Err(problem);
            }
        };
        let progress = Progress::new();
        progress.line(&format!(
            "{} {}",
            progress.paint("1", "kalel fork"),
            progress.paint("2", &format!("the past up to {}", self.forked))
        ));
        let outcome = match self.private(config).and_then(|private| folder.keep(&private)) {
            Ok(()) => {
                let options = run::Options { data: data.into(), port, fresh: false };
                run::walk(&options, &progress, &folder, Some(self)).await
            }
            Err(problem) => Err(problem),
        };
        if !folder.private().is_ok_and(|private| private.ready) {
            folder.delete()?;
            progress.line("  The copy was not finished; nothing of it is left.");
        }
        outcome
    }

    /// Passwords and ports of its own; the secrets of the log, without which its keys and names are unreadable. It says
    /// that it is to be a copy before there is anything in it.
    fn private(&self, config: &Config) -> Result<Private, Problem> {
        Ok(Private { secrets: config.secrets.clone(), fork: Some(self.forked.clone()), ..Private::new()? })
    }

    /// Fills a migrated database, which `owner` owns. The log is let go.
    pub(crate) async fn copy(&self, owner: &mut PgConnection, progress: &Progress) -> Result<(), Problem> {
        let step = progress.begin("the past");
        let copied = self.store.fork(self.forked.position, owner).await;
        self.store.close().await;
        copied.map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            Problem::Fork(format!("{error}{cause}"))
        })?;
        progress.done(&step, &format!("{} events", self.forked.position));
        Ok(())
    }
}

impl Forked {
    /// Its configuration: the log's mode and secrets, and providers that are nobody.
    pub(crate) fn config(&self, private: &Private, base_url: &str) -> Config {
        let providers = &private.providers;
        Config {
            mode: self.mode,
            listen: ([127, 0, 0, 1], private.ports.http).into(),
            // Live addresses are https, which this machine's own is not.
            public_url: if self.mode == Mode::Live { self.public_url.clone() } else { base_url.to_owned() },
            secrets: private.secrets.clone(),
            wave: config::Wave {
                base_url: NOBODY.into(),
                api_key: providers.wave_key.clone(),
                webhook_secret: providers.wave_webhook_secret.clone(),
                ..Default::default()
            },
            payment_methods: Vec::new(),
            sonatel: None,
            webpay: None,
            paytech: None,
            paydunya: None,
            yas: None,
            fees: config::Fees::default(),
            card: None,
            sms: config::Sms {
                base_url: NOBODY.into(),
                username: "nobody".into(),
                api_key: providers.sms_key.clone(),
                sender: None,
            },
            email: None,
            cors: config::Cors::default(),
            sign_in: Default::default(),
            limits: config::Limits::out_of_the_way(),
            database: config::Database::default(),
            shutdown: config::Shutdown { notice_ms: 0 },
            seal: config::Seal::default(),
            projections: config::Projections { swap: true },
            workers: config::Workers::default(),
        }
    }
}

/// Waits until the views of a copy show all that is in it, however long it takes.
pub(crate) async fn caught_up(config: &Config, database_url: &str) -> Result<(), Problem> {
    let wrong = |error: &dyn fmt::Display| Problem::Fork(error.to_string());
    let keyring = config.keyring().map_err(|error| wrong(&error))?;
    let mut options = eventstore::Options::new(database_url, keyring, config.mode.into());
    options.connections = 2;
    let store = Store::open(options).await.map_err(|error| wrong(&error))?;
    let outcome = loop {
        match projections::progress(&store).await {
            Err(error) => break Err(wrong(&error)),
            Ok(all) => {
                let halted = all.iter().find_map(|status| Some((&status.name, status.halted.as_ref()?)));
                if let Some((name, (position, why))) = halted {
                    break Err(wrong(&format!("{name} stopped at position {position}: {why}")));
                }
                if all.len() >= PROJECTORS.len() && all.iter().all(|status| status.lag() == 0) {
                    break Ok(());
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    store.close().await;
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_of_a_copy_is_complete_keeps_the_secrets_and_reaches_nobody() {
        for mode in [Mode::Test, Mode::Live] {
            let public_url = "https://kalel.example.sn".to_owned();
            let forked = Forked { position: 7, at: Timestamp::UNIX_EPOCH, mode, public_url };
            let private = Private { fork: Some(forked.clone()), ..Private::new().unwrap() };
            let config = forked.config(&private, "http://127.0.0.1:8080");
            let text = toml::to_string(&config).unwrap();
            let read: Config = toml::from_str(&text).unwrap();
            read.check().unwrap();
            assert_eq!((read.mode, &read.secrets.lookup_key), (mode, &private.secrets.lookup_key));
            assert!(read.email.is_none() && read.seal.key_file.is_none());
            assert_eq!((read.wave.base_url.as_str(), read.sms.base_url.as_str()), (NOBODY, NOBODY));
        }
    }
}
