//! When a month ends for a site.

use chrono::{Datelike, Duration, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;

use crate::Timestamp;

/// Hours after the end of a month in which its last events are certainly in the log.
pub const MONTH_RESTS: i64 = 6;

/// Midnight of the first of the next month, on the clock of the site; the first hour that it has where that one is skipped.
pub fn month_after(instant: Timestamp, zone: Tz) -> Timestamp {
    let local = instant.with_timezone(&zone).date_naive();
    let (year, month) = if local.month() == 12 { (local.year() + 1, 1) } else { (local.year(), local.month() + 1) };
    let first = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(local).and_time(NaiveTime::MIN);
    (0..24)
        .find_map(|hour| zone.from_local_datetime(&(first + Duration::hours(hour))).earliest())
        .map_or(instant + Duration::days(28), |start| start.to_utc())
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    #[test]
    fn a_month_ends_on_the_clock_of_the_site() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (now, zone, ends) in [
            ("2026-11-27T18:00:00Z", chrono_tz::Africa::Dakar, "2026-12-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", chrono_tz::Africa::Dakar, "2027-01-01T00:00:00Z"),
            ("2027-01-01T00:00:00Z", chrono_tz::Africa::Dakar, "2027-02-01T00:00:00Z"),
            ("2026-06-30T22:30:00Z", chrono_tz::Europe::Paris, "2026-07-31T22:00:00Z"),
            // Summer time ends in between.
            ("2026-10-05T12:00:00Z", chrono_tz::Europe::Paris, "2026-10-31T23:00:00Z"),
        ] {
            assert_eq!(month_after(at(now), zone), at(ends), "{now} in {zone}");
        }
        let late = Utc.with_ymd_and_hms(9999, 12, 31, 0, 0, 0).unwrap();
        assert!(month_after(late, chrono_tz::Africa::Dakar) > late);
    }
}
