//! The private NATS server, with JetStream.

use std::path::{Path, PathBuf};

use super::account::Account;
use super::keeper::{Run, Stop};
use super::{Problem, folder};

/// Where it keeps its streams, and who may enter.
#[derive(Debug, Clone)]
pub struct Nats {
    pub program: PathBuf,
    pub folder: PathBuf,
    pub port: u16,
    pub password: String,
}

impl Nats {
    pub fn url(&self) -> String {
        format!("nats://kalel:{}@127.0.0.1:{}", self.password, self.port)
    }

    /// Writes its configuration; returns how to start it.
    ///
    /// # Errors
    /// [`Problem::Io`].
    pub fn prepare(&self, log: PathBuf) -> Result<Run, Problem> {
        folder::make(&self.folder, 0o700)?;
        let store = self.folder.join("jetstream");
        folder::make(&store, 0o700)?;
        let config = self.folder.join("nats.conf");
        folder::write_private(&config, self.config(&store).as_bytes())?;
        let account = Account::under_root(&["nats"]);
        if let Some(account) = &account {
            for path in [&self.folder, &store, &config] {
                account.give(path)?;
            }
        }
        Ok(Run {
            name: "nats".into(),
            program: self.program.clone(),
            args: vec!["-c".into(), config.display().to_string()],
            env: Vec::new(),
            user: account.map(|account| account.name),
            log,
            stop: Stop::Gently,
        })
    }

    fn config(&self, store: &Path) -> String {
        format!(
            "# Written by `kalel up` at every start.\n\
             host: \"127.0.0.1\"\n\
             port: {port}\n\
             authorization {{ user: \"kalel\", password: \"{password}\" }}\n\
             jetstream {{ store_dir: \"{store}\", max_memory_store: 64MB, max_file_store: 4GB }}\n",
            port = self.port,
            password = self.password,
            store = store.display(),
        )
    }
}
