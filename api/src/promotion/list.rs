//! Codes, with what each gave and what is left.

use axum::http::{StatusCode, header};
use domain::{
    actor::Role,
    ids::{PrincipalId, PromotionId, SiteId},
};
use projections::promotion::{self, Whose};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{PromotionBody, READS, may_touch};
use crate::{
    http::{
        call::Call,
        etag,
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::List,
    site::link,
};

pub const LIST: Operation = Operation {
    id: "promotion.list",
    path: "/v1/promotions",
    summary: "Promo codes",
    about: "The newest first, each with how often it is used, what it gave and what is left of it.",
    authz: READS,
    query: &[
        Param::new("site_id", Kind::Text, "Id or slug.", "fara-foot"),
        Param::new("limit", Kind::Integer { min: 1, max: 100 }, "Codes on a page; 20 when left out.", "20"),
        Param::new("cursor", Kind::Text, "`next_cursor` of the page before.", ""),
    ],
    success: Success {
        shape: Some(Shape::of::<PromotionList>()),
        about: "A page of promotions.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

pub const SHOW: Operation = Operation {
    id: "promotion.show",
    path: "/v1/promotions/{id}",
    summary: "A promo code",
    about: "With how often it is used, what it gave and what is left of it.",
    authz: READS,
    success: Success { shape: Some(Shape::of::<PromotionBody>()), about: "The promotion.", ..Operation::READ.success },
    refusals: &["object.not_found"],
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

/// A page of promotions.
#[derive(Serialize, ToSchema)]
pub struct PromotionList {
    object: &'static str,
    data: Vec<PromotionBody>,
    has_more: bool,
    next_cursor: Option<String>,
    as_of_position: i64,
}

impl Exemplary for PromotionList {
    fn example() -> Value {
        json!({
            "object": "list", "data": [PromotionBody::example()], "has_more": false, "next_cursor": null,
            "as_of_position": 42,
        })
    }
}

async fn list(call: Call) -> Result<Reply, Halt> {
    let me = PrincipalId::new(call.caller.principal().unwrap_or_default());
    let sites = call.caller.sites();
    let (whose, within) = match call.caller.role() {
        Some(Role::Manager) => (Whose::Manager(me), sites),
        Some(Role::Finance | Role::Admin | Role::Auditor) => (Whose::Everybody, sites),
        _ => (Whose::Sites(sites.map(<[SiteId]>::to_vec).unwrap_or_default()), None),
    };
    let site = match call.query.text("site_id") {
        Some(name) => Some(call.site_named(name).await?),
        None => None,
    };
    let limit = call.query.integer("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(20);
    let page = promotion::list(call.app.store.pool(), &whose, within, site, call.query.text("cursor"), limit)
        .await
        .map_err(Problem::from)?;
    let now = call.now();
    let list = List {
        object: "list",
        data: page.items.iter().map(|row| PromotionBody::viewed(row, now)).collect::<Vec<_>>(),
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

async fn show(call: Call) -> Result<Reply, Halt> {
    let id = PromotionId::new(call.uuid("id")?);
    let found = promotion::find(call.app.store.pool(), id).await.map_err(Problem::from)?;
    let row = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    may_touch(&call, row.site_id).await?;
    let reply = Reply::json(StatusCode::OK, &PromotionBody::viewed(&row, call.now()))?;
    let tag = etag::of(row.version, &[&reply.body]);
    Ok(reply.etag(tag).position(found.as_of))
}
