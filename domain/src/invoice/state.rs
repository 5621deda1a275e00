//! What an invoice is, folded from its events.

use serde::{Deserialize, Serialize};

use super::{Event, Issued};
use crate::{Timestamp, aggregate::Aggregate, event, ids::InvoiceId, text::Note};

/// Where an invoice stands; the diagram is on top of the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not issued: the stream is empty.
    #[default]
    Absent,
    Issued,
    Overdue,
    Paid,
    Cancelled,
}

impl Status {
    pub const ALL: [&str; 4] = ["issued", "overdue", "paid", "cancelled"];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Issued => "issued",
            Self::Overdue => "overdue",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it still waits for money.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Issued | Self::Overdue)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An invoice as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Invoice {
    pub status: Status,
    /// `None` only while absent.
    pub issued: Option<Issued>,
    pub overdue_since: Option<Timestamp>,
    /// The bank's reference of the money.
    pub reference: Option<String>,
    /// Why it was cancelled.
    pub why: Option<Note>,
    pub ended_at: Option<Timestamp>,
}

impl Aggregate for Invoice {
    type Id = InvoiceId;
    type Event = Event;

    fn select(event: event::Event) -> Option<Event> {
        match event {
            event::Event::Invoice(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::Issued(issued) => {
                self.status = Status::Issued;
                self.issued = Some(issued);
            }
            Event::BecameOverdue(overdue) => {
                self.status = Status::Overdue;
                self.overdue_since = Some(overdue.at);
            }
            Event::Paid(paid) => {
                self.status = Status::Paid;
                self.reference = Some(paid.reference.to_string());
                self.ended_at = Some(paid.at);
            }
            Event::Cancelled(cancelled) => {
                self.status = Status::Cancelled;
                self.why = Some(cancelled.reason);
                self.ended_at = Some(cancelled.at);
            }
        }
    }
}
