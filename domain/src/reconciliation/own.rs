//! What of a statement is ours to look at.
//!
//! All that lies on the platform's account is. A manager's wallet is theirs: they may be paid there for things that are none
//! of ours. Only lines about movements of ours are compared, counted and kept; of the others nothing is written down.

use std::collections::{BTreeMap, BTreeSet};

use super::{Compared, Line, Movement, Signed, compare::NEAR};
use crate::{
    Timestamp,
    payment::{ProviderId, Reference},
};

/// The movements that lie on the account.
pub(super) fn movements<'a>(compared: &Compared<'a>) -> impl Iterator<Item = &'a Movement> + use<'a> {
    let Compared { account, movements, .. } = *compared;
    movements.iter().filter(move |movement| movement.account.as_ref() == account)
}

/// The lines that are looked at: those that name a movement, or could be one by amount, number and time.
pub(super) fn lines<'a>(compared: &Compared<'a>) -> Vec<&'a Line> {
    if compared.account.is_none() {
        return compared.lines.iter().collect();
    }
    let known = Known::of(movements(compared));
    compared.lines.iter().filter(|line| known.has(line)).collect()
}

/// What our movements can be recognised by. Which way the money went does not matter: what a manager gives back without us
/// is listed under the names of what had come.
#[derive(Default)]
struct Known<'a> {
    ids: BTreeSet<&'a ProviderId>,
    references: BTreeSet<&'a Reference>,
    seen: BTreeMap<(Signed, &'a str), Vec<Timestamp>>,
}

impl<'a> Known<'a> {
    fn of(movements: impl Iterator<Item = &'a Movement>) -> Self {
        let mut known = Self::default();
        for movement in movements {
            known.ids.extend(&movement.ids);
            known.references.extend(&movement.references);
            if let Some(number) = &movement.number {
                let seen = known.seen.entry((Signed(movement.amount), number.0.as_str())).or_default();
                seen.push(movement.at);
            }
        }
        known
    }

    fn has(&self, line: &Line) -> bool {
        let Line { listing, checkout, number } = line;
        let near = |number: &str| {
            let seen = self.seen.get(&(listing.amount, number)).into_iter().flatten();
            seen.into_iter().any(|at| (*at - listing.at).abs() <= NEAR)
        };
        self.ids.contains(&listing.transaction)
            || checkout.as_ref().is_some_and(|checkout| self.ids.contains(checkout))
            || listing.reference.as_ref().is_some_and(|reference| self.references.contains(reference))
            || number.as_ref().is_some_and(|number| near(&number.0))
    }
}
