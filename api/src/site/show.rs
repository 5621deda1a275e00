//! One site, by id or slug: its public page.

use axum::http::StatusCode;
use domain::{ids::SiteId, text::Slug};
use projections::{page::Found, site};
use uuid::Uuid;

use super::SiteBody;
use crate::{
    http::{
        call::Call,
        etag,
        halt::Halt,
        operation::{Authz, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const SHOW: Operation = Operation {
    id: "site.show",
    path: "/v1/sites/{id}",
    summary: "A site's public page",
    about: "By id or slug. Never tells who runs it or how to reach them. The ETag is what `If-Match` wants.",
    authz: Authz::Anyone,
    success: Success { shape: Some(Shape::of::<SiteBody>()), about: "The site.", ..Operation::READ.success },
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

async fn show(call: Call) -> Result<Reply, Halt> {
    let found = find(&call, call.segment("id")).await?;
    let row = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    let body = SiteBody::of(&row.site).ok_or_else(|| Problem::new("object.not_found"))?;
    let reply = Reply::json(StatusCode::OK, &body)?;
    let tag = etag::of(row.site.version, &[&reply.body]);
    Ok(reply.etag(tag).position(found.as_of))
}

/// A site as the views have it, by id or slug.
///
/// # Errors
/// `object.not_found` when the name can be none.
pub async fn find(call: &Call, name: &str) -> Result<Found<site::SiteRow>, Problem> {
    let pool = call.app.store.pool();
    Ok(match Uuid::try_parse(name) {
        Ok(id) => site::find(pool, SiteId::new(id)).await?,
        Err(_) => {
            let slug = Slug::new(name).map_err(|_| Problem::new("object.not_found"))?;
            site::find_by_slug(pool, &slug).await?
        }
    })
}
