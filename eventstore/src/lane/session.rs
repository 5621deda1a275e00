//! The lane's own connection, and what is done when it breaks.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    command::Command,
    facts,
    overlay::Overlay,
    plan::{LOCK, Plan},
    verdict::{Draft, Verdict},
};
use crate::{append::AppendError, clock::Clock, failpoint, fence, recorded::Position};

/// How long a batch is tried for, failures of the database included.
const GIVE_UP: Duration = Duration::from_secs(6);
const RETRY_EVERY: Duration = Duration::from_millis(50);
/// SQLSTATE (PostgreSQL, Appendix A).
const UNIQUE_VIOLATION: &str = "23505";
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(20261122)";

/// Why an attempt at a batch ended without verdicts.
enum Trouble {
    /// Nothing was committed: the connection broke before that, or the database asked to try again.
    NotDone(sqlx::Error),
    /// Nothing was committed, and it would be so again: something in the batch cannot be written.
    Impossible(sqlx::Error),
    /// The answer to the commit is lost. What the verdicts are if it was carried out, and the event to look for.
    Unknown { drafts: Vec<Draft>, event: Option<Uuid> },
}

pub(crate) struct Session {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    clock: Clock,
    /// The fence that stops a call which was given up from being carried out later.
    name: String,
    epoch: i64,
    /// Whether the next batch may be tried in one round trip; the last one tells.
    hopeful: bool,
}

impl Session {
    pub(crate) fn new(options: PgConnectOptions, clock: Clock) -> Self {
        let name = format!("lane:{}", clock.new_id());
        Self { options, connection: None, clock, name, epoch: 0, hopeful: true }
    }

    /// Decides and writes a batch. What fails only because of one command fails only that command.
    pub(crate) async fn settle(&mut self, commands: &[&Command]) -> Vec<Result<Verdict, AppendError>> {
        match self.together(commands).await {
            Ok(verdicts) => verdicts.into_iter().map(Ok).collect(),
            Err(AppendError::Database(error)) if commands.len() > 1 && !retriable(&error) => {
                tracing::error!(%error, commands = commands.len(), "a batch cannot be written; repeating it singly");
                metrics::counter!("lane_batches_replayed_total").increment(1);
                let mut verdicts = Vec::with_capacity(commands.len());
                for command in commands {
                    verdicts.push(self.together(&[command]).await.map(only));
                }
                verdicts
                    .into_iter()
                    .map(|verdict| verdict.and_then(|found| found.ok_or(AppendError::Unknown)))
                    .collect()
            }
            Err(error) => commands.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn together(&mut self, commands: &[&Command]) -> Result<Vec<Verdict>, AppendError> {
        let until = Instant::now() + GIVE_UP;
        loop {
            match self.attempt(commands).await {
                Ok(verdicts) => return Ok(verdicts),
                Err(Trouble::Unknown { drafts, event }) => {
                    metrics::counter!("lane_commits_unknown_total").increment(1);
                    match self.probe(event, until).await {
                        None => return Err(AppendError::Unknown),
                        Some(None) => {}
                        Some(Some((position, at))) => {
                            return Ok(drafts.into_iter().map(|draft| draft.settle(position - 1, at)).collect());
                        }
                    }
                }
                Err(Trouble::NotDone(error)) if Instant::now() < until => {
                    tracing::warn!(%error, "an append was interrupted; trying again");
                    tokio::time::sleep(RETRY_EVERY).await;
                }
                Err(Trouble::NotDone(error) | Trouble::Impossible(error)) => {
                    return Err(AppendError::Database(Arc::new(error)));
                }
            }
        }
    }

    async fn attempt(&mut self, commands: &[&Command]) -> Result<Vec<Verdict>, Trouble> {
        if self.connection.is_none() {
            self.connect().await.map_err(Trouble::NotDone)?;
        }
        if self.hopeful
            && let Some(verdicts) = self.in_one_go(commands).await?
        {
            metrics::counter!("lane_batches_total", "path" => "one_round_trip").increment(1);
            return Ok(verdicts);
        }
        metrics::counter!("lane_batches_total", "path" => "transaction").increment(1);
        self.in_a_transaction(commands).await
    }

    /// One round trip, when nothing in the batch depends on what is not known yet.
    async fn in_one_go(&mut self, commands: &[&Command]) -> Result<Option<Vec<Verdict>>, Trouble> {
        let mut overlay = Overlay::hopeful(self.clock.now(), &self.clock);
        let mut drafts = Vec::with_capacity(commands.len());
        for command in commands {
            let draft = overlay.decide(command);
            if !matches!(draft.verdict, Verdict::Applied { .. }) {
                return Ok(None);
            }
            drafts.push(draft);
        }
        if !overlay.guards.can_be_checked() {
            return Ok(None);
        }
        let plan = Plan::of(&overlay);
        let Some(connection) = &mut self.connection else { return Ok(None) };
        failpoint("lane.before_append");
        match plan.append(connection, &overlay, &self.name, self.epoch).await {
            Ok(Some((head, at))) => {
                failpoint("lane.after_append");
                Ok(Some(drafts.into_iter().map(|draft| draft.settle(head, at)).collect()))
            }
            Ok(None) => {
                self.hopeful = false;
                Ok(None)
            }
            // A stream that was taken to be new is not.
            Err(error) if code(&error).as_deref() == Some(UNIQUE_VIOLATION) => {
                self.hopeful = false;
                Ok(None)
            }
            // It may have been carried out, even be carried out from now on.
            Err(error) if lost(&error) => {
                self.connection = None;
                Err(Trouble::Unknown { drafts, event: plan.e_ids.first().copied() })
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// The lock, the facts, the verdicts, the writes, the commit.
    async fn in_a_transaction(&mut self, commands: &[&Command]) -> Result<Vec<Verdict>, Trouble> {
        let Some(mut connection) = self.connection.take() else {
            return Err(Trouble::NotDone(sqlx::Error::PoolClosed));
        };
        let clock = self.clock.clone();
        let mut tx = match connection.begin_with(BEGIN).await {
            Ok(tx) => tx,
            // The connection is dropped with whatever it was doing: nothing was sent that could commit.
            Err(error) => return Err(self.failed(error)),
        };
        let facts = match facts::gather(&mut tx, commands).await {
            Ok(facts) => facts,
            Err(error) => return Err(self.failed(error)),
        };
        let (head, at) = (facts.head, facts.now);
        let mut overlay = Overlay::on(facts, &clock);
        let drafts: Vec<Draft> = commands.iter().map(|command| overlay.decide(command)).collect();
        self.hopeful = overlay.guards.can_be_checked()
            && drafts.iter().all(|draft| matches!(draft.verdict, Verdict::Applied { .. }));
        let plan = Plan::of(&overlay);
        if plan.is_empty() {
            // Every command is refused: there is nothing that could be lost.
            if tx.rollback().await.is_ok() {
                self.connection = Some(connection);
            }
            return Ok(drafts.into_iter().map(|draft| draft.settle(head, at)).collect());
        }
        failpoint("lane.decided");
        if let Err(error) = plan.write(&mut tx, head, at).await {
            return Err(self.failed(error));
        }
        failpoint("lane.before_commit");
        if let Err(error) = tx.commit().await {
            tracing::warn!(%error, "the answer to a commit is lost");
            return Err(Trouble::Unknown { event: plan.e_ids.first().copied(), drafts });
        }
        failpoint("lane.after_commit");
        self.connection = Some(connection);
        Ok(drafts.into_iter().map(|draft| draft.settle(head, at)).collect())
    }

    /// Nothing was committed. The connection starts anew unless the database says that it is well.
    fn failed(&mut self, error: sqlx::Error) -> Trouble {
        if lost(&error) {
            self.connection = None;
        }
        if retriable(&error) {
            return Trouble::NotDone(error);
        }
        self.hopeful = false;
        Trouble::Impossible(error)
    }

    async fn connect(&mut self) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        let epoch = sqlx::query_scalar!("SELECT token FROM event_log.fences WHERE key = $1", self.name)
            .fetch_optional(&mut connection)
            .await?;
        self.epoch = epoch.unwrap_or(0);
        self.connection = Some(connection);
        Ok(())
    }

    /// Finds out whether a batch whose answer was lost was committed: the place of its first event, or that it was not
    /// and never will be. `None` when the database could not be asked in time.
    async fn probe(&mut self, event: Option<Uuid>, until: Instant) -> Option<Option<(Position, Timestamp)>> {
        while Instant::now() < until {
            match self.look_for(event).await {
                Ok(found) => return Some(found),
                Err(error) => tracing::warn!(%error, "whether a batch was committed cannot be asked yet"),
            }
            tokio::time::sleep(RETRY_EVERY).await;
        }
        None
    }

    /// The lane lock is taken on a fresh connection, which outwaits the backend that may still be committing; then the
    /// lane's fence is raised, so that a call which has not even begun will do nothing; then the log is read.
    async fn look_for(&mut self, event: Option<Uuid>) -> Result<Option<(Position, Timestamp)>, sqlx::Error> {
        self.connection = None;
        let mut connection = PgConnection::connect_with(&self.options).await?;
        let mut tx = connection.begin_with(BEGIN).await?;
        let epoch = fence::raise(&mut tx, &self.name).await?;
        let found = match event {
            None => None,
            Some(event) => {
                sqlx::query!("SELECT position, recorded_at FROM event_log.events WHERE event_id = $1", event)
                    .fetch_optional(&mut *tx)
                    .await?
            }
        };
        tx.commit().await?;
        failpoint("lane.probed");
        self.epoch = epoch.0;
        self.connection = Some(connection);
        Ok(found.map(|row| (row.position, row.recorded_at)))
    }
}

fn only(verdicts: Vec<Verdict>) -> Option<Verdict> {
    verdicts.into_iter().next()
}

/// SQLSTATE of an error the database answered with.
fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

/// Whether the connection can no longer be used. Class 57P is the server going away, 25P03 a session that idled in its
/// transaction (PostgreSQL, Appendix A).
fn lost(error: &sqlx::Error) -> bool {
    match code(error) {
        None => true,
        Some(code) => code.starts_with("57P") || code.starts_with("08") || code == "25P03",
    }
}

/// Whether the same may go well the next time: the connection, a lock that was not given in time, a deadlock.
fn retriable(error: &sqlx::Error) -> bool {
    if matches!(error, sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Encode(_)) {
        return false;
    }
    lost(error)
        || code(error)
            .is_some_and(|code| code.starts_with("40") || code.starts_with("53") || code == "55P03" || code == "57014")
}

const _: () = assert!(LOCK == 20_261_122, "the lock in BEGIN is the lane's");
