//! Codes, with what each gave and what is left.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    ids::{PrincipalId, PromotionId, SiteId},
};
use projections::promotion::{self, Whose};

use super::{PromotionBody, READS, may_touch};
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
    id: "promotion.list",
    path: "/v1/promotions",
    class: Class::Analytics,
    summary: "Promo codes",
    about: "The newest first, each with how often it is used, what it gave and what is left of it.",
    authz: READS,
    query: &[
        Param::new("site_id", Kind::Name, "Id or slug.", "fara-foot").checked("the sites there are"),
        Param::limit("Codes on a page; 20 when left out."),
        Param::CURSOR,
    ],
    success: Success {
        shape: Some(Shape::of::<List<PromotionBody>>()),
        about: "A page of promotions.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

pub const SHOW: Operation = Operation {
    id: "promotion.show",
    path: "/v1/promotions/{id}",
    class: Class::Analytics,
    summary: "A promo code",
    about: "With how often it is used, what it gave and what is left of it.",
    authz: READS,
    success: Success { shape: Some(Shape::of::<PromotionBody>()), about: "The promotion.", ..Operation::READ.success },
    refusals: &["object.not_found"],
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

async fn list(call: Call) -> Result<Reply, Halt> {
    let me = PrincipalId::new(call.caller.principal().unwrap_or_default());
    let sites = call.caller.sites();
    let (whose, within) = match call.caller.role() {
        Some(Role::Manager) => (Whose::Manager(me), sites),
        Some(Role::Finance | Role::Admin | Role::Auditor) => (Whose::Everybody, sites),
        _ => (Whose::Sites(sites.map(<[SiteId]>::to_vec).unwrap_or_default()), None),
    };
    let site = call.site_asked().await?;
    let page = promotion::list(call.app.store.pool(), &whose, within, site, call.cursor(), call.limit()).await?;
    let now = call.now();
    Reply::list(&call, &page, page.items.iter().map(|row| PromotionBody::viewed(row, now)))
}

async fn show(call: Call) -> Result<Reply, Halt> {
    let id = PromotionId::new(call.uuid("id")?);
    let found = promotion::find(call.app.store.pool(), id).await.map_err(Problem::from)?;
    let row = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    may_touch(&call, row.site_id).await?;
    let reply = Reply::json(StatusCode::OK, &PromotionBody::viewed(&row, call.now()))?;
    let tag = etag::of(row.version, &[&reply.body]);
    Ok(reply.etag(tag).position(found.as_of))
}
