//! What is free at a site on a date. Advice: the lane decides.

use axum::http::StatusCode;
use chrono::{Days, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use domain::{
    Timestamp,
    aggregate::Loaded,
    ids::{CellId, SiteId},
    interval::Interval,
    reservation::Channel,
    site::{Format, Site, Start, Wanted, starts},
};
use eventstore::Moment;
use projections::{
    past,
    schedule::{self, Standing},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::show;
use crate::{
    http::{
        as_of::{AS_OF, untold},
        call::Call,
        etag,
        halt::Halt,
        limits::Purpose,
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
    limit: Purpose::Search,
    query: &[
        Param::new("date", Kind::Date, "Date of the opening window, at the site.", "2026-11-28").required(),
        Param::new(
            "minutes",
            Kind::Integer { min: 1, max: 1440 },
            "Length; the shortest there is when left out.",
            "60",
        ),
        FORMAT,
        AS_OF,
    ],
    refusals: &["position.before_start", "position.beyond_head"],
    success: Success { shape: Some(Shape::of::<Availability>()), about: "Free starts.", ..Operation::READ.success },
    run: |call| Box::pin(availability(call)),
    ..Operation::READ
};

/// Players a side.
pub const FORMAT: Param = Param::new("format", Kind::Text, "Players a side.", "5x5").longest(12);

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
    if let Some(then) = call.as_of().await? {
        return was(&call, site.id, then).await;
    }
    let asked = Asked::of(&call, &site)?;
    let pool = call.app.store.pool();
    let now = call.now();
    // Everything the answer depends on is in its name, the minute included: nothing ever has to be deleted.
    let day = schedule::version(pool, site.id, asked.around).await?;
    let Wanted { date, minutes, format, .. } = &asked.wanted;
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
    let standing = schedule::of_site(pool, site.id, asked.around).await?;
    let body = Availability::of(&site, &asked, &standing, now, found.as_of);
    let reply = Reply::json(StatusCode::OK, &body)?;
    if let Ok(text) = std::str::from_utf8(&reply.body) {
        call.app.cache.put(&key, text).await;
    }
    let tag = etag::of(site.version, &[&reply.body]);
    Ok(reply.etag(tag))
}

/// What was free then, as whoever asked then was told.
async fn was(call: &Call, id: SiteId, then: Moment) -> Result<Reply, Halt> {
    let store = &call.app.store;
    let site: Loaded<Site> = store.load_until(id, then.position).await?;
    let asked = Asked::of(call, &site)?;
    let cells: Vec<CellId> = site.state.cells.iter().map(|cell| cell.id).collect();
    let standing = past::standing(store, id, &cells, asked.around, then.position).await.map_err(untold)?;
    let body = Availability::of(&site, &asked, &standing, then.at, then.position);
    Ok(Reply::json(StatusCode::OK, &body)?.position(then.position))
}

/// What was asked for, at a site as it was.
struct Asked {
    wanted: Wanted,
    zone: Tz,
    around: Interval,
}

impl Asked {
    fn of(call: &Call, site: &Loaded<Site>) -> Result<Self, Problem> {
        let identity = site.state.identity.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
        let zone = identity.time_zone;
        let date = call.query.date("date").unwrap_or_default();
        let shortest = site.state.policy().shortest_minutes;
        let minutes = call.query.integer("minutes").and_then(|minutes| u32::try_from(minutes).ok());
        let minutes = minutes.unwrap_or(shortest);
        let around = around(zone, date, minutes).ok_or_else(|| out_of_range("date"))?;
        let wanted = Wanted { date, minutes, format: format(call)?, channel: Channel::Online };
        Ok(Self { wanted, zone, around })
    }
}

impl Availability {
    fn of(site: &Loaded<Site>, asked: &Asked, standing: &Standing, now: Timestamp, site_as_of: i64) -> Self {
        let zone = asked.zone;
        let start = |start: Start| FreeStart {
            starts_at: local_text(start.during.from(), zone),
            ends_at: local_text(start.during.to(), zone),
            total: start.price.total.into(),
            deposit: start.price.deposit.into(),
        };
        let pitches = starts(site, &asked.wanted, &standing.claims, now)
            .into_iter()
            .filter_map(|free| {
                let pitch = site.state.pitch(free.pitch_id)?;
                Some(PitchAvailability {
                    pitch_id: pitch.id.uuid(),
                    slug: pitch.slug.to_string(),
                    name: pitch.name.to_string(),
                    format: pitch.format.to_string(),
                    starts: free.starts.into_iter().map(start).collect(),
                })
            })
            .collect();
        Self {
            object: "availability",
            site_id: site.id.uuid(),
            date: asked.wanted.date,
            minutes: asked.wanted.minutes,
            time_zone: zone.name().to_owned(),
            pitches,
            as_of_position: standing.as_of.min(site_as_of),
        }
    }
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
