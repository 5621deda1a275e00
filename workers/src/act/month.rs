//! What is done by itself after each month: one timer per site, which goes on from month to month.

use chrono_tz::Tz;
use domain::{Timestamp, payout, reaction::Reaction};

use super::again;
use crate::{
    context::Context,
    effect::{Outcome, Taken},
};

/// Once a month is settled (`Err`: not yet, why), the next one's turn. Months that were slept through are in the last one's.
pub(super) fn then_the_next(
    ctx: &Context,
    taken: &Taken,
    zone: Tz,
    settled: Result<(), &'static str>,
    turn_of: impl FnOnce(Timestamp) -> Reaction,
) -> Outcome {
    if let Err(why) = settled {
        return again(ctx, taken, why);
    }
    let next = payout::month_after(ctx.store.clock().now(), zone);
    let reaction = turn_of(next);
    Outcome::next(reaction, reaction.due().unwrap_or(next))
}
