//! Days, the latest first.

use domain::reconciliation::{Provider, Status};
use projections::reconciliation::{Filter, list as find};

use super::{account, body::ReconciliationBody, sees_everything};
use crate::http::{
    admission::Class,
    call::Call,
    halt::Halt,
    list::List,
    operation::{Kind, Operation, Param, Shape, Success},
    reply::Reply,
};

pub const LIST: Operation = Operation {
    id: "reconciliation.list",
    path: "/v1/reconciliations",
    class: Class::Analytics,
    summary: "Days compared with statements of providers",
    about: "The latest day first.",
    authz: super::READS,
    query: &[
        Param::new("day", Kind::Date, "That day.", "2026-11-28"),
        Param::new("provider", Kind::OneOf(&["wave", "sonatel", "paytech", "paydunya"]), "At that provider.", "wave"),
        Param::new("account", Kind::Text, "Of the account of that name; of all when left out.", "main")
            .checked("the accounts there are at the provider"),
        Param::new("status", Kind::OneOf(&["awaited", "open", "closed"]), "In that status.", "open"),
        Param::limit("Days on a page; 20 when left out."),
        Param::CURSOR,
    ],
    success: Success {
        shape: Some(Shape::of::<List<ReconciliationBody>>()),
        about: "A page.",
        ..Operation::READ.success
    },
    refusals: &["reconciliation.unknown_account"],
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

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
    let page = find(call.app.store.pool(), &filter, call.cursor(), call.limit()).await?;
    Reply::list(&call, &page, page.items.iter().map(ReconciliationBody::viewed))
}
