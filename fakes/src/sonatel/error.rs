//! Sonatel's error bodies: `application/problem+json` with numbers as strings; and those of its OAuth server.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// One answer that is not a success.
#[derive(Debug)]
pub(crate) struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub detail: String,
}

pub(crate) type Answer<T> = Result<T, Problem>;

pub(crate) const CREDENTIALS: &str = "10";
pub(crate) const NOT_FOUND: &str = "60";
pub(crate) const UNKNOWN_CUSTOMER: &str = "2000";
pub(crate) const BAD_MSISDN: &str = "2001";
pub(crate) const BLOCKED: &str = "2013";
pub(crate) const INSUFFICIENT_FUNDS: &str = "2020";
/// The payer's side. What a wrong PIN gives is documented nowhere; a PIN is the payer's, so it is this one here.
pub(crate) const PAYER: &str = "2021";
pub(crate) const PAYEE: &str = "2022";
pub(crate) const NOT_ALLOWED: &str = "2041";
pub(crate) const KEY_REVOKED: &str = "4003";
pub(crate) const EXPIRED: &str = "4004";
pub(crate) const BAD_REQUEST: &str = "4099";

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    /// A refusal by the business behind the gateway.
    pub(crate) fn refused(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(crate) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, CREDENTIALS, detail)
    }

    pub(crate) fn unknown(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND, detail)
    }

    fn body(&self) -> Value {
        json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "instance": "/",
            "status": self.status.as_u16().to_string(),
            "code": self.code,
            "detail": self.detail,
        })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

/// What the token endpoint refuses with.
pub(crate) fn oauth(code: &str, description: &str) -> Response {
    let body = json!({ "error": code, "error_description": description });
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::unknown(&format!("No resource {}", uri.path()))
}

pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, BAD_REQUEST, "Method not allowed")
}

/// The body that goes with an injected status.
pub(crate) fn for_status(status: u16) -> Value {
    let code = match status {
        400..=499 => BAD_REQUEST,
        502..=504 => "51",
        _ => "50",
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Problem::new(status, code, "asked for by /__control").body()
}
