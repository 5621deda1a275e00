//! Rows as `COPY` takes them in its binary format (PostgreSQL manual, COPY): it costs the database far less than an
//! `INSERT` of the same rows, and they are made while it takes the ones before. For many rows: a `COPY` is sent in several
//! parts, and the network holds a small one back for some 40 ms.

use domain::{Timestamp, interval::Interval};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ApplyError, projector::breathe};

/// From 1970 to 2000, where the database's clock begins.
const EPOCH_US: i64 = 946_684_800_000_000;
/// Type of the elements of an array (`pg_type.oid` of `uuid`).
const UUID: i32 = 2_950;
/// The lower bound belongs to a range, the upper does not.
const FROM_INCLUDED: u8 = 0x02;

/// Bytes sent at a time.
const CHUNK: usize = 1 << 16;

/// Copies rows into a table: `COPY <table> (<columns>) FROM STDIN (FORMAT binary)`. After an error the connection cannot be
/// used any more.
pub(crate) async fn copy_in<R>(
    connection: &mut PgConnection,
    statement: &str,
    rows: impl Iterator<Item = R>,
    put: impl Fn(R, &mut Tuples) -> Result<(), serde_json::Error>,
) -> Result<(), ApplyError> {
    let mut tuples = Tuples::begin();
    let mut copy = connection.copy_in_raw(statement).await?;
    for (number, row) in rows.enumerate() {
        put(row, &mut tuples)?;
        if tuples.bytes().len() >= CHUNK {
            copy.send(tuples.bytes()).await?;
            tuples.clear();
        }
        breathe(number).await;
    }
    tuples.end();
    copy.send(tuples.bytes()).await?;
    copy.finish().await?;
    Ok(())
}

/// Bytes of a `COPY … (FORMAT binary)`. The columns of a row are put in the order of the statement.
pub(crate) struct Tuples {
    bytes: Vec<u8>,
}

impl Tuples {
    pub(super) fn begin() -> Self {
        let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
        // No flags, no extension.
        bytes.extend_from_slice(&[0; 8]);
        Self { bytes }
    }

    /// After the last row.
    pub(super) fn end(&mut self) {
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What there was has been sent.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Begins a row of so many columns.
    pub(crate) fn row(&mut self, columns: i16) {
        self.bytes.extend_from_slice(&columns.to_be_bytes());
    }

    pub(crate) fn null(&mut self) {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    pub(crate) fn uuid(&mut self, value: Uuid) {
        self.field(value.as_bytes());
    }

    pub(crate) fn maybe_uuid(&mut self, value: Option<Uuid>) {
        match value {
            Some(value) => self.uuid(value),
            None => self.null(),
        }
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.field(value.as_bytes());
    }

    pub(crate) fn maybe_text(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.text(value),
            None => self.null(),
        }
    }

    pub(crate) fn smallint(&mut self, value: i16) {
        self.field(&value.to_be_bytes());
    }

    pub(crate) fn int(&mut self, value: i32) {
        self.field(&value.to_be_bytes());
    }

    pub(crate) fn bigint(&mut self, value: i64) {
        self.field(&value.to_be_bytes());
    }

    pub(crate) fn time(&mut self, value: Timestamp) {
        self.field(&since_2000(value));
    }

    pub(crate) fn maybe_time(&mut self, value: Option<Timestamp>) {
        match value {
            Some(value) => self.time(value),
            None => self.null(),
        }
    }

    /// A `tstzrange`.
    pub(crate) fn range(&mut self, value: Interval) {
        self.sized(|bytes| {
            bytes.push(FROM_INCLUDED);
            for bound in [value.from(), value.to()] {
                bytes.extend_from_slice(&8_i32.to_be_bytes());
                bytes.extend_from_slice(&since_2000(bound));
            }
        });
    }

    /// A `uuid[]`.
    pub(crate) fn uuids(&mut self, values: impl ExactSizeIterator<Item = Uuid>) {
        let count = i32::try_from(values.len()).unwrap_or(i32::MAX);
        self.sized(|bytes| {
            let dimensions = i32::from(count > 0);
            // No element is null.
            for number in [dimensions, 0, UUID] {
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            if dimensions == 1 {
                for number in [count, 1] {
                    bytes.extend_from_slice(&number.to_be_bytes());
                }
            }
            for value in values {
                bytes.extend_from_slice(&16_i32.to_be_bytes());
                bytes.extend_from_slice(value.as_bytes());
            }
        });
    }

    /// A `jsonb`.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), serde_json::Error> {
        let mut written = Ok(());
        self.sized(|bytes| {
            // The version of its format.
            bytes.push(1);
            written = serde_json::to_writer(bytes, value);
        });
        written
    }

    fn field(&mut self, value: &[u8]) {
        self.sized(|bytes| bytes.extend_from_slice(value));
    }

    /// A field, its length first.
    fn sized(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        put(&mut self.bytes);
        // Nothing here comes near 2 GB; the database refuses a length that does not fit.
        let length = i32::try_from(self.bytes.len() - at - 4).unwrap_or(i32::MAX);
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }
}

fn since_2000(value: Timestamp) -> [u8; 8] {
    (value.timestamp_micros() - EPOCH_US).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_their_length_in_front() {
        let mut tuples = Tuples::begin();
        tuples.clear();
        tuples.row(3);
        tuples.text("é");
        tuples.null();
        tuples.json(&["a"]).unwrap();
        assert_eq!(tuples.bytes(), b"\0\x03\0\0\0\x02\xc3\xa9\xff\xff\xff\xff\0\0\0\x06\x01[\"a\"]");
    }

    #[test]
    fn time_begins_with_the_year_2000() {
        let at: Timestamp = "2000-01-01T00:00:01Z".parse().unwrap();
        assert_eq!(since_2000(at), 1_000_000_i64.to_be_bytes());
    }
}
