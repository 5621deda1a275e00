//! The query string, against the declared parameters: an unknown, repeated or misshapen one is refused.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{Timestamp, interval, place::Point, text::Slug};

use crate::{
    http::operation::{Kind, Operation, Param},
    problem::Problem,
};

/// The parameters that were sent, each checked against its declaration.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

fn invalid(name: &str, detail: impl Into<String>) -> Problem {
    Problem::new("request.invalid_parameter").parameter(name, detail)
}

impl Query {
    /// # Errors
    /// `request.invalid_parameter`.
    pub fn read(operation: &Operation, raw: Option<&str>) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes()).take(100) {
            let param = operation
                .query
                .iter()
                .find(|param| param.name == name)
                .ok_or_else(|| invalid(&name, "is not a parameter of this operation"))?;
            let repeated = pairs.iter().any(|(known, _)| *known == name);
            if repeated && !matches!(param.kind, Kind::Many(_)) {
                return Err(invalid(&name, "may be given only once"));
            }
            check(param, &value)?;
            pairs.push((name.into_owned(), value.into_owned()));
        }
        for param in operation.query.iter().filter(|param| param.required) {
            if !pairs.iter().any(|(name, _)| name == param.name) {
                return Err(invalid(param.name, "is required"));
            }
        }
        Ok(Self { pairs })
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// False when it was not sent.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// Checked against the declared bounds already.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.text(name).and_then(|value| value.parse().ok())
    }

    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.text(name).and_then(|value| instant(value).ok())
    }

    pub fn date(&self, name: &str) -> Option<NaiveDate> {
        self.text(name).and_then(|value| value.parse().ok())
    }

    /// A value of a type that reads itself.
    ///
    /// # Errors
    /// `request.invalid_parameter` when it does not.
    pub fn parsed<T>(&self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, Problem> {
        self.text(name).map(|value| read(value).map_err(|detail| invalid(name, detail))).transpose()
    }

    /// What a cursor is bound to: every filter, but not the page.
    pub fn filters(&self) -> String {
        let mut filters: Vec<&(String, String)> =
            self.pairs.iter().filter(|(name, _)| name != "cursor" && name != "limit").collect();
        filters.sort();
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(filters).finish()
    }
}

/// An instant with its offset (RFC 3339), within the years 2000 to 2200.
///
/// # Errors
/// A sentence for the reader.
pub fn instant(text: &str) -> Result<Timestamp, String> {
    // In a query string an unescaped + arrives as a space.
    let text = text.replace(' ', "+");
    let read = DateTime::parse_from_rfc3339(&text)
        .map_err(|_| "must be a time with its offset, such as 2026-11-28T18:00:00Z (RFC 3339)".to_owned())?;
    let read = read.with_timezone(&Utc);
    if interval::in_range(read) { Ok(read) } else { Err("must lie between the years 2000 and 2200".to_owned()) }
}

/// Latitude and longitude in degrees.
pub fn point(text: &str) -> Option<Point> {
    let (lat, lon) = text.split_once(',')?;
    Point::new(lat.trim().parse().ok()?, lon.trim().parse().ok()?).ok()
}

fn check(param: &Param, value: &str) -> Result<(), Problem> {
    let fine = match param.kind {
        Kind::Text => {
            let characters = value.chars().count();
            (1..=param.longest).contains(&characters) && !value.chars().any(char::is_control)
        }
        Kind::Id => uuid::Uuid::try_parse(value).is_ok(),
        Kind::Name => Slug::new(value).is_ok() || uuid::Uuid::try_parse(value).is_ok(),
        Kind::Point => point(value).is_some(),
        // Its reader tells a position from a time.
        Kind::Moment => !value.is_empty() && value.len() <= 40,
        Kind::Some(choices) => value.split(',').all(|one| choices.contains(&one.trim())),
        Kind::Integer { min, max } => {
            return match value.parse::<i64>() {
                Ok(number) if (min..=max).contains(&number) => Ok(()),
                _ => Err(invalid(param.name, format!("must be a whole number from {min} to {max}"))),
            };
        }
        Kind::Time => return instant(value).map(drop).map_err(|detail| invalid(param.name, detail)),
        Kind::Date => {
            return match value.parse::<NaiveDate>() {
                Ok(date) if (2000..2200).contains(&chrono::Datelike::year(&date)) => Ok(()),
                _ => Err(invalid(param.name, "must be a date such as 2026-11-28, in the years 2000 to 2199")),
            };
        }
        Kind::Flag => matches!(value, "true" | "false"),
        Kind::OneOf(choices) | Kind::Many(choices) => choices.contains(&value),
    };
    if fine { Ok(()) } else { Err(invalid(param.name, expectation(param))) }
}

fn expectation(param: &Param) -> String {
    match param.kind {
        Kind::Flag => "must be true or false".to_owned(),
        Kind::OneOf(choices) | Kind::Many(choices) => format!("must be one of {}", choices.join(", ")),
        Kind::Some(choices) => format!("must be some of {}", choices.join(", ")),
        Kind::Id => "must be an id".to_owned(),
        Kind::Name => "must be an id or a slug".to_owned(),
        Kind::Point => "must be latitude and longitude in degrees, such as 14.6868,-17.4547".to_owned(),
        _ => format!("must be 1 to {} characters without control characters", param.longest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: Operation = Operation {
        query: &[
            Param::new("minutes", Kind::Integer { min: 1, max: 480 }, "", "60"),
            Param::new("starts_at", Kind::Time, "", ""),
            Param::new("date", Kind::Date, "", ""),
            Param::new("expand[]", Kind::Many(&["client"]), "", ""),
        ],
        ..Operation::READ
    };

    #[test]
    fn unknown_repeated_and_misshapen_parameters_are_refused() {
        for bad in [
            "minute=60",
            "minutes=60&minutes=60",
            "minutes=1e2",
            "minutes=-1",
            "minutes=9223372036854775808",
            "starts_at=2026-11-28T18:00:00",
            "starts_at=9999-01-01T00:00:00Z",
            "date=2026-02-30",
            "expand[]=card",
        ] {
            assert!(Query::read(&SAMPLE, Some(bad)).is_err(), "{bad}");
        }
        assert!(Query::read(&SAMPLE, Some("expand[]=client&expand[]=client&minutes=60")).is_ok());
    }

    #[test]
    fn an_unescaped_plus_in_an_offset_is_understood() {
        let query = Query::read(&SAMPLE, Some("starts_at=2026-11-28T18:00:00+00:00")).unwrap();
        assert_eq!(query.time("starts_at").unwrap().to_rfc3339(), "2026-11-28T18:00:00+00:00");
    }
}
