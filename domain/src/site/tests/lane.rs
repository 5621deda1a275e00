//! What is shown as free, what the rules accept and what the lane takes are one and the same.

use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Read,
    guard::{OpenClaim, blocks},
    ids::{ClientId, PitchId},
    interval::Interval,
    payment::{Method, Payment},
    reservation::{Channel, Code, Pays, Place, Purpose, Reservation},
    site::{ClosureReason, PlannedClosure, Site, Wanted, alternatives, lift_closure, offer, schedule_closure, starts},
    spec::{
        apply,
        example::{self, MANAGER, NORTH, NORTH_CELL, SITE, SOUTH, SOUTH_CELL, WHOLE, at},
        load,
        world::{No, World, Written},
    },
};

const DATE: &str = "2026-11-28";

/// Something that happens on the Saturday.
#[derive(Clone, Debug)]
enum Deed {
    /// Somebody books; held only, or paid at once.
    Book {
        pitch: PitchId,
        half_hour: i64,
        length: u32,
        paid: bool,
    },
    /// A cell is closed for a while, if nobody is there.
    Close {
        north: bool,
        half_hour: i64,
        length: u32,
    },
    Lift,
    Wait {
        minutes: i64,
    },
}

fn a_deed() -> impl Strategy<Value = Deed> {
    let pitch = prop::sample::select(vec![NORTH, SOUTH, WHOLE]);
    let span = (0..36_i64, 2..8_u32);
    prop_oneof![
        6 => (pitch, span.clone(), any::<bool>())
            .prop_map(|(pitch, (half_hour, length), paid)| Deed::Book { pitch, half_hour, length, paid }),
        1 => (any::<bool>(), span).prop_map(|(north, (half_hour, length))| Deed::Close { north, half_hour, length }),
        1 => Just(Deed::Lift),
        1 => (1..20_i64).prop_map(|minutes| Deed::Wait { minutes }),
    ]
}

fn during(half_hour: i64, length: u32) -> Interval {
    let from = at(&format!("{DATE} 08:00")) + TimeDelta::minutes(half_hour * 30);
    Interval::lasting(from, length * 30).unwrap()
}

struct Saturday {
    world: World,
    site: Loaded<Site>,
}

impl Saturday {
    fn new(buffer_minutes: u32) -> Self {
        let history =
            [example::registered("Africa/Dakar"), example::ground(buffer_minutes), example::hours("08:00", "01:00")];
        let site = load(SITE, history.into_iter().chain([example::tariffs()]));
        let mut world = World::new();
        world.now = at(&format!("{DATE} 07:00"));
        Self { world, site }
    }

    fn book(&mut self, pitch: PitchId, during: Interval, paid: bool) -> Written {
        let now = self.world.now;
        let (slot, price) = match offer(&self.site, pitch, during, Channel::Manual, now) {
            Ok(offer) => offer,
            Err(refusal) => return Err(No::Refused(crate::refusal::Refused::code(&refusal))),
        };
        let reservation = Loaded::<Reservation>::new(self.world.id().into());
        let payment = Loaded::<Payment>::new(self.world.id().into());
        let recorded = Pays::Recorded { payment: &payment, method: Method::Cash, purpose: Purpose::Deposit };
        let place = Place {
            reservation: &reservation,
            slot,
            price,
            policy: self.site.state.policy().clone(),
            contract: self.site.state.contract(),
            site: Read { stream: SITE.into(), version: self.site.version },
            client_id: Some(ClientId::new(self.world.id())),
            channel: Channel::Manual,
            code: Code::of(u64::try_from(reservation.id.uuid().as_u128() % 800_000_000).unwrap()),
            pays: if paid { recorded } else { Pays::Later },
            by: Actor::new(Role::Manager, MANAGER),
            now,
        };
        self.world.write(place.decide())
    }

    fn close(&mut self, cell: crate::ids::CellId, during: Interval) {
        let planned = PlannedClosure {
            closure_id: self.world.id().into(),
            cells: vec![cell],
            during,
            reason: ClosureReason::Maintenance,
            note: None,
        };
        self.settle(schedule_closure(&self.site, planned, Vec::new(), self.world.now));
    }

    fn lift(&mut self) {
        if let Some(closure_id) = self.site.state.closures.keys().next().copied() {
            self.settle(lift_closure(&self.site, closure_id));
        }
    }

    /// Writes a decision about the site; the lane may say no.
    fn settle(&mut self, decision: Result<crate::decision::Decision, crate::site::Refusal>) {
        let Ok(decision) = decision else { return };
        // The world's log begins after the site's history: what counts here are the guards.
        let mut in_the_log = decision.clone();
        in_the_log.changes.iter_mut().for_each(|change| change.expected = self.world.version(change.stream));
        if self.world.append(&in_the_log).is_ok() {
            apply(&mut self.site, &decision);
        }
    }

    fn happen(&mut self, deed: &Deed) {
        match deed {
            Deed::Book { pitch, half_hour, length, paid } => {
                let _ = self.book(*pitch, during(*half_hour, *length), *paid);
            }
            Deed::Close { north, half_hour, length } => {
                self.close(if *north { NORTH_CELL } else { SOUTH_CELL }, during(*half_hour, *length));
            }
            Deed::Lift => self.lift(),
            Deed::Wait { minutes } => self.world.now += TimeDelta::minutes(*minutes),
        }
    }

    /// Whether the rules and the lane would take it now.
    fn takes(&self, pitch: PitchId, during: Interval) -> bool {
        let mut other = Self { world: self.world.clone(), site: self.site.clone() };
        other.book(pitch, during, true).is_ok()
    }
}

fn overlapping(claims: &[OpenClaim], now: Timestamp) -> Option<(&OpenClaim, &OpenClaim)> {
    let blocking: Vec<_> = claims.iter().filter(|claim| blocks(claim.releasable_at, now)).collect();
    blocking.iter().enumerate().find_map(|(index, claim)| {
        let other = blocking[index + 1..]
            .iter()
            .find(|other| other.cell == claim.cell && other.during.overlaps(claim.during))?;
        Some((*claim, *other))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn never_again_two_reads_disagree_on_what_blocks_a_slot(
        deeds in prop::collection::vec(a_deed(), 1..25),
        buffer in prop::sample::select(vec![0, 15, 30]),
        length in 2..6_u32,
    ) {
        let mut saturday = Saturday::new(buffer);
        for deed in &deeds {
            saturday.happen(deed);
            let claims = saturday.world.open_claims();
            prop_assert_eq!(overlapping(&claims, saturday.world.now), None, "after {:?}", deed);
        }
        let (claims, now) = (saturday.world.open_claims(), saturday.world.now);
        let date: NaiveDate = DATE.parse().unwrap();
        let wanted = Wanted { date, minutes: length * 30, format: None, channel: Channel::Manual };
        for pitch in starts(&saturday.site, &wanted, &claims, now) {
            let shown: Vec<_> = pitch.starts.iter().map(|start| start.during).collect();
            let taken: Vec<_> =
                (0..34).map(|half_hour| during(half_hour, length)).filter(|slot| saturday.takes(pitch.pitch_id, *slot)).collect();
            prop_assert_eq!(shown, taken);
        }
    }

    #[test]
    fn every_alternative_can_be_booked(
        deeds in prop::collection::vec(a_deed(), 1..25),
        half_hour in 0..34_i64,
        length in 2..6_u32,
    ) {
        let mut saturday = Saturday::new(0);
        deeds.iter().for_each(|deed| saturday.happen(deed));
        let (claims, now, asked) = (saturday.world.open_claims(), saturday.world.now, during(half_hour, length));
        let others = alternatives(&saturday.site, NORTH, asked, Channel::Manual, &claims, now);
        prop_assert!(others.len() <= 5);
        for other in others {
            prop_assert!(saturday.takes(other.pitch_id, other.during));
            prop_assert!((other.pitch_id, other.during) != (NORTH, asked));
            let shift = (other.during.from() - asked.from()).num_minutes();
            prop_assert!(shift.abs() <= 120 && other.during.minutes() == asked.minutes());
        }
    }
}
