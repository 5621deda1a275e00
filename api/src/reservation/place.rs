//! Place a reservation: hold the slot, and ask for the money or record it.

use std::time::Duration;

use axum::http::{Method as HttpMethod, StatusCode, header};
use domain::{
    aggregate::Loaded,
    ids::{PaymentId, ReservationId},
    payment::{Method, Payment},
    reservation::Reservation,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{BOOKS, ReservationBody, placing};
use crate::{
    client::{self, PersonInput},
    http::{
        admission::aside,
        call::Call,
        etag, form,
        halt::Halt,
        operation::{Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::Instant,
};

pub const PLACE: Operation = Operation {
    id: "reservation.place",
    path: "/v1/reservations",
    summary: "Reserve a pitch",
    about: "From a quote, or from a site with a pitch or format, a start and a length. Clients and services hold the slot \
            until `hold_expires_at` and pay; a manager's reservation is confirmed at once, paid or on account. \
            `payment.checkout_url` is waited for up to 2 s and may be null; `payment.pay_url` is always there.",
    authz: BOOKS,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<PlaceReservation>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<ReservationBody>()),
        about: "The reservation, held or confirmed.",
        ..Operation::READ.success
    },
    refusals: REFUSALS,
    run: |call| Box::pin(place(call, None)),
    ..Operation::WRITE
};

pub const PUT: Operation = Operation {
    id: "reservation.put",
    method: HttpMethod::PUT,
    path: "/v1/reservations/{id}",
    summary: "Reserve a pitch under your own id",
    about: "As `POST /v1/reservations`, with a UUID that you made. Again is harmless: the reservation that is there is \
            answered. An id that somebody else uses is refused without saying more.",
    idempotent: false,
    run: |call| Box::pin(put(call)),
    ..PLACE
};

const REFUSALS: &[&str] = &[
    "reservation.slot_taken",
    "reservation.too_many_holds",
    "credit.insufficient",
    "client.debt",
    "quote.invalid",
    "quote.expired",
    "promotion.invalid",
    "promotion.exhausted",
    "promotion.client_limit",
    "promotion.client_required",
    "promotion.below_minimum",
    "promotion.other_format",
    "promotion.other_day",
    "quote.no_tariff",
    "quote.not_whole_slots",
    "site.not_open",
    "site.closed",
    "site.in_the_past",
    "site.too_soon",
    "site.too_far",
    "site.too_short",
    "site.too_long",
    "site.off_grid",
    "object.not_found",
    "object.exists",
];

/// What to play, for whom, and how it is paid.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceReservation {
    /// From `POST /v1/quotes`; or the fields below.
    #[serde(default, deserialize_with = "form::perhaps_at_most::<4000, _>")]
    pub quote: Option<String>,
    /// Id or slug.
    pub site_id: Option<String>,
    /// Id or slug; or `format`.
    pub pitch_id: Option<String>,
    /// Players a side: the smallest free pitch that fits.
    pub format: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub starts_at: Option<Instant>,
    /// Length.
    pub minutes: Option<u32>,
    /// What a client types for a discount; a quote has its own already.
    #[schema(max_length = 32)]
    #[serde(default, deserialize_with = "form::perhaps_at_most::<32, _>")]
    pub promo_code: Option<String>,
    /// Who plays, when somebody else books for them.
    pub client: Option<PersonInput>,
    pub payment: Option<PaymentWish>,
}

/// How it is paid. The amount is not yours to say: it is the deposit or the whole price. `credit` is what we hold of the
/// client's: confirmed at once, without a checkout.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentWish {
    #[schema(value_type = Option<String>, example = "wave")]
    pub method: Option<Method>,
    #[serde(default)]
    pub pays: Pays,
}

/// How much is paid now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pays {
    #[default]
    Deposit,
    Full,
    /// Only the hold; pay within it. For a manager: confirmed on account.
    None,
}

impl Exemplary for PlaceReservation {
    fn example() -> Value {
        json!({
            "site_id": "fara-foot", "format": "5x5", "starts_at": "2026-11-28T18:00:00Z", "minutes": 60,
            "client": { "phone": "77 123 45 67", "name": "Awa Ndiaye" },
            "payment": { "method": "wave", "pays": "deposit" },
        })
    }
}

/// What is answered from: as it was recorded, and up to where.
pub struct Placed {
    pub reservation: Loaded<Reservation>,
    pub payment: Option<Loaded<Payment>>,
    pub position: i64,
}

async fn place(call: Call, id: Option<ReservationId>) -> Result<Reply, Halt> {
    let placed = match &call.resumed {
        Some(record) => {
            let mut ids = record.ids.iter().copied();
            let id = ReservationId::new(ids.next().unwrap_or_default());
            let reservation = call.load_at::<Reservation>(id, record.last).await?;
            let mut payment = None;
            // The payment, if one was asked for, is the stream of the decision that is one.
            for id in ids {
                if let Ok(found) = call.load_at::<Payment>(PaymentId::new(id), record.last).await
                    && found.version > 0
                {
                    payment = Some(found);
                }
            }
            Placed { reservation, payment, position: record.last }
        }
        None => {
            let body: PlaceReservation = call.body()?;
            let id = id.unwrap_or_else(|| ReservationId::new(call.new_id()));
            placing::write(&call, &body, id).await?
        }
    };
    answer(&call, placed).await
}

async fn put(call: Call) -> Result<Reply, Halt> {
    let id = call.uuid("id")?;
    if id.get_version_num() != 7 {
        return Err(Problem::new("request.invalid_parameter").parameter("id", "must be a UUID version 7").into());
    }
    let id = ReservationId::new(id);
    // Also where there is nothing to do with it: what is no wish is refused.
    let body: PlaceReservation = call.body()?;
    placing::asked(&body)?;
    body.client.as_ref().map(client::mobile_of).transpose()?;
    let taken = || Problem::new("object.exists");
    match call.app.store.load::<Reservation>(id).await {
        Ok(there) if there.version == 0 => match place(call.clone(), Some(id)).await {
            // Lost the race against a repetition of itself: answer what is there.
            Err(Halt::Problem(problem)) if problem.code() == "reservation.already_placed" => existing(&call, id).await,
            other => other,
        },
        Ok(_) => existing(&call, id).await,
        Err(eventstore::LoadError::OtherNoun { .. }) => Err(taken().into()),
        Err(error) => Err(error.into()),
    }
}

/// The reservation that is there already, if it is the caller's.
async fn existing(call: &Call, id: ReservationId) -> Result<Reply, Halt> {
    let there: Loaded<Reservation> = call.app.store.load(id).await?;
    let object = call.object_of(&there).await.map_err(|_| Problem::new("object.exists"))?;
    if !call.caller.may_touch(call.operation, &object) {
        return Err(Problem::new("object.exists").into());
    }
    let found = projections::reservation::find(call.app.store.pool(), id).await.map_err(Problem::from)?;
    let body = match found.row {
        Some(row) => ReservationBody::viewed(&call.app, &row),
        None => ReservationBody::folded(&call.app, &there, &[])?,
    };
    reply(&body, StatusCode::OK, None)
}

/// How long the address of the provider's page is waited for (decisions.md).
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(40);

async fn answer(call: &Call, placed: Placed) -> Result<Reply, Halt> {
    let Placed { reservation, payment, position } = placed;
    let mut payments: Vec<Loaded<Payment>> = payment.into_iter().collect();
    let online =
        payments.iter().any(|payment| payment.state.request.as_ref().is_some_and(|asked| asked.method.has_provider()));
    if online {
        wait_for_checkout(call, &mut payments).await;
    }
    let body = ReservationBody::folded(&call.app, &reservation, &payments)?;
    let reply = reply(&body, StatusCode::CREATED, Some(position))?;
    // Without a provider's page in it, the log gives the same answer again.
    Ok(if online { reply } else { reply.derived() })
}

/// Waits until the provider's page is open, or it is clear that it will not be, or long enough.
pub async fn wait_for_checkout(call: &Call, payments: &mut [Loaded<Payment>]) {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let mut waiting = false;
        for payment in payments.iter_mut() {
            if payment.state.status == domain::payment::Status::Requested {
                // A failed look is a look too few, not a failed reservation.
                let _ = call.app.store.catch_up(payment).await;
                waiting |= payment.state.status == domain::payment::Status::Requested;
            }
        }
        if !waiting || tokio::time::Instant::now() + LOOK_AGAIN > until {
            return;
        }
        aside(tokio::time::sleep(LOOK_AGAIN)).await;
    }
}

/// A reservation as an answer; with 201 it says where it is.
///
/// # Errors
/// `server.error` when it cannot be written, which is a bug.
pub fn reply(body: &ReservationBody, status: StatusCode, position: Option<i64>) -> Result<Reply, Halt> {
    let reply = Reply::json(status, body)?;
    let tag = etag::of(body.version(), &[&reply.body]);
    let mut reply = reply.etag(tag);
    if status == StatusCode::CREATED {
        reply = reply.header(header::LOCATION, format!("/v1/reservations/{}", body.id));
    }
    Ok(match position {
        Some(position) => reply.position(position),
        None => reply,
    })
}
