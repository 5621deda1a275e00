//! What goes away says so beforehand: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and where to go instead, on every
//! answer, and `deprecated: true` in the OpenAPI document.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

static DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
static SUNSET: HeaderName = HeaderName::from_static("sunset");

/// When an operation was given up, when it is gone, and what is there instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecated {
    /// A date, `2026-11-28`: from its midnight (UTC) on nobody should begin to use it.
    pub since: &'static str,
    /// A date: from its midnight (UTC) on it may be gone.
    pub sunset: &'static str,
    /// Path of the operation that does it now.
    pub instead: &'static str,
}

impl Deprecated {
    /// The three headers.
    pub fn mark(&self, headers: &mut HeaderMap) {
        if let Some(since) = midnight(self.since) {
            insert(headers, &DEPRECATION, &format!("@{}", since.timestamp()));
        }
        if let Some(sunset) = midnight(self.sunset) {
            insert(headers, &SUNSET, &sunset.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
        if let Ok(value) = HeaderValue::from_str(&format!("<{}>; rel=\"successor-version\"", self.instead)) {
            headers.append(header::LINK, value);
        }
    }

    /// Whether both dates are dates, in that order.
    pub fn is_whole(&self) -> bool {
        matches!((midnight(self.since), midnight(self.sunset)), (Some(since), Some(sunset)) if since < sunset)
    }
}

fn midnight(date: &str) -> Option<DateTime<Utc>> {
    date.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN).and_utc())
}

fn insert(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name.clone(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Deprecated = Deprecated { since: "2026-11-28", sunset: "2027-06-01", instead: "/v1/newer" };

    #[test]
    fn what_goes_away_says_since_when_until_when_and_what_is_instead() {
        let mut headers = HeaderMap::new();
        headers.insert(header::LINK, HeaderValue::from_static("</v1/x?cursor=a>; rel=\"next\""));
        OLD.mark(&mut headers);
        assert_eq!(headers["deprecation"], "@1795824000");
        assert_eq!(headers["sunset"], "Tue, 01 Jun 2027 00:00:00 GMT");
        let links: Vec<&str> = headers.get_all(header::LINK).iter().map(|link| link.to_str().unwrap()).collect();
        assert_eq!(links, ["</v1/x?cursor=a>; rel=\"next\"", "</v1/newer>; rel=\"successor-version\""]);
    }

    #[test]
    fn every_operation_that_goes_away_has_dates_in_order() {
        assert!(OLD.is_whole());
        assert!(!Deprecated { since: "2027-06-01", ..OLD }.is_whole());
        assert!(!Deprecated { sunset: "soon", ..OLD }.is_whole());
        for operation in crate::operations() {
            assert!(operation.deprecated.is_none_or(|deprecated| deprecated.is_whole()), "{}", operation.id);
        }
    }
}
