//! What a refund is, folded from its events.

use serde::Serialize;

use super::{Event, OutcomeStated, Requested, Route};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Aggregate,
    event,
    ids::RefundId,
    payment::{Method, ProviderId, Reference},
};

/// Where a refund stands; the diagram is on top of the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not asked for: the stream is empty.
    #[default]
    Absent,
    /// Waits for a second person.
    Requested,
    Approved,
    Declined,
    Submitted,
    Pending,
    Unknown,
    Succeeded,
    Failed,
    Reversed,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Submitted => "submitted",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Reversed => "reversed",
        }
    }

    /// Whether a provider was asked and has not answered for good.
    pub const fn is_out(self) -> bool {
        matches!(self, Self::Submitted | Self::Pending | Self::Unknown)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The latest way it was tried: one provider key, kept until its outcome is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u16,
    pub route: Route,
    /// The provider that was asked, when it is another one than the payment's.
    pub method: Option<Method>,
    pub reference: Reference,
    /// The provider's id of the movement, once it is known.
    pub provider_id: Option<ProviderId>,
    pub since: Timestamp,
    /// When the answer to it was lost, while nobody knows whether it arrived.
    pub lost_at: Option<Timestamp>,
}

/// A refund as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refund {
    pub status: Status,
    /// What was asked for; `None` only while absent.
    pub request: Option<Requested>,
    pub approved_by: Option<Actor>,
    pub attempt: Option<Attempt>,
    /// What a person said of this try, while a second one must say the same.
    pub stated: Option<OutcomeStated>,
    /// Ways that were tried and did not work, the oldest first.
    pub failed: Vec<(Route, Option<Method>)>,
}

impl Aggregate for Refund {
    type Id = RefundId;
    type Event = Event;

    fn select(event: event::Event) -> Option<Event> {
        match event {
            event::Event::Refund(event) => Some(event),
            event::Event::Site(_)
            | event::Event::Reservation(_)
            | event::Event::Payment(_)
            | event::Event::Client(_)
            | event::Event::Reconciliation(_)
            | event::Event::Payout(_)
            | event::Event::Invoice(_)
            | event::Event::Key(_)
            | event::Event::Account(_)
            | event::Event::Endpoint(_)
            | event::Event::Promotion(_)
            | event::Event::Till(_) => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::Requested(requested) => {
                self.status = Status::Requested;
                self.request = Some(requested);
            }
            Event::Approved(approved) => {
                self.status = Status::Approved;
                self.approved_by = Some(approved.by);
            }
            Event::Declined(_) => self.status = Status::Declined,
            Event::Submitted(submitted) => {
                self.status = Status::Submitted;
                self.attempt = Some(Attempt {
                    number: submitted.attempt,
                    route: submitted.route,
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
                self.lost(unknown.at);
            }
            Event::OutcomeStated(stated) => self.stated = Some(stated),
            Event::Succeeded(succeeded) => {
                self.status = Status::Succeeded;
                self.stated = None;
                self.known_as(succeeded.provider_id);
            }
            Event::Failed(_) => {
                self.status = Status::Failed;
                self.stated = None;
                self.failed.extend(self.attempt.as_ref().map(|attempt| (attempt.route, attempt.method)));
            }
            Event::Reversed(_) => {
                self.status = Status::Reversed;
                self.failed.extend(self.attempt.as_ref().map(|attempt| (attempt.route, attempt.method)));
            }
        }
    }
}

impl Refund {
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
