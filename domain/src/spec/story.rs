//! Verbs on a [`World`], as the edge and the workers would call them: load, decide, write. Slots and prices are fixed:
//! one pitch of one cell, 40 000 XOF with a deposit of 12 000.

use chrono::{Duration, TimeZone, Utc};
use uuid::Uuid;

use super::world::{CLIENT, No, SITE, World, Written, person};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    client::{self, Client},
    contract::Contract,
    decision::{Change, Decision, Read},
    ids::{CellId, ClientId, PaymentId, PitchId, RefundId, ReservationId, ShareId, TariffId},
    interval::Interval,
    money::{Currency, Money},
    payment::{self, Cells, Landed, Method, Payment, ProviderId, Row, Settle},
    policy::Policy,
    promotion::Promotion,
    quote::{Line, Price},
    reservation::{self, Cancel, CancelReason, Channel, Code, Pays, Place, Purpose, Reservation, Slot, Source},
    text::{Note, Text},
};

pub const TOTAL: i64 = 40_000;
pub const DEPOSIT: i64 = 12_000;

pub fn client() -> Actor {
    Actor::new(Role::Client, CLIENT.uuid().into())
}

pub fn manager() -> Actor {
    person(Role::Manager, 1)
}

pub fn note(text: &str) -> Note {
    Note::new(text).unwrap()
}

/// 18:00 on the day of the world's morning plus `days`, for 90 minutes.
pub fn evening(days: u32) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 23 + days, 18, 0, 0).single().unwrap()
}

pub fn slot(from: Timestamp) -> Slot {
    let during = Interval::lasting(from, 90).unwrap();
    let cells = vec![CellId::new(Uuid::from_u128(0xCE11))];
    let pitch_id = PitchId::new(Uuid::from_u128(0x917C));
    Slot { site_id: SITE, pitch_id, cells, during, claims: during, time_zone: chrono_tz::Africa::Dakar }
}

pub fn price(from: Timestamp, total: i64, deposit: i64) -> Price {
    let tariff_id = TariffId::new(Uuid::from_u128(0x7A));
    let line = Line { tariff_id, tariff_version: 4, during: slot(from).during, amount: Money::xof(total) };
    Price {
        lines: vec![line],
        discounts: Vec::new(),
        total: Money::xof(total),
        deposit: Money::xof(deposit),
        site_version: 7,
    }
}

/// How a reservation of a story is placed.
#[derive(Clone)]
pub struct Booking {
    pub from: Timestamp,
    pub total: i64,
    pub deposit: i64,
    pub client: Option<ClientId>,
    pub channel: Channel,
    pub by: Actor,
    pub policy: Policy,
    pub contract: Contract,
}

impl Booking {
    pub fn online(from: Timestamp) -> Self {
        let (policy, contract) = (Policy::default(), Contract::default());
        let (client, by, channel) = (Some(CLIENT), client(), Channel::Online);
        Self { from, total: TOTAL, deposit: DEPOSIT, client, channel, by, policy, contract }
    }

    pub fn manual(from: Timestamp) -> Self {
        Self { channel: Channel::Manual, by: manager(), ..Self::online(from) }
    }
}

/// What a booking says about money, before ids are made.
#[derive(Clone, Copy, Debug)]
pub enum Paying {
    Later,
    Online(Method, Purpose),
    Recorded(Method, Purpose),
    Credit(Purpose),
}

impl World {
    pub fn place(&mut self, booking: &Booking, pays: Paying) -> Result<(ReservationId, PaymentId), No> {
        let reservation = Loaded::<Reservation>::new(self.id().into());
        let payment = Loaded::<Payment>::new(self.id().into());
        let owner = self.load::<Client>(booking.client.unwrap_or(CLIENT));
        let code = Code::of(u64::try_from(reservation.id.uuid().as_u128() % 800_000_000).unwrap());
        let pays = match pays {
            Paying::Later => Pays::Later,
            Paying::Online(method, purpose) => Pays::Online { payment: &payment, method, purpose },
            Paying::Recorded(method, purpose) => Pays::Recorded { payment: &payment, method, purpose },
            Paying::Credit(purpose) => Pays::Credit { payment: &payment, client: &owner, purpose },
        };
        let place = Place {
            reservation: &reservation,
            slot: slot(booking.from),
            price: price(booking.from, booking.total, booking.deposit),
            policy: booking.policy.clone(),
            contract: booking.contract.clone(),
            site: Read { stream: SITE.into(), version: 7 },
            client_id: booking.client,
            channel: booking.channel,
            code,
            pays,
            by: booking.by,
            now: self.now,
        };
        self.write(place.decide())?;
        Ok((reservation.id, payment.id))
    }

    /// Held online with a Wave checkout open for the deposit.
    pub fn hold(&mut self, from: Timestamp) -> (ReservationId, PaymentId) {
        let wave = Paying::Online(Method::Wave, Purpose::Deposit);
        let (reservation, payment) = self.place(&Booking::online(from), wave).unwrap();
        self.open(payment).unwrap();
        (reservation, payment)
    }

    /// Confirmed by a deposit through Wave.
    pub fn confirm(&mut self, from: Timestamp) -> (ReservationId, PaymentId) {
        let (reservation, payment) = self.hold(from);
        assert_eq!(self.land(payment, &format!("T_{}", payment.uuid().as_u128()), DEPOSIT), Ok(Row::Confirmed));
        (reservation, payment)
    }

    pub fn request(&mut self, reservation: ReservationId, purpose: Purpose) -> Result<PaymentId, No> {
        let payment = Loaded::<Payment>::new(self.id().into());
        let reservation = self.load(reservation);
        let by = client();
        let request =
            payment::Request { reservation: &reservation, payment: &payment, method: Method::Wave, purpose, by };
        self.write(request.decide(self.now))?;
        Ok(payment.id)
    }

    /// Pays from what is held of the reservation's client, on their word.
    pub fn spend(
        &mut self,
        reservation: ReservationId,
        purpose: Purpose,
        share_id: Option<ShareId>,
        by: Actor,
    ) -> Result<PaymentId, No> {
        let payment = Loaded::<Payment>::new(self.id().into());
        let reservation = self.load::<Reservation>(reservation);
        let client_id = reservation.state.terms.as_ref().and_then(|terms| terms.client_id);
        let client = self.load::<Client>(client_id.unwrap_or(CLIENT));
        let now = self.now;
        let spend = payment::Spend {
            reservation: &reservation,
            payment: &payment,
            client: &client,
            purpose,
            share_id,
            by,
            now,
        };
        self.write(spend.decide())?;
        Ok(payment.id)
    }

    /// What is held of the client's.
    pub fn credit(&self) -> i64 {
        self.load::<Client>(CLIENT).state.credit(Currency::Xof).unwrap().amount
    }

    pub fn open(&mut self, payment: PaymentId) -> Written {
        let payment = self.load::<Payment>(payment);
        let reservation = self.load(payment.state.request.as_ref().unwrap().reservation_id);
        let open = payment::Open {
            payment: &payment,
            reservation: &reservation,
            provider_id: ProviderId::new(&format!("cos-{}", payment.id.uuid().as_u128())).unwrap(),
            checkout_url: Text::new("https://pay.example/c/1").unwrap(),
            expires_at: Some(self.now + Duration::minutes(30)),
            now: self.now,
        };
        self.write(open.decide())
    }

    /// Money lands: decided optimistically, and once more when the lane says that the cells are taken.
    pub fn land(&mut self, payment: PaymentId, transaction: &str, amount: i64) -> Result<Row, No> {
        let optimistic = self.settle(payment, transaction, Money::xof(amount), Cells::Free);
        match optimistic {
            Err(No::SlotTaken) => self.settle(payment, transaction, Money::xof(amount), Cells::Taken),
            other => other,
        }
    }

    pub fn settle(&mut self, payment: PaymentId, transaction: &str, received: Money, cells: Cells) -> Result<Row, No> {
        let payment = self.load::<Payment>(payment);
        let of = payment.state.request.as_ref().unwrap().reservation_id;
        let reservation = self.load::<Reservation>(of);
        let client = payment.state.request.as_ref().unwrap().client_id;
        let discount = reservation.state.terms.as_ref().and_then(|terms| terms.price.discounts.first());
        let promotion = discount.map(|discount| self.load::<Promotion>(discount.promotion_id));
        let settle = Settle {
            payment: &payment,
            reservation: &reservation,
            client: client.map(|client| self.version(client.into())),
            fine: client.and_then(|client| self.load::<Client>(client).state.fines.get(&of).copied()),
            promotion: promotion.as_ref(),
            refund_id: self.id().into(),
            landed: Landed {
                transaction: ProviderId::new(transaction).unwrap(),
                provider_id: payment.state.provider_id().cloned(),
                received,
                by: Actor { role: Role::Provider, id: None },
            },
            now: self.now,
        };
        let settled = settle.decide(cells);
        let row = settled.as_ref().map(|settled| settled.row).ok();
        self.write(settled.map(|settled| settled.decision))?;
        Ok(row.unwrap())
    }

    /// Every payment with money in the reservation, with an id for its refund.
    fn sources(&mut self, reservation: &Reservation) -> Vec<(Loaded<Payment>, RefundId)> {
        reservation.paying().into_iter().map(|payment| (self.load(payment), self.id().into())).collect()
    }

    pub fn with_sources<R>(
        &mut self,
        id: ReservationId,
        decide: impl FnOnce(&Loaded<Reservation>, &[Source<'_>], Timestamp) -> Result<Decision, R>,
    ) -> Written
    where
        R: crate::refusal::Refused,
    {
        let reservation = self.load::<Reservation>(id);
        let owned = self.sources(&reservation.state);
        let sources: Vec<Source<'_>> =
            owned.iter().map(|(payment, refund_id)| Source { payment, refund_id: *refund_id }).collect();
        let decision = decide(&reservation, &sources, self.now);
        self.write(decision)
    }

    pub fn cancel(&mut self, id: ReservationId, reason: CancelReason, by: Actor) -> Written {
        let note = (reason == CancelReason::Manager).then(|| note("double use"));
        self.with_sources(id, |reservation, sources, now| {
            Cancel { reservation, sources, reason, note, by, now }.decide()
        })
    }

    pub fn reschedule(&mut self, id: ReservationId, to: Timestamp, total: i64, by: Actor) -> Written {
        self.with_sources(id, |reservation, sources, now| {
            let (slot, price) = (slot(to), price(to, total, (total * 3 + 9) / 10));
            let site = Read { stream: SITE.into(), version: 7 };
            reservation::Reschedule { reservation, to: slot, price, site, sources, by, now }.decide()
        })
    }

    pub fn expire(&mut self, id: ReservationId, payments: &[PaymentId]) -> Written {
        let payments: Vec<Loaded<Payment>> = payments.iter().map(|payment| self.load(*payment)).collect();
        let payments: Vec<&Loaded<Payment>> = payments.iter().collect();
        self.write(reservation::expire(&self.load(id), &payments, self.now))
    }

    pub fn return_money(&mut self, id: ReservationId) -> Written {
        self.with_sources(id, reservation::return_money)
    }

    pub fn finish(&mut self, id: ReservationId) -> Written {
        let client = self.reservation(id).terms.and_then(|terms| terms.client_id);
        let client = client.map(|client| self.version(client.into()));
        self.with_sources(id, |reservation, sources, now| reservation::finish(reservation, sources, client, now))
    }

    pub fn check_in(&mut self, id: ReservationId) -> Written {
        self.write(reservation::check_in(&self.load(id), person(Role::Gatekeeper, 2), self.now))
    }

    pub fn record(&mut self, id: ReservationId, method: Method, amount: i64, by: Actor) -> Result<PaymentId, No> {
        let payment = Loaded::<Payment>::new(self.id().into());
        let (reservation, now) = (self.load(id), self.now);
        let record = payment::Record {
            reservation: &reservation,
            payment: &payment,
            method,
            amount: Money::xof(amount),
            by,
            now,
        };
        self.write(record.decide())?;
        Ok(payment.id)
    }

    /// Somebody else's event in a stream, without a decision.
    pub fn happened(&mut self, event: client::Event, stream: ClientId) {
        let change =
            Change { stream: stream.into(), expected: self.version(stream.into()), events: vec![event.into()] };
        self.append(&Decision { changes: vec![change], reads: Vec::new() }).unwrap();
    }
}
