//! Laws of the comparison, on statements into which faults were put at random.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::{prelude::*, sample::subsequence, strategy::ValueTree, test_runner::TestRunner};

use super::{
    tests_compare::{TERMS, day, id, line, movement},
    *,
};
use crate::{
    money::{Currency, Money},
    payment::Method,
};

/// A fault, and on which side of which movement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault(Kind, bool);

fn fault() -> impl Strategy<Value = Fault> {
    (prop::sample::select(Kind::ALL.to_vec()), any::<bool>()).prop_map(|(kind, way)| Fault(kind, way))
}

pub(super) struct Sides {
    pub lines: Vec<Line>,
    pub movements: Vec<Movement>,
    pub elsewhere: BTreeMap<Subject, Elsewhere>,
    /// What is to be found, and where: the subject or the transaction.
    pub seeded: BTreeSet<(Kind, String)>,
}

fn name(subject: Subject) -> String {
    format!("{subject:?}")
}

/// A day of `amounts`, with a fault in some of its movements.
pub(super) fn seed(amounts: &[i64], faults: &[(usize, Fault)]) -> Sides {
    let mut sides =
        Sides { lines: Vec::new(), movements: Vec::new(), elsewhere: BTreeMap::new(), seeded: BTreeSet::new() };
    for (number, amount) in (0..).zip(amounts) {
        let mut ours = movement(number, *amount);
        if number % 7 == 3 {
            // Some of it goes out.
            ours.amount = Money::xof(-amount);
        }
        let mut there = line(&ours);
        let fault =
            faults.iter().find(|(index, _)| *index == usize::try_from(number).unwrap()).map(|(_, fault)| *fault);
        let subject = name(ours.subject);
        let mut list = true;
        let mut know = true;
        let mut found = |kind| {
            sides.seeded.insert((kind, subject.clone()));
        };
        match fault {
            None => {}
            Some(Fault(Kind::MissingAtProvider, _)) => {
                found(Kind::MissingAtProvider);
                list = false;
            }
            // Not known at all, or only that it was asked for.
            Some(Fault(Kind::MissingHere, open)) => {
                if open {
                    found(Kind::MissingHere);
                    ours.state = Moved::Open;
                } else {
                    sides.seeded.insert((Kind::MissingHere, there.listing.transaction.to_string()));
                    know = false;
                }
            }
            Some(Fault(Kind::AmountDiffers, more)) => {
                found(Kind::AmountDiffers);
                there.listing.amount.0.amount += if more { 500 } else { -1 };
            }
            // Only what comes in has an agreed fee.
            Some(Fault(Kind::FeeDiffers, _)) if ours.amount.amount <= 0 => {}
            Some(Fault(Kind::FeeDiffers, more)) => {
                found(Kind::FeeDiffers);
                there.listing.fee.0.amount += if more { 2 } else { -9 };
            }
            Some(Fault(Kind::Duplicate, same)) => {
                let mut second = there.clone();
                second.listing.at += TimeDelta::seconds(1);
                if !same {
                    second.listing.transaction = id(&format!("U_{number}"));
                }
                found(Kind::Duplicate);
                sides.lines.push(second);
            }
            Some(Fault(Kind::CurrencyDiffers, _)) => {
                found(Kind::CurrencyDiffers);
                there.listing.amount.0.currency = Currency::Eur;
            }
            Some(Fault(Kind::StateDiffers, ours_failed)) => {
                found(Kind::StateDiffers);
                if ours_failed {
                    ours.state = Moved::Failed;
                } else {
                    there.listing.state = LineState::Failed;
                }
            }
            Some(Fault(Kind::DayDiffers, ours_is_other)) => {
                found(Kind::DayDiffers);
                if ours_is_other {
                    ours.at -= TimeDelta::days(1);
                } else {
                    list = false;
                    let day = day().succ_opt().unwrap();
                    let elsewhere = Elsewhere { day, transaction: there.listing.transaction.clone() };
                    sides.elsewhere.insert(ours.subject, elsewhere);
                }
            }
        }
        if list {
            sides.lines.push(there);
        }
        if know {
            sides.movements.push(ours);
        }
    }
    sides
}

impl Sides {
    fn compared(&self) -> Outcome {
        let Self { lines, movements, elsewhere, .. } = self;
        compare(Compared { day: day(), account: None, lines, movements, elsewhere, terms: TERMS })
    }
}

pub(super) fn shown(outcome: &Outcome) -> BTreeSet<(Kind, String)> {
    let name = |found: &Found| {
        let here = found.here.as_ref().map(|here| name(here.subject));
        here.or(found.there.as_ref().map(|there| there.transaction.to_string())).unwrap()
    };
    outcome.differences.iter().map(|found| (found.kind, name(found))).collect()
}

/// Between two and ten francs apart at least: rounding is allowed for.
fn amounts() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec((10_i64..500).prop_map(|hundreds| hundreds * 500), 1..40)
}

pub(super) fn day_with_faults() -> impl Strategy<Value = (Vec<i64>, Vec<(usize, Fault)>)> {
    amounts().prop_flat_map(|amounts| {
        let all: Vec<usize> = (0..amounts.len()).collect();
        let most = all.len().min(12);
        let chosen = subsequence(all, 0..=most);
        let faults = chosen.prop_flat_map(|chosen| {
            let count = chosen.len();
            (Just(chosen), prop::collection::vec(fault(), count))
        });
        (Just(amounts), faults.prop_map(|(chosen, faults)| chosen.into_iter().zip(faults).collect()))
    })
}

/// Sums by method and currency.
fn sums<'a>(amounts: impl Iterator<Item = &'a Listing>) -> BTreeMap<(Method, &'static str), i64> {
    let mut sums = BTreeMap::new();
    for listing in amounts {
        *sums.entry((listing.method, listing.amount.0.currency.code())).or_insert(0) += listing.amount.0.amount;
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_seeded_fault_is_found_under_its_name_and_nothing_else((amounts, faults) in day_with_faults()) {
        let sides = seed(&amounts, &faults);
        prop_assert_eq!(shown(&sides.compared()), sides.seeded);
    }

    #[test]
    fn the_order_of_lines_and_movements_does_not_matter(
        (amounts, faults) in day_with_faults(),
        seed_of_order: u64,
    ) {
        let mut sides = seed(&amounts, &faults);
        let before = sides.compared();
        // A simple shuffle that the case can be repeated with.
        let mut state = seed_of_order | 1;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for last in (1..sides.lines.len()).rev() {
            let other = next(last + 1);
            sides.lines.swap(last, other);
        }
        sides.movements.reverse();
        prop_assert_eq!(sides.compared(), before);
    }

    #[test]
    fn every_line_and_every_movement_ends_in_one_place((amounts, faults) in day_with_faults()) {
        let sides = seed(&amounts, &faults);
        let outcome = sides.compared();
        let mut placed: Vec<&Listing> = outcome.matched.iter().map(|matched| &matched.there).collect();
        placed.extend(outcome.differences.iter().filter_map(|found| found.there.as_ref()));
        let mut lines: Vec<&Listing> = sides.lines.iter().map(|line| &line.listing).collect();
        placed.sort();
        lines.sort();
        prop_assert_eq!(&placed, &lines, "Σ lines = Σ matched + Σ differences, line by line");
        prop_assert_eq!(sums(placed.into_iter()), sums(lines.into_iter()));
        // A second line about it does not count: that is what a duplicate is.
        let judged = |found: &&Found| found.kind != Kind::Duplicate;
        let mut subjects: Vec<Subject> = outcome.matched.iter().filter_map(|matched| matched.subject).collect();
        let differences = outcome.differences.iter().filter(judged);
        subjects.extend(differences.filter_map(|found| found.here.as_ref()).map(|here| here.subject));
        subjects.sort_unstable();
        let mut ours: Vec<Subject> = sides.movements.iter().map(|movement| movement.subject).collect();
        ours.sort_unstable();
        prop_assert_eq!(subjects, ours);
    }

    #[test]
    fn whatever_is_compared_ends_without_a_panic(
        lines in prop::collection::vec((0_u32..6, any::<i64>(), any::<i64>(), 0_usize..3, -2_i64..3), 0..12),
        movements in prop::collection::vec((0_u32..6, any::<i64>(), 0_usize..4, -2_i64..3), 0..12),
    ) {
        let lines: Vec<Line> = lines
            .into_iter()
            .map(|(number, amount, fee, state, days)| {
                let mut line = line(&movement(number, 1));
                line.listing.amount.0.amount = amount;
                line.listing.fee.0.amount = fee;
                line.listing.state = LineState::ALL[state];
                line.listing.at += TimeDelta::days(days);
                line
            })
            .collect();
        let movements: Vec<Movement> = movements
            .into_iter()
            .map(|(number, amount, state, days)| {
                let mut movement = movement(number, amount);
                movement.state = Moved::ALL[state];
                movement.at += TimeDelta::days(days);
                movement
            })
            .collect();
        let elsewhere = BTreeMap::new();
        let outcome =
            compare(Compared { day: day(), account: None, lines: &lines, movements: &movements, elsewhere: &elsewhere, terms: TERMS });
        let differences = outcome.differences.iter().filter(|found| found.there.is_some()).count();
        prop_assert_eq!(outcome.matched.len() + differences, lines.len());
        prop_assert!(outcome.differences.iter().all(|found| found.stake().amount >= 0));
    }
}

#[test]
fn all_eight_kinds_are_really_seeded() {
    let mut runner = TestRunner::deterministic();
    let strategy = day_with_faults();
    let mut kinds = BTreeSet::new();
    for _ in 0..100 {
        let (amounts, faults) = strategy.new_tree(&mut runner).unwrap().current();
        kinds.extend(seed(&amounts, &faults).seeded.into_iter().map(|(kind, _)| kind));
    }
    assert_eq!(kinds.len(), Kind::ALL.len());
}
