//! The sealer: follows the log, adds its lines to the tree, signs.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use thiserror::Error;

use super::{checkpoints, tiles};
use crate::{
    Store, failpoint,
    merkle::{Growing, Hash, Tile},
    note::{Checkpoint, Signer},
    read::rows_after,
    recorded::Position,
};

/// When a checkpoint is signed: after so many events, or so long after the last one if anything has happened since, or
/// as soon as somebody waits for one, but not sooner than `least` after the last.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub events: u64,
    pub time: Duration,
    pub least: Duration,
}

impl Default for Pace {
    /// design.md §2: every 60 s or 10 000 events.
    fn default() -> Self {
        Self { events: 10_000, time: Duration::from_secs(60), least: Duration::from_secs(1) }
    }
}

/// Why the log cannot be sealed. All but the first two are for a person: something is not as it was.
#[derive(Debug, Error)]
pub enum SealError {
    #[error("the database did not answer as expected")]
    Database(#[from] sqlx::Error),
    #[error("another process has become the sealer")]
    Fenced,
    #[error("position {expected} of the log is missing; the next there is {found}")]
    Gap { expected: Position, found: Position },
    #[error("the log was sealed up to {sealed} and ends at {head}: events were removed")]
    Shortened { sealed: Position, head: Position },
    #[error("the event at position {0} is not the one that was sealed: it was changed")]
    Changed(Position),
    #[error("the tiles do not lead to the root they were kept with: they were changed")]
    Tiles,
    #[error("this log has been sealed as {found}; the setting says {wanted}. The origin names a log for ever")]
    OtherOrigin { wanted: String, found: String },
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Events in the tree.
    pub size: Position,
    /// How many were added.
    pub added: usize,
    /// A checkpoint of that size was signed.
    pub signed: bool,
}

/// Seals one log under one epoch. Whoever becomes the sealer later fences this one out.
#[derive(Debug)]
pub struct Sealer {
    /// Of its own: it waits for nobody. Its commits do not wait for the disk, but for those of signatures.
    connection: PgConnection,
    signer: Signer,
    origin: String,
    pace: Pace,
    epoch: i64,
    tree: Growing,
    /// Somebody waits for a checkpoint of at least this size.
    wanted: Position,
    /// Size and time of the last checkpoint.
    last: Option<(u64, Instant)>,
}

impl Sealer {
    /// Becomes the sealer, and looks whether what was sealed last is still there: the tiles lead to the root, and the
    /// last leaves are the lines of the log. (All of the log is checked by an export that is verified.)
    ///
    /// # Errors
    /// [`SealError`].
    pub async fn own(store: Store, signer: Signer, origin: String, owner: &str, pace: Pace) -> Result<Self, SealError> {
        let mut connection = store.pool().acquire().await?.detach();
        let found =
            sqlx::query!("UPDATE event_log.seal SET epoch = epoch + 1, owner = $1 RETURNING epoch, size, root", owner)
                .fetch_one(&mut connection)
                .await?;
        failpoint("sealer.owned");
        // What a crash loses from here on is made again from the events.
        sqlx::query!("SET synchronous_commit = off").execute(&mut connection).await?;
        let size = u64::try_from(found.size).unwrap_or(0);
        let tree = Growing::resume(size, tiles::read_edge(&mut connection, size).await?).ok_or(SealError::Tiles)?;
        if tree.root().0 != found.root.as_slice() {
            return Err(SealError::Tiles);
        }
        let newest = checkpoints::newest(&mut connection).await?;
        let age = match &newest {
            Some(newest) => age(&mut connection, newest.size).await?,
            None => Duration::ZERO,
        };
        if let Some(newest) = &newest
            && newest.note.lines().next() != Some(origin.as_str())
        {
            let found = newest.note.lines().next().unwrap_or_default().to_owned();
            return Err(SealError::OtherOrigin { wanted: origin, found });
        }
        let now = Instant::now();
        let last = newest.map(|newest| (u64::try_from(newest.size).unwrap_or(0), now.checked_sub(age).unwrap_or(now)));
        let mut sealer = Self { connection, signer, origin, pace, epoch: found.epoch, tree, wanted: 0, last };
        sealer.check_end(&store).await?;
        Ok(sealer)
    }

    /// The leaves at the edge against the lines of the log.
    async fn check_end(&mut self, store: &Store) -> Result<(), SealError> {
        let sealed = self.position();
        let head = store.head_of_log().await?;
        if head < sealed {
            return Err(SealError::Shortened { sealed, head });
        }
        let leaves = self.tree.edge().find(|tile| tile.id.level == 0).map(|tile| tile.hashes).unwrap_or_default();
        let count = i64::try_from(leaves.len()).unwrap_or(0);
        let lines = store.lines_after(sealed - count, count).await?;
        for (expected, leaf) in (sealed - count + 1..).zip(&leaves) {
            let at = usize::try_from(expected - (sealed - count + 1)).unwrap_or(usize::MAX);
            match lines.get(at) {
                Some((found, line)) if *found == expected && Hash::leaf(line.as_bytes()) == *leaf => {}
                _ => return Err(SealError::Changed(expected)),
            }
        }
        Ok(())
    }

    /// How many events are in the tree.
    pub fn position(&self) -> Position {
        i64::try_from(self.tree.size()).unwrap_or(i64::MAX)
    }

    /// Adds at most `most` events, and signs when it is time. After an error the sealer knows nothing for sure: drop it
    /// and own the seal again.
    ///
    /// # Errors
    /// [`SealError`].
    pub async fn step(&mut self, most: i64) -> Result<Step, SealError> {
        let before = self.position();
        let rows = rows_after(&mut self.connection, before, most).await?;
        let mut filled = Vec::new();
        for (expected, row) in (before + 1..).zip(&rows) {
            if row.position != expected {
                return Err(SealError::Gap { expected, found: row.position });
            }
            filled.extend(self.tree.push(Hash::leaf(row.export_line().as_bytes())));
        }
        filled.extend(self.tree.edge());
        let mut signed = self.is_due();
        if signed {
            self.write_and_sign(before, &filled).await?;
        } else {
            self.wanted = if rows.is_empty() {
                sqlx::query_scalar!("SELECT wanted FROM event_log.seal").fetch_one(&mut self.connection).await?
            } else {
                self.write(before, &filled).await?
            };
            signed = self.is_due();
            if signed {
                self.write_and_sign(self.position(), &[]).await?;
            }
        }
        Ok(Step { size: self.position(), added: rows.len(), signed })
    }

    /// By number, by time, or because somebody waits, as far as that is known.
    fn is_due(&self) -> bool {
        let size = self.tree.size();
        let Some((last, at)) = self.last else { return size > 0 };
        if size == last {
            return false;
        }
        if size - last >= self.pace.events || at.elapsed() >= self.pace.time {
            return true;
        }
        let wanted = u64::try_from(self.wanted).is_ok_and(|wanted| wanted > last && wanted <= size);
        wanted && at.elapsed() >= self.pace.least
    }

    /// Tree and tiles in one statement: on a busy machine every question and answer costs some milliseconds. Answers for
    /// which size somebody waits.
    async fn write(&mut self, before: Position, tiles: &[Tile]) -> Result<Position, SealError> {
        let (root, size, columns) = (self.tree.root(), self.position(), tiles::Columns::of(tiles));
        let wanted = sqlx::query_scalar!(
            r#"WITH moved AS (
                 UPDATE event_log.seal SET size = $3, root = $4 WHERE epoch = $1 AND size = $2 RETURNING wanted),
             kept AS (
                 INSERT INTO event_log.tiles (level, index, hashes)
                 SELECT tile.level, tile.index, tile.hashes
                 FROM moved, unnest($5::smallint[], $6::bigint[], $7::bytea[]) AS tile (level, index, hashes)
                 ON CONFLICT (level, index) DO UPDATE SET hashes = excluded.hashes)
             SELECT wanted AS "wanted!" FROM moved"#,
            self.epoch,
            before,
            size,
            root.0.as_slice(),
            &columns.levels,
            &columns.indexes,
            &columns.hashes,
        )
        .fetch_optional(&mut self.connection)
        .await?;
        failpoint("sealer.written");
        wanted.ok_or(SealError::Fenced)
    }

    async fn write_and_sign(&mut self, before: Position, tiles: &[Tile]) -> Result<(), SealError> {
        let (root, size, columns) = (self.tree.root(), self.position(), tiles::Columns::of(tiles));
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: self.tree.size(), root };
        let mut transaction = self.connection.begin().await?;
        sqlx::query!("SET LOCAL synchronous_commit = on").execute(&mut *transaction).await?;
        let moved = sqlx::query!(
            "UPDATE event_log.seal SET size = $3, root = $4 WHERE epoch = $1 AND size = $2",
            self.epoch,
            before,
            size,
            root.0.as_slice(),
        )
        .execute(&mut *transaction)
        .await?;
        if moved.rows_affected() != 1 {
            return Err(SealError::Fenced);
        }
        tiles::keep(&mut transaction, &columns).await?;
        sqlx::query!(
            "INSERT INTO event_log.checkpoints (size, note, verifier) VALUES ($1, $2, $3)",
            size,
            self.signer.sign(&checkpoint.text()),
            self.signer.verifier().to_text(),
        )
        .execute(&mut *transaction)
        .await?;
        failpoint("sealer.before_commit");
        transaction.commit().await?;
        failpoint("sealer.after_commit");
        self.last = Some((self.tree.size(), Instant::now()));
        Ok(())
    }
}

/// How long ago a checkpoint was signed, by the clock that dated it.
async fn age(connection: &mut PgConnection, size: Position) -> Result<Duration, sqlx::Error> {
    let seconds = sqlx::query_scalar!(
        r#"SELECT extract(epoch FROM clock_timestamp() - signed_at)::float8 AS "age!"
           FROM event_log.checkpoints WHERE size = $1"#,
        size
    )
    .fetch_one(connection)
    .await?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}
