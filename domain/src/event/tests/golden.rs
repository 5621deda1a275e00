//! One stored sample of every event in every schema number it was ever written in, in `domain/golden`.
//!
//! A golden file holds the exact bytes of the log. It is never changed once its event has shipped: a new shape is a new
//! schema number with an upcaster, and a new file. `INDEX` holds the digests of all of them, as `sha256sum` prints them,
//! so that a file that is changed or removed is noticed. A new file gets its line by hand: `sha256sum x.v1.json >> INDEX`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use sha2::{Digest, Sha256};

use super::folder;
use crate::{
    contract::{Contract, Flow},
    event::{DecodeError, Event, outside, withheld},
    policy::BasisPoints,
    reservation,
    text::Slug,
};

fn golden(name: &str, schema: i16) -> String {
    let path = folder("golden").join(format!("{name}.v{schema}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.trim_end().to_owned()
}

#[test]
fn every_event_has_a_golden_file_that_reads_and_writes_to_the_same_bytes() {
    for (name, schema) in Event::types() {
        let golden = golden(name, schema);
        let event = Event::from_json(name, schema, &golden).unwrap();
        assert_eq!((event.name(), event.schema()), (name, schema));
        assert_eq!(event.to_json().unwrap(), golden, "{name} v{schema}");
    }
}

#[test]
fn what_was_written_in_any_version_reads_as_the_event_of_today() {
    for shape in Event::shapes() {
        let event = Event::from_json(shape.name, shape.schema, &golden(shape.name, shape.schema)).unwrap();
        assert_eq!(event.name(), shape.name);
        assert!(event.schema() >= shape.schema);
        assert!(Event::reads(shape.name, shape.schema));
    }
    for (name, schema) in Event::types() {
        let versions: Vec<i16> = Event::shapes().filter(|shape| shape.name == name).map(|shape| shape.schema).collect();
        assert_eq!(versions, (1..=schema).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn what_was_held_before_there_were_contracts_is_under_the_one_that_everybody_had() {
    let read = |schema| match Event::from_json("reservation.held", schema, &golden("reservation.held", schema)).unwrap()
    {
        Event::Reservation(reservation::Event::Held(held)) => held.contract,
        other => panic!("{}", other.name()),
    };
    let theirs =
        |merchant_account| Contract { flow: Flow::ManagerCollects, commission: BasisPoints(1_500), merchant_account };
    assert_eq!(read(1), Contract::default());
    assert_eq!(read(2), theirs(None));
    assert_eq!(read(3), theirs(None));
    assert_eq!(read(4), theirs(Some(Slug::new("terrains-de-fatou").unwrap())));
}

#[test]
fn no_golden_file_is_changed_removed_or_left_over() {
    let index = fs::read_to_string(folder("golden").join("INDEX")).unwrap();
    let frozen: BTreeMap<&str, &str> =
        index.lines().filter_map(|line| line.split_once("  ")).map(|(d, f)| (f, d)).collect();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder("golden")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if file == "INDEX" {
            continue;
        }
        let bytes = fs::read(folder("golden").join(&file)).unwrap();
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(frozen.get(file.as_str()), Some(&digest.as_str()), "golden/INDEX: {file} is not what was written");
        found.insert(file);
    }
    let missing: Vec<_> = frozen.keys().filter(|file| !found.contains(**file)).collect();
    assert!(missing.is_empty(), "{missing:?} were written once and must be readable for ever");
    let known: BTreeSet<String> =
        Event::shapes().map(|shape| format!("{}.v{}.json", shape.name, shape.schema)).collect();
    assert_eq!(found, known, "an event is gone, or an older schema has no upcaster");
}

#[test]
fn what_this_version_does_not_know_stops_it() {
    for newer in [5, 0, -1, i16::MAX] {
        assert!(
            matches!(Event::from_json("reservation.held", newer, "{}"), Err(DecodeError::Unknown { .. })),
            "{newer}"
        );
        assert!(!Event::reads("reservation.held", newer));
    }
    assert!(matches!(Event::from_json("reservation.sold", 1, "{}"), Err(DecodeError::Unknown { .. })));
    assert!(matches!(Event::from_json("reservation.held", 1, "{}"), Err(DecodeError::Data { .. })));
}

#[test]
fn what_goes_outside_lacks_what_is_withheld_and_nothing_else() {
    for shape in Event::shapes() {
        let inside = golden(shape.name, shape.schema);
        let out = outside(shape.name, &inside).unwrap();
        let (mut inside, out): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&inside).unwrap(), serde_json::from_str(&out).unwrap());
        inside.as_object_mut().unwrap().retain(|member, _| !withheld(shape.name).contains(&member.as_str()));
        assert_eq!(inside, out);
    }
    let registered = outside("client.registered", &golden("client.registered", 1)).unwrap().into_owned();
    assert!(!registered.contains("c2VhbGVk") && !registered.contains("00ff00ff"), "{registered}");
    // Of a version that is not known here.
    assert_eq!(outside("client.moved", r#"{"phone":"x","street":1}"#).unwrap(), r#"{"street":1}"#);
}

#[test]
fn a_filter_knows_every_event_and_every_noun() {
    let mut choices: Vec<String> = Event::types().map(|(name, _)| name.to_owned()).collect();
    let nouns: BTreeSet<String> =
        choices.iter().filter_map(|name| name.split_once('.')).map(|(noun, _)| format!("{noun}.*")).collect();
    choices.extend(nouns);
    choices.sort();
    let mut known: Vec<&str> = Event::CHOICES.to_vec();
    known.sort_unstable();
    assert_eq!(choices, known);
}
