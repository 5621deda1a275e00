//! What all fakes answer at `POST /__control`: one instruction or a list of them, done in order.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Value>),
    One(Value),
}

/// Reads the instructions of a control call.
///
/// # Errors
/// A 400 that says which instruction cannot be read, and why; nothing has been done then.
#[expect(clippy::result_large_err, reason = "the error is the answer")]
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, Response> {
    let values = match serde_json::from_slice(body) {
        Ok(OneOrMany::Many(values)) => values,
        Ok(OneOrMany::One(value)) => vec![value],
        Err(error) => return Err(refused(&format!("not JSON: {error}"))),
    };
    let read = |value: Value| {
        let shown = value.to_string();
        serde_json::from_value(value).map_err(|error| refused(&format!("{shown}: {error}")))
    };
    values.into_iter().map(read).collect()
}

pub(crate) fn refused(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response()
}
