//! A reservation with what is needed to speak of it: the names of its site and pitch, and local time.

use chrono::{NaiveTime, TimeDelta};
use domain::{
    Timestamp,
    aggregate::Loaded,
    guard::OpenClaim,
    ids::ReservationId,
    interval::Interval,
    reservation::{Channel, Held, Reservation, Status},
    site::{self, Site},
};

use crate::{act::TurnError, context::Context, texts::Game};

/// Alternatives named in one message.
const ALTERNATIVES: usize = 3;

pub(super) struct Scene {
    pub reservation: Loaded<Reservation>,
    pub site: Loaded<Site>,
    pub terms: Held,
    pub game: Game,
}

impl Scene {
    /// `None` before it is placed.
    pub async fn load(ctx: &Context, id: ReservationId) -> Result<Option<Self>, TurnError> {
        let reservation: Loaded<Reservation> = ctx.store.load(id).await?;
        let Some(terms) = reservation.state.terms.clone() else { return Ok(None) };
        let site: Loaded<Site> = ctx.store.load(terms.slot.site_id).await?;
        let slot = &terms.slot;
        let from = slot.during.from().with_timezone(&slot.time_zone);
        let to = slot.during.to().with_timezone(&slot.time_zone);
        let game = Game {
            site: site.state.identity.as_ref().map(|identity| identity.profile.name.to_string()).unwrap_or_default(),
            pitch: site.state.pitch(slot.pitch_id).map(|pitch| pitch.name.to_string()).unwrap_or_default(),
            date: from.date_naive(),
            from: from.time(),
            to: to.time(),
            code: terms.code.0.clone(),
        };
        Ok(Some(Self { reservation, site, terms, game }))
    }

    pub fn status(&self) -> Status {
        self.reservation.state.status
    }

    /// On the clock of the site.
    pub fn local(&self, instant: Timestamp) -> NaiveTime {
        instant.with_timezone(&self.terms.slot.time_zone).time()
    }

    /// The nearest free times for the same length, as of now: advice, like all availability.
    pub async fn free(&self, ctx: &Context) -> Result<Vec<NaiveTime>, TurnError> {
        let slot = &self.terms.slot;
        let cells: Vec<_> = self.site.state.cells.iter().map(|cell| cell.id).collect();
        let reach = TimeDelta::hours(12);
        let Ok(around) = Interval::new(slot.during.from() - reach, slot.during.to() + reach) else {
            return Ok(Vec::new());
        };
        let rows = ctx.store.claims(&cells, around).await.map_err(eventstore::LoadError::from)?;
        let claims: Vec<OpenClaim> = rows
            .into_iter()
            .map(|row| OpenClaim {
                cell: row.cell,
                during: row.during,
                holder: row.holder,
                releasable_at: row.releasable_at,
            })
            .collect();
        let now = ctx.store.clock().now();
        let free = site::alternatives(&self.site, slot.pitch_id, slot.during, Channel::Online, &claims, now);
        let mut times: Vec<Timestamp> = free.iter().map(|alternative| alternative.during.from()).collect();
        times.dedup();
        times.truncate(ALTERNATIVES);
        times.sort_unstable();
        Ok(times.into_iter().map(|time| self.local(time)).collect())
    }
}
