//! Change an endpoint, or have events sent there again.

use axum::http::Method;
use domain::endpoint;

use super::{
    OWNERS,
    body::{EndpointBody, WantedEndpoint},
    callable, show,
};
use crate::http::{
    call::Call,
    command::{Tries, after},
    halt::Halt,
    operation::{IfMatch, Operation, Shape, Success},
    reply::Reply,
};

pub const CHANGE: Operation = Operation {
    id: "endpoint.change",
    method: Method::PUT,
    path: "/v1/endpoints/{id}",
    summary: "Change an endpoint",
    about: "Takes the place of the whole. What was disabled is sent to again, from now on: what happened meanwhile comes by a \
            replay. The owner's key of this call is the one whose rights count from now on.",
    authz: OWNERS,
    idempotent: false,
    if_match: IfMatch::Required,
    body: Some(Shape::of::<WantedEndpoint>()),
    success: Success { shape: Some(Shape::of::<EndpointBody>()), about: "The endpoint.", ..Operation::READ.success },
    refusals: &[
        "endpoint.not_encrypted",
        "endpoint.not_public",
        "endpoint.unknown_type",
        "endpoint.too_many_types",
        "endpoint.no_sites",
        "endpoint.may_not_read",
    ],
    run: |call| Box::pin(change(call)),
    ..Operation::WRITE
};

async fn change(call: Call) -> Result<Reply, Halt> {
    let mut tries = Tries::default();
    loop {
        let (known, _) = call.own_endpoint().await?;
        call.precondition.check(known.version)?;
        let wish = call.wish(call.body()?).await?;
        let decision = endpoint::change(&known, wish.clone(), call.own_key()?, call.app.is_test(), call.now())?;
        callable(&call, &wish)?;
        if let Some(written) = call.write(decision.clone(), None).await? {
            return Ok(show::answer(&after(known, &decision))?.position(written.position));
        }
        tries.again()?;
    }
}
