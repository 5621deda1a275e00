//! `kalel bench http`: `POST /v1/reservations` against a bare axum endpoint that does one unordered INSERT and against a
//! minimal booking API in Node, in one run; the same with all roles on; then a thousand clients on one slot, and everybody
//! on slots that are taken.
//!
//! Every server is a process of its own, the clients are another, all on one machine, and they speak HTTP/1.1 over
//! loopback with kept connections.

pub(super) mod client;
pub(super) mod load;
pub(super) mod node;
pub(super) mod server;
mod table;
mod taken;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    actor::Role,
    ids::{KeyId, PrincipalId},
};
use eventstore::{Keyring, Mode, Options, Store};
use serde::Serialize;
use serde_json::{Value, json};

pub use server::{Memory, Server, serve};
pub use table::table;

use self::{
    client::{Connection, Target},
    load::Slots,
    server::{Running, What},
};
use super::append::{Figure, Problem};
use crate::key::{Wanted, grant};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// This program: it is started again as each server.
    pub program: PathBuf,
    /// A migrated database of its own, as its owner.
    pub database_url: String,
    /// Where the relay publishes; without it everything but the relay is on.
    pub nats_url: Option<String>,
    /// The folder of the Node peer; without it, it is left out.
    pub node: Option<PathBuf>,
    pub connections: usize,
    /// How long each measurement takes, in one round.
    pub lasting: Duration,
    pub rounds: usize,
    /// Clients that want one and the same slot.
    pub crowd: usize,
}

/// What was measured. Figures and ratios are those of the round in the middle.
#[derive(Clone, Debug)]
pub struct Report {
    pub bare: Figure,
    pub ours: Figure,
    pub of_bare: f64,
    pub peers: Vec<Peer>,
    /// All roles in one process.
    pub all_on: Figure,
    /// From the last answer until every view had everything.
    pub drained: Duration,
    pub crowds: Crowds,
    /// Everybody asks for slots that are all taken.
    pub taken: Figure,
    /// Of the API alone, after all of that; `None` where the system does not say.
    pub memory: Option<Memory>,
}

/// What we are compared with.
#[derive(Clone, Debug, Serialize)]
pub struct Peer {
    pub processes: usize,
    pub figure: Figure,
    /// The median of the rounds' ratios.
    pub ours_to_it: f64,
    pub crowds: Crowds,
    /// Slots that are all taken, where it looks before it inserts.
    pub taken: Figure,
    /// The median of the rounds' ratios.
    pub ours_to_it_taken: f64,
    /// Of the process that was started; with more than one, of the one that shares out.
    pub memory: Option<Memory>,
}

/// How the crowds on one slot each were answered, in all.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Crowds {
    pub times: usize,
    pub won: usize,
    pub lost: usize,
    pub others: usize,
    /// Of the crowd in the middle.
    pub p99_ms: f64,
    pub worst_p99_ms: f64,
}

/// Pitches of the site: with an hour each for 85 days they are enough for a long run.
const PITCHES: u64 = 190;
const HOURS: u64 = 24 * 85;

/// A server under measurement.
struct Side {
    target: Target,
    figures: Vec<Figure>,
    /// Where it says no to what is taken without an attempt to write it.
    checked: Target,
    taken: Vec<Figure>,
    running: Running,
}

impl Side {
    fn new(running: Running, path: &'static str, secret: Option<&str>) -> Result<Self, Problem> {
        let target = Target::new(&running.authority, path, secret)?;
        Ok(Self { checked: target.clone(), target, figures: Vec::new(), taken: Vec::new(), running })
    }
}

/// Measures.
///
/// # Errors
/// When a server cannot be started or an answer is not what it must be.
pub async fn run(plan: &Plan, say: &mut (dyn FnMut(&str) + Send)) -> Result<Report, Problem> {
    let mut options = Options::new(&plan.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 2;
    let store = Store::open(options).await?;
    let (manager, service) = (secret(&store, Role::Manager).await?, secret(&store, Role::Service).await?);

    let mut bare = Side::new(Running::start(plan, What::Bare).await?, "/reservations", None)?;
    let mut ours = Side::new(Running::start(plan, What::Api).await?, PATH, Some(&service))?;
    let mut nodes = nodes(plan).await?;
    let name = format!("bench-{}", store.clock().new_id().simple());
    let site = register(&ours.target, &manager, &name).await?;
    let slots = slots(&site, store.clock().now());
    let next = Arc::new(AtomicU64::new(0));
    for round in 1..=plan.rounds {
        say(&format!("{} connections, round {round} of {}", plan.connections, plan.rounds));
        for side in [&mut bare, &mut ours].into_iter().chain(nodes.iter_mut().map(|(_, side)| side)) {
            side.figures.push(load::spread(&side.target, plan.connections, plan.lasting, &slots, &next).await?);
        }
    }
    say(&format!("{} clients on one slot", plan.crowd));
    let crowds = crowd(plan, &ours.target, plan.rounds, &slots).await?;
    taken::measure(plan, &mut ours, &mut nodes, &slots, say).await?;
    let peers = peers(plan, &ours, &nodes, &slots, say).await?;
    let (figure, bare_figure, of_bare) = middle(&ours.figures, &bare.figures)?;
    let (taken, memory) = (by_rate(&ours.taken), ours.running.memory());
    drop((bare, ours, nodes));

    say("relay, projectors and workers catch up");
    let all = Side::new(Running::start(plan, What::All).await?, PATH, Some(&service))?;
    caught_up(&store).await?;
    say(&format!("{} connections, all roles on", plan.connections));
    let all_on = load::spread(&all.target, plan.connections, plan.lasting, &slots, &next).await?;
    let drained = caught_up(&store).await?;
    store.close().await;
    Ok(Report { bare: bare_figure, ours: figure, of_bare, peers, all_on, drained, crowds, taken, memory })
}

/// What the peers did, and how they stand a crowd: at the end, because some never get over it.
async fn peers(
    plan: &Plan,
    ours: &Side,
    nodes: &[(usize, Side)],
    slots: &Slots,
    say: &mut (dyn FnMut(&str) + Send),
) -> Result<Vec<Peer>, Problem> {
    let mut peers = Vec::new();
    for (processes, side) in nodes {
        let (_, figure, ours_to_it) = middle(&ours.figures, &side.figures)?;
        let (_, taken, ours_to_it_taken) = middle(&ours.taken, &side.taken)?;
        let memory = side.running.memory();
        say(&format!("{} clients on one slot, Node in {processes} processes", plan.crowd));
        let crowds = crowd(plan, &side.target, 1, slots).await?;
        peers.push(Peer { processes: *processes, figure, ours_to_it, crowds, taken, ours_to_it_taken, memory });
    }
    Ok(peers)
}

const PATH: &str = "/v1/reservations";

/// The peer in one process, and in as many as there are cores.
async fn nodes(plan: &Plan) -> Result<Vec<(usize, Side)>, Problem> {
    let Some(folder) = &plan.node else { return Ok(Vec::new()) };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut nodes = Vec::new();
    for processes in [1, cores].into_iter().take(cores) {
        let mut side = Side::new(node::start(plan, folder, processes).await?, "/reservations", None)?;
        side.checked = Target::new(&side.running.authority, "/reservations/checked", None)?;
        nodes.push((processes, side));
    }
    Ok(nodes)
}

/// The round whose ratio is in the middle.
fn middle(ours: &[Figure], theirs: &[Figure]) -> Result<(Figure, Figure, f64), Problem> {
    let mut rounds: Vec<(Figure, Figure, f64)> =
        ours.iter().zip(theirs).map(|(a, b)| (*a, *b, a.per_second / b.per_second)).collect();
    rounds.sort_by(|a, b| a.2.total_cmp(&b.2));
    Ok(rounds.get(rounds.len() / 2).copied().ok_or("no round")?)
}

/// The round in the middle.
fn by_rate(rounds: &[Figure]) -> Figure {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

/// So many crowds, each on a slot of its own.
async fn crowd(plan: &Plan, target: &Target, times: usize, slots: &Slots) -> Result<Crowds, Problem> {
    let mut all = Crowds { times, ..Crowds::default() };
    let mut p99 = Vec::new();
    for number in 1..=times as u64 {
        let answers = load::crowd(target, plan.crowd, &slots(HOURS * PITCHES - number)).await?;
        all.won += answers.won;
        all.lost += answers.lost;
        all.others += answers.others;
        p99.push(answers.p99_ms);
    }
    p99.sort_by(f64::total_cmp);
    all.p99_ms = p99.get(p99.len() / 2).copied().unwrap_or_default();
    all.worst_p99_ms = p99.last().copied().unwrap_or_default();
    Ok(all)
}

/// Waits until every view has every event; how long that took.
pub(super) async fn caught_up(store: &Store) -> Result<Duration, Problem> {
    let began = Instant::now();
    loop {
        let views = projections::progress(store).await?;
        if !views.is_empty() && views.iter().all(|view| view.lag() == 0) {
            return Ok(began.elapsed());
        }
        if began.elapsed() > Duration::from_secs(120) {
            return Err("the views do not catch up".into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(super) async fn secret(store: &Store, role: Role) -> Result<String, Problem> {
    let secret = format!("kk_test_{}", store.clock().new_id().simple());
    let wanted = Wanted {
        id: KeyId::new(store.clock().new_id()),
        label: "bench",
        role,
        principal: PrincipalId::new(store.clock().new_id()),
        secret: &secret,
        sites: None,
    };
    grant(store, &wanted).await?;
    Ok(secret)
}

async fn register(target: &Target, manager: &str, name: &str) -> Result<String, Problem> {
    let cells: Vec<String> = (0..PITCHES).map(|index| format!("c{index}")).collect();
    let pitches: Vec<Value> =
        cells.iter().map(|cell| json!({ "slug": cell, "name": cell, "format": "5x5", "cells": [cell] })).collect();
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let body = json!({
        "slug": name, "time_zone": "Africa/Dakar", "currency": "XOF",
        "profile": { "name": "Bench", "country": "SN" }, "cells": cells, "pitches": pitches,
        "hours": [{ "days": days, "opens": "00:00", "closes": "00:00" }],
        "tariffs": [{ "price": { "amount": 30000, "currency": "XOF" }, "minutes": 60 }],
    });
    let target = Target::new(&target.authority, "/v1/sites", Some(manager))?;
    let (status, answer) = Connection::open(&target).await?.post("the site of the benchmark", &body).await?;
    let site: Value = serde_json::from_slice(&answer)?;
    match site["id"].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => Err(format!("the site was answered {status}: {site}").into()),
    }
}

/// The slots of the site from tomorrow on: pitches first, then hours, so that neighbours in time are on other ground.
fn slots(site: &str, now: DateTime<Utc>) -> Slots {
    let site = site.to_owned();
    let first = (now + TimeDelta::days(1)).date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    Arc::new(move |number| {
        let hour = i64::try_from(number / PITCHES % HOURS).unwrap_or_default();
        json!({
            "site_id": site, "pitch_id": format!("c{}", number % PITCHES), "minutes": 60,
            "starts_at": (first + TimeDelta::hours(hour)).to_rfc3339(), "payment": { "pays": "none" },
        })
    })
}
