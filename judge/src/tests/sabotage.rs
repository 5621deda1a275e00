//! Broken promises about the log, the slots, the answers and what follows: each is done to a healthy trial, and must be
//! caught by the check it names.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    CANCELLED, Deed, EXPIRED, LATE, MANAGED, MOVED, PLAYED, SILENT,
    tale::{NORTH, SOUTH, Tale, WHOLE, hour, id},
};
use crate::{Bus, Effect, Input, Sms};

/// The check, what is done, and how.
pub type Sabotage = (&'static str, &'static str, fn(&mut Tale));

const NEW: Deed = Deed::new(0x2_0000, SOUTH, 22);

pub const ALL: &[Sabotage] = &[
    ("log.positions", "a hole", |t| t.twist = |i| i.log[9].position += 1),
    ("log.positions", "the beginning is gone", |t| t.twist = |i| drop(i.log.remove(0))),
    ("log.versions", "an event of a stream is gone", |t| t.twist = |i| i.log[6].version += 1),
    ("log.event_ids", "an id twice", |t| t.twist = |i| i.log[6].event_id = i.log[2].event_id),
    ("log.time", "a clock that goes back", |t| t.events[8].at -= TimeDelta::seconds(9)),
    ("log.shapes", "an event nobody knows", |t| t.events[0].name = "site.moved".into()),
    ("log.shapes", "money with a fraction", |t| {
        t.edit("payment.succeeded", 0, "/received/amount", json!(12_000.5));
    }),
    ("log.shapes", "an event in another's stream", |t| t.events[3].stream = id(1)),
    ("acknowledged.place", "an acknowledged hold is gone", |t| t.remove("reservation.held", 0)),
    ("acknowledged.place", "held, but another hour", |t| {
        t.last("place", "invoke").about.as_mut().unwrap()["starts_at"] = json!(hour(3));
    }),
    ("acknowledged.place", "acknowledged before it was recorded", |t| t.last("place", "ok").position = Some(3)),
    ("acknowledged.place", "acknowledged beyond the log", |t| t.last("place", "ok").position = Some(999)),
    ("acknowledged.place", "acknowledged without a position", |t| t.last("place", "ok").position = None),
    ("acknowledged.place", "said to be confirmed and only held", |t| {
        let call = t.invoke("place", Some("key-new"), NEW.wish("service"));
        t.hold(NEW, "service");
        t.ok(call, NEW.said("confirmed"));
    }),
    ("acknowledged.place", "one reservation for two", |t| {
        let call = t.invoke("place", Some("key-other"), PLAYED.wish("service"));
        t.ok(call, PLAYED.said("held"));
    }),
    ("acknowledged.cancel", "an acknowledged cancellation is gone", |t| t.remove("reservation.cancelled", 0)),
    ("acknowledged.reschedule", "an acknowledged move is gone", |t| t.remove("reservation.rescheduled", 0)),
    ("acknowledged.reschedule", "moved somewhere else", |t| {
        t.edit("reservation.rescheduled", 0, "/to/pitch_id", json!(id(WHOLE)));
    }),
    ("acknowledged.pay", "a payment that was made is still open", |t| t.remove("payment.succeeded", 0)),
    ("acknowledged.pay", "a payment nobody asked for", |t| {
        t.last("pay", "invoke").about.as_mut().unwrap()["reference"] = json!("ref-none");
    }),
    ("explained.held", "a hold nobody asked for", |t| {
        t.hold(NEW, "service");
        t.expire(NEW);
    }),
    ("explained.held", "placed, though only ever refused", |t| {
        let call = t.invoke("place", Some("key-new"), NEW.wish("service"));
        t.fail(call, "reservation.slot_taken");
        t.hold(NEW, "service");
    }),
    ("explained.held", "one uncertain key, two reservations", |t| {
        t.hold(Deed::new(0x2_0000, SILENT.pitch, SILENT.at), "service");
    }),
    ("explained.held", "the key that was answered placed another one before", |t| {
        let other = Deed::new(0x2_0000, EXPIRED.pitch, EXPIRED.at);
        t.hold(other, "service");
    }),
    ("explained.held", "asked for only after it was there", |t| {
        t.hold(NEW, "service");
        t.now += TimeDelta::hours(1);
        let call = t.invoke("place", Some("key-new"), NEW.wish("service"));
        t.maybe(call);
    }),
    ("explained.held", "as somebody else", |t| {
        let call = t.invoke("place", Some("key-new"), NEW.wish("manager"));
        t.hold(NEW, "service");
        t.maybe(call);
    }),
    ("explained.cancelled", "cancelled by nobody", |t| {
        let call = t.records.iter().find(|record| record.op.as_deref() == Some("cancel")).unwrap().call;
        for record in t.records.iter_mut().filter(|record| record.call == call) {
            record.op = Some("other".into());
        }
    }),
    ("explained.cancelled", "cancelled though refused", |t| t.last("cancel", "ok").what = "fail".into()),
    ("explained.rescheduled", "moved by nobody", |t| t.last("reschedule", "ok").what = "fail".into()),
    ("explained.rescheduled", "moved twice for one call", |t| t.again("reservation.rescheduled", 0)),
    ("explained.refusals", "the slot is taken, by itself, after an answer", |t| {
        let call = t.invoke("place", Some("key-late"), LATE.wish("service"));
        t.fail(call, "reservation.slot_taken");
        t.remove("reservation.no_show", 0);
    }),
    ("explained.refusals", "the slot is taken, by itself, after silence", |t| {
        let call = t.invoke("place", Some("key-new"), NEW.wish("service"));
        t.maybe(call);
        t.ahead = TimeDelta::zero();
        t.hold(NEW, "service");
        let call = t.invoke("place", Some("key-new"), NEW.wish("service"));
        t.fail(call, "reservation.slot_taken");
    }),
    ("explained.refusals", "the clocks say nothing, a later answer does", |t| {
        let call = t.invoke("place", Some("key-new"), NEW.wish("service"));
        t.hold(NEW, "service");
        t.ok(call, NEW.said("held"));
        let call = t.invoke("place", Some("key-new"), NEW.wish("service"));
        t.fail(call, "reservation.too_many_holds");
    }),
    ("same_key.same_answer", "another body", |t| t.records.iter_mut().for_each(other_body)),
    ("same_key.same_answer", "another status", |t| again(t).status = Some(200)),
    ("same_key.same_answer", "another reservation", |t| {
        again(t).said.as_mut().unwrap()["reservation"] = json!(id(PLAYED.reservation));
    }),
    ("slots.overlap", "sold twice", |t| {
        t.hold(Deed::new(0x2_0000, MANAGED.pitch, MANAGED.at), "service");
    }),
    ("slots.overlap", "a part of what is sold whole", |t| {
        t.hold(NEW, "service");
        t.hold(Deed::new(0x3_0000, WHOLE, NEW.at), "service");
    }),
    ("slots.overlap", "half an hour too long", |t| {
        t.edit("reservation.held", 1, "/slot/claims/to", json!(hour(12) + TimeDelta::minutes(1)));
        t.hold(Deed::new(0x2_0000, NORTH, EXPIRED.at + 1), "service");
        let held = t.events.pop().unwrap();
        t.events.insert(t.place_of("reservation.held", 1) + 1, held);
    }),
    ("slots.overlap", "sold before the lapsed hold was ended", |t| {
        let held = t.place_of("reservation.held", 6);
        let late = t.events.remove(held);
        let expired = t.place_of("reservation.expired", 3);
        t.events.insert(expired, late);
    }),
    ("slots.overlap", "a late confirmation takes what is sold", |t| {
        t.edit("reservation.confirmed", 2, "/reclaims/cells", json!([id(0xce11b)]));
        t.edit("reservation.confirmed", 2, "/reclaims/claims", json!({ "from": hour(18), "to": hour(19) }));
        let cancelled = t.place_of("reservation.cancelled", 0);
        let cancelled = t.events.remove(cancelled);
        t.events.push(cancelled);
    }),
    ("slots.overlap", "a move onto another", |t| {
        t.edit("reservation.rescheduled", 0, "/to", super::tale::slot(SOUTH, 1));
        t.hold(Deed::new(0x2_0000, SOUTH, 1), "service");
        let held = t.events.pop().unwrap();
        t.events.insert(2, held);
    }),
    ("slots.overlap", "a closure over a reservation", |t| {
        t.hold(NEW, "service");
        t.closure("site.closure_scheduled", NEW.pitch, NEW.at);
    }),
    ("slots.ground", "only half of the whole pitch", |t| {
        t.edit("reservation.held", 2, "/slot/cells", json!([id(0xce11a)]));
    }),
    ("slots.ground", "90 minutes sold, 60 held", |t| {
        t.edit("reservation.held", 2, "/slot/during/to", json!(hour(9) + TimeDelta::minutes(30)));
    }),
    ("slots.guard", "a claim is missing", |t| t.twist = |i| i.claims.clear()),
    ("slots.guard", "a claim that nobody has", |t| {
        t.twist = |i| {
            let more = crate::Claim { holder: id(7), ..i.claims[0] };
            i.claims.push(more);
        }
    }),
    ("slots.guard", "a confirmed claim that lapses", |t| t.twist = |i| i.claims[0].firm = false),
    ("legal.reservation", "held twice", |t| t.again("reservation.held", 0)),
    ("legal.reservation", "cancelled, then confirmed", |t| t.confirm(CANCELLED, "payment", false)),
    ("legal.reservation", "expired after it was confirmed", |t| t.plain(LATE, "reservation.expired")),
    ("legal.reservation", "late, without claiming again", |t| {
        t.edit("reservation.confirmed", 2, "/reclaims", json!(null));
    }),
    ("legal.reservation", "they are playing and call it off", |t| {
        t.remove("reservation.completed", 0);
        t.call_off(PLAYED);
    }),
    ("legal.reservation", "moved from where it was not", |t| {
        t.edit("reservation.rescheduled", 0, "/from/pitch_id", json!(id(WHOLE)));
    }),
    ("legal.payment", "succeeds twice", |t| t.again("payment.succeeded", 0)),
    ("legal.payment", "opened after its end", |t| t.again("payment.opened", 0)),
    ("legal.payment", "a refund of what never came", |t| t.ask_back(EXPIRED, "payout", 1)),
    ("legal.refund", "succeeds twice", |t| t.again("refund.succeeded", 0)),
    ("legal.refund", "sent again while the outcome is unknown", |t| t.remove("refund.failed", 0)),
    ("legal.refund", "sent without approval", |t| t.remove("refund.approved", 0)),
    ("legal.refund", "a second try under the first key", |t| {
        t.edit("refund.submitted", 2, "/attempt", json!(1));
    }),
    ("reads.fresh", "older than asked for", |t| {
        t.last("read", "invoke").about.as_mut().unwrap()["min_position"] = json!(9_000);
    }),
    ("reads.fresh", "without a position", |t| {
        t.last("read", "ok").said.as_mut().unwrap()["as_of_position"] = json!(null);
    }),
    ("reads.prefix", "a status of another position", |t| {
        t.last("read", "ok").said.as_mut().unwrap()["status"] = json!("held");
    }),
    ("reads.prefix", "another hour", |t| {
        t.last("read", "ok").said.as_mut().unwrap()["starts_at"] = json!(hour(20));
    }),
    ("reads.prefix", "what is not recorded yet", |t| {
        t.last("read", "ok").said.as_mut().unwrap()["as_of_position"] = json!(9_000);
    }),
    ("reads.prefix", "before it was there", |t| {
        t.last("read", "ok").said.as_mut().unwrap()["as_of_position"] = json!(1);
    }),
    ("reads.view", "a wrong status", |t| t.twist = |i| i.views[0].status = "confirmed".into()),
    ("reads.view", "a wrong hour", |t| t.twist = |i| i.views[0].starts_at = hour(1)),
    ("reads.view", "a row is missing", |t| t.twist = |i| drop(i.views.remove(0))),
    ("reads.view", "a row too many", |t| t.twist = |i| i.views[0].reservation_id = id(5)),
    ("effects.done", "failed for good", |t| t.twist = |i| left(i, "failed")),
    ("effects.done", "somebody is still at it", |t| t.twist = |i| left(i, "running")),
    ("effects.done", "due and not done", |t| t.twist = |i| left(i, "ready")),
    ("sends.once", "the same text twice", |t| {
        let Sms { to, text } = t.sms[0].clone();
        t.sms.push(Sms { to, text });
    }),
    ("rebuild.equal", "a table differs", |t| t.twist = |i| i.rebuild[0].tables[0].equal = false),
    ("rebuild.equal", "a digest differs", |t| t.twist = |i| i.rebuild[0].tables[0].live.sha256 = "cd".into()),
    ("rebuild.equal", "a projector differs", |t| t.twist = |i| i.rebuild[0].equal = Some(false)),
    ("rebuild.equal", "nothing was compared", |t| t.twist = |i| i.rebuild[0].equal = None),
    ("rebuild.equal", "it stopped on the way", |t| t.twist = |i| i.rebuild[0].position = Some(3)),
    ("bus.whole", "a message is missing", |t| t.twist = |i| i.bus.messages -= 1),
    ("bus.whole", "it is behind", |t| t.twist = |i| i.bus = Bus { last_position: 3, ..i.bus }),
    ("verify.proven", "the proofs are not good", |t| t.twist = |i| i.verify.ok = false),
    ("live.holds", "a hold that never ends", |t| t.remove("reservation.expired", 0)),
    ("live.payments", "a payment that never ends", |t| t.remove("payment.expired", 1)),
];

/// The repetition of `key-expired`.
fn again(tale: &mut Tale) -> &mut crate::Record {
    let mut answers = tale.records.iter_mut().filter(|record| record.what == "ok");
    answers.rfind(|record| record.key.as_deref() == Some("key-expired")).unwrap()
}

fn other_body(record: &mut crate::Record) {
    if record.what == "ok" {
        record.sha = Some(format!("{}", record.n));
    }
}

fn left(input: &mut Input, state: &str) {
    input.effects.left.push(Effect {
        key: "1:open_checkout".into(),
        kind: "open_checkout".into(),
        state: state.into(),
        due_at: input.log[0].recorded_at,
        cause_position: 3,
        last_error: None,
    });
}

#[test]
fn what_is_taken_at_the_end_is_what_a_person_would_say() {
    let mut tale = super::healthy();
    tale.hold(NEW, "service");
    tale.hold(Deed::new(0x3_0000, WHOLE, 23), "service");
    tale.closure("site.closure_scheduled", NORTH, 22);
    let held = tale.head() - 2;
    let input = tale.finish();
    let firm = input.log.iter().rfind(|event| event.stream_id == id(MANAGED.reservation)).unwrap().position;
    let claim = |cell, at, holder, position, firm| crate::Claim {
        cell: id(cell),
        from: hour(at),
        to: hour(at + 1),
        holder: id(holder),
        position,
        firm,
    };
    let expected = [
        claim(0xce11a, 22, 0xc105, held + 2, true),
        claim(0xce11a, 23, 0x3_0000, held + 1, false),
        // Taken when it was held, firm since it was confirmed.
        claim(0xce11b, 14, MANAGED.reservation, firm - 3, true),
        claim(0xce11b, 22, NEW.reservation, held, false),
        claim(0xce11b, 23, 0x3_0000, held + 1, false),
    ];
    assert_eq!(input.claims, expected);
}

#[test]
fn what_may_happen_is_not_held_against_anybody() {
    let mut tale = super::healthy();
    // An effect that waits for its time; a client who never heard, and nothing happened; a busy key.
    tale.twist = |input| {
        left(input, "ready");
        input.effects.left[0].due_at = hour(24);
    };
    let call = tale.invoke("place", Some("key-new"), NEW.wish("service"));
    tale.maybe(call);
    let call = tale.invoke("place", Some("key-late"), LATE.wish("service"));
    tale.fail(call, "idempotency.in_progress");
    let call = tale.invoke("place", Some("key-late"), NEW.wish("service"));
    tale.fail(call, "idempotency.key_reused");
    tale.invoke("cancel", Some("key-unanswered"), json!({ "reservation": id(MOVED.reservation) }));
    // Of another site nobody knows who asked.
    let other = Deed::new(0x2_0000, NORTH, 1);
    tale.hold(other, "service");
    let place = tale.events.len() - 1;
    tale.events[place].data["slot"]["site_id"] = json!(id(1));
    tale.plain(other, "reservation.expired");
    let verdict = super::verdict(tale);
    assert_eq!(verdict.outcome, crate::Outcome::Valid, "{verdict}");
}
