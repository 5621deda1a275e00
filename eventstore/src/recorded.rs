//! An event as it stands in the log.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use domain::{
    Timestamp,
    aggregate::Version,
    event::{DecodeError, Event},
};
use uuid::Uuid;

use crate::meta::Meta;

/// The place of an event in the log: 1, 2, 3… without a gap, in the order of commit.
pub type Position = i64;

/// An event with its place in the log and in its stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub position: Position,
    pub event_id: Uuid,
    pub stream_id: Uuid,
    /// 1 for the first event of the stream.
    pub version: Version,
    /// Wire name, such as `reservation.held`.
    pub name: String,
    /// Of `data`: grows when the shape changes, with an upcaster.
    pub schema: i16,
    /// The exact bytes that were written, hashed and proven.
    pub data: String,
    pub meta: Meta,
    /// The exact bytes of `meta`.
    pub meta_json: String,
    /// The database's time plus the offset of a test clock, in microseconds; never below that of the event before.
    pub recorded_at: Timestamp,
}

impl Recorded {
    /// The event itself.
    ///
    /// # Errors
    /// [`DecodeError`] when it was written by a newer version of Kalel, or its data do not fit.
    pub fn event(&self) -> Result<Event, DecodeError> {
        Event::from_json(&self.name, self.schema, &self.data)
    }

    /// The event as one line of an export, version 1, without the end of line. **Frozen**: these bytes are what the
    /// Merkle tree hashes, so the order of the fields, the six digits of a second and the verbatim `data` and `meta`
    /// never change.
    pub fn export_line(&self) -> String {
        Line {
            position: self.position,
            event_id: self.event_id,
            stream_id: self.stream_id,
            version: self.version,
            name: &self.name,
            schema: self.schema,
            recorded_at: self.recorded_at,
            meta: &self.meta_json,
            data: &self.data,
        }
        .to_text()
    }
}

/// What an export line is made of.
struct Line<'a> {
    position: Position,
    event_id: Uuid,
    stream_id: Uuid,
    version: Version,
    name: &'a str,
    schema: i16,
    recorded_at: Timestamp,
    meta: &'a str,
    data: &'a str,
}

impl Line<'_> {
    fn to_text(&self) -> String {
        let mut line = String::with_capacity(256 + self.data.len() + self.meta.len());
        // Writing to a string cannot fail.
        let _ = write!(
            line,
            r#"{{"v":1,"position":{},"event_id":"{}","stream_id":"{}","version":{},"type":"{}","schema":{},"recorded_at":"{}","meta":{},"data":{}}}"#,
            self.position,
            self.event_id,
            self.stream_id,
            self.version,
            self.name,
            self.schema,
            self.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            self.meta,
            self.data,
        );
        line
    }
}

/// A row of `event_log.events`, as queries read it: JSON as text, so that the bytes stay what they are.
pub(crate) struct Row {
    pub position: i64,
    pub event_id: Uuid,
    pub stream_id: Uuid,
    pub version: i32,
    pub name: String,
    pub schema: i16,
    pub data: String,
    pub meta: String,
    pub recorded_at: Timestamp,
}

impl Row {
    /// See [`Recorded::export_line`].
    pub(crate) fn export_line(&self) -> String {
        Line {
            position: self.position,
            event_id: self.event_id,
            stream_id: self.stream_id,
            version: self.version,
            name: &self.name,
            schema: self.schema,
            recorded_at: self.recorded_at,
            meta: &self.meta,
            data: &self.data,
        }
        .to_text()
    }
}

impl TryFrom<Row> for Recorded {
    type Error = DecodeError;

    fn try_from(row: Row) -> Result<Self, DecodeError> {
        let meta = serde_json::from_str(&row.meta)
            .map_err(|source| DecodeError::Data { name: format!("{} (meta)", row.name), source })?;
        Ok(Self {
            position: row.position,
            event_id: row.event_id,
            stream_id: row.stream_id,
            version: row.version,
            name: row.name,
            schema: row.schema,
            data: row.data,
            meta,
            meta_json: row.meta,
            recorded_at: row.recorded_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;

    #[test]
    fn the_export_line_is_frozen() {
        let meta_json = r#"{"actor":{"role":"system"}}"#;
        let recorded = Recorded {
            position: 7,
            event_id: Uuid::from_u128(0x0193_5000_0000_7000_8000_0000_0000_0001),
            stream_id: Uuid::from_u128(0x0193_5000_0000_7000_8000_0000_0000_0002),
            version: 3,
            name: "reservation.completed".into(),
            schema: 1,
            data: r#"{"b":1,"a":"é\n"}"#.into(),
            meta: serde_json::from_str(meta_json).unwrap(),
            meta_json: meta_json.into(),
            recorded_at: Utc.with_ymd_and_hms(2026, 11, 22, 16, 5, 4).unwrap(),
        };
        assert_eq!(
            recorded.export_line(),
            concat!(
                r#"{"v":1,"position":7,"event_id":"01935000-0000-7000-8000-000000000001","#,
                r#""stream_id":"01935000-0000-7000-8000-000000000002","version":3,"type":"reservation.completed","#,
                r#""schema":1,"recorded_at":"2026-11-22T16:05:04.000000Z","meta":{"actor":{"role":"system"}},"#,
                r#""data":{"b":1,"a":"é\n"}}"#
            )
        );
    }
}
