//! What anybody may see of a site: never who runs it, their number or their documents.

use chrono::{NaiveDate, Weekday};
use domain::{
    aggregate::{Loaded, Version},
    policy::Policy,
    site::{self, AppliesTo, Site},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::operation::Exemplary,
    shape::{Money, local_text},
};

/// A site.
#[derive(Serialize, ToSchema)]
#[schema(as = Site)]
pub struct SiteBody {
    object: &'static str,
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    address: Option<String>,
    city: Option<String>,
    /// ISO 3166-1 alpha-2.
    country: String,
    /// IANA name.
    time_zone: String,
    currency: &'static str,
    /// WGS 84; null when nobody told us.
    pub location: Option<Point>,
    footprint: Option<Vec<Point>>,
    surface: Option<String>,
    area_m2: Option<f64>,
    capacity_players: Option<u32>,
    house_rules: Vec<String>,
    notes: Vec<String>,
    /// Empty means the platform's methods.
    payment_methods: Vec<&'static str>,
    cells: Vec<CellBody>,
    pitches: Vec<PitchBody>,
    hours: Vec<HoursBody>,
    /// False when the hours are assumed.
    hours_are_declared: bool,
    /// Dates whose windows replace the weekly hours.
    days: Vec<DayBody>,
    tariffs: Vec<TariffBody>,
    #[schema(value_type = Object)]
    policy: Policy,
    closures: Vec<ClosureBody>,
    /// Why nothing can be booked at the moment.
    suspended: Option<String>,
    version: Version,
}

/// Degrees, WGS 84.
#[derive(Serialize, ToSchema)]
pub struct Point {
    pub lat: f64,
    pub lon: f64,
}

impl From<domain::place::Point> for Point {
    fn from(point: domain::place::Point) -> Self {
        Self { lat: point.lat(), lon: point.lon() }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Cell)]
struct CellBody {
    id: Uuid,
    slug: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Pitch)]
struct PitchBody {
    id: Uuid,
    slug: String,
    name: String,
    /// Players a side, such as `5x5`.
    format: String,
    /// Pitches that share a cell cannot be played at once.
    cells: Vec<Uuid>,
    buffer_minutes: u32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Hours)]
struct HoursBody {
    days: Vec<&'static str>,
    opens: String,
    /// At or before `opens`: on the next day.
    closes: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Window)]
struct WindowBody {
    opens: String,
    closes: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Day)]
struct DayBody {
    #[schema(value_type = String, format = Date)]
    date: NaiveDate,
    label: Option<String>,
    /// None means closed.
    windows: Vec<WindowBody>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Tariff)]
struct TariffBody {
    id: Uuid,
    price: Money,
    /// What `price` buys. 60 is proportional per minute; any other length is sold whole.
    minutes: u32,
    pitch_id: Option<Uuid>,
    formats: Option<Vec<String>>,
    /// Empty means every day.
    days: Vec<&'static str>,
    band: Option<WindowBody>,
    #[schema(value_type = Option<String>, format = Date)]
    first_date: Option<NaiveDate>,
    #[schema(value_type = Option<String>, format = Date)]
    last_date: Option<NaiveDate>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Closure)]
struct ClosureBody {
    id: Uuid,
    cells: Vec<Uuid>,
    from: String,
    to: String,
    #[schema(value_type = String)]
    reason: site::ClosureReason,
}

/// `mon` to `sun`.
pub fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "mon",
        Weekday::Tue => "tue",
        Weekday::Wed => "wed",
        Weekday::Thu => "thu",
        Weekday::Fri => "fri",
        Weekday::Sat => "sat",
        Weekday::Sun => "sun",
    }
}

fn window(window: site::Window) -> WindowBody {
    WindowBody { opens: window.opens.format("%H:%M").to_string(), closes: window.closes.format("%H:%M").to_string() }
}

impl SiteBody {
    /// What is public of a site; `None` before it is registered.
    pub fn of(site: &Loaded<Site>) -> Option<Self> {
        let state = &site.state;
        let identity = state.identity.as_ref()?;
        let profile = &identity.profile;
        let text = |text: &Option<domain::text::Note>| text.as_ref().map(ToString::to_string);
        Some(Self {
            object: "site",
            id: site.id.uuid(),
            slug: identity.slug.to_string(),
            name: profile.name.to_string(),
            address: text(&profile.address),
            city: profile.city.as_ref().map(ToString::to_string),
            country: profile.country.to_string(),
            time_zone: identity.time_zone.name().to_owned(),
            currency: identity.currency.code(),
            location: profile.location.map(Point::from),
            footprint: profile
                .footprint
                .as_ref()
                .map(|outline| outline.corners().iter().copied().map(Point::from).collect()),
            surface: profile.surface.as_ref().map(ToString::to_string),
            area_m2: profile.area_m2,
            capacity_players: profile.capacity_players,
            house_rules: profile.house_rules.iter().map(ToString::to_string).collect(),
            notes: profile.notes.iter().map(ToString::to_string).collect(),
            payment_methods: profile.payment_methods.iter().map(|method| method.as_str()).collect(),
            cells: state
                .cells
                .iter()
                .map(|cell| CellBody { id: cell.id.uuid(), slug: cell.slug.to_string() })
                .collect(),
            pitches: state.pitches.iter().map(PitchBody::of).collect(),
            hours: state.hours.weekly.iter().map(HoursBody::of).collect(),
            hours_are_declared: state.hours.declared,
            days: state.hours.days.iter().map(|(date, day)| DayBody::of(*date, day)).collect(),
            tariffs: state.tariffs.rules.iter().map(TariffBody::of).collect(),
            policy: state.terms.policy.clone(),
            closures: state
                .closures
                .iter()
                .map(|(id, closure)| ClosureBody {
                    id: id.uuid(),
                    cells: closure.cells.iter().map(|cell| cell.uuid()).collect(),
                    from: local_text(closure.during.from(), identity.time_zone),
                    to: local_text(closure.during.to(), identity.time_zone),
                    reason: closure.reason,
                })
                .collect(),
            suspended: state.suspended.as_ref().map(|suspension| suspension.reason.to_string()),
            version: site.version,
        })
    }
}

impl PitchBody {
    fn of(pitch: &site::Pitch) -> Self {
        Self {
            id: pitch.id.uuid(),
            slug: pitch.slug.to_string(),
            name: pitch.name.to_string(),
            format: pitch.format.to_string(),
            cells: pitch.cells.iter().map(|cell| cell.uuid()).collect(),
            buffer_minutes: pitch.buffer_minutes,
        }
    }
}

impl HoursBody {
    fn of(rule: &site::OpeningRule) -> Self {
        let WindowBody { opens, closes } = window(site::Window { opens: rule.opens, closes: rule.closes });
        Self { days: rule.days.iter().copied().map(day_name).collect(), opens, closes }
    }
}

impl DayBody {
    fn of(date: NaiveDate, day: &site::Day) -> Self {
        Self {
            date,
            label: day.label.as_ref().map(ToString::to_string),
            windows: day.windows.iter().copied().map(window).collect(),
        }
    }
}

impl TariffBody {
    fn of(tariff: &site::Tariff) -> Self {
        let (pitch_id, formats) = match &tariff.applies_to {
            AppliesTo::Site => (None, None),
            AppliesTo::Formats(formats) => (None, Some(formats.iter().map(ToString::to_string).collect())),
            AppliesTo::Pitch(pitch) => (Some(pitch.uuid()), None),
        };
        Self {
            id: tariff.id.uuid(),
            price: tariff.price.into(),
            minutes: tariff.minutes,
            pitch_id,
            formats,
            days: tariff.days.iter().copied().map(day_name).collect(),
            band: tariff.band.map(window),
            first_date: tariff.dates.map(|dates| dates.first),
            last_date: tariff.dates.map(|dates| dates.last),
        }
    }
}

impl Exemplary for SiteBody {
    fn example() -> Value {
        json!({
            "object": "site", "id": "019ab2c4-5f00-7000-8000-000000000001", "slug": "temple-du-foot",
            "name": "Temple du Foot", "address": "Route de Ngor, Dakar", "city": "Dakar", "country": "SN",
            "time_zone": "Africa/Dakar", "currency": "XOF", "location": { "lat": 14.74, "lon": -17.51 },
            "pitches": [{
                "id": "019ab2c4-5f00-7000-8000-000000000002", "slug": "nord", "name": "Moitié nord", "format": "5x5",
                "cells": ["019ab2c4-5f00-7000-8000-000000000003"], "buffer_minutes": 0,
            }],
            "hours": [{ "days": ["sat", "sun"], "opens": "08:00", "closes": "01:00" }],
            "version": 7,
        })
    }
}
