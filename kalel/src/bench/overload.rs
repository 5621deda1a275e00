//! `kalel bench overload`: ten times what can be done, for minutes. How much is done all the same, how soon who is refused is
//! told so, how long those wait who are not, and how soon it is over (reliability.md §5.2).
//!
//! Where there are two cores or more, the clients have the last one and everything that is measured (API, workers, views,
//! Postgres, NATS) has the others, so that ten times the clients take nothing from the servers.

mod load;
mod mix;
mod table;

use std::{path::PathBuf, process::Stdio, time::Duration};

use chrono::TimeDelta;
use domain::actor::Role;
use eventstore::{Keyring, Mode, Options, Store};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    unistd::Pid,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, process::Command};

pub use load::work;
pub use mix::WAVE_SECRET;
pub use table::{as_json, table};

use self::{
    load::{Job, Outcome},
    mix::{Kind, Scene},
};
use super::{
    append::Problem,
    http::{
        self,
        client::{Connection, Target},
        server::{Running, What},
    },
};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// This program: it is started again as the server and as the clients.
    pub program: PathBuf,
    /// A migrated, empty database of its own, as its owner.
    pub database_url: String,
    pub nats_url: Option<String>,
    /// How long the overload lasts.
    pub lasting: Duration,
    /// How many times the most that can be done.
    pub times: f64,
    /// Without admission control: what there was before it.
    pub unguarded: bool,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub guarded: bool,
    pub times: f64,
    /// Cores of the servers; the clients have one of their own beside them, unless there is only one.
    pub cores: usize,
    /// Each kind alone, a second: what one of them costs is one divided by that.
    pub alone: Vec<(Kind, f64)>,
    /// Closed loops of so many clients, without admission control: the most that was done.
    pub peak_clients: usize,
    pub peak: Outcome,
    /// Seven tenths of the peak.
    pub normal: Outcome,
    pub overload: Outcome,
    /// Seven tenths again, at once.
    pub after: Outcome,
    pub verdict: Verdict,
}

/// The four goals.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Verdict {
    /// Of the peak; requests weighed by what they cost.
    pub goodput: f64,
    /// The same, counted.
    pub goodput_counted: f64,
    pub refused_p99_ms: f64,
    /// Of the kind that suffered most, to what it is normally; of all kinds together.
    pub worst_p99: f64,
    pub accepted_p99: f64,
    /// Until the first of three seconds in a row as slow at most as the slowest normal one, with no more refusals.
    pub seconds_until_normal: Option<usize>,
}

const SITES: usize = 40;
const PITCHES: u64 = 8;
/// Clients of the closed loops that are tried for the peak.
const CLIENTS: [usize; 4] = [8, 16, 32, 64];
/// Connections of the clients that do not wait for answers.
const CONNECTIONS: usize = 256;
/// Of the peak, what is normal.
const NORMAL: f64 = 0.7;
/// How long the time before and after is looked at.
const AROUND: f64 = 20.0;

/// The cores of the servers, and the clients' own if there is one to spare.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    all: usize,
}

impl Cores {
    /// Keeps this thread, and whatever it starts from now on, to the servers' cores.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn for_servers() -> Result<Self, Problem> {
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = Self { all };
        cores.keep_to(0..cores.servers())?;
        Ok(cores)
    }

    const fn servers(self) -> usize {
        if self.all > 1 { self.all - 1 } else { 1 }
    }

    fn keep_to(self, cores: std::ops::Range<usize>) -> Result<(), Problem> {
        if self.all > 1 {
            let mut set = CpuSet::new();
            for core in cores {
                set.set(core)?;
            }
            sched_setaffinity(Pid::from_raw(0), &set)?;
        }
        Ok(())
    }
}

/// Measures.
///
/// # Errors
/// When a server cannot be started or does not answer as it must.
pub async fn run(plan: &Plan, cores: Cores, say: &mut (dyn FnMut(&str) + Send)) -> Result<Report, Problem> {
    // The most that can be done of what is asked: nobody is refused there, or other kinds would be done than are asked for.
    let (mut scene, store, server) = set_up(plan, say).await?;
    let mut next = 0;
    let job = |scene: &Scene, seconds: f64, connections: usize, per_second: Option<f64>, only: Option<Kind>| Job {
        scene: scene.clone(),
        seconds,
        connections,
        per_second,
        only,
        seed: 1,
        next: 0,
    };
    let mut go = async |mut job: Job| -> Result<Outcome, Problem> {
        (job.next, job.seed) = (next, next + 1);
        let outcome = clients(plan, cores, &job).await?;
        if let Some(failure) = &outcome.failure {
            eprintln!("bench: {} requests failed, the first: {failure}", outcome.failed);
        }
        next = outcome.next;
        Ok(outcome)
    };
    say("reservations to look at");
    let made = go(job(&scene, 2.0, 8, None, Some(Kind::Place))).await?;
    scene.reservations = made.reservations;
    say("everything once, so that nothing is new");
    go(job(&scene, 5.0, 16, None, None)).await?;
    let mut alone = Vec::new();
    for kind in Kind::ALL {
        say(&format!("alone: {}", kind.name()));
        let outcome = go(job(&scene, 2.0, 16, None, Some(kind))).await?;
        alone.push((kind, outcome.accepted.count as f64 / outcome.lasted));
    }
    let mut peak: Option<(usize, Outcome, f64)> = None;
    for clients in CLIENTS {
        say(&format!("the peak, {clients} clients"));
        let outcome = go(job(&scene, 6.0, clients, None, None)).await?;
        let done = worth(&alone, &outcome);
        if peak.as_ref().is_none_or(|(_, _, most)| done > *most) {
            peak = Some((clients, outcome, done));
        }
    }
    let (peak_clients, peak, most) = peak.ok_or("no peak")?;
    drop(server);
    let what = if plan.unguarded { What::Unguarded } else { What::Guarded };
    let server = Running::start(&servers(plan), what).await?;
    scene.authority.clone_from(&server.authority);
    say("everything once more, where it is measured");
    go(job(&scene, 5.0, 8, None, None)).await?;
    let peak_rate = peak.accepted.count as f64 / peak.lasted;
    say(&format!("{peak_rate:.0} a second at most; {:.0} for {AROUND} s", peak_rate * NORMAL));
    let normal = go(job(&scene, AROUND, CONNECTIONS, Some(peak_rate * NORMAL), None)).await?;
    let wanted = peak_rate * plan.times;
    say(&format!("{wanted:.0} a second for {} s", plan.lasting.as_secs()));
    let overload = go(job(&scene, plan.lasting.as_secs_f64(), CONNECTIONS, Some(wanted), None)).await?;
    say(&format!("{:.0} a second for {AROUND} s", peak_rate * NORMAL));
    let after = go(job(&scene, AROUND, CONNECTIONS, Some(peak_rate * NORMAL), None)).await?;
    store.close().await;
    drop(server);
    let verdict = Verdict {
        goodput: worth(&alone, &overload) / most,
        goodput_counted: overload.accepted.count as f64 / overload.lasted / peak_rate,
        refused_p99_ms: overload.refused.p99,
        worst_p99: worst(&normal, &overload),
        accepted_p99: overload.accepted.p99 / normal.accepted.p99,
        seconds_until_normal: until_normal(&normal, &after),
    };
    let (guarded, times, cores) = (!plan.unguarded, plan.times, cores.servers());
    Ok(Report { guarded, times, cores, alone, peak_clients, peak, normal, overload, after, verdict })
}

/// What was done in a second, as a share of what could be done: each kind weighed by what it costs alone.
fn worth(alone: &[(Kind, f64)], outcome: &Outcome) -> f64 {
    let of = |(kind, rate): &(Kind, f64)| {
        outcome.kinds.get(kind).map_or(0.0, |counts| counts.accepted.count as f64 / rate.max(1.0))
    };
    alone.iter().map(of).sum::<f64>() / outcome.lasted
}

/// Of the kinds of which something was done: the longest of their p99 to what it is normally.
fn worst(normal: &Outcome, overload: &Outcome) -> f64 {
    let ratio = |(kind, counts): (&Kind, &load::Counts)| {
        let normally = normal.kinds.get(kind)?.accepted.p99;
        (counts.accepted.count >= 200).then(|| counts.accepted.p99 / normally.max(0.001))
    };
    overload.kinds.iter().filter_map(ratio).fold(0.0, f64::max)
}

fn until_normal(normal: &Outcome, after: &Outcome) -> Option<usize> {
    let slowest = normal.seconds.iter().map(|second| second.p99).fold(0.0, f64::max);
    let refused = normal.seconds.iter().map(|second| second.refused).max().unwrap_or(0);
    let is_normal = |second: &load::Second| second.p99 <= slowest && second.refused <= refused;
    after.seconds.windows(3).position(|three| three.iter().all(is_normal))
}

async fn set_up(plan: &Plan, say: &mut (dyn FnMut(&str) + Send)) -> Result<(Scene, Store, Running), Problem> {
    let mut options = Options::new(&plan.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 2;
    let store = Store::open(options).await?;
    let manager = http::secret(&store, Role::Manager).await?;
    let finance = http::secret(&store, Role::Finance).await?;
    let server = Running::start(&servers(plan), What::Unguarded).await?;
    say(&format!("{SITES} sites"));
    let target = Target::new(&server.authority, "/v1/sites", Some(&manager))?;
    let mut connection = Connection::open(&target).await?;
    let mut sites = Vec::new();
    for number in 0..SITES {
        let key = format!("site number {number} of the overload");
        let (status, answer) = connection.post(&key, &site(number)).await?;
        let made: Value = serde_json::from_slice(&answer)?;
        sites.push(made["id"].as_str().ok_or_else(|| format!("a site was answered {status}: {made}"))?.to_owned());
    }
    http::caught_up(&store).await?;
    let day = (store.clock().now() + TimeDelta::days(1)).date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let (authority, reservations) = (server.authority.clone(), Vec::new());
    Ok((Scene { authority, manager, finance, sites, pitches: PITCHES, first: day, reservations }, store, server))
}

fn servers(plan: &Plan) -> http::Plan {
    http::Plan {
        program: plan.program.clone(),
        database_url: plan.database_url.clone(),
        nats_url: plan.nats_url.clone(),
        node: None,
        connections: 24,
        lasting: plan.lasting,
        rounds: 1,
        crowd: 1,
    }
}

fn site(number: usize) -> Value {
    let cells: Vec<String> = (0..PITCHES).map(|index| format!("c{index}")).collect();
    let pitches: Vec<Value> =
        cells.iter().map(|cell| json!({ "slug": cell, "name": cell, "format": "5x5", "cells": [cell] })).collect();
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let (north, east) = (14.66 + 0.003 * number as f64, -17.52 + 0.0035 * (number * 7 % SITES) as f64);
    json!({
        "slug": format!("overload-{number}"), "time_zone": "Africa/Dakar", "currency": "XOF",
        "profile": { "name": format!("Terrain {number}"), "country": "SN", "location": { "lat": north, "lon": east } },
        "cells": cells, "pitches": pitches,
        "hours": [{ "days": days, "opens": "00:00", "closes": "00:00" }],
        "tariffs": [{ "price": { "amount": 30000, "currency": "XOF" }, "minutes": 60 }],
    })
}

/// Has the clients do something, on their core.
async fn clients(plan: &Plan, cores: Cores, job: &Job) -> Result<Outcome, Problem> {
    cores.keep_to(cores.servers()..cores.all)?;
    let started = Command::new(&plan.program)
        .args(["bench", "overload-clients"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn();
    cores.keep_to(0..cores.servers())?;
    let mut process = started?;
    let mut input = process.stdin.take().ok_or("a process without input")?;
    input.write_all(&serde_json::to_vec(job)?).await?;
    drop(input);
    let ended = process.wait_with_output().await?;
    if !ended.status.success() {
        return Err(format!("the clients ended with {}", ended.status).into());
    }
    Ok(serde_json::from_slice(&ended.stdout)?)
}
