//! What a provider's statement says beside what we wrote down, line by line: compared by the reconciliation of the domain, which
//! must find what was made wrong and nothing else.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    provider::{Moving, Provider, fee},
    random::Random,
};
use crate::{
    Timestamp,
    money::Money,
    payment::{Method, ProviderId},
    reconciliation::{
        self, Compared, Found, Is, Kind, LineState, Listing, Moved, Movement, Object, Signed, Subject, Terms, compare,
    },
    refund::Route,
};

/// One movement of money. Out is negative.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) fee: i64,
}

/// How a line of theirs and ours differ, and which.
pub(super) type Difference = (Kind, String);

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

/// Every difference that the reconciliation of the domain finds, all of it taken for one day.
pub(super) fn differences(method: Method, ours: &[Line], theirs: &[Line], day: Timestamp) -> Vec<Difference> {
    let lines: Vec<_> = theirs.iter().map(|line| line.listed(method, day)).collect();
    let movements: Vec<_> = (0..).zip(ours).map(|(nth, line)| line.moved(nth, method, day)).collect();
    let (elsewhere, terms) = (BTreeMap::new(), Terms { fee_basis_points: Some(100) });
    let compared = Compared {
        day: day.date_naive(),
        account: None,
        lines: &lines,
        movements: &movements,
        elsewhere: &elsewhere,
        terms,
    };
    let name = |found: &Found| match (&found.there, &found.here) {
        (Some(there), _) => there.transaction.to_string(),
        (None, Some(here)) => ours[usize::try_from(here.subject.id.as_u128()).unwrap()].id.clone(),
        (None, None) => String::new(),
    };
    let mut found: Vec<Difference> =
        compare(compared).differences.iter().map(|found| (found.kind, name(found))).collect();
    found.sort();
    found
}

impl Line {
    fn is_charge(&self) -> bool {
        Provider::charge_of(&ProviderId::known(self.id.clone())).is_some()
    }

    fn listed(&self, method: Method, at: Timestamp) -> reconciliation::Line {
        let is = if self.is_charge() { Is::Charge } else { Is::Payout };
        let (amount, fee) = (Signed(Money::xof(self.amount)), Signed(Money::xof(self.fee)));
        let transaction = ProviderId::known(self.id.clone());
        let listing =
            Listing { transaction, reference: None, is, state: LineState::Succeeded, method, amount, fee, at };
        reconciliation::Line { listing, checkout: None, number: None }
    }

    fn moved(&self, nth: u128, method: Method, at: Timestamp) -> Movement {
        let object = if self.is_charge() { Object::Payment } else { Object::Refund };
        let subject = Subject { object, id: Uuid::from_u128(nth), nth: 0 };
        let (ids, references) = (vec![ProviderId::known(self.id.clone())], Vec::new());
        let (amount, state) = (Money::xof(self.amount), Moved::Succeeded);
        Movement { subject, method, account: None, ids, references, amount, state, at, number: None }
    }
}

/// Makes five lines wrong, one in each way; what must be found.
pub(super) fn spoil(lines: &mut Vec<Line>, spared: &[Difference], random: &mut Random) -> Vec<Difference> {
    let spared = |id: &String| spared.iter().any(|(kind, other)| *kind == Kind::MissingHere && other == id);
    let mut whole: Vec<usize> = (0..lines.len()).filter(|nth| !spared(&lines[*nth].id)).collect();
    let mut draw = || {
        let nth = usize::try_from(random.below(whole.len() as u64)).unwrap();
        whole.swap_remove(nth)
    };
    let (amount, twice, gone) = (draw(), draw(), draw());
    // Fees are on charges.
    let mut fees = draw();
    while !lines[fees].is_charge() {
        fees = draw();
    }
    // Away from nothing: what would go the other way is another movement.
    lines[amount].amount += 100 * lines[amount].amount.signum();
    lines[fees].fee += 7;
    let again = lines[twice].clone();
    let mut wrong = vec![
        (Kind::AmountDiffers, lines[amount].id.clone()),
        (Kind::FeeDiffers, lines[fees].id.clone()),
        (Kind::Duplicate, again.id.clone()),
        (Kind::MissingAtProvider, lines[gone].id.clone()),
        (Kind::MissingHere, "T-of-nobody".into()),
    ];
    lines.push(again);
    lines.push(Line { id: "T-of-nobody".into(), amount: 5_000, fee: 50 });
    lines.remove(gone);
    wrong.sort();
    wrong
}
