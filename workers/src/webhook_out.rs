//! Events for endpoints: written down in the order of the log, sent one endpoint at a time, tried again for three days.
//!
//! What waits is in tables that the API reads, too (`eventstore::webhook_out`). Not among the effects: whoever listens
//! badly outside must not take a place from money that is on its way.

mod message;
mod schedule;
mod sender;
mod writer;

use adapters::egress::Egress;
use eventstore::Mode;

use crate::{context::Context, runtime::StepError};

pub use sender::Sender;
pub use writer::{PROCESS, Writer};

/// The way out of this installation: a test log reaches the fakes on this very machine, too.
///
/// # Errors
/// When the HTTP client cannot be built.
pub fn way_out(ctx: &Context) -> Result<Egress, StepError> {
    Egress::new(ctx.store.log().mode == Mode::Test).map_err(|error| StepError::Stopped(error.to_string()))
}
