//! Keys without their secrets.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    ids::{KeyId, PrincipalId},
};
use projections::key::{Filter, find, list as keys};
use uuid::Uuid;

use super::grant::{KEYS, KeyBody};
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
    problem::Problem,
};

pub const LIST: Operation = Operation {
    id: "key.list",
    path: "/v1/keys",
    class: Class::Analytics,
    summary: "API keys",
    about: "The newest first. No secret is ever shown again.",
    authz: KEYS,
    query: &[
        Param::new(
            "role",
            Kind::OneOf(&[
                "client",
                "gatekeeper",
                "cashier",
                "manager",
                "support",
                "finance",
                "admin",
                "auditor",
                "service",
            ]),
            "Of that role.",
            "service",
        ),
        Param::new("principal_id", Kind::Id, "With which that person or service acts.", ""),
        Param::new("status", Kind::OneOf(&["working", "revoked"]), "That open, or that do not any more.", "working"),
        Param::limit("Keys on a page; 20 when left out."),
        Param::CURSOR,
    ],
    success: Success { shape: Some(Shape::of::<List<KeyBody>>()), about: "A page of keys.", ..Operation::READ.success },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

pub const SHOW: Operation = Operation {
    id: "key.show",
    path: "/v1/keys/{id}",
    class: Class::Analytics,
    summary: "An API key",
    about: "Without its secret.",
    authz: KEYS,
    success: Success { shape: Some(Shape::of::<KeyBody>()), about: "The key.", ..Operation::READ.success },
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

async fn list(call: Call) -> Result<Reply, Halt> {
    call.may_touch_what_is_of_no_site()?;
    let role = call.query.text("role");
    let filter = Filter {
        role: role.and_then(|name| serde_json::from_value::<Role>(name.into()).ok()),
        principal: call.query.parsed("principal_id", uuid)?.map(PrincipalId::new),
        revoked: call.query.text("status").map(|status| status == "revoked"),
    };
    let page = keys(call.app.store.pool(), &filter, call.cursor(), call.limit()).await?;
    Reply::list(&call, &page, page.items.iter().map(KeyBody::from))
}

fn uuid(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "is not a UUID".to_owned())
}

async fn show(call: Call) -> Result<Reply, Halt> {
    call.may_touch_what_is_of_no_site()?;
    let found = find(call.app.store.pool(), KeyId::new(call.uuid("id")?)).await.map_err(Problem::from)?;
    let key = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    let reply = Reply::json(StatusCode::OK, &KeyBody::from(&key))?;
    let tag = etag::of(key.version, &[&reply.body]);
    Ok(reply.etag(tag).position(found.as_of))
}
