//! The differences of a day.

use axum::http::StatusCode;
use domain::reconciliation::Standing;
use projections::reconciliation::differences as find;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Day, account::ACCOUNT, body::DifferenceBody};
use crate::{
    http::{
        call::Call,
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::List,
};

pub const DIFFERENCES: Operation = Operation {
    id: "reconciliation.differences",
    path: "/v1/reconciliations/{provider}/{day}/differences",
    summary: "Where a statement and the log do not agree",
    about: "In the order in which they were found; those that a later statement does not show any more are explained by \
            `superseded`.",
    authz: super::READS,
    query: &[
        ACCOUNT,
        Param::new(
            "standing",
            Kind::OneOf(&["unexplained", "waiting", "proposed", "explained"]),
            "Of that standing.",
            "unexplained",
        ),
        Param::new("limit", Kind::Integer { min: 1, max: 100 }, "Differences on a page; 20 when left out.", "20"),
        Param::new("cursor", Kind::Text, "`next_cursor` of the page before.", ""),
    ],
    success: Success { shape: Some(Shape::of::<DifferenceList>()), about: "A page.", ..Operation::READ.success },
    refusals: &["reconciliation.unknown_account"],
    run: |call| Box::pin(differences(call)),
    ..Operation::READ
};

/// A page of differences.
#[derive(Serialize, ToSchema)]
pub struct DifferenceList {
    object: &'static str,
    data: Vec<DifferenceBody>,
    has_more: bool,
    next_cursor: Option<String>,
    as_of_position: i64,
}

impl Exemplary for DifferenceList {
    fn example() -> Value {
        json!({
            "object": "list", "data": [DifferenceBody::example()], "has_more": false, "next_cursor": null,
            "as_of_position": 42,
        })
    }
}

async fn differences(call: Call) -> Result<Reply, Halt> {
    let day = Day::of(&call).await?;
    let standing = call.query.text("standing");
    let standing = standing.and_then(|name| Standing::ALL.into_iter().find(|known| known.as_str() == name));
    let limit = call.query.integer("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(20);
    let cursor = call.query.text("cursor");
    let page = find(call.app.store.pool(), day.id, standing, cursor, limit).await.map_err(Problem::from)?;
    let body = List {
        object: "list",
        data: page.items.iter().map(DifferenceBody::viewed).collect(),
        has_more: page.has_more(),
        next_cursor: page.next.clone(),
        as_of_position: page.as_of,
    };
    Ok(Reply::json(StatusCode::OK, &body)?.position(page.as_of))
}
