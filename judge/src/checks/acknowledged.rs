//! What was acknowledged is in the log, at the position that was answered or before it.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    court::{Court, Objection},
    event::Time,
    history::{Call, Outcome},
    input::Input,
    story::{Booking, Point, Story},
};

const PLACE: &str = "acknowledged.place";
const CANCEL: &str = "acknowledged.cancel";
const RESCHEDULE: &str = "acknowledged.reschedule";
const PAY: &str = "acknowledged.pay";

pub(super) fn check(input: &Input, story: &Story, court: &mut Court<'_>) {
    let mut owners: HashMap<Uuid, String> = HashMap::new();
    for (name, op) in [(PLACE, "place"), (CANCEL, "cancel"), (RESCHEDULE, "reschedule"), (PAY, "pay")] {
        let acknowledged: Vec<&Call> = input.history.of_op(op).filter(|call| call.outcome == Outcome::Ok).collect();
        court.saw(name, acknowledged.len());
        for call in acknowledged {
            let wrong = match name {
                PLACE => place(call, story, input.stage.site_id).or_else(|| taken_over(call, &mut owners)),
                CANCEL => cancel(call, story),
                RESCHEDULE => reschedule(call, story),
                _ => pay(call, story),
            };
            if let Some(said) = wrong {
                let objection = Objection::new(said).by(call.id).of(call.key.as_deref());
                court.object(name, objection);
            }
        }
    }
}

/// The booking of an answer, as it was at the position that was answered.
fn answered<'a>(call: &Call, id: Uuid, story: &'a Story) -> Result<(&'a Booking, &'a Point), String> {
    let position = call.position.ok_or("acknowledged without a position")?;
    if position > story.head {
        return Err(format!("acknowledged at position {position}, but the log ends at {}", story.head));
    }
    let booking = story.bookings.get(&id).ok_or(format!("reservation {id} was acknowledged and is not in the log"))?;
    let point = booking.at(position);
    let point = point.ok_or(format!("reservation {id} was acknowledged at {position} and is only recorded later"))?;
    Ok((booking, point))
}

fn place(call: &Call, story: &Story, site: Uuid) -> Option<String> {
    let Some(id) = call.said.reservation else { return Some("acknowledged without a reservation".to_owned()) };
    let (booking, point) = match answered(call, id, story) {
        Ok(found) => found,
        Err(said) => return Some(said),
    };
    let held = booking.first()?;
    if !is_at(held, call) || booking.site != call.about.site.unwrap_or(site) {
        let (pitch, from, to) = (held.pitch, held.starts_at, held.ends_at);
        return Some(format!("reservation {id} was held for {pitch} from {from} to {to}, which nobody asked for"));
    }
    let confirmed = booking.points.iter().any(|p| p.position <= point.position && p.status == "confirmed");
    if call.said.status.as_deref() == Some("confirmed") && !confirmed {
        return Some(format!("reservation {id} was said to be confirmed and was {} then", point.status));
    }
    None
}

/// Two keys that were answered with one reservation: one of them has nothing.
fn taken_over(call: &Call, owners: &mut HashMap<Uuid, String>) -> Option<String> {
    let id = call.said.reservation?;
    let owner = owners.entry(id).or_insert_with(|| call.identity());
    (*owner != call.identity()).then(|| format!("reservation {id} was acknowledged to `{owner}` before"))
}

fn cancel(call: &Call, story: &Story) -> Option<String> {
    let Some(id) = call.about.reservation else { return Some("a cancellation of nothing".to_owned()) };
    match answered(call, id, story) {
        Ok((_, point)) if point.status == "cancelled" => None,
        Ok((_, point)) => Some(format!("reservation {id} was said to be cancelled and was {} then", point.status)),
        Err(said) => Some(said),
    }
}

fn reschedule(call: &Call, story: &Story) -> Option<String> {
    let Some(id) = call.about.reservation else { return Some("a move of nothing".to_owned()) };
    match answered(call, id, story) {
        Ok((_, now)) if is_at(now, call) => None,
        // Nothing to do is answered at the head: somebody else may have moved it on by then.
        Ok((booking, now)) if moved_there(booking, now, call) => None,
        Ok((_, now)) => {
            let (pitch, from) = (now.pitch, now.starts_at);
            Some(format!("reservation {id} was said to be moved and stood on {pitch} from {from} then"))
        }
        Err(said) => Some(said),
    }
}

/// Whether it was moved there before.
fn moved_there(booking: &Booking, now: &Point, call: &Call) -> bool {
    let moves = booking.points.windows(2).filter_map(|pair| match pair {
        [before, after] if (before.pitch, before.starts_at) != (after.pitch, after.starts_at) => Some(after),
        _ => None,
    });
    moves.take_while(|point| point.position <= now.position).any(|point| is_at(point, call))
}

/// Whether it stands where the call wanted it.
fn is_at(point: &Point, call: &Call) -> bool {
    let about = &call.about;
    let minutes = (point.ends_at - point.starts_at).num_minutes();
    about.pitch.is_none_or(|pitch| pitch == point.pitch)
        && about.starts_at.is_none_or(|starts_at: Time| starts_at == point.starts_at)
        && about.minutes.is_none_or(|wanted| wanted == minutes)
}

fn pay(call: &Call, story: &Story) -> Option<String> {
    let Some(reference) = &call.about.reference else { return Some("a payment of nothing".to_owned()) };
    let payment = story.references.get(reference).and_then(|id| story.payments.get(id));
    match payment {
        Some(payment) if payment.status == "succeeded" => None,
        Some(payment) => Some(format!("payment {} was paid and is {}", payment.id, payment.status)),
        None => Some(format!("a payment with the reference {reference} was paid and nobody asked for it")),
    }
}
