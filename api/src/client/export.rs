//! Everything that is known of a person, for them to take away: access and portability (loi 2008-12; docs/privacy.md).

use std::time::Duration;

use axum::http::{StatusCode, header};
use domain::{
    actor::Role,
    aggregate::Loaded,
    client::{Client, Language},
    ids::ClientId,
    key::Scope,
};
use projections::{
    WaitError,
    reservation::{Filter, Sort, Whose},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{PersonBody, balance, fine::FineBody};
use crate::{
    device::{self, DeviceBody},
    event::EventBody,
    http::{
        admission::Class,
        call::Call,
        halt::Halt,
        limits::Purpose,
        operation::{Authz, Exemplary, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    reservation::{ReservationBody, not_found_if_other},
    session::{self, SessionBody},
    shape::utc_text,
};

pub const EXPORT: Operation = Operation {
    id: "client.export",
    path: "/v1/clients/{id}/export",
    summary: "Everything that is known of you",
    about: "As one document: number, name and language, devices and sessions, credit, fines and what was said about them, every \
            reservation with its payments and refunds, and every event about you. Nobody else gets it.",
    authz: Authz::Keys { scope: Scope::ReservationsRead, roles: &[(Role::Client, Over::Own)] },
    limit: Purpose::Export,
    class: Class::Export,
    success: Success { shape: Some(Shape::of::<ExportBody>()), about: "All of it.", ..Operation::READ.success },
    refusals: &["projection_behind"],
    run: |call| Box::pin(export(call)),
    ..Operation::READ
};

/// Everything that is known of somebody.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientExport)]
pub struct ExportBody {
    object: &'static str,
    #[schema(format = "date-time")]
    made_at: String,
    /// What came later is not in it.
    as_of_position: i64,
    client: PersonBody,
    /// What their messages are written in.
    #[schema(value_type = String, example = "fr")]
    language: Language,
    /// They have shown that the number is theirs.
    number_verified: bool,
    /// They have chosen one. It is kept as a hash that nobody can read.
    has_pin: bool,
    devices: Vec<DeviceBody>,
    sessions: Vec<SessionBody>,
    balance: balance::BalanceBody,
    /// All there ever were.
    fines: Vec<FineBody>,
    /// With payments and refunds, the first one first.
    reservations: Vec<ReservationBody>,
    /// The first one first.
    events: Vec<EventBody>,
}

impl Exemplary for ExportBody {
    fn example() -> Value {
        let one_of = |list: Value| list["data"].clone();
        json!({
            "object": "client_export", "made_at": "2026-11-28T12:00:00Z", "as_of_position": 4711,
            "client": { "id": "019ab2c4-5f00-7000-8000-0000000000c9", "name": "Awa Ndiaye", "phone": "+221771234567" },
            "language": "fr", "number_verified": true, "has_pin": true,
            "devices": one_of(device::DevicesBody::example()),
            "sessions": one_of(session::SessionsBody::example()),
            "balance": balance::BalanceBody::example(),
            "fines": [FineBody::example()],
            "reservations": [ReservationBody::example()],
            "events": [EventBody::example()],
        })
    }
}

/// How long the views are waited for, so that what was done a moment ago is in it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Read at once.
const A_PAGE: u32 = 100;

async fn export(call: Call) -> Result<Reply, Halt> {
    let id = ClientId::new(call.uuid("id")?);
    if call.caller.principal() != Some(id.uuid()) {
        return Err(Problem::new("object.not_found").into());
    }
    let head = call.app.store.head().await?;
    let client: Loaded<Client> = call.app.store.load(id).await.map_err(not_found_if_other)?;
    if client.version == 0 {
        return Err(Problem::new("object.not_found").into());
    }
    let mut fines = Vec::with_capacity(client.state.fines.len());
    for reservation in client.state.fines.keys() {
        fines.push(super::fine::body(&call, &client, *reservation).await?);
    }
    let body = ExportBody {
        object: "client_export",
        made_at: utc_text(call.now()),
        as_of_position: head,
        client: super::opened(&call, &client).await?,
        language: client.state.language,
        number_verified: client.state.number_verified,
        has_pin: client.state.pin.is_some(),
        devices: device::of(&call, &client, call.caller.session().and_then(|own| own.device)).await?,
        sessions: session::of(&call, id.uuid()).await?,
        balance: balance::of(&client)?,
        fines,
        reservations: reservations(&call, id, head).await?,
        events: events(&call, id).await?,
    };
    let file = format!("attachment; filename=\"kalel-{id}.json\"");
    let reply = Reply::json(StatusCode::OK, &body)?.position(head);
    Ok(reply.header(header::CONTENT_DISPOSITION, file).header(header::CACHE_CONTROL, "no-store"))
}

async fn reservations(call: &Call, id: ClientId, head: i64) -> Result<Vec<ReservationBody>, Halt> {
    match call.app.watch.wait_for(&[&projections::reservation::PROJECTOR], head, PATIENCE).await {
        Ok(()) => {}
        Err(WaitError::Behind { reached, .. }) => {
            return Err(Problem::new("projection_behind").member("reached", reached).retry_after(1).into());
        }
        Err(WaitError::BeyondHead { .. }) => return Err(Problem::new("server.error").into()),
        Err(WaitError::Log(error)) => return Err(error.into()),
    }
    let filter = Filter { sort: Sort::OldestFirst, ..Filter::of(Whose::Client(id)) };
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = projections::reservation::list(call.app.store.pool(), &filter, cursor.as_deref(), A_PAGE).await?;
        all.extend(page.items.iter().map(|row| ReservationBody::viewed(&call.app, row)));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

async fn events(call: &Call, id: ClientId) -> Result<Vec<EventBody>, Halt> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = call.app.store.read_stream(id.uuid(), after, i64::from(A_PAGE)).await.map_err(Problem::from)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.version;
        for event in &page {
            all.push(EventBody::of(event)?);
        }
    }
}
