//! A drawer is counted for the last time, and closed: what is missing, or too much, is stated, explained and entered.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, contract::Flow, decision::Decision, money::Money, text::Note};

use super::{Closed, Refusal, Takings, Till, count::opened};

/// What is said of a drawer that is closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Close {
    pub counted: Money,
    /// Of a difference, when there is one.
    pub reason: Option<Note>,
    /// Who collects at the site.
    pub flow: Flow,
}

/// Closes a drawer.
///
/// # Errors
/// [`Refusal`] when it is closed, when it differs and nobody says why, or for anybody but a cashier or manager with a name.
pub fn close(
    till: &Loaded<Till>,
    takings: &Takings,
    wish: Close,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let (session, site_id) = opened(till, takings, by)?;
    let Close { counted, reason, flow } = wish;
    counted.bounded()?;
    let expected = session.expected(takings)?;
    let variance = counted.minus(expected)?;
    if !variance.is_zero() && reason.is_none() {
        return Err(Refusal::ReasonRequired { expected, version: till.version });
    }
    Ok(Decision::nothing().then(
        till,
        Closed {
            till_id: till.id,
            site_id,
            session: session.number,
            float: session.float,
            received: takings.received,
            handed_out: takings.handed_out,
            moved: session.moved,
            expected,
            counted,
            variance,
            reason,
            from_position: session.from_position,
            as_of_position: takings.as_of_position,
            flow,
            by,
            at: now,
        },
    ))
}
