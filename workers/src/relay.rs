//! The relay: publishes every event of the log in order, once each, to the stream of the log.
//!
//! Where to go on is what the stream holds last, checked against the log; so a stream that was wiped, is older or is
//! somebody else's is noticed and filled again. One relay at a time by a lease; should two be at it nevertheless, each
//! message names the one it must follow and the second publisher is refused.

pub(crate) mod envelope;

use std::time::Duration;

use eventstore::failpoint;
use tokio::time::Instant;

use crate::{
    bus::{BATCH, Bus, BusError, Message},
    context::Context,
    runtime::{Progress, Step, StepError},
    turn::Turn,
};

/// How often a stream with nothing new is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// The loop of the relay.
#[derive(Debug)]
pub struct Relay {
    ctx: Context,
    bus: Bus,
    turn: Turn,
    place: Option<Place>,
}

/// Where the stream stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The last position it holds.
    position: i64,
    /// The sequence of that message.
    sequence: u64,
    looked: Instant,
}

impl From<BusError> for StepError {
    fn from(error: BusError) -> Self {
        Self::Bus(error.to_string())
    }
}

impl Relay {
    pub fn new(ctx: Context, bus: Bus) -> Self {
        let turn = Turn::new(&ctx, "relay".to_owned());
        Self { ctx, bus, turn, place: None }
    }

    /// Where the stream stands, after throwing away one that is not of this log.
    async fn find(&self) -> Result<Place, StepError> {
        let looked = Instant::now();
        let last = self.bus.last().await?;
        if let Err(error) = self.bus.offer().await {
            // Readers outside are not worth holding up those inside.
            tracing::warn!(error = &error as &dyn std::error::Error, "the consumer for readers outside cannot be made");
        }
        let Some(last) = last else { return Ok(Place { position: 0, sequence: 0, looked }) };
        if let (Some(position), Some(event_id)) = (last.position, last.event_id) {
            let known = self.ctx.store.read_after(position - 1, 1).await?;
            if known.first().is_some_and(|event| event.position == position && event.event_id == event_id) {
                return Ok(Place { position, sequence: last.sequence, looked });
            }
        }
        tracing::warn!(stream = self.bus.stream_name(), "the stream is not of this log and is filled again");
        metrics::counter!("kalel_relay_refills_total").increment(1);
        self.bus.discard().await?;
        failpoint("relay.discarded");
        // Where the new one stands, and not what was published into it meanwhile.
        match self.bus.last().await? {
            None => Ok(Place { position: 0, sequence: 0, looked }),
            Some(_) => Err(BusError::Moved.into()),
        }
    }

    async fn publish(&mut self) -> Result<Progress, StepError> {
        let place = match self.place {
            Some(place) if place.looked.elapsed() < LOOK => place,
            _ => self.find().await?,
        };
        let events = self.ctx.store.read_after(place.position, i64::try_from(BATCH).unwrap_or(i64::MAX)).await?;
        let Some(last) = events.last().map(|event| event.position) else {
            self.place = Some(place);
            return Ok(Progress::Idle);
        };
        let log = self.ctx.store.log().id;
        let messages = events.iter().map(|event| Message {
            position: event.position,
            name: event.name.clone(),
            payload: envelope::cloud_event(log, &self.ctx.config.public_url, event),
        });
        failpoint("relay.before_publish");
        let sequence = self.bus.publish(place.sequence, messages.collect()).await?;
        failpoint("relay.after_publish");
        self.place = Some(Place { position: last, sequence, ..place });
        metrics::counter!("kalel_relay_events_total").increment(events.len() as u64);
        Ok(Progress::Busy)
    }
}

impl Step for Relay {
    fn name(&self) -> String {
        "relay".to_owned()
    }

    /// The relay rings everybody else: what other processes append is found by looking often.
    fn rest(&self) -> Duration {
        Duration::from_millis(25)
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        if !self.turn.is_ours().await? {
            self.place = None;
            return Ok(Progress::Idle);
        }
        let done = self.publish().await;
        if done.is_err() {
            self.place = None;
        }
        done
    }
    async fn end(&mut self) {
        self.turn.end().await;
    }
}
