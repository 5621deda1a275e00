//! `kalel serve --roles api` as a process of its own, on a world of its own. Its keeper ends it however the test ends.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kalel::up::{
    children::Keeper,
    keeper::{Run, Stop},
};

use crate::world::{KALEL, World, gone, wait_until};

pub struct Served {
    pub world: World,
    pub base: String,
    pub http: reqwest::Client,
    keeper: Keeper,
    folder: tempfile::TempDir,
}

/// The smallest file that `kalel serve` accepts, without limits; the providers are nobody's.
pub fn config(port: u16) -> String {
    let key = |byte: u8| URL_SAFE_NO_PAD.encode([byte; 32]);
    format!(
        "mode = \"test\"\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n\
         [database]\nconnections = 8\n[secrets]\nmaster_key = \"{}\"\nlookup_key = \"{}\"\n\
         [wave]\nbase_url = \"http://127.0.0.1:9\"\napi_key = \"wave_sn_prod_x\"\nwebhook_secret = \"wave_sn_WHS_x\"\n\
         [sms]\nbase_url = \"http://127.0.0.1:9\"\nusername = \"kalel\"\napi_key = \"atsk_x\"\n\
         [limits]\nenabled = false\n",
        key(1),
        key(2)
    )
}

impl Served {
    pub async fn new() -> Self {
        kalel::tls::install();
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let port = kalel::up::ports::free(None, &[]).unwrap();
        std::fs::write(folder.path().join("kalel.toml"), config(port)).unwrap();
        let keeper = Keeper::start(Path::new(KALEL), &folder.path().join("lock"), None).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { world, base: format!("http://127.0.0.1:{port}"), http, keeper, folder }
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("kalel.toml")
    }

    /// What the process wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Starts the API alone and waits until it answers; its process id.
    pub async fn start(&self) -> i32 {
        self.start_as("api").await
    }

    /// The same with these roles.
    pub async fn start_as(&self, roles: &str) -> i32 {
        let args = ["serve", "--roles", roles, "--instance", "served", "--config"].map(str::to_owned);
        let run = Run {
            name: "kalel".into(),
            program: KALEL.into(),
            args: args.into_iter().chain([self.config().display().to_string()]).collect(),
            env: vec![("DATABASE_URL".into(), self.world.database_url.clone())],
            user: None,
            log: self.folder.path().join("log"),
            stop: Stop::Gently,
        };
        let pid = self.keeper.run(run).unwrap();
        let url = format!("{}/readyz", self.base);
        while !self.http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(self.keeper.exit_of("kalel").is_none(), "it ended:\n{}", self.log());
            tokio::task::yield_now().await;
        }
        pid
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&self, pid: i32) {
        use nix::{
            sys::signal::{Signal, kill},
            unistd::Pid,
        };
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        wait_until("it is gone", || gone(pid));
        wait_until("its end is heard of", || self.keeper.exit_of("kalel").is_some());
    }

    /// Asks it to end, as an operator does, and waits until it has; not long.
    pub fn terminate(&self, pid: i32) {
        use nix::{
            sys::signal::{Signal, kill},
            unistd::Pid,
        };
        let began = std::time::Instant::now();
        kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
        wait_until("it has ended", || gone(pid));
        assert!(began.elapsed().as_secs() < 15, "it took {:?} to end:\n{}", began.elapsed(), self.log());
    }

    /// What `kalel key` prints for a new key of this role.
    pub fn key(&self, role: &str) -> String {
        let made = Command::new(KALEL)
            .args(["key", "--role", role, "--label", "of a test", "--config"])
            .arg(self.config())
            .env("DATABASE_URL", &self.world.database_url)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(made.status.success() && said.is_empty(), "{said}");
        String::from_utf8(made.stdout).unwrap()
    }

    /// The key itself.
    pub fn secret(&self, role: &str) -> String {
        self.key(role).lines().next().unwrap().to_owned()
    }
}
