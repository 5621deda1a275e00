//! Payouts, by site and status: only those the caller may see.

use axum::http::{StatusCode, header};
use domain::{
    actor::Role,
    ids::{PrincipalId, SiteId},
    payout::Status,
};
use projections::payout::{self, Filter, Whose};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{PayoutBody, READS};
use crate::{
    http::{
        call::Call,
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::List,
    site::link,
};

pub const LIST: Operation = Operation {
    id: "payout.list",
    path: "/v1/payouts",
    summary: "Payouts",
    about: "Newest first. A manager sees those of their sites.",
    authz: READS,
    query: &[
        Param::new("site_id", Kind::Text, "Id or slug.", "fara-foot"),
        Param::new("status", Kind::OneOf(&Status::ALL), "Where they stand.", "prepared"),
        Param::new("limit", Kind::Integer { min: 1, max: 100 }, "Payouts on a page; 20 when left out.", "20"),
        Param::new("cursor", Kind::Text, "`next_cursor` of the page before.", ""),
    ],
    success: Success { shape: Some(Shape::of::<PayoutList>()), about: "A page of payouts.", ..Operation::READ.success },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

/// A page of payouts.
#[derive(Serialize, ToSchema)]
pub struct PayoutList {
    object: &'static str,
    data: Vec<PayoutBody>,
    has_more: bool,
    next_cursor: Option<String>,
    as_of_position: i64,
}

impl Exemplary for PayoutList {
    fn example() -> Value {
        json!({
            "object": "list", "data": [PayoutBody::example()], "has_more": false, "next_cursor": null,
            "as_of_position": 42,
        })
    }
}

async fn list(call: Call) -> Result<Reply, Halt> {
    let filter = Filter {
        whose: whose(&call),
        within: call.caller.sites().map(<[SiteId]>::to_vec),
        site_id: match call.query.text("site_id") {
            Some(name) => Some(call.site_named(name).await?),
            None => None,
        },
        status: call.query.text("status").map(str::to_owned),
    };
    let limit = call.query.integer("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(20);
    let page = payout::list(call.app.store.pool(), &filter, call.query.text("cursor"), limit);
    let page = page.await.map_err(Problem::from)?;
    let shown = page.items.iter().filter_map(|row| PayoutBody::of(row.payout_id, &row.payout, row.version));
    let list = List {
        object: "list",
        data: shown.collect::<Vec<_>>(),
        has_more: page.has_more(),
        next_cursor: page.next.clone(),
        as_of_position: page.as_of,
    };
    let reply = Reply::json(StatusCode::OK, &list)?.position(page.as_of);
    Ok(match &page.next {
        Some(cursor) => reply.header(header::LINK, link(&call, cursor)),
        None => reply,
    })
}

/// The rights of the table, as a condition of the query: what is not in the list cannot leak.
pub(crate) fn whose(call: &Call) -> Whose {
    match call.caller.role() {
        Some(Role::Finance | Role::Admin | Role::Auditor) => Whose::Everybody,
        _ => Whose::Manager(PrincipalId::new(call.caller.principal().unwrap_or_default())),
    }
}
