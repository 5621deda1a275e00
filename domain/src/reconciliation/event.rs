//! What can happen to a reconciliation.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{LineState, Listing, Moved, Provider, Subject};
use crate::{
    Timestamp,
    actor::Actor,
    event::events,
    ids::ReconciliationId,
    money::Money,
    payment::{Method, ProviderId},
    text::{Note, Slug, Text},
};

events! { "reconciliation" {
    ImportRequested = "reconciliation.import_requested" v 1,
    StatementImported = "reconciliation.statement_imported" v 1,
    Matched = "reconciliation.matched" v 1,
    DifferenceFound = "reconciliation.difference_found" v 1,
    ExplanationProposed = "reconciliation.explanation_proposed" v 1,
    DifferenceExplained = "reconciliation.difference_explained" v 1,
    Closed = "reconciliation.closed" v 1,
} }

/// SHA-256 of a statement, in lower-case hex.
pub type Digest = Text<64>;

/// Somebody, or the night, wants the statement fetched from the provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImportRequested {
    pub reconciliation_id: ReconciliationId,
    pub provider: Provider,
    pub account: Slug,
    pub day: NaiveDate,
    pub by: Actor,
    pub at: Timestamp,
}

/// Where a statement came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Api,
    Csv,
}

impl Source {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Csv => "csv",
        }
    }
}

/// A statement was compared with the log. Whatever was matched before is matched again, or is no more, by the events of
/// the same decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StatementImported {
    pub reconciliation_id: ReconciliationId,
    pub provider: Provider,
    pub account: Slug,
    pub day: NaiveDate,
    pub source: Source,
    /// Of the file, or of the lines that the provider listed.
    pub digest: Digest,
    pub lines: u32,
    /// In each currency.
    pub totals: Vec<Totals>,
    /// How many differences are new and nobody has explained.
    pub found: u32,
    /// Up to which event of the log our side was taken.
    pub as_of_position: i64,
    /// Fees that were entered for transactions which an earlier statement listed and this one does not: taken back.
    pub entered: Vec<Entered>,
    pub by: Actor,
    pub at: Timestamp,
}

/// The sums of a statement, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Totals {
    /// Of what succeeded and came in, before fees.
    pub came: Money,
    /// Of what succeeded and went out, before fees; not below zero.
    pub went: Money,
    pub fees: Money,
}

/// What an event does to the ledger: a positive amount is a debit, and the three add up to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Entered {
    /// Whose clearing account.
    pub method: Method,
    pub clearing: Money,
    pub suspense: Money,
    pub fees: Money,
}

/// Lines and movements that agree; at most 500, the rest in further events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Matched {
    pub reconciliation_id: ReconciliationId,
    pub pairs: Vec<Pair>,
    pub at: Timestamp,
}

/// One line that agrees with the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pair {
    /// `None` for a line that moved nothing, of which the log knows nothing.
    pub subject: Option<Subject>,
    pub transaction: ProviderId,
    pub method: Method,
    pub state: LineState,
    /// As listed: positive came in.
    pub amount: Money,
    pub fee: Money,
    /// What of the fee is entered by this event: all of it, unless an earlier statement told of it.
    pub fee_entered: Money,
}

/// What may be different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// We have it, and the provider does not list it.
    MissingAtProvider,
    /// The provider lists it, and we do not have it.
    MissingHere,
    AmountDiffers,
    /// Another fee than was agreed.
    FeeDiffers,
    /// The same transaction twice, or two for one movement of ours.
    Duplicate,
    CurrencyDiffers,
    /// It stands on one side and does not on the other.
    StateDiffers,
    /// The same on both sides, on different days.
    DayDiffers,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::MissingAtProvider,
        Self::MissingHere,
        Self::AmountDiffers,
        Self::FeeDiffers,
        Self::Duplicate,
        Self::CurrencyDiffers,
        Self::StateDiffers,
        Self::DayDiffers,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingAtProvider => "missing_at_provider",
            Self::MissingHere => "missing_here",
            Self::AmountDiffers => "amount_differs",
            Self::FeeDiffers => "fee_differs",
            Self::Duplicate => "duplicate",
            Self::CurrencyDiffers => "currency_differs",
            Self::StateDiffers => "state_differs",
            Self::DayDiffers => "day_differs",
        }
    }
}

/// Our side of a difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Here {
    pub subject: Subject,
    /// Whose clearing account it is on.
    pub method: Method,
    /// Positive came in.
    pub amount: super::Signed,
    pub state: Moved,
    pub at: Timestamp,
}

/// The two sides do not agree about something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DifferenceFound {
    pub reconciliation_id: ReconciliationId,
    /// Among the differences of this reconciliation, from 1.
    pub number: u32,
    pub kind: Kind,
    pub here: Option<Here>,
    pub there: Option<Listing>,
    /// The other day whose statement lists it, where that is known.
    pub other_day: Option<NaiveDate>,
    /// What was agreed, where the fee is another.
    pub agreed_fee: Option<Money>,
    /// What there is to explain: not below zero. Above the limit a second person has to agree.
    pub stake: Money,
    /// Known money of the provider's is entered at once, what nobody can place yet in suspense.
    pub entered: Option<Entered>,
    pub at: Timestamp,
}

/// What is done about a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Nothing yet: somebody looks after it. It stays unexplained, and the day open.
    Wait,
    /// The neighbouring day has it.
    BookedNextDay,
    /// The provider owes it and was told so.
    ClaimedFromProvider,
    /// It went back to the payer by a person's hand.
    RefundedByHand,
    /// Nobody will ever get it.
    WrittenOff,
    /// A later statement does not show it any more, or the log has caught up. Never said by a person.
    Superseded,
}

impl How {
    pub const ALL: [Self; 6] = [
        Self::Wait,
        Self::BookedNextDay,
        Self::ClaimedFromProvider,
        Self::RefundedByHand,
        Self::WrittenOff,
        Self::Superseded,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::BookedNextDay => "booked_next_day",
            Self::ClaimedFromProvider => "claimed_from_provider",
            Self::RefundedByHand => "refunded_by_hand",
            Self::WrittenOff => "written_off",
            Self::Superseded => "superseded",
        }
    }
}

/// One person explained a difference that needs two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExplanationProposed {
    pub reconciliation_id: ReconciliationId,
    pub number: u32,
    pub how: How,
    pub note: Option<Note>,
    pub by: Actor,
    pub at: Timestamp,
}

/// It is known what a difference is. With `wait` it is not, but somebody looks after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DifferenceExplained {
    pub reconciliation_id: ReconciliationId,
    pub number: u32,
    pub how: How,
    pub note: Option<Note>,
    pub by: Actor,
    /// Who had said so first, where it takes two.
    pub proposed_by: Option<Actor>,
    pub entered: Option<Entered>,
    pub at: Timestamp,
}

/// Every franc of the day is explained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Closed {
    pub reconciliation_id: ReconciliationId,
    /// Of the statement that counts.
    pub digest: Digest,
    pub matched: u32,
    pub differences: u32,
    pub by: Actor,
    pub at: Timestamp,
}
