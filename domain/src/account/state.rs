//! What an account is, folded from its events.

use crate::{
    actor::{Actor, Role},
    aggregate::Aggregate,
    ids::{PrincipalId, SecretId, SiteId},
    sealed::Sealed,
};

use super::{EmailHash, Event};

/// Somebody who works. Unknown until invited.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    pub email_hash: Option<EmailHash>,
    pub email: Option<Sealed>,
    /// What they do, or are to do once they have come.
    pub duty: Option<Duty>,
    pub invited_by: Option<Actor>,
    /// Nobody else has to agree any more.
    pub approved: bool,
    /// `None` until they came.
    pub passphrase: Option<SecretId>,
    pub totp: Option<SecretId>,
    /// Another duty that waits for a second person, and who proposed it.
    pub proposed: Option<(Duty, Actor)>,
    pub suspended: bool,
}

/// A role, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    pub role: Role,
    pub sites: Option<Vec<SiteId>>,
}

impl Duty {
    /// Money and rights take two.
    pub const fn takes_two(&self) -> bool {
        matches!(self.role, Role::Admin | Role::Finance)
    }
}

impl Account {
    /// What they do now: nothing before they came, and nothing while they are suspended.
    pub fn working(&self) -> Option<&Duty> {
        self.duty.as_ref().filter(|_| self.approved && self.passphrase.is_some() && !self.suspended)
    }
}

impl Aggregate for Account {
    type Id = PrincipalId;
    type Event = Event;

    fn select(event: crate::event::Event) -> Option<Event> {
        match event {
            crate::event::Event::Account(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::Invited(invited) => {
                let duty = Duty { role: invited.role, sites: invited.sites };
                // Whoever runs the installation is not one of two.
                self.approved = !duty.takes_two() || invited.by == Actor::SYSTEM;
                self.duty = Some(duty);
                self.email_hash = Some(invited.email_hash);
                self.email = Some(invited.email);
                self.invited_by = Some(invited.by);
            }
            Event::Approved(_) => self.approved = true,
            Event::Accepted(accepted) => {
                self.passphrase = Some(accepted.passphrase_id);
                self.totp = Some(accepted.totp_id);
            }
            Event::PassphraseSet(set) => self.passphrase = Some(set.passphrase_id),
            Event::RoleProposed(proposed) => {
                self.proposed = Some((Duty { role: proposed.role, sites: proposed.sites }, proposed.by));
            }
            Event::RoleGranted(granted) => {
                self.duty = Some(Duty { role: granted.role, sites: granted.sites });
                self.proposed = None;
            }
            Event::Suspended(_) => self.suspended = true,
            Event::Resumed(_) => self.suspended = false,
        }
    }
}
