//! Nothing is in the log that nobody asked for, and nobody was refused what had been done for them.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    court::{Court, Objection},
    event::{Event, Fact, Time},
    history::{Call, Outcome},
    input::Input,
    story::{Booking, Story},
};

const HELD: &str = "explained.held";
const CANCELLED: &str = "explained.cancelled";
const RESCHEDULED: &str = "explained.rescheduled";
const REFUSALS: &str = "explained.refusals";

/// Clients and engine share a machine; their clocks are compared this exactly. The engine's may run ahead (its test
/// clock is advanced), never behind.
const SLACK: TimeDelta = TimeDelta::seconds(2);

pub(super) fn check(input: &Input, story: &Story, court: &mut Court<'_>) {
    let keys = keys(input, "place");
    let owners = held(input, story, &keys, court);
    cancelled(input, story, court);
    rescheduled(input, story, court);
    refusals(&keys, &owners, court);
}

/// The attempts made under one key, in order.
struct Key<'a> {
    identity: String,
    attempts: Vec<&'a Call>,
}

impl Key<'_> {
    fn reservation(&self) -> Option<Uuid> {
        self.attempts.iter().filter(|call| call.outcome == Outcome::Ok).find_map(|call| call.said.reservation)
    }

    /// The first attempt that may have happened without an answer.
    fn uncertain(&self) -> Option<&Call> {
        self.attempts.iter().copied().find(|call| call.outcome == Outcome::Maybe)
    }

    fn explains(&self) -> bool {
        self.attempts.iter().any(|call| call.outcome != Outcome::Fail)
    }
}

/// The keys of an operation, in the order of their first attempts.
fn keys<'a>(input: &'a Input, op: &'a str) -> Vec<Key<'a>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut keys: Vec<Key<'a>> = Vec::new();
    for call in input.history.of_op(op) {
        let place = *places.entry(call.identity()).or_insert(keys.len());
        match keys.get_mut(place) {
            Some(key) => key.attempts.push(call),
            None => keys.push(Key { identity: call.identity(), attempts: vec![call] }),
        }
    }
    keys
}

/// Where, when, how long and as whom: what an attempt and a reservation have in common.
type Wish = (Uuid, Time, i64, String);

fn wish(call: &Call) -> Option<Wish> {
    let about = &call.about;
    Some((about.pitch?, about.starts_at?, about.minutes?, about.r#as.clone()?))
}

fn wish_of(booking: &Booking) -> Option<Wish> {
    let held = booking.first()?;
    let minutes = (held.ends_at - held.starts_at).num_minutes();
    Some((held.pitch, held.starts_at, minutes, booking.placed_by.clone()))
}

/// Objects to what nobody placed, and answers whose reservation is whose: by answer, or because nobody else can have placed it.
fn held<'a>(input: &Input, story: &'a Story, keys: &[Key<'_>], court: &mut Court<'_>) -> HashMap<String, &'a Booking> {
    let mut owners = HashMap::new();
    let mut acknowledged = HashSet::new();
    // Of each wish the keys that were never answered, by when they first may have arrived.
    let mut uncertain: HashMap<Wish, Vec<(Time, &str)>> = HashMap::new();
    for key in keys {
        if let Some(id) = key.reservation() {
            acknowledged.insert(id);
            owners.extend(story.bookings.get(&id).map(|booking| (key.identity.clone(), booking)));
        } else if let Some((call, wish)) = key.uncertain().and_then(|call| Some((call, wish(call)?))) {
            uncertain.entry(wish).or_default().push((call.invoked_at, &key.identity));
        }
    }
    uncertain.values_mut().for_each(|candidates| candidates.sort_unstable());
    let bookings: Vec<&Booking> =
        story.in_order().into_iter().filter(|booking| booking.site == input.stage.site_id).collect();
    court.saw(HELD, bookings.len());
    let mut used: HashMap<Wish, usize> = HashMap::new();
    for booking in bookings.into_iter().filter(|booking| !acknowledged.contains(&booking.id)) {
        let Some(wish) = wish_of(booking) else { continue };
        let candidates = uncertain.get(&wish).map(Vec::as_slice).unwrap_or_default();
        // They are sorted, and so are the bookings: whoever may have placed an earlier one may have placed a later one, too.
        let in_time = candidates.partition_point(|(invoked, _)| *invoked <= booking.held_at + SLACK);
        let used = used.entry(wish).or_insert(0);
        if *used >= in_time {
            let position = booking.first().map_or(0, |point| point.position);
            let said = format!("reservation {} was placed by nobody whose call may have succeeded", booking.id);
            court.object(HELD, Objection::new(said).at(position));
            continue;
        }
        *used += 1;
        if let [(_, only)] = candidates {
            owners.insert((*only).to_owned(), booking);
        }
    }
    owners
}

fn cancelled(input: &Input, story: &Story, court: &mut Court<'_>) {
    let keys = keys(input, "cancel");
    let asked: HashSet<Uuid> =
        keys.iter().filter(|key| key.explains()).filter_map(|key| key.attempts.first()?.about.reservation).collect();
    let mut closed = HashSet::new();
    for event in &input.log {
        if let Fact::ClosureScheduled(closure) = &event.fact {
            closed.extend(closure.hits.iter().copied());
        }
    }
    let mut looked_at = 0;
    let mut unexplained = Vec::new();
    for (event, id) in of_site(input, story, |fact| match fact {
        Fact::Cancelled(cancelled) => {
            matches!(cancelled.by.role.as_str(), "service" | "manager").then_some(cancelled.reservation_id)
        }
        _ => None,
    }) {
        looked_at += 1;
        if !asked.contains(&id) && !closed.contains(&id) {
            unexplained.push((event.position, id));
        }
    }
    court.saw(CANCELLED, looked_at);
    for (position, id) in unexplained {
        let said = format!("reservation {id} was cancelled by nobody whose call may have succeeded");
        court.object(CANCELLED, Objection::new(said).at(position));
    }
}

fn rescheduled(input: &Input, story: &Story, court: &mut Court<'_>) {
    // One key moves a reservation once.
    let mut left: HashMap<(Uuid, Uuid, Time, i64), usize> = HashMap::new();
    for key in keys(input, "reschedule").iter().filter(|key| key.explains()) {
        let Some(about) = key.attempts.first().map(|call| &call.about) else { continue };
        if let (Some(id), Some(pitch), Some(starts_at), Some(minutes)) =
            (about.reservation, about.pitch, about.starts_at, about.minutes)
        {
            *left.entry((id, pitch, starts_at, minutes)).or_insert(0) += 1;
        }
    }
    let moves: Vec<(&Event, Uuid)> = of_site(input, story, |fact| match fact {
        Fact::Rescheduled(moved) => Some(moved.reservation_id),
        _ => None,
    })
    .collect();
    court.saw(RESCHEDULED, moves.len());
    for (event, id) in moves {
        let Fact::Rescheduled(moved) = &event.fact else { continue };
        let during = moved.to.during;
        let to = (id, moved.to.pitch_id, during.from, (during.to - during.from).num_minutes());
        match left.get_mut(&to) {
            Some(count) if *count > 0 => *count -= 1,
            _ => {
                let said = format!("reservation {id} was moved by nobody whose call may have succeeded");
                court.object(RESCHEDULED, Objection::new(said).at(event.position));
            }
        }
    }
}

/// Events about reservations of the site that was played on.
fn of_site<'a>(
    input: &'a Input,
    story: &'a Story,
    chosen: impl Fn(&Fact) -> Option<Uuid> + 'a,
) -> impl Iterator<Item = (&'a Event, Uuid)> {
    let site = input.stage.site_id;
    let chosen = input.log.iter().filter_map(move |event| Some((event, chosen(&event.fact)?)));
    chosen.filter(move |(_, id)| story.bookings.get(id).is_some_and(|booking| booking.site == site))
}

/// A repetition that is refused although its own reservation had been recorded before it began, and still stood.
fn refusals(keys: &[Key<'_>], owners: &HashMap<String, &Booking>, court: &mut Court<'_>) {
    let refused = keys.iter().flat_map(|key| key.attempts.iter().map(move |call| (key, *call)));
    let refused: Vec<_> = refused.filter(|(_, call)| call.outcome == Outcome::Fail).collect();
    court.saw(REFUSALS, refused.len());
    for (key, call) in refused {
        // The key was used for another wish: that is refused whatever became of the first.
        if key.attempts.first().is_some_and(|first| first.about != call.about) {
            continue;
        }
        let Some(booking) = owners.get(&key.identity) else { continue };
        let Some(held) = booking.first() else { continue };
        // Who was told of a later position has seen it recorded; otherwise the clocks must say so.
        let told = court.history().told_by(held.position).is_some_and(|n| n < call.invoked);
        let recorded = told || booking.held_at < call.invoked_at;
        let stands = booking.freed_at.is_none_or(|freed| freed > call.invoked_at);
        if recorded && stands {
            let code = call.code.as_deref().unwrap_or("no code");
            let said = format!("refused ({code}) though reservation {} of the same key had been recorded", booking.id);
            court.object(REFUSALS, Objection::new(said).at(held.position).by(call.id).of(call.key.as_deref()));
        }
    }
}
