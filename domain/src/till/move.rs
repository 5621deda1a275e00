//! Cash is taken out of a drawer, to the bank.

use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    contract::Flow,
    decision::Decision,
    money::Money,
    text::{Name, Note},
};

use super::{CashMoved, Refusal, Takings, Till, count::opened};

/// What is taken out, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    pub amount: Money,
    pub reason: Note,
    pub reference: Option<Name>,
    /// Who collects at the site.
    pub flow: Flow,
}

/// Takes cash out of an open drawer; never more than should be in it.
///
/// # Errors
/// [`Refusal`] when it is closed, less should be there, or for anybody but a cashier or manager with a name.
pub fn move_cash(
    till: &Loaded<Till>,
    takings: &Takings,
    wish: Move,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let (session, site_id) = opened(till, takings, by)?;
    if !wish.amount.is_positive() {
        return Err(Refusal::Nothing);
    }
    let expected = session.expected(takings)?;
    if wish.amount.compare(expected)?.is_gt() {
        return Err(Refusal::MoreThanThere { expected, version: till.version });
    }
    let Move { amount, reason, reference, flow } = wish;
    let session = session.number;
    let moved = CashMoved { till_id: till.id, site_id, session, amount, reason, reference, flow, by, at: now };
    Ok(Decision::nothing().then(till, moved))
}
