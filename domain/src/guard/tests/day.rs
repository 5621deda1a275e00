//! A day on three cells: everything that takes, keeps or frees ground, by the rules themselves.

use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    contract::Contract,
    decision::{Change, Decision, Read},
    ids::{CellId, ClientId, PaymentId, ReservationId},
    interval::Interval,
    payment::{self, Method, Payment},
    policy::Policy,
    reservation::{
        self, Cancel, CancelReason, Channel, Code, Pays, Place, Purpose, Reschedule, Reservation, Slot, Source,
    },
    site::{self, Cell, ClosureReason, GroundSet, Hit, PlannedClosure, Site, lift_closure, schedule_closure},
    spec::{
        example,
        shares::Cut,
        story::{client, manager, note, price},
        world::{SITE, World, Written},
    },
    text::Slug,
};

const CELLS: [CellId; 3] = [example::NORTH_CELL, example::SOUTH_CELL, CellId::new(Uuid::from_u128(0xCE11C))];
/// Two halves, the whole pitch that they make, and one beside it.
const PITCHES: [&[usize]; 4] = [&[0], &[1], &[0, 1], &[2]];
/// A pitch, the half hour it begins and how many it lasts.
pub(super) type Where = (usize, i64, u32);

#[derive(Clone, Debug)]
pub(super) enum Deed {
    Place {
        at: Where,
        buffer: u32,
        channel: Channel,
        client: u128,
        pays: u8,
    },
    Ask(usize),
    /// In two, for as many minutes.
    Split(usize, i64),
    AskShare(usize, usize),
    Open(usize),
    Unknown(usize),
    /// Failed, or closed unpaid.
    Fail(usize, bool),
    /// The whole of it, or one franc.
    Land(usize, bool),
    Cancel(usize, CancelReason),
    Move(usize, Where),
    Expire(usize),
    CheckIn(usize),
    Finish(usize),
    /// Calling off what is in the way, or being refused by it.
    Close(Where, bool),
    Lift,
    Pass(i64),
}

pub(super) fn a_deed() -> impl Strategy<Value = Deed> {
    use Deed as D;
    let at = || (0..PITCHES.len(), 0..20_i64, 2..5_u32);
    let nth = || prop_oneof![5 => Just(0_usize), 2 => Just(1), 1 => 2..6_usize];
    let channel = prop_oneof![2 => Just(Channel::Online), 1 => Just(Channel::Manual)];
    let reason = prop_oneof![2 => Just(CancelReason::Client), 1 => Just(CancelReason::Weather)];
    prop_oneof![
        10 => (at(), prop::sample::select(vec![0, 0, 15, 30]), channel, 1..4_u128, 0..3_u8)
            .prop_map(|(at, buffer, channel, client, pays)| D::Place { at, buffer, channel, client, pays }),
        2 => nth().prop_map(D::Ask),
        3 => (nth(), 16..400_i64).prop_map(|(nth, minutes)| D::Split(nth, minutes)),
        4 => (nth(), 0..2_usize).prop_map(|(nth, share)| D::AskShare(nth, share)),
        3 => nth().prop_map(D::Open),
        1 => nth().prop_map(D::Unknown),
        2 => (nth(), any::<bool>()).prop_map(|(nth, closed)| D::Fail(nth, closed)),
        6 => (nth(), prop::bool::weighted(0.8)).prop_map(|(nth, whole)| D::Land(nth, whole)),
        2 => (nth(), reason).prop_map(|(nth, reason)| D::Cancel(nth, reason)),
        4 => (nth(), at()).prop_map(|(nth, at)| D::Move(nth, at)),
        3 => nth().prop_map(D::Expire),
        3 => nth().prop_map(D::CheckIn),
        4 => nth().prop_map(D::Finish),
        1 => (at(), any::<bool>()).prop_map(|(at, calls_off)| D::Close(at, calls_off)),
        1 => Just(D::Lift),
        6 => prop_oneof![4 => 1..20_i64, 2 => 20..60_i64, 2 => 60..240_i64].prop_map(D::Pass),
    ]
}

pub(super) fn noon() -> Timestamp {
    example::at("2026-11-23 12:00")
}

/// Pitch, claims with the buffer, and what is played.
pub(super) fn slot((pitch, half_hour, length): Where, buffer: u32) -> Slot {
    let during = Interval::lasting(noon() + TimeDelta::minutes(30 * half_hour), 30 * length).unwrap();
    Slot {
        site_id: SITE,
        pitch_id: Uuid::from_u128(0x9A00 + pitch as u128).into(),
        cells: PITCHES[pitch].iter().map(|cell| CELLS[*cell]).collect(),
        during,
        claims: during.extended(buffer).unwrap(),
        time_zone: chrono_tz::Africa::Dakar,
    }
}

pub(super) struct Day {
    pub(super) world: World,
    pub(super) reservations: Vec<ReservationId>,
    payments: Vec<PaymentId>,
}

fn pick<T: Copy>(all: &[T], nth: usize) -> Option<T> {
    all.iter().rev().nth(nth).copied()
}

impl Day {
    pub(super) fn new() -> Self {
        let mut world = World::new();
        let cell =
            |(number, id): (usize, &CellId)| Cell { id: *id, slug: Slug::new(&format!("cell-{number}")).unwrap() };
        let ground = GroundSet {
            site_id: SITE,
            cells: CELLS.iter().enumerate().map(cell).collect(),
            pitches: Vec::new(),
            modelled: false,
        };
        let events = vec![example::registered("Africa/Dakar").into(), site::Event::from(ground).into()];
        let change = Change { stream: SITE.into(), expected: 0, events };
        world.append(&Decision { changes: vec![change], reads: Vec::new() }).unwrap();
        Self { world, reservations: Vec::new(), payments: Vec::new() }
    }

    /// The payments of a reservation, but for one.
    pub(super) fn others(&self, of: ReservationId, but: Option<PaymentId>) -> Vec<Loaded<Payment>> {
        let loaded = self.payments.iter().filter(|id| Some(**id) != but).map(|id| self.world.load::<Payment>(*id));
        loaded.filter(|payment| payment.state.request.as_ref().unwrap().reservation_id == of).collect()
    }

    fn place(&mut self, at: Where, buffer: u32, channel: Channel, who: u128, pays: u8) -> Written {
        let world = &mut self.world;
        let reservation = Loaded::<Reservation>::new(world.id().into());
        let payment = Loaded::<Payment>::new(world.id().into());
        let slot = slot(at, buffer);
        let (method, purpose) = (Method::Wave, Purpose::Deposit);
        let pays = match (pays, channel) {
            (0, _) => Pays::Later,
            (1, Channel::Manual) => Pays::Recorded { payment: &payment, method: Method::Cash, purpose },
            _ => Pays::Online { payment: &payment, method, purpose },
        };
        let place = Place {
            reservation: &reservation,
            price: price(slot.during.from(), 40_000, 12_000),
            slot,
            policy: Policy { check_in_opens_minutes: 1_440, ..Policy::default() },
            contract: Contract::default(),
            site: Read { stream: SITE.into(), version: 7 },
            client_id: Some(ClientId::new(Uuid::from_u128(0xC0 + who))),
            channel,
            code: Code::of(u64::try_from(reservation.id.uuid().as_u128()).unwrap()),
            pays,
            by: if channel == Channel::Online { client() } else { manager() },
            now: world.now,
        };
        let written = world.write(place.decide());
        if written.is_ok() {
            self.reservations.push(reservation.id);
            self.payments.extend((self.world.version(payment.id.into()) > 0).then_some(payment.id));
        }
        written
    }

    fn relocate(&mut self, id: ReservationId, at: Where) -> Written {
        let (to, site) = (slot(at, 0), Read { stream: SITE.into(), version: 7 });
        let price = price(to.during.from(), 40_000, 12_000);
        self.world.with_sources(id, |reservation, sources, now| {
            Reschedule { reservation, to, price, site, sources, by: manager(), now }.decide()
        })
    }

    /// Closes cells; `calls_off` what stands there.
    fn close(&mut self, at: Where, calls_off: bool) -> Written {
        let slot = slot(at, 0);
        let mut hits = Vec::new();
        for id in self.reservations.clone().into_iter().filter(|_| calls_off) {
            let reservation = self.world.load::<Reservation>(id);
            let claimed = &reservation.state.terms.as_ref().unwrap().slot;
            let meets =
                claimed.claims.overlaps(slot.during) && claimed.cells.iter().any(|cell| slot.cells.contains(cell));
            if meets && reservation.state.status.is_live() {
                hits.push(self.hit(&reservation));
            }
        }
        let (cells, during, reason) = (slot.cells, slot.during, ClosureReason::Weather);
        let planned = PlannedClosure { closure_id: self.world.id().into(), cells, during, reason, note: None };
        let decision = schedule_closure(&self.world.load::<Site>(SITE), planned, hits, self.world.now);
        self.world.write(decision)
    }

    fn hit(&mut self, reservation: &Loaded<Reservation>) -> Hit {
        let paying = reservation.state.paying();
        let owned: Vec<_> =
            paying.into_iter().map(|id| (self.world.load::<Payment>(id), self.world.id().into())).collect();
        let sources: Vec<_> =
            owned.iter().map(|(payment, refund_id)| Source { payment, refund_id: *refund_id }).collect();
        let (reason, by, now) = (CancelReason::Closure, Actor::SYSTEM, self.world.now);
        let cancel = Cancel { reservation, sources: &sources, reason, note: None, by, now };
        Hit { reservation_id: reservation.id, cancellation: cancel.decide().unwrap() }
    }

    fn of_a_payment(&mut self, id: PaymentId, deed: &Deed) -> Written {
        let (loaded, of, now) = (self.world.load::<Payment>(id), self.world.paid_by(id), self.world.now);
        let others = self.others(of.id, Some(id));
        let others: Vec<_> = others.iter().collect();
        let decision = match deed {
            Deed::Open(_) => return self.world.open(id),
            Deed::Land(_, whole) => {
                let asked = loaded.state.request.as_ref().unwrap().amount.amount;
                let (transaction, amount) = (format!("T{}", id.uuid().as_u128()), if *whole { asked } else { 1 });
                return self.world.land(id, &transaction, amount).map(|_| Vec::new());
            }
            Deed::Fail(_, true) => payment::expire(&loaded, &of, &others, now),
            Deed::Fail(..) => payment::fail(&loaded, &of, &others, note("refused"), now),
            _ => payment::unknown(&loaded, &of, note("timed out"), now),
        };
        self.world.write(decision)
    }

    pub(super) fn happen(&mut self, deed: &Deed) -> Written {
        let reservation = |nth: &usize| pick(&self.reservations, *nth);
        let payment = |nth: &usize| pick(&self.payments, *nth);
        match deed {
            Deed::Place { at, buffer, channel, client, pays } => {
                return self.place(*at, *buffer, *channel, *client, *pays);
            }
            Deed::Close(at, calls_off) => return self.close(*at, *calls_off),
            Deed::Lift => {
                let site = self.world.load::<Site>(SITE);
                let Some(closure_id) = site.state.closures.keys().next().copied() else { return Ok(Vec::new()) };
                return self.world.write(lift_closure(&site, closure_id));
            }
            Deed::Pass(minutes) => self.world.pass(*minutes),
            Deed::Open(nth) | Deed::Unknown(nth) | Deed::Fail(nth, _) | Deed::Land(nth, _) => {
                if let Some(id) = payment(nth) {
                    return self.of_a_payment(id, deed);
                }
            }
            Deed::Ask(nth)
            | Deed::Split(nth, _)
            | Deed::AskShare(nth, _)
            | Deed::Cancel(nth, _)
            | Deed::Move(nth, _)
            | Deed::Expire(nth)
            | Deed::CheckIn(nth)
            | Deed::Finish(nth) => {
                if let Some(id) = reservation(nth) {
                    return self.of_a_reservation(id, deed);
                }
            }
        }
        Ok(Vec::new())
    }

    fn of_a_reservation(&mut self, id: ReservationId, deed: &Deed) -> Written {
        match deed {
            Deed::Ask(_) => {
                let payment = self.world.request(id, Purpose::Deposit)?;
                self.payments.push(payment);
                Ok(Vec::new())
            }
            Deed::Split(_, minutes) => {
                let deadline = self.world.now + TimeDelta::minutes(*minutes);
                let payments = self.others(id, None).iter().map(|payment| payment.id).collect::<Vec<_>>();
                let cut = Cut { shares: 2, deadline, ..Cut::full(deadline) };
                self.world.split(id, &cut, &payments, manager()).map(|_| Vec::new())
            }
            Deed::AskShare(_, nth) => {
                let Some(share) = self.world.reservation(id).shares().nth(*nth) else { return Ok(Vec::new()) };
                let payment = self.world.request_share(id, share.share_id, Method::OrangeMoney, None, &[])?;
                self.payments.push(payment);
                Ok(Vec::new())
            }
            Deed::Cancel(_, reason) => {
                let by = if *reason == CancelReason::Client { client() } else { manager() };
                self.world.cancel(id, *reason, by)
            }
            Deed::Move(_, at) => self.relocate(id, *at),
            Deed::Expire(_) => {
                let payments = self.others(id, None);
                let decision =
                    reservation::expire(&self.world.load(id), &payments.iter().collect::<Vec<_>>(), self.world.now);
                self.world.write(decision)
            }
            Deed::CheckIn(_) => self.world.check_in(id),
            _ => self.world.finish(id),
        }
    }
}
