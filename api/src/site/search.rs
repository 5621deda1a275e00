//! Sites near a point, by words, format and price; with a time, only those with a free pitch then.

use domain::{aggregate::Loaded, interval::Interval, site::Site};
use projections::{
    page::Page,
    site::{self, Candidate, Filter, Offer, Wish},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    availability::{self, FORMAT},
    body,
};
use crate::{
    http::{
        call::Call,
        etag,
        halt::Halt,
        limits::Purpose,
        operation::{Authz, Exemplary, Kind, Operation, Param, Shape, Success},
        query::point,
        reply::Reply,
    },
    problem::Problem,
    shape::{Money, local_text},
};

/// Widest circle, in metres.
const WIDEST_M: i64 = 200_000;

pub const FILTERS: &[Param] = &[
    Param::new("near", Kind::Point, "Latitude and longitude; nearest first.", "14.6868,-17.4547"),
    Param::new("radius_m", Kind::Integer { min: 1, max: WIDEST_M }, "Metres around `near`.", "3000").checked("`near`"),
    Param::new("q", Kind::Text, "Words in name, city or address; accents do not matter.", "temple"),
    FORMAT,
    Param::new("starts_at", Kind::Time, "Only sites with a free pitch then.", "2026-11-28T18:00:00Z"),
    Param::new("minutes", Kind::Integer { min: 1, max: 1440 }, "Length; 60 when left out.", "60")
        .checked("`starts_at`"),
    Param::new("price[gte]", Kind::Integer { min: 0, max: 1_000_000_000 }, "Least price, minor units.", ""),
    Param::new("price[lte]", Kind::Integer { min: 0, max: 1_000_000_000 }, "Highest price, minor units.", "35000"),
    Param::limit("Sites on a page; 20 when left out."),
    Param::CURSOR,
];

pub const SEARCH: Operation = Operation {
    id: "site.search",
    path: "/v1/sites",
    summary: "Find sites",
    about: "Nearest first when `near` is given. With `starts_at`, only sites that have a free pitch for `minutes` then, \
            at the price of the tariff that applies; without, `price` is that of an hour.",
    authz: Authz::Anyone,
    limit: Purpose::Search,
    query: FILTERS,
    success: Success { shape: Some(Shape::of::<SiteList>()), about: "A page of sites.", ..Operation::READ.success },
    run: |call| Box::pin(search(call)),
    ..Operation::READ
};

/// A page of sites.
#[derive(Serialize, ToSchema)]
pub struct SiteList {
    object: &'static str,
    data: Vec<SiteHit>,
    has_more: bool,
    next_cursor: Option<String>,
    as_of_position: i64,
}

/// A site that was found.
#[derive(Serialize, ToSchema)]
pub struct SiteHit {
    object: &'static str,
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    city: Option<String>,
    address: Option<String>,
    pub location: Option<body::Point>,
    time_zone: String,
    formats: Vec<String>,
    surface: Option<String>,
    /// Metres from `near`, on the sphere.
    pub distance_m: Option<i64>,
    /// Free pitches at the time asked for, cheapest first.
    pub offers: Option<Vec<OfferBody>>,
}

/// A pitch that is free at the time asked for, and what it costs.
#[derive(Serialize, ToSchema)]
#[schema(as = Offer)]
pub struct OfferBody {
    pitch_id: Uuid,
    pitch_name: String,
    format: String,
    starts_at: String,
    ends_at: String,
    total: Money,
    deposit: Money,
}

impl Exemplary for SiteList {
    fn example() -> Value {
        json!({
            "object": "list", "has_more": false, "next_cursor": null, "as_of_position": 42,
            "data": [{
                "object": "site", "id": "019ab2c4-5f00-7000-8000-000000000001", "slug": "fara-foot", "name": "Fara Foot",
                "city": "Dakar", "location": { "lat": 14.6977, "lon": -17.4725 }, "time_zone": "Africa/Dakar",
                "formats": ["5x5", "8x8"], "distance_m": 2270,
            }],
        })
    }
}

async fn search(call: Call) -> Result<Reply, Halt> {
    let page = find(&call).await?;
    let reply = Reply::list(&call, &page, &page.items)?;
    let tag = etag::of(0, &[&reply.body]);
    Ok(reply.etag(tag))
}

/// The page asked for.
///
/// # Errors
/// `request.invalid_parameter`.
pub async fn find(call: &Call) -> Result<Page<SiteHit>, Problem> {
    let query = &call.query;
    let near = query.text("near").and_then(point);
    if near.is_none() && query.text("radius_m").is_some() {
        return Err(Problem::new("request.invalid_parameter").parameter("radius_m", "needs `near`"));
    }
    let format = availability::format(call)?;
    let (price_gte, price_lte) = (query.integer("price[gte]"), query.integer("price[lte]"));
    let mut filter = Filter {
        near,
        radius_m: query.integer("radius_m").map(|metres| metres as f64),
        q: query.text("q").map(str::to_owned),
        format: format.clone(),
        ..Filter::default()
    };
    let pool = call.app.store.pool();
    let Some(starts_at) = query.time("starts_at") else {
        if query.text("minutes").is_some() {
            return Err(Problem::new("request.invalid_parameter").parameter("minutes", "needs `starts_at`"));
        }
        filter.hour_gte = price_gte;
        filter.hour_lte = price_lte;
        let page = site::search(pool, &filter, call.cursor(), call.limit()).await?;
        let items = page.items.iter().filter_map(|candidate| SiteHit::of(candidate, None)).collect();
        return Ok(Page { as_of: page.as_of, items, next: page.next });
    };
    let minutes = query.integer("minutes").and_then(|minutes| u32::try_from(minutes).ok()).unwrap_or(60);
    let during = Interval::lasting(starts_at, minutes).map_err(|_| availability::out_of_range("starts_at"))?;
    let wish = Wish { during, format, price_gte, price_lte };
    let page = site::with_a_free_pitch(pool, &filter, &wish, call.now(), call.cursor(), call.limit()).await?;
    let items = page.items.iter().filter_map(|hit| SiteHit::of(&hit.candidate, Some(&hit.offers))).collect();
    Ok(Page { as_of: page.as_of, items, next: page.next })
}

impl SiteHit {
    fn of(candidate: &Candidate, offers: Option<&Vec<Offer>>) -> Option<Self> {
        let site = &candidate.row.site;
        let identity = site.state.identity.as_ref()?;
        let profile = &identity.profile;
        let mut formats: Vec<String> = site.state.pitches.iter().map(|pitch| pitch.format.to_string()).collect();
        formats.sort();
        formats.dedup();
        Some(Self {
            object: "site",
            id: site.id.uuid(),
            slug: identity.slug.to_string(),
            name: profile.name.to_string(),
            city: profile.city.as_ref().map(ToString::to_string),
            address: profile.address.as_ref().map(ToString::to_string),
            location: profile.location.map(body::Point::from),
            time_zone: identity.time_zone.name().to_owned(),
            formats,
            surface: profile.surface.as_ref().map(ToString::to_string),
            distance_m: candidate.distance_m.map(|metres| metres.round() as i64),
            offers: offers.map(|offers| offers.iter().filter_map(|offer| OfferBody::of(site, offer)).collect()),
        })
    }
}

impl OfferBody {
    pub fn of(site: &Loaded<Site>, offer: &Offer) -> Option<Self> {
        let zone = site.state.identity.as_ref()?.time_zone;
        let pitch = site.state.pitch(offer.pitch_id)?;
        Some(Self {
            pitch_id: pitch.id.uuid(),
            pitch_name: pitch.name.to_string(),
            format: pitch.format.to_string(),
            starts_at: local_text(offer.slot.during.from(), zone),
            ends_at: local_text(offer.slot.during.to(), zone),
            total: offer.price.total.into(),
            deposit: offer.price.deposit.into(),
        })
    }
}
