//! An event that cannot be applied is never skipped: money and availability stop, the rest parks its stream (R9, F30, F54).

use projections::{
    ApplyError, Poison, Projector, RunError, client, content_digest, progress, reservation, schedule, site,
};
use sqlx::Connection;
use uuid::Uuid;

use super::{
    engine::with,
    make::{Booking, Ground, Log, at, hours, id},
};

async fn halted(log: &Log, name: &str) -> Option<(i64, String)> {
    progress(&log.store).await.unwrap().into_iter().find(|status| status.name == name).unwrap().halted
}

#[tokio::test]
async fn money_stops_in_front_of_poison_and_goes_on_once_it_can_be_read() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    let booking = Booking::new(ground.slot(ground.north, hours(20, 21)));
    log.write(booking.id, vec![booking.held(at(2))]).await;
    let poison = log.poison(booking.payment, "payment.requested", r#"{"amount":"a lot"}"#).await;
    let after = Booking::new(ground.slot(ground.south, hours(20, 21)));
    log.write(after.id, vec![after.held(at(2))]).await;
    let mut runner = log.own(&reservation::PROJECTOR).await;
    // What lies before it is applied, even when it came in one batch with it.
    let mut stopped = runner.catch_up().await.unwrap_err();
    for _ in 0..2 {
        assert!(matches!(&stopped, RunError::Poisoned { position, .. } if *position == poison), "{stopped}");
        assert_eq!(runner.position(), poison - 1);
        let (at, why) = halted(&log, "reservation").await.unwrap();
        assert_eq!(at, poison);
        assert!(why.contains("payment.requested"), "{why}");
        assert!(reservation::find(&log.world.pool, booking.id).await.unwrap().row.is_some());
        assert_eq!(reservation::find(&log.world.pool, after.id).await.unwrap().row, None, "nothing is skipped");
        stopped = runner.run_batch(100).await.unwrap_err();
    }
    // Others, who do not want this noun, went on.
    assert_eq!(log.own(&client::PROJECTOR).await.catch_up().await.unwrap(), poison + 1);
    // A fixed program reads it; here: one that does not want payments.
    static FIXED: Projector = Projector { kinds: &["reservation"], ..with(&reservation::PROJECTOR) };
    log.own(&FIXED).await.catch_up().await.unwrap();
    assert!(reservation::find(&log.world.pool, after.id).await.unwrap().row.is_some());
    assert_eq!(halted(&log, "reservation").await, None);
}

#[tokio::test]
async fn an_event_of_a_newer_version_stops_even_who_does_not_want_it() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    log.write(ground.site, ground.events("Before", None)).await;
    let unknown = log.poison(id::<Uuid>(), "tournament.opened", "{}").await;
    for projector in [&site::PROJECTOR, &client::PROJECTOR, &schedule::PROJECTOR] {
        let stopped = log.own(projector).await.catch_up().await.unwrap_err();
        assert!(matches!(&stopped, RunError::Poisoned { position, .. } if *position == unknown), "{stopped}");
        assert!(stopped.to_string().contains("tournament.opened"), "{stopped}");
    }
    assert!(site::find(&log.world.pool, ground.site).await.unwrap().row.is_some());
}

#[tokio::test]
async fn a_parked_stream_holds_up_no_other_and_loses_nothing() {
    let mut log = Log::new().await;
    let (sick, well) = (Ground::new(), Ground::new());
    log.write(sick.site, vec![sick.registered("Sick", None)]).await;
    let poison = log.poison(sick.site, "site.hours_set", r#"{"weekly":"always"}"#).await;
    log.write(well.site, well.events("Well", None)).await;
    let later = site_renamed(&sick, "Later");
    log.write(sick.site, vec![later]).await;
    let mut runner = log.own(&site::PROJECTOR).await;
    assert_eq!(runner.catch_up().await.unwrap(), log.store.head().await.unwrap());
    assert!(site::find(&log.world.pool, well.site).await.unwrap().row.is_some());
    assert_eq!(name_of(&log, &sick).await, "Sick", "as it was before the poison");
    let (stream, version, position, waiting): (Uuid, i32, i64, i32) =
        sqlx::query_as("SELECT stream_id, version, position, waiting FROM read.parked WHERE projector = 'site'")
            .fetch_one(&log.world.pool)
            .await
            .unwrap();
    assert_eq!((stream, version, position, waiting), (sick.site.uuid(), 2, poison, 2));
    let parked = progress(&log.store).await.unwrap().iter().find(|status| status.name == "site").unwrap().parked;
    assert_eq!(parked, 1);
    // Still poison: still parked.
    assert_eq!(runner.resume_parked().await.unwrap(), 0);
    // Put right by the owner of the log, with the trigger out of the way.
    let mut owner = sqlx::PgConnection::connect(&log.world.superuser_url()).await.unwrap();
    sqlx::raw_sql("ALTER TABLE event_log.events DISABLE TRIGGER append_only").execute(&mut owner).await.unwrap();
    sqlx::query("UPDATE event_log.events SET data = $2::json WHERE position = $1")
        .bind(poison)
        .bind(format!(r#"{{"site_id":"{}","weekly":[],"declared":true}}"#, sick.site))
        .execute(&mut owner)
        .await
        .unwrap();
    assert_eq!(runner.resume_parked().await.unwrap(), 1);
    assert_eq!(name_of(&log, &sick).await, "Later", "nothing was lost");
    let rows = content_digest(&site::PROJECTOR, &log.store).await.unwrap();
    projections::rebuild(&site::PROJECTOR, &log.store, "replay", None).await.unwrap();
    assert_eq!(content_digest(&site::PROJECTOR, &log.store).await.unwrap(), rows);
}

fn site_renamed(ground: &Ground, name: &str) -> domain::event::Event {
    domain::site::Described { site_id: ground.site, profile: Ground::profile(name, None) }.into()
}

async fn name_of(log: &Log, ground: &Ground) -> String {
    let row = site::find(&log.world.pool, ground.site).await.unwrap().row.unwrap();
    row.site.state.identity.unwrap().profile.name.to_string()
}

/// Writes a row, then panics at a stream that asks for it.
static PANICS: Projector = Projector {
    poison: Poison::Park,
    apply: |connection, entries| {
        Box::pin(async move {
            for entry in entries {
                sqlx::query("INSERT INTO read.schedule_days VALUES ($1, '2026-11-22', $2)")
                    .bind(entry.stream_id)
                    .bind(entry.position)
                    .execute(&mut *connection)
                    .await?;
                if let domain::event::Event::Site(domain::site::Event::Registered(registered)) = &entry.event {
                    assert_ne!(registered.profile.name.as_str(), "Panic", "as asked");
                    if registered.profile.name.as_str() == "Refuse" {
                        return Err(ApplyError::Missing { stream_id: entry.stream_id, event: "x", position: 0 });
                    }
                }
            }
            Ok(())
        })
    },
    ..with(&site::PROJECTOR)
};

#[tokio::test]
async fn a_panic_parks_its_stream_and_takes_nobody_along() {
    let mut log = Log::new().await;
    let mut sites = Vec::new();
    for name in ["One", "Panic", "Two", "Refuse", "Three"] {
        let ground = Ground::new();
        log.write(ground.site, vec![ground.registered(name, None)]).await;
        sites.push(ground.site.uuid());
    }
    assert_eq!(log.own(&PANICS).await.catch_up().await.unwrap(), 5);
    let applied: Vec<Uuid> = sqlx::query_scalar("SELECT site_id FROM read.schedule_days ORDER BY position")
        .fetch_all(&log.world.pool)
        .await
        .unwrap();
    assert_eq!(applied, [sites[0], sites[2], sites[4]], "and nothing of the failed attempts is left");
    let parked: Vec<Uuid> = sqlx::query_scalar("SELECT stream_id FROM read.parked ORDER BY position")
        .fetch_all(&log.world.pool)
        .await
        .unwrap();
    assert_eq!(parked, [sites[1], sites[3]]);
}
