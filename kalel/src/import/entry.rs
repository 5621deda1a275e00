//! The form of `sites.json`, and what each part of it means to the rules.

use chrono::{NaiveTime, Weekday};
use domain::ids::{CellId, PitchId, PrincipalId, TariffId};
use domain::money::{Currency, Money};
use domain::place::Point;
use domain::policy::{DepositRule, Policy};
use domain::site::{AppliesTo, Cell, OpeningRule, Pitch, Profile, Registration, Tariff, Window};
use domain::text::Slug;
use serde::Deserialize;
use uuid::Uuid;

use super::text;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where the data are from; for people.
    #[serde(default)]
    pub source: String,
    pub sites: Vec<Entry>,
}

/// One site. A null stays unknown: nothing is invented.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Becomes the slug.
    pub id: String,
    pub name: String,
    pub address: Option<String>,
    pub city: Option<String>,
    pub country: String,
    pub time_zone: chrono_tz::Tz,
    pub currency: Currency,
    pub location: Option<Point>,
    pub surface: Option<String>,
    pub area_m2: Option<f64>,
    pub capacity_players: Option<u32>,
    pub cells: Vec<String>,
    pub pitches: Vec<PitchEntry>,
    /// True when the cells are our reading of the formats sold.
    pub cells_are_modelled: Option<bool>,
    #[serde(default)]
    pub hours: Vec<HoursEntry>,
    /// False when the hours are assumed.
    pub hours_are_declared: Option<bool>,
    #[serde(default)]
    pub tariffs: Vec<TariffEntry>,
    pub deposit: Option<DepositEntry>,
    #[serde(default)]
    pub house_rules: Vec<String>,
    #[serde(default)]
    pub payment_methods: Vec<domain::payment::Method>,
    #[serde(default)]
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PitchEntry {
    pub id: String,
    pub name: String,
    pub format: String,
    pub cells: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoursEntry {
    pub days: Vec<String>,
    pub opens: String,
    pub closes: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TariffEntry {
    pub price: i64,
    pub currency: Currency,
    pub minutes: u32,
    pub pitch: Option<String>,
    #[serde(default)]
    pub formats: Vec<String>,
    #[serde(default)]
    pub days: Vec<String>,
    pub from: Option<String>,
    pub to: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepositEntry {
    pub fixed: i64,
}

/// The field at fault and what is wrong with it.
type Wrong = (&'static str, String);

/// A note with these words says that the data contradict themselves.
const DOUBT: &str = "not bookable until checked";

impl Entry {
    pub(super) fn registration(&self, manager_id: PrincipalId) -> Result<Registration, Wrong> {
        let notes = |field, all: &[String]| {
            all.iter().map(|one| text(one).map_err(|why| (field, why))).collect::<Result<Vec<_>, Wrong>>()
        };
        Ok(Registration {
            slug: slug("id", &self.id)?,
            manager_id,
            time_zone: self.time_zone,
            currency: self.currency,
            profile: Profile {
                name: text(&self.name).map_err(|why| ("name", why))?,
                address: optional("address", self.address.as_deref())?,
                city: optional("city", self.city.as_deref())?,
                country: text(&self.country).map_err(|why| ("country", why))?,
                location: self.location,
                footprint: None,
                surface: optional("surface", self.surface.as_deref())?,
                area_m2: self.area_m2,
                capacity_players: self.capacity_players,
                house_rules: notes("house_rules", &self.house_rules)?,
                notes: notes("notes", &self.notes)?,
                payment_methods: self.payment_methods.clone(),
            },
        })
    }

    pub(super) fn ground(&self, new_id: &mut dyn FnMut() -> Uuid) -> Result<(Vec<Cell>, Vec<Pitch>), Wrong> {
        let mut cells = Vec::new();
        for cell in &self.cells {
            cells.push(Cell { id: CellId::new(new_id()), slug: slug("cells", cell)? });
        }
        let mut pitches = Vec::new();
        for pitch in &self.pitches {
            let on = pitch.cells.iter().map(|name| {
                let cell = cells.iter().find(|cell| cell.slug.as_str() == name);
                cell.map(|cell| cell.id).ok_or_else(|| ("pitches", format!("no cell {name}")))
            });
            pitches.push(Pitch {
                id: PitchId::new(new_id()),
                slug: slug("pitches", &pitch.id)?,
                name: text(&pitch.name).map_err(|why| ("pitches", why))?,
                format: text(&pitch.format).map_err(|why| ("pitches", why))?,
                cells: on.collect::<Result<_, Wrong>>()?,
                buffer_minutes: 0,
            });
        }
        Ok((cells, pitches))
    }

    pub(super) fn weekly(&self) -> Result<Vec<OpeningRule>, Wrong> {
        let rule = |entry: &HoursEntry| {
            let (opens, closes) = (time("hours", &entry.opens)?, time("hours", &entry.closes)?);
            Ok(OpeningRule { days: days("hours", &entry.days)?, opens, closes })
        };
        self.hours.iter().map(rule).collect()
    }

    pub(super) fn tariffs(&self, pitches: &[Pitch], new_id: &mut dyn FnMut() -> Uuid) -> Result<Vec<Tariff>, Wrong> {
        let mut tariffs = Vec::new();
        for entry in &self.tariffs {
            tariffs.push(Tariff {
                id: TariffId::new(new_id()),
                applies_to: entry.applies_to(pitches)?,
                days: days("tariffs", &entry.days)?,
                dates: None,
                band: entry.band()?,
                price: Money::new(entry.price, entry.currency),
                minutes: entry.minutes,
            });
        }
        Ok(tariffs)
    }

    /// The defaults of domain.md, but for the deposit when the site has its own.
    pub(super) fn policy(&self, currency: Currency) -> Policy {
        let mut policy = Policy::default_in(currency);
        if let Some(deposit) = &self.deposit {
            policy.deposit = DepositRule::Fixed { amount: Money::new(deposit.fixed, currency) };
        }
        policy
    }

    /// Why nothing may be booked for now.
    pub(super) fn doubt(&self) -> Option<&str> {
        self.notes.iter().map(String::as_str).find(|note| note.contains(DOUBT))
    }
}

impl TariffEntry {
    fn applies_to(&self, pitches: &[Pitch]) -> Result<AppliesTo, Wrong> {
        match (&self.pitch, self.formats.as_slice()) {
            (None, []) => Ok(AppliesTo::Site),
            (None, formats) => {
                let formats = formats.iter().map(|format| text(format).map_err(|why| ("tariffs", why)));
                Ok(AppliesTo::Formats(formats.collect::<Result<_, Wrong>>()?))
            }
            (Some(name), []) => {
                let pitch = pitches.iter().find(|pitch| pitch.slug.as_str() == name);
                pitch.map(|pitch| AppliesTo::Pitch(pitch.id)).ok_or_else(|| ("tariffs", format!("no pitch {name}")))
            }
            (Some(_), _) => Err(("tariffs", "for a pitch or for formats, not both".into())),
        }
    }

    fn band(&self) -> Result<Option<Window>, Wrong> {
        match (&self.from, &self.to) {
            (None, None) => Ok(None),
            (Some(from), Some(to)) => Ok(Some(Window { opens: time("tariffs", from)?, closes: time("tariffs", to)? })),
            _ => Err(("tariffs", "`from` and `to` go together".into())),
        }
    }
}

fn slug(field: &'static str, raw: &str) -> Result<Slug, Wrong> {
    Slug::new(raw).map_err(|error| (field, format!("{raw}: {error}")))
}

fn optional<const MAX: usize>(
    field: &'static str,
    raw: Option<&str>,
) -> Result<Option<domain::text::Text<MAX>>, Wrong> {
    raw.map(|raw| text(raw).map_err(|why| (field, why))).transpose()
}

fn time(field: &'static str, raw: &str) -> Result<NaiveTime, Wrong> {
    NaiveTime::parse_from_str(raw, "%H:%M").map_err(|_| (field, format!("{raw} is not a time like 08:00")))
}

fn days(field: &'static str, raw: &[String]) -> Result<Vec<Weekday>, Wrong> {
    raw.iter().map(|day| day.parse().map_err(|_| (field, format!("{day} is not a weekday like mon")))).collect()
}
