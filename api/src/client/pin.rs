//! Another PIN.

use axum::http::{Method, StatusCode};
use domain::{
    aggregate::Loaded,
    client::{self, Client},
    ids::{ClientId, SecretId},
    sign_in::Pin,
};
use eventstore::auth::{
    secret,
    session::{self, Which, Why},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    http::{
        call::Call,
        command::Tries,
        form,
        halt::Halt,
        operation::{Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    session::{OWN, compare, own},
};

pub const CHANGE_PIN: Operation = Operation {
    id: "client.change_pin",
    method: Method::PUT,
    path: "/v1/clients/{id}/pin",
    summary: "Choose another PIN",
    about: "With the one before. All your other sessions have ended with it.",
    authz: OWN,
    idempotent: false,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<ChangePin>()),
    success: Success { status: 204, about: "It counts from now on.", ..Operation::READ.success },
    refusals: &["pin.wrong", "pin.locked", "pin.too_simple", "pin.required"],
    run: |call| Box::pin(change(call)),
    ..Operation::WRITE
};

/// The PIN, and the one that takes its place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePin {
    #[schema(min_length = 4, max_length = 6, pattern = "^[0-9]{4,6}$")]
    #[serde(deserialize_with = "form::pin")]
    pin: String,
    #[schema(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$")]
    #[serde(deserialize_with = "form::six_digits")]
    new_pin: String,
}

impl Exemplary for ChangePin {
    fn example() -> Value {
        json!({ "pin": "739164", "new_pin": "804957" })
    }
}

async fn change(call: Call) -> Result<Reply, Halt> {
    let (own, id) = (own(&call)?, ClientId::new(call.uuid("id")?));
    if own.subject.uuid() != id.uuid() {
        return Err(Problem::new("object.not_found").into());
    }
    let body: ChangePin = call.body()?;
    let chosen =
        Pin::new(&body.new_pin).map_err(|simple| Problem::new("pin.too_simple").at("/new_pin", simple.to_string()))?;
    let store = &call.app.store;
    let known: Loaded<Client> = store.load(id).await?;
    let Some(before) = known.state.pin else { return Err(Problem::new("pin.required").into()) };
    compare(&call, before, &body.pin, false).await?;
    let secret = SecretId::new(call.new_id());
    secret::keep(store, id.uuid(), secret, chosen.expose()).await.map_err(Problem::from)?;
    let mut tries = Tries::default();
    loop {
        let client: Loaded<Client> = store.load(id).await?;
        // Somebody else changed it meanwhile: what was compared counts no longer.
        if client.state.pin != Some(before) {
            return Err(Problem::new("version.conflict").retry_after(1).into());
        }
        let decision = client::set_pin(&client, secret, call.actor(), call.now())?;
        if let Some(written) = call.write(decision, None).await? {
            let ended = session::end_all(store, own.subject, Which::AllBut(own.id), Why::Changed).await;
            ended.map_err(eventstore::ReadError::from)?;
            return Ok(Reply::empty(StatusCode::NO_CONTENT).position(written.position));
        }
        tries.again()?;
    }
}
