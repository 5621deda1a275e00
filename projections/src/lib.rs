//! The views: what the log means, in tables that can be asked (schema `read`).
//!
//! One module per noun; each file under it owns one read table: it fills the table from events and asks it. The
//! [`engine`] moves rows, checkpoint and digest of a projector in one transaction. Everything here may be deleted and
//! comes back from the log; no decision ever relies on it.

pub mod chain;
pub mod client;
pub mod engine;
pub mod invoice;
pub mod key;
pub mod ledger;
pub mod page;
pub mod past;
pub mod payment;
pub mod payout;
pub mod promotion;
pub mod receipt;
pub mod reconciliation;
pub mod refund;
pub mod reservation;
pub mod schedule;
pub mod site;
pub mod till;

pub use engine::{
    ApplyError, Aside, Bulk, Changes, Entry, Parked, Poison, Progress, Projector, RunError, Runner, Shadow, Sizes,
    Status, WaitError, Watch, content_digest, parked, progress, rebuild, resume_parked, shadow,
};

/// A place in the log: 1, 2, 3… without a gap; 0 is before the first event.
pub type Position = i64;

/// Every projector there is. To add one: a noun module with its tables, one line here, a migration.
pub const PROJECTORS: &[&Projector] = &[
    &site::PROJECTOR,
    &schedule::PROJECTOR,
    &reservation::PROJECTOR,
    &client::PROJECTOR,
    &key::PROJECTOR,
    &ledger::PROJECTOR,
    &reconciliation::PROJECTOR,
    &promotion::PROJECTOR,
    &payout::PROJECTOR,
    &invoice::PROJECTOR,
    &till::PROJECTOR,
    &receipt::PROJECTOR,
];
