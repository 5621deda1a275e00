//! A day closes when every franc of it is explained.

use super::{Closed, Reconciliation, Refusal, Status, end};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
};

/// Closes a day. Again is nothing to do.
///
/// # Errors
/// [`Refusal`] while it has not ended, no statement was compared, or a difference is unexplained.
pub fn close(reconciliation: &Loaded<Reconciliation>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    if by.role != Role::Finance {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    let state = &reconciliation.state;
    let (Some(scope), Some(digest)) = (&state.scope, &state.digest) else { return Err(Refusal::NoStatement) };
    if state.status == Status::Closed {
        return Ok(Decision::nothing());
    }
    if now < end(scope.day) {
        return Err(Refusal::NotEnded { day: scope.day });
    }
    let unexplained = state.unexplained().count();
    if unexplained > 0 {
        return Err(Refusal::Unexplained { differences: unexplained });
    }
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let closed = Closed {
        reconciliation_id: reconciliation.id,
        digest: digest.clone(),
        matched: count(state.pairs.len()),
        differences: count(state.differences.iter().filter(|difference| difference.is_current()).count()),
        by,
        at: now,
    };
    Ok(Decision::nothing().then(reconciliation, closed))
}
