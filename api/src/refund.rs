//! Refunds: looked at, and approved by a second person.

mod approve;
mod body;
mod show;

pub use body::RefundBody;

use crate::http::operation::Operation;

pub const OPERATIONS: &[&Operation] = &[&show::SHOW, &approve::APPROVE];
