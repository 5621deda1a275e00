//! Days, the latest first.

use axum::http::{StatusCode, header};
use domain::reconciliation::{Provider, Status};
use projections::reconciliation::{Filter, list as find};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{account, body::ReconciliationBody, sees_everything};
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
    id: "reconciliation.list",
    path: "/v1/reconciliations",
    summary: "Days compared with statements of providers",
    about: "The latest day first.",
    authz: super::READS,
    query: &[
        Param::new("day", Kind::Date, "That day.", "2026-11-28"),
        Param::new("provider", Kind::OneOf(&["wave", "sonatel", "paytech", "paydunya"]), "At that provider.", "wave"),
        Param::new("account", Kind::Text, "Of the account of that name; of all when left out.", "main"),
        Param::new("status", Kind::OneOf(&["awaited", "open", "closed"]), "In that status.", "open"),
        Param::new("limit", Kind::Integer { min: 1, max: 100 }, "Days on a page; 20 when left out.", "20"),
        Param::new("cursor", Kind::Text, "`next_cursor` of the page before.", ""),
    ],
    success: Success { shape: Some(Shape::of::<ReconciliationList>()), about: "A page.", ..Operation::READ.success },
    refusals: &["reconciliation.unknown_account"],
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

/// A page of reconciliations.
#[derive(Serialize, ToSchema)]
pub struct ReconciliationList {
    object: &'static str,
    data: Vec<ReconciliationBody>,
    has_more: bool,
    next_cursor: Option<String>,
    as_of_position: i64,
}

impl Exemplary for ReconciliationList {
    fn example() -> Value {
        json!({
            "object": "list", "data": [ReconciliationBody::example()], "has_more": false, "next_cursor": null,
            "as_of_position": 42,
        })
    }
}

async fn list(call: Call) -> Result<Reply, Halt> {
    sees_everything(&call)?;
    let provider = call.query.text("provider").and_then(Provider::named);
    let providers = provider.map_or(Provider::ALL.to_vec(), |provider| vec![provider]);
    let filter = Filter {
        day: call.query.date("day"),
        provider,
        account: account::filter(&call, &providers).await?,
        status: call
            .query
            .text("status")
            .and_then(|name| Status::ALL.into_iter().find(|status| status.as_str() == name)),
    };
    let limit = call.query.integer("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(20);
    let cursor = call.query.text("cursor");
    let page = find(call.app.store.pool(), &filter, cursor, limit).await.map_err(Problem::from)?;
    let body = List {
        object: "list",
        data: page.items.iter().map(ReconciliationBody::viewed).collect(),
        has_more: page.has_more(),
        next_cursor: page.next.clone(),
        as_of_position: page.as_of,
    };
    let reply = Reply::json(StatusCode::OK, &body)?.position(page.as_of);
    Ok(match &page.next {
        Some(cursor) => reply.header(header::LINK, link(&call, cursor)),
        None => reply,
    })
}
