//! No franc is lost, made or moved twice: books kept from the events alone, then compared with the provider's own.

mod books;
mod ends;
mod ledger;

use crate::{court::Court, input::Input};

pub(crate) fn check(input: &Input, court: &mut Court<'_>) {
    let books = books::keep(input, court);
    ends::check(&books, court);
    ledger::check(input, &books, court);
}
