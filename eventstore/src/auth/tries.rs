//! Signing in to work. Wrong tries are held against the network they come from; what is counted, said and waited for is the same
//! whether anybody has the address that is tried or not.
//!
//! The one thing that differs is inside: whoever is right, and comes from a network that they signed in from before, is let in
//! however many strangers are wrong at the same time.

use domain::{
    Timestamp,
    ids::{PrincipalId, SecretId},
    sign_in::{Lock, TRUSTED, after_wrong, may_try, slowed, sprayed},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    AuthError,
    hasher::{Asker, Kind},
    totp,
};
use crate::Store;

const NET: &str = "sign-in net v1";
const WHO: &str = "sign-in who v1";
/// Of whom, or from where: all of them.
const ALL: &[u8] = b"";
/// Not a network: who had the passphrase, and not the code.
const HALF: &[u8] = b"half";

/// Somebody who says who they are.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// What they say their mail address is.
    pub email: &'a str,
    /// Whose that is, if anybody's.
    pub account: Option<Factors>,
    /// Where they come from, and the network around it; only their keyed hashes are kept.
    pub address: &'a str,
    pub neighbours: &'a str,
}

/// What an account is opened with.
#[derive(Clone, Copy, Debug)]
pub struct Factors {
    pub account: PrincipalId,
    pub passphrase: SecretId,
    pub totp: SecretId,
}

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    Right,
    Wrong {
        /// The passphrase was right and the code was not: to be noted, never to be said.
        half: bool,
    },
    /// Come back then.
    Held(Timestamp),
}

/// Rows of `auth.tries` that one try is counted in.
struct Counted {
    /// Of this address from this network, in a row.
    cell: Lock,
    /// Of this address with its passphrase, in a row.
    half: Lock,
    /// Of this address from everywhere.
    all: Vec<Timestamp>,
    by_address: Vec<Timestamp>,
    by_neighbours: Vec<Timestamp>,
}

/// The names of those rows.
struct Names {
    who: Vec<u8>,
    address: Vec<u8>,
    neighbours: Vec<u8>,
}

impl Names {
    fn of(store: &Store, attempt: &Attempt<'_>) -> Self {
        let net = |address: &str| store.keyring().hash(NET, address.as_bytes()).to_vec();
        let who = store.keyring().hash(WHO, attempt.email.trim().to_lowercase().as_bytes()).to_vec();
        // A subscriber and the network around them are two, also when they are the same.
        let neighbours = net(&format!("{}/", attempt.neighbours));
        Self { who, address: net(attempt.address), neighbours }
    }

    /// What is counted in a row, and what by its moments: cell, half; all, address, neighbours.
    fn rows(&self) -> [(&[u8], &[u8]); 5] {
        let Self { who, address, neighbours } = self;
        [(who, neighbours), (who, HALF), (who, ALL), (ALL, address), (ALL, neighbours)]
    }
}

/// Tries to sign somebody in. It counts before anything is compared, and no longer once it was right.
///
/// # Errors
/// [`AuthError`]; once it is counted the try counts, whatever comes then.
pub async fn sign_in(store: &Store, attempt: &Attempt<'_>, passphrase: &str, code: &str) -> Result<Tried, AuthError> {
    let names = Names::of(store, attempt);
    let factors = attempt.account;
    // Whoever is not there costs what everybody costs.
    let subject = factors.map_or(Uuid::nil(), |factors| factors.account.uuid());
    let secret = factors.map_or(Uuid::nil(), |factors| factors.passphrase.uuid());
    let factor = factors.map_or(SecretId::new(Uuid::nil()), |factors| factors.totp);
    let trusted = is_trusted(store, subject, &names.neighbours).await?;
    let kind = if trusted { Kind::Known } else { Kind::Stranger };
    let place = store.hasher().place(Asker { kind, who: attempt.address }).await?;
    let now = store.clock().now();
    let (held, half) = match count(store, &names, now).await? {
        Err(until) => return Ok(Tried::Held(until)),
        Ok(counted) => counted,
    };
    let hash = sqlx::query_scalar!("SELECT hash FROM auth.secrets WHERE secret_id = $1", secret)
        .fetch_optional(store.pool())
        .await?;
    let knows = match &hash {
        Some(hash) => store.hasher().verify(place, secret, passphrase, hash).await?,
        None => store.hasher().hash_at(place, secret, passphrase).await.map(|_| false)?,
    };
    let admitted = knows && (held.is_none() || trusted) && may_try(half, now).is_ok();
    // A code is used up by the right passphrase only, and looked at in any case.
    let right = totp::check_if(store, factor, code, admitted).await?;
    if admitted && right {
        forget(store, &names, subject, now).await?;
        return Ok(Tried::Right);
    }
    let half = admitted && !right;
    count_half(store, &names, half, now).await?;
    Ok(held.map_or(Tried::Wrong { half }, Tried::Held))
}

/// Somebody has proven by other means that they are there, from this network.
///
/// # Errors
/// [`AuthError::Database`].
pub async fn trust(store: &Store, subject: PrincipalId, neighbours: &str) -> Result<(), AuthError> {
    let net = store.keyring().hash(NET, format!("{neighbours}/").as_bytes());
    let mut connection = store.pool().acquire().await?;
    Ok(trust_in(&mut connection, subject.uuid(), &net, store.clock().now()).await?)
}

async fn trust_in(tx: &mut PgConnection, subject: Uuid, net: &[u8], now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO auth.trusted_nets (subject, net, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (subject, net) DO UPDATE SET seen_at = $3",
        subject,
        net,
        now
    )
    .execute(tx)
    .await
    .map(drop)
}

async fn is_trusted(store: &Store, subject: Uuid, net: &[u8]) -> Result<bool, sqlx::Error> {
    let since = store.clock().now() - TRUSTED;
    let row = sqlx::query_scalar!(
        "SELECT 1 AS one FROM auth.trusted_nets WHERE subject = $1 AND net = $2 AND seen_at > $3",
        subject,
        net,
        since
    );
    Ok(row.fetch_optional(store.pool()).await?.is_some())
}

/// Counts a try: until when strangers are held, and how far whoever has the passphrase is locked. `Err`: nothing is even
/// compared until then.
async fn count(
    store: &Store,
    names: &Names,
    now: Timestamp,
) -> Result<Result<(Option<Timestamp>, Lock), Timestamp>, AuthError> {
    let mut tx = store.pool().begin().await?;
    let counted = lock(&mut tx, names, now).await?;
    if let Err(until) = may_try(counted.cell, now) {
        return Ok(Err(until));
    }
    let held = slowed(&counted.all, now).max(sprayed(&counted.by_address, &counted.by_neighbours, now));
    let cell = after_wrong(counted.cell, now);
    let [of_cell, _, of_all, of_address, of_neighbours] = names.rows();
    keep(&mut tx, of_cell, cell, &[], now).await?;
    // What is held adds nothing to what holds it: a flood does not make the wait longer.
    if held.is_none() {
        for (name, mut lately) in
            [(of_all, counted.all), (of_address, counted.by_address), (of_neighbours, counted.by_neighbours)]
        {
            lately.push(now);
            keep(&mut tx, name, Lock::default(), &lately, now).await?;
        }
    }
    tx.commit().await?;
    Ok(Ok((held, counted.half)))
}

/// Locks what is counted, in an order of its own, whoever comes first.
async fn lock(tx: &mut PgConnection, names: &Names, now: Timestamp) -> Result<Counted, sqlx::Error> {
    let rows = names.rows();
    let whose: Vec<Vec<u8>> = rows.iter().map(|(who, _)| who.to_vec()).collect();
    let nets: Vec<Vec<u8>> = rows.iter().map(|(_, net)| net.to_vec()).collect();
    sqlx::query!(
        "INSERT INTO auth.tries (who, net, touched_at)
         SELECT who, net, $3 FROM unnest($1::bytea[], $2::bytea[]) AS named (who, net) ORDER BY who, net
         ON CONFLICT DO NOTHING",
        &whose,
        &nets,
        now
    )
    .execute(&mut *tx)
    .await?;
    let found = sqlx::query!(
        "SELECT who, net, wrong, locked_until, lately FROM auth.tries
         WHERE (who, net) IN (SELECT * FROM unnest($1::bytea[], $2::bytea[])) ORDER BY who, net FOR UPDATE",
        &whose,
        &nets
    )
    .fetch_all(tx)
    .await?;
    let row = |(who, net): (&[u8], &[u8])| found.iter().find(|row| row.who == who && row.net == net);
    let in_a_row = |name| {
        row(name).map_or_else(Lock::default, |row| Lock {
            wrong: u16::try_from(row.wrong).unwrap_or(u16::MAX),
            until: row.locked_until,
            needs_code: false,
        })
    };
    let lately = |name| {
        let mut all = row(name).map(|row| row.lately.clone()).unwrap_or_default();
        all.retain(|at| now - *at < chrono::TimeDelta::days(1));
        all.sort_unstable();
        all
    };
    let [cell, half, all, address, neighbours] = rows;
    Ok(Counted {
        cell: in_a_row(cell),
        half: in_a_row(half),
        all: lately(all),
        by_address: lately(address),
        by_neighbours: lately(neighbours),
    })
}

async fn keep(
    tx: &mut PgConnection,
    (who, net): (&[u8], &[u8]),
    lock: Lock,
    lately: &[Timestamp],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE auth.tries SET wrong = $3, locked_until = $4, lately = $5, touched_at = $6 WHERE who = $1 AND net = $2",
        who,
        net,
        i16::try_from(lock.wrong).unwrap_or(i16::MAX),
        lock.until,
        lately,
        now
    )
    .execute(tx)
    .await
    .map(drop)
}

/// It was right: what was counted of it is not wrong, and its network is trusted from now on.
async fn forget(store: &Store, names: &Names, subject: Uuid, counted_at: Timestamp) -> Result<(), AuthError> {
    let now = store.clock().now();
    let mut tx = store.pool().begin().await?;
    let counted = lock(&mut tx, names, now).await?;
    let [cell, half, all, address, neighbours] = names.rows();
    for name in [cell, half] {
        keep(&mut tx, name, Lock::default(), &[], now).await?;
    }
    for (name, mut lately) in [(all, counted.all), (address, counted.by_address), (neighbours, counted.by_neighbours)] {
        // One of them: others may have been wrong at the same moment.
        if let Some(mine) = lately.iter().position(|at| at.timestamp_micros() == counted_at.timestamp_micros()) {
            lately.remove(mine);
        }
        keep(&mut tx, name, Lock::default(), &lately, now).await?;
    }
    trust_in(&mut tx, subject, &names.neighbours, now).await?;
    tx.commit().await?;
    Ok(())
}

/// One more who had the passphrase, if they had: it takes as long when they had not.
async fn count_half(store: &Store, names: &Names, half: bool, now: Timestamp) -> Result<(), AuthError> {
    let mut tx = store.pool().begin().await?;
    let counted = lock(&mut tx, names, now).await?;
    let after = if half { after_wrong(counted.half, now) } else { counted.half };
    let [_, name, ..] = names.rows();
    keep(&mut tx, name, after, &[], now).await?;
    tx.commit().await?;
    Ok(())
}
