//! The read models against real events in a real Postgres.

mod bulk;
mod engine;
mod figures;
mod make;
mod money;
mod operator;
mod people;
mod poison;
mod readers;
mod rebuild;
mod schedule;
mod sites;
mod waiting;
