//! The store: one per process, cheap to clone.

use std::{future::Future, sync::Arc, time::Duration};

use sqlx::PgPool;
use thiserror::Error;
use tokio::sync::watch;

use crate::{
    answers::Answers,
    auth::{Hasher, Hashing},
    cache::Cache,
    clock::{Clock, ClockError},
    connect,
    identity::{self, IdentityError, LogIdentity, Mode},
    keyring::Keyring,
    lane::{Lane, LaneLimits},
    pools::{self, Pools},
    subjects::Subjects,
};

/// How to open a log.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of a role that may touch rows and nothing else.
    pub database_url: String,
    /// Connections of the pool; the lane has one more of its own.
    pub connections: u32,
    /// How many of them are kept for what is done [`urgently`](Store::urgently). At least half are for everybody.
    pub kept_for_urgent: u32,
    /// Open all of them before anything else, and keep them: for whoever answers people.
    pub keep_connections: bool,
    /// How long a query may wait for a connection before it is refused.
    pub acquire_timeout: Duration,
    pub keyring: Keyring,
    pub clock: Clock,
    /// An empty log becomes one of this mode; a log of the other mode is refused.
    pub mode: Mode,
    pub lane: LaneLimits,
    /// What hashing secrets of people costs.
    pub hashing: Hashing,
}

impl Options {
    /// The usual settings: 16 connections.
    pub fn new(database_url: impl Into<String>, keyring: Keyring, mode: Mode) -> Self {
        Self {
            database_url: database_url.into(),
            connections: 16,
            kept_for_urgent: 0,
            keep_connections: false,
            acquire_timeout: Duration::from_secs(1),
            keyring,
            clock: Clock::system(),
            mode,
            lane: LaneLimits::default(),
            hashing: Hashing::default(),
        }
    }
}

/// Why a log could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error("the database cannot be reached")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Clock(#[from] ClockError),
    #[error("the append lane cannot be started")]
    Lane(#[from] std::io::Error),
}

/// The memory of Kalel: everything is written through its lane and can be read back.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pools: Pools,
    log: LogIdentity,
    clock: Clock,
    keyring: Keyring,
    subjects: Arc<Subjects>,
    answers: Answers,
    hasher: Hasher,
    cache: Cache,
    lane: Lane,
    news: watch::Sender<u64>,
}

/// The connections of a process.
async fn pools(options: &Options) -> Result<Pools, sqlx::Error> {
    let kept = options.kept_for_urgent.min(options.connections / 2);
    let (url, acquire, keep) = (&options.database_url, options.acquire_timeout, options.keep_connections);
    let everybody = connect::pool(url, options.connections - kept, acquire, keep).await?;
    let kept = if kept > 0 { Some(connect::pool(url, kept, acquire, keep).await?) } else { None };
    Ok(Pools { everybody, kept })
}

impl Store {
    /// Connects to a migrated database and starts the append lane of this process.
    ///
    /// # Errors
    /// [`OpenError`] when the database cannot be reached, holds another log, or its clock is far from ours.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let pools = pools(&options).await?;
        let pool = pools.everybody.clone();
        let log = identity::establish(&pool, options.mode, &options.keyring, &options.clock).await?;
        options.clock.bind(pool.clone(), log.mode).await?;
        let lane = Lane::start(connect::lane(&options.database_url)?, options.clock.clone(), options.lane)?;
        let subjects = Arc::new(Subjects::new(pools.clone(), options.keyring.clone()));
        let answers =
            Answers { pools: pools.clone(), keyring: options.keyring.clone(), subjects: Arc::clone(&subjects) };
        let hasher = Hasher::new(options.keyring.clone(), options.hashing);
        let (clock, keyring, cache) = (options.clock, options.keyring, Cache::default());
        let news = watch::Sender::new(0);
        let inner = Inner { pools, log, clock, keyring, subjects, answers, hasher, cache, lane, news };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The pool, for reading and for the tables of other schemas.
    pub fn pool(&self) -> &PgPool {
        self.inner.pools.mine()
    }

    /// Does something that must not wait until others are done with their connections: some are kept for it.
    pub async fn urgently<F: Future>(&self, urgent: bool, work: F) -> F::Output {
        if urgent { pools::urgently(work).await } else { work.await }
    }

    /// Which log this is.
    pub fn log(&self) -> LogIdentity {
        self.inner.log
    }

    /// The only one that says what time it is: of a test log it can be set.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The secrets outside the database; its lookup hash finds API keys.
    pub fn keyring(&self) -> &Keyring {
        &self.inner.keyring
    }

    /// Seals and opens personal fields.
    pub fn subjects(&self) -> &Subjects {
        &self.inner.subjects
    }

    /// Hashes secrets of people.
    pub(crate) fn hasher(&self) -> &Hasher {
        &self.inner.hasher
    }

    /// Idempotency records.
    pub fn answers(&self) -> &Answers {
        &self.inner.answers
    }

    /// Changes whenever this process has recorded something or taken a webhook in: a doorbell for whoever lives in the
    /// same process. What other processes do is not told here.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.inner.news.subscribe()
    }

    pub(crate) fn tell(&self) {
        self.inner.news.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.inner.cache
    }

    pub(crate) fn lane(&self) -> &Lane {
        &self.inner.lane
    }

    /// Lets queued commands finish, then closes every connection.
    pub async fn close(&self) {
        self.inner.lane.close().await;
        self.inner.pools.close().await;
    }
}
