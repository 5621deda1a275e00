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
    /// Of the login `consumer`, which may read and nothing else.
    pub consumer_password: String,
}

/// Its own, so that nobody hears the answers that others get.
pub const CONSUMER_INBOX: &str = "_INBOX_consumer";

/// What a reader may ask of JetStream: to look, to take from the consumer made for it, to say that it has taken. Not to
/// make a consumer: a consumer says how much is kept for it, and to which subject it is delivered.
const CONSUMER_MAY_ASK: [&str; 7] = [
    "$JS.API.INFO",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.MSG.GET.*",
    "$JS.API.CONSUMER.INFO.*.outside",
    "$JS.API.CONSUMER.MSG.NEXT.*.outside",
    "$JS.ACK.*.outside.>",
    // As servers of a later version write it, with domain and account.
    "$JS.ACK.*.*.*.outside.>",
];

impl Nats {
    pub fn url(&self) -> String {
        format!("nats://kalel:{}@127.0.0.1:{}", self.password, self.port)
    }

    /// For readers of events outside: the durable consumer `outside`, and single messages of the stream.
    pub fn consumer_url(&self) -> String {
        format!("nats://consumer:{}@127.0.0.1:{}", self.consumer_password, self.port)
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
             authorization {{ users: [\n\
             \x20 {{ user: \"kalel\", password: \"{password}\" }}\n\
             \x20 {{ user: \"consumer\", password: \"{consumer_password}\", permissions: {{\n\
             \x20   publish: {{ allow: [{publish}] }}\n\
             \x20   subscribe: {{ allow: [\"kalel.*.events.>\", \"{CONSUMER_INBOX}.>\"] }} }} }}\n\
             ] }}\n\
             jetstream {{ store_dir: \"{store}\", max_memory_store: 64MB, max_file_store: 4GB }}\n",
            port = self.port,
            password = self.password,
            consumer_password = self.consumer_password,
            publish = CONSUMER_MAY_ASK.map(|subject| format!("\"{subject}\"")).join(", "),
            store = store.display(),
        )
    }
}
