//! The ground and what is sold on it.

use std::collections::BTreeSet;

use crate::{aggregate::Loaded, decision::Decision, ids::CellId};

use super::{
    Cell, GroundSet, Invalid, Pitch, Refusal, Site,
    invalid::{at_most, distinct},
    set_tariffs::check_pitches,
};

const MOST_CELLS: usize = 200;
const MOST_PITCHES: usize = 200;
/// Longest buffer after a reservation, in minutes.
const LONGEST_BUFFER: u32 = 4 * 60;

/// Replaces cells and pitches; `modelled` when the cells are our reading of the formats sold. Reservations keep the cells that they claimed.
///
/// # Errors
/// [`Refusal::Invalid`] when a pitch lies on no cell or on one that is not listed, something appears twice, or a tariff
/// in force would lose its pitch.
pub fn set_ground(
    site: &Loaded<Site>,
    cells: Vec<Cell>,
    pitches: Vec<Pitch>,
    modelled: bool,
) -> Result<Decision, Refusal> {
    if !site.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    check_ground(&cells, &pitches)?;
    check_pitches(&pitches, &site.state.tariffs.rules)?;
    let state = &site.state;
    if state.cells == cells && state.pitches == pitches && state.cells_are_modelled == modelled {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(site, GroundSet { site_id: site.id, cells, pitches, modelled }))
}

fn check_ground(cells: &[Cell], pitches: &[Pitch]) -> Result<(), Invalid> {
    at_most("cells", cells.len(), MOST_CELLS)?;
    at_most("pitches", pitches.len(), MOST_PITCHES)?;
    distinct("cell", cells.iter().map(|cell| cell.id))?;
    distinct("cell", cells.iter().map(|cell| cell.slug.as_str()))?;
    distinct("pitch", pitches.iter().map(|pitch| pitch.id))?;
    distinct("pitch", pitches.iter().map(|pitch| pitch.slug.as_str()))?;
    let known: BTreeSet<CellId> = cells.iter().map(|cell| cell.id).collect();
    for pitch in pitches {
        if pitch.cells.is_empty() {
            return Err(Invalid::PitchWithoutCells(pitch.id));
        }
        distinct("cell", pitch.cells.iter().copied())?;
        if let Some(cell) = pitch.cells.iter().find(|cell| !known.contains(cell)) {
            return Err(Invalid::UnknownCell(*cell));
        }
        if pitch.buffer_minutes > LONGEST_BUFFER {
            return Err(Invalid::Buffer { pitch_id: pitch.id, most_minutes: LONGEST_BUFFER });
        }
    }
    Ok(())
}
