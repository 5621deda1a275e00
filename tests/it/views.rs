//! The read models against real events in a real Postgres.

mod engine;
mod make;
mod money;
mod people;
mod poison;
mod schedule;
mod sites;
mod waiting;
