//! Let them in: by the code they say, or the ticket they show. Once.

use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::{ReservationId, SiteId},
    key::Scope,
    reservation::{CODE, Reservation, check_in as decide},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{ReservationBody, cancel, not_found_if_other, ticket};
use crate::{
    http::{
        admission::Class,
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

const GATE: Authz = Authz::Keys {
    scope: Scope::CheckIn,
    roles: &[
        (Role::Gatekeeper, Over::Sites),
        (Role::Cashier, Over::Sites),
        (Role::Manager, Over::Sites),
        (Role::Service, Over::Sites),
    ],
};

const REFUSALS: &[&str] = &[
    "ticket.invalid",
    "ticket.wrong_code",
    "reservation.not_confirmed",
    "reservation.already_checked_in",
    "reservation.too_early_to_check_in",
    "reservation.too_late_to_check_in",
];

pub const CHECK_IN: Operation = Operation {
    id: "reservation.check_in",
    path: "/v1/reservations/{id}/check-in",
    class: Class::CheckIn,
    summary: "Let them in",
    about: "With the short code or the ticket of this reservation. From 30 minutes before the start to the end, once; the \
            answer says what is still to pay at the gate.",
    authz: GATE,
    body: Some(Shape::of::<CheckIn>()),
    success: Success {
        shape: Some(Shape::of::<ReservationBody>()),
        about: "The reservation, checked in.",
        ..Operation::READ.success
    },
    refusals: REFUSALS,
    run: |call| Box::pin(by_id(call)),
    ..Operation::WRITE
};

pub const CHECK_IN_ANY: Operation = Operation {
    id: "reservation.check_in_at_gate",
    path: "/v1/check-ins",
    class: Class::CheckIn,
    summary: "Let in whoever shows this ticket or says this code",
    about: "For a gate that scans: the ticket says which reservation it is; a code needs its site.",
    body: Some(Shape::of::<AtGate>()),
    run: |call| Box::pin(at_gate(call)),
    ..CHECK_IN
};

/// Either the code or the ticket.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    code: Option<String>,
    /// The text in the QR.
    ticket: Option<String>,
}

impl Exemplary for CheckIn {
    fn example() -> Value {
        json!({ "code": "K7M2QX" })
    }
}

/// A ticket, or a code with its site.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AtGate {
    /// The text in the QR.
    ticket: Option<String>,
    /// Id or slug.
    site_id: Option<String>,
    code: Option<String>,
}

impl Exemplary for AtGate {
    fn example() -> Value {
        json!({ "site_id": "fara-foot", "code": "K7M2QX" })
    }
}

async fn by_id(call: Call) -> Result<Reply, Halt> {
    let body: CheckIn = call.body()?;
    let reservation = call.own_reservation().await?;
    match (&body.code, &body.ticket) {
        (Some(code), None) => {
            let known = reservation.state.terms.as_ref().map(|terms| terms.code.0.as_str());
            if known != Some(normal(code).as_str()) {
                return Err(Problem::new("ticket.wrong_code").into());
            }
        }
        (None, Some(text)) => ticket::shown_for(&call, text, &reservation)?,
        _ => return Err(Problem::new("request.invalid_field").at("", "either `code` or `ticket`").into()),
    }
    let_in(&call, reservation.id).await
}

async fn at_gate(call: Call) -> Result<Reply, Halt> {
    let body: AtGate = call.body()?;
    let reservation = match (&body.ticket, &body.site_id, &body.code) {
        (Some(text), None, None) => {
            let id = ticket::read(&call, text)?.reservation;
            let reservation = own(&call, id).await?;
            ticket::shown_for(&call, text, &reservation)?;
            reservation
        }
        (None, Some(site), Some(code)) => {
            let site: SiteId = call.site_named(site).await?;
            let key = format!("{site}:{}", normal(code));
            let id = call.app.store.holder_of(CODE, &key).await?;
            own(&call, ReservationId::new(id.ok_or_else(|| Problem::new("ticket.wrong_code"))?)).await?
        }
        _ => {
            let problem = Problem::new("request.invalid_field");
            return Err(problem.at("", "either `ticket`, or `site_id` and `code`").into());
        }
    };
    let_in(&call, reservation.id).await
}

async fn own(call: &Call, id: ReservationId) -> Result<Loaded<Reservation>, Problem> {
    let reservation: Loaded<Reservation> = call.app.store.load(id).await.map_err(not_found_if_other)?;
    call.may_touch(&call.object_of(&reservation).await?)?;
    Ok(reservation)
}

/// As it was said on the telephone: case and blanks do not matter.
fn normal(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_ascii_uppercase()
}

async fn let_in(call: &Call, id: ReservationId) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        let reservation: Loaded<Reservation> = call.load_at(id, record.last).await?;
        return cancel::shown(call, &reservation, record.last).await;
    }
    let mut tries = Tries::default();
    loop {
        let reservation = own(call, id).await?;
        call.precondition.check(reservation.version)?;
        let decision = decide(&reservation, call.actor(), call.now())?;
        let site = reservation.state.terms.as_ref().map(|terms| terms.slot.site_id);
        if let Some(written) = call.write(decision.clone(), site).await? {
            return cancel::shown(call, &after(reservation, &decision), written.position).await;
        }
        tries.again()?;
    }
}
