//! Believable events without a site behind them: what the benchmarks and the trials of the append lane write.

use chrono::{Duration, NaiveDate};
use chrono_tz::Tz;
use domain::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Version,
    contract::Contract,
    decision::{Change, Decision},
    event::Event,
    ids::{CellId, ClientId, PitchId, ReservationId, SiteId, StreamId, TariffId},
    interval::{Interval, IntervalError},
    money::Money,
    policy::Policy,
    quote::{Line, Price},
    refund::{self, Declined},
    reservation::{
        Agenda, CancelReason, Cancelled, Channel, Code, Confirmed, Expired, Grounds, Held, Rescheduled, Slot,
    },
    site::{ClosureReason, ClosureScheduled},
    text::Note,
};
use eventstore::Clock;
use uuid::Uuid;

/// Ground to be reserved: the cells of one pitch.
#[derive(Clone, Debug)]
pub struct Ground {
    pub site_id: SiteId,
    pub pitch_id: PitchId,
    pub cells: Vec<CellId>,
    pub by: Actor,
}

/// A reservation to be.
#[derive(Clone, Debug)]
pub struct Wish {
    pub reservation_id: ReservationId,
    pub client_id: ClientId,
    pub slot: Slot,
    pub held: Held,
}

impl Ground {
    pub fn new(clock: &Clock, cells: usize) -> Self {
        Self {
            site_id: clock.new_id().into(),
            pitch_id: clock.new_id().into(),
            cells: (0..cells).map(|_| clock.new_id().into()).collect(),
            by: Actor::new(Role::Client, clock.new_id().into()),
        }
    }

    /// The same ground, only some of its cells.
    #[must_use]
    pub fn only(&self, cells: &[usize]) -> Self {
        Self { cells: cells.iter().filter_map(|cell| self.cells.get(*cell)).copied().collect(), ..self.clone() }
    }

    /// An hour of the ground, counted in half hours from the first day of 2030.
    ///
    /// # Errors
    /// Beyond the year 2200.
    pub fn slot(&self, half_hour: u32) -> Result<Slot, IntervalError> {
        let from = start() + Duration::minutes(30 * i64::from(half_hour));
        let during = Interval::lasting(from, 60)?;
        Ok(Slot {
            site_id: self.site_id,
            pitch_id: self.pitch_id,
            cells: self.cells.clone(),
            during,
            claims: during,
            time_zone: Tz::Africa__Dakar,
        })
    }

    /// A hold on an hour of the ground by a client of its own, until an instant.
    ///
    /// # Errors
    /// As [`Ground::slot`].
    pub fn wish(&self, clock: &Clock, half_hour: u32, until: Timestamp) -> Result<Wish, IntervalError> {
        let (reservation_id, client_id) = (ReservationId::new(clock.new_id()), ClientId::new(clock.new_id()));
        let slot = self.slot(half_hour)?;
        let total = Money::xof(15_000);
        let tariff_id = TariffId::new(self.site_id.uuid());
        let lines = vec![Line { tariff_id, tariff_version: 4, during: slot.during, amount: total }];
        let held = Held {
            reservation_id,
            slot: slot.clone(),
            client_id: Some(client_id),
            channel: Channel::Online,
            placed_by: self.by,
            price: Price { lines, discounts: Vec::new(), total, deposit: Money::xof(5_000), site_version: 6 },
            policy: Policy::default(),
            contract: Contract::default(),
            // Random enough: the last digits of a UUIDv7.
            code: Code(reservation_id.to_string().split_off(24)),
            hold_expires_at: until,
            held_on: day(),
            at: clock.now(),
        };
        Ok(Wish { reservation_id, client_id, slot, held })
    }

    /// Closes the cells for the hour, having cancelled nothing.
    ///
    /// # Errors
    /// As [`Ground::slot`].
    pub fn closure(&self, clock: &Clock, half_hour: u32) -> Result<ClosureScheduled, IntervalError> {
        Ok(ClosureScheduled {
            site_id: self.site_id,
            closure_id: clock.new_id().into(),
            cells: self.cells.clone(),
            during: self.slot(half_hour)?.during,
            reason: ClosureReason::Maintenance,
            note: None,
            hits: Vec::new(),
        })
    }
}

impl Wish {
    /// Places the hold: the first event of a new stream.
    pub fn place(&self) -> Decision {
        one(self.reservation_id, 0, [self.held.clone().into()])
    }

    pub fn confirm(&self, at: Timestamp) -> Event {
        let (reservation_id, client_id) = (self.reservation_id, Some(self.client_id));
        let during = self.slot.during;
        Confirmed {
            reservation_id,
            site_id: self.slot.site_id,
            client_id,
            during,
            grounds: Grounds::Free,
            reclaims: None,
            counted_on: None,
            agenda: agenda(during),
            at,
        }
        .into()
    }

    pub fn expire(&self, at: Timestamp) -> Event {
        let (reservation_id, client_id) = (self.reservation_id, Some(self.client_id));
        Expired { reservation_id, client_id, counts_on: Some(day()), at }.into()
    }

    pub fn cancel(&self, at: Timestamp) -> Event {
        Cancelled {
            reservation_id: self.reservation_id,
            site_id: self.slot.site_id,
            client_id: Some(self.client_id),
            reason: CancelReason::Client,
            note: None,
            by: self.held.placed_by,
            refunds: Vec::new(),
            kept: Money::xof(0),
            counts_on: None,
            at,
        }
        .into()
    }

    pub fn reschedule(&self, to: Slot, at: Timestamp) -> Event {
        Rescheduled {
            reservation_id: self.reservation_id,
            client_id: Some(self.client_id),
            from: self.slot.clone(),
            price: self.held.price.clone(),
            agenda: agenda(to.during),
            to,
            by: self.held.placed_by,
            refunds: Vec::new(),
            at,
        }
        .into()
    }
}

/// Events for one stream.
pub fn one(stream: impl Into<StreamId>, expected: Version, events: impl IntoIterator<Item = Event>) -> Decision {
    let change = Change { stream: stream.into(), expected, events: events.into_iter().collect() };
    Decision { changes: vec![change], reads: Vec::new() }
}

/// An event of about 450 bytes that takes, keeps and frees nothing, for any stream.
pub fn plain(stream: Uuid, at: Timestamp) -> Event {
    let note = "Le match a bien eu lieu : l'éclairage n'a manqué que dix minutes, la partie a été prolongée d'autant, et \
                l'équipe est repartie contente. Le gardien et la caisse le confirment tous les deux ; rien n'est donc à \
                rendre, et le responsable du complexe a téléphoné au client pour le lui expliquer.";
    let declined = Declined { refund_id: stream.into(), by: Actor::SYSTEM, note: Note::kept_of(note), at };
    refund::Event::from(declined).into()
}

fn agenda(during: Interval) -> Agenda {
    Agenda { remind_at: during.from() - Duration::hours(2), complete_at: during.to() }
}

fn start() -> Timestamp {
    day().and_time(chrono::NaiveTime::MIN).and_utc()
}

/// The first day of 2030.
pub fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2030, 1, 1).unwrap_or_default()
}
