//! Refunds: money out. Written by the projector of [`crate::reservation`].

mod details;

pub use details::{Refund, Status, find, of_payment};
pub(crate) use details::{apply, fold};
