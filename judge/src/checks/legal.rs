//! Every event is a step of a published state machine, and stands where it says it stands.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    court::{Court, Objection},
    event::{Event, Fact, Slot},
    input::Input,
    machine::{self, ABSENT},
};

const RESERVATION: &str = "legal.reservation";
const PAYMENT: &str = "legal.payment";
const REFUND: &str = "legal.refund";

/// What the machines stand at.
#[derive(Default)]
struct States<'a> {
    states: HashMap<Uuid, &'static str>,
    slots: HashMap<Uuid, &'a Slot>,
    attempts: HashMap<Uuid, u16>,
}

pub(super) fn check(input: &Input, court: &mut Court<'_>) {
    let mut states = States::default();
    for name in [RESERVATION, PAYMENT, REFUND] {
        court.saw(name, 0);
    }
    for event in &input.log {
        let name = match event.name.split_once('.') {
            Some(("reservation", _)) => RESERVATION,
            Some(("payment", _)) => PAYMENT,
            Some(("refund", _)) => REFUND,
            _ => continue,
        };
        court.saw(name, 1);
        if let Some(said) = states.step(event) {
            court.object(name, Objection::new(format!("{}: {said}", event.stream_id)).at(event.position));
        }
    }
}

impl<'a> States<'a> {
    fn step(&mut self, event: &'a Event) -> Option<String> {
        let state = self.states.entry(event.stream_id).or_insert(ABSENT);
        let before = *state;
        *state = machine::next(before, &event.name);
        let Some(step) = machine::find(&event.name) else {
            return Some(format!("{} is not in the state machine", event.name));
        };
        let legal = if step.after.contains(&before) {
            machine::condition(before, &event.fact).map(str::to_owned)
        } else {
            let before = if before == ABSENT { "nothing" } else { before };
            Some(format!("{} follows {before}", event.name))
        };
        legal.or(self.place(event)).or(self.attempt(event))
    }

    /// A move begins where the reservation was; cells claimed again are those of the reservation.
    fn place(&mut self, event: &'a Event) -> Option<String> {
        let id = event.stream_id;
        match &event.fact {
            Fact::Held(held) => {
                self.slots.insert(id, &held.slot);
                None
            }
            Fact::Rescheduled(moved) => {
                let before = self.slots.insert(id, &moved.to);
                (before != Some(&moved.from)).then(|| "it is moved from where it was not".to_owned())
            }
            Fact::Confirmed(confirmed) => {
                let slot = confirmed.reclaims.as_ref()?;
                (self.slots.get(&id) != Some(&slot)).then(|| "it claims again what it never had".to_owned())
            }
            _ => None,
        }
    }

    /// Each group of tries of a refund has the next number, and so a key of its own.
    fn attempt(&mut self, event: &Event) -> Option<String> {
        let Fact::RefundSubmitted(submitted) = &event.fact else { return None };
        let before = self.attempts.insert(event.stream_id, submitted.attempt).unwrap_or(0);
        (submitted.attempt != before + 1).then(|| format!("attempt {} follows attempt {before}", submitted.attempt))
    }
}
