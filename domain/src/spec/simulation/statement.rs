//! What a provider's statement says beside what we wrote down, line by line. The comparison is the simulation's own; the one of
//! the domain (`domain::reconciliation`) can be asked in its place: [`Ours`] and [`theirs`] are all it needs.

use std::collections::BTreeMap;

use super::{
    provider::{Moving, Provider, fee},
    random::Random,
};
use crate::{
    payment::{Method, ProviderId},
    refund::Route,
};

/// One movement of money. Out is negative.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) fee: i64,
}

/// How a line of theirs and ours differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Difference {
    MissingAtProvider(String),
    MissingHere(String),
    AmountDiffers(String),
    FeeDiffers(String),
    Duplicate(String),
}

/// What we wrote down, by provider.
#[derive(Default)]
pub(super) struct Ours(Vec<(Method, Line)>);

impl Ours {
    fn line(&mut self, method: Method, id: impl Into<String>, amount: i64, fee: i64) {
        self.0.push((method, Line { id: id.into(), amount, fee }));
    }

    pub(super) fn came(&mut self, method: Method, transaction: &ProviderId, amount: i64) {
        self.line(method, transaction.as_str(), amount, fee(amount));
    }

    pub(super) fn went(
        &mut self,
        (route, method): (Route, Method),
        name: Option<&ProviderId>,
        checkout: Option<&ProviderId>,
        amount: i64,
    ) {
        match (route, name, checkout) {
            (Route::WholeTransaction, _, Some(checkout)) => self.line(method, format!("whole:{checkout}"), -amount, 0),
            (Route::Payout, Some(name), _) => self.line(method, name.as_str(), -amount, 0),
            _ => {}
        }
    }

    pub(super) fn came_back(&mut self, (route, method): (Route, Method), name: Option<&ProviderId>, amount: i64) {
        if let (Route::Payout, Some(name)) = (route, name) {
            self.line(method, format!("back:{name}"), amount, 0);
        }
    }

    pub(super) fn of(&self, method: Method) -> Vec<Line> {
        self.0.iter().filter(|(of, _)| *of == method).map(|(_, line)| line.clone()).collect()
    }
}

/// What the provider's books say.
pub(super) fn theirs(provider: &Provider) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (nth, charge) in provider.charges.iter().enumerate() {
        lines.push(Line { id: Provider::transaction(nth).to_string(), amount: charge.amount, fee: charge.fee });
    }
    for (nth, back) in provider.backs.iter().enumerate() {
        let name = Provider::movement(nth);
        let id = if back.key.starts_with("whole:") { back.key.clone() } else { name.to_string() };
        match back.moving {
            Moving::Failed => continue,
            Moving::Reversed => lines.push(Line { id: format!("back:{name}"), amount: back.amount, fee: 0 }),
            Moving::Processing | Moving::Succeeded => {}
        }
        lines.push(Line { id, amount: -back.amount, fee: 0 });
    }
    lines
}

/// Every difference, in the order of the ids.
pub(super) fn differences(ours: &[Line], theirs: &[Line]) -> Vec<Difference> {
    let mut found = Vec::new();
    let by_id = |lines: &[Line]| {
        let mut all: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        for line in lines {
            all.entry(line.id.clone()).or_default().push(line.clone());
        }
        all
    };
    let (ours, theirs) = (by_id(ours), by_id(theirs));
    for (id, lines) in &theirs {
        if lines.len() > 1 {
            found.push(Difference::Duplicate(id.clone()));
        }
        match ours.get(id) {
            None => found.push(Difference::MissingHere(id.clone())),
            Some(own) if own[0].amount != lines[0].amount => found.push(Difference::AmountDiffers(id.clone())),
            Some(own) if own[0].fee != lines[0].fee => found.push(Difference::FeeDiffers(id.clone())),
            Some(_) => {}
        }
    }
    found.extend(ours.keys().filter(|id| !theirs.contains_key(*id)).cloned().map(Difference::MissingAtProvider));
    found.sort();
    found
}

/// Makes five lines wrong, one in each way; what must be found.
pub(super) fn spoil(lines: &mut Vec<Line>, spared: &[Difference], random: &mut Random) -> Vec<Difference> {
    let spared = |id: &String| {
        spared.iter().any(|difference| matches!(difference, Difference::MissingHere(other) if other == id))
    };
    let mut whole: Vec<usize> = (0..lines.len()).filter(|nth| !spared(&lines[*nth].id)).collect();
    let mut draw = || {
        let nth = usize::try_from(random.below(whole.len() as u64)).unwrap();
        whole.swap_remove(nth)
    };
    let (amount, fees, twice, gone) = (draw(), draw(), draw(), draw());
    lines[amount].amount += 100;
    lines[fees].fee += 7;
    let again = lines[twice].clone();
    let mut wrong = vec![
        Difference::AmountDiffers(lines[amount].id.clone()),
        Difference::FeeDiffers(lines[fees].id.clone()),
        Difference::Duplicate(again.id.clone()),
        Difference::MissingAtProvider(lines[gone].id.clone()),
        Difference::MissingHere("T-of-nobody".into()),
    ];
    lines.push(again);
    lines.push(Line { id: "T-of-nobody".into(), amount: 5_000, fee: 50 });
    lines.remove(gone);
    wrong.sort();
    wrong
}
