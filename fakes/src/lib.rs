//! Provider servers for tests and for `kalel up`: they speak the real protocols, keep their own ledgers and clocks, and
//! use none of Kalel's crates, so that an error of ours cannot hide in them. Never run by `kalel serve`.
//!
//! Each one is `pub async fn serve(listener, config, shutdown)`. What they do wrong on purpose is asked for at
//! `POST /__control`; what they did is read at `GET /__ledger`, `/__messages`, `/__calls`, `/__webhooks`.

mod clock;
mod control;
pub mod email;
mod faults;
mod ids;
pub mod paydunya;
pub mod paytech;
pub mod receiver;
mod server;
pub mod sms;
pub mod sonatel;
#[cfg(test)]
mod testing;
pub mod wave;
pub mod webpay;
