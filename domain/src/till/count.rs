//! A drawer is counted, and stays open.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, money::Money};

use super::{Counted, Refusal, Session, Takings, Till, may_touch};

/// Writes a count down, with what should be there.
///
/// # Errors
/// [`Refusal`] when it is closed, or for anybody but a cashier or manager with a name.
pub fn count(
    till: &Loaded<Till>,
    takings: &Takings,
    counted: Money,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let (session, site_id) = opened(till, takings, by)?;
    counted.bounded()?;
    let expected = session.expected(takings)?;
    Ok(Decision::nothing().then(
        till,
        Counted {
            till_id: till.id,
            site_id,
            session: session.number,
            counted,
            expected,
            variance: counted.minus(expected)?,
            as_of_position: takings.as_of_position,
            by,
            at: now,
        },
    ))
}

/// The session of an open drawer, for who may count it, on takings that are not older than those counted before.
pub(super) fn opened(
    till: &Loaded<Till>,
    takings: &Takings,
    by: Actor,
) -> Result<(Session, crate::ids::SiteId), Refusal> {
    may_touch(by)?;
    let (Some(session), Some(site_id)) = (till.state.open, till.state.site_id) else { return Err(Refusal::NotOpen) };
    if takings.as_of_position < session.counted_to {
        return Err(Refusal::CountedFurther { known: session.counted_to });
    }
    Ok((session, site_id))
}
