//! A story from the log: scenes in the order of positions, and how things stood at the end.

use std::collections::HashMap;

use domain::Timestamp;
use domain::aggregate::Aggregate;
use domain::event::Event;
use domain::ids::{PaymentId, RefundId, ReservationId};
use domain::payment::{self, Payment};
use domain::refund::Refund;
use domain::reservation::Reservation;
use eventstore::{Moment, Recorded, Store};
use serde_json::{Value, json};
use uuid::Uuid;
use workers::effect::Consequence;

use super::What;

/// One event, readable.
pub(super) struct Scene {
    pub position: i64,
    pub at: Timestamp,
    pub by: String,
    pub kind: String,
    pub details: String,
    /// The position of the event it follows from.
    pub cause: Option<i64>,
    pub effects: Vec<String>,
    event_id: Uuid,
    stream_id: Uuid,
}

pub(super) struct Story {
    pub scenes: Vec<Scene>,
    /// Noun and state of what was told of.
    pub states: Vec<(String, String)>,
}

/// # Errors
/// One line.
pub(super) async fn tell(store: &Store, what: What, id: Uuid, moment: Moment) -> Result<Story, String> {
    let own = store.read_streams_until(&[id], moment.position).await.map_err(|error| error.to_string())?;
    match own.first().map(|event| event.name.starts_with(&format!("{}.", what.noun()))) {
        Some(true) => {}
        Some(false) => return Err(format!("{id} is no {}", what.noun())),
        None => return Err(format!("there was no {} {id} at position {}", what.noun(), moment.position)),
    }
    let streams = streams(store, what, id, moment).await?;
    let events = store.read_streams_until(&streams, moment.position).await.map_err(|error| error.to_string())?;
    let positions: Vec<i64> = events.iter().map(|event| event.position).collect();
    let consequences = workers::effect::caused_by(store.pool(), &positions).await.map_err(|error| error.to_string())?;
    let known: HashMap<Uuid, i64> = events.iter().map(|event| (event.event_id, event.position)).collect();
    let scenes = events.iter().map(|event| scene(event, &known, &consequences, moment)).collect();
    let mut states = Vec::new();
    for stream in streams {
        states.extend(state(store, &events, stream, moment).await?);
    }
    Ok(Story { scenes, states })
}

/// What belongs to it: of a reservation its payments and their refunds, as the log tells.
async fn streams(store: &Store, what: What, id: Uuid, moment: Moment) -> Result<Vec<Uuid>, String> {
    let mut streams = vec![id];
    if what != What::Reservation {
        return Ok(streams);
    }
    let (_, payments) = projections::payment::of_reservation(store.pool(), ReservationId::new(id))
        .await
        .map_err(|error| error.to_string())?;
    // The views know attempts that brought nothing, too; those that paid are in the log itself.
    let reservation: Reservation = folded(store, ReservationId::new(id), moment).await?;
    let mut all: Vec<Uuid> = reservation.paying().iter().map(|payment| payment.uuid()).collect();
    all.extend(payments.iter().map(|payment| payment.payment_id.uuid()));
    for stream in all {
        if streams.contains(&stream) {
            continue;
        }
        streams.push(stream);
        for event in store.read_streams_until(&[stream], moment.position).await.map_err(|error| error.to_string())? {
            if let Ok(Event::Payment(payment::Event::RefundAllotted(allotted))) = event.event()
                && !streams.contains(&allotted.refund_id.uuid())
            {
                streams.push(allotted.refund_id.uuid());
            }
        }
    }
    Ok(streams)
}

fn scene(event: &Recorded, known: &HashMap<Uuid, i64>, consequences: &[Consequence], moment: Moment) -> Scene {
    let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
    let by = event.meta.actor;
    let effects = consequences.iter().filter(|effect| effect.cause_position == event.position);
    Scene {
        position: event.position,
        at: event.recorded_at,
        by: by.id.map_or_else(|| by.role.as_str().to_owned(), |id| format!("{} {}", by.role.as_str(), id.uuid())),
        kind: event.name.clone(),
        details: details(&data),
        cause: event.meta.causation.and_then(|cause| known.get(&cause).copied()),
        effects: effects.map(|effect| told(effect, moment)).collect(),
        event_id: event.event_id,
        stream_id: event.stream_id,
    }
}

/// An effect as it stood at the moment.
fn told(effect: &Consequence, moment: Moment) -> String {
    match effect.finished_at.filter(|at| *at <= moment.at) {
        Some(at) => format!("{} {} {}", effect.kind, effect.state, at.format("%H:%M:%S")),
        None => format!("{} due {}", effect.kind, effect.due_at.format("%Y-%m-%d %H:%M:%S")),
    }
}

/// The plain members of an event that a reader wants: no ids, no times of recording, nothing sealed.
fn details(data: &Value) -> String {
    let Some(members) = data.as_object() else { return String::new() };
    let hidden = ["at", "by", "phone", "phone_hash", "name", "email", "secret_hash", "code", "placed_by"];
    let shown = members.iter().filter(|(name, _)| !name.ends_with("_id") && !hidden.contains(&name.as_str()));
    let texts = shown.filter_map(|(name, value)| match value {
        Value::String(text) => Some(format!("{name} {text}")),
        Value::Number(number) => Some(format!("{name} {number}")),
        Value::Bool(flag) => Some(format!("{name} {flag}")),
        Value::Object(money) => {
            let (amount, currency) = (money.get("amount")?.as_i64()?, money.get("currency")?.as_str()?);
            Some(format!("{name} {amount} {currency}"))
        }
        Value::Null | Value::Array(_) => None,
    });
    texts.collect::<Vec<_>>().join(", ")
}

async fn state(
    store: &Store,
    events: &[Recorded],
    stream: Uuid,
    moment: Moment,
) -> Result<Option<(String, String)>, String> {
    let Some(first) = events.iter().find(|event| event.stream_id == stream) else { return Ok(None) };
    let noun = first.name.split('.').next().unwrap_or_default().to_owned();
    let status = match noun.as_str() {
        "reservation" => folded::<Reservation>(store, ReservationId::new(stream), moment).await?.status.as_str(),
        "payment" => folded::<Payment>(store, PaymentId::new(stream), moment).await?.status.as_str(),
        "refund" => folded::<Refund>(store, RefundId::new(stream), moment).await?.status.as_str(),
        _ => return Ok(None),
    };
    Ok(Some((noun, status.to_owned())))
}

async fn folded<A: Aggregate>(store: &Store, id: A::Id, moment: Moment) -> Result<A, String> {
    store.load_until::<A>(id, moment.position).await.map(|loaded| loaded.state).map_err(|error| error.to_string())
}

pub(super) fn as_json(what: What, id: Uuid, moment: Moment, story: &Story) -> Value {
    let scenes: Vec<Value> = story
        .scenes
        .iter()
        .map(|scene| {
            json!({
                "position": scene.position, "event_id": scene.event_id, "stream_id": scene.stream_id,
                "type": scene.kind, "recorded_at": scene.at, "by": scene.by, "details": scene.details,
                "cause": scene.cause, "effects": scene.effects,
            })
        })
        .collect();
    let states: Vec<Value> = story.states.iter().map(|(noun, state)| json!({ "noun": noun, "state": state })).collect();
    json!({
        "what": what.noun(), "id": id, "as_of_position": moment.position, "as_of": moment.at,
        "events": scenes, "states": states,
    })
}
