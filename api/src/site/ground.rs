//! Ground, hours and tariffs as a manager writes them: with slugs, and the ids that are already known kept.

use chrono::{NaiveDate, NaiveTime, Weekday};
use domain::{
    ids::{CellId, PitchId, TariffId},
    site::{self, AppliesTo, Cell, DateRange, Format, Pitch, Site, Tariff, Window},
    text::{Name, Slug, Text},
};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{http::call::Call, problem::Problem, shape::Money};

/// A pitch to be sold, over cells named by slug.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PitchInput {
    #[schema(value_type = String, max_length = 60)]
    pub slug: Slug,
    #[schema(value_type = String, max_length = 120)]
    pub name: Name,
    /// Players a side, such as `5x5`.
    #[schema(value_type = String, max_length = 12)]
    pub format: Format,
    /// Slugs of the cells it covers.
    #[schema(value_type = Vec<String>)]
    pub cells: Vec<Slug>,
    /// Minutes after a reservation in which its cells stay claimed.
    #[serde(default)]
    pub buffer_minutes: u32,
}

/// An opening window on some weekdays, local time; `closes` at or before `opens` is on the next day.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoursInput {
    /// `mon` to `sun`.
    #[serde(deserialize_with = "weekdays")]
    #[schema(value_type = Vec<String>)]
    pub days: Vec<Weekday>,
    #[serde(deserialize_with = "clock")]
    #[schema(value_type = String, example = "08:00")]
    pub opens: NaiveTime,
    #[serde(deserialize_with = "clock")]
    #[schema(value_type = String, example = "01:00")]
    pub closes: NaiveTime,
}

/// A window without weekdays.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowInput {
    #[serde(deserialize_with = "clock")]
    #[schema(value_type = String, example = "18:00")]
    opens: NaiveTime,
    #[serde(deserialize_with = "clock")]
    #[schema(value_type = String, example = "01:00")]
    closes: NaiveTime,
}

impl From<WindowInput> for Window {
    fn from(window: WindowInput) -> Self {
        Self { opens: window.opens, closes: window.closes }
    }
}

/// A price: for a pitch, for formats, or for the whole site.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TariffInput {
    /// Keep the id of a tariff that stays the same.
    pub id: Option<Uuid>,
    /// For `minutes`, in the currency of the site.
    pub price: Money,
    /// What `price` buys. 60 is proportional per minute; any other length is sold whole.
    pub minutes: u32,
    /// Id or slug of the one pitch it prices.
    pub pitch: Option<String>,
    #[schema(value_type = Option<Vec<String>>)]
    pub formats: Option<Vec<Text<12>>>,
    /// `mon` to `sun`; none means every day.
    #[serde(default, deserialize_with = "weekdays")]
    #[schema(value_type = Vec<String>)]
    pub days: Vec<Weekday>,
    pub band: Option<WindowInput>,
    /// With `last_date`: a dated price, which wins over the weekly ones.
    #[schema(value_type = Option<String>, format = Date)]
    pub first_date: Option<NaiveDate>,
    #[schema(value_type = Option<String>, format = Date)]
    pub last_date: Option<NaiveDate>,
}

fn clock<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    // Of itself it would take `8:0` as well.
    let whole =
        Some(&text).filter(|text| text.len() == 5).and_then(|text| NaiveTime::parse_from_str(text, "%H:%M").ok());
    whole.ok_or_else(|| serde::de::Error::custom("must be a local time such as 08:00"))
}

/// Weekdays by name: `mon` … `sun`.
///
/// # Errors
/// For any other word.
pub fn weekdays<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names
        .iter()
        .map(|name| {
            name.parse().map_err(|_| serde::de::Error::custom("weekdays are mon, tue, wed, thu, fri, sat, sun"))
        })
        .collect()
}

/// The ground as domain values; a cell or pitch whose slug is known keeps its id.
///
/// # Errors
/// `request.invalid_field` when a pitch names a cell that is not listed.
pub fn ground(
    call: &Call,
    known: &Site,
    cells: &[Slug],
    pitches: &[PitchInput],
) -> Result<(Vec<Cell>, Vec<Pitch>), Problem> {
    let cells: Vec<Cell> = cells
        .iter()
        .map(|slug| {
            let id = known.cells.iter().find(|cell| cell.slug == *slug).map(|cell| cell.id);
            Cell { id: id.unwrap_or_else(|| CellId::new(call.new_id())), slug: slug.clone() }
        })
        .collect();
    let pitches = pitches
        .iter()
        .enumerate()
        .map(|(index, pitch)| {
            let on = pitch
                .cells
                .iter()
                .map(|slug| cells.iter().find(|cell| cell.slug == *slug).map(|cell| cell.id))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| {
                    Problem::new("request.invalid_field")
                        .at(format!("/pitches/{index}/cells"), "names a cell that is not listed in `cells`")
                })?;
            Ok(Pitch {
                id: known.pitch_by_slug(&pitch.slug).map_or_else(|| PitchId::new(call.new_id()), |known| known.id),
                slug: pitch.slug.clone(),
                name: pitch.name.clone(),
                format: pitch.format.clone(),
                cells: on,
                buffer_minutes: pitch.buffer_minutes,
            })
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    Ok((cells, pitches))
}

pub fn hours(rules: &[HoursInput]) -> Vec<site::OpeningRule> {
    rules
        .iter()
        .map(|rule| site::OpeningRule { days: rule.days.clone(), opens: rule.opens, closes: rule.closes })
        .collect()
}

/// Tariffs as domain values, against the pitches of the site.
///
/// # Errors
/// `request.invalid_field` when one names an unknown pitch, both pitch and formats, or half a range of dates.
pub fn tariffs(call: &Call, pitches: &[Pitch], inputs: &[TariffInput]) -> Result<Vec<Tariff>, Problem> {
    inputs.iter().enumerate().map(|(index, input)| tariff(call, pitches, index, input)).collect()
}

fn tariff(call: &Call, pitches: &[Pitch], index: usize, input: &TariffInput) -> Result<Tariff, Problem> {
    let invalid = |field: &str, detail: &str| {
        Problem::new("request.invalid_field").at(format!("/tariffs/{index}{field}"), detail)
    };
    let applies_to = match (&input.pitch, &input.formats) {
        (None, None) => AppliesTo::Site,
        (None, Some(formats)) => AppliesTo::Formats(formats.clone()),
        (Some(name), None) => AppliesTo::Pitch(
            pitch_named(pitches, name).ok_or_else(|| invalid("/pitch", "is not a pitch of the site"))?.id,
        ),
        (Some(_), Some(_)) => return Err(invalid("", "either `pitch` or `formats`")),
    };
    let dates = match (input.first_date, input.last_date) {
        (None, None) => None,
        (Some(first), Some(last)) => Some(DateRange { first, last }),
        _ => return Err(invalid("", "`first_date` and `last_date` go together")),
    };
    Ok(Tariff {
        id: TariffId::new(input.id.unwrap_or_else(|| call.new_id())),
        applies_to,
        days: input.days.clone(),
        dates,
        band: input.band.map(Window::from),
        price: input.price.bounded().map_err(|error| invalid("/price", &error.to_string()))?,
        minutes: input.minutes,
    })
}

/// A pitch by id or slug.
pub fn pitch_named<'a>(pitches: &'a [Pitch], name: &str) -> Option<&'a Pitch> {
    match Uuid::try_parse(name) {
        Ok(id) => pitches.iter().find(|pitch| pitch.id.uuid() == id),
        Err(_) => pitches.iter().find(|pitch| pitch.slug.as_str() == name),
    }
}
