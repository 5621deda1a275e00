//! The log itself: positions without a gap, streams without a hole, ids once, time forward, nothing unpublished.

use std::collections::{HashMap, HashSet};

use crate::{
    court::{Court, Objection},
    event::{Event, Fact},
    input::Input,
};

const POSITIONS: &str = "log.positions";
const VERSIONS: &str = "log.versions";
const IDS: &str = "log.event_ids";
const TIME: &str = "log.time";
const SHAPES: &str = "log.shapes";

pub(super) fn check(input: &Input, court: &mut Court<'_>) {
    let log = &input.log;
    for name in [POSITIONS, VERSIONS, IDS, TIME, SHAPES] {
        court.saw(name, log.len());
    }
    positions(log, court);
    versions(log, court);
    let mut seen = HashSet::with_capacity(log.len());
    for event in log {
        if !seen.insert(event.event_id) {
            let said = format!("event {} was recorded before", event.event_id);
            court.object(IDS, Objection::new(said).at(event.position));
        }
        if let Fact::Unreadable(why) = &event.fact {
            court.object(SHAPES, Objection::new(why).at(event.position));
        }
        if let Some(stream) = event.fact.stream().filter(|stream| *stream != event.stream_id) {
            let said = format!("{} speaks of {stream} in the stream of {}", event.name, event.stream_id);
            court.object(SHAPES, Objection::new(said).at(event.position));
        }
    }
    for pair in log.windows(2) {
        if let [before, after] = pair
            && after.recorded_at < before.recorded_at
        {
            let said = format!("recorded at {}, after an event of {}", after.recorded_at, before.recorded_at);
            court.object(TIME, Objection::new(said).at(after.position));
        }
    }
}

fn positions(log: &[Event], court: &mut Court<'_>) {
    let mut expected = 1;
    for event in log {
        if event.position != expected {
            let said = format!("position {} where {expected} should be", event.position);
            court.object(POSITIONS, Objection::new(said).at(event.position));
        }
        expected = event.position + 1;
    }
}

fn versions(log: &[Event], court: &mut Court<'_>) {
    let mut streams = HashMap::new();
    for event in log {
        let version = streams.entry(event.stream_id).or_insert(0);
        if event.version != *version + 1 {
            let said = format!("version {} of {} where {} should be", event.version, event.stream_id, *version + 1);
            court.object(VERSIONS, Objection::new(said).at(event.position));
        }
        *version = event.version;
    }
}
