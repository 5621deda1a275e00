//! PayDunya's refusals: `{response_code, response_text}`, usually inside HTTP 200.

use axum::{
    Json,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};

/// Keys that do not fit, and in the disbursement API a withdraw mode that does not exist.
pub(crate) const KEYS_OR_MODE: &str = "1001";
/// The account holds too little, or the callback address does not answer.
pub(crate) const LOW_BALANCE: &str = "4002";
/// Their own trouble; also a `disburse_id` that was used before.
pub(crate) const TROUBLE: &str = "5000";
/// The fake's own code for fields that are missing or wrong: none is documented.
pub(crate) const INVALID: &str = "4000";
/// The fake's own code for a token that does not exist: none is documented.
pub(crate) const UNKNOWN: &str = "4004";

/// One answer that is not a success.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    pub http: StatusCode,
    pub code: String,
    pub text: String,
}

pub(crate) type Answer<T> = Result<T, Error>;

impl Error {
    /// Inside a 200, as most of them come.
    pub(crate) fn new(code: &str, text: impl Into<String>) -> Self {
        Self { http: StatusCode::OK, code: code.to_owned(), text: text.into() }
    }

    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::new(INVALID, text)
    }

    pub(crate) fn unknown(text: impl Into<String>) -> Self {
        Self::new(UNKNOWN, text)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        (self.http, Json(json!({ "response_code": self.code, "response_text": self.text }))).into_response()
    }
}

/// What does not exist there is answered with a page.
pub(crate) async fn not_found() -> Response {
    let page = "<!doctype html><html lang=fr><title>404</title><h1>Page introuvable</h1></html>";
    (StatusCode::NOT_FOUND, Html(page)).into_response()
}

/// The body that goes with an injected status.
pub(crate) fn for_status(status: u16) -> Value {
    json!({ "response_code": status.to_string(), "response_text": "asked for by /__control" })
}
