//! `POST /__control` and `GET /__messages` of the mail fake.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{Email, Message};
use crate::{control, server::lock};

/// Where in the conversation something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Connect,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After the whole message.
    End,
}

/// What happens there instead.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    pub at: Step,
    /// An SMTP code with its text; without one the connection is dropped.
    pub reply: Option<String>,
    /// With a drop at `end`: the message has been taken first.
    #[serde(default)]
    pub after_effect: bool,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Instruction {
    Fail { script: Script, times: Option<usize> },
    Advance { seconds: i64 },
    Reset,
}

pub(crate) async fn act(State(email): State<Arc<Email>>, body: Bytes) -> Response {
    let instructions = match control::read::<Instruction>(&body) {
        Ok(instructions) => instructions,
        Err(answer) => return answer,
    };
    for instruction in instructions {
        match instruction {
            Instruction::Fail { script, times } => {
                lock(&email.scripts).extend(std::iter::repeat_n(script, times.unwrap_or(1)));
            }
            Instruction::Advance { seconds } => email.clock.advance(seconds),
            Instruction::Reset => {
                lock(&email.scripts).clear();
                lock(&email.messages).clear();
                email.clock.reset();
            }
        }
    }
    Json(json!({ "results": "done" })).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    to: Option<String>,
}

/// Mails taken, newest first; `?to=` for one address.
pub(crate) async fn messages(State(email): State<Arc<Email>>, Query(wanted): Query<Wanted>) -> Json<Vec<Message>> {
    let messages = lock(&email.messages);
    let wanted = |message: &&Message| wanted.to.as_ref().is_none_or(|to| message.to.contains(to));
    Json(messages.iter().rev().filter(wanted).cloned().collect())
}
