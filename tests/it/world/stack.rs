//! The servers that all tests of a run share.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::Duration;

use kalel::migrate::migrate;
use kalel::up::children::Keeper;
use kalel::up::folder::{self, Private, secret};
use kalel::up::postgres::{connect, programs};
use kalel::up::stack::{Plan, Stack};
use sqlx::AssertSqlSafe;

/// The `kalel` binary that was built with these tests.
pub const KALEL: &str = env!("CARGO_BIN_EXE_kalel");

/// Started at the first use; the operating system closes the keeper's input when this process ends.
pub struct Shared {
    pub stack: Stack,
    /// Its input closes when the process ends.
    _keeper: Keeper,
    janitor: Mutex<mpsc::Sender<String>>,
}

/// The shared servers, started by whoever asks first.
pub fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        // Not on the caller's runtime, which ends with the first test.
        std::thread::spawn(|| runtime().block_on(start())).join().expect("the tests' servers start")
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Where throw-away data goes: a place that the user `postgres` can enter, too.
pub fn scratch() -> PathBuf {
    let parent = if nix::unistd::geteuid().is_root() {
        PathBuf::from("/var/lib/kalel/tests")
    } else {
        std::env::temp_dir().join(format!("kalel-tests-{}", nix::unistd::geteuid()))
    };
    folder::make(&parent, 0o755).unwrap();
    sweep(&parent);
    let folder = parent.join(format!("{}-{}", std::process::id(), &secret().unwrap()[..6]));
    folder::make(&folder, 0o711).unwrap();
    folder
}

/// Removes what a keeper that was killed left behind: folders that nobody has locked.
fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
        let free = std::fs::File::open(entry.path().join("lock")).map_or(true, |lock| lock.try_lock().is_ok());
        if free && age.is_some_and(|age| age > Duration::from_secs(120)) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// What to start in a throw-away folder.
pub fn plan(folder: &Path) -> Plan {
    let programs =
        programs(None, &mut |doing| eprintln!("tests: {doing}")).unwrap_or_else(|problem| panic!("{problem}"));
    let mut private = Private::new().unwrap();
    private.choose_ports().unwrap();
    Plan { programs, servers: folder.into(), logs: folder.into(), private, throw_away: true }
}

async fn start() -> Shared {
    let folder = scratch();
    let keeper = Keeper::start(Path::new(KALEL), &folder.join("lock"), Some(&folder)).unwrap();
    let stack = Stack::start(&plan(&folder), &keeper).await.unwrap_or_else(|problem| panic!("{problem}"));
    stack.postgres.set_up().await.unwrap();
    migrate(&mut connect(&stack.postgres.owner_url("kalel")).await.unwrap()).await.unwrap();
    // 8 500 coordinate systems that no test asks for would be copied for each of them.
    let mut superuser = connect(&stack.postgres.superuser_url("kalel")).await.unwrap();
    sqlx::raw_sql("DELETE FROM spatial_ref_sys WHERE srid <> 4326").execute(&mut superuser).await.unwrap();
    sqlx::raw_sql("VACUUM (FULL, FREEZE, ANALYZE)").execute(&mut superuser).await.unwrap();
    drop(superuser);
    let (send, dropped) = mpsc::channel();
    let admin = stack.postgres.superuser_url("postgres");
    std::thread::spawn(move || sweep_databases(&admin, &dropped));
    Shared { stack, _keeper: keeper, janitor: Mutex::new(send) }
}

impl Shared {
    /// Copies the migrated template.
    pub async fn clone_database(&self, name: &str) {
        let mut admin = connect(&self.stack.postgres.superuser_url("postgres")).await.unwrap();
        let sql = format!("CREATE DATABASE {name} TEMPLATE kalel OWNER kalel_owner");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    }

    /// Drops a database soon, without making the test wait.
    pub fn drop_database(&self, name: String) {
        let _ = self.janitor.lock().unwrap_or_else(std::sync::PoisonError::into_inner).send(name);
    }
}

fn sweep_databases(admin: &str, dropped: &mpsc::Receiver<String>) {
    let runtime = runtime();
    for name in dropped {
        runtime.block_on(async {
            let Ok(mut admin) = connect(admin).await else { return };
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await;
        });
    }
}
