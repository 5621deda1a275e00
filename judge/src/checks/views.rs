//! What was read is what the log said at that position: answers to clients, and the view as it is at the end.

use std::collections::HashSet;

use crate::{
    court::{Court, Objection},
    history::{Call, Outcome},
    input::Input,
    story::Story,
};

const FRESH: &str = "reads.fresh";
const PREFIX: &str = "reads.prefix";
const VIEW: &str = "reads.view";

pub(super) fn check(input: &Input, story: &Story, court: &mut Court<'_>) {
    let reads: Vec<&Call> = input.history.of_op("read").filter(|call| call.outcome == Outcome::Ok).collect();
    court.saw(FRESH, reads.len());
    court.saw(PREFIX, reads.len());
    for call in reads {
        if let Some(said) = stale(call) {
            court.object(FRESH, Objection::new(said).by(call.id));
        }
        if let Some(said) = invented(call, story) {
            court.object(PREFIX, Objection::new(said).by(call.id));
        }
    }
    view(input, story, court);
}

fn stale(call: &Call) -> Option<String> {
    let Some(as_of) = call.said.as_of_position else { return Some("read without a position".to_owned()) };
    let wanted = call.about.min_position.unwrap_or(0);
    (as_of < wanted).then(|| format!("asked for position {wanted} and was shown {as_of}"))
}

fn invented(call: &Call, story: &Story) -> Option<String> {
    let (id, as_of) = (call.about.reservation?, call.said.as_of_position?);
    if as_of > story.head {
        return Some(format!("reservation {id} was shown as of {as_of}, but the log ends at {}", story.head));
    }
    let Some(point) = story.bookings.get(&id).and_then(|booking| booking.at(as_of)) else {
        return Some(format!("reservation {id} was shown as of {as_of}, when there was none"));
    };
    let said = &call.said;
    if said.status.as_deref() != Some(point.status) {
        let shown = said.status.as_deref().unwrap_or("nothing");
        return Some(format!("reservation {id} was shown as {shown} and was {} at {as_of}", point.status));
    }
    let there = said.pitch.is_none_or(|pitch| pitch == point.pitch)
        && said.starts_at.is_none_or(|starts_at| starts_at == point.starts_at);
    (!there).then(|| format!("reservation {id} was shown elsewhere than it was at {as_of}"))
}

fn view(input: &Input, story: &Story, court: &mut Court<'_>) {
    court.saw(VIEW, input.views.len().max(story.bookings.len()));
    let mut shown = HashSet::new();
    for row in &input.views {
        let id = row.reservation_id;
        if !shown.insert(id) {
            court.object(VIEW, Objection::new(format!("reservation {id} is shown twice")));
        }
        let Some(point) = story.bookings.get(&id).and_then(|booking| booking.last()) else {
            court.object(VIEW, Objection::new(format!("reservation {id} is shown and is not in the log")));
            continue;
        };
        if row.status != point.status {
            let said = format!("reservation {id} is shown as {} and is {}", row.status, point.status);
            court.object(VIEW, Objection::new(said).at(point.position));
        } else if (row.pitch_id, row.starts_at, row.ends_at) != (point.pitch, point.starts_at, point.ends_at) {
            let said = format!("reservation {id} is shown elsewhere than it is");
            court.object(VIEW, Objection::new(said).at(point.position));
        }
    }
    for booking in story.in_order().into_iter().filter(|booking| !shown.contains(&booking.id)) {
        let position = booking.last().map_or(0, |point| point.position);
        let said = format!("reservation {} is in the log and not shown", booking.id);
        court.object(VIEW, Objection::new(said).at(position));
    }
}
