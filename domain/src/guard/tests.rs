//! The guards alone: whatever happens, the claims, counts and names that the events leave are those that the folded
//! states speak of, and on the ground, looked at quarter by quarter, nobody stands on anybody.

mod day;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    Timestamp,
    aggregate::Loaded,
    event::Event,
    guard::{OpenClaim, stands_in_the_way},
    ids::{CellId, ClientId, ReservationId},
    interval::Interval,
    payment::{self, Payment},
    reservation::{self, CancelReason, Channel, Reservation, Status},
    site::{self, Site},
    spec::world::{No, SITE},
};

use day::{Day, Deed, a_deed, noon, slot};

const QUARTER: i64 = 15;
/// Quarters of the day that are played on, from noon.
const QUARTERS: i64 = 64;

/// A claim as a row: cell, from, to, holder.
type Row = (CellId, Timestamp, Timestamp, Uuid);

fn rows(cells: &[CellId], during: Interval, holder: Uuid) -> impl Iterator<Item = Row> + '_ {
    cells.iter().map(move |cell| (*cell, during.from(), during.to(), holder))
}

/// Who stands on a cell at a quarter of an hour, one after the other: the naive map of the ground.
fn on_the_ground(open: &[OpenClaim], now: Option<Timestamp>) -> BTreeMap<(CellId, i64), Vec<Uuid>> {
    let mut ground: BTreeMap<_, Vec<Uuid>> = BTreeMap::new();
    for claim in open {
        if now.is_some_and(|now| claim.releasable_at.is_some_and(|at| at <= now)) {
            continue;
        }
        for quarter in 0..QUARTERS {
            let instant = noon() + TimeDelta::minutes(QUARTER * quarter);
            if claim.during.from() <= instant && instant < claim.during.to() {
                ground.entry((claim.cell, quarter)).or_default().push(claim.holder);
            }
        }
    }
    ground
}

/// Whether somebody stands there now, by the map.
fn occupied(open: &[OpenClaim], cells: &[CellId], during: Interval, now: Timestamp) -> bool {
    on_the_ground(open, Some(now)).keys().any(|(cell, quarter)| {
        let instant = noon() + TimeDelta::minutes(QUARTER * quarter);
        cells.contains(cell) && during.from() <= instant && instant < during.to()
    })
}

impl Day {
    /// When a hold may lapse: at its end, or at the end of the grace that a checkout lends it. Both where it was paid
    /// too little: that checkout is over, and whether another one ended after it makes the difference.
    fn may_lapse(&self, id: ReservationId, state: &Reservation) -> Vec<Timestamp> {
        let terms = state.terms.as_ref().unwrap();
        let grace = TimeDelta::seconds(i64::from(terms.policy.checkout_grace_seconds));
        let (end, kept) = (terms.hold_expires_at, terms.hold_expires_at + grace);
        let payments = self.others(id, None);
        let opened = |payment: &Loaded<Payment>| match payment.state.status {
            payment::Status::Pending => payment.state.checkout.as_ref().unwrap().blocks_until.is_some(),
            payment::Status::Unknown => true,
            _ => false,
        };
        let pledged = state.split.as_ref().is_some_and(|split| split.pledged);
        match (payments.iter().any(opened), !state.receipts.is_empty()) {
            // What was opened before lends its own grace, which is over long before.
            _ if pledged => vec![end, kept],
            // In the grace itself an ended checkout gives the cells back although another one is open and just over.
            (true, _) if self.world.now >= kept => vec![kept, end],
            (true, _) => vec![kept],
            (false, true) => vec![end, kept],
            (false, false) => vec![end],
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let open = self.world.open_claims();
        let mut expected: BTreeSet<Row> = BTreeSet::new();
        let mut counted: BTreeMap<String, BTreeSet<Uuid>> = BTreeMap::new();
        let mut codes = BTreeMap::new();
        for id in &self.reservations {
            let state = self.world.reservation(*id);
            let terms = state.terms.as_ref().unwrap();
            let (holder, client) = (id.uuid(), terms.client_id.unwrap());
            codes.insert(format!("{SITE}:{}", terms.code.0), holder);
            let claims: BTreeSet<_> = rows(&terms.slot.cells, terms.slot.claims, holder).collect();
            let releasable: BTreeSet<_> =
                open.iter().filter(|claim| claim.holder == holder).map(|claim| claim.releasable_at).collect();
            let online = terms.channel == Channel::Online;
            let unpaid = match state.status {
                Status::Held => {
                    expected.extend(claims);
                    let may: Vec<Option<DateTime<_>>> = self.may_lapse(*id, &state).into_iter().map(Some).collect();
                    prop_assert!(
                        releasable.len() == 1 && releasable.iter().all(|at| may.contains(at)),
                        "{releasable:?} is not of {may:?}"
                    );
                    online.then(|| format!("client:{client}:unpaid_holds"))
                }
                Status::Confirmed | Status::CheckedIn => {
                    expected.extend(claims);
                    prop_assert_eq!(releasable, BTreeSet::from([None]), "paid for, so firm");
                    None
                }
                Status::Expired => Some(()).filter(|()| online).map(|()| lapsed(client, terms)),
                // A client who gives up an unpaid hold has let it end.
                Status::Cancelled if state.grounds.is_none() => {
                    let given_up = state.cancelled.is_some_and(|(reason, _)| reason == CancelReason::Client);
                    (given_up && online).then(|| lapsed(client, terms))
                }
                Status::Absent | Status::Completed | Status::NoShow | Status::Cancelled => None,
            };
            if let Some(scope) = unpaid {
                counted.entry(scope).or_default().insert(holder);
            }
        }
        for (id, closure) in &self.world.load::<Site>(SITE).state.closures {
            expected.extend(rows(&closure.cells, closure.during, id.uuid()));
        }
        let standing = open.iter().map(|claim| (claim.cell, claim.during.from(), claim.during.to(), claim.holder));
        prop_assert_eq!(standing.collect::<BTreeSet<_>>(), expected);
        prop_assert_eq!(self.world.counted(), counted);
        prop_assert_eq!(self.world.taken(reservation::CODE), codes, "a code is for ever");
        let trodden = on_the_ground(&open, None).into_iter().find(|(_, holders)| holders.len() > 1);
        prop_assert_eq!(trodden, None, "two on one cell");
        Ok(())
    }
}

fn lapsed(client: ClientId, terms: &reservation::Held) -> String {
    format!("client:{client}:lapsed_holds:{}", terms.held_on)
}

proptest! {
    #[test]
    fn what_is_claimed_counted_and_named_is_what_the_states_say(deeds in prop::collection::vec(a_deed(), 1..60)) {
        let mut day = Day::new();
        day.check()?;
        for deed in &deeds {
            let (before, now) = (day.world.open_claims(), day.world.now);
            let written = day.happen(deed);
            if let Deed::Place { at, buffer, .. } = deed {
                let wanted = slot(*at, *buffer);
                let taken = occupied(&before, &wanted.cells, wanted.claims, now);
                prop_assert_eq!(taken, stands_in_the_way(&before, &wanted.cells, wanted.claims, now));
                prop_assert!(matches!(written, Err(No::SlotTaken)) == taken || matches!(written, Err(No::Limit)), "{:?}", written);
            }
            prop_assert!(written != Err(No::Conflict) && written != Err(No::NotUnique), "{:?}", written);
            day.check()?;
        }
    }
}

/// A law that is never put to the test holds always: the days must get everywhere where a guard moves.
#[test]
fn the_days_reach_every_event_that_moves_a_guard() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};

    let mut runner = TestRunner::deterministic();
    let days = prop::collection::vec(a_deed(), 60);
    let mut reached = BTreeSet::new();
    for _ in 0..250 {
        let mut day = Day::new();
        for deed in days.new_tree(&mut runner).unwrap().current() {
            let _ = day.happen(&deed);
        }
        for (_, event) in &day.world.log {
            reached.insert(event.name());
            match event {
                Event::Reservation(reservation::Event::Confirmed(confirmed)) if confirmed.reclaims.is_some() => {
                    reached.insert("claimed again");
                }
                Event::Site(site::Event::ClosureScheduled(closure)) if !closure.hits.is_empty() => {
                    reached.insert("called off");
                }
                _ => {}
            }
        }
    }
    let all = reservation::Event::TYPES.iter().chain(payment::Event::TYPES).map(|(name, _)| *name);
    let all = all.chain(["site.closure_scheduled", "site.closure_lifted", "claimed again", "called off"]);
    // Moves no guard; `spec::properties` gets there.
    let elsewhere =
        ["reservation.money_returned", "payment.refund_returned", "payment.put_on_account", "payment.duplicated"];
    let missing: Vec<_> = all.filter(|name| !reached.contains(name) && !elsewhere.contains(name)).collect();
    assert_eq!(missing, [] as [&str; 0]);
}
