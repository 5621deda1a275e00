//! Rows built again beside the live ones: compared at one position, exchanged in one transaction, by whoever is left.

use std::{sync::Arc, time::Duration};

use domain::event::Event;
use projections::{
    Aside, PROJECTORS, Projector, RunError, Runner, Shadow, client, content_digest, progress, reservation, schedule,
    shadow::{self, Kind, Versions},
    site,
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;
use workers::{
    Context, Providers,
    runtime::{Progress, Step},
    shadow::Shadowing,
};

use super::{
    engine::{a_little_history, with},
    make::{Booking, Log, at, hours, id},
};

/// One stream of each noun, with every event that noun has.
async fn every_event_there_is(log: &mut Log) {
    let nouns = [
        "site",
        "client",
        "key",
        "reservation",
        "payment",
        "refund",
        "reconciliation",
        "promotion",
        "till",
        "payout",
        "invoice",
    ]
    .map(|noun| (noun, id::<Uuid>()));
    for (noun, stream) in nouns {
        let mut types: Vec<_> = Event::types().filter(|(name, _)| name.starts_with(&format!("{noun}."))).collect();
        // What makes the row comes first; then the end of a hold, after which a late payment claims its cells again.
        types.sort_by_key(|(name, _)| match name.split_once('.').unwrap().1 {
            "registered" | "granted" | "held" | "requested" | "created" | "opened" | "import_requested"
            | "prepared" | "issued" => 0,
            "expired" => 1,
            _ => 2,
        });
        for (name, schema) in types {
            let golden = std::fs::read_to_string(format!("../domain/golden/{name}.v{schema}.json")).unwrap();
            let mut data: serde_json::Value = serde_json::from_str(&golden).unwrap();
            // They speak of each other.
            for (other, its) in nouns {
                if let Some(named) = data.get_mut(format!("{other}_id")).filter(|named| !named.is_null()) {
                    *named = its.to_string().into();
                }
            }
            log.poison(stream, name, &data.to_string()).await;
        }
    }
    let [(_, site), _, _, (_, reservation), ..] = nouns;
    money_in_the_till(log, site, reservation).await;
}

async fn money_in_the_till(log: &mut Log, site: Uuid, reservation: Uuid) {
    let payment = id::<Uuid>();
    for (name, schema) in Event::types().filter(|(name, _)| ["payment.requested", "payment.succeeded"].contains(name)) {
        let golden = std::fs::read_to_string(format!("../domain/golden/{name}.v{schema}.json")).unwrap();
        let mut data: serde_json::Value = serde_json::from_str(&golden).unwrap();
        let [payment_id, site_id, reservation_id] = [payment, site, reservation].map(|id| id.to_string());
        let replaced = [("payment_id", payment_id), ("site_id", site_id), ("reservation_id", reservation_id)];
        let replaced = replaced.into_iter().chain([("method", "cash".into()), ("transaction", "cash-1".into())]);
        for (member, value) in replaced {
            if let Some(said) = data.get_mut(member) {
                *said = value.into();
            }
        }
        log.poison(payment, name, &data.to_string()).await;
    }
}

async fn own(log: &Log, projector: &'static Projector) -> Shadow {
    Shadow::own(projector, log.store.clone(), "test").await.unwrap()
}

/// The definitions of all tables of the views: columns, constraints, indexes.
async fn shapes(log: &Log) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT format('%s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) AS line
         FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
         WHERE c.relnamespace = 'read'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
         UNION ALL SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
         WHERE connamespace = 'read'::regnamespace
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'read'
         UNION ALL SELECT format('%s %s', relname, relacl) FROM pg_class
         WHERE relnamespace = 'read'::regnamespace AND relkind = 'r'
         ORDER BY line",
    )
    .fetch_all(&log.world.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn the_shadow_of_every_projector_is_equal_whatever_happened() {
    let mut log = Log::new().await;
    every_event_there_is(&mut log).await;
    let (ground, ..) = a_little_history(&mut log).await;
    let theirs = Booking::new(ground.slot(ground.north, hours(40, 41))).through("fatou");
    let begun = vec![(theirs.id.uuid(), vec![theirs.held(at(2))]), (theirs.payment.uuid(), vec![theirs.requested()])];
    log.write_all(begun).await;
    let (shape, head) = (shapes(&log).await, log.store.head().await.unwrap());
    for projector in PROJECTORS {
        // One event at a time, so that the shadow is folded quite differently.
        let mut runner = log.own(projector).await;
        while !runner.run_batch(1).await.unwrap().caught_up {}
        let rows = content_digest(projector, &log.store).await.unwrap();
        let mut shadow = own(&log, projector).await;
        let compared = shadow.compare().await.unwrap();
        assert_eq!((compared.projector, compared.position), (projector.name, head));
        assert!(compared.is_equal() && compared.is_of_one_version(), "{compared:?}");
        let mut tables: Vec<&str> = compared.tables.iter().map(|table| table.name.as_str()).collect();
        let mut declared = projector.tables.to_vec();
        tables.sort_unstable();
        declared.sort_unstable();
        assert_eq!(tables, declared, "read.views says what the program says");
        // The pitches of the sample were freed again: of this noun nothing needs to be left.
        assert!(compared.tables.iter().all(|table| table.live.rows > 0), "{compared:?}");
        assert_eq!(shadow.swap().await.unwrap(), head);
        assert_eq!(content_digest(projector, &log.store).await.unwrap(), rows);
        // The former owner is fenced out, and whoever comes next goes on where it stood.
        assert!(matches!(runner.run_batch(1).await, Ok(_) | Err(RunError::Fenced { .. })));
        assert_eq!(log.own(projector).await.position(), head);
    }
    assert_eq!(shapes(&log).await, shape, "tables, keys, indexes, rights: as they were migrated");
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_class WHERE relnamespace = 'read_shadow'::regnamespace")
            .fetch_one(&log.world.pool)
            .await
            .unwrap();
    assert_eq!(left, 0, "nothing is left of the shadows");
    assert!(progress(&log.store).await.unwrap().iter().all(|status| status.shadow.is_none()));
}

#[tokio::test]
async fn a_wrong_row_is_shown_by_its_key_and_put_right_by_the_swap() {
    let mut log = Log::new().await;
    let (ground, first, late) = a_little_history(&mut log).await;
    log.project().await;
    let right = content_digest(&reservation::PROJECTOR, &log.store).await.unwrap();
    let pool = &log.world.pool;
    sqlx::query("UPDATE payments SET status = 'failed' WHERE payment_id = $1")
        .bind(first.payment.uuid())
        .execute(pool)
        .await
        .unwrap();
    sqlx::query("DELETE FROM reservations WHERE reservation_id = $1").bind(late.id.uuid()).execute(pool).await.unwrap();
    sqlx::query("INSERT INTO payments SELECT $1, reservation_id, site_id, client_id, status, method, 'x', NULL, NULL, doc, 1, 1, 0 FROM payments LIMIT 1")
        .bind(ground.site.uuid())
        .execute(pool)
        .await
        .unwrap();
    let mut shadow = own(&log, &reservation::PROJECTOR).await;
    let compared = shadow.compare().await.unwrap();
    let told: Vec<_> = compared
        .tables
        .iter()
        .flat_map(|table| {
            table.differences.iter().map(|one| (table.name.as_str(), one.kind, one.rows, one.keys.clone()))
        })
        .collect();
    let only = |id: &dyn std::fmt::Display| vec![id.to_string()];
    assert_eq!(
        told,
        [
            ("payments", Kind::Changed, 1, only(&first.payment)),
            ("payments", Kind::OnlyLive, 1, only(&ground.site)),
            ("reservations", Kind::OnlyShadow, 1, only(&late.id)),
        ]
    );
    assert!(!compared.is_equal());
    shadow.swap().await.unwrap();
    assert_eq!(content_digest(&reservation::PROJECTOR, &log.store).await.unwrap(), right);
}

#[tokio::test]
async fn keys_of_several_columns_are_shown_whole_and_shadows_follow_what_happens_meanwhile() {
    let mut log = Log::new().await;
    let (ground, first, _) = a_little_history(&mut log).await;
    log.project().await;
    let mut shadow = own(&log, &schedule::PROJECTOR).await;
    let before = shadow.follow().await.unwrap();
    let booking = Booking::new(ground.slot(ground.whole, hours(10, 11)));
    log.write(booking.id, vec![booking.held(at(2))]).await;
    assert_eq!(shadow.follow().await.unwrap(), before, "it never overtakes the live rows");
    log.project().await;
    sqlx::query("UPDATE schedule SET kind = 'closure' WHERE holder = $1")
        .bind(first.id.uuid())
        .execute(&log.world.pool)
        .await
        .unwrap();
    let compared = shadow.compare().await.unwrap();
    assert_eq!(compared.position, before + 1);
    let wrong = compared.tables.iter().find(|table| table.name == "schedule").unwrap();
    assert_eq!(wrong.differences[0].keys, [format!("{}/{}", first.id, ground.cells[1])]);
    assert!(shadow::discard(&schedule::PROJECTOR, &log.store).await.unwrap());
    assert!(!shadow::discard(&schedule::PROJECTOR, &log.store).await.unwrap());
    let gone = shadow.follow().await.unwrap_err();
    assert!(matches!(gone, RunError::Fenced { .. }), "{gone}");
}

fn context(log: &Log, instance: &str, swap: bool) -> Context {
    let mut config = workers::Config::new(instance);
    config.swap = swap;
    Context::new(log.store.clone(), config, Providers::default(), Arc::new(|_| String::new()))
}

/// The rows of before are served and kept up to date by the program of before, until the new ones take their place.
#[tokio::test]
async fn a_newer_version_is_built_beside_the_rows_that_are_read() {
    static NEWER: Projector = Projector {
        version: 3,
        apply: |connection, entries| {
            Box::pin(async move {
                (reservation::PROJECTOR.apply)(&mut *connection, entries).await?;
                sqlx::query("UPDATE payments SET reference = 'new'").execute(connection).await?;
                Ok(())
            })
        },
        ..with(&reservation::PROJECTOR)
    };
    let mut log = Log::new().await;
    let (ground, first, _) = a_little_history(&mut log).await;
    let mut old = log.own(&reservation::PROJECTOR).await;
    old.catch_up().await.unwrap();
    let store = log.store.clone();
    let versions = async || shadow::versions(&NEWER, &store).await.unwrap();
    let mut waits = Shadowing::new(context(&log, "waits", false), &NEWER);
    while waits.step().await.unwrap() == Progress::Busy {}
    assert_eq!(versions().await, Versions { live: Some(2), shadow: Some(3) });
    // Another process stands by, and so does an older one, which has nothing to build.
    let mut other = Shadowing::new(context(&log, "other", true), &NEWER);
    assert_eq!(other.step().await.unwrap(), Progress::Idle);
    let mut older = Shadowing::new(context(&log, "older", true), &reservation::PROJECTOR);
    assert_eq!(older.step().await.unwrap(), Progress::Idle);
    let refused = Shadow::own(&reservation::PROJECTOR, log.store.clone(), "older").await.err().unwrap();
    assert!(matches!(refused, RunError::Outdated { found: 3, ours: 2, .. }), "{refused}");
    // Live goes on, and the shadow behind it.
    let booking = Booking::new(ground.slot(ground.whole, hours(10, 11)));
    let written = log.write(booking.id, vec![booking.held(at(2))]).await;
    old.catch_up().await.unwrap();
    while waits.step().await.unwrap() == Progress::Busy {}
    let pool = &log.world.pool;
    let reference = async |schema: &str| -> String {
        let sql = format!("SELECT reference FROM {schema}.payments WHERE payment_id = $1");
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(first.payment.uuid()).fetch_one(pool).await.unwrap()
    };
    assert_eq!(
        (reference("read").await.as_str(), reference("read_shadow").await.as_str()),
        ("AZNQAAAAcACAAAAAAAAAAQ", "new")
    );
    let status = progress(&log.store).await.unwrap().into_iter().find(|one| one.name == "reservation").unwrap();
    assert_eq!(status.shadow.as_ref().map(|one| (one.version, one.position)), Some((3, written)));
    // The operator looks first: a difference is shown and not refused.
    let mut by_hand = Shadow::own(&NEWER, log.store.clone(), "operator").await.unwrap();
    let compared = by_hand.compare().await.unwrap();
    assert!(!compared.is_equal() && !compared.is_of_one_version());
    drop(by_hand);
    // Fenced out for that, the process takes the shadow back; one that may swap does so as soon as it stands there.
    let mut swaps = Shadowing::new(context(&log, "waits", true), &NEWER);
    while versions().await.shadow.is_some() {
        swaps.step().await.unwrap();
    }
    assert_eq!(versions().await, Versions { live: Some(3), shadow: None });
    assert_eq!(reference("read").await, "new");
    assert!(reservation::find(pool, booking.id).await.unwrap().as_of >= written);
    // The older program stops, as ever.
    assert!(matches!(old.run_batch(1).await, Ok(_) | Err(RunError::Fenced { .. })));
    let refused = Runner::own(&reservation::PROJECTOR, log.store.clone(), "old", None).await.err().unwrap();
    assert!(matches!(refused, RunError::Outdated { found: 3, ours: 2, .. }), "{refused}");
}

/// Exclusion constraints are made once the shadow is full: rows that break one are found then, and told.
#[tokio::test]
async fn rows_that_break_a_rule_of_their_table_never_go_live() {
    static OVERLAPS: Projector = Projector {
        apply: |connection, entries| {
            Box::pin(async move {
                for entry in entries {
                    sqlx::query(
                        "INSERT INTO schedule (cell_id, during, site_id, holder, kind, position)
                         VALUES ($1, '[2026-01-01, 2026-01-02)', $1, $2, 'closure', $3) ON CONFLICT DO NOTHING",
                    )
                    .bind(Uuid::nil())
                    .bind(entry.stream_id)
                    .bind(entry.position)
                    .execute(&mut *connection)
                    .await?;
                }
                Ok(())
            })
        },
        ..with(&schedule::PROJECTOR)
    };
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    log.project().await;
    let rows = content_digest(&schedule::PROJECTOR, &log.store).await.unwrap();
    let refused = own(&log, &OVERLAPS).await.swap().await.unwrap_err();
    assert!(refused.to_string().contains("schedule_cell_id_during_excl"), "{refused}");
    let status = progress(&log.store).await.unwrap().into_iter().find(|one| one.name == "schedule").unwrap();
    assert!(status.shadow.unwrap().halted.is_some() && status.halted.is_none());
    assert_eq!(content_digest(&schedule::PROJECTOR, &log.store).await.unwrap(), rows);
}

/// A shadow of the shape of before would take a column away.
#[tokio::test]
async fn after_a_migration_a_rebuild_under_way_begins_anew() {
    let mut log = Log::new().await;
    let (ground, ..) = a_little_history(&mut log).await;
    log.project().await;
    let mut shadow = own(&log, &site::PROJECTOR).await;
    shadow.follow().await.unwrap();
    let mut owner = kalel::up::postgres::connect(&log.world.owner_url).await.unwrap();
    sqlx::raw_sql("ALTER TABLE read.sites ADD COLUMN stars integer NOT NULL DEFAULT 3; CREATE INDEX sites_stars ON read.sites (stars)")
        .execute(&mut owner)
        .await
        .unwrap();
    let refused = shadow.swap().await.unwrap_err();
    assert!(refused.to_string().contains("begin the rebuild anew"), "{refused}");
    let shape = shapes(&log).await;
    own(&log, &site::PROJECTOR).await.swap().await.unwrap();
    assert_eq!(shapes(&log).await, shape);
    assert!(site::find(&log.world.pool, ground.site).await.unwrap().row.is_some());
}

/// Whoever builds it dies after a moment, each time a little later, and its connections with it; the next one goes on.
#[tokio::test]
async fn killed_at_any_step_the_next_one_finishes_the_rebuild() {
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    log.project().await;
    let rows = content_digest(&reservation::PROJECTOR, &log.store).await.unwrap();
    let head = log.store.head().await.unwrap();
    let epoch = log.own(&reservation::PROJECTOR).await.epoch();
    let mut superuser = kalel::up::postgres::connect(&log.world.superuser_url()).await.unwrap();
    let (mut cut, mut met) = (0_u64, 0);
    loop {
        let store = log.world.store().await;
        let rebuilding = {
            let store = store.clone();
            async move {
                let mut shadow = Shadow::own(&reservation::PROJECTOR, store, "mortal").await?;
                shadow.compare().await?;
                shadow.swap().await
            }
        };
        let ended = tokio::time::timeout(Duration::from_micros(cut), rebuilding).await;
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name LIKE 'kalel%'",
        )
        .execute(&mut superuser)
        .await
        .unwrap();
        store.pool().close().await;
        // Whatever was cut: who reads finds the rows, at that position, whole.
        let found = reservation::find_many(&log.world.pool, &[]).await.unwrap();
        assert_eq!(found.0, head);
        let (at, shadows): (i64, i64) = sqlx::query_as(
            "SELECT epoch, (SELECT count(*) FROM read.checkpoints WHERE name LIKE '%:shadow') FROM read.checkpoints
             WHERE name = 'reservation'",
        )
        .fetch_one(&log.world.pool)
        .await
        .unwrap();
        met += shadows;
        if at > epoch {
            assert_eq!(shadows, 0);
            break;
        }
        if let Ok(ended) = ended {
            panic!("it ended without a swap: {ended:?}");
        }
        cut += 1_500;
    }
    assert!(met > 0, "it was never cut in the middle");
    let next = log.world.store().await;
    assert_eq!(content_digest(&reservation::PROJECTOR, &next).await.unwrap(), rows);
    assert_eq!(Runner::own(&reservation::PROJECTOR, next, "next", None).await.unwrap().position(), head);
}

/// The functions that make and move tables run as their owner: they take the names of declared projectors only.
#[tokio::test]
async fn the_program_s_role_moves_the_tables_of_views_and_no_others() {
    let log = Log::new().await;
    for (sql, code) in [
        ("INSERT INTO read.views VALUES ('checkpoints', 'mine')", "42501"),
        ("CREATE TABLE read_shadow.sites (id int)", "42501"),
        ("ALTER TABLE read.sites SET SCHEMA read_shadow", "42501"),
        ("SELECT read.shadow_begin('checkpoints')", "P0001"),
        ("SELECT read.shadow_swap('site')", "42P01"),
    ] {
        let refused = sqlx::query(sql).execute(&log.world.pool).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some(code), "{sql}: {refused}");
    }
}

/// What a stream said at a position, asked with the queries that ask the live rows.
#[tokio::test]
async fn events_up_to_a_position_become_rows_aside() {
    let mut log = Log::new().await;
    let (_, first, late) = a_little_history(&mut log).await;
    log.project().await;
    let live = reservation::find(&log.world.pool, first.id).await.unwrap();
    let events = log.store.read_stream(first.id.uuid(), 0, 100).await.unwrap();
    let held = events[0].position;
    let mut aside = Aside::open(&log.store, &[&reservation::PROJECTOR, &schedule::PROJECTOR], held).await.unwrap();
    let upto = |position| events.iter().filter(move |event| event.position <= position).cloned().collect::<Vec<_>>();
    aside.apply(&reservation::PROJECTOR, upto(held)).await.unwrap();
    aside.apply(&schedule::PROJECTOR, upto(held)).await.unwrap();
    let then = reservation::find(&mut *aside.connection(), first.id).await.unwrap();
    assert_eq!(then.as_of, held);
    assert_eq!(then.row.unwrap().details.status, reservation::Status::Held);
    let standing = schedule::of_cells(&mut *aside.connection(), &first.slot.cells, first.slot.during).await.unwrap();
    assert_eq!((standing.as_of, standing.claims.len()), (held, 1));
    // What was not applied is not there, however much of it is live, and a view not asked for does not fall through.
    assert_eq!(reservation::find(&mut *aside.connection(), late.id).await.unwrap().row, None);
    assert!(client::find_many(&mut *aside.connection(), &[]).await.is_err());
    drop(aside);
    // On the same connections, the live rows are what they were.
    for _ in 0..10 {
        assert_eq!(reservation::find(log.store.pool(), first.id).await.unwrap(), live);
    }
    let later = events.iter().rev().take(1).cloned().collect();
    let mut headless = Aside::open(&log.store, &[&reservation::PROJECTOR], held).await.unwrap();
    let refused = headless.apply(&reservation::PROJECTOR, later).await.unwrap_err();
    assert!(matches!(refused, RunError::Poisoned { .. }), "{refused}");
}
