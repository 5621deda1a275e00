//! Prices by example, and what holds for every price.

mod properties;

use chrono::{NaiveDate, Weekday};
use uuid::Uuid;

use crate::{
    aggregate::Loaded,
    ids::TariffId,
    money::{Currency, Money},
    policy::{BasisPoints, DepositRule, Policy},
    quote::{Refusal, deposit, price},
    refusal::{Refused, Rule},
    site::{AppliesTo, DateRange, Event, Site, Tariff, TariffsSet},
    spec::{
        example::{self, NORTH, SITE, SOUTH, WHOLE, lasting, tariff, window},
        load,
    },
    text::Text,
};

fn id(number: u128) -> TariffId {
    TariffId::new(Uuid::from_u128(number))
}

/// The example site with other hours and tariffs.
fn site_with(zone: &str, opens: &str, closes: &str, tariffs: Vec<Tariff>) -> Loaded<Site> {
    let set: Event = TariffsSet { site_id: SITE, tariffs }.into();
    load(SITE, [example::registered(zone), example::ground(0), example::hours(opens, closes), set])
}

fn amounts(site: &Loaded<Site>, during: crate::interval::Interval) -> Result<Vec<i64>, Refusal> {
    price(site, NORTH, during).map(|price| price.lines.iter().map(|line| line.amount.amount).collect())
}

#[test]
fn an_interval_is_cut_where_the_tariff_changes() {
    let site = example::site();
    assert_eq!(amounts(&site, lasting("2026-11-28 17:30", 90)), Ok(vec![15_000, 40_000]));
    let price = price(&site, NORTH, lasting("2026-11-28 17:30", 90)).unwrap();
    assert_eq!((price.total, price.deposit, price.site_version), (Money::xof(55_000), Money::xof(16_500), 4));
    assert!(price.lines.iter().all(|line| line.tariff_version == 4));
}

#[test]
fn ninety_minutes_billed_are_ninety_minutes_held() {
    let price = price(&example::site(), WHOLE, lasting("2026-11-28 10:00", 90)).unwrap();
    assert_eq!(price.total, Money::xof(90_000));
    assert_eq!(price.lines.iter().map(|line| line.during.minutes()).sum::<i64>(), 90);
}

#[test]
fn a_price_that_nobody_pays_is_never_made_up() {
    let during = lasting("2026-11-28 10:00", 60);
    let bare = site_with("Africa/Dakar", "08:00", "01:00", vec![]);
    assert_eq!(price(&bare, NORTH, during), Err(Refusal::NoTariff { uncovered: during, version: 4 }));
    // A gap of one minute is a gap: no average, no nearest tariff, and the refusal says which part.
    let banded =
        |number, from, to| Tariff { band: Some(window(from, to)), ..tariff(id(number), AppliesTo::Site, 6_000) };
    let gap =
        site_with("Africa/Dakar", "08:00", "01:00", vec![banded(1, "08:00", "10:30"), banded(2, "10:31", "01:00")]);
    let refusal = price(&gap, NORTH, during).unwrap_err();
    assert_eq!(refusal, Refusal::NoTariff { uncovered: lasting("2026-11-28 10:30", 1), version: 4 });
    assert_eq!(refusal.rule(), Some(Rule::new("tariffs", "none", 4)));
    // Another format's tariff is not this one's.
    let eight = AppliesTo::Formats(vec![Text::new("8x8").unwrap()]);
    let site = site_with("Africa/Dakar", "08:00", "01:00", vec![tariff(id(1), eight, 6_000)]);
    assert!(matches!(price(&site, NORTH, during), Err(Refusal::NoTariff { .. })));
    assert!(price(&site, WHOLE, during).is_ok());
}

#[test]
fn other_lengths_are_sold_in_whole_slots() {
    let slots = vec![Tariff { minutes: 90, ..tariff(id(1), AppliesTo::Site, 35_000) }];
    let site = site_with("Africa/Dakar", "08:00", "01:00", slots);
    assert_eq!(amounts(&site, lasting("2026-11-28 10:00", 90)), Ok(vec![35_000]));
    assert_eq!(amounts(&site, lasting("2026-11-28 10:00", 180)), Ok(vec![70_000]));
    let refused = Refusal::NotWholeSlots { tariff_id: id(1), slot_minutes: 90, minutes: 60, version: 4 };
    assert_eq!(amounts(&site, lasting("2026-11-28 10:00", 60)), Err(refused));
}

#[test]
fn whole_slots_run_on_over_midnight_at_a_site_open_around_the_clock() {
    let slots = vec![Tariff { minutes: 90, ..tariff(id(1), AppliesTo::Site, 35_000) }];
    let site = site_with("Africa/Dakar", "00:00", "00:00", slots);
    assert_eq!(amounts(&site, lasting("2026-11-28 23:30", 90)), Ok(vec![35_000]));
}

#[test]
fn the_weekday_of_half_past_midnight_is_the_evenings() {
    let day = |number, day, amount| Tariff { days: vec![day], ..tariff(id(number), AppliesTo::Site, amount) };
    let tariffs = vec![day(1, Weekday::Sat, 60_000), day(2, Weekday::Sun, 30_000)];
    let night = site_with("Africa/Dakar", "16:00", "03:00", tariffs.clone());
    assert_eq!(amounts(&night, lasting("2026-11-29 00:30", 60)), Ok(vec![60_000]));
    // Around the clock every day is a window of its own: Sunday begins at midnight.
    let always = site_with("Africa/Dakar", "00:00", "00:00", tariffs);
    assert_eq!(amounts(&always, lasting("2026-11-28 23:30", 60)), Ok(vec![30_000, 15_000]));
}

#[test]
fn a_band_over_midnight_covers_both_sides() {
    let banded = |number, from, to, amount| Tariff {
        band: Some(window(from, to)),
        ..tariff(id(number), AppliesTo::Site, amount)
    };
    let tariffs = vec![banded(1, "08:00", "15:00", 30_000), banded(2, "15:00", "06:00", 40_000)];
    let site = site_with("Africa/Dakar", "08:00", "06:00", tariffs);
    assert_eq!(amounts(&site, lasting("2026-11-28 14:30", 60)), Ok(vec![15_000, 20_000]));
    assert_eq!(amounts(&site, lasting("2026-11-30 23:30", 120)), Ok(vec![80_000]));
    assert_eq!(amounts(&site, lasting("2026-12-01 05:00", 60)), Ok(vec![40_000]));
    // A band of the small hours belongs to the night that began the evening before.
    let small = vec![banded(1, "16:00", "00:00", 30_000), banded(2, "00:00", "06:00", 10_000)];
    let site = site_with("Africa/Dakar", "16:00", "06:00", small);
    assert_eq!(amounts(&site, lasting("2026-11-28 23:30", 60)), Ok(vec![15_000, 5_000]));
}

#[test]
fn the_most_specific_tariff_wins() {
    let five = AppliesTo::Formats(vec![Text::new("5x5").unwrap()]);
    let date = NaiveDate::from_ymd_opt(2026, 11, 28).unwrap();
    let dates = Some(DateRange { first: date, last: date });
    let ladder = vec![
        tariff(id(1), AppliesTo::Site, 1_000),
        tariff(id(2), five, 2_000),
        tariff(id(3), AppliesTo::Pitch(NORTH), 3_000),
        Tariff { dates, band: Some(window("20:00", "21:00")), ..tariff(id(4), AppliesTo::Site, 4_000) },
    ];
    let site = site_with("Africa/Dakar", "08:00", "01:00", ladder);
    let total = |pitch, from| price(&site, pitch, lasting(from, 60)).unwrap().total.amount;
    assert_eq!(total(WHOLE, "2026-11-28 10:00"), 1_000);
    assert_eq!(total(SOUTH, "2026-11-28 10:00"), 2_000);
    assert_eq!(total(NORTH, "2026-11-28 10:00"), 3_000);
    assert_eq!(total(NORTH, "2026-11-28 20:00"), 4_000);
    assert_eq!(total(NORTH, "2026-11-29 20:00"), 3_000);
    assert_eq!(amounts(&site, lasting("2026-11-28 19:30", 120)), Ok(vec![1_500, 4_000, 1_500]));
}

#[test]
fn remainders_go_to_the_largest_and_are_rounded_once() {
    let banded = |number, from, to, amount| Tariff {
        band: Some(window(from, to)),
        ..tariff(id(number), AppliesTo::Site, amount)
    };
    // Half an hour of each: 12.5 + 12.5 + 0.5 = 25.5, rounded half up to 26.
    let tariffs =
        vec![banded(1, "08:00", "08:30", 25), banded(2, "08:30", "09:00", 25), banded(3, "09:00", "09:30", 1)];
    let site = site_with("Africa/Dakar", "08:00", "09:30", tariffs);
    assert_eq!(amounts(&site, lasting("2026-11-28 08:00", 90)), Ok(vec![13, 13, 0]));
    assert_eq!(amounts(&site, lasting("2026-11-28 08:00", 60)), Ok(vec![13, 12]));
}

#[test]
fn a_total_beyond_all_reason_is_refused_not_wrapped() {
    // No verb lets such a tariff in; the log might hold one all the same.
    let site = site_with("Africa/Dakar", "08:00", "01:00", vec![tariff(id(1), AppliesTo::Site, Money::MAX)]);
    assert_eq!(amounts(&site, lasting("2026-11-28 10:00", 60)), Ok(vec![Money::MAX]));
    assert_eq!(amounts(&site, lasting("2026-11-28 10:00", 90)), Err(Refusal::OutOfRange { version: 4 }));
}

#[test]
fn closed_time_has_no_price() {
    let closed = price(&example::site(), NORTH, lasting("2026-11-28 07:00", 90));
    assert_eq!(closed, Err(Refusal::NotOpen { version: 3 }));
    assert_eq!(price(&Loaded::new(SITE), NORTH, lasting("2026-11-28 10:00", 60)), Err(Refusal::UnknownSite));
}

#[test]
fn a_deposit_is_rounded_up_to_a_hundred_and_never_above_the_total() {
    let of = |rule, total| deposit(&Policy { deposit: rule, ..Policy::default() }, Money::xof(total)).amount;
    let thirty = DepositRule::Percent { basis_points: BasisPoints(3_000), floor: Money::xof(5_000) };
    assert_eq!(of(thirty, 35_000), 10_500);
    assert_eq!(of(thirty, 35_001), 10_600);
    assert_eq!(of(thirty, 10_000), 5_000, "the floor");
    assert_eq!(of(thirty, 3_050), 3_050, "at most the total");
    assert_eq!(of(thirty, 0), 0);
    let fixed = DepositRule::Fixed { amount: Money::xof(10_000) };
    assert_eq!((of(fixed, 30_000), of(fixed, 8_000)), (10_000, 8_000));
    assert_eq!(of(DepositRule::Full, 33_333), 33_333);
    let none = DepositRule::Percent { basis_points: BasisPoints(0), floor: Money::xof(0) };
    assert_eq!(of(none, 33_333), 0);
}

#[test]
fn money_is_never_a_float() {
    let price = price(&example::site(), NORTH, lasting("2026-11-28 17:30", 90)).unwrap();
    let json = serde_json::to_value(&price).unwrap();
    assert_eq!(json["total"], serde_json::json!({"amount": 55_000, "currency": "XOF"}));
    assert!(json["total"]["amount"].is_i64());
    let float = serde_json::json!({"amount": 55_000.5, "currency": "XOF"});
    assert!(serde_json::from_value::<Money>(float).is_err());
    assert!(serde_json::from_str::<Money>(r#"{"amount": 5e3, "currency": "XOF"}"#).is_err());
    assert_eq!(Money::zero(Currency::Xof).amount, 0_i64);
}
