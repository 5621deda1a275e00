//! Lift a closure: the cells can be sold again.

use axum::http::Method;
use domain::{ids::ClosureId, site};

use super::{CONFIGURE, configure};
use crate::http::{
    call::Call,
    halt::Halt,
    operation::{IfMatch, Operation},
    reply::Reply,
};

pub const LIFT: Operation = Operation {
    id: "site.lift_closure",
    method: Method::DELETE,
    path: "/v1/sites/{id}/closures/{closure_id}",
    summary: "Lift a closure",
    about: "The cells can be sold again at once. Reservations that it cancelled stay cancelled.",
    if_match: IfMatch::Optional,
    run: |call| Box::pin(lift(call)),
    ..CONFIGURE
};

async fn lift(call: Call) -> Result<Reply, Halt> {
    let closure = ClosureId::new(call.uuid("closure_id")?);
    configure(&call, |site| Ok(site::lift_closure(site, closure)?)).await
}
