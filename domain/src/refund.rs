//! One movement of money out.
//!
//! ```text
//! requested → approved → submitted → pending → succeeded | failed(reason) | unknown;   succeeded → reversed
//! requested → declined
//! ```

mod event;

pub use event::*;
