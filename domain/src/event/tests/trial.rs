//! An event that only tests write, in its third version: how what was stored in the first and the second is read.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::event::{DecodeError, Members, events};

events! { "trial" in "trial/" {
    Scored = "trial.scored" v 3 from [1 => one_to_two, 2 => two_to_three],
    Whistled = "trial.whistled" v 1,
} }

/// Somebody scored. Version 1 knew only the team's name and a number, version 2 called the number points, version 3 says
/// what was counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Scored {
    pub side: Side,
    pub points: Points,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Side {
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Points {
    pub value: u32,
    pub unit: String,
}

/// The referee blew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Whistled {
    pub minute: u32,
}

/// `team` became `side.name`, `goals` became `points`.
fn one_to_two(mut data: Members) -> Members {
    let (team, goals) = (data.remove("team"), data.remove("goals"));
    data.insert("side".into(), json!({ "name": team }));
    data.insert("points".into(), json!(goals));
    data
}

/// `points` says what was counted; until then only goals were.
fn two_to_three(mut data: Members) -> Members {
    let value = data.remove("points");
    data.insert("points".into(), json!({ "value": value, "unit": "goal" }));
    data
}

fn scored(name: &str, value: u32) -> Event {
    let points = Points { value, unit: "goal".into() };
    Event::Scored(Scored { side: Side { name: name.into() }, points })
}

proptest! {
    #[test]
    fn every_version_reads_as_the_present_one(name in ".{0,20}", goals: u32) {
        let one = json!({ "team": name, "goals": goals }).to_string();
        let two = json!({ "side": { "name": name }, "points": goals }).to_string();
        let now = scored(&name, goals);
        for (schema, stored) in [(1, &one), (2, &two), (3, &now.to_json().unwrap())] {
            let before = stored.clone();
            prop_assert_eq!(Event::from_json("trial.scored", schema, stored).unwrap(), Some(now.clone()));
            prop_assert_eq!(&before, stored);
        }
        // Step by step is the same as at once.
        let stepped = Value::Object(one_to_two(serde_json::from_str(&one).unwrap()));
        prop_assert_eq!(Event::from_json("trial.scored", 2, &stepped.to_string()).unwrap(), Some(now));
    }

    #[test]
    fn what_does_not_fit_is_an_error_in_every_version(schema in 1_i16..=3, text in "[a-z{}\\[\\]\":0-9]{0,40}") {
        if let Err(error) = Event::from_json("trial.scored", schema, &text) {
            let is_data = matches!(error, DecodeError::Data { .. });
            prop_assert!(is_data);
        }
    }
}

#[test]
fn a_number_that_never_was_is_unknown() {
    for (name, schema) in [("trial.scored", 4), ("trial.scored", 0), ("trial.scored", -1), ("trial.whistled", 2)] {
        let read = Event::from_json(name, schema, r#"{"minute":1}"#);
        assert!(matches!(read, Err(DecodeError::Unknown { .. })), "{name} v{schema}: {read:?}");
    }
    assert_eq!(Event::from_json("trial.sold", 1, "{}").unwrap(), None);
}

#[test]
fn all_versions_are_known_and_each_has_the_schema_it_was_written_with() {
    let shapes: Vec<_> = Event::SHAPES.iter().map(|shape| (shape.name, shape.schema)).collect();
    assert_eq!(shapes, [("trial.scored", 1), ("trial.scored", 2), ("trial.scored", 3), ("trial.whistled", 1)]);
    let samples: Vec<Value> =
        Event::SHAPES.iter().take(3).map(|shape| serde_json::from_str(shape.sample).unwrap()).collect();
    for (shape, stored) in Event::SHAPES.iter().zip(&samples) {
        let schema: Value = serde_json::from_str(shape.document).unwrap();
        for sample in &samples {
            assert_eq!(jsonschema::is_valid(&schema, sample), sample == stored, "v{}: {sample}", shape.schema);
        }
        assert_eq!(Event::from_json(shape.name, shape.schema, shape.sample).unwrap(), Some(scored("Lions", 2)));
    }
    assert_eq!(Event::KIND, "trial");
    assert_eq!((Event::ALL, Event::TYPES.len()), ("trial.*", 2));
    let whistled = Event::from(Whistled { minute: 90 });
    assert_eq!((whistled.name(), whistled.schema()), ("trial.whistled", 1));
}
