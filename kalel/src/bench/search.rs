//! `GET /v1/sites` near a point with a free pitch at a time, over many sites, beside the bare statement that finds the 20
//! nearest and looks at nothing else. Places are spread evenly: some 180 sites are within 3 km of a point.

use std::{
    fmt::Write as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use chrono::TimeDelta;
use domain::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::{Aggregate as _, Loaded},
    ids::SiteId,
    interval::Interval,
    site::Site,
};
use eventstore::{Append, Keyring, Meta, Mode, Options, Store};
use projections::{PROJECTORS, Runner};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::task::JoinSet;

use super::{
    append::{Figure, Problem, Race, race},
    http::{
        self,
        client::{Connection, Target},
        server::{Running, What},
    },
    sample::Ground,
};
use crate::{
    import::{Entry, Owner, decide},
    seeded::Seeded,
};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// This program: it is started again as the server.
    pub program: PathBuf,
    /// A migrated, empty database of its own, as its owner.
    pub database_url: String,
    pub sites: u64,
    pub connections: usize,
    pub lasting: Duration,
    pub rounds: usize,
}

/// What was measured: the round in the middle.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    pub sites: u64,
    pub connections: usize,
    pub search: Figure,
    /// Sites on a page, on average.
    pub found: f64,
    /// The 20 nearest, by the bare statement.
    pub nearest: Figure,
    pub ratio: f64,
}

/// Sites are registered by so many callers.
const CALLERS: u64 = 64;
/// The first number of a place that is asked for: no site has it.
const ASKED: u64 = 1 << 40;
/// Metres around the point.
const RADIUS: u32 = 3_000;

const NEAREST: &str = "SELECT site_id, location <-> ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography AS distance
    FROM read.sites ORDER BY distance LIMIT 20";

/// Measures.
///
/// # Errors
/// When the database cannot be reached or an answer is not what it must be.
pub async fn run(plan: &Plan, say: &mut (dyn FnMut(&str) + Send)) -> Result<Report, Problem> {
    let mut options = Options::new(&plan.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 32;
    let store = Store::open(options).await?;
    say(&format!("registering {} sites, half of them with something taken", plan.sites));
    let evening = (store.clock().now() + TimeDelta::days(1)).date_naive().and_time(chrono::NaiveTime::MIN).and_utc()
        + TimeDelta::hours(18);
    fill(&store, plan.sites, evening).await?;
    for projector in PROJECTORS {
        Runner::own(projector, store.clone(), "bench", None).await?.catch_up().await?;
    }
    store.close().await;
    let mut owner = PgConnection::connect(&plan.database_url).await?;
    // What the database does by itself within a minute.
    owner.execute("VACUUM (ANALYZE) read.sites").await?;
    owner.execute("ANALYZE").await?;
    owner.close().await?;

    let server = http::Plan {
        program: plan.program.clone(),
        database_url: plan.database_url.clone(),
        nats_url: None,
        node: None,
        connections: plan.connections,
        lasting: plan.lasting,
        rounds: plan.rounds,
        crowd: 1,
    };
    let running = Running::start(&server, What::Api).await?;
    let target = Target::new(&running.authority, "/v1/sites", None)?;
    let connections = u32::try_from(plan.connections)?;
    let pool = PgPoolOptions::new().max_connections(connections).connect(&plan.database_url).await?;
    let (next, found) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let answered = Arc::new(AtomicU64::new(0));
    let mut rounds = Vec::new();
    for round in 1..=plan.rounds {
        say(&format!("search over {} sites, {connections} connections, round {round} of {}", plan.sites, plan.rounds));
        let nearest = nearest(plan, &pool, &next).await?;
        let search = search(plan, &target, evening, &next, [&found, &answered]).await?;
        rounds.push((search, nearest, search.per_second / nearest.per_second.max(0.001)));
    }
    rounds.sort_by(|a, b| a.2.total_cmp(&b.2));
    let (search, nearest, ratio) = rounds.get(rounds.len() / 2).copied().ok_or("no round")?;
    let found = found.load(Ordering::Relaxed) as f64 / answered.load(Ordering::Relaxed).max(1) as f64;
    Ok(Report { sites: plan.sites, connections: plan.connections, search, found, nearest, ratio })
}

/// A place among the sites, the same for the same number: 40 km by 40 km around Dakar.
fn place(number: u64) -> (f64, f64) {
    let mut spread = Seeded(number);
    let mut share = || spread.below(1 << 24) as f64 / f64::from(1 << 24);
    (14.60 + 0.36 * share(), -17.50 + 0.37 * share())
}

fn entry(number: u64) -> Result<Entry, serde_json::Error> {
    let (lat, lon) = place(number);
    serde_json::from_value(json!({
        "id": format!("bench-{number}"), "name": format!("Terrain {number}"), "address": null, "city": "Dakar",
        "country": "SN", "time_zone": "Africa/Dakar", "currency": "XOF", "location": { "lat": lat, "lon": lon },
        "surface": "artificial_turf", "area_m2": null, "capacity_players": null, "cells": ["a", "b"],
        "pitches": [
            { "id": "nord", "name": "Nord", "format": "5x5", "cells": ["a"] },
            { "id": "sud", "name": "Sud", "format": "5x5", "cells": ["b"] },
            { "id": "grand", "name": "Grand", "format": "8x8", "cells": ["a", "b"] },
        ],
        "cells_are_modelled": false,
        "hours": [{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "opens": "08:00", "closes": "23:00" }],
        "hours_are_declared": true,
        "tariffs": [{ "price": 30_000, "currency": "XOF", "minutes": 60, "pitch": null }],
        "deposit": null, "house_rules": [], "payment_methods": [],
    }))
}

/// Sites, and reservations at the hour that will be asked for: of four sites one is full and one has a pitch taken.
async fn fill(store: &Store, sites: u64, evening: Timestamp) -> Result<(), Problem> {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let store = store.clone();
        callers.spawn(async move {
            let mut number = caller;
            while number < sites {
                register(&store, number, evening).await?;
                number += CALLERS;
            }
            Ok::<(), Problem>(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(())
}

async fn register(store: &Store, number: u64, evening: Timestamp) -> Result<(), Problem> {
    let clock = store.clock();
    let owner = Owner { manager: clock.new_id().into(), phone: None };
    let mut site = Loaded::<Site>::new(SiteId::new(clock.new_id()));
    let decision = decide(&entry(number)?, site.id, &owner, &mut || clock.new_id())?;
    for event in decision.changes.iter().flat_map(|change| &change.events).cloned() {
        if let Some(event) = Site::select(event) {
            site.apply(event);
        }
    }
    store.append(Append::new(decision, Meta::system().at_site(site.id))).await?;
    let taken = match number % 4 {
        0 => 2,
        1 => 1,
        _ => 0,
    };
    for pitch in site.state.pitches.iter().take(taken) {
        let by = Actor::new(Role::Client, clock.new_id().into());
        let ground = Ground { site_id: site.id, pitch_id: pitch.id, cells: pitch.cells.clone(), by };
        let mut wish = ground.wish(clock, 0, evening)?;
        let during = Interval::lasting(evening, 60)?;
        (wish.held.slot.during, wish.held.slot.claims) = (during, during);
        store.append(Append::new(wish.place(), Meta::system().at_site(site.id))).await?;
    }
    Ok(())
}

async fn search(
    plan: &Plan,
    target: &Target,
    evening: Timestamp,
    next: &Arc<AtomicU64>,
    [found, answered]: [&Arc<AtomicU64>; 2],
) -> Result<Figure, Problem> {
    let mut connections = Vec::new();
    for _ in 0..plan.connections {
        connections.push(Connection::open(target).await?);
    }
    let starts_at = evening.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let callers = connections.into_iter().map(|mut connection| {
        let (next, found, answered) = (Arc::clone(next), Arc::clone(found), Arc::clone(answered));
        let starts_at = starts_at.clone();
        move |race: Arc<Race>| async move {
            let mut took = Vec::new();
            while !race.over.load(Ordering::Relaxed) {
                let (lat, lon) = place(ASKED + next.fetch_add(1, Ordering::Relaxed));
                let mut path = format!("/v1/sites?near={lat},{lon}&radius_m={RADIUS}&format=5x5&minutes=60");
                // Writing to a string cannot fail.
                let _ = write!(path, "&starts_at={starts_at}");
                let began = Instant::now();
                let (status, answer) = connection.get(&path).await?;
                took.push(began.elapsed());
                if status != StatusCode::OK {
                    return Err(format!("{status}: {}", String::from_utf8_lossy(&answer)).into());
                }
                let page: Value = serde_json::from_slice(&answer)?;
                found.fetch_add(page["data"].as_array().map_or(0, Vec::len) as u64, Ordering::Relaxed);
                answered.fetch_add(1, Ordering::Relaxed);
                race.done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(took)
        }
    });
    race(plan.lasting, callers).await
}

async fn nearest(plan: &Plan, pool: &PgPool, next: &Arc<AtomicU64>) -> Result<Figure, Problem> {
    let callers = (0..plan.connections).map(|_| {
        let (pool, next) = (pool.clone(), Arc::clone(next));
        move |race: Arc<Race>| async move {
            let mut took = Vec::new();
            while !race.over.load(Ordering::Relaxed) {
                let (lat, lon) = place(ASKED + next.fetch_add(1, Ordering::Relaxed));
                let began = Instant::now();
                sqlx::query(NEAREST).bind(lon).bind(lat).fetch_all(&pool).await?;
                took.push(began.elapsed());
                race.done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(took)
        }
    });
    race(plan.lasting, callers).await
}

/// The report as Markdown.
pub fn table(it: &Report) -> String {
    format!(
        "| {} sites, {} connections | figure | goal |\n|---|---|---|\n\
         | `GET /v1/sites` near a point, with a free 5x5 pitch tomorrow at 18:00; {:.1} sites a page | {} | ≥ 500/s, p99 ≤ 50 ms |\n\
         | the bare statement for the 20 nearest | {} | |\n",
        it.sites, it.connections, it.found, it.search, it.nearest
    )
}
