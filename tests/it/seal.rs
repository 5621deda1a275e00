//! The log proves itself: the sealer, exports, receipts, and everybody who tries to cheat.

mod cheating;
mod command;
mod proofs;
mod receipts;
mod sealing;
mod tampering;

use std::{
    io::BufReader,
    path::{Path, PathBuf},
    process::Command,
    sync::Once,
    time::Duration,
};

use ed25519_dalek::SigningKey;
use eventstore::{
    Store,
    export::{self, Bad, Range, Trust, Verified},
    note::Signer,
    seal::{Pace, SealError, Sealer},
};
use sqlx::{Connection as _, PgConnection};

use crate::world::World;

const ORIGIN: &str = "kalel.test/log";

fn signer(seed: u8) -> Signer {
    Signer::new(ORIGIN, SigningKey::from_bytes(&[seed; 32])).unwrap()
}

/// Signs after so many events, and never because of time.
pub fn every(events: u64) -> Pace {
    Pace { events, time: Duration::from_secs(3_600), least: Duration::ZERO }
}

async fn own(store: &Store, pace: Pace) -> Result<Sealer, SealError> {
    Sealer::own(store.clone(), signer(1), ORIGIN.into(), "test", pace).await
}

/// Puts so many events into the log at once, in streams of three. What they say is of no matter here.
async fn fill(world: &World, events: i64) {
    sqlx::query(
        r#"INSERT INTO event_log.events
           SELECT head + n, gen_random_uuid(), md5(((head + n - 1) / 3)::text)::uuid, (head + n - 1) % 3 + 1,
                  'refund.declined', 1, format('{"refund_id":"%s","reason":"n° %s","at":"2026-11-23T00:00:00Z"}', n, n)::json,
                  '{"actor":{"role":"system"}}', timestamptz '2026-11-23 00:00:00Z' + (head + n) * interval '1 millisecond'
           FROM (SELECT coalesce(max(position), 0) AS head FROM event_log.events) AS log, generate_series(1, $1) AS n"#,
    )
    .bind(events)
    .execute(&world.pool)
    .await
    .unwrap();
}

/// Seals all there is, and signs.
pub async fn seal(store: &Store, pace: Pace) -> i64 {
    let mut sealer = own(store, pace).await.unwrap();
    let head = store.head().await.unwrap();
    while sealer.position() < head {
        sealer.step(100 + head / 10).await.unwrap();
    }
    store.want_checkpoint(head).await.unwrap();
    sealer.step(1_000).await.unwrap();
    assert_eq!(store.checkpoint().await.unwrap().unwrap().size, head);
    head
}

async fn exported(store: &Store, from: Option<i64>, to: Option<i64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    export::export(store, Range { from, to }, &mut bytes, &mut |_| ()).await.unwrap();
    bytes
}

fn verified(bytes: &[u8], trust: &Trust) -> Result<Verified, Bad> {
    export::verify(BufReader::new(bytes), trust, &mut |_| ())
}

/// A reader who knows the key that was published.
fn trusting(earlier: Option<String>) -> Trust {
    Trust { keys: vec![signer(1).verifier()], origin: Some(ORIGIN.into()), earlier }
}

/// Does what a database administrator can: the triggers do not fire for them.
async fn as_superuser(world: &World, statements: &[&str]) {
    let mut superuser = PgConnection::connect(&world.superuser_url()).await.unwrap();
    sqlx::query("SET session_replication_role = replica").execute(&mut superuser).await.unwrap();
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe((*statement).to_owned())).execute(&mut superuser).await.unwrap();
    }
}

/// Programs that share nothing with us, to check our proofs with. Missing ones are installed, as the servers are, by whoever
/// may; anybody else is told the command.
fn outsiders() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let there = |name: &str| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
        };
        let missing: Vec<&str> = ["python3", "openssl"].into_iter().filter(|name| !there(name)).collect();
        if missing.is_empty() {
            return;
        }
        let missing = missing.join(" ");
        let install = format!("apt-get update -q && apt-get install -q -y --no-install-recommends {missing}");
        let sudo: &[&str] = if nix::unistd::geteuid().is_root() { &[] } else { &["sudo", "-n"] };
        let words: Vec<&str> = sudo.iter().copied().chain(["sh", "-c", install.as_str()]).collect();
        let done = Command::new(words[0]).args(&words[1..]).env("DEBIAN_FRONTEND", "noninteractive").output();
        assert!(done.is_ok_and(|output| output.status.success()), "{missing} missing; as root: {install}");
    });
}

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}
