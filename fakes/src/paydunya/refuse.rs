//! Refusals asked for at `/__control`: any code, in any HTTP status, before anything happens.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    PayDunya,
    error::{Error, TROUBLE},
};
use crate::server::lock;

/// What the next calls are told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refuse {
    /// A call's name such as `disburse.submit`, or its beginning, `disburse`; or `any`.
    #[serde(default = "any")]
    pub call: String,
    #[serde(default = "trouble")]
    pub code: String,
    #[serde(default = "maintenance")]
    pub text: String,
    /// HTTP status around it.
    #[serde(default = "fine")]
    pub http: u16,
    /// 0: until `heal`.
    #[serde(default = "once")]
    pub times: u32,
}

fn any() -> String {
    "any".to_owned()
}

fn trouble() -> String {
    TROUBLE.to_owned()
}

fn maintenance() -> String {
    "Service en maintenance, veuillez réessayer plus tard".to_owned()
}

const fn fine() -> u16 {
    200
}

const fn once() -> u32 {
    1
}

impl Refuse {
    fn is_about(&self, call: &str) -> bool {
        let family = || call.strip_prefix(&self.call).is_some_and(|rest| rest.starts_with('.'));
        self.call == "any" || self.call == call || family()
    }
}

impl PayDunya {
    /// The refusal that was asked for, if one was.
    pub(crate) fn refusal(&self, call: &str) -> Option<Response> {
        let mut refusals = lock(&self.refusals);
        let position = refusals.iter().position(|refuse| refuse.is_about(call))?;
        let refuse = refusals.get_mut(position)?;
        let taken = refuse.clone();
        if refuse.times == 1 {
            refusals.remove(position);
        } else {
            refuse.times = refuse.times.saturating_sub(1);
        }
        let http = StatusCode::from_u16(taken.http).unwrap_or(StatusCode::OK);
        Some(Error { http, ..Error::new(&taken.code, taken.text) }.into_response())
    }
}
