//! No franc is lost, made or moved twice: books kept from the events alone, then compared with the provider's own.

mod books;
mod ends;
mod entries;
mod fines;
mod ledger;

use crate::{court::Court, input::Input};

pub(crate) fn check(input: &Input, court: &mut Court<'_>) {
    let books = books::keep(input, court);
    ends::check(&books, court);
    ledger::check(input, &books, court);
    entries::check(input, &books, court);
}

/// The ledger of an engine without a mistake, after these events.
#[cfg(test)]
pub(crate) fn told(input: &Input) -> Vec<crate::input::Posting> {
    entries::told(&books::keep(input, &mut Court::new(&input.history)))
}
