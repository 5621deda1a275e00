//! Check the checker: a healthy trial passes, and every check catches what breaks its promise.

mod deeds;
mod sabotage;
mod sabotage_money;
mod speed;
mod tale;

use std::collections::BTreeSet;

use serde_json::json;

use crate::{Outcome, Verdict, judge_all};
use deeds::{Deed, payout};
use tale::{DEPOSIT, NORTH, SOUTH, Tale, WHOLE, hour, id};

/// Paid, moved, played.
const PLAYED: Deed = Deed::new(0xa000, NORTH, 18);
/// Where it was moved to.
const MOVED: Deed = Deed::new(0xa000, SOUTH, 20);
/// Placed twice under one key, left to expire.
const EXPIRED: Deed = Deed::new(0xb000, NORTH, 10);
/// Paid and cancelled in time.
const CANCELLED: Deed = Deed::new(0xc000, SOUTH, 18);
/// Its answer was lost.
const SILENT: Deed = Deed::new(0xd000, WHOLE, 8);
/// Paid too late, confirmed all the same, too much paid, nobody came.
const LATE: Deed = Deed::new(0xe000, NORTH, 12);
/// What pays their fine.
const FINED: Deed = Deed::new(0x1_1000, NORTH, 12);
/// Paid too late, the slot was gone.
const LOST: Deed = Deed::new(0xf000, SOUTH, 14);
/// Whoever has it now: a manager, on account.
const MANAGED: Deed = Deed::new(0x1_0000, SOUTH, 14);

/// A trial in which everything that happens to reservations happens.
fn healthy() -> Tale {
    let mut tale = Tale::new();
    played(&mut tale);
    tale.nemesis("kill", "api-1");
    retried(&mut tale);
    tale.nemesis("restart", "api-1");
    cancelled(&mut tale);
    late(&mut tale);
    lost(&mut tale);
    fined(&mut tale);
    tale.closure("site.closure_scheduled", WHOLE, 2);
    tale.closure("site.closure_lifted", WHOLE, 2);
    tale
}

fn played(tale: &mut Tale) {
    tale.book(PLAYED, "key-played");
    tale.pay(PLAYED);
    let seen = tale.head();
    let read = tale.invoke("read", None, json!({ "reservation": id(PLAYED.reservation), "min_position": seen }));
    let said = json!({ "status": "confirmed", "as_of_position": seen, "pitch": id(NORTH), "starts_at": hour(18) });
    tale.ok(read, said);
    // Somebody else wants the same.
    let other = tale.invoke("place", Some("key-refused"), PLAYED.wish("service"));
    tale.fail(other, "reservation.slot_taken");
    let mut wish = MOVED.wish("service");
    wish["reservation"] = json!(id(PLAYED.reservation));
    let shift = tale.invoke("reschedule", Some("key-moved"), wish);
    tale.shift(PLAYED, MOVED);
    tale.ok(shift, PLAYED.said("confirmed"));
    let again = tale.invoke("place", Some("key-nothing"), PLAYED.wish("service"));
    tale.maybe(again);
    tale.plain(PLAYED, "reservation.checked_in");
    tale.plain(PLAYED, "reservation.completed");
}

fn retried(tale: &mut Tale) {
    let first = tale.invoke("place", Some("key-expired"), EXPIRED.wish("service"));
    tale.hold(EXPIRED, "service");
    tale.request(EXPIRED, "wave");
    let held = tale.head();
    tale.maybe(first);
    for _ in 0..2 {
        let again = tale.invoke("place", Some("key-expired"), EXPIRED.wish("service"));
        tale.ok_at(again, held, EXPIRED.said("held"));
    }
    let silent = tale.invoke("place", Some("key-silent"), SILENT.wish("service"));
    tale.hold(SILENT, "service");
    tale.request(SILENT, "wave");
    tale.maybe(silent);
    tale.expire(EXPIRED);
    tale.expire(SILENT);
}

fn cancelled(tale: &mut Tale) {
    tale.book(CANCELLED, "key-cancelled");
    tale.pay(CANCELLED);
    let call = tale.invoke("cancel", Some("key-cancel"), json!({ "reservation": id(CANCELLED.reservation) }));
    tale.call_off(CANCELLED);
    tale.ok(call, CANCELLED.said("cancelled"));
    tale.submit(CANCELLED, "whole_transaction", 1);
    tale.move_money("api_checkout_refund", "T-back", -DEPOSIT, &CANCELLED.reference());
    tale.paid_back(CANCELLED, "whole_transaction", DEPOSIT);
}

fn late(tale: &mut Tale) {
    tale.book(LATE, "key-late");
    tale.ahead += chrono::TimeDelta::minutes(20);
    tale.expire(LATE);
    tale.charge(LATE, DEPOSIT + 500);
    tale.land(LATE, "wave", DEPOSIT + 500, 500);
    tale.receive(LATE);
    tale.confirm(LATE, "payment", true);
    tale.credit(LATE, 500);
    tale.miss(LATE);
}

/// Appealed in vain, and paid.
fn fined(tale: &mut Tale) {
    let decide_by = tale.now + tale.ahead + chrono::TimeDelta::days(7);
    tale.fine(LATE, "client.fine_appealed", json!({ "decide_by": decide_by }));
    tale.decide(LATE, "uphold", "manager");
    tale.pay_fine(LATE, FINED);
    tale.settle_fine(LATE, FINED);
}

fn lost(tale: &mut Tale) {
    tale.book(LOST, "key-lost");
    tale.ahead += chrono::TimeDelta::minutes(20);
    tale.expire(LOST);
    let call = tale.invoke("place", Some("key-managed"), MANAGED.wish("manager"));
    tale.hold(MANAGED, "manager");
    tale.request(MANAGED, "on_account");
    tale.event(MANAGED.payment(), "payment.put_on_account", json!({ "payment_id": id(MANAGED.payment()) }));
    tale.confirm(MANAGED, "on_account", false);
    tale.ok(call, MANAGED.said("confirmed"));
    tale.charge(LOST, DEPOSIT);
    tale.land(LOST, "wave", DEPOSIT, 0);
    tale.ask_back(LOST, "payout", DEPOSIT);
    tale.submit(LOST, "payout", 1);
    tale.refund(LOST, "refund.became_unknown");
    tale.refund(LOST, "refund.failed");
    tale.submit(LOST, "payout", 2);
    tale.refund(LOST, "refund.pending");
    tale.move_money("api_payout", "T-out", -DEPOSIT, &payout(LOST, 2));
    tale.paid_back(LOST, "payout", DEPOSIT);
}

fn verdict(tale: Tale) -> Verdict {
    judge_all(&tale.finish())
}

#[test]
fn a_healthy_trial_is_valid_and_every_check_had_something_to_look_at() {
    let verdict = verdict(healthy());
    assert_eq!(verdict.outcome, Outcome::Valid, "{verdict}");
    assert_eq!((verdict.acknowledged, verdict.refused, verdict.uncertain, verdict.faults), (15, 1, 3, 2));
    let idle: Vec<_> = verdict.checks.iter().filter(|check| check.looked_at == 0).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn every_check_is_broken_by_a_test_and_catches_it() {
    let all: BTreeSet<&str> = verdict(healthy()).checks.iter().map(|check| check.name).collect();
    let tried: Vec<_> = sabotage::ALL.iter().chain(sabotage_money::ALL).collect();
    let (mut caught, mut missed) = (BTreeSet::new(), Vec::new());
    for (name, title, sabotage) in tried {
        let mut tale = healthy();
        sabotage(&mut tale);
        let verdict = verdict(tale);
        let seen = verdict.check(name).is_some_and(|check| check.violations > 0);
        if seen && verdict.outcome == Outcome::Invalid {
            caught.insert(*name);
        } else {
            let others = verdict.checks.iter().filter(|check| check.violations > 0).map(|check| check.name);
            missed.push(format!("{name} does not see: {title} (seen by {:?})", others.collect::<Vec<_>>()));
        }
    }
    assert!(missed.is_empty(), "\n{}", missed.join("\n"));
    assert_eq!(caught, all);
}

#[test]
fn a_violation_comes_with_what_went_on_around_it_and_the_story_of_its_key() {
    let mut tale = healthy();
    tale.remove("reservation.held", 1);
    let verdict = verdict(tale);
    let violation = verdict.violations.iter().find(|violation| violation.check == "acknowledged.place").unwrap();
    let faults: Vec<_> = violation.around.iter().map(|record| record.what.as_str()).collect();
    assert_eq!(faults, ["kill", "restart"]);
    let story: Vec<_> = violation.history.iter().map(|record| record.what.as_str()).collect();
    assert_eq!(story, ["invoke", "maybe", "invoke", "ok", "invoke", "ok"]);
    assert!(violation.history.iter().all(|record| record.key.as_deref() == Some("key-expired")));
    let text = verdict.to_string();
    assert!(text.starts_with("invalid: "), "{text}");
    assert!(text.contains("nemesis kill api-1") && text.contains("acknowledged.place"), "{text}");
}

#[test]
fn no_check_hides_the_others_and_all_violations_are_counted() {
    let mut tale = healthy();
    for name in ["payment.requested", "refund.requested", "reservation.expired", "payment.opened", "refund.approved"] {
        for _ in 0..90 {
            tale.again(name, 0);
        }
    }
    let verdict = verdict(tale);
    assert_eq!((verdict.violations.len(), verdict.outcome), (100, Outcome::Invalid));
    // Asked for once more, it may be opened once more.
    assert_eq!(verdict.check("legal.payment").map(|check| check.violations), Some(179));
    assert_eq!(verdict.broken, verdict.checks.iter().map(|check| check.violations).sum::<u64>());
    let payments = verdict.violations.iter().filter(|violation| violation.check == "legal.payment");
    assert_eq!(payments.count(), 25);
    assert!(verdict.to_string().contains("… and "));
}

#[test]
fn evidence_that_is_not_whole_decides_nothing() {
    let whole = serde_json::to_string(&healthy().records[0]).unwrap();
    for (name, text) in [("torn", format!("{whole}\n{{\"n\":2,\"wa")), ("without an answer", whole)] {
        let mut input = healthy().finish();
        input.history = crate::History::read(&text);
        assert_eq!(judge_all(&input).outcome == Outcome::Unknown, name == "torn", "{name}");
    }
    let mut tale = healthy();
    tale.records.remove(3);
    assert_eq!(verdict(tale).outcome, Outcome::Unknown, "a record is missing");
    let idle = verdict(Tale::new());
    assert_eq!(idle.outcome, Outcome::Unknown, "{idle}");
    assert_eq!(idle.reasons, ["acknowledged.place had nothing to look at"]);
}

#[test]
fn the_verdict_is_json_as_documented() {
    let value = serde_json::to_value(verdict(healthy())).unwrap();
    assert_eq!(value["outcome"], "valid");
    assert_eq!(value["checks"][0]["name"], "log.positions");
    assert_eq!(value["checks"][0]["violations"], 0);
    assert_eq!(value["violations"], json!([]));
}
