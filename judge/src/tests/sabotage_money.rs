//! Broken promises about money: each is done to a healthy trial, and must be caught by the check it names.

use serde_json::json;

use crate::{Input, input::Posting};

use super::{
    CANCELLED, EXPIRED, LATE, LOST, MANAGED, PLAYED,
    deeds::payout,
    sabotage::Sabotage,
    tale::{DEPOSIT, FINE, SOUTH, Tale, francs, id},
};

pub const ALL: &[Sabotage] = &[
    ("money.landed_once", "one transaction pays two", |t| {
        t.edit("payment.succeeded", 1, "/transaction", json!(PLAYED.transaction()));
    }),
    ("money.refunds_within", "refunded twice", |t| {
        let again = super::Deed::new(0x2_0000, CANCELLED.pitch, CANCELLED.at);
        for name in ["payment.refund_allotted", "refund.requested", "refund.approved"] {
            t.again(name, 0);
            let event = t.events.last_mut().unwrap();
            event.data["refund_id"] = json!(id(again.refund()));
            if name != "payment.refund_allotted" {
                event.stream = id(again.refund());
            }
        }
    }),
    ("money.refunds_within", "more than was received", |t| {
        t.edit("refund.requested", 0, "/amount/amount", json!(DEPOSIT + 1));
    }),
    ("money.confirmed_paid", "confirmed on less than the deposit", |t| {
        t.edit("reservation.payment_received", 0, "/amount", francs(DEPOSIT - 1));
    }),
    ("money.confirmed_paid", "on account of nobody", |t| {
        t.edit("reservation.confirmed", 3, "/grounds/by", json!(null));
    }),
    ("money.confirmed_paid", "for free", |t| {
        t.edit("reservation.confirmed", 0, "/grounds/kind", json!("free"));
    }),
    ("money.kept", "keeps what it gave back", |t| {
        t.edit("reservation.cancelled", 0, "/kept", francs(DEPOSIT));
    }),
    ("money.kept", "keeps the deposit of who was in time", |t| {
        t.edit("reservation.cancelled", 0, "/kept", francs(DEPOSIT));
        t.edit("reservation.cancelled", 0, "/refunds", json!([]));
    }),
    ("money.kept", "a no-show costs more than the deposit", |t| {
        t.edit("reservation.held", 4, "/price/deposit", francs(DEPOSIT - 1));
    }),
    ("money.kept", "gives back what another paid", |t| {
        t.edit("reservation.cancelled", 0, "/refunds/0/payment_id", json!(id(EXPIRED.payment())));
    }),
    ("money.kept", "a move raises the deposit", |t| {
        t.edit("reservation.rescheduled", 0, "/price/deposit", francs(DEPOSIT + 1));
    }),
    ("ledger.balanced", "a posting is missing", |t| t.twist = |i| drop(i.ledger.pop())),
    ("ledger.reservations", "a deposit is another's", |t| t.twist = |i| i.ledger[1].reservation_id = id(9)),
    ("ledger.reservations", "commission on what was paid back", |t| t.twist = |i| charge(i, CANCELLED, 1_200)),
    ("ledger.reservations", "commission on what was never paid", |t| t.twist = |i| charge(i, EXPIRED, 1_200)),
    ("ledger.reservations", "commission on a promise", |t| t.twist = |i| charge(i, MANAGED, 1_200)),
    ("ledger.reservations", "a franc more than was agreed", |t| t.twist = |i| charge(i, PLAYED, 1)),
    ("ledger.reservations", "no commission at all", |t| t.twist = |i| charge(i, PLAYED, -1_200)),
    ("ledger.accounts", "commission for nothing", |t| t.twist = |i| charge(i, CANCELLED, 1_200)),
    ("ledger.accounts", "money in suspense", |t| t.twist = |i| i.ledger[0].account = "suspense".into()),
    ("ledger.accounts", "a credit that nobody has", |t| t.twist = |i| i.ledger[1].account = "client:1:credit".into()),
    ("money.allotted", "a refund without its part of the payment", |t| t.remove("payment.refund_allotted", 0)),
    ("money.allotted", "a part that no refund has", |t| {
        t.again("payment.refund_allotted", 0);
        t.events.last_mut().unwrap().data["refund_id"] = json!(id(9));
    }),
    ("money.conserved", "a franc is lost", |t| {
        t.edit("reservation.payment_received", 2, "/amount", francs(DEPOSIT - 1));
    }),
    ("money.conserved", "money that came after the end stays nowhere", |t| {
        for name in ["payment.refund_allotted", "refund.requested", "refund.approved"] {
            t.remove(name, 1);
        }
    }),
    ("money.ended", "an expired reservation keeps money", |t| {
        for name in ["payment.refund_allotted", "refund.requested", "refund.approved"] {
            t.remove(name, 1);
        }
        t.receive(LOST);
    }),
    ("money.ended", "a cancelled one gives back less than it says", |t| {
        t.edit("refund.requested", 0, "/amount", francs(DEPOSIT - 1));
    }),
    ("money.no_orphan", "paid, and still only held", |t| {
        t.remove("reservation.no_show", 0);
        t.remove("reservation.confirmed", 2);
        t.remove("reservation.expired", 2);
    }),
    ("money.no_orphan", "given back, and still the reservation's", |t| t.receive(LOST)),
    ("money.no_orphan", "paid for nothing", |t| {
        t.edit("payment.requested", 0, "/reservation_id", json!(id(3)));
    }),
    ("money.refunds_end", "nobody knows", |t| t.remove("refund.succeeded", 0)),
    ("money.refunds_end", "approved and never sent", |t| {
        t.remove("refund.succeeded", 0);
        t.remove("refund.submitted", 0);
    }),
    ("money.refunds_end", "failed and given up", |t| {
        t.remove("refund.succeeded", 1);
        t.refund(LOST, "refund.failed");
    }),
    ("money.credits", "never credited", |t| t.remove("client.credited", 0)),
    ("money.credits", "credited twice", |t| t.again("client.credited", 0)),
    ("money.credits", "credited by no one's refund", |t| t.credit(CANCELLED, 1)),
    ("money.credits", "spent, and nothing is paid with it", |t| t.spend(PLAYED, 1)),
    ("money.credits", "spent, and never had", |t| {
        t.edit("payment.requested", 0, "/method", json!("credit"));
        t.spend(PLAYED, DEPOSIT);
    }),
    ("money.fines", "fined twice", |t| t.again("client.fined", 0)),
    ("money.fines", "fined, and came", |t| t.edit("client.fined", 0, "/reservation_id", json!(id(PLAYED.reservation)))),
    ("money.fines", "fined more than was agreed", |t| t.edit("reservation.no_show", 0, "/fine", francs(FINE - 1))),
    ("money.fines", "appealed twice", |t| t.again("client.fine_appealed", 0)),
    ("money.fines", "decided against whoever did not appeal", |t| t.remove("client.fine_appealed", 0)),
    ("money.fines", "decided by who is fined", |t| t.edit("client.fine_decided", 0, "/by/role", json!("client"))),
    ("money.fines", "waived before the time is over", |t| {
        t.edit("client.fine_decided", 0, "/verdict", json!("waive"));
        t.edit("client.fine_decided", 0, "/by/role", json!("system"));
    }),
    ("money.fines", "settled after it was waived", |t| t.edit("client.fine_decided", 0, "/verdict", json!("waive"))),
    ("money.fines", "settled twice", |t| t.again("client.fine_settled", 0)),
    ("money.fines", "settled by a part of it", |t| t.edit("client.fine_settled", 0, "/amount", francs(FINE - 1))),
    ("money.fines", "settled by nothing", |t| {
        t.edit("client.fine_settled", 0, "/payment_id", json!(id(EXPIRED.payment())));
    }),
    ("money.fines", "booked by who owes", |t| {
        t.remove("client.fine_settled", 0);
        t.again("reservation.held", 0);
        t.events.last_mut().unwrap().data["channel"] = json!("online");
    }),
    ("money.conserved", "a fine is paid and not settled", |t| t.remove("client.fine_settled", 0)),
    ("ledger.accounts", "a debt that nobody has", |t| t.twist = |i| i.ledger[1].account = "client:1:debt".into()),
    ("money.charges", "charged and not recorded", |t| {
        t.move_money("api_checkout", "T-new", 500, "ref-none");
    }),
    ("money.charges", "recorded and never charged", |t| {
        t.entries.retain(|entry| entry.transaction_id != PLAYED.transaction());
    }),
    ("money.charges", "another amount", |t| {
        t.edit("payment.succeeded", 0, "/received", francs(DEPOSIT + 1));
    }),
    ("money.charges", "on another payment", |t| {
        t.edit("payment.succeeded", 0, "/transaction", json!(LATE.transaction()));
        t.edit("payment.succeeded", 2, "/transaction", json!(PLAYED.transaction()));
    }),
    ("money.charges", "in two events", |t| {
        t.again("payment.succeeded", 0);
        t.events.last_mut().unwrap().name = "payment.duplicated".into();
    }),
    ("money.moved_once", "charged twice for one reference", |t| {
        t.move_money("api_checkout", "T-new", DEPOSIT, &PLAYED.reference());
    }),
    ("money.moved_once", "refunded twice", |t| {
        t.move_money("api_checkout_refund", "T-new", -DEPOSIT, &CANCELLED.reference());
    }),
    ("money.moved_once", "paid out twice", |t| {
        t.move_money("api_payout", "T-new", -DEPOSIT, &payout(LOST, 2));
    }),
    ("money.moved_once", "the provider says so", |t| {
        t.twist = |input| input.wave.repeated.refunds.push("ref-7".into());
    }),
    ("money.moved_once", "one transaction twice", |t| {
        let entry = t.entries[1].clone();
        t.entries.push(entry);
    }),
    ("money.paid_back", "said to be paid and is not", |t| {
        t.entries.retain(|entry| entry.kind != "api_checkout_refund");
    }),
    ("money.paid_back", "an attempt that failed was paid all the same", |t| {
        t.move_money("api_payout", "T-new", -DEPOSIT, &payout(LOST, 1));
    }),
    ("money.paid_back", "taken back and nobody knows", |t| {
        t.move_money("api_payout_reversal", "T-new", DEPOSIT, &payout(LOST, 2));
    }),
    ("money.paid_back", "sent to nobody we know", |t| t.move_money("api_payout", "T-new", -1, "back-none")),
    ("money.totals", "the sums differ", |t| t.move_money("api_payout", "T-new", -1, "back-none")),
];

/// An entry of the ledger that takes so much more of a reservation's money from its site. It is balanced, and what the
/// reservation holds is the same.
fn charge(input: &mut Input, deed: super::Deed, amount: i64) {
    let position = input.ledger.last().unwrap().position + 1;
    for (account, amount) in [("site:1:payable", amount), ("platform:commission", -amount)] {
        let (reservation_id, account) = (id(deed.reservation), account.to_owned());
        input.ledger.push(Posting { position, reservation_id, account, amount });
    }
}

/// What is on an account of the ledger.
fn on(input: &Input, account: &str) -> i64 {
    input.ledger.iter().filter(|posting| posting.account == account).map(|posting| posting.amount).sum()
}

#[test]
fn a_tenth_of_what_is_kept_is_the_platform_s_unless_something_else_was_agreed() {
    let input = super::healthy().finish();
    // Played, and a no-show: a deposit each, and the fine. What went back and what expired has none.
    assert_eq!((on(&input, "platform:commission"), on(&input, "site:1:payable")), (-2_900, -26_100));
    let mut tale = super::healthy();
    for (nth, flow, commission) in [(0, "manager_collects", 333), (4, "platform_collects", 10_000)] {
        let held = tale.place_of("reservation.held", nth);
        tale.events[held].data["contract"] = json!({ "flow": flow, "commission": commission });
    }
    let input = tale.finish();
    assert_eq!((on(&input, "site:1:commission_due"), on(&input, "platform:commission")), (399, -399 - DEPOSIT - FINE));
    assert_eq!((on(&input, "site:1:payable"), on(&input, "site:1:collected")), (0, 0));
    let verdict = crate::judge_all(&input);
    assert_eq!(verdict.outcome, crate::Outcome::Valid, "{verdict}");
    // The same ledger under the contracts that everybody else has.
    let mut other = super::healthy().finish();
    other.ledger = input.ledger;
    let verdict = crate::judge_all(&other);
    let broken: Vec<_> = verdict.checks.iter().filter(|check| check.violations > 0).map(|check| check.name).collect();
    assert_eq!(broken, ["ledger.reservations", "ledger.accounts"], "{verdict}");
}

#[test]
fn what_a_site_collects_and_has_not_earned_is_held_against_it() {
    let mut tale = super::healthy();
    for nth in 0..7 {
        let held = tale.place_of("reservation.held", nth);
        tale.events[held].data["contract"] = json!({ "flow": "manager_collects", "commission": 1_000 });
    }
    // Nobody has been paid back yet, and one paid 500 too much.
    tale.remove("refund.succeeded", 1);
    let input = tale.finish();
    let expected = [("site:1:collected", DEPOSIT + 500), ("site:1:commission_due", 2_900), ("site:1:payable", 0)];
    for (account, amount) in expected {
        assert_eq!(on(&input, account), amount, "{account}");
    }
    let entries = |input: &Input| {
        let verdict = crate::judge_all(input);
        ["ledger.balanced", "ledger.reservations", "ledger.accounts"]
            .map(|name| verdict.check(name).map_or(0, |check| check.violations))
    };
    assert_eq!(entries(&input), [0, 0, 0]);
    // The platform says that it has the money.
    let mut ours = input;
    for posting in ours.ledger.iter_mut().filter(|posting| posting.account == "site:1:collected") {
        posting.account = "provider:wave:clearing".into();
    }
    assert_eq!(entries(&ours), [0, 0, 2]);
}

#[test]
fn what_the_provider_took_back_is_owed_again_and_may_become_credit() {
    let mut tale = super::healthy();
    tale.refund(LOST, "refund.reversed");
    tale.move_money("api_payout_reversal", "T-return", DEPOSIT, &payout(LOST, 2));
    tale.submit(LOST, "credit", 3);
    tale.paid_back(LOST, "credit", DEPOSIT);
    tale.credit(LOST, DEPOSIT);
    let verdict = super::verdict(tale);
    assert_eq!(verdict.outcome, crate::Outcome::Valid, "{verdict}");
}

#[test]
fn a_second_success_goes_back_and_only_the_second_charge_is_held_against_the_provider() {
    let mut tale = super::healthy();
    let second = super::Deed::new(0x2_0000, MANAGED.pitch, MANAGED.at);
    land_again(&mut tale, second);
    let verdict = super::verdict(tale);
    let broken: Vec<_> = verdict.checks.iter().filter(|check| check.violations > 0).map(|check| check.name).collect();
    assert_eq!(broken, ["money.moved_once"], "{verdict}");
}

/// Money lands once more on the payment of a reservation that was played, and goes back by a refund of its own.
fn land_again(tale: &mut Tale, second: super::Deed) {
    tale.again("payment.succeeded", 0);
    let now = tale.now + tale.ahead;
    let event = tale.events.last_mut().unwrap();
    (event.name, event.at) = ("payment.duplicated".into(), now);
    event.data["transaction"] = json!("T-second");
    tale.move_money("api_checkout", "T-second", DEPOSIT, &PLAYED.reference());
    for name in ["payment.refund_allotted", "refund.requested", "refund.approved"] {
        tale.again(name, 1);
        let event = tale.events.last_mut().unwrap();
        event.at = now;
        event.data["payment_id"] = json!(id(PLAYED.payment()));
        event.data["reservation_id"] = json!(id(PLAYED.reservation));
        event.data["refund_id"] = json!(id(second.refund()));
        event.stream = id(if name.starts_with("payment") { PLAYED.payment() } else { second.refund() });
    }
    tale.submit(second, "payout", 1);
    tale.move_money("api_payout", "T-second-back", -DEPOSIT, &payout(second, 1));
    tale.paid_back(second, "payout", DEPOSIT);
    tale.events.last_mut().unwrap().data["payment_id"] = json!(id(PLAYED.payment()));
}

#[test]
fn a_fine_that_nobody_decides_about_is_waived_and_what_is_paid_for_it_goes_back() {
    let mut tale = Tale::new();
    super::played(&mut tale);
    super::late(&mut tale);
    let decide_by = tale.now + tale.ahead + chrono::TimeDelta::days(7);
    tale.fine(LATE, "client.fine_appealed", json!({ "decide_by": decide_by }));
    // Whoever appealed may book.
    let next = super::Deed::new(0x2_0000, SOUTH, 16);
    let call = tale.invoke("place", Some("key-next"), next.wish("service"));
    tale.hold(next, "service");
    tale.events.last_mut().unwrap().data["channel"] = json!("online");
    tale.request(next, "wave");
    tale.ok(call, next.said("held"));
    tale.expire(next);
    tale.ahead += chrono::TimeDelta::days(8);
    tale.decide(LATE, "waive", "system");
    tale.pay_fine(LATE, super::FINED);
    tale.ask_back(super::FINED, "payout", FINE);
    for event in tale.events.iter_mut().rev().take(2) {
        event.data["reservation_id"] = json!(id(LATE.reservation));
    }
    tale.submit(super::FINED, "payout", 1);
    tale.move_money("api_payout", "T-fine-back", -FINE, &payout(super::FINED, 1));
    tale.paid_back(super::FINED, "payout", FINE);
    let input = tale.finish();
    let verdict = crate::judge_all(&input);
    assert_eq!(verdict.outcome, crate::Outcome::Valid, "{verdict}");
    assert_eq!((on(&input, "client:1:debt"), on(&input, "fines:unpaid")), (0, 0));
}
