//! `kalel bench compare`: every figure of the goals beside what it is measured against, in one run on one Postgres: a plain
//! INSERT, a booking API in Node, and two published event-sourcing libraries.
//!
//! Each part has a database of its own, so that none reads what another wrote. A peer that cannot be installed or fails is
//! named with its reason.

pub mod goals;
pub mod install;
pub mod peer;
pub mod table;

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};

use super::{
    append::{self, Problem},
    http, rebuild, search, streams,
};
use goals::{Row, Verdict};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// This program: it is started again as each server.
    pub program: PathBuf,
    pub databases: Databases,
    /// Where the relay publishes; without it everything but the relay is on.
    pub nats_url: Option<String>,
    /// Folder of the peers, and where they are built.
    pub peers: PathBuf,
    pub cache: PathBuf,
    /// Callers of the lane beside plain INSERT, in turn.
    pub callers: Vec<usize>,
    /// Callers beside the libraries.
    pub callers_of_libraries: usize,
    /// Connections of the HTTP clients; a quarter of them search.
    pub connections: usize,
    pub crowd: usize,
    pub sites: u64,
    /// Events of the log that is rebuilt.
    pub events: i64,
    /// How long each measurement takes, in one round.
    pub lasting: Duration,
    pub rounds: usize,
}

/// Migrated, empty databases of one server, as their owner: one for each part.
#[derive(Clone, Debug)]
pub struct Databases {
    pub append: String,
    pub http: String,
    pub streams: String,
    pub search: String,
    pub rebuild: String,
}

/// Everything that was measured.
#[derive(Clone, Debug)]
pub struct Report {
    pub append: Vec<append::Line>,
    pub http_plan: http::Plan,
    pub http: http::Report,
    /// Why the booking API in Node is not measured.
    pub no_node: Option<String>,
    pub streams: streams::Report,
    pub search: search::Report,
    pub rebuild: rebuild::Report,
}

/// Measures.
///
/// # Errors
/// When ours cannot be measured; peers never stop a run.
pub async fn run(plan: &Plan, say: &mut (dyn FnMut(&str) + Send)) -> Result<Report, Problem> {
    let mut peers = install::install(&plan.peers, &plan.cache, say).await;
    let mut http_plan = http::Plan {
        program: plan.program.clone(),
        database_url: plan.databases.http.clone(),
        nats_url: plan.nats_url.clone(),
        node: peers.node.as_ref().ok().cloned(),
        connections: plan.connections,
        lasting: plan.lasting,
        rounds: plan.rounds,
        crowd: plan.crowd,
    };
    // A peer that is installed and does not start is told, too.
    if let Some(folder) = http_plan.node.clone()
        && let Err(problem) = http::node::start(&http_plan, &folder, 1).await
    {
        peers.node = Err(install::why(&problem));
        http_plan.node = None;
    }
    let appending = append::Plan {
        database_url: plan.databases.append.clone(),
        callers: plan.callers.clone(),
        lasting: plan.lasting,
        rounds: plan.rounds,
    };
    let append = append::run(&appending, say).await?;
    let http = match http::run(&http_plan, say).await {
        // It may have been the peer's doing: ours alone tells.
        Err(problem) if http_plan.node.is_some() => {
            (peers.node, http_plan.node) = (Err(install::why(&problem)), None);
            http::run(&http_plan, say).await?
        }
        ran => ran?,
    };
    let streaming = streams::Plan {
        database_url: plan.databases.streams.clone(),
        callers: plan.callers_of_libraries,
        lasting: plan.lasting,
        rounds: plan.rounds,
    };
    let streams = streams::run(&streaming, &peers, say).await?;
    let searching = search::Plan {
        program: plan.program.clone(),
        database_url: plan.databases.search.clone(),
        sites: plan.sites,
        connections: (plan.connections / 4).max(1),
        lasting: plan.lasting,
        rounds: plan.rounds,
    };
    let search = search::run(&searching, say).await?;
    let rebuilding = rebuild::Plan {
        database_url: plan.databases.rebuild.clone(),
        events: plan.events,
        commands: 100,
        alone: plan.lasting * 2,
    };
    let rebuild = rebuild::run(&rebuilding, say).await?;
    Ok(Report { append, http_plan, http, no_node: peers.node.err(), streams, search, rebuild })
}

/// The report for machines: goals first, then what they are made of.
pub fn as_json(report: &Report, machine: &str) -> Value {
    let goals = goals::rows(report);
    let missed: Vec<&str> = goals.iter().filter(|row| row.verdict == Verdict::Missed).map(|row| row.id).collect();
    let libraries: Vec<Value> = report
        .streams
        .libraries
        .iter()
        .map(|library| match &library.told {
            Ok(told) => json!({
                "name": library.name, "measured": told, "ours_to_it": {
                    "load_and_append": library.load_and_append, "append": library.append, "read_all": library.read_all,
                },
            }),
            Err(why) => json!({ "name": library.name, "not_measured": why }),
        })
        .collect();
    let (http, streams, search) = (&report.http, &report.streams, &report.search);
    json!({
        "machine": machine, "goals": goals.iter().map(Row::as_json).collect::<Vec<_>>(), "missed": missed,
        "append": report.append,
        "http": {
            "connections": report.http_plan.connections, "bare": http.bare, "api": http.ours, "of_bare": http.of_bare,
            "all_roles": http.all_on, "drained_ms": http.drained.as_secs_f64() * 1_000.0, "crowds": http.crowds,
            "taken": http.taken, "memory_mb": http.memory, "node": http.peers, "node_not_measured": report.no_node,
        },
        "streams": {
            "event_bytes": streams.event_bytes, "load_and_append": streams.load_and_append, "append": streams.append,
            "read_all": streams.read_all, "libraries": libraries,
        },
        "search": {
            "sites": search.sites, "connections": search.connections, "search": search.search, "found": search.found,
            "nearest": search.nearest, "ratio": search.ratio,
        },
        "rebuild": rebuild::as_json(&report.rebuild),
    })
}
