//! What a drawer is, folded from its events.

use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Aggregate,
    ids::{SiteId, TillId},
    money::{Money, MoneyError},
};

use super::{Event, Takings};

/// A drawer. Absent until it is opened for the first time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Till {
    pub site_id: Option<SiteId>,
    /// How often it was opened.
    pub sessions: u32,
    /// `None` while it is closed.
    pub open: Option<Session>,
    pub last_close: Option<Closed>,
}

/// From an opening to a closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub number: u32,
    pub float: Money,
    /// Taken to the bank so far.
    pub moved: Money,
    /// Movements after this position count.
    pub from_position: i64,
    /// The last position that a count went up to.
    pub counted_to: i64,
    pub opened_by: Actor,
    pub opened_at: Timestamp,
}

/// How it was closed the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    pub counted: Money,
    pub as_of_position: i64,
    pub at: Timestamp,
}

impl Session {
    /// What should be in the drawer: float + received − handed out − moved. Negative when more was handed out than there was.
    ///
    /// # Errors
    /// [`MoneyError`] when the currencies differ or the sum overflows.
    pub fn expected(&self, takings: &Takings) -> Result<Money, MoneyError> {
        self.float.plus(takings.received)?.minus(takings.handed_out)?.minus(self.moved)
    }
}

impl Aggregate for Till {
    type Id = TillId;
    type Event = Event;

    fn select(event: crate::event::Event) -> Option<Event> {
        match event {
            crate::event::Event::Till(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::Opened(opened) => {
                self.site_id = Some(opened.site_id);
                self.sessions = opened.session;
                self.open = Some(Session {
                    number: opened.session,
                    float: opened.float,
                    moved: Money::zero(opened.float.currency),
                    from_position: opened.as_of_position,
                    counted_to: opened.as_of_position,
                    opened_by: opened.by,
                    opened_at: opened.at,
                });
            }
            Event::Counted(counted) => {
                if let Some(session) = &mut self.open {
                    session.counted_to = counted.as_of_position;
                }
            }
            Event::CashMoved(moved) => {
                if let Some(session) = &mut self.open {
                    session.moved = session.moved.plus(moved.amount).unwrap_or(session.moved);
                }
            }
            Event::Closed(closed) => {
                self.open = None;
                let super::Closed { counted, as_of_position, at, .. } = closed;
                self.last_close = Some(Closed { counted, as_of_position, at });
            }
        }
    }
}
