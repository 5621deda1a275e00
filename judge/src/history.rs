//! What the clients recorded: every call with what came of it, and what was done to the engine meanwhile.

use std::{collections::HashMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::event::Time;

/// One line of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// 1, 2, 3…
    pub n: u64,
    #[serde(default)]
    pub at_ms: i64,
    pub wall: Time,
    /// `client-3`, or `nemesis`.
    pub who: String,
    /// `invoke`, `ok`, `fail`, `maybe`; of the nemesis `kill`, `pause`…
    pub what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<Value>,
}

impl Record {
    /// What was done to the engine, or noted about the trial: no call of a client.
    pub fn is_a_fault(&self) -> bool {
        self.who == NEMESIS || (self.call.is_none() && self.op.is_none())
    }
}

/// Who does things to the engine.
const NEMESIS: &str = "nemesis";
/// The engine is still busy with the same key: nobody knows yet, whatever the number of the status.
const NOT_DEFINITIVE: &[&str] = &["idempotency.in_progress", "server.outcome_unknown"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    /// Refused for good.
    Fail,
    /// It may have happened, or may still happen.
    Maybe,
}

/// What a call wanted.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct About {
    pub site: Option<Uuid>,
    pub pitch: Option<Uuid>,
    pub starts_at: Option<Time>,
    pub minutes: Option<i64>,
    pub r#as: Option<String>,
    pub reservation: Option<Uuid>,
    pub reference: Option<String>,
    pub min_position: Option<i64>,
}

/// What the answer said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Said {
    pub reservation: Option<Uuid>,
    pub status: Option<String>,
    pub as_of_position: Option<i64>,
    pub pitch: Option<Uuid>,
    pub starts_at: Option<Time>,
}

/// One attempt of a client.
#[derive(Clone, Debug)]
pub struct Call {
    pub id: u64,
    pub op: String,
    pub key: Option<String>,
    pub about: About,
    /// Number and time of the record of its beginning.
    pub invoked: u64,
    pub invoked_at: Time,
    pub outcome: Outcome,
    pub status: Option<u16>,
    pub code: Option<String>,
    pub position: Option<i64>,
    pub sha: Option<String>,
    pub said: Said,
    answered: bool,
}

impl Call {
    /// What repetitions have in common; a call without a key is alone.
    pub fn identity(&self) -> String {
        self.key.clone().unwrap_or_else(|| format!("call {}", self.id))
    }
}

/// The whole history.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub records: Vec<Record>,
    /// In the order of their beginnings.
    pub calls: Vec<Call>,
    /// The last line is not whole.
    pub torn: bool,
    /// What is wrong with the record itself: then nothing can be judged.
    pub problems: Vec<String>,
    /// Answered positions, rising, each with the first record by which the log was known to have come as far.
    known: Vec<(i64, u64)>,
}

impl History {
    /// Reads lines of JSON. A line that cannot be read is a problem, the last one a tear.
    pub fn read(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let mut records = Vec::with_capacity(lines.len());
        let (mut torn, mut problems) = (false, Vec::new());
        for (place, line) in lines.iter().enumerate() {
            match serde_json::from_str(line) {
                Ok(record) => records.push(record),
                Err(_) if place + 1 == lines.len() => torn = true,
                Err(error) => problems.push(format!("line {} of the history cannot be read: {error}", place + 1)),
            }
        }
        let mut history = Self::of(records);
        history.torn = torn;
        history.problems.splice(0..0, problems);
        history
    }

    /// The history of these records.
    pub fn of(records: Vec<Record>) -> Self {
        let mut history = Self { records, ..Self::default() };
        let mut calls: HashMap<u64, usize> = HashMap::new();
        for (place, record) in history.records.iter().enumerate() {
            let expected = place as u64 + 1;
            if record.n != expected && history.problems.is_empty() {
                history.problems.push(format!("record {} of the history where {expected} should be", record.n));
            }
            if record.is_a_fault() {
                continue;
            }
            let told = match (record.what.as_str(), record.call) {
                (_, None) => Err("has no call".to_owned()),
                ("invoke", Some(id)) => begin(record, id).and_then(|call| {
                    history.calls.push(call);
                    let twice = calls.insert(id, history.calls.len() - 1).is_some();
                    if twice { Err(format!("begins call {id} again")) } else { Ok(()) }
                }),
                (_, Some(id)) => match calls.get(&id).and_then(|place| history.calls.get_mut(*place)) {
                    Some(call) => end(call, record),
                    None => Err(format!("ends call {id}, which nobody began")),
                },
            };
            if let Err(why) = told {
                history.problems.push(format!("record {} of the history {why}", record.n));
            }
        }
        history.known = known(&history.records);
        history
    }

    /// What was done to the engine.
    pub fn faults(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.is_a_fault())
    }

    /// The calls of an operation.
    pub fn of_op<'a>(&'a self, op: &'a str) -> impl Iterator<Item = &'a Call> {
        self.calls.iter().filter(move |call| call.op == op)
    }

    /// The record by which a client first knew that the log had come as far as this position.
    pub fn told_by(&self, position: i64) -> Option<u64> {
        let place = self.known.partition_point(|(known, _)| *known < position);
        self.known.get(place).map(|(_, n)| *n)
    }
}

fn begin(record: &Record, id: u64) -> Result<Call, String> {
    Ok(Call {
        id,
        op: record.op.clone().ok_or("has no op")?,
        key: record.key.clone(),
        about: parsed(record.about.as_ref())?,
        invoked: record.n,
        invoked_at: record.wall,
        // Whoever never hears of it does not know.
        outcome: Outcome::Maybe,
        status: None,
        code: None,
        position: None,
        sha: None,
        said: Said::default(),
        answered: false,
    })
}

fn end(call: &mut Call, record: &Record) -> Result<(), String> {
    if std::mem::replace(&mut call.answered, true) {
        return Err(format!("ends call {} again", call.id));
    }
    let open = record.code.as_deref().is_some_and(|code| NOT_DEFINITIVE.contains(&code));
    call.outcome = match record.what.as_str() {
        "ok" => Outcome::Ok,
        "fail" if !open => Outcome::Fail,
        "fail" | "maybe" => Outcome::Maybe,
        other => return Err(format!("says `{other}`")),
    };
    call.status = record.status;
    call.code.clone_from(&record.code);
    call.position = record.position;
    call.sha.clone_from(&record.sha);
    if call.outcome == Outcome::Ok {
        call.said = parsed(record.said.as_ref())?;
    }
    Ok(())
}

fn parsed<T: Default + serde::de::DeserializeOwned>(value: Option<&Value>) -> Result<T, String> {
    match value {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => T::deserialize(value).map_err(|error| format!("cannot be read: {error}")),
    }
}

fn known(records: &[Record]) -> Vec<(i64, u64)> {
    let answered = records.iter().filter(|record| record.what == "ok");
    let mut known: Vec<(i64, u64)> = answered.filter_map(|record| Some((record.position?, record.n))).collect();
    known.sort_unstable();
    // A later position may have been told first: with it, every one before it.
    let mut first = u64::MAX;
    for (_, n) in known.iter_mut().rev() {
        first = first.min(*n);
        *n = first;
    }
    known
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = self.wall.format("%H:%M:%S%.3f");
        write!(f, "{:>6}  {clock}  {} {}", self.n, self.who, self.what)?;
        let words = [&self.target, &self.op];
        for word in words.into_iter().flatten() {
            write!(f, " {word}")?;
        }
        if let Some(call) = self.call {
            write!(f, " #{call}")?;
        }
        if let Some(key) = &self.key {
            write!(f, " key {key}")?;
        }
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(position) = self.position {
            write!(f, " at {position}")?;
        }
        for value in [&self.about, &self.said].into_iter().flatten() {
            write!(f, " {value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
