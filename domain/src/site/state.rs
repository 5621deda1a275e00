//! What a site is, folded from its events.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    aggregate::{Aggregate, Version},
    contract::Contract,
    ids::{CellId, ClosureId, PitchId, PrincipalId, SiteId},
    interval::Interval,
    money::{Currency, Money},
    policy::Policy,
    sealed::Sealed,
    text::{Name, Note, Slug},
};

use super::{Cell, ClosureReason, Destination, Event, OpeningRule, PayoutAccountSet, Pitch, Profile, Tariff, Window};

/// A venue. Empty until [`super::Registered`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// `None` until registered.
    pub identity: Option<Identity>,
    pub cells: Vec<Cell>,
    pub pitches: Vec<Pitch>,
    /// True when the cells are our reading of the formats sold.
    pub cells_are_modelled: bool,
    pub hours: Hours,
    pub tariffs: Tariffs,
    pub terms: Terms,
    pub contact: Option<Contact>,
    /// What was agreed about money; `None` is the platform's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_since: Option<Timestamp>,
    /// Where it is paid, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout_account: Option<PayoutAccount>,
    /// What of its money stays with the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout_hold: Option<PayoutHold>,
    /// Closures that were not lifted, past ones included.
    pub closures: BTreeMap<ClosureId, Closure>,
    /// Why nothing can be booked at the moment.
    pub suspended: Option<Suspension>,
    /// Events folded so far: what was set by the last of them has this version.
    version: Version,
}

/// What a site is called and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    pub slug: Slug,
    pub manager_id: PrincipalId,
    pub time_zone: Tz,
    pub currency: Currency,
    pub profile: Profile,
}

/// When a site is open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hours {
    pub weekly: Vec<OpeningRule>,
    /// False when we assumed them.
    pub declared: bool,
    /// Dates whose windows replace the weekly ones.
    pub days: BTreeMap<NaiveDate, Day>,
    /// Version of the site that set the hours or one of the days last.
    pub version: Version,
}

/// A dated exception.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// None means closed.
    pub windows: Vec<Window>,
    pub label: Option<Name>,
}

/// The price rules in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tariffs {
    pub rules: Vec<Tariff>,
    /// Version of the site that set them.
    pub version: Version,
}

/// The policy in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    pub policy: Policy,
    /// Version of the site that set it; 0 is the platform's default.
    pub version: Version,
}

/// Where the manager hears of bookings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    pub subject: PrincipalId,
    pub phone: Option<Sealed>,
    pub email: Option<Sealed>,
}

/// Cells that cannot be booked for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closure {
    pub cells: Vec<CellId>,
    pub during: Interval,
    pub reason: ClosureReason,
    pub note: Option<Note>,
    pub version: Version,
}

/// Where a site is paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PayoutAccount {
    pub destination: Destination,
    pub since: Timestamp,
    /// It took the place of another one: nothing is paid to it for a day.
    pub replaced: bool,
}

/// Money that stays with the platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PayoutHold {
    /// `None` is all of it.
    pub amount: Option<Money>,
    pub reason: Note,
    pub version: Version,
}

/// Listed but not bookable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspension {
    pub reason: Note,
    pub version: Version,
}

impl Site {
    pub fn is_registered(&self) -> bool {
        self.identity.is_some()
    }

    pub fn pitch(&self, id: PitchId) -> Option<&Pitch> {
        self.pitches.iter().find(|pitch| pitch.id == id)
    }

    pub fn pitch_by_slug(&self, slug: &Slug) -> Option<&Pitch> {
        self.pitches.iter().find(|pitch| &pitch.slug == slug)
    }

    /// The terms for reservations made from now on.
    pub fn policy(&self) -> &Policy {
        &self.terms.policy
    }

    /// The contract for reservations made from now on. Views of sites leave it out: it is read from the log.
    pub fn contract(&self) -> Contract {
        self.contract.clone().unwrap_or_default()
    }
}

impl Aggregate for Site {
    type Id = SiteId;
    type Event = Event;

    fn select(event: crate::event::Event) -> Option<Event> {
        match event {
            crate::event::Event::Site(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        self.version += 1;
        let version = self.version;
        match event {
            Event::Registered(registered) => {
                self.terms.policy = Policy::default_in(registered.currency);
                self.identity = Some(Identity {
                    slug: registered.slug,
                    manager_id: registered.manager_id,
                    time_zone: registered.time_zone,
                    currency: registered.currency,
                    profile: registered.profile,
                });
            }
            Event::Described(described) => {
                if let Some(identity) = &mut self.identity {
                    identity.profile = described.profile;
                }
            }
            Event::GroundSet(ground) => {
                self.cells = ground.cells;
                self.pitches = ground.pitches;
                self.cells_are_modelled = ground.modelled;
            }
            Event::HoursSet(hours) => {
                self.hours.weekly = hours.weekly;
                self.hours.declared = hours.declared;
                self.hours.version = version;
            }
            Event::DaySet(day) => {
                match day.windows {
                    Some(windows) => self.hours.days.insert(day.date, Day { windows, label: day.label }),
                    None => self.hours.days.remove(&day.date),
                };
                self.hours.version = version;
            }
            Event::TariffsSet(set) => self.tariffs = Tariffs { rules: set.tariffs, version },
            Event::PolicySet(set) => self.terms = Terms { policy: set.policy, version },
            Event::ContactSet(set) => {
                self.contact = Some(Contact { subject: set.subject, phone: set.phone, email: set.email });
            }
            Event::ContractSet(set) => {
                self.contract = Some(set.contract);
                self.contract_since = Some(set.at);
            }
            Event::PayoutAccountSet(set) => {
                let replaced = self.payout_account.is_some();
                let PayoutAccountSet { method, subject, account, at: since, .. } = set;
                let destination = Destination { method, subject, account };
                self.payout_account = Some(PayoutAccount { destination, since, replaced });
            }
            Event::PayoutsHeld(held) => {
                self.payout_hold = Some(PayoutHold { amount: held.amount, reason: held.reason, version });
            }
            Event::PayoutsReleased(_) => self.payout_hold = None,
            Event::ClosureScheduled(set) => {
                let closure =
                    Closure { cells: set.cells, during: set.during, reason: set.reason, note: set.note, version };
                self.closures.insert(set.closure_id, closure);
            }
            Event::ClosureLifted(lifted) => {
                self.closures.remove(&lifted.closure_id);
            }
            Event::Suspended(suspended) => self.suspended = Some(Suspension { reason: suspended.reason, version }),
            Event::Resumed(_) => self.suspended = None,
        }
    }
}
