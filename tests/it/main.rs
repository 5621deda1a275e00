//! The one integration test binary. Every test that needs a database, NATS or Redis makes a [`world::World`].

mod keeper;
mod world;
