//! A fine: a debt of whoever did not come, until it is settled, or waived on appeal.

use chrono::Duration;

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    ids::{ReservationId, SiteId},
    money::Money,
    sealed::Sealed,
    text::Note,
};

use super::{Client, FineAppealed, FineDecided, Refusal, Verdict};

/// A client may appeal for so long (domain.md, Reservation).
pub const APPEAL_HOURS: i64 = 48;

/// An appeal that nobody has decided for so long is granted.
pub const DECISION_DAYS: i64 = 7;

/// A fine as it stands. A reservation is fined once, so its id is the fine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fine {
    pub site_id: SiteId,
    pub amount: Money,
    pub appeal_until: Timestamp,
    pub standing: Standing,
    pub fined_at: Timestamp,
}

/// Where a fine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// To be settled before the next booking.
    Owed,
    /// The site has not decided yet: it keeps nobody from booking. Granted when nobody has decided by then.
    Appealed {
        decide_by: Timestamp,
    },
    /// Appealed in vain, and owed again.
    Upheld,
    Waived,
    Settled,
}

impl Standing {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owed => "owed",
            Self::Appealed { .. } => "appealed",
            Self::Upheld => "upheld",
            Self::Waived => "waived",
            Self::Settled => "settled",
        }
    }

    /// Whether it can still be paid.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Owed | Self::Appealed { .. } | Self::Upheld)
    }

    /// Whether it keeps its client from booking.
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Owed | Self::Upheld)
    }
}

impl Client {
    /// What they still owe for a reservation at which they were not; `None` when nothing.
    pub fn owes(&self, reservation_id: ReservationId) -> Option<Money> {
        self.fines.get(&reservation_id).filter(|fine| fine.standing.is_open()).map(|fine| fine.amount)
    }

    /// The fines that keep them from booking.
    pub fn debts(&self) -> impl Iterator<Item = (ReservationId, Fine)> + '_ {
        self.fines.iter().filter(|(_, fine)| fine.standing.blocks()).map(|(id, fine)| (*id, *fine))
    }
}

fn fine(client: &Loaded<Client>, id: ReservationId) -> Result<Fine, Refusal> {
    client.state.fines.get(&id).copied().ok_or(Refusal::NoSuchFine)
}

/// The client, or the service that books for them, says why it should not be paid. Once.
///
/// # Errors
/// [`Refusal`] when there is no such fine, it is over, it was appealed before, or the time for it has passed.
pub fn appeal(
    client: &Loaded<Client>,
    id: ReservationId,
    statement: Sealed,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if !matches!(by.role, Role::Client | Role::Service) {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    let fine = fine(client, id)?;
    match fine.standing {
        Standing::Owed => {}
        Standing::Appealed { .. } | Standing::Upheld => return Err(Refusal::AlreadyAppealed),
        Standing::Waived | Standing::Settled => return Err(Refusal::FineOver { standing: fine.standing.as_str() }),
    }
    if fine.appeal_until < now {
        return Err(Refusal::AppealTooLate { until: fine.appeal_until });
    }
    let appealed = FineAppealed {
        client_id: client.id,
        reservation_id: id,
        site_id: fine.site_id,
        statement,
        decide_by: now + Duration::days(DECISION_DAYS),
        by,
        at: now,
    };
    Ok(Decision::nothing().then(client, appealed))
}

/// The manager of the site decides about an appeal, or lets an open fine go without one: it would have been theirs.
/// The same again is nothing to do.
///
/// # Errors
/// [`Refusal`] when nothing was appealed, it was settled, or the actor may not decide.
pub fn decide(
    client: &Loaded<Client>,
    id: ReservationId,
    verdict: Verdict,
    note: Note,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if by.role != Role::Manager || by.id.is_none() {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    let fine = fine(client, id)?;
    match (fine.standing, verdict) {
        (Standing::Appealed { .. }, _) | (Standing::Owed | Standing::Upheld, Verdict::Waive) => {
            Ok(decided(client, id, fine, verdict, Some(note), by, now))
        }
        (Standing::Upheld, Verdict::Uphold) | (Standing::Waived, Verdict::Waive) => Ok(Decision::nothing()),
        (Standing::Settled, _) => Err(Refusal::FineOver { standing: fine.standing.as_str() }),
        _ => Err(Refusal::NotAppealed),
    }
}

/// Nobody has decided in time: the client is believed. What the timer calls.
///
/// # Errors
/// [`Refusal::StillTime`] before that.
pub fn waive_undecided(client: &Loaded<Client>, id: ReservationId, now: Timestamp) -> Result<Decision, Refusal> {
    let fine = fine(client, id)?;
    match fine.standing {
        Standing::Appealed { decide_by } if now < decide_by => Err(Refusal::StillTime { until: decide_by }),
        Standing::Appealed { .. } => Ok(decided(client, id, fine, Verdict::Waive, None, Actor::SYSTEM, now)),
        _ => Ok(Decision::nothing()),
    }
}

fn decided(
    client: &Loaded<Client>,
    id: ReservationId,
    fine: Fine,
    verdict: Verdict,
    note: Option<Note>,
    by: Actor,
    now: Timestamp,
) -> Decision {
    let (site_id, amount) = (fine.site_id, fine.amount);
    let decided = FineDecided { client_id: client.id, reservation_id: id, site_id, amount, verdict, note, by, at: now };
    Decision::nothing().then(client, decided)
}
