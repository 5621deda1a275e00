//! Sites: where they are, what they offer, what anybody may know of them.

mod offers;
mod profile;
mod search;

pub use offers::{Elsewhere, Hit, Offer, Wish, elsewhere, offers, with_a_free_pitch};
pub use profile::{SiteRow, find, find_by_slug, find_many, of_manager};
pub use search::{Candidate, Filter, search};

use crate::engine::{Poison, Projector};

/// Fills `read.sites`.
pub static PROJECTOR: Projector = Projector {
    name: "site",
    version: 1,
    poison: Poison::Park,
    kinds: &["site"],
    tables: &["sites"],
    apply: |connection, entries| Box::pin(profile::apply(connection, entries)),
    bulk: None,
};
