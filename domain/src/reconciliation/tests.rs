//! Importing, explaining and closing by example, and what each does to the ledger.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    tests_compare::{TERMS, day, id, line, movement},
    *,
};
use crate::{
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    event,
    ids::PrincipalId,
    ledger::{self, Account},
    money::Money,
    reaction::{About, Reaction},
    spec::{apply, example::at},
    text::{Slug, Text},
};

pub(super) const ONE: Actor = Actor::new(Role::Finance, PrincipalId::new(Uuid::from_u128(0xF1)));
const TWO: Actor = Actor::new(Role::Finance, PrincipalId::new(Uuid::from_u128(0xF2)));

fn main() -> Slug {
    Slug::new(MAIN).unwrap()
}

fn loaded(day: chrono::NaiveDate) -> Loaded<Reconciliation> {
    Loaded::new(id_of(Provider::Wave, &main(), day))
}

pub(super) fn digest(text: &str) -> Digest {
    Text::new(&format!("{text:0>64}")).unwrap()
}

pub(super) fn statement(name: &str, lines: Vec<Line>, movements: Vec<Movement>) -> Import {
    Import {
        provider: Provider::Wave,
        account: main(),
        day: day(),
        source: Source::Csv,
        digest: digest(name),
        lines,
        movements,
        elsewhere: BTreeMap::new(),
        terms: TERMS,
        as_of_position: 42,
    }
}

pub(super) fn tomorrow() -> crate::Timestamp {
    at("2026-11-29 02:30")
}

/// A day under way: its stream, and what is in the ledger.
pub(super) struct Day {
    pub(super) it: Loaded<Reconciliation>,
    accounts: BTreeMap<String, i64>,
    pub(super) events: Vec<event::Event>,
}

impl Day {
    pub(super) fn new() -> Self {
        Self { it: loaded(day()), accounts: BTreeMap::new(), events: Vec::new() }
    }

    pub(super) fn take(&mut self, decision: &Decision) {
        for event in decision.changes.iter().flat_map(|change| &change.events) {
            let concerned = ledger::concern(event).is_some();
            let entry = ledger::alone(event).unwrap();
            assert_eq!(concerned, !entry.postings().is_empty(), "the projector asks by concern: {event:?}");
            for posting in entry.postings() {
                *self.accounts.entry(posting.account.to_string()).or_insert(0) += posting.amount.amount;
            }
            self.events.push(event.clone());
        }
        assert_eq!(self.accounts.values().sum::<i64>(), 0, "balanced");
        apply(&mut self.it, decision);
    }

    pub(super) fn import(&mut self, statement: &Import) {
        let decision = import(&self.it, &[], statement, ONE, tomorrow()).unwrap();
        self.take(&decision);
    }

    pub(super) fn say(&mut self, number: u32, how: How, by: Actor) -> Result<(), Refusal> {
        let decision = explain(&self.it, number, Explanation { how, note: None }, by, tomorrow())?;
        self.take(&decision);
        Ok(())
    }

    #[track_caller]
    pub(super) fn stands(&self, clearing: i64, suspense: i64, fees: i64) {
        let of = |account: Account| self.accounts.get(&account.to_string()).copied().unwrap_or_default();
        let wave = Account::at_provider(crate::payment::Method::Wave).unwrap();
        assert_eq!((of(wave), of(Account::Suspense), of(Account::ProviderFees)), (clearing, suspense, fees));
    }

    pub(super) fn kinds(&self) -> Vec<(Kind, Standing)> {
        self.it.state.differences.iter().map(|it| (it.found.kind, it.standing)).collect()
    }
}

#[test]
fn the_stream_of_a_day_is_known_before_it_exists() {
    let one = id_of(Provider::Wave, &main(), day());
    assert_eq!(one.uuid().get_version_num(), 7);
    assert_eq!(one.uuid().get_variant(), uuid::Variant::RFC4122);
    assert_eq!(one, id_of(Provider::Wave, &main(), day()));
    let other = Slug::new("second").unwrap();
    let all = [
        one,
        id_of(Provider::Sonatel, &main(), day()),
        id_of(Provider::Wave, &other, day()),
        id_of(Provider::Wave, &main(), day().succ_opt().unwrap()),
    ];
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
}

#[test]
fn fees_are_entered_once_and_the_same_file_again_is_nothing() {
    let ours = [movement(1, 15_000), movement(2, 20_000)];
    let mut wave = Day::new();
    let file = statement("a", ours.iter().map(line).collect(), ours.to_vec());
    wave.import(&file);
    wave.stands(-350, 0, 350);
    assert!(import(&wave.it, &[], &file, TWO, tomorrow()).unwrap().is_nothing());
    // The same lines in another file are another statement, and no money.
    wave.import(&Import { digest: digest("b"), ..file.clone() });
    wave.stands(-350, 0, 350);
    // A newer statement without one of them takes its fee back, and misses it.
    wave.import(&statement("c", vec![line(&ours[0])], ours.to_vec()));
    wave.stands(-150, 0, 150);
    assert_eq!(wave.kinds(), [(Kind::MissingAtProvider, Standing::Unexplained)]);
    // And it comes back: the difference ends by the import.
    wave.import(&Import { digest: digest("d"), ..file });
    wave.stands(-350, 0, 350);
    assert_eq!(wave.kinds(), [(Kind::MissingAtProvider, Standing::Explained)]);
    assert_eq!(wave.it.state.differences[0].explained.as_ref().unwrap().how, How::Superseded);
}

#[test]
fn a_payout_enters_its_fee_itself() {
    let mut ours = movement(1, -10_000);
    ours.subject = Subject { object: Object::Payout, ..ours.subject };
    let mut there = line(&ours);
    (there.listing.is, there.listing.fee) = (Is::Payout, Signed(Money::xof(100)));
    let mut wave = Day::new();
    wave.import(&statement("a", vec![there], vec![ours.clone()]));
    assert_eq!((wave.kinds(), wave.it.state.pairs.len()), (Vec::new(), 1));
    wave.stands(0, 0, 0);
    wave.import(&statement("b", Vec::new(), vec![ours]));
    wave.stands(0, 0, 0);
}

#[test]
fn many_matches_come_in_events_of_at_most_500() {
    let ours: Vec<Movement> = (0..1_201).map(|n| movement(n, 5_000)).collect();
    let file = statement("a", ours.iter().map(line).collect(), ours);
    let decision = import(&loaded(day()), &[], &file, ONE, tomorrow()).unwrap();
    let sizes: Vec<usize> = decision.changes[0]
        .events
        .iter()
        .filter_map(|event| match event {
            event::Event::Reconciliation(Event::Matched(matched)) => Some(matched.pairs.len()),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, [500, 500, 201]);
}

#[test]
fn a_file_of_another_account_is_refused() {
    let strange: Vec<Line> = (0..2_001).map(|n| line(&movement(n, 5_000))).collect();
    let file = statement("a", strange, Vec::new());
    let refused = import(&loaded(day()), &[], &file, ONE, tomorrow());
    assert_eq!(refused, Err(Refusal::TooManyDifferences { found: 2_001 }));
    let early = import(&loaded(day()), &[], &statement("a", Vec::new(), Vec::new()), ONE, at("2026-11-27 23:59"));
    assert_eq!(early, Err(Refusal::NotBegun { day: day() }));
}

#[test]
fn money_nobody_knows_is_in_suspense_until_it_lands_and_the_provider_is_asked() {
    let paid = Movement { state: Moved::Open, ..movement(1, 15_000) };
    let mut wave = Day::new();
    wave.import(&statement("a", vec![line(&paid)], vec![paid.clone()]));
    wave.stands(15_000, -15_000, 0);
    let asked = wave.events.iter().flat_map(crate::reaction::react).any(|reaction| {
        matches!(reaction, Reaction::Ask(ask) if matches!(ask.about, About::Listed(id) if id.uuid() == paid.subject.id))
    });
    assert!(asked, "it can land by itself");
    // It landed: `payment.succeeded` has entered it, so suspense gives it up; the fee is known from now on.
    wave.import(&statement("a", vec![line(&paid)], vec![movement(1, 15_000)]));
    wave.stands(-150, 0, 150);
    assert_eq!(wave.kinds(), [(Kind::MissingHere, Standing::Explained)]);
    assert!(close(&wave.it, ONE, tomorrow()).is_ok());
}

#[test]
fn what_each_explanation_does_to_the_ledger() {
    let ours = movement(1, 15_000);
    let stranger = || statement("a", vec![line(&movement(1, 15_000))], Vec::new());
    let missing = || statement("a", Vec::new(), vec![movement(1, 15_000)]);
    let less = || {
        let mut line = line(&ours);
        line.listing.amount = Signed(Money::xof(14_000));
        statement("a", vec![line], vec![ours.clone()])
    };
    let dear = || {
        let mut line = line(&ours);
        line.listing.fee = Signed(Money::xof(300));
        statement("a", vec![line], vec![ours.clone()])
    };
    // Clearing, suspense, fees: after it was found, and after it was explained.
    let cases: [(Import, How, [i64; 3], [i64; 3]); 9] = [
        (stranger(), How::WrittenOff, [15_000, -15_000, 0], [14_850, 0, -14_850]),
        (stranger(), How::RefundedByHand, [15_000, -15_000, 0], [14_850, -15_000, 150]),
        (stranger(), How::BookedNextDay, [15_000, -15_000, 0], [0, 0, 0]),
        (stranger(), How::ClaimedFromProvider, [15_000, -15_000, 0], [15_000, -15_000, 0]),
        (missing(), How::WrittenOff, [0, 0, 0], [-15_000, 0, 15_000]),
        (missing(), How::ClaimedFromProvider, [0, 0, 0], [0, 0, 0]),
        (less(), How::WrittenOff, [-150, 0, 150], [-1_150, 0, 1_150]),
        (dear(), How::WrittenOff, [-150, 0, 150], [-300, 0, 300]),
        (dear(), How::ClaimedFromProvider, [-150, 0, 150], [-150, 0, 150]),
    ];
    for (file, how, [clearing, suspense, fees], then) in cases {
        let mut wave = Day::new();
        wave.import(&file);
        wave.stands(clearing, suspense, fees);
        wave.say(1, how, ONE).unwrap();
        wave.stands(then[0], then[1], then[2]);
        assert!(wave.say(1, how, TWO).is_ok(), "the same again is nothing");
        wave.stands(then[0], then[1], then[2]);
        // A later statement that shows all is well undoes all of it: what remains is the fee.
        wave.import(&statement("z", vec![line(&ours)], vec![ours.clone()]));
        wave.stands(-150, 0, 150);
    }
}

#[test]
fn what_was_charged_twice_and_sent_back_by_hand_leaves_nothing_in_suspense() {
    let ours = movement(1, 15_000);
    let mut second = line(&ours);
    second.listing.transaction = id("T_SECOND");
    let mut back = second.clone();
    back.listing.transaction = id("T_BACK");
    back.listing.is = Is::Refund;
    (back.listing.amount, back.listing.fee) = (Signed(Money::xof(-15_000)), Signed(Money::xof(-150)));
    let mut wave = Day::new();
    wave.import(&statement("a", vec![line(&ours), second, back], vec![ours]));
    assert_eq!(wave.kinds(), [(Kind::MissingHere, Standing::Unexplained), (Kind::Duplicate, Standing::Unexplained)]);
    wave.stands(-150, 0, 150);
    wave.say(1, How::RefundedByHand, ONE).unwrap();
    wave.say(2, How::RefundedByHand, ONE).unwrap();
    wave.stands(-150, 0, 150);
}

#[test]
fn above_the_limit_two_people_of_finance_say_the_same() {
    let ours = movement(1, 50_001);
    let mut wave = Day::new();
    wave.import(&statement("a", Vec::new(), vec![ours]));
    wave.say(1, How::WrittenOff, ONE).unwrap();
    assert_eq!(wave.kinds(), [(Kind::MissingAtProvider, Standing::Proposed)]);
    wave.stands(0, 0, 0);
    // Once more by the same person is not two people, and another word is another proposal.
    wave.say(1, How::WrittenOff, ONE).unwrap();
    assert_eq!(wave.kinds(), [(Kind::MissingAtProvider, Standing::Proposed)]);
    wave.say(1, How::ClaimedFromProvider, TWO).unwrap();
    assert_eq!(wave.kinds(), [(Kind::MissingAtProvider, Standing::Proposed)]);
    let refused = close(&wave.it, ONE, tomorrow());
    assert_eq!(refused, Err(Refusal::Unexplained { differences: 1 }));
    wave.say(1, How::ClaimedFromProvider, ONE).unwrap();
    assert_eq!(wave.kinds(), [(Kind::MissingAtProvider, Standing::Explained)]);
    let explained = wave.it.state.differences[0].explained.clone().unwrap();
    assert_eq!((explained.by, explained.proposed_by), (ONE, Some(TWO)));
    // At the limit one is enough.
    let mut wave = Day::new();
    wave.import(&statement("a", Vec::new(), vec![movement(1, 50_000)]));
    wave.say(1, How::WrittenOff, ONE).unwrap();
    assert_eq!(wave.kinds(), [(Kind::MissingAtProvider, Standing::Explained)]);
}

#[test]
fn only_finance_explains_and_closes_and_only_what_fits() {
    let mut wave = Day::new();
    wave.import(&statement("a", Vec::new(), vec![movement(1, 15_000)]));
    for role in [Role::Admin, Role::Auditor, Role::Support, Role::Manager, Role::Service, Role::Client] {
        let other = Actor::new(role, PrincipalId::new(Uuid::from_u128(1)));
        assert_eq!(wave.say(1, How::WrittenOff, other), Err(Refusal::RoleNotAllowed { role }));
        assert_eq!(close(&wave.it, other, tomorrow()), Err(Refusal::RoleNotAllowed { role }));
    }
    assert_eq!(wave.say(2, How::Wait, ONE), Err(Refusal::NoSuchDifference));
    assert_eq!(wave.say(0, How::Wait, ONE), Err(Refusal::NoSuchDifference));
    for how in [How::RefundedByHand, How::Superseded] {
        assert_eq!(wave.say(1, how, ONE), Err(Refusal::Unfit { how, kind: Kind::MissingAtProvider }));
    }
    wave.say(1, How::WrittenOff, ONE).unwrap();
    let refused = wave.say(1, How::ClaimedFromProvider, TWO);
    assert_eq!(refused, Err(Refusal::AlreadyExplained { how: How::WrittenOff }));
}

#[test]
fn a_day_closes_when_it_is_over_and_every_franc_is_explained() {
    let mut wave = Day::new();
    assert_eq!(close(&wave.it, ONE, tomorrow()), Err(Refusal::NoStatement));
    wave.import(&statement("a", Vec::new(), vec![movement(1, 15_000)]));
    assert_eq!(close(&wave.it, ONE, at("2026-11-28 23:59")), Err(Refusal::NotEnded { day: day() }));
    assert_eq!(close(&wave.it, ONE, tomorrow()), Err(Refusal::Unexplained { differences: 1 }));
    // Somebody looks after it: that explains nothing.
    wave.say(1, How::Wait, ONE).unwrap();
    assert_eq!(wave.kinds(), [(Kind::MissingAtProvider, Standing::Waiting)]);
    assert_eq!(close(&wave.it, ONE, tomorrow()), Err(Refusal::Unexplained { differences: 1 }));
    wave.say(1, How::ClaimedFromProvider, ONE).unwrap();
    let decision = close(&wave.it, ONE, tomorrow()).unwrap();
    wave.take(&decision);
    assert_eq!(wave.it.state.status, Status::Closed);
    assert!(close(&wave.it, TWO, tomorrow()).unwrap().is_nothing());
    // A closed day takes the same file, and no other.
    let same = statement("a", Vec::new(), vec![movement(1, 15_000)]);
    assert!(import(&wave.it, &[], &same, ONE, tomorrow()).unwrap().is_nothing());
    let other = statement("b", vec![line(&movement(1, 15_000))], vec![movement(1, 15_000)]);
    assert_eq!(import(&wave.it, &[], &other, ONE, tomorrow()), Err(Refusal::AlreadyClosed));
    let want = want(&wave.it, Provider::Wave, main(), day(), ONE, tomorrow());
    assert_eq!(want, Err(Refusal::AlreadyClosed));
    // What was claimed ends some day; the day stays closed.
    wave.say(1, How::WrittenOff, ONE).unwrap();
    wave.stands(-15_000, 0, 15_000);
    assert_eq!(wave.it.state.status, Status::Closed);
}

#[test]
fn the_statement_of_the_next_day_explains_what_this_one_misses() {
    let mut ours = movement(1, 15_000);
    ours.at = at("2026-11-28 23:59");
    let mut wave = Day::new();
    wave.import(&statement("a", Vec::new(), vec![ours.clone()]));
    let next = day().succ_opt().unwrap();
    let mut there = line(&ours);
    there.listing.at = at("2026-11-29 00:01");
    let file = Import { day: next, ..statement("b", vec![there], vec![ours]) };
    let now = at("2026-11-30 02:30");
    let mut after = loaded(next);
    let decision = import(&after, &[&wave.it], &file, ONE, now).unwrap();
    assert_eq!(decision.changes.len(), 2, "both days in one decision");
    apply(&mut after, &decision);
    apply(&mut wave.it, &decision);
    assert_eq!(wave.kinds(), [(Kind::MissingAtProvider, Standing::Explained)]);
    assert_eq!(after.state.differences[0].found.kind, Kind::DayDiffers);
    assert_eq!(after.state.differences[0].standing, Standing::Explained);
    assert!(close(&wave.it, ONE, now).is_ok() && close(&after, ONE, now).is_ok());
    // Two imports at once: whoever comes second relied on what has moved.
    let nothing = Import { day: next, ..statement("c", Vec::new(), Vec::new()) };
    let decision = import(&loaded(next), &[&wave.it], &nothing, ONE, now).unwrap();
    assert_eq!(decision.reads.len(), 1);
}

#[test]
fn a_statement_is_asked_for_once() {
    let it = loaded(day());
    let decision = want(&it, Provider::Wave, main(), day(), Actor::SYSTEM, tomorrow()).unwrap();
    let mut asked = it.clone();
    apply(&mut asked, &decision);
    assert!(want(&asked, Provider::Wave, main(), day(), ONE, tomorrow()).unwrap().is_nothing());
    let other = Slug::new("second").unwrap();
    assert_eq!(want(&asked, Provider::Wave, other, day(), ONE, tomorrow()), Err(Refusal::AnotherAccount));
    let mut come = asked;
    let decision = import(&come, &[], &statement("a", Vec::new(), Vec::new()), Actor::SYSTEM, tomorrow()).unwrap();
    apply(&mut come, &decision);
    assert!(!want(&come, Provider::Wave, main(), day(), ONE, tomorrow()).unwrap().is_nothing());
    // The same statement once more answers a second question.
    let decision = want(&come, Provider::Wave, main(), day(), ONE, tomorrow()).unwrap();
    apply(&mut come, &decision);
    assert!(come.state.wanted);
    let decision = import(&come, &[], &statement("a", Vec::new(), Vec::new()), Actor::SYSTEM, tomorrow()).unwrap();
    apply(&mut come, &decision);
    assert!(!come.state.wanted);
    let early = want(&it, Provider::Wave, main(), day(), ONE, at("2026-11-27 23:59"));
    assert_eq!(early, Err(Refusal::NotBegun { day: day() }));
}
