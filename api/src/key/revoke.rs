//! Revoke a key: from now on it writes nothing, and within a second it reads nothing.

use axum::http::{Method, StatusCode};
use domain::{
    aggregate::Loaded,
    ids::KeyId,
    key::{self, Key},
};

use super::grant::{KEYS, KeyBody};
use crate::{
    http::{
        admission::Class,
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    reservation::not_found_if_other,
};

pub const REVOKE: Operation = Operation {
    id: "key.revoke",
    method: Method::DELETE,
    path: "/v1/keys/{id}",
    class: Class::Confirm,
    summary: "Revoke an API key",
    about: "For good. Again is harmless.",
    authz: KEYS,
    idempotent: false,
    success: Success { shape: Some(Shape::of::<KeyBody>()), about: "The revoked key.", ..Operation::READ.success },
    run: |call| Box::pin(revoke(call)),
    ..Operation::WRITE
};

async fn revoke(call: Call) -> Result<Reply, Halt> {
    call.may_touch_what_is_of_no_site()?;
    let id = KeyId::new(call.uuid("id")?);
    let mut tries = Tries::default();
    loop {
        let known: Loaded<Key> = call.app.store.load(id).await.map_err(not_found_if_other)?;
        if known.version == 0 {
            return Err(Problem::new("object.not_found").into());
        }
        call.precondition.check(known.version)?;
        let decision = key::revoke(&known, call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), None).await? {
            call.app.keys.forget_all();
            let body = KeyBody::of(&after(known, &decision), None).ok_or_else(|| Problem::new("object.not_found"))?;
            return Ok(Reply::json(StatusCode::OK, &body)?.position(written.position));
        }
        tries.again()?;
    }
}
