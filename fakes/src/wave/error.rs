//! Wave's error bodies: `{code, message, details?}`.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// One answer that is not a success.
#[derive(Debug)]
pub(crate) struct Error {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub details: Vec<Value>,
}

pub(crate) type Answer<T> = Result<T, Error>;

impl Error {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new() }
    }

    pub(crate) fn validation(details: Vec<Value>) -> Self {
        let message = "Request invalid".to_owned();
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, code: "request-validation-error", message, details }
    }

    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", message)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let (false, Some(body)) = (self.details.is_empty(), body.as_object_mut()) {
            body.insert("details".into(), Value::Array(self.details));
        }
        (self.status, Json(body)).into_response()
    }
}

pub(crate) async fn not_found() -> Error {
    Error::not_found("No such resource")
}

pub(crate) async fn method_not_allowed() -> Error {
    Error::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
}

/// The body that goes with an injected status.
pub(crate) fn for_status(status: u16) -> Value {
    let code = match status {
        429 => "too-many-requests",
        503 => "service-unavailable",
        _ => "internal-server-error",
    };
    json!({ "code": code, "message": "asked for by /__control" })
}
