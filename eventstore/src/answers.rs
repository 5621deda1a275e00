//! Idempotency records: what a command answered the first time, for everybody who repeats it with the same key.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    keyring::Keyring,
    pools::Pools,
    recorded::Position,
    subjects::{SubjectError, Subjects},
};

const FIELD: &str = "answer";
/// How often a waiting caller looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// Keys live 30 days, unless money hangs on them (decisions.md).
const DAYS_KEPT: i64 = 30;

/// The name of a command as its caller repeats it, hashed: who, which operation, which key they chose.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnswerKey(pub(crate) [u8; 32]);

/// Keyed hash of what was asked: the same key with another body is a mistake of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub(crate) [u8; 32]);

/// How long a record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    ThirtyDays,
    /// Money: the same wish never happens twice.
    ForEver,
}

/// Makes a command happen once however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    pub key: AnswerKey,
    pub fingerprint: Fingerprint,
    pub keep: Keep,
}

impl Idempotency {
    pub(crate) fn expires_at(&self, now: Timestamp) -> Option<Timestamp> {
        match self.keep {
            Keep::ThirtyDays => Some(now + chrono::TimeDelta::days(DAYS_KEPT)),
            Keep::ForEver => None,
        }
    }
}

/// What was answered, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP.
    pub status: u16,
    /// Headers that belong to the answer (`Location`, `ETag`, `Kalel-Position`), in order.
    pub headers: Vec<(String, String)>,
    /// UTF-8, byte for byte.
    pub body: String,
}

/// What is known of a command that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub fingerprint: Fingerprint,
    /// The streams the command changed, in the order of its decision.
    pub ids: Vec<Uuid>,
    pub first: Position,
    /// Below `first` when the command had nothing left to do.
    pub last: Position,
    pub recorded_at: Timestamp,
    pub answer: FirstAnswer,
}

/// The state of the first answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstAnswer {
    /// Not complete yet; or whoever made it died. Once a few seconds have passed since `recorded_at`, whoever asks may
    /// make it from `ids` and freeze it.
    Pending,
    Frozen(Answer),
    /// The person it was about was erased.
    Erased,
}

/// Reads and freezes answers.
#[derive(Clone, Debug)]
pub struct Answers {
    pub(crate) pools: Pools,
    pub(crate) keyring: Keyring,
    pub(crate) subjects: Arc<Subjects>,
}

impl Answers {
    /// The hash of a caller's key. `scope` says who they are and which operation it is: two callers may choose the same
    /// key.
    pub fn key(&self, scope: &str, key: &str) -> AnswerKey {
        AnswerKey(self.keyring.hash("idempotency key", format!("{scope}\0{key}").as_bytes()))
    }

    /// The hash of what was asked.
    pub fn fingerprint(&self, asked: &[u8]) -> Fingerprint {
        Fingerprint(self.keyring.hash("idempotency body", asked))
    }

    /// What is recorded under a key.
    ///
    /// # Errors
    /// [`SubjectError`] when the record or the key it is sealed under cannot be read.
    pub async fn find(&self, key: &AnswerKey) -> Result<Option<Record>, SubjectError> {
        let row = sqlx::query_as!(
            StoredRecord,
            "SELECT key, fingerprint, ids, first_position, last_position, recorded_at, subject, answer
             FROM event_log.idempotency WHERE key = $1",
            &key.0
        )
        .fetch_optional(self.pools.mine())
        .await?;
        match row {
            Some(row) => Ok(Some(self.open(row).await?)),
            None => Ok(None),
        }
    }

    /// Sets the answer, once: the first to freeze wins, and everybody gets the winner's. Sealed under `subject` when
    /// it tells something about a person, else under the key of the store.
    ///
    /// # Errors
    /// [`SubjectError`]; [`SubjectError::Erased`] when the person was erased meanwhile.
    pub async fn freeze(
        &self,
        key: &AnswerKey,
        answer: &Answer,
        subject: Option<Uuid>,
    ) -> Result<Option<Record>, SubjectError> {
        // An answer is text, numbers and lists of text: it always has a JSON form.
        let text = serde_json::to_string(answer).unwrap_or_default();
        let sealed = match subject {
            Some(subject) => self.subjects.seal(subject, FIELD, &text).await?.0,
            None => self.subjects.seal_for_store(Uuid::nil(), FIELD, &text),
        };
        sqlx::query!(
            "UPDATE event_log.idempotency SET subject = $2, answer = $3, frozen_at = clock_timestamp()
             WHERE key = $1 AND answer IS NULL",
            &key.0,
            subject,
            sealed
        )
        .execute(self.pools.mine())
        .await?;
        self.find(key).await
    }

    /// Waits until the first caller's answer is there, at most `longest`; answers what is known then.
    ///
    /// # Errors
    /// As [`Answers::find`].
    pub async fn wait(&self, key: &AnswerKey, longest: Duration) -> Result<Option<Record>, SubjectError> {
        let until = tokio::time::Instant::now() + longest;
        loop {
            let found = self.find(key).await?;
            let pending = found.as_ref().is_some_and(|record| record.answer == FirstAnswer::Pending);
            if !pending || tokio::time::Instant::now() + LOOK_AGAIN > until {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Forgets records whose time has passed; answers how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep(&self, now: Timestamp) -> Result<u64, sqlx::Error> {
        let done = sqlx::query!("DELETE FROM event_log.idempotency WHERE expires_at <= $1", now);
        Ok(done.execute(self.pools.mine()).await?.rows_affected())
    }

    pub(crate) async fn open(&self, row: StoredRecord) -> Result<Record, SubjectError> {
        let text = match (row.answer, row.subject) {
            (None, _) => None,
            (Some(sealed), None) => Some(self.subjects.open_for_store(Uuid::nil(), FIELD, &sealed)),
            (Some(sealed), Some(subject)) => {
                Some(self.subjects.open(subject, FIELD, &domain::sealed::Sealed(sealed)).await?)
            }
        };
        let answer = match text {
            None => FirstAnswer::Pending,
            Some(text) => {
                text.and_then(|text| serde_json::from_str(&text).ok()).map_or(FirstAnswer::Erased, FirstAnswer::Frozen)
            }
        };
        Ok(Record {
            fingerprint: Fingerprint(row.fingerprint.try_into().unwrap_or_default()),
            ids: row.ids,
            first: row.first_position,
            last: row.last_position,
            recorded_at: row.recorded_at,
            answer,
        })
    }
}

/// A row of `event_log.idempotency`, its answer still sealed.
#[derive(Clone, Debug)]
pub(crate) struct StoredRecord {
    pub key: Vec<u8>,
    pub fingerprint: Vec<u8>,
    pub ids: Vec<Uuid>,
    pub first_position: Position,
    pub last_position: Position,
    pub recorded_at: Timestamp,
    pub subject: Option<Uuid>,
    pub answer: Option<String>,
}
