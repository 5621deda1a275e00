//! The same key, the same answer: reservation, status and every byte of the body.

use std::collections::HashMap;

use crate::{
    court::{Court, Objection},
    history::{Call, Outcome},
    input::Input,
};

const SAME: &str = "same_key.same_answer";

pub(super) fn check(input: &Input, court: &mut Court<'_>) {
    let answered = input.history.calls.iter().filter(|call| call.outcome == Outcome::Ok && call.key.is_some());
    let mut first: HashMap<(&str, &str), &Call> = HashMap::new();
    let mut repeated = 0;
    let mut wrong = Vec::new();
    for call in answered {
        let Some(key) = call.key.as_deref() else { continue };
        match first.get(&(call.op.as_str(), key)) {
            None => drop(first.insert((&call.op, key), call)),
            Some(before) => {
                repeated += 1;
                wrong.extend(difference(before, call).map(|said| (call, said)));
            }
        }
    }
    court.saw(SAME, repeated);
    for (call, said) in wrong {
        court.object(SAME, Objection::new(said).by(call.id).of(call.key.as_deref()));
    }
}

fn difference(before: &Call, after: &Call) -> Option<String> {
    let first = before.id;
    if before.said.reservation != after.said.reservation {
        return Some(format!("another reservation than call {first} was answered"));
    }
    if before.status != after.status {
        return Some(format!("another status than call {first} was answered"));
    }
    (before.sha != after.sha).then(|| format!("another body than call {first} was answered"))
}
