//! What an interval costs: cut at every boundary, each piece priced by the most specific tariff, rounded once.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate};
use chrono_tz::Tz;

use crate::{
    aggregate::{Loaded, Version},
    ids::PitchId,
    interval::Interval,
    money::{Currency, Money},
    site::{AppliesTo, Opening, Pitch, Site, Tariff},
};

use super::{Line, Price, Refusal, deposit};

/// The length whose tariffs are proportional per minute; any other length is sold in whole slots (decisions.md).
const PROPORTIONAL_MINUTES: u32 = 60;

/// What a pitch costs for an interval. There is no fallback: a part without a tariff makes the whole not bookable.
///
/// # Errors
/// [`Refusal`] when the site is closed, a part has no tariff, or a tariff sold in whole slots does not fit.
pub fn price(site: &Loaded<Site>, pitch: PitchId, during: Interval) -> Result<Price, Refusal> {
    let identity = site.state.identity.as_ref().ok_or(Refusal::UnknownSite)?;
    let pitch = site.state.pitch(pitch).ok_or(Refusal::UnknownPitch(pitch))?;
    let openings = site
        .state
        .hours
        .covering(identity.time_zone, during)
        .ok_or(Refusal::NotOpen { version: site.state.hours.version })?;
    price_openings(site, pitch, &openings)
}

/// The same for an interval already cut along its openings.
pub(crate) fn price_openings(site: &Loaded<Site>, pitch: &Pitch, openings: &[Opening]) -> Result<Price, Refusal> {
    let identity = site.state.identity.as_ref().ok_or(Refusal::UnknownSite)?;
    let version = site.state.tariffs.version;
    let mut runs: Vec<Run<'_>> = Vec::new();
    for opening in openings {
        for (tariff, during) in pieces(&site.state.tariffs.rules, version, pitch, identity.time_zone, *opening)? {
            match runs.last_mut() {
                Some(run) if run.tariff.id == tariff.id && run.during.to() == during.from() => {
                    run.during =
                        Interval::new(run.during.from(), during.to()).map_err(|_| Refusal::OutOfRange { version })?;
                }
                _ => runs.push(Run { tariff, during }),
            }
        }
    }
    let lines = lines(&runs, version, identity.currency)?;
    let out_of_range = |_| Refusal::OutOfRange { version };
    let total = Money::sum(identity.currency, lines.iter().map(|line| line.amount))
        .and_then(Money::bounded)
        .map_err(out_of_range)?;
    let deposit = deposit(site.state.policy(), total);
    Ok(Price { lines, discounts: Vec::new(), total, deposit, site_version: site.version })
}

/// Consecutive time priced by one tariff.
struct Run<'a> {
    tariff: &'a Tariff,
    during: Interval,
}

/// Cuts a part of one opening at every boundary of the tariffs that could apply, and finds the tariff of each piece.
fn pieces<'a>(
    tariffs: &'a [Tariff],
    version: Version,
    pitch: &Pitch,
    zone: Tz,
    opening: Opening,
) -> Result<Vec<(&'a Tariff, Interval)>, Refusal> {
    let candidates: Vec<(&Tariff, Vec<Interval>)> = tariffs
        .iter()
        .filter(|tariff| tariff.applies_to.includes(pitch) && tariff.applies_on(opening.day))
        .map(|tariff| (tariff, tariff.bands(zone, opening)))
        .collect();
    let mut cuts = BTreeSet::from([opening.during.from(), opening.during.to()]);
    for band in candidates.iter().flat_map(|(_, bands)| bands) {
        cuts.extend([band.from(), band.to()].into_iter().filter(|cut| opening.during.contains(*cut)));
    }
    let ends: Vec<_> = cuts.into_iter().collect();
    ends.windows(2)
        .filter_map(|pair| Interval::new(*pair.first()?, *pair.last()?).ok())
        .map(|piece| {
            candidates
                .iter()
                .filter(|(_, bands)| bands.iter().any(|band| band.covers(piece)))
                .map(|(tariff, _)| *tariff)
                .max_by_key(|tariff| tariff.rank())
                .map(|tariff| (tariff, piece))
                .ok_or(Refusal::NoTariff { uncovered: piece, version })
        })
        .collect()
}

impl AppliesTo {
    pub(crate) fn includes(&self, pitch: &Pitch) -> bool {
        match self {
            Self::Site => true,
            Self::Formats(formats) => formats.contains(&pitch.format),
            Self::Pitch(id) => *id == pitch.id,
        }
    }
}

impl Tariff {
    /// Which of two tariffs wins: a dated one, then the one that names the pitch, then the format, then the site.
    pub(crate) const fn rank(&self) -> (bool, u8) {
        let narrowness = match self.applies_to {
            AppliesTo::Site => 0,
            AppliesTo::Formats(_) => 1,
            AppliesTo::Pitch(_) => 2,
        };
        (self.dates.is_some(), narrowness)
    }

    /// Whether it applies to opening windows of this date.
    pub(crate) fn applies_on(&self, day: NaiveDate) -> bool {
        (self.days.is_empty() || self.days.contains(&day.weekday()))
            && self.dates.is_none_or(|dates| dates.first <= day && day <= dates.last)
    }

    /// When its band runs within a part of an opening. The band is a time of the clock: at a site open through the
    /// night, 00:00–06:00 is the end of the opening, and 15:00–06:00 runs over midnight.
    fn bands(&self, zone: Tz, opening: Opening) -> Vec<Interval> {
        let Some(band) = self.band else { return vec![opening.during] };
        [opening.day.checked_sub_days(Days::new(1)), Some(opening.day), opening.day.checked_add_days(Days::new(1))]
            .into_iter()
            .flatten()
            .filter_map(|day| crate::site::hours_at(zone, day, band))
            .filter_map(|band| {
                Interval::new(band.from().max(opening.during.from()), band.to().min(opening.during.to())).ok()
            })
            .collect()
    }

    const fn is_proportional(&self) -> bool {
        self.minutes == PROPORTIONAL_MINUTES
    }
}

/// One line per run. Proportional lines are rounded once, together (half up), and share the total by largest remainder.
fn lines(runs: &[Run<'_>], version: Version, currency: Currency) -> Result<Vec<Line>, Refusal> {
    let out_of_range = Refusal::OutOfRange { version };
    let mut amounts = Vec::with_capacity(runs.len());
    let mut sixtieths = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let minutes = run.during.minutes();
        if run.tariff.price.currency != currency {
            return Err(out_of_range);
        }
        if run.tariff.is_proportional() {
            sixtieths.push((index, i128::from(run.tariff.price.amount) * i128::from(minutes)));
            amounts.push(0);
            continue;
        }
        let slot = i64::from(run.tariff.minutes);
        if slot == 0 || minutes % slot != 0 {
            return Err(Refusal::NotWholeSlots {
                tariff_id: run.tariff.id,
                slot_minutes: run.tariff.minutes,
                minutes,
                version,
            });
        }
        amounts.push(i128::from(run.tariff.price.amount) * i128::from(minutes / slot));
    }
    for (index, amount) in share(sixtieths, i128::from(PROPORTIONAL_MINUTES)) {
        if let Some(place) = amounts.get_mut(index) {
            *place = amount;
        }
    }
    runs.iter()
        .zip(amounts)
        .map(|(run, amount)| {
            let amount = i64::try_from(amount).map_err(|_| out_of_range.clone())?;
            Ok(Line {
                tariff_id: run.tariff.id,
                tariff_version: version,
                during: run.during,
                amount: Money::new(amount, currency),
            })
        })
        .collect()
}

/// Turns fractions over one denominator into integers whose sum is the rounded sum of the fractions: each gets its whole
/// part, and what is left goes, one by one, to the largest remainders (the earlier first).
fn share(parts: Vec<(usize, i128)>, denominator: i128) -> Vec<(usize, i128)> {
    let total: i128 = parts.iter().map(|(_, part)| part).sum();
    let rounded = (total * 2 + denominator).div_euclid(denominator * 2);
    let whole: i128 = parts.iter().map(|(_, part)| part.div_euclid(denominator)).sum();
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|index| {
        (std::cmp::Reverse(parts.get(*index).map(|(_, part)| part.rem_euclid(denominator))), *index)
    });
    let lucky: BTreeSet<usize> =
        by_remainder.into_iter().take(usize::try_from(rounded - whole).unwrap_or_default()).collect();
    parts
        .into_iter()
        .enumerate()
        .map(|(place, (index, part))| (index, part.div_euclid(denominator) + i128::from(lucky.contains(&place))))
        .collect()
}
