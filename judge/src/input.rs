//! The evidence: what the trial left behind, and what the database holds. Read once, then judged in memory.

use std::collections::HashMap;

use serde::Deserialize;
use uuid::Uuid;

use crate::{
    event::{Event, Time},
    history::History,
};

/// Everything that is judged.
#[derive(Clone, Debug)]
pub struct Input {
    pub stage: Stage,
    pub history: History,
    /// In the order of their positions.
    pub log: Vec<Event>,
    /// Open rows of `event_log.slot_claims`.
    pub claims: Vec<Claim>,
    /// Rows of `read.reservations`.
    pub views: Vec<View>,
    /// Rows of `read.ledger_entries`, in the order of their positions.
    pub ledger: Vec<Posting>,
    pub effects: Effects,
    pub wave: Wave,
    pub sms: Vec<Sms>,
    pub rebuild: Vec<Rebuilt>,
    pub bus: Bus,
    pub verify: Verify,
}

/// `stage.json`: where it was played.
#[derive(Clone, Debug, Deserialize)]
pub struct Stage {
    pub seed: u64,
    /// Only reservations of this site are matched with the history.
    pub site_id: Uuid,
    #[serde(default)]
    pub pitches: HashMap<String, Uuid>,
}

/// A claim that stands in the guard table: one cell of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    pub cell: Uuid,
    pub from: Time,
    pub to: Time,
    pub holder: Uuid,
    /// The event that took it.
    pub position: i64,
    /// It does not lapse.
    pub firm: bool,
}

/// A reservation as the view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub reservation_id: Uuid,
    pub pitch_id: Uuid,
    pub status: String,
    pub starts_at: Time,
    pub ends_at: Time,
}

/// One side of an entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Of the event.
    pub position: i64,
    pub reservation_id: Uuid,
    pub account: String,
    pub amount: i64,
}

/// `work.effects`.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Of all.
    pub count: usize,
    /// Those that are not done, dropped or given up as unknown.
    pub left: Vec<Effect>,
}

/// One intent that is not at its end.
#[derive(Clone, Debug)]
pub struct Effect {
    pub key: String,
    pub kind: String,
    pub state: String,
    pub due_at: Time,
    pub cause_position: i64,
    pub last_error: Option<String>,
}

/// `wave.json`: the provider's own books.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Wave {
    pub entries: Vec<Entry>,
    pub repeated: Repeated,
}

/// One movement, francs from the wallet's side.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    pub kind: String,
    pub transaction_id: String,
    pub gross: i64,
    pub client_reference: Option<String>,
}

/// References that the provider moved money for more than once, by its own count.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Repeated {
    pub charges: Vec<String>,
    pub refunds: Vec<String>,
    pub payouts: Vec<String>,
}

/// A text that the gateway accepted.
#[derive(Clone, Debug, Deserialize)]
pub struct Sms {
    pub to: String,
    pub text: String,
}

/// One projector in the answer of `kalel rebuild all --dry-run --json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Rebuilt {
    pub projector: String,
    /// Where both were compared.
    pub position: Option<i64>,
    /// Missing when nothing was compared.
    pub equal: Option<bool>,
    #[serde(default)]
    pub tables: Vec<Table>,
}

/// One table of a projector.
#[derive(Clone, Debug, Deserialize)]
pub struct Table {
    pub table: String,
    pub equal: bool,
    pub live: Content,
    pub rebuilt: Content,
}

/// What a table holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Content {
    pub rows: i64,
    pub sha256: String,
}

/// `bus.json`: the copy of the log outside.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Bus {
    pub messages: i64,
    pub last_position: i64,
}

/// `verify.json`: the export, verified against the checkpoints collected during the trial.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Verify {
    pub ok: bool,
    #[serde(default)]
    pub said: String,
}
