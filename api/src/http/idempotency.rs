//! The same key gives the same answer (api.md).
//!
//! The lane enforces it: a command whose key it knows is not carried out again. So a first request pays no look-up, nor
//! does one that the lane itself refuses; only one refused before it got there asks what the key did before. An answer that the log alone can give again is made again from
//! it; one that holds more (a checkout address) is frozen, and the first to freeze wins.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Bytes,
    http::{HeaderName, HeaderValue, StatusCode, request::Parts},
};
use eventstore::{Answer, AnswerKey, Fingerprint, FirstAnswer, Idempotency, Keep, Record, failpoint};

use crate::{
    App,
    http::{admission::aside, auth::Caller, call::Call, halt::Halt, operation::Operation, reply::Reply},
    problem::Problem,
};

const PATIENCE: Duration = Duration::from_secs(2);
/// `Idempotent-Replayed: true` marks an answer that was given before.
pub static REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A key within its caller's scope, and what was asked with it.
#[derive(Clone, Debug)]
pub struct Scoped {
    pub key: AnswerKey,
    pub fingerprint: Fingerprint,
}

impl Scoped {
    /// For the append. Records are kept for ever: these operations take slots and move money.
    pub fn for_lane(&self) -> Idempotency {
        Idempotency { key: self.key.clone(), fingerprint: self.fingerprint.clone(), keep: Keep::ForEver }
    }
}

/// Reads the `Idempotency-Key` of an operation that needs one.
///
/// # Errors
/// `idempotency.key_missing`, `idempotency.key_malformed`.
pub fn scoped(
    app: &App,
    operation: &Operation,
    caller: &Caller,
    parts: &Parts,
    body: &Bytes,
) -> Result<Option<Scoped>, Problem> {
    if !operation.idempotent {
        return Ok(None);
    }
    let mut values = parts.headers.get_all("idempotency-key").iter();
    let value = values.next().ok_or_else(|| Problem::new("idempotency.key_missing"))?;
    let key = value
        .to_str()
        .ok()
        .filter(|key| (16..=255).contains(&key.len()) && key.bytes().all(|b| (b' '..=b'~').contains(&b)))
        .filter(|_| values.next().is_none())
        .ok_or_else(|| Problem::new("idempotency.key_malformed"))?;
    let who = caller.principal().unwrap_or_default();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let query = parts.uri.query().unwrap_or_default();
    let answers = app.store.answers();
    let mut asked = format!("{method} {path}?{query}\n").into_bytes();
    asked.extend_from_slice(body);
    Ok(Some(Scoped {
        key: answers.key(&format!("{who} {method} {path}"), key),
        fingerprint: answers.fingerprint(&asked),
    }))
}

/// Runs an operation once per key.
///
/// A problem that comes from here and says `not_done` is [`Problem::certain`] of it.
///
/// # Errors
/// What the operation refuses; 422 for a key used with another body, 409 when the first is still running after 2 s.
pub async fn once(call: Call, scoped: Scoped) -> Result<Reply, Problem> {
    let app = call.app.clone();
    let _turn = aside(tokio::time::timeout(PATIENCE, app.turns.take(&scoped.key)))
        .await
        .map_err(|_| Problem::new("idempotency.in_progress").retry_after(1))?;
    let record = match (call.operation.run)(call.clone()).await {
        Ok(reply) => return settle(&app, &scoped, reply).await,
        Err(Halt::Before(record)) => record,
        Err(Halt::Refused(problem)) => return Err(problem),
        // A repetition may be refused by what the first one did: the slot is taken, by itself.
        Err(Halt::Problem(problem)) => match app.store.answers().find(&scoped.key).await {
            Ok(Some(record)) => Box::new(record),
            Ok(None) => return Err(problem.certain()),
            // It may have been written before the database went away.
            Err(error) => {
                tracing::warn!(%error, "whether a key was used cannot be asked");
                return Err(Problem::new("server.outcome_unknown").retry_after(1));
            }
        },
    };
    again(call, &scoped, record).await
}

/// Gives the first answer again.
async fn again(call: Call, scoped: &Scoped, record: Box<Record>) -> Result<Reply, Problem> {
    if record.fingerprint != scoped.fingerprint {
        return Err(Problem::new("idempotency.key_reused"));
    }
    let reply = match &record.answer {
        FirstAnswer::Frozen(answer) => thaw(answer),
        FirstAnswer::Erased => return Err(Problem::new("object.not_found")),
        FirstAnswer::Pending => {
            let app = call.app.clone();
            let run = call.operation.run;
            match run(Call { resumed: Some(record), ..call }).await {
                Ok(reply) => settle(&app, scoped, reply).await?,
                Err(Halt::Problem(problem) | Halt::Refused(problem)) => return Err(problem),
                Err(Halt::Before(_)) => return Err(Problem::new("server.error")),
            }
        }
    };
    Ok(reply.header(REPLAYED.clone(), "true"))
}

/// Freezes an answer unless the log gives it again; everybody gets the winner's. An answer that cannot be frozen is not
/// given: the next one could be another, as the address of a checkout is known by then.
async fn settle(app: &App, scoped: &Scoped, reply: Reply) -> Result<Reply, Problem> {
    if reply.derived {
        return Ok(reply);
    }
    let Some(answer) = freezable(&reply) else { return Ok(reply) };
    failpoint("api.before_freeze");
    let frozen = app.store.answers().freeze(&scoped.key, &answer, None).await;
    failpoint("api.frozen");
    match frozen {
        Ok(Some(Record { answer: FirstAnswer::Frozen(winner), .. })) => Ok(thaw(&winner)),
        Ok(_) => Ok(reply),
        Err(error) => {
            tracing::warn!(%error, "an answer could not be frozen");
            Err(Problem::new("server.outcome_unknown").retry_after(1))
        }
    }
}

fn freezable(reply: &Reply) -> Option<Answer> {
    let mut headers: Vec<(String, String)> = reply
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    headers.extend(reply.etag.iter().map(|etag| ("etag".to_owned(), etag.clone())));
    let body = String::from_utf8(reply.body.to_vec()).ok()?;
    Some(Answer { status: reply.status.as_u16(), headers, body })
}

fn thaw(answer: &Answer) -> Reply {
    let headers = answer.headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    Reply {
        status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK),
        headers: headers.collect(),
        body: Bytes::from(answer.body.clone()),
        etag: None,
        derived: true,
        flow: None,
    }
}

/// One request at a time per key, within this process.
#[derive(Default)]
pub struct Turns {
    held: Mutex<HashMap<AnswerKey, Arc<tokio::sync::Mutex<()>>>>,
}

/// The right to run; given back when dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    key: AnswerKey,
    guard: Option<tokio::sync::OwnedMutexGuard<()>>,
}

impl Turns {
    async fn take(&self, key: &AnswerKey) -> Turn<'_> {
        let lock = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(held.entry(key.clone()).or_default())
        };
        Turn { turns: self, key: key.clone(), guard: Some(lock.lock_owned().await) }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut held = self.turns.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.guard.take();
        // Nobody waits when only the map knows the lock.
        if held.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            held.remove(&self.key);
        }
    }
}
