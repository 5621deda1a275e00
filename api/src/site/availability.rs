//! What is free at a site on a date. Advice: the lane decides.

use axum::http::StatusCode;
use chrono::{Days, NaiveDate, NaiveTime, TimeZone};
use domain::{
    interval::Interval,
    reservation::Channel,
    site::{Format, Wanted, starts},
};
use projections::schedule;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::show;
use crate::{
    http::{
        call::Call,
        etag,
        halt::Halt,
        operation::{Authz, Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::{Money, local_text},
};

pub const AVAILABILITY: Operation = Operation {
    id: "site.availability",
    path: "/v1/sites/{id}/availability",
    summary: "Free starts of a date, with prices",
    about: "Per pitch, what a new reservation of this length may start at. The date is that of the opening window: half \
            past midnight after a Saturday evening is still Saturday. A start may be taken a moment later.",
    authz: Authz::Anyone,
    query: &[
        Param::new("date", Kind::Date, "Date of the opening window, at the site.", "2026-11-28").required(),
        Param::new(
            "minutes",
            Kind::Integer { min: 1, max: 1440 },
            "Length; the shortest there is when left out.",
            "60",
        ),
        Param::new("format", Kind::Text, "Players a side.", "5x5"),
    ],
    success: Success { shape: Some(Shape::of::<Availability>()), about: "Free starts.", ..Operation::READ.success },
    run: |call| Box::pin(availability(call)),
    ..Operation::READ
};

/// What can be started on one date. Advice: a booking decides.
#[derive(Serialize, ToSchema)]
pub struct Availability {
    object: &'static str,
    site_id: Uuid,
    #[schema(value_type = String, format = Date)]
    date: NaiveDate,
    minutes: u32,
    time_zone: String,
    pitches: Vec<PitchAvailability>,
    /// Up to which event this counts.
    as_of_position: i64,
}

#[derive(Serialize, ToSchema)]
struct PitchAvailability {
    pitch_id: Uuid,
    slug: String,
    name: String,
    format: String,
    starts: Vec<FreeStart>,
}

#[derive(Serialize, ToSchema)]
struct FreeStart {
    starts_at: String,
    ends_at: String,
    total: Money,
    deposit: Money,
}

impl Exemplary for Availability {
    fn example() -> Value {
        json!({
            "object": "availability", "site_id": "019ab2c4-5f00-7000-8000-000000000001", "date": "2026-11-28",
            "minutes": 60, "time_zone": "Africa/Dakar", "as_of_position": 42,
            "pitches": [{
                "pitch_id": "019ab2c4-5f00-7000-8000-000000000002", "slug": "nord", "name": "Moitié nord",
                "format": "5x5",
                "starts": [{
                    "starts_at": "2026-11-28T18:00:00Z", "ends_at": "2026-11-28T19:00:00Z",
                    "total": { "amount": 30000, "currency": "XOF" }, "deposit": { "amount": 9000, "currency": "XOF" },
                }],
            }],
        })
    }
}

async fn availability(call: Call) -> Result<Reply, Halt> {
    let found = show::find(&call, call.segment("id")).await?;
    let site = found.row.ok_or_else(|| Problem::new("object.not_found"))?.site;
    let identity = site.state.identity.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
    let zone = identity.time_zone;
    let date = call.query.date("date").unwrap_or_default();
    let shortest = site.state.policy().shortest_minutes;
    let minutes = call.query.integer("minutes").and_then(|minutes| u32::try_from(minutes).ok()).unwrap_or(shortest);
    let format = format(&call)?;
    let around = around(zone, date, minutes).ok_or_else(|| out_of_range("date"))?;
    let pool = call.app.store.pool();

    let now = call.now();
    // Everything the answer depends on is in its name, the minute included: nothing ever has to be deleted.
    let day = schedule::version(pool, site.id, around).await?;
    let key = format!(
        "availability:{}:{}:{day}:{date}:{minutes}:{}:{}",
        site.id,
        site.version,
        format.as_ref().map_or("", |format| format.as_str()),
        now.timestamp().div_euclid(10),
    );
    if call.headers.get("kalel-min-position").is_none()
        && let Some(ready) = call.app.cache.get(&key).await
    {
        let tag = etag::of(site.version, &[ready.as_bytes()]);
        return Ok(Reply::bytes(StatusCode::OK, "application/json", ready).etag(tag));
    }
    let standing = schedule::of_site(pool, site.id, around).await?;
    let wanted = Wanted { date, minutes, format, channel: Channel::Online };
    let free = starts(&site, &wanted, &standing.claims, now);
    let pitches = free
        .into_iter()
        .filter_map(|free| {
            let pitch = site.state.pitch(free.pitch_id)?;
            Some(PitchAvailability {
                pitch_id: pitch.id.uuid(),
                slug: pitch.slug.to_string(),
                name: pitch.name.to_string(),
                format: pitch.format.to_string(),
                starts: free
                    .starts
                    .into_iter()
                    .map(|start| FreeStart {
                        starts_at: local_text(start.during.from(), zone),
                        ends_at: local_text(start.during.to(), zone),
                        total: start.price.total.into(),
                        deposit: start.price.deposit.into(),
                    })
                    .collect(),
            })
        })
        .collect();
    let body = Availability {
        object: "availability",
        site_id: site.id.uuid(),
        date,
        minutes,
        time_zone: zone.name().to_owned(),
        pitches,
        as_of_position: standing.as_of.min(found.as_of),
    };
    let reply = Reply::json(StatusCode::OK, &body)?;
    if let Ok(text) = std::str::from_utf8(&reply.body) {
        call.app.cache.put(&key, text).await;
    }
    let tag = etag::of(site.version, &[&reply.body]);
    Ok(reply.etag(tag))
}

/// The format asked for.
///
/// # Errors
/// `request.invalid_parameter`.
pub fn format(call: &Call) -> Result<Option<Format>, Problem> {
    call.query.parsed("format", |text| Format::new(text).map_err(|error| error.to_string()))
}

pub fn out_of_range(parameter: &str) -> Problem {
    Problem::new("request.invalid_parameter").parameter(parameter, "is too far away")
}

/// The date, the night after it, and as long as a reservation may still run.
fn around(zone: chrono_tz::Tz, date: NaiveDate, minutes: u32) -> Option<Interval> {
    let at = |day: NaiveDate| zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest();
    let last = date.checked_add_days(Days::new(3 + u64::from(minutes) / 1440))?;
    let first = date.checked_sub_days(Days::new(1))?;
    let (from, to) = (at(first)?.to_utc(), at(last)?.to_utc());
    Interval::new(from, to).ok()
}
