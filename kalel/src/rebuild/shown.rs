//! What a person sees of a rebuild: one line that moves while it works, then a table; or JSON.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

use projections::{
    Position,
    shadow::{Comparison, Difference, Kind, Table},
};
use serde_json::{Value, json};

use super::{Done, Outcome};

/// How often a line of progress is written where no terminal shows it moving.
const EVERY: Duration = Duration::from_secs(5);

/// Progress goes to standard error, the outcome to standard output.
pub(super) struct Screen {
    json: bool,
    moving: bool,
    colour: bool,
    last: Option<Instant>,
}

impl Screen {
    pub(super) fn new(json: bool) -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { json, moving: std::io::stderr().is_terminal(), colour, last: None }
    }

    pub(super) fn progress(&mut self, name: &str, from: Position, at: Position, to: Position, took: Duration) {
        let often = if self.moving { Duration::from_millis(200) } else { EVERY };
        if self.last.is_some_and(|last| last.elapsed() < often) {
            return;
        }
        // Without a terminal, the first line is due only after a while.
        let first = self.last.replace(Instant::now()).is_none();
        if first && !self.moving {
            return;
        }
        let speed = per_second(at - from, took);
        let left = if speed > 0 { clock((to - at).max(0) / speed) } else { "…".to_owned() };
        let text =
            format!("{name}: {} of {} events, {} a second, {left} left", grouped(at), grouped(to), grouped(speed));
        if self.moving {
            eprint!("\r\x1b[2K{text}");
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{text}");
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn show(&mut self, outcome: &Outcome) {
        if self.moving && self.last.take().is_some() {
            eprint!("\r\x1b[2K");
        }
        if self.json {
            return;
        }
        let name = outcome.projector.name;
        if let Some(comparison) = &outcome.comparison {
            println!("{}", self.headline(name, comparison, outcome));
            let width = comparison.tables.iter().map(|table| table.name.len()).max().unwrap_or(0);
            for table in &comparison.tables {
                println!("{}", self.table(table, width));
                for difference in &table.differences {
                    println!("      {}", self.paint("33", &told(difference)));
                }
            }
        }
        println!("  {}", self.ending(name, outcome));
    }

    fn headline(&self, name: &str, comparison: &Comparison, outcome: &Outcome) -> String {
        let versions = if comparison.is_of_one_version() {
            format!("version {}", comparison.live_version)
        } else {
            format!("version {} beside version {}", comparison.shadow_version, comparison.live_version)
        };
        let speed = grouped(per_second(outcome.events, outcome.took));
        let position = grouped(comparison.position);
        let events = grouped(outcome.events);
        let seconds = outcome.took.as_secs_f64();
        format!(
            "{} {versions}, compared at position {position}; {events} events in {seconds:.1} s, {speed} a second",
            self.paint("1", name)
        )
    }

    fn table(&self, table: &Table, width: usize) -> String {
        let mark = if table.is_equal() { self.paint("32", "equal  ") } else { self.paint("31", "differs") };
        let rows = grouped(table.live.rows);
        let mut line = format!("  {:<width$}  {mark}  {rows:>12} rows  {}", table.name, short(&table.live.digest));
        if !table.is_equal() {
            let rebuilt = grouped(table.shadow.rows);
            line = format!("{line}  rebuilt {rebuilt:>12} rows  {}", short(&table.shadow.digest));
        }
        line
    }

    fn ending(&self, name: &str, outcome: &Outcome) -> String {
        match outcome.done {
            Done::Compared => "nothing was changed".to_owned(),
            Done::Ready => format!("built beside the live rows and kept up with them: kalel rebuild {name} --swap"),
            Done::Swapped(position) => self.paint("32", &format!("swapped at position {}", grouped(position))),
            Done::Refused => self.paint("31", "not swapped"),
            Done::Dropped => format!("what was built for {name} is thrown away"),
            Done::NothingToDrop => format!("nothing had been built for {name}"),
        }
    }

    pub(super) fn end(&self, outcomes: &[Outcome]) {
        if self.json {
            println!("{}", Value::Array(outcomes.iter().map(as_json).collect()));
        }
    }
}

fn told(difference: &Difference) -> String {
    let what = match difference.kind {
        Kind::OnlyLive => "only among the live rows",
        Kind::OnlyShadow => "only among the rebuilt rows",
        Kind::Changed => "changed",
    };
    let shown = i64::try_from(difference.keys.len()).unwrap_or(i64::MAX);
    let more = if difference.rows > shown { ", …" } else { "" };
    format!("{} {what}: {}{more}", grouped(difference.rows), difference.keys.join(", "))
}

fn as_json(outcome: &Outcome) -> Value {
    let (done, position) = match outcome.done {
        Done::Compared => ("compared", None),
        Done::Ready => ("ready", None),
        Done::Swapped(position) => ("swapped", Some(position)),
        Done::Refused => ("refused", None),
        Done::Dropped => ("dropped", None),
        Done::NothingToDrop => ("nothing_to_drop", None),
    };
    let mut value = json!({
        "projector": outcome.projector.name,
        "outcome": done,
        "events": outcome.events,
        "seconds": outcome.took.as_secs_f64(),
        "swapped_at": position,
    });
    if let (Some(comparison), Some(object)) = (&outcome.comparison, value.as_object_mut()) {
        object.insert("position".into(), comparison.position.into());
        object.insert("live_version".into(), comparison.live_version.into());
        object.insert("version".into(), comparison.shadow_version.into());
        object.insert("equal".into(), comparison.is_equal().into());
        object.insert("tables".into(), comparison.tables.iter().map(table_json).collect());
    }
    value
}

fn table_json(table: &Table) -> Value {
    let differences: Vec<Value> = table
        .differences
        .iter()
        .map(|one| {
            let kind = match one.kind {
                Kind::OnlyLive => "only_live",
                Kind::OnlyShadow => "only_rebuilt",
                Kind::Changed => "changed",
            };
            json!({ "kind": kind, "rows": one.rows, "keys": one.keys })
        })
        .collect();
    json!({
        "table": table.name,
        "equal": table.is_equal(),
        "live": { "rows": table.live.rows, "sha256": hex::encode(&table.live.digest) },
        "rebuilt": { "rows": table.shadow.rows, "sha256": hex::encode(&table.shadow.digest) },
        "differences": differences,
    })
}

fn short(digest: &[u8]) -> String {
    hex::encode(digest.get(..8).unwrap_or(digest))
}

fn per_second(events: i64, took: Duration) -> i64 {
    let millis = i64::try_from(took.as_millis()).unwrap_or(i64::MAX).max(1);
    events.saturating_mul(1_000) / millis
}

/// `1 234 567`.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_read_in_threes() {
        assert_eq!((grouped(0), grouped(-999), grouped(1_234_567)), ("0".into(), "-999".into(), "1 234 567".into()));
    }
}
