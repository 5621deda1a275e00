//! Payments: money in. Written by the projector of [`crate::reservation`].

mod details;
mod rows;

pub use details::{Duplicate, Payment, Status};
pub(crate) use rows::{apply, fold, ids_of};
pub use rows::{find, of_reservation};
