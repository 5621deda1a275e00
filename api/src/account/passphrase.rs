//! Another passphrase.

use axum::http::{Method, StatusCode};
use domain::{account, ids::SecretId, sign_in::Passphrase};
use eventstore::auth::{
    secret,
    session::{self, Which, Why},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::STAFF;
use crate::{
    http::{
        call::Call,
        form,
        halt::Halt,
        operation::{Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    session::{WRONG, own, prove_staff},
};

pub const CHANGE: Operation = Operation {
    id: "account.change_passphrase",
    method: Method::PUT,
    path: "/v1/accounts/me/passphrase",
    summary: "Choose another passphrase",
    about: "With the one before and a code of your app. All your other sessions have ended with it.",
    authz: STAFF,
    idempotent: false,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<ChangePassphrase>()),
    success: Success { status: 204, about: "It counts from now on.", ..Operation::READ.success },
    refusals: &["passphrase.wrong", "session.locked", "passphrase.too_weak"],
    run: |call| Box::pin(change(call)),
    ..Operation::WRITE
};

/// The passphrase, and the one that takes its place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassphrase {
    #[schema(max_length = 200)]
    passphrase: String,
    #[schema(min_length = 12, max_length = 200)]
    new_passphrase: String,
    #[schema(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$")]
    #[serde(deserialize_with = "form::six_digits")]
    totp: String,
}

impl Exemplary for ChangePassphrase {
    fn example() -> Value {
        json!({ "passphrase": "cheval pile agrafe correcte", "new_passphrase": "quatre mots bien secrets", "totp": "042917" })
    }
}

async fn change(call: Call) -> Result<Reply, Halt> {
    let own = own(&call)?;
    let body: ChangePassphrase = call.body()?;
    let chosen = Passphrase::new(&body.new_passphrase)
        .map_err(|weak| Problem::new("passphrase.too_weak").at("/new_passphrase", weak.to_string()))?;
    let account = call.caller.account().ok_or_else(|| Problem::new("session.required"))?;
    prove_staff(&call, account, &body.passphrase, &body.totp, WRONG).await?;
    let store = &call.app.store;
    let id = SecretId::new(call.new_id());
    secret::keep(store, own.subject.uuid(), id, chosen.expose()).await.map_err(Problem::from)?;
    let decision = account::set_passphrase(account, id, call.actor(), call.now())?;
    let Some(written) = call.write(decision, None).await? else {
        return Err(Problem::new("version.conflict").retry_after(1).into());
    };
    let ended = session::end_all(store, own.subject, Which::AllBut(own.id), Why::Changed).await;
    ended.map_err(eventstore::ReadError::from)?;
    Ok(Reply::empty(StatusCode::NO_CONTENT).position(written.position))
}
