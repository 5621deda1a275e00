//! Make a code.

use axum::http::{StatusCode, header};
use chrono::Weekday;
use domain::{
    aggregate::Loaded,
    ids::PromotionId,
    money::Currency,
    policy::BasisPoints,
    promotion::{self, Create, PromoCode, Promotion, Reduction, Terms},
    site::Format,
};
use eventstore::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{PromotionBody, WRITES, may_touch, show};
use crate::{
    http::{
        call::Call,
        command::{Attempt, Tries, after},
        halt::Halt,
        operation::{Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::{Money, Span},
    site::weekdays,
};

pub const CREATE: Operation = Operation {
    id: "promotion.create",
    path: "/v1/promotions",
    summary: "Make a promo code",
    about: "For a site that you run, or, without `site_id` and with a `budget`, for every site (finance). Its terms never \
            change: end it and make another. A code is at most once at a site, and once for every site.",
    authz: WRITES,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<CreatePromotion>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<PromotionBody>()),
        about: "The promotion.",
        ..Operation::READ.success
    },
    refusals: &["promotion.out_of_range", "promotion.role_not_allowed", "object.exists", "object.not_found"],
    run: |call| Box::pin(create(call)),
    ..Operation::WRITE
};

/// What a code gives.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePromotion {
    /// 3 to 32 letters, digits or inner hyphens; kept in capitals.
    #[schema(min_length = 3, max_length = 32)]
    code: String,
    /// Id or slug; every site when left out.
    site_id: Option<String>,
    /// A part of the price, rounded down to a whole unit: 1000 is 10 %. Or `amount`.
    #[schema(minimum = 1, maximum = 10_000)]
    percent_basis_points: Option<u16>,
    amount: Option<Money>,
    minimum_total: Option<Money>,
    /// When it may be used to book.
    valid: Span,
    #[serde(default)]
    formats: Vec<String>,
    /// Weekdays of the opening window in which the game begins: `mon` … `sun`.
    #[serde(default, deserialize_with = "weekdays")]
    #[schema(value_type = Vec<String>)]
    days: Vec<Weekday>,
    /// The most it gives in all.
    budget: Option<Money>,
    #[schema(minimum = 1)]
    uses: Option<u32>,
    #[schema(minimum = 1)]
    uses_per_client: Option<u32>,
}

impl Exemplary for CreatePromotion {
    fn example() -> Value {
        json!({
            "code": "TABASKI-10", "site_id": "fara-foot", "percent_basis_points": 1000, "uses": 50, "uses_per_client": 1,
            "valid": { "from": "2026-11-28T00:00:00Z", "to": "2026-12-28T00:00:00Z" },
            "budget": { "amount": 100000, "currency": "XOF" },
        })
    }
}

async fn create(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        let id = PromotionId::new(record.ids.first().copied().unwrap_or_default());
        let promotion = call.load_at::<Promotion>(id, record.last).await?;
        return Ok(show(&call, &promotion, StatusCode::CREATED, Some(record.last))?);
    }
    let body: CreatePromotion = call.body()?;
    let (site_id, currency) = match &body.site_id {
        Some(name) => {
            let id = call.site_named(name).await?;
            may_touch(&call, Some(id)).await?;
            let site = call.remembered_site(id).await?;
            (Some(id), site.state.identity.as_ref().map_or(Currency::Xof, |identity| identity.currency))
        }
        None => (None, body.budget.map_or(Currency::Xof, |budget| budget.currency)),
    };
    let wanted = Create { site_id, terms: terms(&body, currency)? };
    let new = Loaded::<Promotion>::new(PromotionId::new(call.new_id()));
    let mut tries = Tries::default();
    loop {
        let decision = promotion::create(&new, wanted.clone(), call.actor(), call.now())?;
        match call.append(decision.clone(), site_id).await? {
            Attempt::Written(written) => {
                let made = after(new, &decision);
                let reply = show(&call, &made, StatusCode::CREATED, Some(written.position))?;
                return Ok(reply.header(header::LOCATION, format!("/v1/promotions/{}", made.id)));
            }
            Attempt::Moved => tries.again()?,
            Attempt::Guarded(Refusal::NotUnique { .. }) => {
                return Err(Halt::refused(Problem::new("object.exists").at("/code", "is a code already")));
            }
            Attempt::Guarded(refusal) => return Err(Halt::refused(refusal)),
        }
    }
}

fn terms(body: &CreatePromotion, currency: Currency) -> Result<Terms, Problem> {
    let invalid = |at: &str, why: String| Problem::new("request.invalid_field").at(at.to_owned(), why);
    let money = |at: &str, money: Option<Money>| {
        let bounded = money.map(Money::bounded).transpose();
        bounded.map_err(|error| invalid(at, error.to_string()))
    };
    let code = PromoCode::new(&body.code).map_err(|error| invalid("/code", error.to_string()))?;
    let reduction = match (body.percent_basis_points, money("/amount", body.amount)?) {
        (Some(points), None) => Reduction::Percent { basis_points: BasisPoints(points) },
        (None, Some(amount)) => Reduction::Fixed { amount },
        _ => return Err(invalid("", "either `percent_basis_points` or `amount`".to_owned())),
    };
    let mut formats = Vec::with_capacity(body.formats.len());
    for (index, format) in body.formats.iter().enumerate() {
        formats.push(Format::new(format).map_err(|error| invalid(&format!("/formats/{index}"), error.to_string()))?);
    }
    Ok(Terms {
        code,
        currency,
        reduction,
        minimum_total: money("/minimum_total", body.minimum_total)?,
        valid: body.valid.interval().map_err(|error| invalid("/valid", error.to_string()))?,
        formats,
        days: body.days.clone(),
        budget: money("/budget", body.budget)?,
        uses: body.uses,
        uses_per_client: body.uses_per_client,
    })
}
