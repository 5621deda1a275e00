//! A new pair of tokens for the last one.

use axum::http::StatusCode;
use eventstore::auth::session::{self, Refreshed};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::OpenedBody;
use crate::{
    http::{
        call::Call,
        form,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const REFRESH: Operation = Operation {
    id: "session.refresh",
    path: "/v1/sessions/refresh",
    summary: "Stay signed in",
    about: "A refresh token is used once, and the access token before ends with it. One that comes a second time was copied: the \
            session ends for everybody. When the answer to this call is lost, sign in again.",
    authz: Authz::Anyone,
    idempotent: false,
    body: Some(Shape::of::<RefreshSession>()),
    success: Success { shape: Some(Shape::of::<OpenedBody>()), about: "A new pair.", ..Operation::READ.success },
    refusals: &["session.ended", "session.token_reused"],
    run: |call| Box::pin(refresh(call)),
    ..Operation::WRITE
};

/// The token that was given last.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshSession {
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    #[serde(deserialize_with = "form::token")]
    refresh_token: String,
}

impl Exemplary for RefreshSession {
    fn example() -> Value {
        json!({ "refresh_token": "kr_test_QzZ1bVqHn0YJr9kR2c0dX5mS8wTfLxP4uEaGhBiNoKs" })
    }
}

async fn refresh(call: Call) -> Result<Reply, Halt> {
    let body: RefreshSession = call.body()?;
    let refreshed = session::refresh(&call.app.store, &body.refresh_token).await;
    match refreshed.map_err(eventstore::ReadError::from)? {
        Refreshed::Again(opened) => Ok(OpenedBody::reply(*opened, StatusCode::OK)?),
        Refreshed::Reused(session) => {
            metrics::counter!("kalel_tokens_reused_total").increment(1);
            tracing::warn!(session = %session.id, "a refresh token came a second time: the session has ended");
            Err(Problem::new("session.token_reused").into())
        }
        Refreshed::Unknown => Err(Problem::new("session.ended").into()),
    }
}
