//! What an interval would cost: priced, signed, and honoured for a quarter of an hour without being stored.

mod make;
mod seal;

pub use make::PriceBody;
pub use seal::{Quote, open};

use crate::http::operation::Operation;

pub const OPERATIONS: &[&Operation] = &[&make::MAKE];
