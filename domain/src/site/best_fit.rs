//! Which pitch to take when only the format was named.

use super::{Format, Pitch, Site};

/// The pitches of a format, best first: fewest cells (it leaves the most ground to others), then in the order of the
/// ground. When the first is refused the caller tries its next sibling (decisions.md).
pub fn best_fit<'a>(site: &'a Site, format: &Format) -> Vec<&'a Pitch> {
    let mut pitches: Vec<&Pitch> = site.pitches.iter().filter(|pitch| pitch.format == *format).collect();
    // Stable: siblings of one size keep their order.
    pitches.sort_by_key(|pitch| pitch.cells.len());
    pitches
}
