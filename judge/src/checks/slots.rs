//! No two on one cell at any position, by a fold of our own; the guard table says the same as the fold; and what is
//! claimed is the pitch that was sold, for as long as it was sold.

use std::collections::HashMap;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    court::{Court, Objection},
    event::{Event, Fact, Pitch, Slot},
    ground::Ground,
    input::{Claim, Input},
};

const OVERLAP: &str = "slots.overlap";
const GROUND: &str = "slots.ground";
const GUARD: &str = "slots.guard";

pub(super) fn check(input: &Input, court: &mut Court<'_>) {
    let mut ground = Ground::default();
    let mut pitches: HashMap<Uuid, &Pitch> = HashMap::new();
    let (mut moves, mut sold) = (0, 0);
    court.saw(OVERLAP, 0);
    court.saw(GROUND, 0);
    for event in &input.log {
        if let Fact::GroundSet(set) = &event.fact {
            pitches.extend(set.pitches.iter().map(|pitch| (pitch.id, pitch)));
        }
        if let Some((slot, id)) = sells(event) {
            sold += 1;
            if let Some(said) = not_as_sold(slot, &pitches) {
                court.object(GROUND, Objection::new(format!("reservation {id}: {said}")).at(event.position));
            }
        }
        moves += usize::from(event.name.starts_with("reservation.") || event.name.starts_with("site.closure"));
        for clash in ground.fold(event) {
            let (cell, holder, other, from) = (clash.cell, clash.holder, clash.other, clash.from);
            let said = format!("{holder} takes cell {cell} from {from}, where {other} still is");
            court.object(OVERLAP, Objection::new(said).at(event.position));
        }
    }
    court.saw(OVERLAP, moves);
    court.saw(GROUND, sold);
    guard(&ground.claims(), input, court);
}

/// The slot that an event sells, and to which reservation. A slot claimed again was sold as the ground was then.
fn sells(event: &Event) -> Option<(&Slot, Uuid)> {
    match &event.fact {
        Fact::Held(held) => Some((&held.slot, held.reservation_id)),
        Fact::Rescheduled(moved) => Some((&moved.to, moved.reservation_id)),
        _ => None,
    }
}

fn not_as_sold(slot: &Slot, pitches: &HashMap<Uuid, &Pitch>) -> Option<&'static str> {
    let Some(pitch) = pitches.get(&slot.pitch_id) else { return Some("there is no such pitch") };
    let sorted = |cells: &[Uuid]| {
        let mut cells = cells.to_vec();
        cells.sort_unstable();
        cells
    };
    if sorted(&slot.cells) != sorted(&pitch.cells) {
        return Some("it claims other cells than those of its pitch");
    }
    let (during, claims) = (slot.during, slot.claims);
    let whole = claims.from == during.from && claims.to == during.to + TimeDelta::minutes(pitch.buffer_minutes);
    (during.from >= during.to || !whole).then_some("it claims another time than is played, with its buffer")
}

fn guard(fold: &[Claim], input: &Input, court: &mut Court<'_>) {
    let mut rows = input.claims.clone();
    rows.sort_unstable();
    court.saw(GUARD, rows.len().max(fold.len()));
    for claim in fold.iter().filter(|claim| rows.binary_search(claim).is_err()) {
        let said = format!("{} by the log, and not so in the guard table", told(claim));
        court.object(GUARD, Objection::new(said).at(claim.position));
    }
    for claim in rows.iter().filter(|claim| fold.binary_search(claim).is_err()) {
        let said = format!("{} in the guard table, and not so by the log", told(claim));
        court.object(GUARD, Objection::new(said).at(claim.position));
    }
}

fn told(claim: &Claim) -> String {
    let Claim { cell, from, to, holder, firm, .. } = claim;
    let how = if *firm { "firmly has" } else { "holds" };
    format!("{holder} {how} cell {cell} from {from} to {to}")
}
