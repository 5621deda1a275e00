//! Reconciliation: one day of one account at a provider, compared with our log, until every franc is explained.
//!
//! A statement comes as a file or from the provider's list. [`compare()`] puts every line of it and every movement of ours
//! into exactly one place: matched, or one of eight kinds of difference. Nothing is adjusted by itself: what a person does
//! about a difference is an explanation under their name, and a day closes with none left open (domain.md, Ledger).

mod close;
mod compare;
mod event;
mod explain;
mod import;
mod line;
mod outside;
mod own;
mod reactions;
mod refusal;
mod state;
mod want;

pub use close::close;
pub use compare::{Compared, Elsewhere, Found, Match, Outcome, Terms, compare};
pub use event::*;
pub use explain::{Explanation, explain, needs_second};
pub use import::{Import, MOST_DIFFERENCES, import};
pub use line::{Is, Key, Line, LineState, Listing, Moved, Movement, Object, Provider, Signed, Subject, Way};
pub use outside::{catch_up, paid_back};
pub use reactions::react;
pub use refusal::Refusal;
pub use state::{Difference, Reconciliation, Scope, Standing, Status};
pub use want::want;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::{Timestamp, ids::ReconciliationId, text::Slug};

/// The account of the platform. Every other one is a manager's, by the name that contracts know it by.
pub const MAIN: &str = "main";

/// Whose account this is, as a contract says it: a manager's of that name, or the platform's (`None`).
pub fn merchant_account(account: &Slug) -> Option<&Slug> {
    Some(account).filter(|account| account.as_str() != MAIN)
}

/// The id follows from what is compared, so that two imports of one day meet in one stream. A UUIDv7 of the midnight that
/// begins the day; its random part is a hash (FNV-1a, 64 bits) of provider and account, whose collisions
/// [`import()`] refuses.
pub fn id_of(provider: Provider, account: &Slug, day: NaiveDate) -> ReconciliationId {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let text = provider.as_str().bytes().chain([b':']).chain(account.as_str().bytes());
    let hash = text.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    let milliseconds = u64::try_from(begin(day).timestamp_millis()).unwrap_or_default() & 0xFFFF_FFFF_FFFF;
    let high = (milliseconds << 16) | 0x7000 | (hash >> 60);
    let low = 0x8000_0000_0000_0000 | (hash & 0x3FFF_FFFF_FFFF_FFFF);
    ReconciliationId::new(Uuid::from_u64_pair(high, low))
}

/// When a day begins. Providers in Senegal count in UTC, which is the time of Dakar.
pub fn begin(day: NaiveDate) -> Timestamp {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// When it has ended; that of the last day there is never ends.
pub fn end(day: NaiveDate) -> Timestamp {
    day.succ_opt().map_or(Timestamp::MAX_UTC, begin)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_accounts;
#[cfg(test)]
mod tests_compare;
#[cfg(test)]
mod tests_faults;
#[cfg(test)]
mod tests_outside;
