//! Price an interval on a pitch.

use axum::http::StatusCode;
use chrono::TimeDelta;
use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::PitchId,
    interval::Interval,
    key::Scope,
    quote::Price,
    reservation::Channel,
    site::{self, Site},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::seal::{MINUTES, Quote, seal};
use crate::{
    http::{
        call::Call,
        form,
        halt::Halt,
        operation::{Authz, Exemplary, IfMatch, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    promotion,
    reservation::Wish,
    shape::{Instant, Money, SignedMoney, local_text, utc_text},
};

pub const MAKE: Operation = Operation {
    id: "quote.make",
    path: "/v1/quotes",
    summary: "Price an interval",
    about: "Lines with the rule and version each comes from, the deposit and the terms, signed. Not stored: carry `quote` \
            to the reservation within 15 minutes and the price is honoured.",
    authz: Authz::Keys {
        scope: Scope::ReservationsWrite,
        roles: &[(Role::Client, Over::Own), (Role::Manager, Over::Sites), (Role::Service, Over::MadeOrSites)],
    },
    idempotent: false,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<MakeQuote>()),
    success: Success { shape: Some(Shape::of::<QuoteBody>()), about: "The quote.", ..Operation::READ.success },
    refusals: &[
        "object.not_found",
        "site.not_open",
        "quote.no_tariff",
        "site.too_soon",
        "site.too_long",
        "promotion.invalid",
        "promotion.exhausted",
        "promotion.below_minimum",
        "promotion.other_format",
        "promotion.other_day",
        "promotion.client_limit",
    ],
    run: |call| Box::pin(make(call)),
    ..Operation::WRITE
};

/// A pitch or a format at a site, and when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeQuote {
    /// Id or slug.
    site_id: String,
    /// Id or slug; or `format`.
    pitch_id: Option<String>,
    /// Players a side: the smallest pitch that fits is priced.
    format: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Instant,
    minutes: u32,
    /// What a client types for a discount.
    #[schema(max_length = 32)]
    #[serde(default, deserialize_with = "form::perhaps_at_most::<32, _>")]
    promo_code: Option<String>,
}

impl Exemplary for MakeQuote {
    fn example() -> Value {
        json!({ "site_id": "fara-foot", "format": "5x5", "starts_at": "2026-11-28T18:00:00Z", "minutes": 90 })
    }
}

/// A promise for 15 minutes, to whoever asked.
#[derive(Serialize, ToSchema)]
#[schema(as = Quote)]
pub struct QuoteBody {
    object: &'static str,
    /// Carry this to `POST /v1/reservations`.
    quote: String,
    site_id: Uuid,
    pitch_id: Uuid,
    starts_at: String,
    ends_at: String,
    time_zone: String,
    price: PriceBody,
    /// The terms it would be made on.
    #[schema(value_type = Object)]
    policy: domain::policy::Policy,
    expires_at: String,
}

/// What it costs and why.
#[derive(Serialize, ToSchema)]
#[schema(as = Price)]
pub struct PriceBody {
    lines: Vec<LineBody>,
    /// What is taken off the lines.
    discounts: Vec<DiscountBody>,
    total: Money,
    /// Due before it is confirmed.
    deposit: Money,
    /// Version of the site it was made from.
    site_version: i32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Line)]
struct LineBody {
    tariff_id: Uuid,
    tariff_version: i32,
    from: String,
    to: String,
    amount: Money,
}

/// A line that takes something off, and the promotion that it comes from.
#[derive(Serialize, ToSchema)]
#[schema(as = Discount)]
struct DiscountBody {
    promotion_id: Uuid,
    promotion_version: i32,
    /// Nothing or less.
    amount: SignedMoney,
}

impl PriceBody {
    pub fn of(price: &Price, zone: chrono_tz::Tz) -> Self {
        Self {
            lines: price
                .lines
                .iter()
                .map(|line| LineBody {
                    tariff_id: line.tariff_id.uuid(),
                    tariff_version: line.tariff_version,
                    from: local_text(line.during.from(), zone),
                    to: local_text(line.during.to(), zone),
                    amount: line.amount.into(),
                })
                .collect(),
            discounts: price
                .discounts
                .iter()
                .map(|discount| DiscountBody {
                    promotion_id: discount.promotion_id.uuid(),
                    promotion_version: discount.promotion_version,
                    amount: discount.amount.into(),
                })
                .collect(),
            total: price.total.into(),
            deposit: price.deposit.into(),
            site_version: price.site_version,
        }
    }
}

impl Exemplary for QuoteBody {
    fn example() -> Value {
        json!({
            "object": "quote", "quote": "qt_eyJjYWxsZXIi….c2lnbmF0dXJl", "expires_at": "2026-11-28T12:15:00Z",
            "site_id": "019ab2c4-5f00-7000-8000-000000000001", "pitch_id": "019ab2c4-5f00-7000-8000-000000000002",
            "starts_at": "2026-11-28T18:00:00Z", "ends_at": "2026-11-28T19:30:00Z", "time_zone": "Africa/Dakar",
            "price": {
                "lines": [{
                    "tariff_id": "019ab2c4-5f00-7000-8000-0000000000a1", "tariff_version": 4,
                    "from": "2026-11-28T18:00:00Z", "to": "2026-11-28T19:30:00Z",
                    "amount": { "amount": 60000, "currency": "XOF" },
                }],
                "discounts": [],
                "total": { "amount": 60000, "currency": "XOF" }, "deposit": { "amount": 18000, "currency": "XOF" },
                "site_version": 5,
            },
        })
    }
}

async fn make(call: Call) -> Result<Reply, Halt> {
    let body: MakeQuote = call.body()?;
    let id = call.site_named(&body.site_id).await?;
    // As it is now: a quote promises something.
    let site: Loaded<Site> = call.app.store.load(id).await?;
    if !site.state.is_registered() {
        return Err(Problem::new("object.not_found").into());
    }
    call.may_book_at(&site)?;
    let during = Interval::lasting(body.starts_at.0, body.minutes)
        .map_err(|error| Problem::new("request.invalid_field").at("/minutes", error.to_string()))?;
    let wish = Wish { pitch: body.pitch_id.as_deref(), format: body.format.as_deref(), during };
    let pitches = wish.pitches(&site.state)?;
    let (pitch, mut price) = priced(&site, &pitches, during, call.channel(), call.now())?;
    if let Some(code) = &body.promo_code {
        price = promotion::quoted(&call, &site, (pitch, during), code, &price, site.state.policy()).await?;
    }
    let zone = site.state.identity.as_ref().map_or(chrono_tz::UTC, |identity| identity.time_zone);
    let quote = Quote {
        caller: call.caller.principal().unwrap_or_default(),
        site_id: site.id,
        pitch_id: pitch,
        during,
        policy: site.state.policy().clone(),
        expires_at: call.now() + TimeDelta::minutes(MINUTES),
        price,
    };
    let body = QuoteBody {
        object: "quote",
        quote: seal(&call.app, &quote)?,
        site_id: site.id.uuid(),
        pitch_id: pitch.uuid(),
        starts_at: local_text(during.from(), zone),
        ends_at: local_text(during.to(), zone),
        time_zone: zone.name().to_owned(),
        price: PriceBody::of(&quote.price, zone),
        policy: quote.policy,
        expires_at: utc_text(quote.expires_at),
    };
    Ok(Reply::json(StatusCode::OK, &body)?)
}

/// The first of these pitches that the rules allow, and its price; otherwise why the best one is not.
fn priced(
    site: &Loaded<Site>,
    pitches: &[PitchId],
    during: Interval,
    channel: Channel,
    now: domain::Timestamp,
) -> Result<(PitchId, Price), Problem> {
    let mut why = None;
    for pitch in pitches {
        match site::offer(site, *pitch, during, channel, now) {
            Ok((_, price)) => return Ok((*pitch, price)),
            Err(refusal) => why = why.or(Some(refusal)),
        }
    }
    Err(why.map_or_else(|| Problem::new("object.not_found"), Problem::from))
}
