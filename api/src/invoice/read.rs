//! Invoices, by site and status, and one of them: only those the caller may see.

use axum::http::StatusCode;
use domain::{ids::InvoiceId, invoice::Status, site::Site};
use projections::{chain, invoice};

use super::{InvoiceBody, READS};
use crate::{
    http::{
        admission::Class,
        call::Call,
        etag,
        halt::Halt,
        list::List,
        operation::{Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    payout::filter,
    problem::Problem,
    site,
};

pub const SHOW: Operation = Operation {
    id: "invoice.show",
    path: "/v1/invoices/{id}",
    class: Class::Analytics,
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
    class: Class::Analytics,
    summary: "Invoices",
    about: "Newest first. A manager sees those of their sites.",
    authz: READS,
    query: &[
        Param::new("site_id", Kind::Name, "Id or slug.", "fara-foot").checked("the sites there are"),
        Param::new("status", Kind::OneOf(&Status::ALL), "Where they stand.", "overdue"),
        Param::limit("Invoices on a page; 20 when left out."),
        Param::CURSOR,
    ],
    success: Success {
        shape: Some(Shape::of::<List<InvoiceBody>>()),
        about: "A page of invoices.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

async fn show(call: Call) -> Result<Reply, Halt> {
    let id = InvoiceId::new(call.uuid("id")?);
    let found = invoice::find(call.app.store.pool(), id).await.map_err(Problem::from)?;
    let row = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    call.may_touch(&site::object(&*call.app.store.recall::<Site>(row.site_id).await?))?;
    let body = InvoiceBody::of(id, &row.state, row.version).ok_or_else(|| Problem::new("object.not_found"))?;
    let reply = Reply::json(StatusCode::OK, &body)?;
    let tag = etag::of(row.version, &[&reply.body]);
    Ok(reply.etag(tag).position(found.as_of))
}

async fn list(call: Call) -> Result<Reply, Halt> {
    let page = chain::list(call.app.store.pool(), &filter(&call).await?, call.cursor(), call.limit()).await?;
    let shown = page.items.iter().filter_map(|row| InvoiceBody::of(row.id.into(), &row.state, row.version));
    Reply::list(&call, &page, shown)
}
