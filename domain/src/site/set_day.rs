//! One date is different: Tabaski, Ramadan, a tournament.

use chrono::{Datelike, NaiveDate};

use crate::{aggregate::Loaded, decision::Decision, text::Name};

use super::{
    DaySet, Invalid, Refusal, Site, Window,
    invalid::at_most,
    set_hours::{DAY_MINUTES, minutes},
};

const MOST_WINDOWS: usize = 24;
/// Dated exceptions a site may have at once: more than two years of days.
const MOST_DAYS: usize = 1_000;

/// Sets the windows of a date, none for closed; `None` goes back to the weekly hours.
///
/// # Errors
/// [`Refusal::Invalid`] when windows of the date overlap or the date is out of the product's range.
pub fn set_day(
    site: &Loaded<Site>,
    date: NaiveDate,
    windows: Option<Vec<Window>>,
    label: Option<Name>,
) -> Result<Decision, Refusal> {
    if !site.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    let days = &site.state.hours.days;
    match &windows {
        Some(windows) => {
            check_day(date, windows)?;
            at_most("dated exceptions", days.len() + usize::from(!days.contains_key(&date)), MOST_DAYS)?;
            if days.get(&date).is_some_and(|day| day.windows == *windows && day.label == label) {
                return Ok(Decision::nothing());
            }
        }
        None if !days.contains_key(&date) => return Ok(Decision::nothing()),
        None => {}
    }
    Ok(Decision::nothing().then(site, DaySet { site_id: site.id, date, windows, label }))
}

fn check_day(date: NaiveDate, windows: &[Window]) -> Result<(), Invalid> {
    // The bounds of `interval::Interval`, a year inside.
    if !(2001..2199).contains(&date.year()) {
        return Err(Invalid::Date(date));
    }
    at_most("windows of a date", windows.len(), MOST_WINDOWS)?;
    let mut spans = windows.iter().copied().map(minutes).collect::<Result<Vec<_>, _>>()?;
    spans.sort_unstable();
    let ends = spans.iter().map(|(start, length)| start + length);
    let starts = spans.iter().skip(1).map(|(start, _)| *start).chain([2 * DAY_MINUTES]);
    if ends.zip(starts).any(|(end, next)| end > next) {
        return Err(Invalid::HoursOverlap);
    }
    Ok(())
}
