//! The comparison by example: each way of finding a partner, each kind of difference.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use uuid::Uuid;

use super::*;
use crate::{
    ids::{PaymentId, RefundId},
    money::{Currency, Money},
    payment::{Method, ProviderId, reference},
    phone::PhoneHash,
    spec::example::at,
};

pub(super) fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 28).unwrap()
}

pub(super) fn id(text: &str) -> ProviderId {
    ProviderId::new(text).unwrap()
}

/// A payment of ours that landed on the day, the `n`th.
pub(super) fn movement(n: u32, amount: i64) -> Movement {
    let payment = PaymentId::new(Uuid::from_u128(u128::from(n) + 1));
    Movement {
        subject: Subject::payment(payment, 0),
        method: Method::Wave,
        account: None,
        ids: vec![id(&format!("T_{n}")), id(&format!("cos-{n}"))],
        references: vec![reference(payment.uuid(), 1)],
        amount: Money::xof(amount),
        state: Moved::Succeeded,
        at: at("2026-11-28 10:00") + TimeDelta::minutes(i64::from(n % 600)),
        number: Some(PhoneHash(format!("number-{n}"))),
    }
}

/// How the provider lists it when all is well; at 1 %.
pub(super) fn line(movement: &Movement) -> Line {
    let is = if movement.amount.amount < 0 { Is::Refund } else { Is::Charge };
    let fee = if is == Is::Charge { movement.amount.amount / 100 } else { 0 };
    Line {
        listing: Listing {
            transaction: movement.ids[0].clone(),
            reference: movement.references.first().cloned(),
            is,
            state: LineState::Succeeded,
            method: movement.method,
            amount: Signed(movement.amount),
            fee: Signed(Money::xof(fee)),
            at: movement.at + TimeDelta::seconds(7),
        },
        checkout: movement.ids.get(1).cloned(),
        number: movement.number.clone(),
    }
}

pub(super) const TERMS: Terms = Terms { fee_basis_points: Some(100) };

pub(super) fn compared(lines: &[Line], movements: &[Movement]) -> Outcome {
    let elsewhere = BTreeMap::new();
    compare(Compared { day: day(), account: None, lines, movements, elsewhere: &elsewhere, terms: TERMS })
}

fn only(outcome: &Outcome) -> &Found {
    let [found] = outcome.differences.as_slice() else { panic!("not one difference: {outcome:#?}") };
    found
}

#[test]
fn what_agrees_is_matched_by_transaction_by_reference_by_checkout_and_by_what_anybody_sees() {
    let ours = movement(1, 15_000);
    let there = line(&ours);
    let mut by_reference = there.clone();
    by_reference.listing.transaction = id("SOMETHING");
    by_reference.checkout = None;
    let mut by_checkout = by_reference.clone();
    by_checkout.listing.reference = None;
    by_checkout.checkout = Some(id("cos-1"));
    let mut by_sight = by_checkout.clone();
    by_sight.checkout = None;
    by_sight.listing.at = ours.at + TimeDelta::minutes(15);
    for line in [there, by_reference, by_checkout, by_sight.clone()] {
        let outcome = compared(std::slice::from_ref(&line), std::slice::from_ref(&ours));
        assert_eq!(outcome.differences, []);
        assert_eq!(outcome.matched, [Match { subject: Some(ours.subject), there: line.listing }]);
    }
    // A second later it is not the same any more; nor is another number, or no number at all.
    let mut later = by_sight.clone();
    later.listing.at += TimeDelta::seconds(1);
    let other = Line { number: Some(PhoneHash("another".to_owned())), ..by_sight.clone() };
    let nobody = Line { number: None, ..by_sight };
    for line in [later, other, nobody] {
        let outcome = compared(&[line], std::slice::from_ref(&ours));
        let kinds: Vec<Kind> = outcome.differences.iter().map(|found| found.kind).collect();
        assert_eq!(kinds, [Kind::MissingAtProvider, Kind::MissingHere]);
    }
}

#[test]
fn of_two_alike_the_nearer_in_time_is_the_one() {
    let number = Some(PhoneHash("team".to_owned()));
    let [mut one, mut two] = [movement(1, 2_000), movement(2, 2_000)];
    (one.number, two.number) = (number.clone(), number.clone());
    two.at = one.at + TimeDelta::minutes(4);
    let strange = |movement: &Movement, seconds: i64, name: &str| {
        let mut line = line(movement);
        line.listing.transaction = id(name);
        (line.listing.reference, line.checkout) = (None, None);
        line.listing.at = movement.at + TimeDelta::seconds(seconds);
        line
    };
    let lines = [strange(&one, 50, "B"), strange(&two, 40, "A")];
    let outcome = compared(&lines, &[one.clone(), two.clone()]);
    let subjects: Vec<_> = outcome.matched.iter().map(|matched| matched.subject.unwrap()).collect();
    assert_eq!(subjects, [one.subject, two.subject]);
    assert_eq!(outcome.matched[0].there.transaction, id("B"));
}

#[test]
fn a_franc_too_little_a_fee_too_high_and_another_currency() {
    let ours = movement(1, 15_000);
    let mut amount = line(&ours);
    amount.listing.amount = Signed(Money::xof(14_999));
    let outcome = compared(&[amount], std::slice::from_ref(&ours));
    assert_eq!((only(&outcome).kind, only(&outcome).stake()), (Kind::AmountDiffers, Money::xof(1)));

    let mut fee = line(&ours);
    fee.listing.fee = Signed(Money::xof(152));
    let outcome = compared(&[fee.clone()], std::slice::from_ref(&ours));
    assert_eq!((only(&outcome).kind, only(&outcome).stake()), (Kind::FeeDiffers, Money::xof(2)));
    assert_eq!(only(&outcome).agreed_fee, Some(Signed(Money::xof(150))));
    // Nothing agreed, nothing to differ from.
    let elsewhere = BTreeMap::new();
    let free = Compared {
        day: day(),
        account: None,
        lines: std::slice::from_ref(&fee),
        movements: std::slice::from_ref(&ours),
        elsewhere: &elsewhere,
        terms: Terms::default(),
    };
    assert_eq!(compare(free).differences, []);

    let mut currency = line(&ours);
    currency.listing.amount = Signed(Money::new(15_000, Currency::Eur));
    let outcome = compared(&[currency], std::slice::from_ref(&ours));
    assert_eq!(only(&outcome).kind, Kind::CurrencyDiffers);
}

#[test]
fn a_fee_may_be_rounded_as_providers_round() {
    let ours = movement(1, 12_340);
    for (fee, agrees) in [(119, false), (120, true), (123, true), (124, true), (125, false)] {
        let mut line = line(&ours);
        line.listing.fee = Signed(Money::xof(fee));
        assert_eq!(compared(&[line], std::slice::from_ref(&ours)).differences.is_empty(), agrees, "{fee}");
    }
}

#[test]
fn it_stands_on_one_side_only() {
    let ours = movement(1, 15_000);
    for state in [LineState::Failed, LineState::Reversed] {
        let mut there = line(&ours);
        there.listing.state = state;
        assert_eq!(only(&compared(&[there], std::slice::from_ref(&ours))).kind, Kind::StateDiffers);
    }
    let there = line(&ours);
    for (state, kind) in
        [(Moved::Failed, Kind::StateDiffers), (Moved::Reversed, Kind::StateDiffers), (Moved::Open, Kind::MissingHere)]
    {
        let ours = Movement { state, ..ours.clone() };
        let outcome = compared(std::slice::from_ref(&there), std::slice::from_ref(&ours));
        assert_eq!(only(&outcome).kind, kind);
        assert_eq!(only(&outcome).here.as_ref().unwrap().subject, ours.subject, "it says which payment");
    }
    // What moved on neither side is no difference, known here or not.
    let mut void = there;
    void.listing.state = LineState::Failed;
    let open = Movement { state: Moved::Open, ..ours };
    assert_eq!(compared(std::slice::from_ref(&void), &[open]).differences, []);
    assert_eq!(compared(&[void], &[]).differences, []);
}

#[test]
fn twice_is_a_duplicate_under_one_transaction_or_two() {
    let ours = movement(1, 15_000);
    let one = line(&ours);
    let mut again = one.clone();
    again.listing.at += TimeDelta::seconds(30);
    let mut other = one.clone();
    other.listing.transaction = id("T_OTHER");
    for second in [again, other] {
        let outcome = compared(&[one.clone(), second.clone()], std::slice::from_ref(&ours));
        let found = only(&outcome);
        assert_eq!((found.kind, found.there.as_ref()), (Kind::Duplicate, Some(&second.listing)));
        assert_eq!(outcome.matched.len(), 1);
    }
    // A failed attempt under the same reference is none, and the one that worked is the one.
    let mut attempt = one.clone();
    attempt.listing.transaction = id("T_0");
    attempt.listing.state = LineState::Failed;
    let outcome = compared(&[attempt, one], std::slice::from_ref(&ours));
    assert_eq!(outcome.differences, []);
    assert_eq!(outcome.matched.len(), 2);
    // A second success that we know of, and gave back, is none either.
    let second =
        Movement { subject: Subject { nth: 1, ..ours.subject }, ids: vec![id("T_OTHER"), id("cos-1")], ..ours.clone() };
    let (one, two) = (line(&ours), line(&second));
    assert_eq!(compared(&[one, two], &[ours, second]).differences, []);
}

#[test]
fn another_day_is_seen_from_both_sides() {
    let mut ours = movement(1, 15_000);
    ours.at = at("2026-11-27 23:59");
    let mut there = line(&ours);
    there.listing.at = at("2026-11-28 00:01");
    let outcome = compared(std::slice::from_ref(&there), std::slice::from_ref(&ours));
    let found = only(&outcome);
    assert_eq!((found.kind, found.other_day), (Kind::DayDiffers, NaiveDate::from_ymd_opt(2026, 11, 27)));
    // From the day before, once the statement of the 28th is known.
    let elsewhere = BTreeMap::from([(ours.subject, Elsewhere { day: day(), transaction: id("T_1") })]);
    let before = day().pred_opt().unwrap();
    let both = Compared {
        day: before,
        account: None,
        lines: &[],
        movements: &[ours.clone()],
        elsewhere: &elsewhere,
        terms: TERMS,
    };
    let outcome = compare(both);
    assert_eq!((only(&outcome).kind, only(&outcome).other_day), (Kind::DayDiffers, Some(day())));
    // Listed on both days it is there twice.
    let elsewhere = BTreeMap::from([(ours.subject, Elsewhere { day: before, transaction: id("T_1") })]);
    let (lines, movements) = ([there], [ours]);
    let twice = Compared {
        day: day(),
        account: None,
        lines: &lines,
        movements: &movements,
        elsewhere: &elsewhere,
        terms: TERMS,
    };
    assert_eq!(only(&compare(twice)).kind, Kind::Duplicate);
}

#[test]
fn money_out_is_never_taken_for_money_in() {
    let paid = movement(1, 15_000);
    let refund = RefundId::new(Uuid::from_u128(900));
    let back = Movement {
        subject: Subject::refund(refund),
        ids: vec![id("cos-1")],
        references: paid.references.clone(),
        amount: Money::xof(-15_000),
        ..movement(2, 0)
    };
    // Wave lists what goes back under the reference and checkout of what came.
    let mut out = line(&back);
    out.listing.transaction = id("T_BACK");
    out.checkout = Some(id("cos-1"));
    let outcome = compared(&[out, line(&paid)], &[paid.clone(), back.clone()]);
    assert_eq!(outcome.differences, []);
    let subjects: Vec<_> = outcome.matched.iter().map(|matched| matched.subject.unwrap()).collect();
    assert_eq!(subjects, [paid.subject, back.subject]);
}
