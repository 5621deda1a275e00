//! Invoices, by site and status, and one of them: only those the caller may see.

use axum::http::{StatusCode, header};
use domain::{
    ids::{InvoiceId, SiteId},
    invoice::Status,
    site::Site,
};
use projections::invoice::{self, Filter};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{InvoiceBody, READS};
use crate::{
    http::{
        call::Call,
        etag,
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    payout::whose,
    problem::Problem,
    shape::List,
    site::{self, link},
};

pub const SHOW: Operation = Operation {
    id: "invoice.show",
    path: "/v1/invoices/{id}",
    summary: "One invoice",
    about: "`overdue` when it was not paid within 15 days.",
    authz: READS,
    success: Success { shape: Some(Shape::of::<InvoiceBody>()), about: "The invoice.", ..Operation::READ.success },
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

pub const LIST: Operation = Operation {
    id: "invoice.list",
    path: "/v1/invoices",
    summary: "Invoices",
    about: "Newest first. A manager sees those of their sites.",
    authz: READS,
    query: &[
        Param::new("site_id", Kind::Text, "Id or slug.", "fara-foot"),
        Param::new("status", Kind::OneOf(&Status::ALL), "Where they stand.", "overdue"),
        Param::new("limit", Kind::Integer { min: 1, max: 100 }, "Invoices on a page; 20 when left out.", "20"),
        Param::new("cursor", Kind::Text, "`next_cursor` of the page before.", ""),
    ],
    success: Success {
        shape: Some(Shape::of::<InvoiceList>()),
        about: "A page of invoices.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

/// A page of invoices.
#[derive(Serialize, ToSchema)]
pub struct InvoiceList {
    object: &'static str,
    data: Vec<InvoiceBody>,
    has_more: bool,
    next_cursor: Option<String>,
    as_of_position: i64,
}

impl Exemplary for InvoiceList {
    fn example() -> Value {
        json!({
            "object": "list", "data": [InvoiceBody::example()], "has_more": false, "next_cursor": null,
            "as_of_position": 42,
        })
    }
}

async fn show(call: Call) -> Result<Reply, Halt> {
    let id = InvoiceId::new(call.uuid("id")?);
    let found = invoice::find(call.app.store.pool(), id).await.map_err(Problem::from)?;
    let row = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    call.may_touch(&site::object(&*call.app.store.recall::<Site>(row.site_id).await?))?;
    let body = InvoiceBody::of(id, &row.invoice, row.version).ok_or_else(|| Problem::new("object.not_found"))?;
    let reply = Reply::json(StatusCode::OK, &body)?;
    let tag = etag::of(row.version, &[&reply.body]);
    Ok(reply.etag(tag).position(found.as_of))
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
    let page = invoice::list(call.app.store.pool(), &filter, call.query.text("cursor"), limit);
    let page = page.await.map_err(Problem::from)?;
    let shown = page.items.iter().filter_map(|row| InvoiceBody::of(row.invoice_id, &row.invoice, row.version));
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
