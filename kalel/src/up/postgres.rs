//! The private Postgres: its data folder, its settings, its roles and its database.
//!
//! Three roles: the superuser `postgres` (only to set up), `kalel_owner` (migrates, owns everything) and `kalel` (the
//! program; a member of `kalel_app`, which may touch rows and nothing else).

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection};

use super::account::Account;
use super::find::Postgres as Installed;
use super::folder::{self, Private};
use super::keeper::{Run, Stop};
use super::{Problem, install};

/// The name of the database.
pub const DATABASE: &str = "kalel";

/// A private Postgres.
#[derive(Debug, Clone)]
pub struct Postgres {
    pub installed: Installed,
    pub folder: PathBuf,
    pub private: Private,
    /// For tests: the data is thrown away, so nothing is forced to disk.
    pub throw_away: bool,
}

impl Postgres {
    /// The URL for the program.
    pub fn app_url(&self, database: &str) -> String {
        self.url("kalel", &self.private.app_password, database)
    }

    /// The URL for migrations.
    pub fn owner_url(&self, database: &str) -> String {
        self.url("kalel_owner", &self.private.owner_password, database)
    }

    /// The URL for setting up.
    pub fn superuser_url(&self, database: &str) -> String {
        self.url("postgres", &self.private.superuser_password, database)
    }

    fn url(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.private.ports.postgres)
    }

    /// Makes the cluster when there is none; returns how to start it.
    ///
    /// # Errors
    /// [`Problem::Postgres`] with initdb's words; [`Problem::Io`].
    pub fn prepare(&self, log: PathBuf, stop: Stop) -> Result<Run, Problem> {
        let account = account()?;
        if !self.folder.join("PG_VERSION").exists() {
            self.initialise(account.as_ref())?;
        }
        let config = self.folder.join("kalel.conf");
        folder::write_private(&config, self.settings().as_bytes())?;
        if let Some(account) = &account {
            account.give(&config)?;
        }
        Ok(Run {
            name: "postgres".into(),
            program: self.installed.bin.join("postgres"),
            args: vec!["-D".into(), self.folder.display().to_string()],
            env: Vec::new(),
            user: account.map(|account| account.name),
            log,
            stop,
        })
    }

    /// Runs initdb beside the final place and renames, so that a half-made cluster is never taken for a whole one.
    fn initialise(&self, account: Option<&Account>) -> Result<(), Problem> {
        let new = self.folder.with_extension("new");
        folder::remove(&new)?;
        folder::remove(&self.folder)?;
        folder::make(&new, 0o700)?;
        let secret = self.folder.with_extension("password");
        folder::write_private(&secret, self.private.superuser_password.as_bytes())?;
        let initdb = self.installed.bin.join("initdb");
        let mut command = match account {
            Some(account) => {
                account.give(&new)?;
                account.give(&secret)?;
                let mut command = Command::new("setpriv");
                command.args(["--reuid", &account.name, "--regid", &account.name, "--init-groups", "--"]).arg(&initdb);
                command
            }
            None => Command::new(&initdb),
        };
        command.arg("-D").arg(&new).args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]);
        command.arg(format!("--pwfile={}", secret.display())).current_dir("/").stdin(Stdio::null());
        if self.throw_away {
            command.arg("--no-sync");
        }
        let output = command.output().map_err(|error| Problem::io(&initdb, error))?;
        folder::remove(&secret)?;
        if !output.status.success() {
            return Err(Problem::Postgres(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let main = new.join("postgresql.conf");
        let mut text = std::fs::read_to_string(&main).map_err(|error| Problem::io(&main, error))?;
        text.push_str("\ninclude 'kalel.conf'\n");
        std::fs::write(&main, text).map_err(|error| Problem::io(&main, error))?;
        std::fs::rename(&new, &self.folder).map_err(|error| Problem::io(&self.folder, error))
    }

    /// For a small machine that also runs the program: durable, and no memory reserved that nobody uses.
    fn settings(&self) -> String {
        let port = self.private.ports.postgres;
        let mut text = format!(
            "# Written by `kalel up` at every start.\n\
             listen_addresses = '127.0.0.1'\n\
             port = {port}\n\
             unix_socket_directories = ''\n\
             max_connections = 300\n\
             shared_buffers = 256MB\n\
             effective_cache_size = 1GB\n\
             maintenance_work_mem = 128MB\n\
             synchronous_commit = on\n\
             wal_compression = on\n\
             max_wal_size = 2GB\n\
             checkpoint_timeout = 15min\n\
             random_page_cost = 1.1\n\
             jit = off\n\
             timezone = 'UTC'\n\
             log_timezone = 'UTC'\n\
             log_line_prefix = '%m [%p] %q%u@%d '\n\
             idle_in_transaction_session_timeout = 5min\n"
        );
        let durable = if self.throw_away {
            "fsync = off\nfull_page_writes = off\nwal_level = minimal\nmax_wal_senders = 0\nautovacuum_naptime = 5min\nmax_connections = 600\n"
        } else {
            "fsync = on\n"
        };
        text.push_str(durable);
        text
    }

    /// Makes the roles and the database, as far as they are missing, and sets the passwords.
    ///
    /// # Errors
    /// [`Problem::Database`].
    pub async fn set_up(&self) -> Result<(), Problem> {
        let mut connection = connect(&self.superuser_url("postgres")).await?;
        sqlx::query("SELECT set_config('kalel.owner', $1, false), set_config('kalel.app', $2, false)")
            .bind(&self.private.owner_password)
            .bind(&self.private.app_password)
            .execute(&mut connection)
            .await?;
        sqlx::raw_sql(ROLES).execute(&mut connection).await?;
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut connection)
            .await?;
        if !exists {
            sqlx::raw_sql("CREATE DATABASE kalel OWNER kalel_owner").execute(&mut connection).await?;
        }
        connection.close().await?;
        let mut connection = connect(&self.superuser_url(DATABASE)).await?;
        sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS postgis; CREATE EXTENSION IF NOT EXISTS btree_gist")
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok(())
    }
}

const ROLES: &str = "
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kalel_owner') THEN CREATE ROLE kalel_owner LOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kalel_app') THEN CREATE ROLE kalel_app NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kalel') THEN CREATE ROLE kalel LOGIN IN ROLE kalel_app; END IF;
    EXECUTE format('ALTER ROLE kalel_owner PASSWORD %L', current_setting('kalel.owner'));
    EXECUTE format('ALTER ROLE kalel PASSWORD %L', current_setting('kalel.app'));
END
$$";

/// Connects without logging every statement.
///
/// # Errors
/// [`Problem::Database`].
pub async fn connect(url: &str) -> Result<PgConnection, Problem> {
    let options = url.parse::<sqlx::postgres::PgConnectOptions>()?.disable_statement_logging();
    match tokio::time::timeout(Duration::from_secs(5), options.connect()).await {
        Ok(connection) => Ok(connection?),
        Err(_) => Err(Problem::Database(sqlx::Error::PoolTimedOut)),
    }
}

/// As whom Postgres runs; `None` = as ourselves.
///
/// # Errors
/// [`Problem::NoPostgresUser`] under root when there is no user `postgres`.
pub fn account() -> Result<Option<Account>, Problem> {
    let account = Account::under_root(&["postgres"]);
    if account.is_none() && nix::unistd::geteuid().is_root() {
        return Err(Problem::NoPostgresUser);
    }
    Ok(account)
}

/// The major version of an existing cluster.
pub fn major_of(folder: &std::path::Path) -> Option<u32> {
    std::fs::read_to_string(folder.join("PG_VERSION")).ok()?.trim().parse().ok()
}

/// The installed programs, after installing what is missing when that is allowed.
///
/// # Errors
/// [`Problem::OtherMajor`] when an existing cluster needs a Postgres that cannot be had; those of [`install::install`].
pub fn programs(cluster: Option<u32>, say: &mut dyn FnMut(&str)) -> Result<super::find::Programs, Problem> {
    let found = super::find::find();
    if let Some(programs) = found.complete(cluster) {
        return Ok(programs);
    }
    let installed = install::install(&found, cluster, say);
    let found = super::find::find();
    match (installed, found.complete(cluster), cluster) {
        (Ok(()), Some(programs), _) => Ok(programs),
        (outcome, _, Some(made_by)) if found.complete(None).is_some() => {
            let installed = found.complete(None).map(|programs| programs.postgres.version).unwrap_or_default();
            let why = outcome.err().map(|problem| problem.to_string()).unwrap_or_default();
            Err(Problem::OtherMajor { made_by, installed, why })
        }
        (Err(problem), _, _) => Err(problem),
        (Ok(()), None, _) => Err(Problem::Install("apt succeeded, but the servers are still not found".into())),
    }
}
