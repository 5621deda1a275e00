//! The second person says yes or no.

use axum::http::StatusCode;
use domain::{
    aggregate::Loaded,
    ids::PayoutId,
    payout::{Payout, approve as agree, reject as refuse},
    text::Note,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{MOVES, PayoutBody, prepared};
use crate::{
    http::{
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

const PAYOUT: Success =
    Success { shape: Some(Shape::of::<PayoutBody>()), about: "The payout.", ..Operation::READ.success };

pub const APPROVE: Operation = Operation {
    id: "payout.approve",
    path: "/v1/payouts/{id}/approval",
    summary: "Approve a payout",
    about: "Somebody else of finance than who prepared it, whatever it comes to; one that was prepared by itself takes two. \
            What it was prepared from is looked at again. Then it is paid.",
    authz: MOVES,
    step_up: true,
    success: PAYOUT,
    refusals: &[
        "payout.same_person",
        "payout.wrong_status",
        "payout.more_than_payable",
        "payout.account_changed",
        "payout.account_rests",
        "payout.lines_changed",
        "projection_behind",
    ],
    run: |call| Box::pin(approve(call)),
    ..Operation::WRITE
};

pub const REJECT: Operation = Operation {
    id: "payout.reject",
    path: "/v1/payouts/{id}/rejection",
    summary: "Reject a payout",
    about: "Nothing moves: what it would have paid is in the next one.",
    authz: MOVES,
    step_up: true,
    body: Some(Shape::of::<Rejection>()),
    success: PAYOUT,
    refusals: &["payout.wrong_status"],
    run: |call| Box::pin(reject(call)),
    ..Operation::WRITE
};

/// Why not.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    #[schema(value_type = String, max_length = 500)]
    reason: Note,
}

impl Exemplary for Rejection {
    fn example() -> Value {
        json!({ "reason": "Un litige est ouvert" })
    }
}

async fn approve(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        return resumed(&call, record.last).await;
    }
    let mut tries = Tries::default();
    loop {
        let (payout, site) = call.own_payout().await?;
        call.precondition.check(payout.version)?;
        let was = prepared(&payout)?;
        let head = call.app.store.head().await?;
        let range = (was.after_position, was.up_to_position);
        let payable = call.payable(site.id, was.amount.currency, range, head).await?;
        let decision = agree(&payout, &site, &payable, call.actor(), call.now())?;
        if decision.is_nothing() {
            return answer(&payout, head);
        }
        if let Some(written) = call.write(decision.clone(), Some(site.id)).await? {
            return answer(&after(payout, &decision), written.position);
        }
        tries.again()?;
    }
}

async fn reject(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        return resumed(&call, record.last).await;
    }
    let body: Rejection = call.body()?;
    let mut tries = Tries::default();
    loop {
        let (payout, site) = call.own_payout().await?;
        call.precondition.check(payout.version)?;
        let decision = refuse(&payout, body.reason.clone(), call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), Some(site.id)).await? {
            return answer(&after(payout, &decision), written.position);
        }
        tries.again()?;
    }
}

/// The answer to a request that was carried out before.
pub(super) async fn resumed(call: &Call, position: i64) -> Result<Reply, Halt> {
    let payout: Loaded<Payout> = call.load_at(PayoutId::new(call.uuid("id")?), position).await?;
    answer(&payout, position)
}

pub(super) fn answer(payout: &Loaded<Payout>, position: i64) -> Result<Reply, Halt> {
    let body =
        PayoutBody::of(payout.id, &payout.state, payout.version).ok_or_else(|| Problem::new("object.not_found"))?;
    Ok(Reply::json(StatusCode::OK, &body)?.position(position).derived())
}
