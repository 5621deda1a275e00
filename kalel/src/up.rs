//! `kalel up`: everything on one machine. Finds or installs the servers, starts private ones as its own children,
//! migrates, imports the sites, starts the roles and the provider fakes, and says where they are.

pub mod account;
pub mod announce;
pub mod children;
pub mod fakes;
pub mod find;
pub mod folder;
pub mod install;
pub mod keeper;
pub mod nats;
pub mod ports;
pub mod postgres;
pub mod progress;
pub mod redis;
pub mod run;
pub(crate) mod settings;
pub mod stack;

use std::path::{Path, PathBuf};

/// Why `up` (or the tests' stack) cannot start. The texts are for a person at a terminal and say the way out.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("not installed: {missing}\nInstall with:\n\n    {command}\n\nand run `kalel up` again.")]
    NotInstalled { missing: String, command: String },
    #[error("installing failed:\n{0}")]
    Install(String),
    #[error(
        "the data folder was made by Postgres {made_by}, and here is Postgres {installed} (or {made_by} lacks PostGIS). {why}\n\
         Either install Postgres {made_by} with PostGIS, or take another folder with --data, or start anew with --fresh \
         (which deletes the data)."
    )]
    OtherMajor { made_by: u32, installed: String, why: String },
    #[error("{path} belongs to the user {user}: run as {user}, or choose another folder with --data", path = path.display())]
    OtherUser { path: PathBuf, user: String },
    #[error(
        "this data folder is in use by the running process {by}; stop it (Ctrl-C there), or choose another folder with --data"
    )]
    InUse { by: i32 },
    #[error("{path}: {why}. Put it back, or start anew with --fresh (which deletes the data).", path = path.display())]
    Damaged { path: PathBuf, why: String },
    #[error(
        "Postgres does not run as root, and there is no user `postgres` to run it as; reinstall the package postgresql-common"
    )]
    NoPostgresUser,
    #[error("no free port on 127.0.0.1")]
    Ports,
    #[error("port {0} is taken on 127.0.0.1; choose another with --port, or leave it out")]
    PortTaken(u16),
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    #[error("the keeper of the servers: {0}")]
    Keeper(String),
    #[error("initdb: {0}")]
    Postgres(String),
    #[error("{name} {what}; its log is {log}:\n{tail}", log = log.display())]
    Server { name: String, what: String, log: PathBuf, tail: String },
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    #[error(
        "this data folder was to become a copy of the past and never did; delete it, and make the copy anew with `kalel fork`"
    )]
    HalfFork,
    #[error("the copy of the past: {0}")]
    Fork(String),
    #[error("the demo data: {0}")]
    Seed(String),
    #[error("migrating: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

impl Problem {
    fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}
