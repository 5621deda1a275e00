//! One site for everybody's tests: two halves and the whole, open into the night, dearer in the evening.

use chrono::{NaiveTime, TimeZone, Utc, Weekday};
use uuid::Uuid;

use crate::{
    Timestamp,
    aggregate::Loaded,
    ids::{CellId, PitchId, PrincipalId, SiteId, TariffId},
    interval::Interval,
    money::{Currency, Money},
    site::{
        AppliesTo, Cell, Event, GroundSet, HoursSet, OpeningRule, Pitch, Profile, Registered, Site, Tariff, TariffsSet,
        Window,
    },
    text::{Name, Slug, Text},
};

use super::load;

pub const SITE: SiteId = SiteId::new(Uuid::from_u128(0x517E));
pub const MANAGER: PrincipalId = PrincipalId::new(Uuid::from_u128(0x3A7A));
pub const NORTH_CELL: CellId = CellId::new(Uuid::from_u128(0xCE11A));
pub const SOUTH_CELL: CellId = CellId::new(Uuid::from_u128(0xCE11B));
/// 5x5 on the north cell.
pub const NORTH: PitchId = PitchId::new(Uuid::from_u128(0x9A));
/// 5x5 on the south cell.
pub const SOUTH: PitchId = PitchId::new(Uuid::from_u128(0x9B));
/// 8x8 on both.
pub const WHOLE: PitchId = PitchId::new(Uuid::from_u128(0x9C));
pub const DAY_TARIFF: TariffId = TariffId::new(Uuid::from_u128(0x7A1));
pub const EVENING_TARIFF: TariffId = TariffId::new(Uuid::from_u128(0x7A2));
pub const WHOLE_TARIFF: TariffId = TariffId::new(Uuid::from_u128(0x7A3));

pub const EVERY_DAY: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// Version 4. Open daily 08:00–01:00 in Dakar (UTC); 5x5: 30 000 XOF an hour, 40 000 from 18:00; 8x8: 60 000 an hour.
pub fn site() -> Loaded<Site> {
    load(SITE, history())
}

pub fn history() -> Vec<Event> {
    vec![registered("Africa/Dakar"), ground(0), hours("08:00", "01:00"), tariffs()]
}

pub fn registered(zone: &str) -> Event {
    Registered {
        site_id: SITE,
        slug: Slug::new("example").unwrap(),
        manager_id: MANAGER,
        time_zone: zone.parse().unwrap(),
        currency: Currency::Xof,
        profile: profile(),
    }
    .into()
}

pub fn profile() -> Profile {
    Profile {
        name: Name::new("Example").unwrap(),
        address: None,
        city: None,
        country: Text::new("SN").unwrap(),
        location: None,
        footprint: None,
        surface: None,
        area_m2: None,
        capacity_players: None,
        house_rules: Vec::new(),
        notes: Vec::new(),
        payment_methods: Vec::new(),
    }
}

pub fn ground(buffer_minutes: u32) -> Event {
    let cell = |id, slug| Cell { id, slug: Slug::new(slug).unwrap() };
    GroundSet {
        site_id: SITE,
        cells: vec![cell(NORTH_CELL, "north"), cell(SOUTH_CELL, "south")],
        pitches: vec![
            pitch(NORTH, "north", "5x5", &[NORTH_CELL], buffer_minutes),
            pitch(SOUTH, "south", "5x5", &[SOUTH_CELL], buffer_minutes),
            pitch(WHOLE, "whole", "8x8", &[NORTH_CELL, SOUTH_CELL], buffer_minutes),
        ],
        modelled: false,
    }
    .into()
}

pub fn pitch(id: PitchId, slug: &str, format: &str, cells: &[CellId], buffer_minutes: u32) -> Pitch {
    Pitch {
        id,
        slug: Slug::new(slug).unwrap(),
        name: Name::new(slug).unwrap(),
        format: Text::new(format).unwrap(),
        cells: cells.to_vec(),
        buffer_minutes,
    }
}

/// The same hours every day.
pub fn hours(opens: &str, closes: &str) -> Event {
    let Window { opens, closes } = window(opens, closes);
    let weekly = vec![OpeningRule { days: EVERY_DAY.to_vec(), opens, closes }];
    HoursSet { site_id: SITE, weekly, declared: true }.into()
}

pub fn window(opens: &str, closes: &str) -> Window {
    let time = |text| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
    Window { opens: time(opens), closes: time(closes) }
}

pub fn tariffs() -> Event {
    let five = || AppliesTo::Formats(vec![Text::new("5x5").unwrap()]);
    let eight = AppliesTo::Formats(vec![Text::new("8x8").unwrap()]);
    TariffsSet {
        site_id: SITE,
        tariffs: vec![
            Tariff { band: Some(window("08:00", "18:00")), ..tariff(DAY_TARIFF, five(), 30_000) },
            Tariff { band: Some(window("18:00", "01:00")), ..tariff(EVENING_TARIFF, five(), 40_000) },
            tariff(WHOLE_TARIFF, eight, 60_000),
        ],
    }
    .into()
}

/// Per hour, every day, all day.
pub fn tariff(id: TariffId, applies_to: AppliesTo, amount: i64) -> Tariff {
    Tariff { id, applies_to, days: Vec::new(), dates: None, band: None, price: Money::xof(amount), minutes: 60 }
}

/// An instant in UTC: `at("2026-11-28 18:00")`, a Saturday.
pub fn at(text: &str) -> Timestamp {
    Utc.from_utc_datetime(&chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap())
}

pub fn lasting(from: &str, minutes: u32) -> Interval {
    Interval::lasting(at(from), minutes).unwrap()
}
