//! Everybody on slots that are all taken: ours beside a service that looks before it inserts.

use serde_json::Value;

use super::{
    HOURS, PITCHES, Plan, Side,
    load::{self, Slots},
};
use crate::bench::append::Problem;

/// How many slots.
pub const TAKEN: u64 = 100;

/// Takes the slots on every side, then has all clients ask for them, in turns.
///
/// # Errors
/// When an answer is neither 201 or 409 at first, nor 409 then.
pub async fn measure(
    plan: &Plan,
    ours: &mut Side,
    nodes: &mut [(usize, Side)],
    slots: &Slots,
    say: &mut (dyn FnMut(&str) + Send),
) -> Result<(), Problem> {
    // Far from what the others ask for: the last but five hours of the ground.
    let first = PITCHES * (HOURS - 5);
    let wanted: Vec<Value> = (first..first + TAKEN).map(|number| slots(number)).collect();
    let mut sides: Vec<&mut Side> = std::iter::once(ours).chain(nodes.iter_mut().map(|(_, side)| side)).collect();
    for side in &sides {
        load::take(&side.checked, &wanted).await?;
    }
    for round in 1..=plan.rounds {
        say(&format!("{} connections on {TAKEN} taken slots, round {round} of {}", plan.connections, plan.rounds));
        for side in &mut sides {
            side.taken.push(load::taken(&side.checked, plan.connections, plan.lasting, &wanted).await?);
        }
    }
    Ok(())
}
