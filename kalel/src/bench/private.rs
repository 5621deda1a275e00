//! A Postgres and a NATS for one measurement: durable like in production, gone afterwards.

use std::{path::PathBuf, time::Duration};

use sqlx::AssertSqlSafe;

use crate::up::{
    children::Keeper,
    folder::{self, Private, secret},
    keeper::Stop,
    nats::Nats,
    postgres::{DATABASE, Postgres, connect, programs},
};

/// A running server with a migrated database; it ends with this value.
pub(super) struct Server {
    pub(super) owner_url: String,
    pub(super) nats_url: String,
    postgres: Postgres,
    _keeper: Keeper,
}

impl Server {
    /// Another migrated, empty database of the same server, as its owner.
    pub(super) async fn another(&self, name: &str) -> Result<String, super::append::Problem> {
        let mut admin = connect(&self.postgres.superuser_url("postgres")).await?;
        let make = format!("CREATE DATABASE {name} TEMPLATE {DATABASE} OWNER kalel_owner");
        for attempt in 0.. {
            match sqlx::raw_sql(AssertSqlSafe(make.as_str())).execute(&mut admin).await {
                Ok(_) => break,
                // Whoever migrated the template may still be leaving.
                Err(problem) if attempt > 100 => return Err(problem.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        Ok(self.postgres.owner_url(name))
    }
}

/// Starts one, with room for so many connections.
pub(super) async fn start(connections: u32) -> Result<Server, super::append::Problem> {
    let parent = if nix::unistd::geteuid().is_root() { PathBuf::from("/var/lib/kalel") } else { std::env::temp_dir() };
    folder::make(&parent, 0o755)?;
    let name = secret()?;
    let path = parent.join(format!("bench-{}-{}", std::process::id(), name.get(..6).unwrap_or_default()));
    folder::make(&path, 0o711)?;
    let keeper = Keeper::start(&std::env::current_exe()?, &path.join("lock"), Some(&path))?;
    let mut private = Private::new()?;
    private.choose_ports()?;
    let programs = programs(None, &mut |doing| eprintln!("bench: {doing}"))?;
    let nats = Nats {
        program: programs.nats,
        folder: path.join("nats"),
        port: private.ports.nats,
        password: private.nats_password.clone(),
        consumer_password: private.nats_consumer_password.clone(),
    };
    keeper.run(nats.prepare(path.join("nats.log"))?)?;
    let postgres = Postgres { installed: programs.postgres, folder: path.join("postgres"), private, throw_away: false };
    let mut run = postgres.prepare(path.join("postgres.log"), Stop::AtOnce)?;
    for setting in [format!("max_connections={connections}"), "max_wal_size=4GB".into()] {
        run.args.extend(["-c".into(), setting]);
    }
    keeper.run(run)?;
    let superuser = postgres.superuser_url("postgres");
    for attempt in 0.. {
        match connect(&superuser).await {
            Ok(_) => break,
            Err(problem) if attempt > 600 => return Err(problem.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    postgres.set_up().await?;
    let owner_url = postgres.owner_url("kalel");
    crate::migrate::migrate(&mut connect(&owner_url).await?).await?;
    Ok(Server { owner_url, nats_url: nats.url(), postgres, _keeper: keeper })
}
