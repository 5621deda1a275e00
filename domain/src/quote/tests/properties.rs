//! What holds for every price, against a naive oracle that asks the clock on the wall minute by minute.

use chrono::{Datelike, TimeDelta, Timelike};
use chrono_tz::Tz;
use proptest::prelude::*;

use crate::{
    Timestamp,
    aggregate::Loaded,
    interval::Interval,
    money::Money,
    policy::{BasisPoints, DepositRule, Policy},
    quote::{deposit, price},
    site::{AppliesTo, Site, Tariff, set_tariffs},
    spec::example::{NORTH, WHOLE, at, tariff, window},
};

use super::{id, site_with};

/// One weekday's prices by the hour of the clock: `(first hour, price)` of each band, in order.
type Bands = Vec<(u32, i64)>;

/// A price list: weekdays at the odd end of the week cost another list, and the pitch itself may cost extra at night.
#[derive(Clone, Debug)]
struct PriceList {
    zone: &'static str,
    week: Bands,
    weekend: Bands,
    north_at_night: Option<i64>,
}

const WEEKEND: [chrono::Weekday; 2] = [chrono::Weekday::Sat, chrono::Weekday::Sun];
const WEEK: [chrono::Weekday; 5] =
    [chrono::Weekday::Mon, chrono::Weekday::Tue, chrono::Weekday::Wed, chrono::Weekday::Thu, chrono::Weekday::Fri];
/// The site opens at six and closes at six: the small hours belong to the day before.
const OPENS: i64 = 6;

impl PriceList {
    fn site(&self) -> Loaded<Site> {
        let hour = |hour: u32| format!("{hour:02}:00");
        let mut tariffs = Vec::new();
        for (bands, days) in [(&self.week, &WEEK[..]), (&self.weekend, &WEEKEND[..])] {
            for (index, (from, amount)) in bands.iter().enumerate() {
                let to = bands[(index + 1) % bands.len()].0;
                tariffs.push(Tariff {
                    days: days.to_vec(),
                    band: Some(window(&hour(*from), &hour(to))),
                    ..tariff(id(tariffs.len() as u128 + 1), AppliesTo::Site, *amount)
                });
            }
        }
        if let Some(amount) = self.north_at_night {
            let band = Some(window("22:00", "04:00"));
            tariffs.push(Tariff { band, ..tariff(id(1_000), AppliesTo::Pitch(NORTH), amount) });
        }
        let site = site_with(self.zone, "06:00", "06:00", Vec::new());
        assert!(set_tariffs(&site, tariffs.clone()).is_ok(), "the list is not ambiguous");
        site_with(self.zone, "06:00", "06:00", tariffs)
    }

    /// What one minute costs an hour, by the clock on the wall.
    fn hourly(&self, instant: Timestamp, pitch_is_north: bool) -> i64 {
        let zone: Tz = self.zone.parse().unwrap();
        let local = instant.with_timezone(&zone).naive_local();
        if let (Some(amount), true) = (self.north_at_night, pitch_is_north)
            && (local.hour() >= 22 || local.hour() < 4)
        {
            return amount;
        }
        let day = (local - TimeDelta::hours(OPENS)).date();
        let bands = if WEEKEND.contains(&day.weekday()) { &self.weekend } else { &self.week };
        bands.iter().rev().find(|(from, _)| *from <= local.hour()).or(bands.last()).unwrap().1
    }

    /// The exact price in sixtieths.
    fn sixtieths(&self, during: Interval, pitch_is_north: bool) -> i64 {
        (0..during.minutes())
            .map(|minute| self.hourly(during.from() + TimeDelta::minutes(minute), pitch_is_north))
            .sum()
    }
}

fn bands() -> impl Strategy<Value = Bands> {
    let hours = prop::sample::subsequence((0..24_u32).collect::<Vec<_>>(), 2..6);
    hours.prop_flat_map(|hours| {
        let prices = prop::collection::vec(0..100_000_i64, hours.len());
        prices.prop_map(move |prices| hours.iter().copied().zip(prices).collect())
    })
}

fn a_price_list() -> impl Strategy<Value = PriceList> {
    let zone = prop::sample::select(vec!["Africa/Dakar", "Europe/Paris", "America/New_York"]);
    (zone, bands(), bands(), prop::option::of(0..100_000_i64))
        .prop_map(|(zone, week, weekend, north_at_night)| PriceList { zone, week, weekend, north_at_night })
}

/// Half of them around the ends of months and the nights in which Paris changes its clocks.
fn an_interval() -> impl Strategy<Value = Interval> {
    let anywhere = 0..365 * 48_i64;
    let odd =
        prop::sample::select(vec!["2026-03-28 20:00", "2026-10-24 20:00", "2026-02-28 20:00", "2026-12-31 20:00"]);
    let from = prop_oneof![
        anywhere.prop_map(|half_hours| at("2026-01-01 00:00") + TimeDelta::minutes(half_hours * 30)),
        (odd, 0..16_i64).prop_map(|(evening, half_hours)| at(evening) + TimeDelta::minutes(half_hours * 30)),
    ];
    (from, 1..=16_u32).prop_map(|(from, half_hours)| Interval::lasting(from, half_hours * 30).unwrap())
}

proptest! {
    #[test]
    fn every_minute_is_covered_once_and_costs_what_the_clock_says(
        list in a_price_list(),
        during in an_interval(),
        north: bool,
    ) {
        let price = price(&list.site(), if north { NORTH } else { WHOLE }, during).unwrap();
        let ends = (price.lines.first().unwrap().during.from(), price.lines.last().unwrap().during.to());
        prop_assert_eq!(ends, (during.from(), during.to()));
        prop_assert!(price.lines.windows(2).all(|pair| pair[0].during.to() == pair[1].during.from()));
        let sum: i64 = price.lines.iter().map(|line| line.amount.amount).sum();
        prop_assert_eq!(sum, price.total.amount);
        let exact = list.sixtieths(during, north);
        prop_assert_eq!(price.total.amount, (exact + 30).div_euclid(60), "rounded once, half up");
        for line in &price.lines {
            let exact = list.sixtieths(line.during, north);
            prop_assert!((line.amount.amount * 60 - exact).abs() < 60, "a line is never off by a whole unit");
        }
    }

    #[test]
    fn splitting_conserves_the_total(list in a_price_list(), during in an_interval(), at_half_hour in 1..16_i64) {
        let cut = during.from() + TimeDelta::minutes(at_half_hour * 30);
        prop_assume!(cut < during.to());
        let total = |list: &PriceList, during| price(&list.site(), NORTH, during).unwrap().total.amount;
        let parts = (Interval::new(during.from(), cut).unwrap(), Interval::new(cut, during.to()).unwrap());
        let apart = total(&list, parts.0) + total(&list, parts.1);
        prop_assert!((apart - total(&list, during)).abs() <= 1, "only what rounding twice instead of once does");
        // To the franc when half an hour costs a whole number of francs, as at every site there is.
        let mut even = list;
        even.week.iter_mut().chain(&mut even.weekend).for_each(|band| band.1 *= 2);
        even.north_at_night = even.north_at_night.map(|amount| amount * 2);
        prop_assert_eq!(total(&even, parts.0) + total(&even, parts.1), total(&even, during));
    }

    #[test]
    fn longer_never_costs_less(list in a_price_list(), during in an_interval(), more in 1..8_u32) {
        let site = list.site();
        let longer = during.extended(more * 30).unwrap();
        prop_assert!(price(&site, NORTH, during).unwrap().total.amount <= price(&site, NORTH, longer).unwrap().total.amount);
    }

    #[test]
    fn a_deposit_is_at_most_the_total_and_whole_hundreds_below_it(
        total in 0..Money::MAX,
        basis_points in 0..=10_000_u16,
        floor in prop_oneof![0..20_000_i64, 0..Money::MAX],
        kind in 0..3,
    ) {
        let (total, floor) = (Money::xof(total), Money::xof(floor));
        let rule = match kind {
            0 => DepositRule::Percent { basis_points: BasisPoints(basis_points), floor },
            1 => DepositRule::Fixed { amount: floor },
            _ => DepositRule::Full,
        };
        let policy = Policy { deposit: rule, ..Policy::default() };
        let due = deposit(&policy, total).amount;
        prop_assert!((0..=total.amount).contains(&due));
        prop_assert!(due % 100 == 0 || due == total.amount);
        if let DepositRule::Percent { .. } = rule {
            prop_assert!(i128::from(due) * 10_000 >= i128::from(total.amount) * i128::from(basis_points));
            prop_assert!(due >= floor.amount.min(total.amount));
        }
    }
}
