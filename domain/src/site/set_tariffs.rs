//! The price rules.

use chrono::Weekday;

use crate::{aggregate::Loaded, decision::Decision, interval, money::Currency};

use super::{
    AppliesTo, Invalid, Pitch, Refusal, Site, Tariff, TariffsSet,
    invalid::{at_most, distinct},
    set_hours::{DAY_MINUTES, minutes},
};

const MOST_TARIFFS: usize = 500;
/// Largest price of a tariff in minor units: keeps every total below [`crate::money::Money::MAX`].
const LARGEST_PRICE: i64 = 1_000_000_000;
const SHORTEST: u32 = 15;
const LONGEST: u32 = 24 * 60;

/// Replaces the tariffs. None at all means not bookable.
///
/// # Errors
/// [`Refusal::Invalid`] when two tariffs of the same rank would both price some time, or one contradicts the site.
pub fn set_tariffs(site: &Loaded<Site>, tariffs: Vec<Tariff>) -> Result<Decision, Refusal> {
    let identity = site.state.identity.as_ref().ok_or(Refusal::Unknown)?;
    at_most("tariffs", tariffs.len(), MOST_TARIFFS)?;
    distinct("tariff", tariffs.iter().map(|tariff| tariff.id))?;
    check_pitches(&site.state.pitches, &tariffs)?;
    for tariff in &tariffs {
        check_tariff(tariff, identity.currency)?;
    }
    for (index, first) in tariffs.iter().enumerate() {
        for second in tariffs.iter().skip(index + 1) {
            if first.contends_with(second) {
                return Err(Invalid::Ambiguous { first: first.id, second: second.id }.into());
            }
        }
    }
    if site.state.tariffs.rules == tariffs {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(site, TariffsSet { site_id: site.id, tariffs }))
}

/// Every tariff for a pitch is for one of these.
pub(super) fn check_pitches(pitches: &[Pitch], tariffs: &[Tariff]) -> Result<(), Invalid> {
    for tariff in tariffs {
        if let AppliesTo::Pitch(pitch_id) = tariff.applies_to
            && !pitches.iter().any(|pitch| pitch.id == pitch_id)
        {
            return Err(Invalid::UnknownPitch { tariff_id: tariff.id, pitch_id });
        }
    }
    Ok(())
}

fn check_tariff(tariff: &Tariff, currency: Currency) -> Result<(), Invalid> {
    let tariff_id = tariff.id;
    if tariff.price.currency != currency || !(0..=LARGEST_PRICE).contains(&tariff.price.amount) {
        return Err(Invalid::Price { tariff_id, currency, most: LARGEST_PRICE });
    }
    if !(SHORTEST..=LONGEST).contains(&tariff.minutes) {
        return Err(Invalid::TariffMinutes { tariff_id, least: SHORTEST, most: LONGEST });
    }
    if let Some(band) = tariff.band {
        minutes(band)?;
    }
    if let Some(dates) = tariff.dates {
        if dates.last < dates.first {
            return Err(Invalid::DatesReversed { tariff_id });
        }
        for date in [dates.first, dates.last] {
            if !interval::in_range(date.and_time(chrono::NaiveTime::MIN).and_utc()) {
                return Err(Invalid::Date(date));
            }
        }
    }
    if let AppliesTo::Formats(formats) = &tariff.applies_to {
        if formats.is_empty() {
            return Err(Invalid::NoFormats { tariff_id });
        }
        distinct("format", formats.iter().map(|format| format.as_str()))?;
    }
    Ok(())
}

impl Tariff {
    /// Whether some minute of some pitch could be priced by either, and neither is more specific.
    fn contends_with(&self, other: &Self) -> bool {
        self.rank() == other.rank()
            && self.applies_to.meets(&other.applies_to)
            && self.shares_a_day_with(other)
            && self.shares_a_minute_with(other)
    }

    fn shares_a_day_with(&self, other: &Self) -> bool {
        let (first, last) = match (self.dates, other.dates) {
            (Some(mine), Some(theirs)) => (mine.first.max(theirs.first), mine.last.min(theirs.last)),
            // Tariffs of one rank are both dated or both not.
            _ => {
                return ALL_DAYS.into_iter().any(|day| {
                    [self, other].iter().all(|tariff| tariff.days.is_empty() || tariff.days.contains(&day))
                });
            }
        };
        // A week holds every weekday there is.
        first
            .iter_days()
            .take_while(|day| *day <= last)
            .take(7)
            .any(|day| self.applies_on(day) && other.applies_on(day))
    }

    fn shares_a_minute_with(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (self.band, other.band) else { return true };
        let (Ok((a, a_lasts)), Ok((b, b_lasts))) = (minutes(mine), minutes(theirs)) else { return true };
        // On the circle of the day, two bands meet when one begins within the other.
        (b + DAY_MINUTES - a) % DAY_MINUTES < a_lasts || (a + DAY_MINUTES - b) % DAY_MINUTES < b_lasts
    }
}

const ALL_DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

impl AppliesTo {
    /// Whether a pitch could fall under both. Only asked of two of the same kind: others differ in rank.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pitch(mine), Self::Pitch(theirs)) => mine == theirs,
            (Self::Formats(mine), Self::Formats(theirs)) => mine.iter().any(|format| theirs.contains(format)),
            _ => true,
        }
    }
}
