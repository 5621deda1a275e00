//! Reading the log: by stream, by position, and what the guards hold.

use chrono::{DateTime, Utc};
use domain::{
    aggregate::{Aggregate, Loaded, Version},
    event::{DecodeError, Event},
    ids::{CellId, StreamId},
    interval::{Interval, IntervalError},
};
use sqlx::PgExecutor;
use thiserror::Error;
use uuid::Uuid;

use crate::{
    Store,
    recorded::{Position, Recorded, Row},
};

/// Why the log could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Stop, do not skip (reliability.md R9).
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("the log cannot be read")]
    Database(#[from] sqlx::Error),
    #[error("a claim in the guard tables cannot be read")]
    Claim(#[from] IntervalError),
}

/// Why a state could not be folded.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The id belongs to something else.
    #[error("stream {stream} holds {found} events")]
    OtherNoun { stream: Uuid, found: String },
}

impl From<DecodeError> for LoadError {
    fn from(error: DecodeError) -> Self {
        Self::Read(error.into())
    }
}

impl From<sqlx::Error> for LoadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Read(error.into())
    }
}

/// An open claim on a cell. Whether it blocks is for [`domain::guard::blocks`] to say.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimRow {
    pub cell: CellId,
    pub during: Interval,
    /// A reservation or a closure.
    pub holder: Uuid,
    /// `None` when firm.
    pub releasable_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Folds a stream; version 0 and the default state when there is none.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn load<A: Aggregate>(&self, id: A::Id) -> Result<Loaded<A>, LoadError> {
        let mut loaded = Loaded::new(id);
        self.catch_up(&mut loaded).await?;
        Ok(loaded)
    }

    /// Folds what was recorded since.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn catch_up<A: Aggregate>(&self, loaded: &mut Loaded<A>) -> Result<(), LoadError> {
        let stream: StreamId = loaded.id.into();
        // Only what a state is made of: who wrote it, and when it was recorded, is as much again to carry.
        let rows = sqlx::query!(
            r#"SELECT type AS name, schema, data AS "data!: String" FROM event_log.events
               WHERE stream_id = $1 AND version > $2 ORDER BY version"#,
            stream.uuid(),
            loaded.version
        )
        .fetch_all(self.pool())
        .await?;
        for row in rows {
            let event = A::select(Event::from_json(&row.name, row.schema, &row.data)?)
                .ok_or(LoadError::OtherNoun { stream: stream.uuid(), found: row.name })?;
            loaded.apply(event);
        }
        Ok(())
    }

    /// The events of one stream after a version, oldest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read_stream(&self, stream: Uuid, after: Version, limit: i64) -> Result<Vec<Recorded>, ReadError> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT position, event_id, stream_id, version, type AS name, schema,
                      data AS "data!: String", meta AS "meta!: String", recorded_at
               FROM event_log.events WHERE stream_id = $1 AND version > $2 ORDER BY version LIMIT $3"#,
            stream,
            after,
            limit
        )
        .fetch_all(self.pool())
        .await?;
        collect(rows)
    }

    /// The events after a position, in order. There is never a gap, so what is not there has not happened.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn read_after(&self, position: Position, limit: i64) -> Result<Vec<Recorded>, ReadError> {
        let rows = rows_after(self.pool(), position, limit).await?;
        collect(rows)
    }

    /// The export lines after a position, in order: the stored bytes, whether this version can read them or not.
    ///
    /// # Errors
    /// The database's.
    pub async fn lines_after(&self, position: Position, limit: i64) -> Result<Vec<(Position, String)>, sqlx::Error> {
        let rows = rows_after(self.pool(), position, limit).await?;
        Ok(rows.iter().map(|row| (row.position, row.export_line())).collect())
    }

    /// The last position; 0 for an empty log.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn head(&self) -> Result<Position, ReadError> {
        Ok(self.head_of_log().await?)
    }

    pub(crate) async fn head_of_log(&self) -> Result<Position, sqlx::Error> {
        let head = sqlx::query_scalar!(r#"SELECT coalesce(max(position), 0) AS "head!" FROM event_log.events"#);
        head.fetch_one(self.pool()).await
    }

    /// Who has a name, such as the client of a telephone number's hash.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn holder_of(&self, scope: &str, key: &str) -> Result<Option<Uuid>, ReadError> {
        let holder =
            sqlx::query_scalar!("SELECT holder FROM event_log.unique_claims WHERE scope = $1 AND key = $2", scope, key);
        Ok(holder.fetch_optional(self.pool()).await?)
    }

    /// The open claims on cells that overlap an interval, lapsed holds included.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn claims(&self, cells: &[CellId], interval: Interval) -> Result<Vec<ClaimRow>, ReadError> {
        let cells: Vec<Uuid> = cells.iter().map(|cell| cell.uuid()).collect();
        let rows = sqlx::query!(
            r#"SELECT cell_id, lower(during) AS "from!", upper(during) AS "to!", holder, releasable_at
               FROM event_log.slot_claims
               WHERE cell_id = ANY ($1) AND during && tstzrange($2, $3) AND to_position IS NULL
               ORDER BY cell_id, during"#,
            &cells,
            interval.from(),
            interval.to()
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(ClaimRow {
                    cell: row.cell_id.into(),
                    during: Interval::new(row.from, row.to)?,
                    holder: row.holder,
                    releasable_at: row.releasable_at,
                })
            })
            .collect()
    }
}

/// The rows after a position, in order, wherever the log is.
pub(crate) async fn rows_after(
    log: impl PgExecutor<'_>,
    position: Position,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"SELECT position, event_id, stream_id, version, type AS name, schema,
                      data AS "data!: String", meta AS "meta!: String", recorded_at
               FROM event_log.events WHERE position > $1 ORDER BY position LIMIT $2"#,
        position,
        limit
    )
    .fetch_all(log)
    .await
}

fn collect(rows: Vec<Row>) -> Result<Vec<Recorded>, ReadError> {
    rows.into_iter().map(|row| Recorded::try_from(row).map_err(ReadError::from)).collect()
}
