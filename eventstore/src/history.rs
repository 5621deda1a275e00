//! The past: which moment is meant, and what had happened by then.

use domain::{
    Timestamp,
    aggregate::{Aggregate, Loaded},
    ids::{CellId, StreamId},
    interval::Interval,
};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    LoadError, ReadError, Store,
    recorded::{Position, Recorded, Row},
};

/// A moment, as somebody names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After the event at this position.
    Position(Position),
    /// At this instant.
    Time(Timestamp),
}

/// A moment of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What had happened: positions 1 to this one.
    pub position: Position,
    /// What time it was: that of the event, or the one that was asked for.
    pub at: Timestamp,
}

/// Why a moment is none of this log.
#[derive(Debug, Error)]
pub enum MomentError {
    #[error("{0:?} is neither a position nor a time as in 2026-11-23T18:00:00Z")]
    Malformed(String),
    #[error("the log begins at position 1, recorded at {0}")]
    BeforeStart(Timestamp),
    #[error("the log ends at position {head}; it is {now}")]
    BeyondHead { head: Position, now: Timestamp },
    #[error("the log is empty")]
    Empty,
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<sqlx::Error> for MomentError {
    fn from(error: sqlx::Error) -> Self {
        Self::Read(error.into())
    }
}

impl std::str::FromStr for AsOf {
    type Err = MomentError;

    /// Digits are a position, anything else RFC 3339.
    fn from_str(text: &str) -> Result<Self, MomentError> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(position));
        }
        let time = chrono::DateTime::parse_from_rfc3339(text);
        time.map(|time| Self::Time(time.to_utc())).map_err(|_| MomentError::Malformed(text.to_owned()))
    }
}

impl Store {
    /// Finds a moment.
    ///
    /// # Errors
    /// [`MomentError`] before the first event, beyond the last one, or in the future.
    pub async fn moment(&self, as_of: AsOf) -> Result<Moment, MomentError> {
        let now = self.clock().now();
        let head = self.head().await?;
        let recorded = async |position: Position| {
            let at = sqlx::query_scalar!("SELECT recorded_at FROM event_log.events WHERE position = $1", position);
            at.fetch_optional(self.pool()).await
        };
        let first = recorded(1).await?.ok_or(MomentError::Empty)?;
        match as_of {
            AsOf::Position(position) if position < 1 => Err(MomentError::BeforeStart(first)),
            AsOf::Position(position) => {
                let at = recorded(position).await?.ok_or(MomentError::BeyondHead { head, now })?;
                Ok(Moment { position, at })
            }
            AsOf::Time(at) if at < first => Err(MomentError::BeforeStart(first)),
            AsOf::Time(at) if at > now => Err(MomentError::BeyondHead { head, now }),
            AsOf::Time(at) => {
                let position = sqlx::query_scalar!(r#"SELECT event_log.position_at($1) AS "position!""#, at);
                Ok(Moment { position: position.fetch_one(self.pool()).await?, at })
            }
        }
    }

    /// The last position recorded before an instant; 0 before the first event.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn position_before(&self, at: Timestamp) -> Result<Position, ReadError> {
        // Times of the log are whole microseconds.
        let last = at - chrono::TimeDelta::microseconds(1);
        let position = sqlx::query_scalar!(r#"SELECT event_log.position_at($1) AS "position!""#, last);
        Ok(position.fetch_one(self.pool()).await?)
    }

    /// The events of some streams up to a position, in the order of the log.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read_streams_until(&self, streams: &[Uuid], until: Position) -> Result<Vec<Recorded>, ReadError> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT position, event_id, stream_id, version, type AS name, schema,
                      data AS "data!: String", meta AS "meta!: String", recorded_at
               FROM event_log.events WHERE stream_id = ANY ($1) AND position <= $2 ORDER BY position"#,
            streams,
            until
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(|row| Recorded::try_from(row).map_err(ReadError::from)).collect()
    }

    /// A stream as it was at a position; version 0 when it had not begun.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load_until<A: Aggregate>(&self, id: A::Id, until: Position) -> Result<Loaded<A>, LoadError> {
        let mut loaded = Loaded::new(id);
        let stream: StreamId = id.into();
        for recorded in self.read_streams_until(&[stream.uuid()], until).await? {
            let event = A::select(recorded.event()?)
                .ok_or(LoadError::OtherNoun { stream: recorded.stream_id, found: recorded.name })?;
            loaded.apply(event);
        }
        Ok(loaded)
    }

    /// Whoever ever claimed one of the cells for a part of the time, by an event up to a position: reservations and
    /// closures, given up since or not.
    ///
    /// # Errors
    /// The database's.
    pub async fn claimants(
        &self,
        cells: &[CellId],
        during: Interval,
        until: Position,
    ) -> Result<Vec<Uuid>, sqlx::Error> {
        let cells: Vec<Uuid> = cells.iter().map(|cell| cell.uuid()).collect();
        sqlx::query_scalar!(
            "SELECT DISTINCT holder FROM event_log.slot_claims
             WHERE cell_id = ANY ($1) AND during && tstzrange($2, $3) AND from_position <= $4",
            &cells,
            during.from(),
            during.to(),
            until
        )
        .fetch_all(self.pool())
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_position_or_a_time() {
        let read = |text: &str| text.parse::<AsOf>().ok();
        assert_eq!(read("42"), Some(AsOf::Position(42)));
        assert_eq!(read("-1"), Some(AsOf::Position(-1)), "said to be before the start, not malformed");
        let time = read("2026-11-23T18:00:00+01:00");
        assert_eq!(time, read("2026-11-23T17:00:00Z"));
        assert!(matches!(time, Some(AsOf::Time(_))));
        for odd in ["", "now", "2026-11-23", "4.2", "99999999999999999999", "2026-13-01T00:00:00Z"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
