//! What the targets share: how an input is cut up, how messages are signed, what is held against what is read.
//!
//! `src/bin/` has one target each. [`oracle`] is a second opinion on every proof, written from the providers' documents
//! and not from the adapters.

pub mod cases;
pub mod events;
pub mod keys;
pub mod oracle;
pub mod problem;
pub mod signing;
#[path = "../../api/src/http/strict_json.rs"]
pub mod strict_json;
pub mod tree;
