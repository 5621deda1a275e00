//! `POST /__control` and `GET /__messages` of the SMS fake.

use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, Message};
use crate::{control, faults::Fault, server::lock};

/// How the next message ends; `to` limits it to one number.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Outcome {
    /// 201 with this status code on the recipient's line.
    Status { code: u16, to: Option<String> },
    /// 201 with no recipient at all.
    Empty { message: String, to: Option<String> },
}

impl Outcome {
    pub(crate) fn is_for(&self, number: &str) -> bool {
        let (Self::Status { to, .. } | Self::Empty { to, .. }) = self;
        to.as_deref().is_none_or(|to| to == number)
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Instruction {
    Fail(Fault),
    Outcome {
        outcome: Outcome,
        times: Option<usize>,
    },
    /// Sends a delivery report now.
    Report {
        id: String,
        status: String,
        reason: Option<String>,
    },
    /// Sends this report by itself after each accepted message; null: none.
    AutoReport {
        status: Option<String>,
    },
    Advance {
        seconds: i64,
    },
    Reset,
}

pub(crate) async fn act(State(sms): App, body: Bytes) -> Response {
    let instructions = match control::read::<Instruction>(&body) {
        Ok(instructions) => instructions,
        Err(answer) => return answer,
    };
    let mut results = Vec::new();
    for instruction in instructions {
        let mut result = json!("done");
        match instruction {
            Instruction::Fail(fault) => sms.faults.add(fault),
            Instruction::Outcome { outcome, times } => {
                lock(&sms.outcomes).extend(std::iter::repeat_n(outcome, times.unwrap_or(1)));
            }
            Instruction::Report { id, status, reason } => {
                result = json!({ "status": sms.report(&id, &status, reason.as_deref()).await });
            }
            Instruction::AutoReport { status } => *lock(&sms.auto_report) = status,
            Instruction::Advance { seconds } => sms.clock.advance(seconds),
            Instruction::Reset => {
                sms.faults.reset();
                sms.clock.reset();
                lock(&sms.messages).clear();
                lock(&sms.outcomes).clear();
                *lock(&sms.auto_report) = sms.config.delivery_url.as_ref().map(|_| "Success".to_owned());
            }
        }
        results.push(result);
    }
    axum::response::IntoResponse::into_response(Json(json!({ "results": results })))
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    to: Option<String>,
}

/// Accepted messages, newest first; `?to=` for one number.
pub(crate) async fn messages(State(sms): App, Query(wanted): Query<Wanted>) -> Json<Vec<Message>> {
    let messages = lock(&sms.messages);
    let newest_first = messages.iter().rev();
    Json(newest_first.filter(|message| wanted.to.as_ref().is_none_or(|to| *to == message.to)).cloned().collect())
}

pub(crate) async fn calls(State(sms): App) -> Json<Value> {
    Json(json!({ "calls": sms.faults.calls() }))
}
