//! A log to write to, and events to write. The events are made directly: what the rules would decide is tested elsewhere.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
};

use chrono::{TimeDelta, TimeZone, Utc};
use domain::{
    Timestamp,
    actor::{Actor, Role},
    contract::{Contract, Flow},
    decision::{Change, Decision},
    event::Event,
    ids::*,
    interval::Interval,
    money::{Currency, Money},
    payment,
    place::Point,
    policy::Policy,
    quote::Price,
    reservation::{self, Channel, Code, Grounds, Held, Purpose, Slot},
    site,
    text::{Name, Slug, Text},
};
use eventstore::{Append, Meta, Store};
use projections::{PROJECTORS, Position, Projector, Runner};
use uuid::Uuid;

use crate::world::World;

static LAST: AtomicU32 = AtomicU32::new(1);

/// An id that nothing else has.
pub fn id<T: From<Uuid>>() -> T {
    Uuid::from_u128(0x0193_5000_0000_7000_8000_0000_0000_0000 + u128::from(LAST.fetch_add(1, Ordering::Relaxed))).into()
}

pub fn text<const MAX: usize>(words: &str) -> Text<MAX> {
    Text::new(words).unwrap()
}

/// Sunday 22 November 2026 at this hour, UTC; more than 24 goes on into Monday.
pub fn at(hour: i64) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 22, 0, 0, 0).unwrap() + TimeDelta::hours(hour)
}

pub fn hours(from: i64, to: i64) -> Interval {
    Interval::new(at(from), at(to)).unwrap()
}

pub fn xof(amount: i64) -> Money {
    Money::xof(amount)
}

/// A log of its own, written directly.
pub struct Log {
    pub store: Store,
    pub world: World,
    versions: HashMap<Uuid, i32>,
}

impl Log {
    pub async fn new() -> Self {
        let world = World::new().await;
        let store = world.store().await;
        Self { store, world, versions: HashMap::new() }
    }

    /// Appends events to one stream and answers the position of the last.
    pub async fn write(&mut self, stream: impl Into<Uuid>, events: Vec<Event>) -> Position {
        self.write_all(vec![(stream.into(), events)]).await
    }

    /// Appends to several streams in one decision.
    pub async fn write_all(&mut self, streams: Vec<(Uuid, Vec<Event>)>) -> Position {
        let mut decision = Decision::nothing();
        for (stream, events) in streams {
            let version = self.versions.entry(stream).or_default();
            let written = i32::try_from(events.len()).unwrap();
            decision.changes.push(Change { stream: stream.into(), expected: *version, events });
            *version += written;
        }
        self.store.append(Append::new(decision, Meta::system())).await.unwrap().position()
    }

    /// Puts an event into the log that no version of the domain would write: poison.
    pub async fn poison(&mut self, stream: impl Into<Uuid>, name: &str, data: &str) -> Position {
        let stream = stream.into();
        let version = self.versions.entry(stream).or_default();
        *version += 1;
        sqlx::query_scalar(
            r#"INSERT INTO event_log.events
               SELECT (SELECT coalesce(max(position), 0) + 1 FROM event_log.events), $1, $2, $3, $4, 1, $5::json,
                      '{"actor":{"role":"system"}}', now()
               RETURNING position"#,
        )
        .bind(id::<Uuid>())
        .bind(stream)
        .bind(*version)
        .bind(name)
        .bind(data)
        .fetch_one(&self.world.pool)
        .await
        .unwrap()
    }

    pub async fn own(&self, projector: &'static Projector) -> Runner {
        Runner::own(projector, self.store.clone(), "test", None).await.unwrap()
    }

    /// Brings every view up to date.
    pub async fn project(&self) {
        for projector in PROJECTORS {
            self.own(projector).await.catch_up().await.unwrap();
        }
    }
}

pub fn manager() -> Actor {
    Actor::new(Role::Manager, id())
}

/// Two halves and the whole, open around the clock, an hour of a half 30 000 and of the whole 60 000.
pub struct Ground {
    pub site: SiteId,
    pub manager: PrincipalId,
    pub cells: [CellId; 2],
    pub north: PitchId,
    pub south: PitchId,
    pub whole: PitchId,
}

impl Ground {
    pub fn new() -> Self {
        Self { site: id(), manager: id(), cells: [id(), id()], north: id(), south: id(), whole: id() }
    }

    pub fn events(&self, name: &str, place: Option<(f64, f64)>) -> Vec<Event> {
        let mut events = vec![self.registered(name, place)];
        events.extend(self.ground());
        events
    }

    pub fn profile(name: &str, place: Option<(f64, f64)>) -> site::Profile {
        site::Profile {
            name: text(name),
            address: Some(text("Route de l’Aéroport")),
            city: Some(text("Dakar")),
            country: text("SN"),
            location: place.map(|(lat, lon)| Point::new(lat, lon).unwrap()),
            footprint: None,
            surface: None,
            area_m2: Some(4370.3),
            capacity_players: Some(22),
            house_rules: Vec::new(),
            notes: Vec::new(),
            payment_methods: Vec::new(),
        }
    }

    pub fn registered(&self, name: &str, place: Option<(f64, f64)>) -> Event {
        site::Registered {
            site_id: self.site,
            slug: Slug::new(&format!("s-{}", self.site.uuid().simple())).unwrap(),
            manager_id: self.manager,
            time_zone: chrono_tz::Africa::Dakar,
            currency: Currency::Xof,
            profile: Self::profile(name, place),
        }
        .into()
    }

    fn ground(&self) -> Vec<Event> {
        let pitch = |id, slug: &str, format: &str, cells: &[CellId]| site::Pitch {
            id,
            slug: Slug::new(slug).unwrap(),
            name: Name::new(slug).unwrap(),
            format: text(format),
            cells: cells.to_vec(),
            buffer_minutes: 0,
        };
        let cell = |id, slug: &str| site::Cell { id, slug: Slug::new(slug).unwrap() };
        let tariff = |formats: &str, price| site::Tariff {
            id: id(),
            applies_to: site::AppliesTo::Formats(vec![text(formats)]),
            days: Vec::new(),
            dates: None,
            band: None,
            price: xof(price),
            minutes: 60,
        };
        let [a, b] = self.cells;
        vec![
            site::GroundSet {
                site_id: self.site,
                cells: vec![cell(a, "a"), cell(b, "b")],
                pitches: vec![
                    pitch(self.north, "north", "5x5", &[a]),
                    pitch(self.south, "south", "5x5", &[b]),
                    pitch(self.whole, "whole", "8x8", &[a, b]),
                ],
                modelled: false,
            }
            .into(),
            site::HoursSet {
                site_id: self.site,
                weekly: vec![site::OpeningRule {
                    days: (0..7).map(|day| chrono::Weekday::try_from(day).unwrap()).collect(),
                    opens: chrono::NaiveTime::MIN,
                    closes: chrono::NaiveTime::MIN,
                }],
                declared: true,
            }
            .into(),
            site::TariffsSet { site_id: self.site, tariffs: vec![tariff("5x5", 30_000), tariff("8x8", 60_000)] }.into(),
        ]
    }

    pub fn slot(&self, pitch: PitchId, during: Interval) -> Slot {
        let cells = if pitch == self.whole {
            self.cells.to_vec()
        } else if pitch == self.north {
            vec![self.cells[0]]
        } else {
            vec![self.cells[1]]
        };
        Slot { site_id: self.site, pitch_id: pitch, cells, during, claims: during, time_zone: chrono_tz::Africa::Dakar }
    }
}

/// A reservation to be: 30 000, of which 10 000 deposit.
pub struct Booking {
    pub id: ReservationId,
    pub payment: PaymentId,
    pub refund: RefundId,
    pub client: ClientId,
    pub slot: Slot,
    pub contract: Contract,
    pub code: String,
}

impl Booking {
    pub fn new(slot: Slot) -> Self {
        let id: ReservationId = id();
        let code = format!("K{:05}", id.uuid().as_u128() % 100_000);
        Self {
            id,
            payment: self::id(),
            refund: self::id(),
            client: self::id(),
            slot,
            contract: Contract::default(),
            code,
        }
    }

    /// Its money goes through a manager's own account.
    pub fn through(mut self, account: &str) -> Self {
        let merchant_account = Some(Slug::new(account).unwrap());
        self.contract = Contract { flow: Flow::ManagerCollects, merchant_account, ..Contract::default() };
        self
    }

    pub fn client(&self) -> Actor {
        Actor::new(Role::Client, self.client.uuid().into())
    }

    pub fn held(&self, expires: Timestamp) -> Event {
        Held {
            reservation_id: self.id,
            slot: self.slot.clone(),
            client_id: Some(self.client),
            channel: Channel::Online,
            placed_by: self.client(),
            price: self.price(30_000),
            policy: Policy::default_in(Currency::Xof),
            contract: self.contract.clone(),
            code: Code(self.code.clone()),
            hold_expires_at: expires,
            held_on: at(0).date_naive(),
            at: at(1),
        }
        .into()
    }

    pub fn price(&self, total: i64) -> Price {
        Price { lines: Vec::new(), discounts: Vec::new(), total: xof(total), deposit: xof(10_000), site_version: 4 }
    }

    pub fn requested(&self) -> Event {
        payment::Requested {
            payment_id: self.payment,
            share_id: None,
            reservation_id: self.id,
            site_id: self.slot.site_id,
            client_id: Some(self.client),
            method: payment::Method::Wave,
            purpose: Purpose::Deposit,
            amount: xof(10_000),
            reference: text("AZNQAAAAcACAAAAAAAAAAQ"),
            by: self.client(),
            hold_expires_at: Some(at(2)),
            blocks_until: Some(at(3)),
            at: at(1),
        }
        .into()
    }

    pub fn opened(&self, blocks_until: Option<Timestamp>) -> Event {
        payment::Opened {
            payment_id: self.payment,
            reservation_id: self.id,
            provider_id: text("cos-1"),
            checkout_url: text("https://pay.wave.com/c/cos-1"),
            expires_at: Some(at(2)),
            close_at: Some(at(2)),
            blocks_until,
            at: at(1),
        }
        .into()
    }

    pub fn succeeded(&self) -> Event {
        payment::Succeeded {
            merchant_account: None,
            payment_id: self.payment,
            reservation_id: self.id,
            transaction: text(&format!("T_{}", self.payment.uuid().simple())),
            method: payment::Method::Wave,
            expected: xof(10_000),
            received: xof(10_000),
            allocated: xof(10_000),
            credited: xof(0),
            provider_id: Some(text("cos-1")),
            by: Actor { role: Role::Provider, id: None },
            at: at(2),
        }
        .into()
    }

    pub fn received(&self) -> Event {
        reservation::PaymentReceived {
            reservation_id: self.id,
            client_id: Some(self.client),
            payment_id: self.payment,
            share_id: None,
            purpose: Purpose::Deposit,
            amount: xof(10_000),
            at: at(2),
        }
        .into()
    }

    pub fn agenda(&self) -> reservation::Agenda {
        reservation::Agenda { remind_at: self.slot.during.from(), complete_at: self.slot.during.to() }
    }

    pub fn confirmed(&self, reclaims: bool) -> Event {
        reservation::Confirmed {
            reservation_id: self.id,
            site_id: self.slot.site_id,
            client_id: Some(self.client),
            during: self.slot.during,
            grounds: Grounds::Payment { payment_id: self.payment },
            reclaims: reclaims.then(|| self.slot.clone()),
            counted_on: None,
            agenda: self.agenda(),
            at: at(2),
        }
        .into()
    }

    pub fn expired(&self) -> Event {
        reservation::Expired { reservation_id: self.id, client_id: Some(self.client), counts_on: None, at: at(3) }
            .into()
    }

    pub fn moved(&self, to: Slot, total: i64) -> Event {
        reservation::Rescheduled {
            reservation_id: self.id,
            client_id: Some(self.client),
            from: self.slot.clone(),
            to,
            price: self.price(total),
            agenda: self.agenda(),
            by: self.client(),
            refunds: Vec::new(),
            at: at(4),
        }
        .into()
    }
}
