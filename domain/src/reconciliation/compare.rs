//! The comparison itself: a pure function of the two sides, the same in whatever order the lines come.
//!
//! Lines find their movement by the provider's transaction id, then by our reference, then by amount, number and time.
//! Every line and every movement of the day that succeeded ends in exactly one place.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};

use super::{Here, Kind, Line, LineState, Listing, Moved, Movement, Signed, Subject, Way, own};
use crate::{
    money::{Currency, Money},
    payment::{ProviderId, Reference},
    text::Slug,
};

/// How far two clocks and a slow answer may lie apart when only amount and number agree (techniques.md §6).
pub(super) const NEAR: TimeDelta = TimeDelta::minutes(15);

/// What was agreed with a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What it keeps of a charge, in basis points; not compared when `None`.
    pub fee_basis_points: Option<u16>,
}

impl Terms {
    /// The fee agreed for an amount: rounded down to a franc.
    pub fn fee(self, amount: Money) -> Option<Money> {
        let rate = i64::from(self.fee_basis_points?);
        Some(Money::new(amount.amount.checked_mul(rate)? / 10_000, amount.currency))
    }

    /// Whether a fee is the agreed one. Providers round: to a franc up or down, or down to five francs (providers.md §1.3).
    fn allows(self, amount: Money, fee: Money) -> bool {
        let Some(agreed) = self.fee(amount) else { return true };
        let down = agreed.amount - agreed.amount.rem_euclid(5);
        (down..=agreed.amount.saturating_add(1)).contains(&fee.amount)
    }
}

/// Where another day's statement lists a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    pub day: NaiveDate,
    pub transaction: ProviderId,
}

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    pub day: NaiveDate,
    /// Whose account it is: a manager's, or the platform's (`None`).
    pub account: Option<&'a Slug>,
    /// All of the statement. Of a manager's account only what is about movements of ours is looked at: the rest is theirs.
    pub lines: &'a [Line],
    /// All movements of the day at this provider, and whatever else the lines may be about: those of other days, and
    /// those that did not succeed. Those of another account are not looked at.
    pub movements: &'a [Movement],
    /// Movements that statements of other days list.
    pub elsewhere: &'a BTreeMap<Subject, Elsewhere>,
    /// Of the platform's account. What a manager agreed with a provider nobody has told us.
    pub terms: Terms,
}

/// A line that agrees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// `None` for a line that moved nothing, of which the log knows nothing.
    pub subject: Option<Subject>,
    pub there: Listing,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub kind: Kind,
    pub here: Option<Here>,
    pub there: Option<Listing>,
    pub other_day: Option<NaiveDate>,
    pub agreed_fee: Option<Signed>,
}

impl Found {
    /// What there is to explain, not below zero. Of two currencies the larger number.
    pub fn stake(&self) -> Money {
        let size = |money: Money| Money::new(money.amount.saturating_abs(), money.currency);
        let here = self.here.as_ref().map(|here| here.amount.0);
        let there = self.there.as_ref();
        match (self.kind, here, there) {
            (Kind::AmountDiffers, Some(here), Some(there)) => {
                size(there.amount.0.minus(here).unwrap_or(there.amount.0))
            }
            (Kind::FeeDiffers, _, Some(there)) => {
                let agreed = self.agreed_fee.map_or(Money::zero(there.fee.0.currency), |agreed| agreed.0);
                size(there.fee.0.minus(agreed).unwrap_or(there.fee.0))
            }
            (_, here, Some(there)) => {
                let there = size(there.amount.0);
                here.map(size).filter(|here| here.amount > there.amount).unwrap_or(there)
            }
            (_, Some(here), None) => size(here),
            (_, None, None) => Money::zero(Currency::Xof),
        }
    }
}

/// Where everything ended, in an order that depends on nothing but what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub matched: Vec<Match>,
    pub differences: Vec<Found>,
}

/// Compares a statement with our movements.
pub fn compare(compared: Compared<'_>) -> Outcome {
    let mut lines = own::lines(&compared);
    lines.sort_by(|a, b| a.listing.cmp(&b.listing).then_with(|| key(a).cmp(&key(b))));
    let mut movements: Vec<&Movement> = own::movements(&compared).collect();
    movements.sort_by_key(|movement| movement.subject);
    movements.dedup_by_key(|movement| movement.subject);
    let terms = if compared.account.is_some() { Terms::default() } else { compared.terms };
    let mut work = Work {
        compared: Compared { terms, ..compared },
        partner: vec![None; lines.len()],
        twice: vec![None; lines.len()],
        taken: vec![false; movements.len()],
        lines,
        movements,
    };
    work.by_transaction();
    work.by_reference();
    work.by_amount_and_number();
    work.outcome()
}

fn key(line: &Line) -> (Option<&str>, Option<&str>) {
    (line.checkout.as_ref().map(ProviderId::as_str), line.number.as_ref().map(|number| number.0.as_str()))
}

struct Work<'a> {
    compared: Compared<'a>,
    lines: Vec<&'a Line>,
    movements: Vec<&'a Movement>,
    /// Of each line, its movement.
    partner: Vec<Option<usize>>,
    /// Of each line that is one too many, the movement that has another one, where there is one.
    twice: Vec<Option<Option<usize>>>,
    taken: Vec<bool>,
}

impl<'a> Work<'a> {
    fn line(&self, line: usize) -> Option<&'a Line> {
        self.lines.get(line).copied()
    }

    fn movement(&self, movement: usize) -> Option<&'a Movement> {
        self.movements.get(movement).copied()
    }

    fn is_free(&self, movement: usize) -> bool {
        self.taken.get(movement).is_some_and(|taken| !taken)
    }

    fn pair(&mut self, line: usize, movement: usize) {
        if let (Some(partner), Some(taken)) = (self.partner.get_mut(line), self.taken.get_mut(movement)) {
            *partner = Some(movement);
            *taken = true;
        }
    }

    fn too_many(&mut self, line: usize, movement: Option<usize>) {
        if let Some(twice) = self.twice.get_mut(line) {
            *twice = Some(movement);
        }
    }

    /// How well they agree; smaller is better.
    fn distance(&self, line: usize, movement: usize) -> (bool, bool, bool, bool, TimeDelta) {
        let (Some(line), Some(movement)) = (self.line(line), self.movement(movement)) else {
            return (true, true, true, true, TimeDelta::MAX);
        };
        let there = &line.listing;
        (
            there.amount.0.currency != movement.amount.currency,
            there.amount.0.amount != movement.amount.amount,
            (there.state == LineState::Succeeded) != (movement.state == Moved::Succeeded),
            there.at.date_naive() != movement.at.date_naive(),
            (there.at - movement.at).abs(),
        )
    }

    fn open_lines(&self) -> Vec<usize> {
        let open = |line: &usize| {
            self.partner.get(*line).is_some_and(Option::is_none) && self.twice.get(*line).is_some_and(Option::is_none)
        };
        (0..self.lines.len()).filter(open).collect()
    }

    /// The same transaction: one line has the movement, the others are listed twice.
    fn by_transaction(&mut self) {
        let mut known: BTreeMap<&ProviderId, Vec<usize>> = BTreeMap::new();
        for (index, movement) in self.movements.iter().enumerate() {
            for id in &movement.ids {
                known.entry(id).or_default().push(index);
            }
        }
        let mut groups: BTreeMap<(&ProviderId, Way), Vec<usize>> = BTreeMap::new();
        for (index, line) in self.lines.iter().enumerate() {
            let way = Way::of(line.listing.amount.0);
            groups.entry((&line.listing.transaction, way)).or_default().push(index);
        }
        for ((transaction, _), lines) in groups {
            let of = known.get(transaction).map_or(&[][..], Vec::as_slice);
            let best = lines
                .iter()
                .flat_map(|line| of.iter().map(|movement| (*line, *movement)))
                .filter(|(line, movement)| self.is_free(*movement) && self.same_way(*line, *movement))
                .min_by_key(|(line, movement)| (self.distance(*line, *movement), *line, *movement));
            // Which of them stays is decided without a movement, too: one that stands rather than one that does not.
            let first = || lines.iter().copied().min_by_key(|line| (self.is_void(*line), *line));
            let (first, movement) = match best {
                Some((line, movement)) => (Some(line), Some(movement)),
                None => (first(), None),
            };
            if let (Some(line), Some(movement)) = (first, movement) {
                self.pair(line, movement);
            }
            for line in lines.iter().copied().filter(|line| Some(*line) != first) {
                self.too_many(line, movement);
            }
        }
    }

    fn is_void(&self, line: usize) -> bool {
        self.line(line).is_none_or(|line| line.listing.state != LineState::Succeeded)
    }

    /// Money that came in is never money that went out.
    fn same_way(&self, line: usize, movement: usize) -> bool {
        let (Some(line), Some(movement)) = (self.line(line), self.movement(movement)) else { return false };
        Way::of(line.listing.amount.0) == Way::of(movement.amount)
    }

    /// Our reference, or the checkout it was paid in. What is left over of a movement that has its line is a second one.
    fn by_reference(&mut self) {
        let mut by_reference: BTreeMap<&Reference, Vec<usize>> = BTreeMap::new();
        let mut by_checkout: BTreeMap<&ProviderId, Vec<usize>> = BTreeMap::new();
        for (index, movement) in self.movements.iter().enumerate() {
            for reference in &movement.references {
                by_reference.entry(reference).or_default().push(index);
            }
            for id in &movement.ids {
                by_checkout.entry(id).or_default().push(index);
            }
        }
        let candidates = |line: usize| -> Vec<usize> {
            let Some(it) = self.line(line) else { return Vec::new() };
            let referred = it.listing.reference.as_ref().and_then(|reference| by_reference.get(reference));
            let paid_in = it.checkout.as_ref().and_then(|checkout| by_checkout.get(checkout));
            let all: BTreeSet<usize> = referred.into_iter().chain(paid_in).flatten().copied().collect();
            all.into_iter().filter(|movement| self.same_way(line, *movement)).collect()
        };
        let open: Vec<(usize, Vec<usize>)> =
            self.open_lines().into_iter().map(|line| (line, candidates(line))).collect();
        let mut pairs: Vec<(usize, usize)> =
            open.iter().flat_map(|(line, of)| of.iter().map(|movement| (*line, *movement))).collect();
        pairs.sort_by_key(|(line, movement)| (self.distance(*line, *movement), *line, *movement));
        for (line, movement) in pairs {
            if self.is_free(movement) && self.partner.get(line).is_some_and(Option::is_none) {
                self.pair(line, movement);
            }
        }
        for (line, of) in open {
            let stands = !self.is_void(line);
            if stands && self.partner.get(line).is_some_and(Option::is_none) {
                // The money that stands is what it is a second one of.
                let first = of.iter().copied().min_by_key(|movement| {
                    let moved = self.movement(*movement).is_some_and(|movement| movement.state == Moved::Succeeded);
                    (!moved, *movement)
                });
                if let Some(movement) = first {
                    self.too_many(line, Some(movement));
                }
            }
        }
    }

    /// Nothing but what anybody could see: the nearest in time first.
    fn by_amount_and_number(&mut self) {
        let mut known: BTreeMap<(Signed, &str), Vec<usize>> = BTreeMap::new();
        for (index, movement) in self.movements.iter().enumerate().filter(|(index, _)| self.is_free(*index)) {
            if let Some(number) = &movement.number {
                known.entry((Signed(movement.amount), number.0.as_str())).or_default().push(index);
            }
        }
        let mut pairs: Vec<(TimeDelta, usize, usize)> = Vec::new();
        for line in self.open_lines() {
            let Some(it) = self.line(line) else { continue };
            let Some(number) = &it.number else { continue };
            for movement in known.get(&(it.listing.amount, number.0.as_str())).into_iter().flatten() {
                let apart = self.movement(*movement).map_or(TimeDelta::MAX, |other| (other.at - it.listing.at).abs());
                if apart <= NEAR {
                    pairs.push((apart, line, *movement));
                }
            }
        }
        pairs.sort_unstable();
        for (_, line, movement) in pairs {
            if self.is_free(movement) && self.partner.get(line).is_some_and(Option::is_none) {
                self.pair(line, movement);
            }
        }
    }

    fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::default();
        for (index, line) in self.lines.iter().enumerate() {
            let movement = self.partner.get(index).copied().flatten().and_then(|movement| self.movement(movement));
            let twice = self.twice.get(index).copied().flatten();
            match (twice, movement) {
                (Some(first), _) => {
                    let here = first.and_then(|movement| self.movement(movement)).map(here);
                    outcome.differences.push(found(Kind::Duplicate, here, Some(&line.listing)));
                }
                (None, Some(movement)) => self.judge(line, movement, &mut outcome),
                // What did not move there, and is not known here, is no money.
                (None, None) if self.is_void(index) => {
                    outcome.matched.push(Match { subject: None, there: line.listing.clone() });
                }
                (None, None) => outcome.differences.push(found(Kind::MissingHere, None, Some(&line.listing))),
            }
        }
        for (index, movement) in self.movements.iter().enumerate() {
            let is_ours = movement.state == Moved::Succeeded && movement.at.date_naive() == self.compared.day;
            if !is_ours || !self.is_free(index) {
                continue;
            }
            let elsewhere = self.compared.elsewhere.get(&movement.subject);
            let kind = if elsewhere.is_some() { Kind::DayDiffers } else { Kind::MissingAtProvider };
            let mut difference = found(kind, Some(here(movement)), None);
            difference.other_day = elsewhere.map(|elsewhere| elsewhere.day);
            outcome.differences.push(difference);
        }
        outcome.matched.sort();
        outcome.differences.sort();
        outcome
    }

    /// A line and its movement: the first thing in which they differ, the graver before the lighter.
    fn judge(&self, line: &Line, movement: &Movement, outcome: &mut Outcome) {
        let there = &line.listing;
        let (amount, day) = (there.amount.0, self.compared.day);
        let elsewhere = self.compared.elsewhere.get(&movement.subject);
        let stands = there.state == LineState::Succeeded;
        let kind = match (movement.state, stands) {
            (Moved::Succeeded, true) if amount.currency != movement.amount.currency => Some(Kind::CurrencyDiffers),
            (Moved::Succeeded, true) if amount.amount != movement.amount.amount => Some(Kind::AmountDiffers),
            // Its own day lists it as well.
            (Moved::Succeeded, true) if elsewhere.is_some_and(|other| other.day != day) => Some(Kind::Duplicate),
            (Moved::Succeeded, true) if movement.at.date_naive() != day => Some(Kind::DayDiffers),
            (Moved::Succeeded, true)
                if there.is == super::Is::Charge && !self.compared.terms.allows(amount, there.fee.0) =>
            {
                Some(Kind::FeeDiffers)
            }
            (Moved::Succeeded, true) => None,
            (Moved::Succeeded, false) | (Moved::Failed | Moved::Reversed, true) => Some(Kind::StateDiffers),
            // Nobody told us that it was paid.
            (Moved::Open, true) => Some(Kind::MissingHere),
            (Moved::Open | Moved::Failed | Moved::Reversed, false) => None,
        };
        let Some(kind) = kind else {
            outcome.matched.push(Match { subject: Some(movement.subject), there: there.clone() });
            return;
        };
        let mut difference = found(kind, Some(here(movement)), Some(there));
        match kind {
            Kind::DayDiffers => difference.other_day = Some(movement.at.date_naive()),
            Kind::Duplicate => difference.other_day = elsewhere.map(|other| other.day),
            Kind::FeeDiffers => difference.agreed_fee = self.compared.terms.fee(amount).map(Signed),
            _ => {}
        }
        outcome.differences.push(difference);
    }
}

fn here(movement: &Movement) -> Here {
    let Movement { subject, method, amount, state, at, .. } = *movement;
    Here { subject, method, amount: Signed(amount), state, at }
}

fn found(kind: Kind, here: Option<Here>, there: Option<&Listing>) -> Found {
    Found { kind, here, there: there.cloned(), other_day: None, agreed_fee: None }
}
