//! Whether somebody says that one's PIN is lost, and the end of it.

use axum::http::{Method, StatusCode};
use domain::{
    aggregate::Loaded,
    client::{self, Client, Stopped},
    ids::{ClientId, RecoveryId},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::RecoveryBody;
use crate::{
    http::{
        call::Call,
        command::Tries,
        halt::Halt,
        limits,
        operation::{Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    session::{OWN, own},
};

pub const LIST: Operation = Operation {
    id: "recovery.list",
    path: "/v1/recoveries",
    summary: "Whether somebody says that your PIN is lost",
    about: "One or none. An app asks when it is opened, and says it aloud.",
    authz: OWN,
    limit: limits::Purpose::Call,
    success: Success { shape: Some(Shape::of::<RecoveriesBody>()), about: "What waits.", ..Operation::READ.success },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

pub const CANCEL: Operation = Operation {
    id: "recovery.cancel",
    method: Method::DELETE,
    path: "/v1/recoveries/{id}",
    summary: "Stop it: it was not you",
    about: "Your PIN and your devices stay as they are. Whoever asked can ask again, and you are told again.",
    authz: OWN,
    limit: limits::Purpose::Call,
    idempotent: false,
    if_match: IfMatch::Ignored,
    success: Success { status: 204, about: "It was stopped.", ..Operation::READ.success },
    run: |call| Box::pin(cancel(call)),
    ..Operation::WRITE
};

/// What waits.
#[derive(Serialize, ToSchema)]
#[schema(as = Recoveries)]
pub struct RecoveriesBody {
    object: &'static str,
    data: Vec<RecoveryBody>,
}

impl Exemplary for RecoveriesBody {
    fn example() -> Value {
        json!({ "object": "list", "data": [RecoveryBody::example()] })
    }
}

async fn list(call: Call) -> Result<Reply, Halt> {
    let own = own(&call)?;
    let known: Loaded<Client> = call.app.store.load(ClientId::new(own.subject.uuid())).await?;
    let now = call.now();
    let data = known.state.recovery_now(now).map(|recovery| RecoveryBody::of(recovery, now));
    Ok(Reply::json(StatusCode::OK, &RecoveriesBody { object: "list", data: data.into_iter().collect() })?)
}

async fn cancel(call: Call) -> Result<Reply, Halt> {
    let (own, id) = (own(&call)?, RecoveryId::new(call.uuid("id")?));
    let mut tries = Tries::default();
    loop {
        let known: Loaded<Client> = call.app.store.load(ClientId::new(own.subject.uuid())).await?;
        // One that is over is as one of somebody else.
        let decision = client::cancel_recovery(&known, id, Stopped::Asked, call.actor(), call.now())
            .map_err(|_| Problem::new("object.not_found"))?;
        if let Some(written) = call.write(decision, None).await? {
            return Ok(Reply::empty(StatusCode::NO_CONTENT).position(written.position));
        }
        tries.again()?;
    }
}
