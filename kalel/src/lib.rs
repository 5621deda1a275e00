//! The one binary: roles, `up`, migrations. A library as well, so that the integration tests compose the very same
//! parts.

pub mod account;
pub mod admin;
pub mod audit;
pub mod bench;
pub mod config;
pub mod erase;
pub mod fake;
pub mod fork;
pub mod import;
pub mod key;
pub mod logs;
pub mod migrate;
pub mod projections;
pub mod rebuild;
pub mod replay;
pub mod seed;
pub mod seeded;
pub mod serve;
pub mod stop;
pub mod tls;
pub mod tour;
pub mod trial;
pub mod up;
pub mod webhook;
