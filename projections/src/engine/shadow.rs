//! The rows of a projector built again beside those that are read: begun, filled, compared, exchanged.
//!
//! A shadow follows the live rows and never overtakes them, so that the two can be compared at one position, and so that
//! no reader sees less after the exchange than before it. It can be left at any moment: all that is known is in the
//! database, and whoever takes it over goes on where it stands.

mod compare;
mod swap;

pub(super) use compare::contents;
pub use compare::{Comparison, Content, Difference, Kind, Table};

use eventstore::{Store, failpoint};

use super::{
    Bulk, Poison, Progress, Projector, RunError, Runner, Sizes,
    apply::{Stand, lock},
    bulk::Filling,
    error::{Setback, is_about_data},
    rows::Rows,
    runner::Taken,
};
use crate::Position;

/// Events in one transaction where a shadow is not filled in bulk: large, since nobody waits for a single one of them, and
/// a stream that comes several times in a batch is read and written once. With the batch read ahead, some 100 MB.
const BATCH: usize = 10_000;

/// The owner of a shadow.
pub struct Shadow {
    runner: Runner,
    sizes: Sizes,
    /// Rows in memory, until it stands where the live rows stand.
    filling: Option<Filling>,
    /// Up to here something went wrong in bulk: batch by batch it is found out what.
    slowly_until: Position,
    /// Its indexes are there.
    finished: bool,
    /// An exchange has come as far as its commit.
    committing: bool,
}

impl Shadow {
    /// Takes the shadow over, and makes it when there is none, or only one of an older version or of a shape that its
    /// tables had before a migration.
    ///
    /// # Errors
    /// [`RunError::Outdated`] when the live rows or the shadow are of a newer version than this program's.
    pub async fn own(projector: &'static Projector, store: Store, owner: &str) -> Result<Self, RunError> {
        let (live, key) = (Rows::Live.checkpoint(projector), Rows::Shadow.checkpoint(projector));
        let mut transaction = store.pool().begin().await?;
        patient(&mut transaction).await?;
        for name in [&live, &key] {
            sqlx::query!(
                "INSERT INTO read.checkpoints (name, version) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING",
                name,
            )
            .execute(&mut *transaction)
            .await?;
        }
        // The live row first, as everybody does who locks both.
        let rows = sqlx::query!(
            r#"SELECT name, version, position, digest FROM read.checkpoints WHERE name IN ($1, $2)
               ORDER BY name = $2 FOR UPDATE"#,
            live,
            key,
        )
        .fetch_all(&mut *transaction)
        .await?;
        let (mut position, mut digest, mut version) = (0, Vec::new(), 0);
        for row in rows {
            if row.version > projector.version {
                let (found, ours) = (row.version, projector.version);
                return Err(RunError::Outdated { projector: projector.name, found, ours });
            }
            (position, digest, version) = (row.position, row.digest, row.version);
        }
        let fits = sqlx::query_scalar!(r#"SELECT read.shadow_fits($1) AS "fits!""#, projector.name)
            .fetch_one(&mut *transaction)
            .await?;
        if version < projector.version || !fits {
            (position, digest) = (0, vec![0; digest.len()]);
            begin(&mut transaction, projector, &key).await?;
        }
        let epoch = sqlx::query_scalar!(
            "UPDATE read.checkpoints SET epoch = epoch + 1, owner = $2 WHERE name = $1 RETURNING epoch",
            key,
            owner,
        )
        .fetch_one(&mut *transaction)
        .await?;
        // Nobody had filled the live rows yet: they are as good as any version's.
        sqlx::query!(
            "UPDATE read.checkpoints SET version = $2 WHERE name = $1 AND version = 0",
            live,
            projector.version
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        failpoint("shadow.owned");
        let taken = Taken { epoch, position, digest };
        let runner = Runner::with(projector, Rows::Shadow, store, None, taken);
        let (sizes, filling) = (Sizes::default(), None);
        Ok(Self { runner, sizes, filling, slowly_until: 0, finished: false, committing: false })
    }

    /// Takes other amounts at a time than usual.
    #[must_use]
    pub fn in_parts_of(mut self, sizes: Sizes) -> Self {
        self.sizes = sizes;
        self
    }

    pub fn projector(&self) -> &'static Projector {
        self.runner.hold.projector
    }

    pub fn position(&self) -> Position {
        self.runner.position()
    }

    /// Takes in one large part of the log, or the few events there are up to where the live rows stand; once it is there,
    /// makes what only readers need.
    ///
    /// # Errors
    /// As [`Runner::run_batch`]; [`RunError::Fenced`] also when the shadow was exchanged or thrown away by others.
    pub async fn step(&mut self) -> Result<Progress, RunError> {
        let until = self.live().await?.max(self.position());
        self.runner.until = until;
        let mut progress = match self.projector().bulk {
            Some(rows) if self.in_bulk() => self.fill(rows, until).await?,
            _ => self.runner.run_batch(BATCH).await?,
        };
        if progress.caught_up && !self.finished {
            self.finish().await?;
            // That takes its time, and meanwhile the live rows have gone on.
            progress.caught_up = progress.position >= self.live().await?;
        }
        Ok(progress)
    }

    /// As long as nothing is wrong. In bulk nobody looks for streams set aside.
    fn in_bulk(&self) -> bool {
        self.projector().poison == Poison::Stop && !self.finished && self.position() >= self.slowly_until
    }

    /// A step in bulk. Whatever goes wrong, what is in memory is forgotten, and the database says where to begin again.
    async fn fill(&mut self, rows: fn() -> Box<dyn Bulk>, until: Position) -> Result<Progress, RunError> {
        let before = self.position();
        let mut filling = match self.filling.take() {
            Some(filling) => filling,
            None => {
                let stand = self.stand().await?;
                self.runner.stands_at(stand.clone());
                Filling::new(self.runner.hold.clone(), self.runner.store.clone(), self.sizes, rows(), stand)
            }
        };
        match filling.step(until).await {
            Ok(stand) => {
                if let Some(stand) = stand {
                    self.runner.stands_at(stand);
                }
                let caught_up = self.position() >= until;
                self.filling = (!caught_up).then_some(filling);
                let events = usize::try_from(self.position() - before).unwrap_or(0);
                return Ok(Progress { position: self.position(), events, caught_up });
            }
            Err(Setback::Moved(_)) => {}
            Err(Setback::Run(error)) if !error.took_too_long() => return Err(error),
            // Batch by batch the event stands alone at last, and what lies before it is applied.
            Err(Setback::Run(_) | Setback::Poison(_) | Setback::Unknown(_)) => self.slowly_until = filling.folded(),
        }
        filling.settle().await;
        let stand = self.stand().await?;
        self.runner.stands_at(stand);
        Ok(Progress { position: self.position(), events: 0, caught_up: false })
    }

    /// Where the database stands.
    async fn stand(&self) -> Result<Stand, RunError> {
        let mut transaction = self.runner.store.pool().begin().await?;
        let checkpoint = lock(&mut transaction, &self.runner.hold).await?;
        transaction.rollback().await?;
        Ok(Stand { position: checkpoint.position, digest: checkpoint.digest })
    }

    /// Steps until it stands where the live rows stand.
    ///
    /// # Errors
    /// As [`Shadow::step`].
    pub async fn follow(&mut self) -> Result<Position, RunError> {
        while !self.step().await?.caught_up {}
        Ok(self.position())
    }

    /// Where the live rows stand.
    ///
    /// # Errors
    /// [`RunError::Fenced`] when the shadow is not ours any more; whatever the database says.
    pub async fn live(&self) -> Result<Position, RunError> {
        let projector = self.projector().name;
        let found = sqlx::query!(
            r#"SELECT live.position, shadow.epoch AS "epoch?"
               FROM read.checkpoints AS live LEFT JOIN read.checkpoints AS shadow ON shadow.name = $2
               WHERE live.name = $1"#,
            projector,
            self.runner.hold.key,
        )
        .fetch_one(self.runner.store.pool())
        .await?;
        if found.epoch == Some(self.runner.epoch()) { Ok(found.position) } else { Err(RunError::Fenced { projector }) }
    }

    /// Indexes, exclusion constraints, statistics.
    async fn finish(&mut self) -> Result<(), RunError> {
        let mut transaction = self.runner.store.pool().begin().await?;
        lock(&mut transaction, &self.runner.hold).await?;
        // An autovacuum comes by soon after so many rows, and its lock is in the way of an index.
        patient(&mut transaction).await?;
        unhurried(&mut transaction).await?;
        let made =
            sqlx::query!("SELECT read.shadow_finish($1)", self.projector().name).execute(&mut *transaction).await;
        match made {
            Ok(_) => {}
            Err(error) if is_about_data(&error) => {
                transaction.rollback().await?;
                let why = format!("the rebuilt rows break a rule of their table: {error}");
                return Err(self.runner.halt_at(self.position(), why).await);
            }
            Err(error) => return Err(error.into()),
        }
        transaction.commit().await?;
        failpoint("shadow.finished");
        self.finished = true;
        Ok(())
    }
}

/// Empty tables, and a checkpoint in front of the first event.
async fn begin(transaction: &mut sqlx::PgConnection, projector: &Projector, key: &str) -> Result<(), sqlx::Error> {
    tracing::info!(projector = projector.name, version = projector.version, "building the rows beside the live ones");
    sqlx::query!("SELECT read.shadow_begin($1)", projector.name).execute(&mut *transaction).await?;
    sqlx::query!("DELETE FROM read.parked WHERE projector = $1", key).execute(&mut *transaction).await?;
    sqlx::query!(
        "UPDATE read.checkpoints
         SET position = 0, version = $2, recorded_at = NULL, digest = decode(repeat('00', 32), 'hex'),
             halted_at = NULL, halted_why = NULL
         WHERE name = $1",
        key,
        projector.version,
    )
    .execute(transaction)
    .await?;
    Ok(())
}

/// Throws the shadow away, whoever owns it; whether there was one. Live rows are not touched.
///
/// # Errors
/// Whatever the database says.
pub async fn discard(projector: &Projector, store: &Store) -> Result<bool, RunError> {
    let key = Rows::Shadow.checkpoint(projector);
    let mut transaction = store.pool().begin().await?;
    patient(&mut transaction).await?;
    let found = sqlx::query_scalar!("SELECT epoch FROM read.checkpoints WHERE name = $1 FOR UPDATE", key)
        .fetch_optional(&mut *transaction)
        .await?;
    if found.is_none() {
        return Ok(false);
    }
    sqlx::query!("SELECT read.shadow_drop($1)", projector.name).execute(&mut *transaction).await?;
    sqlx::query!("DELETE FROM read.parked WHERE projector = $1", key).execute(&mut *transaction).await?;
    sqlx::query!("DELETE FROM read.checkpoints WHERE name = $1", key).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Versions of the live rows and of the shadow, as far as there are any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    pub live: Option<i32>,
    pub shadow: Option<i32>,
}

/// Asks which versions there are: whether a projector's rows are its own, older, or being built.
///
/// # Errors
/// Whatever the database says.
pub async fn versions(projector: &Projector, store: &Store) -> Result<Versions, sqlx::Error> {
    let key = Rows::Shadow.checkpoint(projector);
    let rows = sqlx::query!("SELECT name, version FROM read.checkpoints WHERE name IN ($1, $2)", projector.name, key)
        .fetch_all(store.pool())
        .await?;
    let of = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.version);
    Ok(Versions { live: of(projector.name), shadow: of(&key) })
}

/// A lock may take longer than the pool waits for one: an owner's batch under way, or an autovacuum, which Postgres sends
/// away after a second.
pub(super) async fn patient(connection: &mut sqlx::PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SET LOCAL lock_timeout = '4s'").execute(connection).await?;
    Ok(())
}

/// Whole tables take longer than the pool gives a statement.
pub(super) async fn unhurried(connection: &mut sqlx::PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SET LOCAL statement_timeout = '2h'").execute(connection).await?;
    Ok(())
}
