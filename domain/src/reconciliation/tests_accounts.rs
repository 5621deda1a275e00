//! Managers' own accounts: what lies on one is no other's, what of it is not ours is not looked at, and nothing of it is entered.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::{
    tests_compare::{TERMS, day, id, line, movement},
    tests_faults::{Sides, day_with_faults, seed, shown},
    *,
};
use crate::{
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    event,
    ids::{PrincipalId, RefundId},
    ledger,
    money::Money,
    reaction::{About, Reaction},
    spec::{apply, example::at},
    text::{Slug, Text},
};

fn fatou() -> Slug {
    Slug::new("fatou").unwrap()
}

fn at_account(movements: &[Movement], account: Option<&Slug>) -> Vec<Movement> {
    movements.iter().map(|it| Movement { account: account.cloned(), ..it.clone() }).collect()
}

/// The same movements, as alike as can be, of another account.
fn elsewhere_alike(movements: &[Movement], account: Option<&Slug>) -> Vec<Movement> {
    let mut alike = at_account(movements, account);
    for it in &mut alike {
        it.subject.id = Uuid::from_u128(it.subject.id.as_u128() + (1 << 100));
    }
    alike
}

fn compared(account: Option<&Slug>, lines: &[Line], movements: &[Movement]) -> Outcome {
    compare(Compared { day: day(), account, lines, movements, elsewhere: &BTreeMap::new(), terms: TERMS })
}

fn subjects(outcome: &Outcome) -> Vec<Subject> {
    let matched = outcome.matched.iter().filter_map(|matched| matched.subject);
    let found = outcome.differences.iter().filter_map(|found| found.here.as_ref().map(|here| here.subject));
    matched.chain(found).collect()
}

#[test]
fn what_two_accounts_call_the_same_are_two_movements() {
    let account = fatou();
    let ours = movement(1, 15_000);
    let theirs = elsewhere_alike(std::slice::from_ref(&ours), Some(&account)).remove(0);
    let (both, there) = ([ours.clone(), theirs.clone()], [line(&ours)]);
    for (of, subject) in [(None, ours.subject), (Some(&account), theirs.subject)] {
        let outcome = compared(of, &there, &both);
        assert_eq!((subjects(&outcome), outcome.differences), (vec![subject], Vec::new()), "{of:?}");
        // Each is missed by the statement of its own account, and by no other.
        assert_eq!(subjects(&compared(of, &[], &both)), [subject], "{of:?}");
    }
    let omar = Slug::new("omar").unwrap();
    assert_eq!(compared(Some(&omar), &there, &both), Outcome::default());
}

#[test]
fn a_manager_s_wallet_is_theirs_but_for_what_is_about_a_movement_of_ours() {
    let account = fatou();
    let ours = at_account(&[movement(1, 15_000)], Some(&account));
    // Somebody eats at Fatou's; and somebody else pays twice for the same thing, under the same reference.
    let meal = line(&movement(7, 4_000));
    let mut again = line(&ours[0]);
    again.listing.transaction = id("T_AGAIN");
    again.checkout = None;
    again.number = None;
    let lines = [meal.clone(), line(&ours[0]), again.clone()];
    let outcome = compared(Some(&account), &lines, &ours);
    let kinds: Vec<_> = outcome.differences.iter().map(|found| (found.kind, found.there.clone())).collect();
    assert_eq!(kinds, [(Kind::Duplicate, Some(again.listing))]);
    assert_eq!(outcome.matched.len(), 1, "the meal is nowhere");
    // On the platform's account nothing is anybody else's.
    let outcome = compared(None, &lines, &at_account(&ours, None));
    assert!(outcome.differences.iter().any(|found| found.there.as_ref() == Some(&meal.listing)));
}

#[test]
fn what_a_manager_gives_back_without_us_is_seen_and_asked_about_is_what_came_untold() {
    let account = fatou();
    let paid = at_account(&[movement(1, 15_000)], Some(&account)).remove(0);
    let mut back = line(&paid);
    back.listing.transaction = id("T_BACK");
    back.listing.is = Is::Refund;
    back.listing.amount = Signed(Money::xof(-15_000));
    back.listing.fee = Signed(Money::xof(25));
    let mut wallet = Wallet::new();
    wallet.import("a", vec![line(&paid), back.clone()], vec![paid.clone()]);
    let [difference] = wallet.it.state.differences.as_slice() else { panic!("{:?}", wallet.it.state) };
    let found = &difference.found;
    assert_eq!((found.kind, &found.here, found.there.as_ref()), (Kind::MissingHere, &None, Some(&back.listing)));
    let looked_into = |it: &Reaction| matches!(it, Reaction::ObserveRefund { number: 1, .. });
    assert!(wallet.events.iter().flat_map(crate::reaction::react).any(|it| looked_into(&it)));
    let caught_up = catch_up(&wallet.it, 1, Subject::refund(RefundId::new(Uuid::from_u128(99))), tomorrow());
    wallet.take(&caught_up);
    assert_eq!((wallet.it.state.unexplained().count(), wallet.it.state.pairs.len()), (0, 2));
    assert!(wallet.enters_nothing());

    let open = Movement { state: Moved::Open, ids: Vec::new(), number: None, ..paid };
    let mut wallet = Wallet::new();
    wallet.import("a", vec![line(&movement(1, 15_000))], vec![open.clone()]);
    let asked: Vec<Reaction> = wallet.events.iter().flat_map(crate::reaction::react).collect();
    let about = About::Listed(crate::ids::PaymentId::new(open.subject.id));
    assert!(asked.iter().any(|it| matches!(it, Reaction::Ask(ask) if ask.about == about)), "{asked:?}");
}

const ONE: Actor = Actor::new(Role::Finance, PrincipalId::new(Uuid::from_u128(0xF1)));
const TWO: Actor = Actor::new(Role::Finance, PrincipalId::new(Uuid::from_u128(0xF2)));

fn tomorrow() -> crate::Timestamp {
    at("2026-11-29 02:30")
}

/// A day of a manager's account under way.
struct Wallet {
    it: Loaded<Reconciliation>,
    events: Vec<event::Event>,
}

impl Wallet {
    fn new() -> Self {
        Self { it: Loaded::new(id_of(Provider::Wave, &fatou(), day())), events: Vec::new() }
    }

    fn take(&mut self, decision: &Decision) {
        self.events.extend(decision.changes.iter().flat_map(|change| change.events.clone()));
        apply(&mut self.it, decision);
    }

    fn import(&mut self, name: &str, lines: Vec<Line>, movements: Vec<Movement>) {
        self.import_with(name, lines, movements, BTreeMap::new());
    }

    fn import_with(
        &mut self,
        name: &str,
        lines: Vec<Line>,
        movements: Vec<Movement>,
        elsewhere: BTreeMap<Subject, Elsewhere>,
    ) {
        let statement = Import {
            provider: Provider::Wave,
            account: fatou(),
            day: day(),
            source: Source::Api,
            digest: Text::new(&format!("{name:0>64}")).unwrap(),
            lines,
            movements,
            elsewhere,
            terms: TERMS,
            as_of_position: 42,
        };
        let decision = import(&self.it, &[], &statement, ONE, tomorrow()).unwrap();
        self.take(&decision);
    }

    /// All that is left is explained in the first of these ways that fits, by two.
    fn explain_all(&mut self, hows: &[How]) {
        for number in self.it.state.unexplained().map(|it| it.number).collect::<Vec<_>>() {
            for how in hows.iter().copied() {
                for by in [ONE, TWO] {
                    let said = explain(&self.it, number, Explanation { how, note: None }, by, tomorrow());
                    if let Ok(decision) = said {
                        self.take(&decision);
                    }
                }
            }
        }
    }

    fn enters_nothing(&self) -> bool {
        self.events
            .iter()
            .all(|event| ledger::concern(event).is_none() && ledger::alone(event).unwrap().postings().is_empty())
    }
}

#[test]
fn a_statement_counts_and_sums_up_what_is_ours_and_its_fees_are_not_the_platform_s() {
    let account = fatou();
    let ours = at_account(&[movement(1, 15_000), movement(2, 8_000)], Some(&account));
    let mut dear = line(&ours[1]);
    dear.listing.fee = Signed(Money::xof(999));
    let mut wallet = Wallet::new();
    wallet.import("a", vec![line(&movement(7, 4_000)), line(&ours[0]), dear], ours.clone());
    let statement = wallet.it.state.statement.clone().unwrap();
    assert_eq!((statement.lines, statement.found, wallet.it.state.pairs.len()), (2, 0, 2));
    let [totals] = statement.totals.as_slice() else { panic!("{statement:?}") };
    assert_eq!((totals.came, totals.fees), (Money::xof(23_000), Money::xof(1_149)));
    assert!(wallet.enters_nothing());
    // And nothing is taken back, when another statement does not know one of them.
    wallet.import("b", vec![line(&ours[0])], ours);
    assert_eq!(wallet.it.state.differences.len(), 1);
    assert!(wallet.enters_nothing());
    wallet.explain_all(&[How::WrittenOff]);
    let decision = close(&wallet.it, ONE, at("2026-11-30 09:00")).unwrap();
    wallet.take(&decision);
    assert_eq!(wallet.it.state.status, Status::Closed);
    assert!(wallet.enters_nothing());
}

#[test]
fn the_platform_s_account_has_no_other_name() {
    let main = Slug::new(MAIN).unwrap();
    assert_eq!((merchant_account(&main), merchant_account(&fatou())), (None, Some(&fatou())));
    assert_ne!(id_of(Provider::Wave, &main, day()), id_of(Provider::Wave, &fatou(), day()));
}

/// What of seeded faults is to be found on a manager's account: their fees are theirs, and a line that names nothing of ours
/// is none of ours.
fn of_a_manager(sides: &Sides) -> std::collections::BTreeSet<(Kind, String)> {
    let names: Vec<String> = sides.movements.iter().map(|it| format!("{:?}", it.subject)).collect();
    let ours = |(kind, name): &&(Kind, String)| *kind != Kind::FeeDiffers && names.contains(name);
    sides.seeded.iter().filter(ours).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_movement_of_another_account_is_never_matched_nor_missed(
        (amounts, faults) in day_with_faults(),
        (others, other_faults) in day_with_faults(),
    ) {
        let (sides, other) = (seed(&amounts, &faults), seed(&others, &other_faults));
        let account = fatou();
        for (of, not) in [(None, Some(&account)), (Some(&account), None)] {
            let Sides { lines, elsewhere, .. } = &sides;
            let own = at_account(&sides.movements, of);
            let all: Vec<Movement> =
                elsewhere_alike(&other.movements, not).into_iter().chain(own.clone()).collect();
            let with = |movements: &[Movement]| {
                compare(Compared { day: day(), account: of, lines, movements, elsewhere, terms: TERMS })
            };
            let outcome = with(&all);
            prop_assert_eq!(&outcome, &with(&own), "as if the others were not there");
            let wanted = if of.is_none() { sides.seeded.clone() } else { of_a_manager(&sides) };
            prop_assert_eq!(shown(&outcome), wanted);
        }
    }

    #[test]
    fn whatever_a_manager_s_statement_says_and_whoever_explains_it_nothing_is_entered(
        (amounts, faults) in day_with_faults(),
        hows in prop::sample::subsequence(How::ALL.to_vec(), 0..=How::ALL.len()).prop_shuffle(),
    ) {
        let mut sides = seed(&amounts, &faults);
        for Line { listing, .. } in &mut sides.lines {
            listing.fee.0.currency = listing.amount.0.currency;
        }
        let ours = at_account(&sides.movements, Some(&fatou()));
        let mut wallet = Wallet::new();
        wallet.import_with("a", sides.lines.clone(), ours.clone(), sides.elsewhere.clone());
        wallet.explain_all(&hows);
        // The next one knows half of it, and the one after that all again.
        let half = sides.lines.iter().step_by(2).cloned().collect();
        wallet.import_with("b", half, ours.clone(), sides.elsewhere.clone());
        wallet.explain_all(&hows);
        wallet.import_with("c", sides.lines.clone(), ours, sides.elsewhere.clone());
        wallet.explain_all(&hows);
        prop_assert!(wallet.enters_nothing());
    }
}
