//! `kalel up` as a person runs it: a process that is started, looked at, and stopped in several ways.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::world::{KALEL, gone, wait_until};

/// A data folder; what `up` keeps elsewhere for it goes with it.
pub struct Data(tempfile::TempDir);

impl Data {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn up(&self) -> Up {
        let mut command = Command::new(KALEL);
        command.arg("up");
        self.begin(command)
    }

    /// Starts what makes a data folder, and waits until it says that it runs.
    pub fn begin(&self, mut command: Command) -> Up {
        let log = std::fs::File::create(self.0.path().join("out")).unwrap();
        let child = command
            .arg("--data")
            .arg(self.path())
            .args(["--port", &kalel::up::ports::free(None, &[]).unwrap().to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut up = Up { child, told: Value::Null };
        let file = self.path().join("up.json");
        let began = Instant::now();
        while up.told.is_null() {
            let out = || std::fs::read_to_string(self.0.path().join("out")).unwrap_or_default();
            assert!(up.child.try_wait().unwrap().is_none(), "up ended:\n{}", out());
            assert!(began.elapsed() < Duration::from_secs(120), "up is not ready:\n{}", out());
            let told = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
            up.told = told.filter(|told| told["pids"]["up"] == up.child.id()).unwrap_or(Value::Null);
            std::thread::sleep(Duration::from_millis(10));
        }
        up
    }

    /// The process that has this name now.
    pub fn pid(&self, name: &str) -> i32 {
        let told: Value = serde_json::from_slice(&std::fs::read(self.path().join("up.json")).unwrap()).unwrap();
        i32::try_from(told["pids"][name].as_i64().unwrap()).unwrap()
    }

    pub fn run(&self, args: &[&str]) -> Output {
        Command::new(KALEL).args(["up", "--data"]).arg(self.path()).args(args).output().unwrap()
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        if let Ok(servers) = std::fs::read_link(self.path().join("servers")) {
            let _ = std::fs::remove_dir_all(&servers);
            let _ = servers.parent().map(std::fs::remove_dir);
        }
    }
}

pub struct Up {
    child: Child,
    pub told: Value,
}

impl Up {
    pub fn pid(&self, name: &str) -> i32 {
        i32::try_from(self.told["pids"][name].as_i64().unwrap()).unwrap()
    }

    fn pids(&self) -> Vec<i32> {
        let pids = self.told["pids"].as_object().unwrap();
        pids.values().map(|pid| i32::try_from(pid.as_i64().unwrap()).unwrap()).collect()
    }

    /// Sends a signal and waits until `up` and all its children are gone.
    pub fn end(mut self, signal: Signal) {
        let pids = self.pids();
        kill(Pid::from_raw(self.pid("up")), signal).unwrap();
        self.child.wait().unwrap();
        wait_until("every child has ended", || pids.iter().all(|pid| gone(*pid)));
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // A failed test must not leave it running.
        let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX)), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn execute(url: &Value, sql: &'static str) {
    let mut connection = kalel::up::postgres::connect(url.as_str().unwrap()).await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_second_start_finds_everything_as_it_was_left() {
    let data = Data::new();
    let first = data.up();
    assert_eq!(mode(&data.path().join("up.json")), 0o600);
    assert_eq!(mode(&data.path().join("private.json")), 0o600);
    assert_eq!(mode(&data.path()), 0o700);
    let names: Vec<&String> = first.told.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["base_url", "docs_url", "fakes", "keys", "nats_consumer_url", "nats_url", "pids", "postgres_url", "redis_url"],
        "exactly what is promised"
    );
    execute(&first.told["postgres_url"], "CREATE TEMPORARY TABLE mine (id int)").await;

    let refused = data.run(&[]);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("in use") && said.contains(&first.pid("up").to_string()), "{said}");

    let urls = ["postgres_url", "nats_url", "redis_url"].map(|name| first.told[name].clone());
    let keys = first.told["keys"].clone();
    // Ctrl-C.
    first.end(Signal::SIGINT);
    assert!(!data.path().join("up.json").exists(), "up.json says that it runs");

    let began = Instant::now();
    let second = data.up();
    assert!(began.elapsed() < Duration::from_secs(20), "a second start took {:?}", began.elapsed());
    assert_eq!(["postgres_url", "nats_url", "redis_url"].map(|name| second.told[name].clone()), urls);
    assert_eq!(second.told["keys"], keys);
    // Killed without a chance to say goodbye: the keeper ends the rest.
    second.end(Signal::SIGKILL);
    data.up().end(Signal::SIGTERM);
}

#[test]
fn what_ends_is_started_again_unless_somebody_stopped_it_on_purpose() {
    let data = Data::new();
    let up = data.up();
    let now = |name: &str| data.pid(name);
    for name in ["postgres", "wave"] {
        kill(Pid::from_raw(up.pid(name)), Signal::SIGKILL).unwrap();
        wait_until("started again", || now(name) != up.pid(name) && !gone(now(name)));
    }
    kill(Pid::from_raw(up.pid("nats")), Signal::SIGTERM).unwrap();
    wait_until("nats has ended", || gone(up.pid("nats")));
    kill(Pid::from_raw(up.pid("redis")), Signal::SIGKILL).unwrap();
    wait_until("redis is started again", || now("redis") != up.pid("redis"));
    assert_eq!(now("nats"), up.pid("nats"), "left alone, so that the engine can be seen without it");
    up.end(Signal::SIGINT);
}

#[test]
fn a_folder_of_another_postgres_is_told_so_with_the_way_out() {
    let data = Data::new();
    // Made by hand: what a folder of Postgres 99 looks like.
    let folder = kalel::up::folder::Folder::open(&data.path()).unwrap();
    let cluster = folder.servers.join("postgres");
    std::fs::create_dir(&cluster).unwrap();
    std::fs::write(cluster.join("PG_VERSION"), "99\n").unwrap();
    let refused = data.run(&[]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    for words in ["Postgres 99", "--data", "--fresh"] {
        assert!(said.contains(words), "{said}");
    }
    assert!(cluster.join("PG_VERSION").exists(), "nothing is touched");
}

#[test]
fn a_taken_port_is_named() {
    let data = Data::new();
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let refused = data.run(&["--port", &port]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains(&port) && said.contains("taken"), "{said}");
}
