//! One movement of money out.
//!
//! ```text
//! requested → approved → submitted → pending → succeeded | failed(reason) | unknown;   succeeded → reversed
//! requested → declined                             failed | reversed → submitted (another try, another key)
//! ```

mod answer;
mod approve;
mod automatic;
mod event;
mod external;
mod reactions;
mod refusal;
mod request;
mod resolve;
mod state;
mod submit;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_external;
#[cfg(test)]
mod tests_ways;

pub use answer::{fail, pending, reverse, succeed, unknown};
pub use approve::{approve, decline};
pub use event::*;
pub use external::{Movement, Observation, Observed};
pub use reactions::react;
pub use refusal::Refusal;
pub use request::Request;
pub use resolve::resolve;
pub use state::{Attempt, Refund, Status};
pub use submit::{Means, Next, Ways, hand_out, next, retry, submit};

pub(crate) use automatic::{Back, automatic};
