//! What a payout is, folded from its events.

use serde::{Deserialize, Serialize};

use super::{Event, Prepared};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Aggregate,
    event,
    ids::PayoutId,
    payment::{Method, ProviderId, Reference},
    text::Note,
};

/// Where a payout stands; the diagram is on top of the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not prepared: the stream is empty.
    #[default]
    Absent,
    /// Waits for a second person.
    Prepared,
    /// Prepared by itself, and one of two persons said yes.
    Agreed,
    Approved,
    Rejected,
    Submitted,
    Pending,
    Unknown,
    Succeeded,
    Failed,
    Reversed,
    PaidByHand,
}

impl Status {
    pub const ALL: [&str; 11] = [
        "prepared",
        "agreed",
        "approved",
        "rejected",
        "submitted",
        "pending",
        "unknown",
        "succeeded",
        "failed",
        "reversed",
        "paid_by_hand",
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Prepared => "prepared",
            Self::Agreed => "agreed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Submitted => "submitted",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Reversed => "reversed",
            Self::PaidByHand => "paid_by_hand",
        }
    }

    /// Whether a provider was asked and has not answered for good.
    pub const fn is_out(self) -> bool {
        matches!(self, Self::Submitted | Self::Pending | Self::Unknown)
    }

    /// Whether it takes nothing more out of what is payable: another one may follow.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Rejected | Self::Succeeded | Self::Failed | Self::Reversed | Self::PaidByHand)
    }

    /// Whether the site has, or had, the money.
    pub const fn was_paid(self) -> bool {
        matches!(self, Self::Succeeded | Self::Reversed | Self::PaidByHand)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How it was sent: one provider key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub method: Method,
    pub reference: Reference,
    /// The provider's id of the movement, once it is known.
    pub provider_id: Option<ProviderId>,
    pub since: Timestamp,
    /// When the answer to it was lost, while nobody knows whether it arrived.
    #[serde(default)]
    pub lost_at: Option<Timestamp>,
}

/// A payout as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Payout {
    pub status: Status,
    /// `None` only while absent.
    pub prepared: Option<Prepared>,
    /// Who said yes, the first one first.
    pub approvals: Vec<Actor>,
    pub attempt: Option<Attempt>,
    /// Why it was rejected, failed or taken back, or why nobody can tell.
    pub why: Option<Note>,
    /// The bank's reference of a transfer.
    pub transfer: Option<String>,
    pub fee: Option<crate::money::Money>,
    pub ended_at: Option<Timestamp>,
}

impl Payout {
    /// Persons who stand for it: who prepared it, and who said yes.
    pub fn signers(&self) -> impl Iterator<Item = &Actor> {
        self.prepared.iter().map(|prepared| &prepared.by).chain(&self.approvals).filter(|actor| actor.id.is_some())
    }

    /// Where the period of whoever follows begins: position and instant.
    pub fn paid_up_to(&self) -> (i64, Option<Timestamp>) {
        match &self.prepared {
            Some(prepared) if self.status.was_paid() => (prepared.up_to_position, Some(prepared.to)),
            Some(prepared) => (prepared.after_position, prepared.from),
            None => (0, None),
        }
    }
}

impl Aggregate for Payout {
    type Id = PayoutId;
    type Event = Event;

    fn select(event: event::Event) -> Option<Event> {
        match event {
            event::Event::Payout(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::Prepared(prepared) => {
                self.status = Status::Prepared;
                self.prepared = Some(prepared);
            }
            Event::Agreed(agreed) => {
                self.status = Status::Agreed;
                self.approvals.push(agreed.by);
            }
            Event::Approved(approved) => {
                self.status = Status::Approved;
                self.approvals.push(approved.by);
            }
            Event::Rejected(rejected) => self.end(Status::Rejected, Some(rejected.reason), rejected.at),
            Event::Submitted(submitted) => {
                self.status = Status::Submitted;
                self.attempt = Some(Attempt {
                    method: submitted.method,
                    reference: submitted.reference,
                    provider_id: None,
                    since: submitted.at,
                    lost_at: None,
                });
            }
            Event::Pending(pending) => {
                self.status = Status::Pending;
                self.known_as(Some(pending.provider_id));
            }
            Event::BecameUnknown(unknown) => {
                self.status = Status::Unknown;
                self.why = Some(unknown.why);
                self.lost(unknown.at);
            }
            Event::Succeeded(succeeded) => {
                self.known_as(succeeded.provider_id);
                self.fee = succeeded.fee;
                self.end(Status::Succeeded, None, succeeded.at);
            }
            Event::Failed(failed) => self.end(Status::Failed, Some(failed.reason), failed.at),
            Event::Reversed(reversed) => self.end(Status::Reversed, Some(reversed.reason), reversed.at),
            Event::PaidByHand(paid) => {
                self.transfer = Some(paid.reference.to_string());
                self.end(Status::PaidByHand, None, paid.at);
            }
        }
    }
}

impl Payout {
    fn end(&mut self, status: Status, why: Option<Note>, at: Timestamp) {
        self.status = status;
        self.why = why;
        self.ended_at = Some(at);
    }

    fn known_as(&mut self, provider_id: Option<ProviderId>) {
        if let (Some(attempt), Some(id)) = (&mut self.attempt, provider_id) {
            attempt.provider_id = Some(id);
            attempt.lost_at = None;
        }
    }

    fn lost(&mut self, at: Timestamp) {
        if let Some(attempt) = &mut self.attempt {
            attempt.lost_at = Some(at);
        }
    }
}
