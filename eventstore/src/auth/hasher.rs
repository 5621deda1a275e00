//! Argon2id (RFC 9106) under a pepper that is not in the database: a stolen table alone is worth nothing.

use std::{num::NonZero, sync::Arc, thread, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc::PasswordHash},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::AuthError;
use crate::{Keyring, cipher};

/// How long anybody waits for a place: about as long as one of those before takes.
const PATIENCE: Duration = Duration::from_millis(50);
const SALT: usize = 16;

/// What hashing costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// KiB.
    pub memory: u32,
    pub passes: u32,
    /// At once; one for each core.
    pub at_once: usize,
}

impl Default for Hashing {
    /// 19 MiB, two passes, one lane (reliability.md §4.1; OWASP Password Storage).
    fn default() -> Self {
        Self { memory: 19_456, passes: 2, at_once: thread::available_parallelism().map_or(1, NonZero::get) }
    }
}

/// A place among those who hash at this moment.
pub(crate) type Place = OwnedSemaphorePermit;

/// Hashes secrets of people, so many at a time.
#[derive(Clone, Debug)]
pub struct Hasher {
    keyring: Keyring,
    hashing: Hashing,
    places: Arc<Semaphore>,
}

impl Hasher {
    pub(crate) fn new(keyring: Keyring, hashing: Hashing) -> Self {
        Self { keyring, hashing, places: Arc::new(Semaphore::new(hashing.at_once)) }
    }

    /// The hash of a secret in PHC form. `owner` is whose it is: the same PIN of two people is hashed as two.
    ///
    /// # Errors
    /// [`AuthError::Busy`] when all places are taken, [`AuthError::Hashing`] never with parameters that make sense.
    pub async fn hash(&self, owner: Uuid, secret: &str) -> Result<String, AuthError> {
        let (place, peppered, argon) = (self.place().await?, self.peppered(owner, secret), self.argon()?);
        work(place, move || {
            let mut salt = [0; SALT];
            cipher::random(&mut salt);
            let hash: PasswordHash = argon.hash_password_with_salt(peppered.as_slice(), &salt).map_err(failed)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether this is the secret behind a hash. Whoever counts tries takes a place first, so that nothing is counted that is
    /// never compared.
    ///
    /// # Errors
    /// As [`Hasher::hash`]; also for what is no hash.
    pub(crate) async fn verify(&self, place: Place, owner: Uuid, secret: &str, hash: &str) -> Result<bool, AuthError> {
        let (peppered, argon) = (self.peppered(owner, secret), self.argon()?);
        let hash = PasswordHash::new(hash).map_err(|_| AuthError::Hashing)?;
        work(place, move || match argon.verify_password(peppered.as_slice(), &hash) {
            Ok(()) => Ok(true),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(failed(error)),
        })
        .await
    }

    /// A place among those at once.
    ///
    /// # Errors
    /// [`AuthError::Busy`].
    pub(crate) async fn place(&self) -> Result<Place, AuthError> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or(AuthError::Busy)
    }

    fn peppered(&self, owner: Uuid, secret: &str) -> Zeroizing<[u8; 32]> {
        let named = Zeroizing::new([owner.as_bytes(), secret.as_bytes()].concat());
        Zeroizing::new(self.keyring.hash("pepper v1", &named))
    }

    fn argon(&self) -> Result<Argon2<'static>, AuthError> {
        let Hashing { memory, passes, .. } = self.hashing;
        let params = Params::new(memory, passes, 1, None).map_err(|_| AuthError::Hashing)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

fn failed(error: password_hash::Error) -> AuthError {
    tracing::error!(%error, "hashing failed");
    AuthError::Hashing
}

/// Off the threads that answer others.
async fn work<T: Send + 'static>(
    place: Place,
    job: impl FnOnce() -> Result<T, AuthError> + Send + 'static,
) -> Result<T, AuthError> {
    let done = tokio::task::spawn_blocking(move || {
        let done = job();
        drop(place);
        done
    });
    done.await.map_err(|_| AuthError::Hashing)?
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Hashing = Hashing { memory: 8, passes: 1, at_once: 1 };

    fn hasher(hashing: Hashing) -> Hasher {
        Hasher::new(Keyring::new([1; 32], [2; 32]), hashing)
    }

    async fn opens(hasher: &Hasher, owner: Uuid, secret: &str, hash: &str) -> Result<bool, AuthError> {
        hasher.verify(hasher.place().await?, owner, secret, hash).await
    }

    #[tokio::test]
    async fn a_hash_is_of_its_owner_and_pepper_and_never_twice_the_same() {
        let (hasher, owner) = (hasher(CHEAP), Uuid::from_u128(7));
        let hash = hasher.hash(owner, "739164").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash(owner, "739164").await.unwrap());
        assert!(opens(&hasher, owner, "739164", &hash).await.unwrap());
        assert!(!opens(&hasher, owner, "739165", &hash).await.unwrap());
        assert!(!opens(&hasher, Uuid::from_u128(8), "739164", &hash).await.unwrap());
        let other = Hasher::new(Keyring::new([1; 32], [3; 32]), CHEAP);
        assert!(!opens(&other, owner, "739164", &hash).await.unwrap(), "without the pepper a hash is worth nothing");
        assert!(opens(&hasher, owner, "739164", "nonsense").await.is_err());
    }

    #[tokio::test]
    async fn what_was_hashed_at_another_cost_still_opens() {
        let owner = Uuid::from_u128(7);
        let hash = hasher(CHEAP).hash(owner, "739164").await.unwrap();
        let dearer = hasher(Hashing { memory: 16, passes: 2, at_once: 1 });
        assert!(opens(&dearer, owner, "739164", &hash).await.unwrap());
    }

    #[test]
    fn the_usual_cost_is_that_of_the_page() {
        let Hashing { memory, passes, .. } = Hashing::default();
        assert_eq!((memory, passes), (19_456, 2));
    }

    #[tokio::test]
    async fn beyond_its_places_it_says_so_and_does_not_pile_up() {
        let hasher = hasher(CHEAP);
        let taken = hasher.place().await.unwrap();
        let begun = tokio::time::Instant::now();
        assert!(matches!(hasher.hash(Uuid::nil(), "739164").await, Err(AuthError::Busy)));
        assert!(begun.elapsed() >= PATIENCE);
        drop(taken);
        assert!(hasher.hash(Uuid::nil(), "739164").await.is_ok());
    }
}
