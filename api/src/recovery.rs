//! A PIN that was lost: asked for by whoever has the number, waited for, stopped by whoever it belongs to.

mod begin;
mod complete;
mod list;

use domain::{
    Timestamp,
    client::{self, Recovery},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::operation::{Exemplary, Operation},
    problem::Problem,
    shape::utc_text,
};

pub const OPERATIONS: &[&Operation] = &[&begin::BEGIN, &list::LIST, &list::CANCEL, &complete::COMPLETE];

/// Somebody says that the PIN is lost.
#[derive(Serialize, ToSchema)]
#[schema(as = Recovery)]
pub struct RecoveryBody {
    object: &'static str,
    id: Uuid,
    /// `waiting`, then `ready`.
    status: &'static str,
    /// From when on another PIN can be chosen.
    #[schema(format = "date-time")]
    ready_at: String,
    /// Until when.
    #[schema(format = "date-time")]
    expires_at: String,
    #[schema(format = "date-time")]
    created_at: String,
}

impl RecoveryBody {
    fn of(recovery: &Recovery, now: Timestamp) -> Self {
        Self {
            object: "recovery",
            id: recovery.id.uuid(),
            status: if now < recovery.ready_at { "waiting" } else { "ready" },
            ready_at: utc_text(recovery.ready_at),
            expires_at: utc_text(recovery.lapses_at),
            created_at: utc_text(recovery.begun_at),
        }
    }
}

impl Exemplary for RecoveryBody {
    fn example() -> Value {
        json!({
            "object": "recovery",
            "id": "019ab2c4-5f00-7000-8000-000000005ec0",
            "status": "waiting",
            "ready_at": "2026-11-29T12:00:00Z",
            "expires_at": "2026-12-06T12:00:00Z",
            "created_at": "2026-11-28T12:00:00Z",
        })
    }
}

/// What is waited for is said with until when.
pub(crate) fn refused(refusal: client::Refusal) -> Problem {
    let until = match &refusal {
        client::Refusal::RecoveryWaits { ready_at } | client::Refusal::NumberChangeWaits { ready_at } => *ready_at,
        client::Refusal::CoolingOff { until } => *until,
        _ => return refusal.into(),
    };
    Problem::from(refusal).with("until", utc_text(until)).member("ready_at", utc_text(until))
}
