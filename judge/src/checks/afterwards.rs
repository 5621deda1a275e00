//! What must be so once everything is quiet: effects done, texts sent once, views and copies equal to the log, proofs
//! good, nothing left open.

use std::collections::HashMap;

use crate::{
    court::{Court, Objection},
    input::{Effect, Input, Rebuilt, Sms},
    machine,
    story::Story,
};

const EFFECTS: &str = "effects.done";
const SENDS: &str = "sends.once";
const REBUILD: &str = "rebuild.equal";
const BUS: &str = "bus.whole";
const VERIFY: &str = "verify.proven";
const HOLDS: &str = "live.holds";
const PAYMENTS: &str = "live.payments";

pub(super) fn check(input: &Input, story: &Story, court: &mut Court<'_>) {
    effects(input, story, court);
    sends(input, court);
    rebuild(input, story, court);
    court.saw(BUS, 1);
    let (bus, head) = (input.bus, story.head);
    if (bus.messages, bus.last_position) != (head, head) {
        let said = format!("the bus has {} messages up to {}, the log {head}", bus.messages, bus.last_position);
        court.object(BUS, Objection::new(said));
    }
    court.saw(VERIFY, 1);
    if !input.verify.ok {
        court.object(VERIFY, Objection::new(format!("the export is not proven: {}", input.verify.said)));
    }
    open(story, court);
}

fn effects(input: &Input, story: &Story, court: &mut Court<'_>) {
    court.saw(EFFECTS, input.effects.count);
    for effect in &input.effects.left {
        let Effect { key, kind, state, due_at, cause_position, last_error } = effect;
        let due = story.now.is_some_and(|now| *due_at <= now);
        // Whatever is ready and not due waits for its time: a reminder, the end of a match.
        if state == "ready" && !due {
            continue;
        }
        let why = last_error.as_deref().unwrap_or("no error");
        let said = format!("effect {kind} `{key}` is {state}, due at {due_at} ({why})");
        court.object(EFFECTS, Objection::new(said).at(*cause_position));
    }
}

fn sends(input: &Input, court: &mut Court<'_>) {
    court.saw(SENDS, input.sms.len());
    let mut seen: HashMap<(&str, &str), usize> = HashMap::new();
    for Sms { to, text } in &input.sms {
        *seen.entry((to, text)).or_insert(0) += 1;
    }
    let mut repeated: Vec<_> = seen.into_iter().filter(|(_, times)| *times > 1).collect();
    repeated.sort_unstable();
    for ((to, text), times) in repeated {
        court.object(SENDS, Objection::new(format!("sent {times} times to {to}: {text}")));
    }
}

fn rebuild(input: &Input, story: &Story, court: &mut Court<'_>) {
    court.saw(REBUILD, input.rebuild.len());
    for rebuilt in &input.rebuild {
        let Rebuilt { projector, position, equal, tables } = rebuilt;
        let mut wrong = Vec::new();
        for table in tables.iter().filter(|table| !table.equal || table.live != table.rebuilt) {
            let (live, rebuilt) = (table.live.rows, table.rebuilt.rows);
            wrong.push(format!("table {} differs from its rebuild ({live} and {rebuilt} rows)", table.table));
        }
        match equal {
            None => wrong.push("was not compared".to_owned()),
            Some(false) if wrong.is_empty() => wrong.push("differs from its rebuild".to_owned()),
            Some(_) => {}
        }
        if *position != Some(story.head) && equal.is_some() {
            let at = position.map_or("nowhere".to_owned(), |position| position.to_string());
            wrong.push(format!("stands at {at}, and the log at {}", story.head));
        }
        for said in wrong {
            court.object(REBUILD, Objection::new(format!("projector {projector}: {said}")));
        }
    }
}

fn open(story: &Story, court: &mut Court<'_>) {
    court.saw(HOLDS, story.bookings.len());
    for booking in story.in_order() {
        if let Some(point) = booking.last().filter(|point| point.status == "held") {
            let said = format!("reservation {} is still held", booking.id);
            court.object(HOLDS, Objection::new(said).at(point.position));
        }
    }
    court.saw(PAYMENTS, story.payments.len());
    let mut payments: Vec<_> = story.payments.values().collect();
    payments.sort_unstable_by_key(|payment| payment.position);
    for payment in payments.into_iter().filter(|payment| machine::PAYMENT_OPEN.contains(&payment.status)) {
        let said = format!("payment {} is still {}", payment.id, payment.status);
        court.object(PAYMENTS, Objection::new(said).at(payment.position));
    }
}
