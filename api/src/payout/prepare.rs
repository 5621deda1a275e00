//! The first of two persons: what a site is to be paid, read from the ledger.

use axum::http::{StatusCode, header};
use domain::{
    Timestamp,
    aggregate::Loaded,
    ids::{PayoutId, SiteId},
    payout::{Payable, Payout, Previous, plan, prepare as decide},
    site::Site,
};
use projections::{chain::Last, payout::last};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{MOVES, PayoutBody};
use crate::{
    http::{
        call::Call,
        command::{Attempt, Tries, after},
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::Instant,
    site,
};

pub const PREPARE: Operation = Operation {
    id: "payout.prepare",
    path: "/v1/payouts",
    summary: "Prepare a payout to a site",
    about: "Pays what the ledger owes the site (`site:{id}:payable`) for all that was entered before `to`, less what has gone \
            back since and what is held. It begins where the last one that was paid ended: nothing is left out, and nothing \
            is paid twice. Somebody else of finance approves it. The amount and the beneficiary are never sent. With \
            `preview=true` nothing is written.",
    authz: MOVES,
    step_up: true,
    query: &[Param::new("preview", Kind::Flag, "Only say what it would be.", "true")],
    body: Some(Shape::of::<Prepare>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<PayoutBody>()),
        about: "The payout; 200 for a preview.",
        ..Operation::READ.success
    },
    refusals: &[
        "payout.below_minimum",
        "payout.held_back",
        "payout.no_account",
        "payout.account_rests",
        "payout.one_at_a_time",
        "payout.before_the_last",
        "payout.not_over",
        "projection_behind",
    ],
    run: |call| Box::pin(prepare(call)),
    ..Operation::WRITE
};

/// Whom to pay, and for all that happened before when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prepare {
    /// Id or slug.
    site: String,
    /// Now when left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
}

impl Exemplary for Prepare {
    fn example() -> Value {
        json!({ "site": "temple-du-foot", "to": "2026-12-01T00:00:00Z" })
    }
}

async fn prepare(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        for id in &record.ids {
            let payout: Loaded<Payout> = call.load_at(PayoutId::new(*id), record.last).await?;
            if payout.version > 0 {
                return answer(&payout, record.last);
            }
        }
        return Err(Problem::new("server.error").into());
    }
    let body: Prepare = call.body()?;
    let site_id = call.site_named(&body.site).await?;
    let payout_id = PayoutId::new(call.new_id());
    let mut tries = Tries::default();
    loop {
        let read = read(&call, site_id, body.to.map(|to| to.0)).await?;
        let Read { site, last, payable, to, now } = &read;
        let previous = last.as_ref().map(|last| Previous { payout: &last.it, position: last.position });
        if call.query.flag("preview") {
            let plan = plan(site, previous, payable, *to, *now)?;
            return Ok(Reply::json(StatusCode::OK, &PayoutBody::sums(site.id.uuid(), &plan))?.position(payable.read_at));
        }
        let decision = decide(payout_id, site, previous, payable, *to, call.actor(), *now)?;
        match call.append(decision.clone(), Some(site_id)).await? {
            Attempt::Written(written) => return answer(&after(Loaded::new(payout_id), &decision), written.position),
            // Another one follows the last one already: look again.
            Attempt::Moved | Attempt::Guarded(_) => tries.again()?,
        }
    }
}

/// What the decision rests on.
struct Read {
    site: Loaded<Site>,
    last: Option<Last<Payout>>,
    payable: Payable,
    to: Timestamp,
    now: Timestamp,
}

async fn read(call: &Call, site_id: SiteId, to: Option<Timestamp>) -> Result<Read, Problem> {
    let store = &call.app.store;
    let site: Loaded<Site> = store.load(site_id).await?;
    call.may_touch(&site::object(&site))?;
    let identity = site.state.identity.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
    let last = last(store, site_id).await?;
    let head = store.head().await?;
    let up_to = match to {
        Some(to) => store.position_before(to).await?,
        None => head,
    };
    let after = last.as_ref().map_or(0, |last| last.it.state.paid_up_to().0);
    let payable = call.payable(site_id, identity.currency, (after, up_to), head).await?;
    let now = call.now();
    Ok(Read { last, payable, to: to.unwrap_or(now), now, site })
}

fn answer(payout: &Loaded<Payout>, position: i64) -> Result<Reply, Halt> {
    let body = PayoutBody::of(payout.id, &payout.state, payout.version).ok_or_else(|| Problem::new("server.error"))?;
    let reply = Reply::json(StatusCode::CREATED, &body)?;
    Ok(reply.position(position).header(header::LOCATION, format!("/v1/payouts/{}", payout.id)).derived())
}
