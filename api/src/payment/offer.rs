//! Which ways to pay there are at a site now, in the order in which to offer them.
//!
//! What is out of order is told by the workers who call the providers ([`eventstore::health`]). It is advice: a payment by
//! a method that is out of order is taken and tried, and a table that cannot be read says that all is well.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use domain::{
    aggregate::Loaded, ids::ReservationId, payment::Method, reservation::Reservation, site::Site, text::Slug,
};
use eventstore::health::{self, Unwell};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    App,
    http::{
        call::Call,
        halt::Halt,
        language::Language,
        operation::{Authz, Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::utc_text,
};

pub const METHODS: Operation = Operation {
    id: "payment_method.list",
    path: "/v1/payment-methods",
    summary: "Ways to pay",
    about: "Those whose money a provider moves, in the order in which to offer them: as the site lists them, or as the \
            platform does, with those that are out of order at the end. What is out of order may be chosen all the same, \
            and is tried until the hold ends.",
    authz: Authz::Anyone,
    query: &[Param::new("site", Kind::Name, "Id or slug: what this site takes.", "fara-foot")],
    success: Success { shape: Some(Shape::of::<PaymentMethods>()), about: "The methods.", ..Operation::READ.success },
    run: |call| Box::pin(methods(call)),
    ..Operation::READ
};

/// How long an answer of the table is remembered by a process.
const REMEMBERED: Duration = Duration::from_millis(500);

/// What was read of the table last.
#[derive(Default)]
pub struct Health(Mutex<Option<(Instant, Arc<[Unwell]>)>>);

/// A way to pay, and what is wrong with it.
pub(crate) struct Offered {
    pub method: Method,
    pub unwell: Option<Unwell>,
}

/// What can be chosen at a site, or at one that lists nothing, when the money goes through this account: those that work
/// first.
pub(crate) async fn offered(app: &App, site: Option<&Loaded<Site>>, account: Option<&Slug>) -> Vec<Offered> {
    let unwell = unwell(app).await;
    let name = account.map_or("", Slug::as_str);
    let of = |method| unwell.iter().find(|unwell| unwell.method == method && unwell.account == name).cloned();
    let mut offered: Vec<Offered> = in_order(app.settings.methods_of(account), site)
        .into_iter()
        .map(|method| Offered { method, unwell: of(method) })
        .collect();
    // Stable: among those that work the order stays what it was.
    offered.sort_by_key(|offered| offered.unwell.is_some());
    offered
}

/// The same, as it is shown to a caller.
///
/// # Errors
/// When the site cannot be read.
pub(crate) async fn ways(call: &Call, id: ReservationId) -> Result<Vec<PaymentMethod>, Problem> {
    let reservation: Loaded<Reservation> = call.app.store.load(id).await?;
    let Some(terms) = &reservation.state.terms else { return Ok(Vec::new()) };
    let site = call.app.store.recall::<Site>(terms.slot.site_id).await?;
    let offered = offered(&call.app, Some(&site), account_of(&reservation)).await;
    Ok(offered.iter().map(|offered| PaymentMethod::of(offered, call.language)).collect())
}

/// The merchant account that the money of a reservation goes through.
pub(crate) fn account_of(reservation: &Loaded<Reservation>) -> Option<&Slug> {
    reservation.state.terms.as_ref()?.contract.merchant_account.as_ref()
}

/// The methods that a site takes, of those that are `configured`: in its own order, or in that of the platform when it
/// lists none.
pub(crate) fn in_order(configured: &[Method], site: Option<&Loaded<Site>>) -> Vec<Method> {
    let identity = site.and_then(|site| site.state.identity.as_ref());
    let listed = identity.map(|identity| identity.profile.payment_methods.as_slice()).unwrap_or_default();
    if listed.is_empty() {
        return configured.to_vec();
    }
    let mut methods = Vec::new();
    for method in listed.iter().filter(|method| configured.contains(method)) {
        if !methods.contains(method) {
            methods.push(*method);
        }
    }
    methods
}

/// The rails that are out of order.
async fn unwell(app: &App) -> Arc<[Unwell]> {
    let lock = || app.health.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, known)) = &*lock()
        && at.elapsed() < REMEMBERED
    {
        return Arc::clone(known);
    }
    let read = health::unwell(app.store.pool()).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "how the rails fare cannot be read");
        Vec::new()
    });
    let known: Arc<[Unwell]> = read.into();
    *lock() = Some((Instant::now(), Arc::clone(&known)));
    known
}

/// As payers know it.
pub(crate) const fn label(method: Method) -> &'static str {
    match method {
        Method::Wave => "Wave",
        Method::OrangeMoney => "Orange Money",
        Method::Yas => "Mixx by Yas",
        Method::Card => "Carte bancaire",
        Method::Cash => "Espèces",
        Method::Transfer => "Virement",
        Method::OnAccount => "Sur place",
        Method::Credit => "Avoir",
    }
}

/// A button for each, for a form of ours.
pub(crate) fn buttons(offered: &[Offered]) -> String {
    let button = |offered: &Offered| {
        let (value, name) = (offered.method.as_str(), label(offered.method));
        let warning = if offered.unwell.is_some() { " (ne répond pas en ce moment)" } else { "" };
        format!("<p><button name=\"method\" value=\"{value}\">{name}{warning}</button></p>")
    };
    offered.iter().map(button).collect()
}

/// Ways to pay.
#[derive(Serialize, ToSchema)]
pub struct PaymentMethods {
    object: &'static str,
    /// Null when no site was named.
    site_id: Option<Uuid>,
    data: Vec<PaymentMethod>,
}

/// A way to pay.
#[derive(Serialize, ToSchema)]
pub struct PaymentMethod {
    object: &'static str,
    #[schema(value_type = String, example = "wave")]
    method: Method,
    /// As payers know it.
    name: &'static str,
    /// False while its provider is out of order, as far as is known.
    available: bool,
    /// Why not.
    reason: Option<Why>,
}

/// Why a method is out of order.
#[derive(Serialize, ToSchema)]
pub struct Why {
    /// `no_answer`, or `refused_us`; more may come.
    code: &'static str,
    /// For the payer, in the language asked for.
    text: String,
    since: String,
}

impl PaymentMethod {
    pub(crate) fn of(offered: &Offered, language: Language) -> Self {
        Self {
            object: "payment_method",
            method: offered.method,
            name: label(offered.method),
            available: offered.unwell.is_none(),
            reason: offered.unwell.as_ref().map(|unwell| Why::of(unwell, language)),
        }
    }
}

impl Why {
    /// What exactly went wrong is nobody's business but the operator's.
    fn of(unwell: &Unwell, language: Language) -> Self {
        let name = label(unwell.method);
        let (code, text) = match (unwell.error.as_str(), language) {
            ("refused_us", Language::Fr) => ("refused_us", format!("{name} n'est pas disponible ici en ce moment.")),
            ("refused_us", Language::En) => ("refused_us", format!("{name} is not available here at the moment.")),
            ("refused_us", Language::Wo) => ("refused_us", format!("{name} amul fii leegi.")),
            (_, Language::Fr) => ("no_answer", format!("{name} ne répond pas en ce moment.")),
            (_, Language::En) => ("no_answer", format!("{name} does not answer at the moment.")),
            (_, Language::Wo) => ("no_answer", format!("{name} tontuwul leegi.")),
        };
        Self { code, text, since: utc_text(unwell.since) }
    }
}

impl Exemplary for PaymentMethods {
    fn example() -> Value {
        json!({
            "object": "list", "site_id": null,
            "data": [
                { "object": "payment_method", "method": "orange_money", "name": "Orange Money", "available": true,
                  "reason": null },
                { "object": "payment_method", "method": "wave", "name": "Wave", "available": false,
                  "reason": { "code": "no_answer", "text": "Wave ne répond pas en ce moment.",
                              "since": "2026-11-28T12:00:00Z" } },
            ],
        })
    }
}

async fn methods(call: Call) -> Result<Reply, Halt> {
    let site = match call.query.text("site") {
        Some(name) => Some(call.remembered_site(call.site_named(name).await?).await?),
        None => None,
    };
    let account = site.as_ref().and_then(|site| site.state.contract().merchant_account);
    let offered = offered(&call.app, site.as_deref(), account.as_ref()).await;
    let body = PaymentMethods {
        object: "list",
        site_id: site.map(|site| site.id.uuid()),
        data: offered.iter().map(|offered| PaymentMethod::of(offered, call.language)).collect(),
    };
    Ok(Reply::json(StatusCode::OK, &body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_that_lists_nothing_takes_all_in_the_order_of_the_platform() {
        let configured = [Method::OrangeMoney, Method::Wave];
        assert_eq!(in_order(&configured, None), configured);
    }

    #[test]
    fn why_is_said_in_three_languages_and_never_exactly() {
        let at = chrono::DateTime::UNIX_EPOCH;
        let unwell = |error: &str| Unwell {
            method: Method::Wave,
            account: String::new(),
            since: at,
            until: at,
            error: error.into(),
        };
        for (language, said) in [
            (Language::Fr, "Wave ne répond pas en ce moment."),
            (Language::En, "Wave does not answer at the moment."),
            (Language::Wo, "Wave tontuwul leegi."),
        ] {
            let why = Why::of(&unwell("http_status"), language);
            assert_eq!((why.code, why.text.as_str()), ("no_answer", said));
            assert_eq!(Why::of(&unwell("refused_us"), language).code, "refused_us");
        }
    }
}
