//! Argon2id (RFC 9106) under a pepper that is not in the database: a stolen table alone is worth nothing.

use std::{
    collections::HashMap,
    fmt,
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

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
    /// Clients at once; one for each core. Whoever works here has places beside them.
    pub at_once: usize,
}

impl Hashing {
    /// What one address holds at most, and what the few have who work here: half of them.
    fn part(self) -> usize {
        (self.at_once / 2).max(1)
    }
}

impl Default for Hashing {
    /// 19 MiB, two passes, one lane (reliability.md §4.1; OWASP Password Storage).
    fn default() -> Self {
        Self { memory: 19_456, passes: 2, at_once: thread::available_parallelism().map_or(1, NonZero::get) }
    }
}

/// Whom a place is for. Each kind has places of its own, so that none of them keeps the others out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Clients, who have shown a device or a number before.
    Client,
    /// Whoever works here, from where they were before or signed in already.
    Known,
    /// Whoever says that they work here.
    Stranger,
}

/// Somebody who wants something hashed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) kind: Kind,
    /// Their address, or whatever else they have one of. Kept as long as they hash.
    pub(crate) who: &'a str,
}

/// A place among those who hash at this moment.
pub(crate) struct Place {
    _of_kind: OwnedSemaphorePermit,
    _of_asker: Share,
}

/// What one asker holds, by whom.
type Shares = Arc<Mutex<HashMap<String, Arc<Semaphore>>>>;

/// The part of one asker; when nobody holds any it is forgotten.
struct Share {
    who: String,
    shares: Shares,
    places: Option<Arc<Semaphore>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Share {
    fn of(shares: &Shares, who: &str, most: usize) -> Self {
        let mut all = shares.lock().unwrap_or_else(PoisonError::into_inner);
        let places = all.entry(who.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(most))).clone();
        Self { who: who.to_owned(), shares: shares.clone(), places: Some(places), permit: None }
    }

    async fn taken(mut self) -> Option<Self> {
        self.permit = Some(self.places.clone()?.acquire_owned().await.ok()?);
        Some(self)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        drop((self.permit.take(), self.places.take()));
        if all.get(&self.who).is_some_and(|places| Arc::strong_count(places) == 1) {
            all.remove(&self.who);
        }
    }
}

/// Hashes secrets of people, so many at a time.
#[derive(Clone)]
pub struct Hasher {
    keyring: Keyring,
    hashing: Hashing,
    clients: Arc<Semaphore>,
    known: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    shares: Shares,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("hashing", &self.hashing).finish_non_exhaustive()
    }
}

impl Hasher {
    pub(crate) fn new(keyring: Keyring, hashing: Hashing) -> Self {
        let places = |many| Arc::new(Semaphore::new(many));
        // Beside the clients: few work here, and strangers have the fewest.
        let part = hashing.part();
        Self {
            keyring,
            hashing,
            clients: places(hashing.at_once),
            known: places(part),
            strangers: places(part),
            shares: Shares::default(),
        }
    }

    /// The hash of a secret in PHC form. `owner` is whose it is: the same PIN of two people is hashed as two.
    ///
    /// # Errors
    /// [`AuthError::Hashing`], never with parameters that make sense.
    pub(crate) async fn hash_at(&self, place: Place, owner: Uuid, secret: &str) -> Result<String, AuthError> {
        let (peppered, argon) = (self.peppered(owner, secret), self.argon()?);
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
    /// As [`Hasher::hash_at`]; also for what is no hash.
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

    /// A place among those at once: of the asker's part first, so that one who wants many waits behind themselves and not in
    /// front of others.
    ///
    /// # Errors
    /// [`AuthError::Busy`].
    pub(crate) async fn place(&self, asker: Asker<'_>) -> Result<Place, AuthError> {
        let share = Share::of(&self.shares, asker.who, self.hashing.part());
        let places = match asker.kind {
            Kind::Client => &self.clients,
            Kind::Known => &self.known,
            Kind::Stranger => &self.strangers,
        };
        let taking = async {
            let share = share.taken().await?;
            let permit = Arc::clone(places).acquire_owned().await.ok()?;
            Some(Place { _of_kind: permit, _of_asker: share })
        };
        tokio::time::timeout(PATIENCE, taking).await.ok().flatten().ok_or(AuthError::Busy)
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

    async fn place(hasher: &Hasher, kind: Kind, who: &str) -> Result<Place, AuthError> {
        hasher.place(Asker { kind, who }).await
    }

    async fn hashed(hasher: &Hasher, owner: Uuid, secret: &str) -> Result<String, AuthError> {
        hasher.hash_at(place(hasher, Kind::Client, "196.207.0.1").await?, owner, secret).await
    }

    async fn opens(hasher: &Hasher, owner: Uuid, secret: &str, hash: &str) -> Result<bool, AuthError> {
        hasher.verify(place(hasher, Kind::Client, "196.207.0.1").await?, owner, secret, hash).await
    }

    #[tokio::test]
    async fn a_hash_is_of_its_owner_and_pepper_and_never_twice_the_same() {
        let (hasher, owner) = (hasher(CHEAP), Uuid::from_u128(7));
        let hash = hashed(&hasher, owner, "739164").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert_ne!(hash, hashed(&hasher, owner, "739164").await.unwrap());
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
        let hash = hashed(&hasher(CHEAP), owner, "739164").await.unwrap();
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
        let taken = place(&hasher, Kind::Client, "196.207.0.1").await.unwrap();
        let begun = tokio::time::Instant::now();
        assert!(matches!(place(&hasher, Kind::Client, "196.207.0.2").await, Err(AuthError::Busy)));
        assert!(begun.elapsed() >= PATIENCE);
        drop(taken);
        assert!(place(&hasher, Kind::Client, "196.207.0.2").await.is_ok());
    }

    #[tokio::test]
    async fn one_address_holds_a_part_of_the_places_and_waits_behind_itself() {
        let hasher = hasher(Hashing { at_once: 4, ..CHEAP });
        let mut flood = Vec::new();
        for _ in 0..2 {
            flood.push(place(&hasher, Kind::Client, "196.207.0.1").await.unwrap());
        }
        let mut more = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let hasher = hasher.clone();
            more.spawn(async move { place(&hasher, Kind::Client, "196.207.0.1").await });
        }
        let first = place(&hasher, Kind::Client, "196.207.0.2").await.map(drop);
        let second = place(&hasher, Kind::Client, "196.207.0.3").await.map(drop);
        let more = more.join_all().await;
        assert!(more.iter().all(Result::is_err), "the flood has its two places and no third");
        assert!(first.is_ok() && second.is_ok(), "everybody else has the others");
        drop((flood, more));
        assert!(hasher.shares.lock().unwrap().is_empty(), "nobody is remembered");
    }

    #[tokio::test]
    async fn each_kind_has_places_that_no_other_takes() {
        let hasher = hasher(Hashing { at_once: 2, ..CHEAP });
        let mut taken = Vec::new();
        for n in 0..2 {
            taken.push(place(&hasher, Kind::Client, &format!("196.207.0.{n}")).await.unwrap());
        }
        taken.push(place(&hasher, Kind::Stranger, "196.207.0.9").await.unwrap());
        assert!(place(&hasher, Kind::Stranger, "196.207.0.8").await.is_err());
        assert!(place(&hasher, Kind::Known, "196.207.0.7").await.is_ok(), "whoever was here before comes in");
    }
}
