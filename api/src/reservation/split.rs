//! Paying together: what is due is cut into shares, each with a link of its own.

use axum::http::StatusCode;
use domain::{
    aggregate::Loaded,
    ids::ShareId,
    payment::Payment,
    reservation::{MOST_SHARES, Parts, Purpose, Reservation, Share, Split},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{BOOKS, READS};
use crate::{
    App,
    http::{
        admission::Class,
        call::Call,
        command::{Tries, after},
        etag,
        halt::Halt,
        operation::{Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    payment::{open_payments, share_url},
    problem::Problem,
    shape::{Instant, Money, local_text},
};

pub const SPLIT: Operation = Operation {
    id: "reservation.split",
    path: "/v1/reservations/{id}/split",
    summary: "Pay together",
    about: "Cuts what is due into 2 to 30 shares, each with a link by which anybody pays it, by any method. The hold ends \
            as every hold until a share is paid; then it lives until the deadline. With the quorum it is confirmed, \
            without it everything goes back to whoever paid. Once per reservation.",
    authz: BOOKS,
    body: Some(Shape::of::<SplitReservation>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<SplitBody>()),
        about: "The shares.",
        ..Operation::READ.success
    },
    refusals: &[
        "reservation.already_split",
        "reservation.checkout_open",
        "reservation.share_count",
        "reservation.share_too_small",
        "reservation.shares_do_not_add_up",
        "reservation.quorum_out_of_range",
        "reservation.deadline_out_of_range",
        "reservation.hold_expired",
        "payment.nothing_due",
        "payment.not_payable",
    ],
    run: |call| Box::pin(split(call)),
    ..Operation::WRITE
};

pub const SHOW_SPLIT: Operation = Operation {
    id: "reservation.show_split",
    path: "/v1/reservations/{id}/split",
    class: Class::Hold,
    summary: "Who has paid their share",
    about: "The shares of a reservation that is paid together; 404 when it is not.",
    authz: READS,
    success: Success { shape: Some(Shape::of::<SplitBody>()), about: "The shares.", ..Operation::READ.success },
    run: |call| Box::pin(show_split(call)),
    ..Operation::READ
};

/// Into what, and until when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitReservation {
    /// So many equal shares; they differ by a franc where the amount does not divide.
    #[schema(minimum = 2, maximum = 30)]
    shares: Option<u8>,
    /// Or shares of these amounts, which add up to what is split.
    amounts: Option<Vec<Money>>,
    /// `full` (default) or `deposit`; what is still due of a confirmed one in any case.
    #[schema(value_type = Option<String>, example = "full")]
    of: Option<Purpose>,
    /// What must be there by the deadline for it to be confirmed: from the deposit to all of it, which is the default.
    quorum: Option<Money>,
    /// Until when the hold lives once a share is paid.
    deadline: Instant,
}

impl Exemplary for SplitReservation {
    fn example() -> Value {
        json!({ "shares": 5, "of": "full", "deadline": "2026-11-28T12:00:00Z" })
    }
}

/// A price that several people pay.
#[derive(Serialize, ToSchema)]
#[schema(as = Split)]
pub struct SplitBody {
    object: &'static str,
    reservation_id: Uuid,
    reservation_status: &'static str,
    #[schema(value_type = String, example = "full")]
    of: Purpose,
    /// Null for what was confirmed already.
    quorum: Option<Money>,
    /// Still missing before it is confirmed.
    missing: Money,
    deadline: String,
    /// A share is paid, so the hold lives until the deadline.
    pledged: bool,
    shares: Vec<ShareBody>,
    version: i32,
}

/// One share.
#[derive(Serialize, ToSchema)]
#[schema(as = Share)]
pub struct ShareBody {
    object: &'static str,
    id: Uuid,
    amount: Money,
    received: Money,
    due: Money,
    /// Our page for it: to be handed to whoever pays it.
    pay_url: String,
}

impl Exemplary for SplitBody {
    fn example() -> Value {
        json!({
            "object": "split", "reservation_id": "019ab2c4-5f00-7000-8000-0000000000b1", "reservation_status": "held",
            "of": "full", "quorum": { "amount": 35000, "currency": "XOF" },
            "missing": { "amount": 35000, "currency": "XOF" }, "deadline": "2026-11-28T12:00:00Z", "pledged": false,
            "shares": [{
                "object": "share", "id": "019ab2c4-5f00-7000-8000-0000000000f1",
                "amount": { "amount": 7000, "currency": "XOF" }, "received": { "amount": 0, "currency": "XOF" },
                "due": { "amount": 7000, "currency": "XOF" }, "pay_url": "https://kalel.example/pay/share/AZq…",
            }],
            "version": 2,
        })
    }
}

impl SplitBody {
    fn of(app: &App, reservation: &Loaded<Reservation>) -> Option<Self> {
        let state = &reservation.state;
        let (split, terms) = (state.split.as_ref()?, state.terms.as_ref()?);
        let share = |share: domain::reservation::Standing| ShareBody {
            object: "share",
            id: share.share_id.uuid(),
            amount: share.amount.into(),
            received: share.received.into(),
            due: share.due.into(),
            pay_url: share_url(app, reservation.id, share.share_id),
        };
        Some(Self {
            object: "split",
            reservation_id: reservation.id.uuid(),
            reservation_status: state.status.as_str(),
            of: split.of,
            quorum: split.quorum.map(Money::from),
            missing: state.confirmation_due().into(),
            deadline: local_text(split.deadline, terms.slot.time_zone),
            pledged: split.pledged,
            shares: state.shares().map(share).collect(),
            version: reservation.version,
        })
    }
}

async fn split(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        let own = call.own_reservation().await?;
        let then = call.load_at::<Reservation>(own.id, record.last).await?;
        return show(&call, &then, StatusCode::CREATED, Some(record.last));
    }
    let body: SplitReservation = call.body()?;
    let parts = parts(&call, &body)?;
    let quorum = body.quorum.map(|quorum| amount(quorum, "/quorum")).transpose()?;
    let mut tries = Tries::default();
    loop {
        let reservation = call.own_reservation().await?;
        call.precondition.check(reservation.version)?;
        let open = open_payments(&call.app, reservation.id).await?;
        let open: Vec<&Loaded<Payment>> = open.iter().collect();
        let split = Split {
            reservation: &reservation,
            payments: &open,
            of: body.of.unwrap_or(Purpose::Full),
            parts: parts.clone(),
            quorum,
            deadline: body.deadline.0,
            by: call.actor(),
            now: call.now(),
        };
        let decision = split.decide()?;
        let site = reservation.state.terms.as_ref().map(|terms| terms.slot.site_id);
        if let Some(written) = call.write(decision.clone(), site).await? {
            return show(&call, &after(reservation, &decision), StatusCode::CREATED, Some(written.position));
        }
        tries.again()?;
    }
}

fn amount(money: Money, pointer: &str) -> Result<domain::money::Money, Problem> {
    money.bounded().map_err(|error| Problem::new("request.invalid_field").at(pointer, error.to_string()))
}

fn parts(call: &Call, body: &SplitReservation) -> Result<Parts, Problem> {
    let id = || ShareId::new(call.new_id());
    let count = body.amounts.as_ref().map_or(usize::from(body.shares.unwrap_or(0)), Vec::len);
    if count > MOST_SHARES {
        return Err(Problem::new("reservation.share_count"));
    }
    match (body.shares, &body.amounts) {
        (Some(_), None) => Ok(Parts::Equal((0..count).map(|_| id()).collect())),
        (None, Some(amounts)) => {
            let share = |(index, money): (usize, &Money)| {
                Ok(Share { share_id: id(), amount: amount(*money, &format!("/amounts/{index}"))? })
            };
            Ok(Parts::Amounts(amounts.iter().enumerate().map(share).collect::<Result<_, Problem>>()?))
        }
        _ => Err(Problem::new("request.invalid_field").at("/shares", "either `shares` or `amounts`")),
    }
}

async fn show_split(call: Call) -> Result<Reply, Halt> {
    let reservation = call.own_reservation().await?;
    show(&call, &reservation, StatusCode::OK, None)
}

fn show(
    call: &Call,
    reservation: &Loaded<Reservation>,
    status: StatusCode,
    position: Option<i64>,
) -> Result<Reply, Halt> {
    let body = SplitBody::of(&call.app, reservation).ok_or_else(|| Problem::new("object.not_found"))?;
    let reply = Reply::json(status, &body)?;
    let tag = etag::of(reservation.version, &[&reply.body]);
    let reply = reply.etag(tag);
    Ok(match position {
        Some(position) => reply.position(position),
        None => reply,
    })
}
