//! Refunds: looked at, and approved by a second person, handed out.

mod approve;
mod body;
mod hand_out;
mod resolve;
mod show;

pub use body::RefundBody;

use crate::http::operation::Operation;

pub const OPERATIONS: &[&Operation] = &[&show::SHOW, &approve::APPROVE, &hand_out::HAND_OUT, &resolve::RESOLVE];
