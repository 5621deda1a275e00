//! Sending: one endpoint, what is first in its row, once; then what became of it.

use std::time::{Duration, Instant};

use adapters::{
    egress::{Answer, Egress},
    webhook_out::Message,
};
use domain::{
    Timestamp,
    aggregate::Loaded,
    endpoint::{Endpoint, Settings, Why, disable},
    event::Reader,
    ids::EndpointId,
    key::Key,
    text::Note,
};
use eventstore::{
    Append, AppendError, Meta,
    auth::holder_now,
    webhook_out::{self, Attempt, Ended, Next, Waiting},
};

use super::{message, schedule, writer::unloaded};
use crate::{
    context::Context,
    runtime::{Progress, Step, StepError},
};

/// How often it is decided again to disable an endpoint that somebody changes meanwhile.
const TRIES: u32 = 5;
/// How long a sender rests: it is rung when something waits, and retries are not that urgent.
const REST: Duration = Duration::from_secs(1);

/// Said of a try that was none.
const UNSIGNED: &str = "not sent: its signing secret cannot be opened";

/// One sender; a process has several.
#[derive(Debug)]
pub struct Sender {
    ctx: Context,
    egress: Egress,
}

/// What is to be sent, or why not.
enum Ready {
    Send(String),
    Drop(&'static str),
}

impl Sender {
    pub const fn by(ctx: Context, egress: Egress) -> Self {
        Self { ctx, egress }
    }

    fn now(&self) -> Timestamp {
        self.ctx.store.clock().now()
    }

    async fn turn(&self, next: &Next) -> Result<(), StepError> {
        let id = EndpointId::new(next.turn.endpoint_id);
        let endpoint: Loaded<Endpoint> = self.ctx.store.load(id).await.map_err(unloaded)?;
        let Some(settings) = endpoint.state.open() else {
            return self.over(next, None, Some("not sent to any more")).await;
        };
        // As it is now, and not as somebody remembers it: who was shut out a moment ago is told nothing more.
        let key: Loaded<Key> = self.ctx.store.load(settings.key_id).await.map_err(unloaded)?;
        let holder = holder_now(&self.ctx.store, &key.state).await.map_err(unloaded)?;
        let Some(reader) = holder.as_ref().and_then(Reader::of) else {
            self.disable(id, Why::KeyRevoked, None).await?;
            return self.over(next, None, Some(Why::KeyRevoked.as_str())).await;
        };
        let Some(waiting) = &next.waiting else { return self.over(next, None, None).await };
        match self.ready(settings, &reader, waiting).await? {
            Ready::Drop(why) => self.over(next, None, Some(why)).await,
            Ready::Send(body) => {
                let (attempt, asked) = self.send(&endpoint.state, settings, waiting, body).await?;
                self.conclude(id, next, waiting, &attempt, asked).await
            }
        }
    }

    /// Looks again whether it is wanted, and may be seen.
    async fn ready(&self, settings: &Settings, reader: &Reader<'_>, waiting: &Waiting) -> Result<Ready, StepError> {
        let store = &self.ctx.store;
        let Some(position) = waiting.position else {
            return Ok(Ready::Send(message::ping(&self.ctx, &waiting.message_id, self.now())));
        };
        let Some(recorded) = store.read_after(position - 1, 1).await?.into_iter().next() else {
            return Ok(Ready::Drop("not in the log"));
        };
        if !settings.wants(&recorded.name, recorded.meta.site_id) {
            return Ok(Ready::Drop("not asked for any more"));
        }
        if !store.sees(reader, &recorded).await.map_err(unloaded)? {
            return Ok(Ready::Drop("may not be seen"));
        }
        Ok(Ready::Send(message::event(&self.ctx, &recorded)))
    }

    /// Sends once.
    async fn send(
        &self,
        endpoint: &Endpoint,
        settings: &Settings,
        waiting: &Waiting,
        body: String,
    ) -> Result<(Attempt, Option<Duration>), StepError> {
        let at = self.ctx.store.clock().outside();
        let message = Message { id: &waiting.message_id, at, body: body.as_bytes() };
        let Some(headers) = message::headers(&self.ctx, endpoint, message, self.now()).await? else {
            // Another process may have the keys, or somebody gives it another secret: the others are not kept waiting for it.
            return Ok((Attempt { at: self.now(), ms: 0, status: None, answer: UNSIGNED.to_owned() }, None));
        };
        let began = Instant::now();
        let sent = self.egress.post(settings.url.as_str(), headers, body.into_bytes(), at).await;
        let ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let now = self.now();
        Ok(match sent {
            Ok(Answer { status, retry_after, body }) => {
                let answer = String::from_utf8_lossy(&body).into_owned();
                (Attempt { at: now, ms, status: i16::try_from(status).ok(), answer }, retry_after)
            }
            Err(failure) => (Attempt { at: now, ms, status: None, answer: failure.to_string() }, None),
        })
    }

    async fn conclude(
        &self,
        id: EndpointId,
        next: &Next,
        waiting: &Waiting,
        attempt: &Attempt,
        asked: Option<Duration>,
    ) -> Result<(), StepError> {
        match attempt.status {
            Some(200..=299) => return self.over(next, Some(attempt), None).await,
            Some(410) => {
                self.disable(id, Why::Gone, Some("HTTP 410".to_owned())).await?;
                return self.over(next, Some(attempt), Some(Why::Gone.as_str())).await;
            }
            // Whoever pings looks at the answer, and pings again.
            _ if waiting.position.is_none() => return self.over(next, Some(attempt), Some("not taken")).await,
            _ => {}
        }
        let now = self.now();
        if schedule::is_over(next.turn.failing_since, now) {
            let last = attempt.status.map_or_else(|| attempt.answer.clone(), |status| format!("HTTP {status}"));
            self.disable(id, Why::Unreachable, Some(last)).await?;
            return self.over(next, Some(attempt), Some(Why::Unreachable.as_str())).await;
        }
        let due_at = schedule::next(next.turn.attempts.saturating_add(1), asked, now, &self.ctx.random);
        count("later");
        webhook_out::later(self.ctx.store.pool(), &next.turn, waiting, attempt, due_at).await?;
        Ok(())
    }

    /// What was first is over.
    async fn over(
        &self,
        Next { turn, waiting }: &Next,
        attempt: Option<&Attempt>,
        dropped: Option<&str>,
    ) -> Result<(), StepError> {
        if waiting.is_some() {
            count(if dropped.is_none() { "delivered" } else { "dropped" });
        }
        let ended = Ended { attempt, dropped };
        webhook_out::done(self.ctx.store.pool(), turn, waiting.as_ref(), ended, self.now()).await?;
        Ok(())
    }

    async fn disable(&self, id: EndpointId, why: Why, last: Option<String>) -> Result<(), StepError> {
        let last = last.map(|text| Note::kept_of(&text));
        for _ in 0..TRIES {
            let endpoint: Loaded<Endpoint> = self.ctx.store.load(id).await.map_err(unloaded)?;
            let decision = disable(&endpoint, why, last.clone(), self.now());
            if decision.is_nothing() {
                return Ok(());
            }
            match self.ctx.store.append(Append::new(decision, Meta::system())).await {
                Ok(_) => {
                    self.ctx.bells.log.ring();
                    tracing::warn!(endpoint = %id, why = why.as_str(), "an endpoint is not sent to any more");
                    return Ok(());
                }
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(StepError::Stopped(error.to_string())),
            }
        }
        Err(StepError::Stopped("the endpoint moved too often".into()))
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("kalel_deliveries_total", "outcome" => outcome).increment(1);
}

impl Step for Sender {
    fn name(&self) -> String {
        "sender to endpoints".to_owned()
    }

    fn rest(&self) -> Duration {
        REST
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        let (pool, lease) = (self.ctx.store.pool(), self.ctx.config.lease);
        let Some(next) = webhook_out::take(pool, self.now(), lease).await? else { return Ok(Progress::Idle) };
        self.turn(&next).await?;
        Ok(Progress::Busy)
    }
}
