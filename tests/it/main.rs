//! The one integration test binary. Every test that needs a database, NATS or Redis makes a [`world::World`].
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

mod afterwards;
mod api;
mod broken;
mod compare;
mod credit;
mod doors;
mod erasure;
mod faults;
mod feed;
mod fines;
mod fork;
mod http_bad_input;
mod http_idempotency;
mod http_webhooks;
mod import;
mod journeys;
mod keeper;
mod keys;
mod lane;
mod ledger;
mod limits;
mod matrix;
mod merchant_statements;
mod never_again;
mod past;
mod promotions;
mod reconciliation;
mod refunds;
mod seal;
mod split;
mod tidy;
mod tills;
mod up;
mod views;
mod world;
