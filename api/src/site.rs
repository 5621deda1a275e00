//! Sites: found, looked at, and run by their managers.

mod availability;
mod body;
mod close;
mod contract;
mod geojson;
mod ground;
mod lift;
mod payouts;
mod register;
mod search;
mod set_ground;
mod set_hours;
mod set_policy;
mod set_tariffs;
mod show;

use std::sync::Arc;

use axum::http::{StatusCode, header};
use domain::{
    Timestamp,
    actor::Role,
    aggregate::Loaded,
    decision::Decision,
    ids::SiteId,
    interval::Interval,
    key::Scope,
    site::{self, Site},
    text::Slug,
};
use uuid::Uuid;

pub use body::{SiteBody, day_name};
pub use ground::{pitch_named, weekdays};

use crate::{
    http::{
        admission::Class,
        call::{Call, Object},
        command::{Tries, after},
        etag,
        halt::Halt,
        operation::{Authz, IfMatch, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const OPERATIONS: &[&Operation] = &[
    &search::SEARCH,
    &geojson::GEOJSON,
    &show::SHOW,
    &availability::AVAILABILITY,
    &register::REGISTER,
    &set_hours::SET_HOURS,
    &set_hours::SET_DAY,
    &set_tariffs::SET_TARIFFS,
    &set_policy::SET_POLICY,
    &contract::SET_CONTRACT,
    &contract::SHOW_CONTRACT,
    &payouts::SET_PAYOUT_ACCOUNT,
    &payouts::SHOW_PAYOUT_ACCOUNT,
    &payouts::HOLD_PAYOUTS,
    &payouts::RELEASE_PAYOUTS,
    &set_ground::SET_GROUND,
    &close::CLOSE,
    &lift::LIFT,
];

/// Who configures a site.
const CONFIGURES: Authz = Authz::Keys {
    scope: Scope::SitesWrite,
    roles: &[(Role::Manager, Over::Sites), (Role::Admin, Over::All), (Role::Service, Over::Sites)],
};

/// A replacement of one part of a site's configuration.
const CONFIGURE: Operation = Operation {
    method: axum::http::Method::PUT,
    class: Class::Hold,
    authz: CONFIGURES,
    if_match: IfMatch::Required,
    success: Success {
        shape: Some(Shape::of::<SiteBody>()),
        about: "The site as it is now.",
        ..Operation::READ.success
    },
    refusals: &["site.too_many", "site.twice", "site.hours_overlap", "version.conflict", "request.invalid_field"],
    ..Operation::READ
};

impl Call {
    /// The id of the site that a text names: its id or its slug.
    ///
    /// # Errors
    /// `object.not_found` when there is no such site.
    pub async fn site_named(&self, name: &str) -> Result<SiteId, Problem> {
        if let Ok(id) = Uuid::try_parse(name) {
            return Ok(SiteId::new(id));
        }
        let slug = Slug::new(name).map_err(|_| Problem::new("object.not_found"))?;
        let id = self.app.store.holder_of(site::SLUG, slug.as_str()).await?;
        id.map(SiteId::new).ok_or_else(|| Problem::new("object.not_found"))
    }

    /// The site that a list is narrowed to, if it is.
    ///
    /// # Errors
    /// `object.not_found` when there is no such site.
    pub async fn site_asked(&self) -> Result<Option<SiteId>, Problem> {
        match self.query.text("site_id") {
            Some(name) => self.site_named(name).await.map(Some),
            None => Ok(None),
        }
    }

    /// The site of the path, if the caller may touch it: as it is in the log now.
    ///
    /// # Errors
    /// `object.not_found`.
    pub async fn own_site(&self) -> Result<Loaded<Site>, Problem> {
        let id = self.site_named(self.segment("id")).await?;
        let site: Loaded<Site> = self.app.store.load(id).await?;
        self.may_touch(&object(&site))?;
        if site.state.is_registered() { Ok(site) } else { Err(Problem::new("object.not_found")) }
    }

    /// A site as this process remembers it: for decisions that rely on its version.
    ///
    /// # Errors
    /// `object.not_found`.
    pub async fn remembered_site(&self, id: SiteId) -> Result<Arc<Loaded<Site>>, Problem> {
        let site = self.app.store.recall::<Site>(id).await?;
        if site.state.is_registered() { Ok(site) } else { Err(Problem::new("object.not_found")) }
    }
}

/// Whose a site is. A site that does not exist is nobody's.
pub fn object(site: &Loaded<Site>) -> Object {
    Object::of_site(site.id, site.state.identity.as_ref().map(|identity| identity.manager_id.uuid()))
}

/// Whether a game at a site is one of today's there.
pub fn is_of_today(site: &Loaded<Site>, game: Interval, now: Timestamp) -> bool {
    let identity = site.state.identity.as_ref();
    identity.is_some_and(|identity| site.state.hours.is_of_today(identity.time_zone, game, now))
}

/// Decides on the site of the path until it is written, and answers the site as it is then.
async fn configure(
    call: &Call,
    decide: impl Fn(&Loaded<Site>) -> Result<Decision, Halt> + Send,
) -> Result<Reply, Halt> {
    let mut tries = Tries::default();
    loop {
        let site = call.own_site().await?;
        call.precondition.check(site.version)?;
        let decision = decide(&site)?;
        if decision.is_nothing() {
            return show(&site, StatusCode::OK, None);
        }
        if let Some(written) = call.write(decision.clone(), Some(site.id)).await? {
            return show(&after(site, &decision), StatusCode::OK, Some(written.position));
        }
        tries.again()?;
    }
}

/// A site as the answer to a write.
fn show(site: &Loaded<Site>, status: StatusCode, position: Option<i64>) -> Result<Reply, Halt> {
    let body = SiteBody::of(site).ok_or_else(|| Problem::new("object.not_found"))?;
    let reply = Reply::json(status, &body)?;
    let tag = etag::of(site.version, &[&reply.body]);
    let reply = reply.etag(tag).header(header::LOCATION, format!("/v1/sites/{}", site.id));
    Ok(match position {
        Some(position) => reply.position(position),
        None => reply,
    })
}
