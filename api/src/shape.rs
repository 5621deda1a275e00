//! Small bodies that many operations share.

use chrono::{DateTime, FixedOffset, SecondsFormat};
use chrono_tz::Tz;
use domain::{Timestamp, interval, money};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, SchemaFormat,
        schema::{Schema, Type},
    },
};

use crate::http::query;

/// An integer number of minor units and its currency (ISO 4217). XOF has no minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 35000, "currency": "XOF" }))]
pub struct Money {
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub amount: i64,
    #[schema(value_type = String)]
    pub currency: money::Currency,
}

impl From<money::Money> for Money {
    fn from(money: money::Money) -> Self {
        Self { amount: money.amount, currency: money.currency }
    }
}

/// An amount that may be negative, with its currency: a posting, a balance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({ "amount": -10500, "currency": "XOF" }))]
pub struct SignedMoney {
    pub amount: i64,
    #[schema(value_type = String)]
    pub currency: money::Currency,
}

impl From<money::Money> for SignedMoney {
    fn from(money: money::Money) -> Self {
        Self { amount: money.amount, currency: money.currency }
    }
}

impl Money {
    /// # Errors
    /// When it is negative or above the largest amount.
    pub fn bounded(self) -> Result<money::Money, money::MoneyError> {
        money::Money::new(self.amount, self.currency).bounded()
    }
}

/// An instant that a caller sends: RFC 3339 with its offset, in the years 2000 to 2200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(pub Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        query::instant(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339, with an offset"))
            .into()
    }
}

impl ToSchema for Instant {}

/// An instant as it is shown: in the offset that the site's time zone has then.
pub fn local(instant: Timestamp, zone: Tz) -> DateTime<FixedOffset> {
    instant.with_timezone(&zone).fixed_offset()
}

/// The text of a local instant.
pub fn local_text(instant: Timestamp, zone: Tz) -> String {
    local(instant, zone).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The text of an instant in UTC.
pub fn utc_text(instant: Timestamp) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// An interval that a caller sends, half-open.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    #[schema(value_type = String, format = DateTime)]
    pub from: Instant,
    #[schema(value_type = String, format = DateTime)]
    pub to: Instant,
}

impl Span {
    /// # Errors
    /// When it is empty or out of range.
    pub fn interval(self) -> Result<interval::Interval, interval::IntervalError> {
        interval::Interval::new(self.from.0, self.to.0)
    }
}
