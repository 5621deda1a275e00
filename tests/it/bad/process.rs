//! `kalel serve --roles api` on the database of a test, without limits, with every rail there is.

use std::path::Path;

use kalel::up::{
    children::Keeper,
    keeper::{Run, Stop},
};

use crate::{
    api::{FATOU, FATOU_SECRET, WAVE_SECRET},
    faults::served,
    world::{KALEL, World, gone, wait_until},
};

pub const SONATEL_KEY: &str = "kalel-callback-key";
pub const SONATEL_SIGNING: &str = "sonatel-signing-secret";
pub const PAYTECH_KEY: &str = "paytech-key";
pub const PAYTECH_SECRET: &str = "paytech-secret";
pub const PAYDUNYA_MASTER: &str = "paydunya-master";

/// A process of the API. Its keeper ends it however the test ends.
pub struct Process {
    pub base: String,
    pub pid: i32,
    keeper: Keeper,
    folder: tempfile::TempDir,
    database_url: String,
    redis_url: String,
}

impl Process {
    /// Started, and answering.
    pub async fn new(world: &World) -> Self {
        kalel::tls::install();
        let folder = tempfile::tempdir().unwrap();
        let port = kalel::up::ports::free(None, &[]).unwrap();
        let rails = format!(
            "[wave.accounts.{FATOU}]\napi_key = \"wave_sn_prod_f\"\nwebhook_secret = \"{FATOU_SECRET}\"\n\
             [sonatel]\nbase_url = \"http://127.0.0.1:9\"\nclient_id = \"k\"\nclient_secret = \"k\"\n\
             merchant_code = \"123456\"\nmerchant_name = \"Kalel\"\ncallback_key = \"{SONATEL_KEY}\"\n\
             signing_secret = \"{SONATEL_SIGNING}\"\n\
             [paytech]\nbase_url = \"http://127.0.0.1:9\"\napi_key = \"{PAYTECH_KEY}\"\napi_secret = \"{PAYTECH_SECRET}\"\n\
             [paydunya]\nbase_url = \"http://127.0.0.1:9\"\nmaster_key = \"{PAYDUNYA_MASTER}\"\nprivate_key = \"p\"\n\
             token = \"t\"\nstore_name = \"Kalel\"\n[yas]\nthrough = \"paytech\"\n[card]\nthrough = \"paydunya\"\n"
        );
        let config = served::config(port).replace("wave_sn_WHS_x", WAVE_SECRET);
        std::fs::write(folder.path().join("kalel.toml"), config + &rails).unwrap();
        let keeper = Keeper::start(Path::new(KALEL), &folder.path().join("lock"), None).unwrap();
        let mut process = Self {
            base: format!("http://127.0.0.1:{port}"),
            pid: 0,
            keeper,
            folder,
            database_url: world.database_url.clone(),
            redis_url: world.redis_url.clone(),
        };
        process.start().await;
        process
    }

    /// Starts it, for the first time or again, and waits until it answers.
    pub async fn start(&mut self) {
        let args = ["serve", "--roles", "api", "--instance", "bad", "--config"].map(str::to_owned);
        let run = Run {
            name: "kalel".into(),
            program: KALEL.into(),
            args: args.into_iter().chain([self.folder.path().join("kalel.toml").display().to_string()]).collect(),
            env: vec![("DATABASE_URL".into(), self.database_url.clone()), ("REDIS_URL".into(), self.redis_url.clone())],
            user: None,
            log: self.folder.path().join("log"),
            stop: Stop::Gently,
        };
        self.pid = self.keeper.run(run).unwrap();
        let (http, url) = (reqwest::Client::builder().no_proxy().build().unwrap(), format!("{}/readyz", self.base));
        while !http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(self.keeper.exit_of("kalel").is_none(), "it ended:\n{}", self.log());
            tokio::task::yield_now().await;
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&self) {
        use nix::{
            sys::signal::{Signal, kill},
            unistd::Pid,
        };
        kill(Pid::from_raw(self.pid), Signal::SIGKILL).unwrap();
        wait_until("it is gone", || gone(self.pid));
        wait_until("its end is heard of", || self.keeper.exit_of("kalel").is_some());
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read(self.folder.path().join("log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Resident and its own, in KiB: pages of the program count for nobody.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("the process is there");
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}
