//! Refunds: money out. Written by the projector of [`crate::reservation`].

mod details;

pub(crate) use details::apply;
pub use details::{Refund, Status, find, of_payment};
