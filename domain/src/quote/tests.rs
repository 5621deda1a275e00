//! Prices by example.

use crate::{
    money::Money,
    quote::{Refusal, price},
    site::Event,
    spec::{
        example::{self, NORTH, SITE, WHOLE, lasting},
        load,
    },
};

#[test]
fn an_interval_is_cut_where_the_tariff_changes() {
    let price = price(&example::site(), NORTH, lasting("2026-11-28 17:30", 90)).unwrap();
    let amounts: Vec<_> = price.lines.iter().map(|line| line.amount.amount).collect();
    assert_eq!(amounts, [15_000, 40_000]);
    assert_eq!((price.total, price.deposit), (Money::xof(55_000), Money::xof(16_500)));
}

#[test]
fn ninety_minutes_are_billed_and_held_as_ninety() {
    let price = price(&example::site(), WHOLE, lasting("2026-11-28 10:00", 90)).unwrap();
    assert_eq!(price.total, Money::xof(90_000));
    assert_eq!(price.lines.iter().map(|line| line.during.minutes()).sum::<i64>(), 90);
}

#[test]
fn a_price_that_nobody_pays_is_never_made_up() {
    let history: Vec<Event> =
        vec![example::registered("Africa/Dakar"), example::ground(0), example::hours("08:00", "01:00")];
    let during = lasting("2026-11-28 10:00", 60);
    let refused = price(&load(SITE, history), NORTH, during);
    assert_eq!(refused, Err(Refusal::NoTariff { uncovered: during, version: 0 }));
}
