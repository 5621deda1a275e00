//! Every goal (design.md §8) with our figure, what it is measured against, and whether it is met.

use std::fmt;

use serde_json::{Value, json};

use super::Report;
use crate::bench::streams::Library;
use crate::bench::{
    append::{self, Figure},
    http::Peer,
};

/// One goal, or a figure that is shown beside one.
#[derive(Clone, Debug)]
pub struct Row {
    /// The same in every run.
    pub id: &'static str,
    pub work: String,
    /// Our figure, in words.
    pub ours: String,
    /// That of a peer or a baseline, in words.
    pub theirs: String,
    /// The figures themselves, in the unit of the goal: a second, milliseconds, megabytes.
    pub values: (Option<f64>, Option<f64>),
    /// Ours to theirs.
    pub ratio: Option<f64>,
    pub goal: String,
    pub verdict: Verdict,
}

/// Whether a goal is met.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Met,
    Missed,
    /// There is no goal: it is shown.
    Shown,
    /// Why it cannot be said.
    NotMeasured(String),
    /// Another command tells.
    Elsewhere,
}

impl Verdict {
    const fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::Missed }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Met => f.write_str("met"),
            Self::Missed => f.write_str("**MISSED**"),
            Self::Shown => f.write_str("shown"),
            Self::NotMeasured(why) => write!(f, "not measured: {why}"),
            Self::Elsewhere => f.write_str("see there"),
        }
    }
}

impl Row {
    fn new(id: &'static str, work: impl Into<String>, goal: impl Into<String>) -> Self {
        Self {
            id,
            work: work.into(),
            ours: "–".into(),
            theirs: "–".into(),
            values: (None, None),
            ratio: None,
            goal: goal.into(),
            verdict: Verdict::Shown,
        }
    }

    fn ours(mut self, value: f64, words: impl Into<String>) -> Self {
        self.values.0 = Some(value);
        self.ours = words.into();
        self
    }

    fn theirs(mut self, value: f64, words: impl Into<String>) -> Self {
        self.values.1 = Some(value);
        self.theirs = words.into();
        self
    }

    fn rates(self, ours: Figure, theirs: Option<(Figure, &str)>, ratio: Option<f64>) -> Self {
        let mut row = self.ours(ours.per_second, ours.to_string());
        row.ratio = ratio;
        match theirs {
            Some((figure, whose)) => row.theirs(figure.per_second, format!("{whose}: {figure}")),
            None => row,
        }
    }

    fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = verdict;
        self
    }

    fn at_least(self, least: f64) -> Self {
        let met = self.ratio.is_some_and(|ratio| ratio >= least);
        self.verdict(Verdict::of(met))
    }

    /// For machines.
    pub fn as_json(&self) -> Value {
        let (verdict, why) = match &self.verdict {
            Verdict::Met => ("met", None),
            Verdict::Missed => ("missed", None),
            Verdict::Shown => ("shown", None),
            Verdict::NotMeasured(why) => ("not_measured", Some(why)),
            Verdict::Elsewhere => ("elsewhere", None),
        };
        json!({
            "id": self.id, "work": self.work, "goal": self.goal, "verdict": verdict, "why": why,
            "ours": { "value": self.values.0, "text": self.ours }, "theirs": { "value": self.values.1, "text": self.theirs },
            "ratio": self.ratio,
        })
    }
}

/// All rows, in the order of the goals.
pub fn rows(report: &Report) -> Vec<Row> {
    let mut rows = lane(report);
    rows.extend(http(report));
    rows.push(crowd(report));
    rows.extend(views(report));
    rows.push(search(report));
    rows.extend(libraries(report));
    rows.push(taken(report));
    rows.push(memory(report));
    rows.push(
        Row::new("crash", "kill -9 of anything, any time", "no acknowledged command lost, none applied twice")
            .verdict(Verdict::Elsewhere),
    );
    if let Some(row) = rows.last_mut() {
        row.ours = "`kalel bench crash`; docs/reliability.md".into();
    }
    rows
}

fn lane(report: &Report) -> Vec<Row> {
    let row = |id, callers: usize| {
        let goal = append::goal(callers).unwrap_or_default();
        let what = format!("append of one event, {callers} caller{}", if callers == 1 { "" } else { "s" });
        let row = Row::new(id, what, format!("≥ {goal}×"));
        match report.append.iter().find(|line| line.callers == callers && line.plain.is_some()) {
            Some(line) => {
                let plain = line.plain.map(|plain| (plain, "one-row INSERT, no order"));
                row.rates(line.lane, plain, line.ratio).at_least(goal)
            }
            None => row.verdict(Verdict::NotMeasured(format!("{callers} callers were not asked for"))),
        }
    };
    vec![row("append-1", 1), row("append-32", 32), row("append-256", 256)]
}

/// The booking API in Node in one process, or why there is none.
fn node(report: &Report) -> Result<&Peer, String> {
    let why = || report.no_node.clone().unwrap_or_else(|| "Node was left out".into());
    report.http.peers.iter().find(|peer| peer.processes == 1).ok_or_else(why)
}

fn http(report: &Report) -> Vec<Row> {
    let (http, clients) = (&report.http, report.http_plan.connections);
    let post = format!("`POST /v1/reservations`, {clients} connections, spread slots");
    let bare = Row::new("http-bare", format!("{post}; role api alone"), "≥ 0.8×")
        .rates(http.ours, Some((http.bare, "bare endpoint with one INSERT")), Some(http.of_bare))
        .at_least(0.8);
    let beside = Row::new("http-node", "the same", "≥ 3×");
    let beside = match node(report) {
        Ok(peer) => {
            beside.rates(http.ours, Some((peer.figure, "Node, one process")), Some(peer.ours_to_it)).at_least(3.0)
        }
        Err(why) => beside.rates(http.ours, None, None).verdict(Verdict::NotMeasured(why)),
    };
    let mut rows = vec![bare, beside];
    for peer in http.peers.iter().filter(|peer| peer.processes > 1) {
        let whose = format!("Node, {} processes", peer.processes);
        let row = Row::new("http-node-cores", "the same", "–");
        rows.push(row.rates(http.ours, Some((peer.figure, whose.as_str())), Some(peer.ours_to_it)));
    }
    let ratio = http.all_on.per_second / http.bare.per_second.max(0.001);
    let mut all = Row::new("http-all-roles", "the same; all roles on", "–").rates(
        http.all_on,
        Some((http.bare, "bare endpoint with one INSERT")),
        Some(ratio),
    );
    all.ours.push_str(&format!("; views drained {:.0} ms after the last answer", http.drained.as_secs_f64() * 1_000.0));
    rows.push(all);
    rows
}

fn crowd(report: &Report) -> Row {
    let (crowds, clients) = (&report.http.crowds, report.http_plan.crowd);
    let exact = crowds.won == crowds.times && crowds.lost == crowds.times * clients.saturating_sub(1);
    let tell = |crowds: &crate::bench::http::Crowds| {
        format!(
            "{} × 201, {} × 409, {} × anything else; p99 {:.0} ms, at worst {:.0}",
            crowds.won, crowds.lost, crowds.others, crowds.p99_ms, crowds.worst_p99_ms
        )
    };
    let goal = format!("1 × 201, {} × 409, p99 ≤ 250 ms", clients.saturating_sub(1));
    let row = Row::new("crowd", format!("{} times {clients} clients on one slot", crowds.times), goal)
        .ours(crowds.p99_ms, tell(crowds))
        .verdict(Verdict::of(exact && crowds.p99_ms <= 250.0));
    match node(report) {
        Ok(peer) => row.theirs(peer.crowds.p99_ms, format!("Node, one process, once: {}", tell(&peer.crowds))),
        Err(why) => told_of(row, &why),
    }
}

/// The verdict stands without the peer, but it must not be silently absent.
fn told_of(mut row: Row, why: &str) -> Row {
    row.theirs = format!("not measured: {why}");
    row
}

fn views(report: &Report) -> Vec<Row> {
    let views = &report.rebuild;
    let equal = views.lines.iter().all(|line| line.equal);
    let row = Row::new("rebuild", "rebuild of the slowest projection", "≥ 20 000 events/s, equal digests");
    let rebuild = match views.slowest() {
        Some(line) => {
            let digests = if equal { "all digests equal" } else { "digests **differ**" };
            let words = format!("{:.0} events/s (`{}`), {digests}", line.per_second(), line.projector);
            let met = equal && line.per_second() >= 20_000.0;
            let mut row = row.ours(line.per_second(), words).verdict(Verdict::of(met));
            if let Some(copied) = line.copied_per_second() {
                row = row.theirs(copied, format!("COPY of the same rows: {copied:.0} rows/s"));
                row.ratio = line.of_copy();
            }
            row
        }
        None => row.verdict(Verdict::NotMeasured("nothing was rebuilt".into())),
    };
    let follow = report.streams.libraries.iter().find_map(|library| library.told.as_ref().ok()?.follow);
    let lag = |id, what: &str, lag: &crate::bench::rebuild::Lag| {
        let words = format!("p50 {:.0} ms, p99 {:.0} ms, at worst {:.0}", lag.p50_ms, lag.p99_ms, lag.worst_ms);
        let row = Row::new(id, format!("from a commit into every live view, 100 commands/s; {what}"), "p99 ≤ 250 ms")
            .ours(lag.p99_ms, words)
            .verdict(Verdict::of(lag.commands > 0 && lag.p99_ms <= 250.0));
        match follow {
            Some(it) => row.theirs(
                it.p99_ms,
                format!(
                    "a subscriber of eventsourcing, which keeps nothing: p50 {:.1} ms, p99 {:.1} ms",
                    it.p50_ms, it.p99_ms
                ),
            ),
            None => row,
        }
    };
    vec![
        rebuild,
        lag("live-lag", "nothing else", &views.lag_alone),
        lag("live-lag-rebuilding", "while views are rebuilt", &views.lag),
    ]
}

fn search(report: &Report) -> Row {
    let it = &report.search;
    let what = format!(
        "near a point, with a free pitch at a time, over {} sites, {} connections; {:.0} found each",
        it.sites, it.connections, it.found
    );
    Row::new("search", what, "≥ 500/s, p99 ≤ 50 ms")
        .rates(it.search, Some((it.nearest, "the bare statement for the 20 nearest")), Some(it.ratio))
        .verdict(Verdict::of(it.search.per_second >= 500.0 && it.search.p99_ms <= 50.0))
}

fn libraries(report: &Report) -> Vec<Row> {
    let streams = &report.streams;
    let missing: Vec<String> = streams
        .libraries
        .iter()
        .filter_map(|library| library.told.as_ref().err().map(|why| format!("{} not measured: {why}", library.name)))
        .collect();
    // The fastest is the one that ours beats least.
    let row = |id, work: &str, goal: &str, ours: (f64, String), by: fn(&Library) -> (f64, f64, String)| {
        let row = Row::new(id, work, goal).ours(ours.0, ours.1);
        let mut measured: Vec<_> = streams.libraries.iter().filter(|library| library.told.is_ok()).map(by).collect();
        measured.sort_by(|a, b| a.0.total_cmp(&b.0));
        let words =
            measured.iter().map(|one| one.2.clone()).chain(missing.iter().cloned()).collect::<Vec<_>>().join("; ");
        match measured.first() {
            Some((ratio, value, _)) => {
                let mut row = row.theirs(*value, words);
                row.ratio = Some(*ratio);
                row
            }
            None => row.verdict(Verdict::NotMeasured(missing.join("; "))),
        }
    };
    let callers = streams.callers;
    let load = row(
        "load-and-append",
        &format!("load a stream of 20 events, append 2 with its version, {callers} callers"),
        "≥ 3× the fastest library",
        (streams.load_and_append.per_second, streams.load_and_append.to_string()),
        |library| {
            told(library, library.load_and_append, |told| {
                (told.load_and_append.per_second, told.load_and_append.to_string())
            })
        },
    );
    let load = if load.ratio.is_some() { load.at_least(3.0) } else { load };
    let append = row(
        "append-library",
        &format!("append one event to a new stream, {callers} callers"),
        "–",
        (streams.append.per_second, streams.append.to_string()),
        |library| told(library, library.append, |told| (told.append.per_second, told.append.to_string())),
    );
    let read = |read: &super::peer::ReadAll| format!("{:.0} events/s of {}", read.per_second, read.events);
    let replay = row(
        "replay",
        "read and decode every event; ours by position",
        "–",
        (streams.read_all.per_second, read(&streams.read_all)),
        |library| {
            told(library, library.read_all, |told| {
                (
                    told.read_all.per_second,
                    format!("{:.0} events/s of {}", told.read_all.per_second, told.read_all.events),
                )
            })
        },
    );
    vec![load, append, replay]
}

/// Ratio, figure and words of one library.
fn told(library: &Library, ratio: f64, of: fn(&super::peer::Told) -> (f64, String)) -> (f64, f64, String) {
    match &library.told {
        Ok(told) => {
            let (value, words) = of(told);
            (ratio, value, format!("{}: {words}", library.name))
        }
        Err(_) => (ratio, 0.0, library.name.into()),
    }
}

fn taken(report: &Report) -> Row {
    let http = &report.http;
    let what = format!("{} connections, all on 100 taken slots", report.http_plan.connections);
    let row = Row::new("taken", what, "≥ 1×, p99 ≤ 50 ms");
    match node(report) {
        Ok(peer) => row
            .rates(
                http.taken,
                Some((peer.taken, "Fastify that looks before it inserts, one process")),
                Some(peer.ours_to_it_taken),
            )
            .verdict(Verdict::of(peer.ours_to_it_taken >= 1.0 && http.taken.p99_ms <= 50.0)),
        Err(why) => row.rates(http.taken, None, None).verdict(Verdict::NotMeasured(why)),
    }
}

fn memory(report: &Report) -> Row {
    let row = Row::new("memory", "resident memory of role api, after all of that", "≤ 150 MB");
    let Some(memory) = report.http.memory else {
        return row.verdict(Verdict::NotMeasured("the system does not say".into()));
    };
    let words = format!("{:.0} MB, at most {:.0}; flat over a soak: not measured", memory.now, memory.most);
    let row = row.ours(memory.most, words).verdict(Verdict::of(memory.most <= 150.0));
    match node(report) {
        Ok(peer) => match peer.memory {
            Some(it) => row.theirs(it.most, format!("Node, one process: {:.0} MB, at most {:.0}", it.now, it.most)),
            None => row,
        },
        Err(why) => told_of(row, &why),
    }
}
