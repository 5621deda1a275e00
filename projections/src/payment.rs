//! Payments: money in. Written by the projector of [`crate::reservation`].

mod details;

pub use details::{Duplicate, Payment, Status, find, of_reservation};
pub(crate) use details::{apply, ids_of};
