//! Payouts, by site and status: only those the caller may see.

use domain::{
    actor::Role,
    ids::{PrincipalId, SiteId},
    payout::Status,
};
use projections::chain::{self, Filter, Whose};

use super::{PayoutBody, READS};
use crate::{
    http::{
        admission::Class,
        call::Call,
        halt::Halt,
        list::List,
        operation::{Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const LIST: Operation = Operation {
    id: "payout.list",
    path: "/v1/payouts",
    class: Class::Analytics,
    summary: "Payouts",
    about: "Newest first. A manager sees those of their sites.",
    authz: READS,
    query: &[
        Param::new("site_id", Kind::Name, "Id or slug.", "fara-foot").checked("the sites there are"),
        Param::new("status", Kind::OneOf(&Status::ALL), "Where they stand.", "prepared"),
        Param::limit("Payouts on a page; 20 when left out."),
        Param::CURSOR,
    ],
    success: Success {
        shape: Some(Shape::of::<List<PayoutBody>>()),
        about: "A page of payouts.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

async fn list(call: Call) -> Result<Reply, Halt> {
    let page = chain::list(call.app.store.pool(), &filter(&call).await?, call.cursor(), call.limit()).await?;
    let shown = page.items.iter().filter_map(|row| PayoutBody::of(row.id.into(), &row.state, row.version));
    Reply::list(&call, &page, shown)
}

/// Which payouts or invoices. The rights of the table are a condition of the query: what is not in the list cannot leak.
pub(crate) async fn filter(call: &Call) -> Result<Filter, Problem> {
    let whose = match call.caller.role() {
        Some(Role::Finance | Role::Admin | Role::Auditor) => Whose::Everybody,
        _ => Whose::Manager(PrincipalId::new(call.caller.principal().unwrap_or_default())),
    };
    Ok(Filter {
        whose,
        within: call.caller.sites().map(<[SiteId]>::to_vec),
        site_id: call.site_asked().await?,
        status: call.query.text("status").map(str::to_owned),
    })
}
