//! Payments: money in. Written by the projector of [`crate::reservation`].

mod details;

pub(crate) use details::apply;
pub use details::{Duplicate, Payment, Status, find, of_reservation};
