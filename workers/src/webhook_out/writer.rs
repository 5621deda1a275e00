//! Writing down what endpoints are owed, in the transaction of the checkpoint: what is read twice is there once.

use std::collections::{BTreeMap, btree_map::Entry};

use domain::{
    aggregate::{Aggregate, Loaded},
    endpoint::{Endpoint, Event as EndpointEvent},
    event::{Event, Reader},
    ids::{EndpointId, KeyId},
    key::{Event as KeyEvent, Key},
};
use eventstore::{
    LoadError, Recorded,
    auth::holder_now,
    webhook_out::{self, Item},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    context::Context,
    process,
    runtime::{Progress, Step, StepError},
};

/// Name of the checkpoint.
pub const PROCESS: &str = "webhooks";
/// Events read at a time.
const BATCH: i64 = 256;

/// The loop that writes down. One at a time: the others find the checkpoint locked.
#[derive(Debug)]
pub struct Writer {
    ctx: Context,
    known: Option<Known>,
}

/// The endpoints as they are at a position.
#[derive(Debug)]
struct Known {
    position: i64,
    endpoints: BTreeMap<Uuid, Loaded<Endpoint>>,
}

/// The keys of one batch, as they are now.
type Keys = BTreeMap<KeyId, Loaded<Key>>;

impl Writer {
    pub const fn new(ctx: Context) -> Self {
        Self { ctx, known: None }
    }

    async fn position(&self) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar!("SELECT position FROM work.checkpoints WHERE process = $1", PROCESS)
            .fetch_optional(self.ctx.store.pool())
            .await
    }

    async fn lock(&self, tx: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar!("SELECT position FROM work.checkpoints WHERE process = $1 FOR UPDATE SKIP LOCKED", PROCESS)
            .fetch_optional(tx)
            .await
    }

    /// The endpoints as they were at a position: from memory when nobody else has moved on meanwhile.
    async fn known_at(&mut self, position: i64) -> Result<Known, StepError> {
        if let Some(known) = self.known.take().filter(|known| known.position == position) {
            return Ok(known);
        }
        let mut endpoints = BTreeMap::new();
        for id in webhook_out::queues(self.ctx.store.pool()).await? {
            let mut endpoint = Loaded::<Endpoint>::new(EndpointId::new(id));
            for recorded in self.ctx.store.read_stream(id, 0, i64::MAX).await? {
                if recorded.position <= position
                    && let Some(event) = Endpoint::select(event(&recorded)?)
                {
                    endpoint.apply(event);
                }
            }
            endpoints.insert(id, endpoint);
        }
        Ok(Known { position, endpoints })
    }

    /// What one event leads to. What it says of endpoints is done before the next is looked at.
    async fn fold(
        &self,
        tx: &mut PgConnection,
        known: &mut Known,
        keys: &mut Keys,
        items: &mut Vec<Item>,
        recorded: &Recorded,
    ) -> Result<(), StepError> {
        for (id, endpoint) in &known.endpoints {
            if self.owed(endpoint, keys, recorded).await? {
                items.push(item(*id, recorded, None));
            }
        }
        match event(recorded)? {
            Event::Endpoint(event) => {
                let now = recorded.recorded_at;
                let id = recorded.stream_id;
                let endpoint = known.endpoints.entry(id).or_insert_with(|| Loaded::new(EndpointId::new(id)));
                endpoint.apply(event.clone());
                // In the order of the log: what went before is in its row when it is emptied.
                webhook_out::enqueue(tx, &std::mem::take(items), now).await?;
                match event {
                    EndpointEvent::Added(_) => webhook_out::open(tx, id).await?,
                    EndpointEvent::Removed(_) => {
                        known.endpoints.remove(&id);
                        webhook_out::close(tx, id, "removed", now).await?;
                        webhook_out::forget(&self.ctx.store, id, &[]).await?;
                    }
                    EndpointEvent::Disabled(disabled) => {
                        webhook_out::drop_all(tx, id, disabled.why.as_str(), now).await?;
                    }
                    EndpointEvent::Changed(_) | EndpointEvent::SecretRotated(_) => {}
                }
            }
            // Whoever sends finds out what that means.
            Event::Key(KeyEvent::Revoked(revoked)) => {
                let theirs = known.endpoints.iter().filter(|(_, endpoint)| {
                    endpoint.state.open().is_some_and(|settings| settings.key_id == revoked.key_id)
                });
                let theirs: Vec<Uuid> = theirs.map(|(id, _)| *id).collect();
                webhook_out::wake(tx, &theirs, recorded.recorded_at).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether an endpoint asked for an event that its key may read. It is asked again when it is sent.
    async fn owed(&self, endpoint: &Loaded<Endpoint>, keys: &mut Keys, recorded: &Recorded) -> Result<bool, StepError> {
        let Some(settings) = endpoint.state.open() else { return Ok(false) };
        if !settings.wants(&recorded.name, recorded.meta.site_id) {
            return Ok(false);
        }
        let key = match keys.entry(settings.key_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(self.ctx.store.load::<Key>(settings.key_id).await.map_err(unloaded)?)
            }
        };
        let holder = holder_now(&self.ctx.store, &key.state).await.map_err(unloaded)?;
        let Some(reader) = holder.as_ref().and_then(Reader::of) else { return Ok(false) };
        self.ctx.store.sees(&reader, recorded).await.map_err(unloaded)
    }

    /// Writes the next part of a replay down.
    async fn replay(&self, tx: &mut PgConnection, known: &Known) -> Result<bool, StepError> {
        let Some(replay) = webhook_out::next_replay(tx).await? else { return Ok(false) };
        let mut items = Vec::new();
        let mut reached = replay.until;
        // One that is not sent to has nothing coming.
        let there = known.endpoints.get(&replay.endpoint_id).filter(|endpoint| endpoint.state.open().is_some());
        if let Some(endpoint) = there {
            let events = self.ctx.store.read_after(replay.position, BATCH).await?;
            reached = events.last().map_or(replay.until, |last| last.position);
            let mut keys = Keys::new();
            for recorded in events.iter().filter(|recorded| recorded.position <= replay.until) {
                if self.owed(endpoint, &mut keys, recorded).await? {
                    items.push(item(replay.endpoint_id, recorded, Some(replay.id)));
                }
            }
        }
        webhook_out::enqueue(tx, &items, self.ctx.store.clock().now()).await?;
        webhook_out::advance(tx, &replay, reached).await?;
        Ok(true)
    }
}

/// An event of a newer version of Kalel: stop, never skip (reliability.md R9).
fn event(recorded: &Recorded) -> Result<Event, StepError> {
    recorded.event().map_err(|error| StepError::Stopped(error.to_string()))
}

pub(super) fn unloaded(error: LoadError) -> StepError {
    match error {
        LoadError::Read(error) => error.into(),
        other @ LoadError::OtherNoun { .. } => StepError::Stopped(other.to_string()),
    }
}

fn item(endpoint_id: Uuid, recorded: &Recorded, replay: Option<Uuid>) -> Item {
    let key = match replay {
        None => recorded.event_id.to_string(),
        Some(replay) => format!("{}:{replay}", recorded.event_id),
    };
    Item {
        endpoint_id,
        key,
        message_id: format!("evt_{}", recorded.event_id),
        position: Some(recorded.position),
        name: recorded.name.clone(),
    }
}

impl Step for Writer {
    fn name(&self) -> String {
        "events for endpoints".to_owned()
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        let Some(position) = self.position().await? else {
            process::enrol(&self.ctx).await?;
            return Ok(Progress::Busy);
        };
        let events = self.ctx.store.read_after(position, BATCH).await?;
        if events.is_empty() && !webhook_out::replays(self.ctx.store.pool()).await? {
            return Ok(Progress::Idle);
        }
        let mut known = self.known_at(position).await?;
        let mut tx = self.ctx.store.pool().begin().await?;
        match self.lock(&mut tx).await? {
            None => return Ok(Progress::Idle),
            // Another process was faster.
            Some(found) if found != position => return Ok(Progress::Busy),
            Some(_) => {}
        }
        let (mut keys, mut items) = (Keys::new(), Vec::new());
        for recorded in &events {
            self.fold(&mut tx, &mut known, &mut keys, &mut items, recorded).await?;
            known.position = recorded.position;
        }
        webhook_out::enqueue(&mut tx, &items, self.ctx.store.clock().now()).await?;
        let more = self.replay(&mut tx, &known).await?;
        sqlx::query!("UPDATE work.checkpoints SET position = $2 WHERE process = $1", PROCESS, known.position)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.known = Some(known);
        self.ctx.bells.deliveries.ring();
        Ok(if events.is_empty() && !more { Progress::Idle } else { Progress::Busy })
    }
}
