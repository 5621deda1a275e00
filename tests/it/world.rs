//! A world of its own for each test: a migrated database, a log id on a shared NATS, a prefix in a shared Redis.
//!
//! ```ignore
//! #[tokio::test]
//! async fn a_test() {
//!     let world = World::new().await;
//!     let rows = sqlx::query("SELECT 1").fetch_all(&world.pool).await.unwrap();
//! }
//! ```
//!
//! The servers are private, started once per run of the test binary by the same code and the same keeper as
//! `kalel up`, and gone with their data when the run ends, however it ends. No environment variable is needed.
//! The database is dropped with the `World`; connections that are still open are cut.

mod process;
mod stack;

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

pub use process::{gone, wait_until};
pub use stack::{KALEL, shared};

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// What one test has for itself.
pub struct World {
    /// The database, as the program connects to it (a role that may touch rows and nothing else).
    pub database_url: String,
    /// The database, as migrations connect to it.
    pub owner_url: String,
    /// Connections as the program has them.
    pub pool: PgPool,
    pub nats_url: String,
    /// Unique in this run: what NATS streams and subjects of this test carry.
    pub log: String,
    pub redis_url: String,
    /// What every Redis key of this test begins with, `:` included.
    pub redis_prefix: String,
    database: String,
}

impl World {
    /// A fresh world with an empty, migrated database.
    pub async fn new() -> Self {
        let shared = shared();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let database = format!("it_{number}");
        shared.clone_database(&database).await;
        let postgres = &shared.stack.postgres;
        let database_url = postgres.app_url(&database);
        let options: PgConnectOptions = database_url.parse().unwrap();
        let options = options.options([("search_path", "read,public")]);
        let pool = PgPoolOptions::new().max_connections(10).connect_lazy_with(options);
        Self {
            owner_url: postgres.owner_url(&database),
            database_url,
            pool,
            nats_url: shared.stack.nats.url(),
            log: format!("it{number}"),
            redis_url: shared.stack.redis.url(),
            redis_prefix: format!("it{number}:"),
            database,
        }
    }

    /// A store of this world's log, with a lane of its own: what one process has.
    pub async fn store(&self) -> eventstore::Store {
        let keyring = eventstore::Keyring::new([1; 32], [2; 32]);
        let mut options = eventstore::Options::new(&self.database_url, keyring, eventstore::Mode::Test);
        options.connections = 6;
        // Whoever measures what hashing costs says so.
        options.hashing = eventstore::auth::Hashing { memory: 8, passes: 1, at_once: 64 };
        eventstore::Store::open(options).await.unwrap()
    }

    /// The URL for what only a superuser may do.
    pub fn superuser_url(&self) -> String {
        shared().stack.postgres.superuser_url(&self.database)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        shared().drop_database(std::mem::take(&mut self.database));
    }
}

mod tests {
    use super::*;

    #[tokio::test]
    async fn nats_and_redis_are_there_and_shared_by_name() {
        let (one, two) = (World::new().await, World::new().await);
        assert_ne!((&one.log, &one.redis_prefix), (&two.log, &two.redis_prefix));
        let url = one.nats_url.replacen("nats://", "", 1);
        let (login, address) = url.split_once('@').unwrap();
        let (user, password) = login.split_once(':').unwrap();
        let nats = async_nats::ConnectOptions::with_user_and_password(user.into(), password.into());
        let jetstream = async_nats::jetstream::new(nats.connect(address).await.unwrap());
        let config = async_nats::jetstream::stream::Config {
            name: one.log.clone(),
            subjects: vec![format!("kalel.{}.>", one.log)],
            ..Default::default()
        };
        jetstream.create_stream(config).await.unwrap();
        let client = redis::Client::open(one.redis_url.as_str()).unwrap();
        let mut redis = client.get_multiplexed_async_connection().await.unwrap();
        let key = format!("{}greeting", one.redis_prefix);
        redis::cmd("SET").arg(&key).arg("salaam").exec_async(&mut redis).await.unwrap();
        let said: String = redis::cmd("GET").arg(&key).query_async(&mut redis).await.unwrap();
        assert_eq!(said, "salaam");
    }

    #[tokio::test]
    async fn each_test_has_a_migrated_database_of_its_own() {
        let (one, two) = (World::new().await, World::new().await);
        assert_ne!(one.database_url, two.database_url);
        let version: String = sqlx::query_scalar("SELECT postgis_version()").fetch_one(&one.pool).await.unwrap();
        assert!(version.starts_with('3'), "{version}");
        let mut owner = kalel::up::postgres::connect(&one.owner_url).await.unwrap();
        sqlx::query("CREATE TABLE only_here (id int)").execute(&mut owner).await.unwrap();
        sqlx::query("INSERT INTO only_here VALUES (1)").execute(&one.pool).await.unwrap();
        let there: bool =
            sqlx::query_scalar("SELECT to_regclass('only_here') IS NOT NULL").fetch_one(&two.pool).await.unwrap();
        assert!(!there);
    }

    #[tokio::test]
    async fn the_program_s_role_cannot_change_the_schema() {
        let world = World::new().await;
        let refused = sqlx::query("CREATE TABLE mine (id int)").execute(&world.pool).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{refused}");
        let superuser: bool = sqlx::query_scalar("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            .fetch_one(&world.pool)
            .await
            .unwrap();
        assert!(!superuser);
        let mut superuser = kalel::up::postgres::connect(&world.superuser_url()).await.unwrap();
        let is: bool = sqlx::query_scalar("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        assert!(is);
    }
}
