//! What was ever written can be read for ever: one stored sample of every event, in `domain/golden`.
//!
//! A golden file holds the exact bytes of the log. It is never changed once its event has shipped: a new shape is a new
//! schema number with an upcaster, and a new file.

use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::event::Event;

/// Tests run in the folder of their package. A path fixed by the compiler would be that of the clone that was compiled
/// first, when several share a build cache.
fn folder() -> PathBuf {
    PathBuf::from("golden")
}

#[test]
fn every_event_has_a_golden_file_that_reads_and_writes_to_the_same_bytes() {
    for (name, schema) in Event::types() {
        let path = folder().join(format!("{name}.v{schema}.json"));
        let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let event = Event::from_json(name, schema, golden.trim_end()).unwrap();
        assert_eq!(event.name(), name);
        assert_eq!(event.to_json().unwrap(), golden.trim_end(), "{}", path.display());
    }
}

#[test]
fn every_golden_file_can_still_be_read() {
    let known: BTreeSet<String> = Event::types().map(|(name, schema)| format!("{name}.v{schema}.json")).collect();
    for entry in fs::read_dir(folder()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&file), "{file}: its event is gone, or an older schema has no upcaster");
    }
}

#[test]
fn what_this_version_does_not_know_stops_it() {
    use crate::event::DecodeError;

    let newer = Event::from_json("reservation.held", 2, "{}");
    assert!(matches!(newer, Err(DecodeError::Unknown { .. })));
    assert!(matches!(Event::from_json("reservation.sold", 1, "{}"), Err(DecodeError::Unknown { .. })));
    assert!(matches!(Event::from_json("reservation.held", 1, "{}"), Err(DecodeError::Data { .. })));
}
