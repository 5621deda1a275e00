//! How PayTech says no: `success` 0 or -1 with a message or a list of errors, and mostly with HTTP 200.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct No {
    status: StatusCode,
    body: Value,
}

pub(crate) type Answer = Result<Json<Value>, No>;

impl No {
    /// `{success, message}`.
    pub(crate) fn message(success: i8, message: &str) -> Self {
        Self { status: StatusCode::OK, body: json!({ "success": success, "message": message }) }
    }

    /// `{success: -1, error: […]}`: what is wrong with a request, all of it at once.
    pub(crate) fn errors(errors: &[String]) -> Self {
        Self { status: StatusCode::OK, body: json!({ "success": -1, "error": errors }) }
    }

    pub(crate) fn with(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

pub(crate) async fn not_found() -> No {
    No::message(-1, "Ressource introuvable").with(StatusCode::NOT_FOUND)
}

pub(crate) async fn method_not_allowed() -> No {
    No::message(-1, "Méthode non autorisée").with(StatusCode::METHOD_NOT_ALLOWED)
}

/// The body that goes with an injected status.
pub(crate) fn for_status(_status: u16) -> Value {
    json!({ "success": -1, "message": "asked for by /__control" })
}
