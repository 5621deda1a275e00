//! The fine of whoever did not come: read, appealed, decided. It is paid like anything else of the reservation.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    client::{self, Client, Fine, Standing, Verdict},
    ids::{ClientId, ReservationId},
    key::Scope,
    sealed::field,
    text::Note,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::{
        call::Call,
        command::{Tries, after},
        etag,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    reservation,
    shape::{Money, utc_text},
};

pub const SHOW: Operation = Operation {
    id: "fine.show",
    path: "/v1/reservations/{id}/fine",
    summary: "The fine of a reservation",
    about: "Of whoever did not come, where the terms of their reservation ask one. `owed` or `upheld` keeps them from \
            booking online; `appealed` does not. It is paid with `POST /v1/reservations/{id}/payments` and the purpose `debt`.",
    authz: reservation::READS,
    success: Success { shape: Some(Shape::of::<FineBody>()), about: "The fine.", ..Operation::READ.success },
    refusals: &["fine.not_found"],
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

pub const APPEAL: Operation = Operation {
    id: "fine.appeal",
    path: "/v1/reservations/{id}/fine/appeal",
    summary: "Appeal a fine",
    about: "Once, until `appeal_until`. The manager of the site decides; whoever appeals may book until then, and is \
            believed when nobody has decided by `decide_by`. What they say is for the site and for nobody else.",
    authz: Authz::Keys {
        scope: Scope::ReservationsWrite,
        roles: &[(Role::Client, Over::Own), (Role::Service, Over::MadeOrSites)],
    },
    body: Some(Shape::of::<Appeal>()),
    success: Success { shape: Some(Shape::of::<FineBody>()), about: "The fine.", ..Operation::READ.success },
    refusals: &["fine.not_found", "fine.over", "fine.already_appealed", "fine.appeal_too_late", "client.erased"],
    run: |call| Box::pin(appeal(call)),
    ..Operation::WRITE
};

pub const DECIDE: Operation = Operation {
    id: "fine.decide",
    path: "/v1/reservations/{id}/fine/decision",
    summary: "Decide about a fine",
    about: "The manager of the site upholds a fine that was appealed, or waives one that is still open, appealed or \
            not. What is waived stays waived, and money that comes for it all the same goes back.",
    authz: Authz::Keys { scope: Scope::ReservationsWrite, roles: &[(Role::Manager, Over::Sites)] },
    body: Some(Shape::of::<FineDecision>()),
    success: Success { shape: Some(Shape::of::<FineBody>()), about: "The fine.", ..Operation::READ.success },
    refusals: &["fine.not_found", "fine.over", "fine.not_appealed"],
    run: |call| Box::pin(decide(call)),
    ..Operation::WRITE
};

/// Why it should not be paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Appeal {
    #[schema(value_type = String, max_length = 500)]
    statement: Note,
}

impl Exemplary for Appeal {
    fn example() -> Value {
        json!({ "statement": "La route était inondée, nous avons appelé à 18 h." })
    }
}

/// What the site says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FineDecision {
    /// `uphold` or `waive`.
    #[schema(value_type = String, example = "waive")]
    verdict: Verdict,
    /// For the client; no names: it is kept in the clear.
    #[schema(value_type = String, max_length = 500)]
    note: Note,
}

impl Exemplary for FineDecision {
    fn example() -> Value {
        json!({ "verdict": "waive", "note": "La route était coupée." })
    }
}

/// A fine as it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Fine)]
pub struct FineBody {
    object: &'static str,
    /// A reservation is fined once.
    reservation_id: Uuid,
    client_id: Uuid,
    site_id: Uuid,
    amount: Money,
    /// `owed`, `appealed`, `upheld`, `waived` or `settled`.
    status: &'static str,
    fined_at: String,
    appeal_until: String,
    /// While it is appealed: waived when nobody has decided by then.
    decide_by: Option<String>,
    /// What the client said; to whoever runs the site, and to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<String>,
    /// What the site said.
    note: Option<String>,
}

impl FineBody {
    /// Of a fine, without what was said.
    pub(super) fn of(client: ClientId, reservation: ReservationId, fine: &Fine) -> Self {
        let decide_by = match fine.standing {
            Standing::Appealed { decide_by } => Some(utc_text(decide_by)),
            _ => None,
        };
        Self {
            object: "fine",
            reservation_id: reservation.uuid(),
            client_id: client.uuid(),
            site_id: fine.site_id.uuid(),
            amount: fine.amount.into(),
            status: fine.standing.as_str(),
            fined_at: utc_text(fine.fined_at),
            appeal_until: utc_text(fine.appeal_until),
            decide_by,
            statement: None,
            note: None,
        }
    }
}

impl Exemplary for FineBody {
    fn example() -> Value {
        json!({
            "object": "fine", "reservation_id": "019ab2c4-5f00-7000-8000-000000000003",
            "client_id": "019ab2c4-5f00-7000-8000-0000000000c9", "site_id": "019ab2c4-5f00-7000-8000-000000000001",
            "amount": { "amount": 5000, "currency": "XOF" }, "status": "appealed", "fined_at": "2026-11-28T19:15:00Z",
            "appeal_until": "2026-11-30T19:15:00Z", "decide_by": "2026-12-05T20:00:00Z",
            "statement": "La route était inondée.", "note": null,
        })
    }
}

/// The reservation of the path, if the caller may touch it, and whoever is fined for it.
async fn fined(call: &Call) -> Result<(ReservationId, Loaded<Client>), Halt> {
    let reservation = call.own_reservation().await?;
    let client = reservation.state.terms.as_ref().and_then(|terms| terms.client_id);
    let client = call.app.store.load::<Client>(client.ok_or_else(|| Problem::new("fine.not_found"))?).await?;
    Ok((reservation.id, client))
}

async fn show(call: Call) -> Result<Reply, Halt> {
    let (id, client) = fined(&call).await?;
    let position = call.app.store.head().await?;
    let reply = Reply::json(StatusCode::OK, &body(&call, &client, id).await?)?;
    let tag = etag::of(client.version, &[&reply.body]);
    Ok(reply.etag(tag).position(position))
}

async fn appeal(call: Call) -> Result<Reply, Halt> {
    let body: Appeal = call.body()?;
    change(&call, Wish::Appeal(body.statement)).await
}

async fn decide(call: Call) -> Result<Reply, Halt> {
    let body: FineDecision = call.body()?;
    change(&call, Wish::Decide(body)).await
}

/// What is to happen to a fine.
enum Wish {
    Appeal(Note),
    Decide(FineDecision),
}

async fn change(call: &Call, wish: Wish) -> Result<Reply, Halt> {
    let subjects = call.app.store.subjects();
    let mut tries = Tries::default();
    loop {
        let (id, client) = fined(call).await?;
        if let Some(record) = &call.resumed {
            let then = call.load_at(client.id, record.last).await?;
            return answer(call, &then, id, record.last).await;
        }
        let (by, now) = (call.actor(), call.now());
        let decision = match &wish {
            Wish::Appeal(statement) => {
                let statement = subjects.seal(client.id.uuid(), field::STATEMENT, statement.as_str()).await?;
                client::appeal(&client, id, statement, by, now)?
            }
            Wish::Decide(said) => client::decide(&client, id, said.verdict, said.note.clone(), by, now)?,
        };
        let site = client.state.fines.get(&id).map(|fine| fine.site_id);
        if let Some(written) = call.write(decision.clone(), site).await? {
            return answer(call, &after(client, &decision), id, written.position).await;
        }
        tries.again()?;
    }
}

async fn answer(call: &Call, client: &Loaded<Client>, id: ReservationId, position: i64) -> Result<Reply, Halt> {
    Ok(Reply::json(StatusCode::OK, &body(call, client, id).await?)?.position(position))
}

/// A fine with what was said about it, as far as the caller may know that.
pub(super) async fn body(call: &Call, client: &Loaded<Client>, id: ReservationId) -> Result<FineBody, Problem> {
    let fine = client.state.fines.get(&id).ok_or_else(|| Problem::new("fine.not_found"))?;
    let mut body = FineBody::of(client.id, id, fine);
    body.note = client.state.answers.get(&id).map(|note| note.as_str().to_owned());
    let may_know = matches!(call.caller.role(), Some(Role::Client | Role::Manager | Role::Service));
    if let (true, Some(statement)) = (may_know, client.state.appeals.get(&id)) {
        body.statement = call.app.store.subjects().open(client.id.uuid(), field::STATEMENT, statement).await?;
    }
    Ok(body)
}
