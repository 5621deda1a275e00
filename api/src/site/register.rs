//! A site enters the catalogue, whole: profile, ground, hours, tariffs, terms, contact.

use axum::http::StatusCode;
use chrono_tz::Tz;
use domain::{
    actor::Role,
    aggregate::Loaded,
    decision::Decision,
    ids::{PrincipalId, SiteId},
    key::Scope,
    money::Currency,
    policy::Policy,
    sealed::field,
    site::{self, Profile, Site},
    text::Slug,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use adapters::phone;

use super::{
    SiteBody,
    ground::{self, HoursInput, PitchInput, TariffInput},
};
use crate::{
    http::{
        call::Call,
        command::{Attempt, Tries, after},
        halt::Halt,
        operation::{Authz, Exemplary, IfMatch, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const REGISTER: Operation = Operation {
    id: "site.register",
    path: "/v1/sites",
    summary: "Enter a site in the catalogue",
    about: "Profile, ground, hours, prices and terms in one step, all or nothing.",
    authz: Authz::Keys {
        scope: Scope::SitesWrite,
        roles: &[(Role::Manager, Over::Sites), (Role::Admin, Over::All), (Role::Service, Over::Sites)],
    },
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<Register>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<SiteBody>()),
        about: "The site.",
        ..Operation::READ.success
    },
    refusals: &["object.exists", "site.too_many", "site.twice", "site.hours_overlap", "site.unknown_cell"],
    run: |call| Box::pin(register(call)),
    ..Operation::WRITE
};

/// A site as it begins.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    #[schema(value_type = String, max_length = 60)]
    slug: Slug,
    /// Who runs it; a manager registers their own.
    manager_id: Option<Uuid>,
    /// IANA name.
    #[schema(value_type = String)]
    time_zone: Tz,
    #[schema(value_type = String)]
    currency: Currency,
    /// Name, address, city, country, location, footprint, surface, area, capacity, rules, notes, methods.
    #[schema(value_type = Object)]
    profile: Profile,
    #[schema(value_type = Vec<String>)]
    cells: Vec<Slug>,
    pitches: Vec<PitchInput>,
    hours: Vec<HoursInput>,
    tariffs: Vec<TariffInput>,
    /// The platform's defaults when left out.
    #[schema(value_type = Option<Object>)]
    policy: Option<Policy>,
    contact: Option<ContactInput>,
}

/// Where the manager hears of bookings. Never shown.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactInput {
    /// As dialled in the country of the site, or international.
    phone: Option<String>,
    email: Option<String>,
}

impl Exemplary for Register {
    fn example() -> Value {
        json!({
            "slug": "temple-du-foot", "time_zone": "Africa/Dakar", "currency": "XOF",
            "profile": { "name": "Temple du Foot", "city": "Dakar", "country": "SN",
                         "location": { "lat": 14.74, "lon": -17.51 } },
            "cells": ["a", "b"],
            "pitches": [{ "slug": "grand", "name": "Grand terrain", "format": "8x8", "cells": ["a", "b"] }],
            "hours": [{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "opens": "08:00", "closes": "01:00" }],
            "tariffs": [{ "price": { "amount": 30000, "currency": "XOF" }, "minutes": 60 }],
        })
    }
}

async fn register(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        let id = record.ids.first().copied().unwrap_or_default();
        let site: Loaded<Site> = call.load_at(SiteId::new(id), record.last).await?;
        return Ok(super::show(&site, StatusCode::CREATED, Some(record.last))?.derived());
    }
    let body: Register = call.body()?;
    let manager = match (call.caller.role(), body.manager_id) {
        (Some(Role::Manager), None) => call.caller.principal().unwrap_or_default(),
        (Some(Role::Manager), Some(named)) if call.caller.principal() != Some(named) => {
            return Err(Problem::new("request.invalid_field")
                .at("/manager_id", "a manager registers their own")
                .into());
        }
        (_, Some(named)) => named,
        (_, None) => return Err(Problem::new("request.invalid_field").at("/manager_id", "is required").into()),
    };
    let new: Loaded<Site> = Loaded::new(SiteId::new(call.new_id()));
    let mut tries = Tries::default();
    loop {
        let decision = decide(&call, &new, &body, PrincipalId::new(manager)).await?;
        match call.append(decision.clone(), Some(new.id)).await? {
            Attempt::Written(written) => {
                let site = after(new, &decision);
                return Ok(super::show(&site, StatusCode::CREATED, Some(written.position))?.derived());
            }
            Attempt::Moved => tries.again()?,
            Attempt::Guarded(refusal) => {
                return Err(Halt::refused(Problem::from(refusal).at("/slug", "is the slug of another site")));
            }
        }
    }
}

async fn decide(call: &Call, new: &Loaded<Site>, body: &Register, manager: PrincipalId) -> Result<Decision, Halt> {
    let registration = site::Registration {
        slug: body.slug.clone(),
        manager_id: manager,
        time_zone: body.time_zone,
        currency: body.currency,
        profile: body.profile.clone(),
    };
    let mut all = site::register(new, registration)?;
    let mut site = after(new.clone(), &all);
    let (cells, pitches) = ground::ground(call, &site.state, &body.cells, &body.pitches)?;
    add(&mut all, &mut site, |site| site::set_ground(site, cells, pitches, false))?;
    add(&mut all, &mut site, |site| site::set_hours(site, ground::hours(&body.hours), true))?;
    let tariffs = ground::tariffs(call, &site.state.pitches, &body.tariffs)?;
    add(&mut all, &mut site, |site| site::set_tariffs(site, tariffs))?;
    if let Some(policy) = body.policy.clone() {
        add(&mut all, &mut site, |site| site::set_policy(site, policy))?;
    }
    if let Some(contact) = &body.contact {
        let subjects = call.app.store.subjects();
        let mut sealed = (None, None);
        if let Some(text) = &contact.phone {
            let number = phone::mobile(text)
                .map_err(|refused| Problem::new("request.invalid_field").at("/contact/phone", refused.to_string()))?;
            sealed.0 = Some(subjects.seal(manager.uuid(), field::PHONE, number.e164()).await?);
        }
        if let Some(email) = &contact.email {
            if email.len() > 254 || !email.contains('@') || email.chars().any(char::is_whitespace) {
                return Err(Problem::new("request.invalid_field").at("/contact/email", "is not an address").into());
            }
            sealed.1 = Some(subjects.seal(manager.uuid(), field::EMAIL, email).await?);
        }
        add(&mut all, &mut site, |site| site::set_contact(site, manager, sealed.0, sealed.1))?;
    }
    Ok(all)
}

/// Decides the next part on the site as the parts before leave it.
fn add(
    all: &mut Decision,
    site: &mut Loaded<Site>,
    decide: impl FnOnce(&Loaded<Site>) -> Result<Decision, site::Refusal>,
) -> Result<(), Halt> {
    let next = decide(site)?;
    *site = after(site.clone(), &next);
    *all = std::mem::take(all).and(next);
    Ok(())
}
