//! A client asks to be forgotten.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    client::{self, Client},
    ids::ClientId,
    key::Scope,
};
use projections::reservation::{AHEAD, Filter, Whose};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::seen::up_to_date;
use crate::{
    http::{
        call::Call,
        command::Tries,
        halt::Halt,
        operation::{Authz, Exemplary, Kind, Operation, Over, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    reservation::not_found_if_other,
    shape::utc_text,
};

pub const ERASE: Operation = Operation {
    id: "client.erase",
    path: "/v1/clients/{id}/erasure",
    summary: "Forget a person",
    about: "For good: the key that their name and number are encrypted under is destroyed in the transaction that records \
            it, so nobody can read them any more, in the log, in the views, in copies and backups of both. Reservations and \
            money stay, under an id that leads to nobody. Not while a reservation of theirs is held or ahead, and \
            not while something of theirs is held as credit, unless they give it up; nor while they owe a fine. Again is \
            harmless.",
    authz: Authz::Keys { scope: Scope::ReservationsWrite, roles: &[(Role::Client, Over::Own)] },
    idempotent: false,
    success: Success { shape: Some(Shape::of::<ErasureBody>()), about: "The certificate.", ..Operation::READ.success },
    query: &[Param::new(
        "forfeit_credit",
        Kind::Flag,
        "Give up what is held of you as credit: nobody can be paid it afterwards.",
        "true",
    )],
    refusals: &["client.still_expected", "client.in_debt", "client.has_credit"],
    run: |call| Box::pin(erase(call)),
    ..Operation::WRITE
};

/// The certificate of an erasure.
#[derive(Serialize, ToSchema)]
#[schema(as = Erasure)]
pub struct ErasureBody {
    object: &'static str,
    client_id: Uuid,
    erased_at: String,
}

impl Exemplary for ErasureBody {
    fn example() -> Value {
        json!({
            "object": "erasure", "client_id": "019ab2c4-5f00-7000-8000-0000000000c9", "erased_at": "2026-11-28T12:00:00Z",
        })
    }
}

async fn erase(call: Call) -> Result<Reply, Halt> {
    let id = ClientId::new(call.uuid("id")?);
    if call.caller.principal() != Some(id.uuid()) {
        return Err(Problem::new("object.not_found").into());
    }
    let forfeits = call.query.flag("forfeit_credit");
    let mut tries = Tries::default();
    loop {
        let known: Loaded<Client> = call.app.store.load(id).await.map_err(not_found_if_other)?;
        if known.version == 0 {
            return Err(Problem::new("object.not_found").into());
        }
        call.precondition.check(known.version)?;
        let ahead = if known.state.erased_at.is_some() { 0 } else { ahead(&call, id).await? };
        let decision = client::erase(&known, ahead, forfeits, call.actor(), call.now())?;
        let written = call.write(decision.clone(), None).await?;
        let Some(written) = written else {
            tries.again()?;
            continue;
        };
        call.app.store.subjects().forget(id.uuid());
        let now = crate::http::command::after(known, &decision);
        let at = now.state.erased_at.ok_or_else(|| Problem::new("server.error"))?;
        let body = ErasureBody { object: "erasure", client_id: id.uuid(), erased_at: utc_text(at) };
        return Ok(Reply::json(StatusCode::OK, &body)?.position(written.position));
    }
}

/// Reservations of theirs that are not over, as the views show it: advice that keeps people from losing their slot, not
/// a rule that money depends on.
async fn ahead(call: &Call, id: ClientId) -> Result<u32, Problem> {
    up_to_date(call).await?;
    let filter = Filter { status: AHEAD.to_vec(), ..Filter::of(Whose::Client(id)) };
    let page = projections::reservation::list(call.app.store.pool(), &filter, None, 100).await;
    let page = page.map_err(|error| {
        tracing::error!(%error, "the reservations of a client cannot be listed");
        Problem::new("server.error")
    })?;
    Ok(u32::try_from(page.items.len()).unwrap_or(u32::MAX))
}
