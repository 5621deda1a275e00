//! Asks a site for its commission.

use axum::http::{StatusCode, header};
use domain::{
    aggregate::Loaded,
    ids::InvoiceId,
    invoice::{Invoice, Previous, issue as decide, plan},
    site::Site,
};
use projections::invoice::{due, last};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{InvoiceBody, SETTLES};
use crate::{
    http::{
        call::Call,
        command::{Attempt, Tries, after},
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        position::reached,
        reply::Reply,
    },
    problem::Problem,
    shape::Instant,
    site,
};

pub const ISSUE: Operation = Operation {
    id: "invoice.issue",
    path: "/v1/invoices",
    summary: "Ask a site for its commission",
    about: "For all the commission that was entered before `to` (`site:{id}:commission_due`) and that no invoice asks for \
            yet. It happens by itself after each month. The amount is never sent. With `preview=true` nothing is written.",
    authz: SETTLES,
    step_up: true,
    query: &[Param::new("preview", Kind::Flag, "Only say what it would be.", "true")],
    body: Some(Shape::of::<Issue>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<InvoiceBody>()),
        about: "The invoice; 200 for a preview.",
        ..Operation::READ.success
    },
    refusals: &["invoice.below_minimum", "invoice.before_the_last", "invoice.not_over", "projection_behind"],
    run: |call| Box::pin(issue(call)),
    ..Operation::WRITE
};

/// Whom to ask, and for all that happened before when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// Id or slug.
    site: String,
    /// Now when left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
}

impl Exemplary for Issue {
    fn example() -> Value {
        json!({ "site": "fara-foot", "to": "2026-12-01T00:00:00Z" })
    }
}

async fn issue(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        for id in &record.ids {
            let invoice: Loaded<Invoice> = call.load_at(InvoiceId::new(*id), record.last).await?;
            if invoice.version > 0 {
                return answer(&invoice, record.last);
            }
        }
        return Err(Problem::new("server.error").into());
    }
    let body: Issue = call.body()?;
    let site_id = call.site_named(&body.site).await?;
    let invoice_id = InvoiceId::new(call.new_id());
    let store = &call.app.store;
    let mut tries = Tries::default();
    loop {
        let site: Loaded<Site> = store.load(site_id).await?;
        call.may_touch(&site::object(&site))?;
        let Some(identity) = &site.state.identity else { return Err(Problem::new("object.not_found").into()) };
        let last = last(store, site_id).await?;
        let previous = last.as_ref().map(|last| Previous { invoice: &last.it, position: last.position });
        let head = store.head().await?;
        let to = body.to.map(|to| to.0);
        let up_to = match to {
            Some(to) => store.position_before(to).await?,
            None => head,
        };
        reached(&call.app, head).await?;
        let due = due(store.pool(), site_id, identity.currency, up_to).await.map_err(Problem::from)?;
        let Some(due) = due else { return Err(Problem::new("projection_behind").retry_after(1).into()) };
        let now = call.now();
        let to = to.unwrap_or(now);
        if call.query.flag("preview") {
            let plan = plan(&site, previous, &due, to, now)?;
            let body = InvoiceBody::sums(site.id.uuid(), &plan);
            return Ok(Reply::json(StatusCode::OK, &body)?.position(due.read_at));
        }
        let decision = decide(invoice_id, &site, previous, &due, to, call.actor(), now)?;
        match call.append(decision.clone(), Some(site_id)).await? {
            Attempt::Written(written) => return answer(&after(Loaded::new(invoice_id), &decision), written.position),
            // Another one follows the last one already: look again.
            Attempt::Moved | Attempt::Guarded(_) => tries.again()?,
        }
    }
}

fn answer(invoice: &Loaded<Invoice>, position: i64) -> Result<Reply, Halt> {
    let body =
        InvoiceBody::of(invoice.id, &invoice.state, invoice.version).ok_or_else(|| Problem::new("server.error"))?;
    let reply = Reply::json(StatusCode::CREATED, &body)?;
    Ok(reply.position(position).header(header::LOCATION, format!("/v1/invoices/{}", invoice.id)).derived())
}
