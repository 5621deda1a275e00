//! A drawer is opened, with what is in it.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, ids::SiteId, money::Money};

use super::{Opened, Refusal, Till, may_touch};

/// What is said of a drawer that is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub site_id: SiteId,
    /// What was counted in it.
    pub float: Money,
    /// The end of the log: what moves from now on counts.
    pub as_of_position: i64,
}

/// Opens a drawer.
///
/// # Errors
/// [`Refusal`] when it is open, or for anybody but a cashier or manager with a name.
pub fn open(till: &Loaded<Till>, wish: Open, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    may_touch(by)?;
    if till.state.open.is_some() {
        return Err(Refusal::AlreadyOpen);
    }
    let Open { site_id, float, as_of_position } = wish;
    float.bounded()?;
    // What is in the session before is not in this one, too.
    if let Some(last) = till.state.last_close.filter(|last| as_of_position < last.as_of_position) {
        return Err(Refusal::CountedFurther { known: last.as_of_position });
    }
    let session = till.state.sessions.saturating_add(1);
    Ok(Decision::nothing()
        .then(till, Opened { till_id: till.id, site_id, session, float, as_of_position, by, at: now }))
}
