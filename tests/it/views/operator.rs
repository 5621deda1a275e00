//! `kalel rebuild` and `kalel projections` as an operator runs them: processes beside a process that owns the projectors.

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use projections::{content_digest, progress, reservation, site};
use serde_json::Value;
use sqlx::Connection;

use super::{
    engine::a_little_history,
    make::{Booking, Ground, Log, at, hours, id},
};
use crate::{faults::served::config, world::KALEL};

/// A log, and the files of whoever runs programs on it.
pub struct Site {
    pub log: Log,
    pub folder: tempfile::TempDir,
}

/// `kalel serve --roles projector`; it ends with this value.
pub struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Site {
    async fn new() -> Self {
        Self::listening(1).await
    }

    pub async fn listening(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kalel.toml"), config(port)).unwrap();
        Self { log: Log::new().await, folder }
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("kalel.toml")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(KALEL);
        command.args(args).arg("--config").arg(self.config());
        command.env("DATABASE_URL", &self.log.world.database_url).env("NATS_URL", &self.log.world.nats_url);
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What it printed; it must have gone well.
    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(args)).unwrap()
    }

    /// The line it failed with.
    fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(!output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    fn serve(&self, log: &Path) -> Serving {
        self.serve_with(log, "projector", &[])
    }

    pub fn serve_with(&self, log: &Path, roles: &str, more: &[&str]) -> Serving {
        let file = std::fs::File::create(log).unwrap();
        let mut command = self.command(&["serve", "--roles", roles, "--instance", "owner"]);
        command.args(more);
        Serving(command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap())
    }

    /// Asks again and again until it is so.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !holds().await {
            assert!(began.elapsed() < Duration::from_secs(40), "{what}: not within 40 s");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn stands(&self, name: &str) -> projections::Status {
        let all = progress(&self.log.store).await.unwrap();
        all.into_iter().find(|status| status.name == name).unwrap()
    }

    async fn put_right(&self, position: i64, data: &str) {
        let mut owner = sqlx::PgConnection::connect(&self.log.world.superuser_url()).await.unwrap();
        sqlx::raw_sql("ALTER TABLE event_log.events DISABLE TRIGGER append_only").execute(&mut owner).await.unwrap();
        sqlx::query("UPDATE event_log.events SET data = $2::json WHERE position = $1")
            .bind(position)
            .bind(data)
            .execute(&mut owner)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_operator_rebuilds_looks_and_swaps_while_the_owner_runs() {
    let mut it = Site::new().await;
    let (_, first, _) = a_little_history(&mut it.log).await;
    let log = it.folder.path().join("log");
    let _serving = it.serve(&log);
    let head = it.log.store.head().await.unwrap();
    let everywhere = async || {
        let all = progress(&it.log.store).await.unwrap();
        all.len() == projections::PROJECTORS.len() && all.iter().all(|status| status.position == head)
    };
    it.until("projected", everywhere).await;
    let all = it.json(&["rebuild", "all", "--dry-run", "--json"]);
    assert_eq!(all.as_array().unwrap().len(), projections::PROJECTORS.len());
    for one in all.as_array().unwrap() {
        assert_eq!(
            (&one["equal"], &one["outcome"], &one["position"]),
            (&true.into(), &"compared".into(), &head.into())
        );
    }
    let update = "UPDATE payments SET status = 'failed' WHERE payment_id = $1";
    sqlx::query(update).bind(first.payment.uuid()).execute(&it.log.world.pool).await.unwrap();
    let shown = it.ok(&["rebuild", "reservation", "--dry-run"]);
    assert!(shown.contains(&format!("1 changed: {}", first.payment)), "{shown}");
    assert!(shown.contains("nothing was changed") && !shown.contains('\x1b'), "{shown}");
    assert!(it.stands("reservation").await.shadow.is_none(), "what a dry run built is gone");
    // Of one version and different: nobody swaps that by mistake.
    let refused = it.refused(&["rebuild", "reservation", "--swap"]);
    assert!(refused.contains("--force"), "{refused}");
    let shadow = it.stands("reservation").await.shadow.unwrap();
    assert_eq!(shadow.position, head);
    // The owner keeps it up from now on.
    let ground = Ground::new();
    let booking = Booking::new(ground.slot(ground.north, hours(12, 13)));
    let written = it.log.write(booking.id, vec![booking.held(at(2))]).await;
    let followed = async || it.stands("reservation").await.shadow.is_some_and(|one| one.position == written);
    it.until("the owner follows", followed).await;
    let told = it.ok(&["projections"]);
    assert!(told.contains("being rebuilt: version 2") && told.contains("by owner"), "{told}");
    let swapped = it.json(&["rebuild", "reservation", "--swap", "--force", "--json"]);
    assert_eq!(swapped[0]["outcome"], "swapped", "{swapped}");
    assert_eq!(swapped[0]["tables"][0]["differences"][0]["keys"][0], first.payment.to_string(), "{swapped}");
    let again = it.json(&["rebuild", "reservation", "--json"]);
    assert_eq!((&again[0]["equal"], &again[0]["outcome"]), (&true.into(), &"ready".into()), "{again}");
    assert!(it.ok(&["rebuild", "reservation", "--drop"]).contains("thrown away"));
    // And the owner goes on with what was put in the place of its rows.
    let next = Booking::new(ground.slot(ground.south, hours(12, 13)));
    let written = it.log.write(next.id, vec![next.held(at(2))]).await;
    it.until("the owner goes on", async || it.stands("reservation").await.position == written).await;
    assert_eq!(it.stands("reservation").await.owner, "owner");
    let unknown = it.refused(&["rebuild", "reservations"]);
    let names: Vec<&str> = projections::PROJECTORS.iter().map(|projector| projector.name).collect();
    assert!(unknown.contains(&format!("{}, or all", names.join(", "))), "{unknown}");
}

#[tokio::test]
async fn after_a_fix_parked_streams_and_stopped_projectors_are_resumed_beside_their_owner() {
    let mut it = Site::new().await;
    let (sick, ground) = (Ground::new(), Ground::new());
    it.log.write(sick.site, vec![sick.registered("Sick", None)]).await;
    let parks = it.log.poison(sick.site, "site.hours_set", r#"{"weekly":"always"}"#).await;
    let booking = Booking::new(ground.slot(ground.north, hours(20, 21)));
    it.log.write(booking.id, vec![booking.held(at(2))]).await;
    let expired = format!(
        r#"{{"reservation_id":"{}","client_id":null,"counts_on":null,"at":"2026-11-22T03:00:00Z"}}"#,
        booking.id
    );
    let stops = it.log.poison(booking.id, "reservation.expired", r#"{"at":"never"}"#).await;
    let log = it.folder.path().join("log");
    let _serving = it.serve(&log);
    it.until("the money stops", async || {
        it.stands_or_none("reservation").await.is_some_and(|one| one.halted.is_some())
    })
    .await;
    it.until("the schedule stops", async || {
        it.stands_or_none("schedule").await.is_some_and(|one| one.halted.is_some())
    })
    .await;
    it.until("the site is parked", async || it.stands_or_none("site").await.is_some_and(|one| one.parked == 1)).await;
    let told = it.json(&["projections", "--json"]);
    let of = |name: &str| told.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!(of("reservation")["halted"]["position"], stops, "{told}");
    assert_eq!((&of("reservation")["position"], &of("reservation")["lag"]), (&(stops - 1).into(), &1.into()), "{told}");
    assert!(of("reservation")["behind_seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!((&of("site")["parked"], &of("site")["owner"]), (&1.into(), &"owner".into()), "{told}");
    let parked = it.json(&["projections", "parked", "site", "--json"]);
    assert_eq!(
        (&parked[0]["position"], &parked[0]["version"], &parked[0]["waiting"]),
        (&parks.into(), &2.into(), &1.into())
    );
    assert_eq!(parked[0]["stream_id"], sick.site.to_string());
    assert!(it.ok(&["projections", "parked", "client"]).contains("nothing is parked"));
    // Nothing was put right yet.
    let refused = it.refused(&["projections", "resume", "all"]);
    assert!(
        refused.contains("reservation.expired") && refused.contains("site: 1 streams are still parked"),
        "{refused}"
    );
    it.put_right(parks, &format!(r#"{{"site_id":"{}","weekly":[],"declared":true}}"#, sick.site)).await;
    it.put_right(stops, &expired).await;
    let resumed = it.ok(&["projections", "resume", "all"]);
    assert!(resumed.contains("site: 1 streams resumed, 0 still parked"), "{resumed}");
    // The owner takes it from there.
    let next = Booking::new(ground.slot(ground.south, hours(20, 21)));
    let written = it.log.write(next.id, vec![next.held(at(2))]).await;
    for name in ["site", "schedule", "reservation"] {
        it.until(name, async || it.stands(name).await.position == written).await;
        let status = it.stands(name).await;
        assert_eq!((status.halted, status.parked, status.owner.as_str()), (None, 0, "owner"), "{name}");
    }
    assert_eq!(site::find(&it.log.world.pool, sick.site).await.unwrap().row.unwrap().site.version, 2);
    let compared = it.json(&["rebuild", "all", "--dry-run", "--json"]);
    assert!(compared.as_array().unwrap().iter().all(|one| one["equal"] == true), "{compared}");
}

#[tokio::test]
async fn an_event_of_a_newer_program_stops_everybody_and_is_told() {
    let mut it = Site::new().await;
    let unknown = it.log.poison(id::<uuid::Uuid>(), "tournament.opened", "{}").await;
    let log = it.folder.path().join("log");
    let _serving = it.serve(&log);
    it.until("it stops", async || it.stands_or_none("client").await.is_some_and(|one| one.halted.is_some())).await;
    let told = it.ok(&["projections"]);
    assert!(told.contains(&format!("stopped at position {unknown}: event type tournament.opened")), "{told}");
    assert!(it.refused(&["projections", "resume", "client"]).contains("tournament.opened"));
}

/// A release with a newer version of a projector finds rows of the version before.
#[tokio::test]
async fn a_newer_program_builds_by_itself_and_swaps_by_command_or_by_flag() {
    let mut it = Site::new().await;
    let (_, first, _) = a_little_history(&mut it.log).await;
    it.log.project().await;
    let head = it.log.store.head().await.unwrap();
    let rows = content_digest(&reservation::PROJECTOR, &it.log.store).await.unwrap();
    let older = async || {
        let pool = &it.log.world.pool;
        sqlx::query("UPDATE payments SET reference = 'of before'").execute(pool).await.unwrap();
        sqlx::query("UPDATE read.checkpoints SET version = 1 WHERE name = 'reservation'").execute(pool).await.unwrap();
    };
    let built = async || {
        let status = it.stands("reservation").await;
        status.version == 1 && status.shadow.is_some_and(|one| one.version == 2 && one.position == head)
    };
    older().await;
    let log = it.folder.path().join("log");
    let serving = it.serve(&log);
    it.until("it is built beside the rows", built).await;
    let live = projections::payment::find(&it.log.world.pool, first.payment).await.unwrap();
    assert_eq!(live.as_of, head, "and they are read as before");
    let refused = it.refused(&["projections", "resume", "reservation"]);
    assert!(refused.contains("version 1"), "{refused}");
    let told = it.ok(&["rebuild", "reservation", "--swap"]);
    assert!(told.contains("version 2 beside version 1") && told.contains("2 changed"), "{told}");
    assert!(told.contains(&format!("swapped at position {head}")), "{told}");
    assert_eq!(content_digest(&reservation::PROJECTOR, &it.log.store).await.unwrap(), rows);
    drop(serving);
    older().await;
    let _serving = it.serve_with(&log, "projector", &["--swap"]);
    let swapped = async || {
        let status = it.stands("reservation").await;
        status.version == 2 && status.shadow.is_none()
    };
    it.until("it swaps by itself", swapped).await;
    assert_eq!(content_digest(&reservation::PROJECTOR, &it.log.store).await.unwrap(), rows);
}

impl Site {
    /// `None` before it was ever started.
    async fn stands_or_none(&self, name: &str) -> Option<projections::Status> {
        progress(&self.log.store).await.unwrap().into_iter().find(|status| status.name == name)
    }
}
