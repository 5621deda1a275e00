//! What every operation has in common on the wire.

pub mod address;
pub mod admission;
pub mod as_of;
pub mod auth;
pub mod body;
pub mod cache;
pub mod call;
pub mod command;
pub mod deprecated;
pub mod document;
pub mod etag;
pub mod form;
pub mod halt;
pub mod health;
pub mod idempotency;
pub mod language;
pub mod limits;
pub mod list;
pub mod openapi;
pub mod operation;
pub mod pipeline;
pub mod position;
pub mod query;
pub mod redis;
pub mod reply;
pub mod strict_json;
