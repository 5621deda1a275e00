//! The private Redis. It is a cache: nothing is kept on disk.

use std::path::PathBuf;

use super::account::Account;
use super::keeper::{Run, Stop};
use super::{Problem, folder};

/// How to start it and who may enter.
#[derive(Debug, Clone)]
pub struct Redis {
    pub program: PathBuf,
    pub folder: PathBuf,
    pub port: u16,
    pub password: String,
}

impl Redis {
    pub fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}/0", self.password, self.port)
    }

    /// Writes its configuration; returns how to start it.
    ///
    /// # Errors
    /// [`Problem::Io`].
    pub fn prepare(&self, log: PathBuf) -> Result<Run, Problem> {
        folder::make(&self.folder, 0o700)?;
        let config = self.folder.join("redis.conf");
        folder::write_private(&config, self.config().as_bytes())?;
        let account = Account::under_root(&["redis"]);
        if let Some(account) = &account {
            account.give(&self.folder)?;
            account.give(&config)?;
        }
        Ok(Run {
            name: "redis".into(),
            program: self.program.clone(),
            args: vec![config.display().to_string()],
            env: Vec::new(),
            user: account.map(|account| account.name),
            log,
            stop: Stop::Gently,
        })
    }

    fn config(&self) -> String {
        format!(
            "# Written by `kalel up` at every start.\n\
             bind 127.0.0.1\n\
             port {port}\n\
             requirepass {password}\n\
             dir \"{folder}\"\n\
             daemonize no\n\
             save \"\"\n\
             appendonly no\n\
             maxmemory 128mb\n\
             maxmemory-policy allkeys-lru\n",
            port = self.port,
            password = self.password,
            folder = self.folder.display(),
        )
    }
}
