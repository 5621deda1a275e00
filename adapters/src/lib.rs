//! The outside: one module per need. Real protocols only; base URLs, keys and limits come from configuration.
//!
//! An adapter makes one call and says truthfully how it ended ([`call::Outcome`]). It decides nothing, retries nothing,
//! stores nothing, reads no clock and draws no random number. What providers do is in providers.md.

pub mod call;
pub mod device;
pub mod document;
pub mod egress;
pub mod email;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod payments;
pub mod phone;
pub mod qr;
pub mod secret;
pub mod signing;
pub mod sms;
pub mod statements;
#[cfg(test)]
mod testing;
pub mod ticket;
pub mod webhook_out;
