//! The differences of a day.

use domain::reconciliation::Standing;
use projections::reconciliation::differences as find;

use super::{Day, account::ACCOUNT, body::DifferenceBody};
use crate::http::{
    admission::Class,
    call::Call,
    halt::Halt,
    list::List,
    operation::{Kind, Operation, Param, Shape, Success},
    reply::Reply,
};

pub const DIFFERENCES: Operation = Operation {
    id: "reconciliation.differences",
    path: "/v1/reconciliations/{provider}/{day}/differences",
    class: Class::Analytics,
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
        Param::limit("Differences on a page; 20 when left out."),
        Param::CURSOR,
    ],
    success: Success { shape: Some(Shape::of::<List<DifferenceBody>>()), about: "A page.", ..Operation::READ.success },
    refusals: &["reconciliation.unknown_account"],
    run: |call| Box::pin(differences(call)),
    ..Operation::READ
};

async fn differences(call: Call) -> Result<Reply, Halt> {
    let day = Day::of(&call).await?;
    let standing = call.query.text("standing");
    let standing = standing.and_then(|name| Standing::ALL.into_iter().find(|known| known.as_str() == name));
    let page = find(call.app.store.pool(), day.id, standing, call.cursor(), call.limit()).await?;
    Reply::list(&call, &page, page.items.iter().map(DifferenceBody::viewed))
}
