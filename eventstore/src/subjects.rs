//! Keys of people: one data key per subject, wrapped by the keyring's master key.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{
    account::EmailHash,
    phone::{Phone, PhoneHash},
    sealed::Sealed,
};
use thiserror::Error;
use tokio::time::Instant;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    cipher, failpoint,
    keyring::{Key, Keyring},
    pools::Pools,
};

/// How long an opened key stays in memory: the longest that a key destroyed by another process still works here.
const REMEMBERED: Duration = Duration::from_secs(60);
const REMEMBERED_MAX: usize = 10_000;
const WRAPPED: &str = "data_key";

/// Why a personal field could not be sealed or opened.
#[derive(Debug, Error)]
pub enum SubjectError {
    /// The person was erased.
    #[error("the key of this subject was destroyed")]
    Erased,
    /// Wrapped by a master key that this process was not given.
    #[error("the key of this subject needs master key {master}, which is not in the keyring")]
    MasterMissing { master: String },
    #[error("the keys of subjects cannot be reached")]
    Database(#[from] sqlx::Error),
}

/// Seals and opens personal fields.
#[derive(Debug)]
pub struct Subjects {
    pools: Pools,
    keyring: Keyring,
    opened: Mutex<HashMap<Uuid, (Instant, Key)>>,
}

impl Subjects {
    pub(crate) fn new(pools: Pools, keyring: Keyring) -> Self {
        Self { pools, keyring, opened: Mutex::default() }
    }

    /// Encrypts a field under its subject's key, which is made when there is none. Sealing the same text twice gives
    /// two ciphertexts: look people up by [`Subjects::hash_phone`].
    ///
    /// # Errors
    /// [`SubjectError`]; in particular an erased person cannot be written about again.
    pub async fn seal(&self, subject: Uuid, field: &str, text: &str) -> Result<Sealed, SubjectError> {
        let key = match self.key(subject).await? {
            Some(key) => key,
            None => self.make(subject).await?,
        };
        Ok(Sealed(cipher::seal(&key, &cipher::aad(subject, field), text.as_bytes())))
    }

    /// Decrypts a field. `None` when the person was erased, or the ciphertext belongs to another subject or field.
    ///
    /// # Errors
    /// [`SubjectError`] when the key cannot be read.
    pub async fn open(&self, subject: Uuid, field: &str, sealed: &Sealed) -> Result<Option<String>, SubjectError> {
        match self.key(subject).await {
            Ok(Some(key)) => Ok(cipher::open(&key, &cipher::aad(subject, field), &sealed.0)
                .and_then(|plain| String::from_utf8(plain).ok())),
            Ok(None) | Err(SubjectError::Erased) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Encrypts what belongs to no person under the key of the store.
    pub(crate) fn seal_for_store(&self, owner: Uuid, field: &str, text: &str) -> String {
        cipher::seal(&self.keyring.store_key(), &cipher::aad(owner, field), text.as_bytes())
    }

    pub(crate) fn open_for_store(&self, owner: Uuid, field: &str, sealed: &str) -> Option<String> {
        let plain = cipher::open(&self.keyring.store_key(), &cipher::aad(owner, field), sealed)?;
        String::from_utf8(plain).ok()
    }

    /// Drops the opened key of a subject from memory, after it was destroyed: here at once, in other processes within
    /// a minute.
    pub fn forget(&self, subject: Uuid) {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).remove(&subject);
    }

    /// Finds a person without telling who they are.
    pub fn hash_phone(&self, phone: &Phone) -> PhoneHash {
        PhoneHash(hex::encode(self.keyring.hash("phone", phone.e164().as_bytes())))
    }

    /// Finds somebody who works by their address, without telling it.
    pub fn hash_email(&self, email: &str) -> EmailHash {
        EmailHash(hex::encode(self.keyring.hash("email", email.to_lowercase().as_bytes())))
    }

    async fn key(&self, subject: Uuid) -> Result<Option<Key>, SubjectError> {
        if let Some(key) = self.remembered(subject) {
            return Ok(Some(key));
        }
        let row = sqlx::query!("SELECT wrapped, master FROM event_log.subject_keys WHERE subject = $1", subject)
            .fetch_optional(self.pools.mine())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let wrapped = row.wrapped.ok_or(SubjectError::Erased)?;
        let missing = || SubjectError::MasterMissing { master: row.master.clone() };
        let wrapping = self.keyring.wrapping_named(&row.master).ok_or_else(missing)?;
        let key = String::from_utf8(wrapped)
            .ok()
            .and_then(|text| cipher::open(&wrapping, &cipher::aad(subject, WRAPPED), &text))
            .and_then(|plain| <[u8; 32]>::try_from(plain).ok())
            .map(Zeroizing::new)
            .ok_or_else(missing)?;
        self.remember(subject, key.clone());
        Ok(Some(key))
    }

    async fn make(&self, subject: Uuid) -> Result<Key, SubjectError> {
        let (master, wrapping) = self.keyring.wrapping();
        let wrapped = cipher::seal(&wrapping, &cipher::aad(subject, WRAPPED), cipher::new_key().as_slice());
        sqlx::query!(
            "INSERT INTO event_log.subject_keys (subject, wrapped, master) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            subject,
            wrapped.as_bytes(),
            master
        )
        .execute(self.pools.mine())
        .await?;
        failpoint("subject.key_made");
        // Read it back: two callers may have made one, and only the first counts.
        self.key(subject).await?.ok_or(SubjectError::Erased)
    }

    fn remembered(&self, subject: Uuid) -> Option<Key> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.get(&subject).filter(|(since, _)| since.elapsed() < REMEMBERED).map(|(_, key)| key.clone())
    }

    fn remember(&self, subject: Uuid, key: Key) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= REMEMBERED_MAX {
            opened.retain(|_, (since, _)| since.elapsed() < REMEMBERED);
        }
        if opened.len() >= REMEMBERED_MAX {
            opened.clear();
        }
        opened.insert(subject, (Instant::now(), key));
    }
}
