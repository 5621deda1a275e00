//! Promo codes: made, looked at, ended; and how a code is found by what a client types.

mod create;
mod end;
mod list;
mod turns;

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::{PromotionId, SiteId},
    interval::Interval,
    key::Scope,
    policy::Policy,
    promotion::{self, Fit, PromoCode, Promotion, Redeem, Reduction, Refusal},
    quote::Price,
    site::Site,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

pub use turns::Turnstiles;

use crate::{
    App,
    http::{
        call::Call,
        etag,
        operation::{Authz, Exemplary, Operation, Over},
        reply::Reply,
    },
    problem::Problem,
    shape::{Money, utc_text},
    site::{day_name, object},
};

pub const OPERATIONS: &[&Operation] = &[&create::CREATE, &list::LIST, &list::SHOW, &end::END];

/// Whoever runs a site for its own codes; finance for those of every site: an admin moves no money.
const WRITES: Authz = Authz::Keys {
    scope: Scope::SitesWrite,
    roles: &[(Role::Manager, Over::Sites), (Role::Service, Over::MadeOrSites), (Role::Finance, Over::All)],
};

const READS: Authz = Authz::Keys {
    scope: Scope::PaymentsRead,
    roles: &[
        (Role::Manager, Over::Sites),
        (Role::Service, Over::MadeOrSites),
        (Role::Finance, Over::All),
        (Role::Admin, Over::All),
        (Role::Auditor, Over::All),
    ],
};

/// A promo code.
#[derive(Serialize, ToSchema)]
#[schema(as = Promotion)]
pub struct PromotionBody {
    object: &'static str,
    id: Uuid,
    /// `active`, `scheduled`, `exhausted`, `expired` or `ended`.
    status: &'static str,
    code: String,
    /// Null for every site.
    site_id: Option<Uuid>,
    /// A part of the price: 1000 is 10 %. Or `amount`.
    percent_basis_points: Option<u16>,
    amount: Option<Money>,
    minimum_total: Option<Money>,
    valid_from: String,
    valid_to: String,
    formats: Vec<String>,
    days: Vec<&'static str>,
    budget: Option<Money>,
    uses: Option<u32>,
    uses_per_client: Option<u32>,
    /// How often it is used. What came back, because a hold ended or all was given back, is not counted.
    used: u32,
    /// What it took off prices.
    given: Money,
    /// Of the budget; null without one.
    budget_left: Option<Money>,
    uses_left: Option<u32>,
    created_at: String,
    ended_at: Option<String>,
    version: i32,
}

impl Exemplary for PromotionBody {
    fn example() -> Value {
        json!({
            "object": "promotion", "id": "019ab2c4-5f00-7000-8000-0000000000d1", "status": "active", "code": "TABASKI-10",
            "site_id": "019ab2c4-5f00-7000-8000-000000000001", "percent_basis_points": 1000, "amount": null,
            "valid_from": "2026-11-28T00:00:00Z", "valid_to": "2026-12-28T00:00:00Z", "uses": 50, "used": 3,
            "given": { "amount": 12000, "currency": "XOF" }, "uses_left": 47, "version": 4,
        })
    }
}

/// A promotion with its figures, from the view or from its stream.
pub struct Shown<'a> {
    pub id: PromotionId,
    pub site_id: Option<SiteId>,
    pub terms: &'a promotion::Terms,
    pub created_at: Option<domain::Timestamp>,
    pub ended_at: Option<domain::Timestamp>,
    pub used: u32,
    pub given: domain::money::Money,
    pub version: i32,
}

impl PromotionBody {
    fn of(shown: &Shown<'_>, now: domain::Timestamp) -> Self {
        let Shown { terms, used, given, .. } = *shown;
        let left = terms.budget.map(|budget| budget.minus(given).unwrap_or(budget));
        let uses_left = terms.uses.map(|most| most.saturating_sub(used));
        let spent = uses_left == Some(0) || left.is_some_and(|left| !left.is_positive());
        let (percent_basis_points, amount) = match terms.reduction {
            Reduction::Percent { basis_points } => (Some(basis_points.0), None),
            Reduction::Fixed { amount } => (None, Some(amount.into())),
        };
        Self {
            object: "promotion",
            id: shown.id.uuid(),
            status: match () {
                () if shown.ended_at.is_some() => "ended",
                () if terms.valid.to() <= now => "expired",
                () if spent => "exhausted",
                () if now < terms.valid.from() => "scheduled",
                () => "active",
            },
            code: terms.code.as_str().to_owned(),
            site_id: shown.site_id.map(SiteId::uuid),
            percent_basis_points,
            amount,
            minimum_total: terms.minimum_total.map(Into::into),
            valid_from: utc_text(terms.valid.from()),
            valid_to: utc_text(terms.valid.to()),
            formats: terms.formats.iter().map(ToString::to_string).collect(),
            days: terms.days.iter().copied().map(day_name).collect(),
            budget: terms.budget.map(Into::into),
            uses: terms.uses,
            uses_per_client: terms.uses_per_client,
            used,
            given: given.into(),
            budget_left: left.map(Into::into),
            uses_left,
            created_at: shown.created_at.map(utc_text).unwrap_or_default(),
            ended_at: shown.ended_at.map(utc_text),
            version: shown.version,
        }
    }

    fn folded(promotion: &Loaded<Promotion>, now: domain::Timestamp) -> Option<Self> {
        let state = &promotion.state;
        let shown = Shown {
            id: promotion.id,
            site_id: state.site_id,
            terms: state.terms.as_ref()?,
            created_at: state.created_at,
            ended_at: state.ended_at,
            used: state.uses(),
            given: state.given()?,
            version: promotion.version,
        };
        Some(Self::of(&shown, now))
    }

    fn viewed(row: &projections::promotion::Promotion, now: domain::Timestamp) -> Self {
        let shown = Shown {
            id: row.promotion_id,
            site_id: row.site_id,
            terms: &row.terms,
            created_at: Some(row.created_at),
            ended_at: row.ended_at,
            used: row.uses,
            given: row.given,
            version: row.version,
        };
        Self::of(&shown, now)
    }
}

/// From its stream: what a write answers.
fn show(
    call: &Call,
    promotion: &Loaded<Promotion>,
    status: StatusCode,
    position: Option<i64>,
) -> Result<Reply, Problem> {
    let body = PromotionBody::folded(promotion, call.now()).ok_or_else(|| Problem::new("object.not_found"))?;
    let reply = Reply::json(status, &body)?;
    let tag = etag::of(promotion.version, &[&reply.body]);
    let reply = reply.etag(tag);
    Ok(match position {
        Some(position) => reply.position(position),
        None => reply,
    })
}

/// Whether the caller may touch a promotion of this site, or one of every site: those are for whoever sees all of them.
///
/// # Errors
/// `object.not_found`.
async fn may_touch(call: &Call, site_id: Option<SiteId>) -> Result<(), Problem> {
    let all = call.caller.over(call.operation) == Some(Over::All);
    match site_id {
        Some(site_id) => call.may_touch(&object(&*call.app.store.recall::<Site>(site_id).await?)),
        None if all && call.caller.sites().is_none() => Ok(()),
        None => Err(Problem::new("object.not_found")),
    }
}

impl Call {
    /// The promotion of the path, if the caller may touch it.
    ///
    /// # Errors
    /// `object.not_found`.
    async fn own_promotion(&self) -> Result<Loaded<Promotion>, Problem> {
        let id = PromotionId::new(self.uuid("id")?);
        let loaded = self.app.store.load::<Promotion>(id).await;
        let promotion = loaded.map_err(crate::reservation::not_found_if_other)?;
        if promotion.state.terms.is_none() {
            return Err(Problem::new("object.not_found"));
        }
        may_touch(self, promotion.state.site_id).await?;
        Ok(promotion)
    }
}

/// The promotion of a code at a site: its own, else one of every site. Whatever is wrong with a word is answered in the same
/// way, so that trying words teaches nothing.
///
/// # Errors
/// `promotion.invalid`.
pub async fn of_code(app: &App, site_id: SiteId, raw: &str) -> Result<PromotionId, Problem> {
    let invalid = || Problem::from(Refusal::Invalid).at("/promo_code", "does not count here");
    let code = PromoCode::new(raw).map_err(|_| invalid())?;
    for site in [Some(site_id), None] {
        if let Some(id) = app.store.holder_of(promotion::CODE, &promotion::name(site, &code)).await? {
            return Ok(PromotionId::new(id));
        }
    }
    Err(invalid())
}

/// A price with the discount of a code, for a quote.
///
/// # Errors
/// `promotion.*`.
pub async fn quoted(
    call: &Call,
    site: &Loaded<Site>,
    slot: (domain::ids::PitchId, Interval),
    code: &str,
    price: &Price,
    policy: &Policy,
) -> Result<Price, Problem> {
    let id = of_code(&call.app, site.id, code).await?;
    let promotion: Loaded<Promotion> = call.app.store.load(id).await?;
    let fit = Fit::of(site, slot.0, slot.1).ok_or(Refusal::Invalid)?;
    let own = (call.caller.role() == Some(Role::Client)).then(|| call.caller.principal()).flatten();
    let client_id = own.map(domain::ids::ClientId::new);
    let redeem = Redeem { promotion: &promotion, fit: &fit, price, policy, client_id, now: call.now() };
    Ok(redeem.quote()?)
}
