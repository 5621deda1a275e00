//! Who is signed in: opaque tokens, of which only keyed hashes are kept.
//!
//! An access token is short-lived; a refresh token gives a new pair, once. One that is used twice was stolen, or is used by a
//! thief: nobody can tell which, so the session ends. Commands carry the session's fence, so that one that has ended writes
//! nothing, not even what was on its way.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Timestamp,
    actor::Role,
    ids::{DeviceId, PrincipalId},
    sign_in::{REFRESH, access_ends},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Store, cipher,
    fence::{self, Fence, Token},
    identity::Mode,
};

const MAC: &str = "session token v1";
/// 256 bits (reliability.md §4.1; the floor is 128).
const BYTES: usize = 32;
/// What was used a moment ago is not written down again.
const SEEN_EVERY: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Access,
    Refresh,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    const fn prefix(self, mode: Mode) -> &'static str {
        match (self, mode) {
            (Self::Access, Mode::Test) => "ks_test_",
            (Self::Access, Mode::Live) => "ks_live_",
            (Self::Refresh, Mode::Test) => "kr_test_",
            (Self::Refresh, Mode::Live) => "kr_live_",
        }
    }
}

/// A pair of tokens, shown once.
#[derive(Clone)]
pub struct Opened {
    pub session: Session,
    pub access: String,
    /// Unless it is used: then later, but never beyond twelve hours.
    pub access_expires_at: Timestamp,
    pub refresh: String,
    pub refresh_expires_at: Timestamp,
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: Uuid,
    /// A client acts under their own id.
    pub subject: PrincipalId,
    pub role: Role,
    pub device: Option<DeviceId>,
    pub opened_at: Timestamp,
    pub seen_at: Timestamp,
    /// When they last proved themselves once more; signing in counts.
    pub stepped_up_at: Option<Timestamp>,
    /// What its commands carry.
    pub fence: Fence,
}

/// What became of a refresh token.
pub enum Refreshed {
    Again(Box<Opened>),
    /// It was used before: the session has ended with this.
    Reused(Session),
    /// Expired, ended, or never one of ours.
    Unknown,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Whoever it belongs to said so.
    Asked,
    /// A refresh token was used twice.
    Reused,
    /// Another PIN or passphrase, or a device that is bound no longer.
    Changed,
    /// The account was suspended.
    Suspended,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Reused => "reused",
            Self::Changed => "changed",
            Self::Suspended => "suspended",
        }
    }
}

/// A row of `auth.sessions`.
struct Row {
    id: Uuid,
    subject: Uuid,
    role: String,
    device_id: Option<Uuid>,
    fence: i64,
    opened_at: Timestamp,
    seen_at: Timestamp,
    stepped_up_at: Option<Timestamp>,
}

impl Row {
    fn session(self) -> Result<Session, sqlx::Error> {
        let role = serde_json::from_value(serde_json::Value::String(self.role));
        Ok(Session {
            id: self.id,
            subject: PrincipalId::new(self.subject),
            role: role.map_err(|error| sqlx::Error::Decode(error.into()))?,
            device: self.device_id.map(DeviceId::new),
            opened_at: self.opened_at,
            seen_at: self.seen_at,
            stepped_up_at: self.stepped_up_at,
            fence: Fence { key: key(self.id), token: Token(self.fence) },
        })
    }
}

fn key(session: Uuid) -> String {
    format!("session:{session}")
}

/// Signs somebody in.
///
/// # Errors
/// The database's.
pub async fn open(
    store: &Store,
    subject: PrincipalId,
    role: Role,
    device: Option<DeviceId>,
) -> Result<Opened, sqlx::Error> {
    let (now, id) = (store.clock().now(), store.clock().new_id());
    let mut tx = store.pool().begin().await?;
    let token = fence::raise(&mut tx, &key(id)).await?;
    sqlx::query!(
        "INSERT INTO auth.sessions (id, subject, role, device_id, fence, opened_at, seen_at, stepped_up_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $6)",
        id,
        subject.uuid(),
        role.as_str(),
        device.map(DeviceId::uuid),
        token.0,
        now
    )
    .execute(&mut *tx)
    .await?;
    let fence = Fence { key: key(id), token };
    let session = Session { id, subject, role, device, opened_at: now, seen_at: now, stepped_up_at: Some(now), fence };
    let opened = issue(store, &mut tx, session, now).await?;
    tx.commit().await?;
    Ok(opened)
}

/// Who an access token belongs to; `None` when it is none, or no longer one. Using it makes it last.
///
/// # Errors
/// The database's.
pub async fn find(store: &Store, access: &str) -> Result<Option<Session>, sqlx::Error> {
    let now = store.clock().now();
    let Some((session, used_at)) = look(store, access, now).await? else { return Ok(None) };
    if now - used_at >= SEEN_EVERY {
        let seen = sqlx::query!(
            "WITH seen AS (UPDATE auth.sessions SET seen_at = $2 WHERE id = $3 AND ended_at IS NULL RETURNING id)
             UPDATE auth.tokens SET used_at = $2 FROM seen WHERE mac = $1 AND session_id = seen.id",
            &mac(store, access)[..],
            now,
            session.id
        );
        seen.execute(store.pool()).await?;
    }
    Ok(Some(session))
}

/// The same without using it: whoever only waits is not there.
///
/// # Errors
/// The database's.
pub async fn still(store: &Store, access: &str) -> Result<Option<Session>, sqlx::Error> {
    Ok(look(store, access, store.clock().now()).await?.map(|(session, _)| session))
}

/// A session that goes on, and when its token was used last.
async fn look(store: &Store, access: &str, now: Timestamp) -> Result<Option<(Session, Timestamp)>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT s.id, s.subject, s.role, s.device_id, s.fence, s.opened_at, s.seen_at, s.stepped_up_at, t.issued_at, t.used_at
         FROM auth.tokens AS t JOIN auth.sessions AS s ON s.id = t.session_id
         WHERE t.mac = $1 AND t.kind = 'access' AND s.ended_at IS NULL",
        &mac(store, access)[..]
    )
    .fetch_optional(store.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let used_at = row.used_at.unwrap_or(row.issued_at);
    if now >= access_ends(row.issued_at, used_at) {
        return Ok(None);
    }
    let row = Row {
        id: row.id,
        subject: row.subject,
        role: row.role,
        device_id: row.device_id,
        fence: row.fence,
        opened_at: row.opened_at,
        seen_at: row.seen_at,
        stepped_up_at: row.stepped_up_at,
    };
    row.session().map(|session| Some((session, used_at)))
}

/// Uses a refresh token up for a new pair. The access token before ends with it.
///
/// # Errors
/// The database's. A token whose answer was lost is used up all the same: whoever has none signs in again.
pub async fn refresh(store: &Store, refresh: &str) -> Result<Refreshed, sqlx::Error> {
    let (now, mac) = (store.clock().now(), mac(store, refresh));
    let mut tx = store.pool().begin().await?;
    // The session before its tokens, as whoever ends it does: else each would wait for the other.
    let of = sqlx::query_scalar!("SELECT session_id FROM auth.tokens WHERE mac = $1 AND kind = 'refresh'", &mac[..])
        .fetch_optional(&mut *tx)
        .await?;
    let Some(of) = of else { return Ok(Refreshed::Unknown) };
    let session = sqlx::query_as!(
        Row,
        "SELECT id, subject, role, device_id, fence, opened_at, seen_at, stepped_up_at
         FROM auth.sessions WHERE id = $1 AND ended_at IS NULL FOR UPDATE",
        of
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(session) = session.map(Row::session).transpose()? else { return Ok(Refreshed::Unknown) };
    let token = sqlx::query!("SELECT used_at, expires_at FROM auth.tokens WHERE mac = $1 FOR UPDATE", &mac[..])
        .fetch_optional(&mut *tx)
        .await?;
    let Some(token) = token else { return Ok(Refreshed::Unknown) };
    if token.used_at.is_some() {
        end_in(&mut tx, session.id, Why::Reused, now).await?;
        tx.commit().await?;
        return Ok(Refreshed::Reused(session));
    }
    if now >= token.expires_at {
        return Ok(Refreshed::Unknown);
    }
    sqlx::query!("UPDATE auth.tokens SET used_at = $2 WHERE mac = $1", &mac[..], now).execute(&mut *tx).await?;
    sqlx::query!("DELETE FROM auth.tokens WHERE session_id = $1 AND kind = 'access'", session.id)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("UPDATE auth.sessions SET seen_at = $2 WHERE id = $1", session.id, now).execute(&mut *tx).await?;
    let opened = issue(store, &mut tx, Session { seen_at: now, ..session }, now).await?;
    tx.commit().await?;
    Ok(Refreshed::Again(Box::new(opened)))
}

/// Where somebody is signed in, the latest first.
///
/// # Errors
/// The database's.
pub async fn list(store: &Store, subject: PrincipalId) -> Result<Vec<Session>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, subject, role, device_id, fence, opened_at, seen_at, stepped_up_at FROM auth.sessions
         WHERE subject = $1 AND ended_at IS NULL
           AND EXISTS (SELECT FROM auth.tokens WHERE session_id = id AND kind = 'refresh' AND used_at IS NULL
                       AND expires_at > $2)
         ORDER BY opened_at DESC, id DESC",
        subject.uuid(),
        store.clock().now()
    )
    .fetch_all(store.pool())
    .await?;
    rows.into_iter().map(Row::session).collect()
}

/// Ends a session of somebody. False when they have no such session.
///
/// # Errors
/// The database's.
pub async fn end(store: &Store, subject: PrincipalId, id: Uuid, why: Why) -> Result<bool, sqlx::Error> {
    let mut tx = store.pool().begin().await?;
    let theirs = sqlx::query_scalar!(
        "SELECT id FROM auth.sessions WHERE id = $1 AND subject = $2 AND ended_at IS NULL FOR UPDATE",
        id,
        subject.uuid()
    );
    if theirs.fetch_optional(&mut *tx).await?.is_none() {
        return Ok(false);
    }
    end_in(&mut tx, id, why, store.clock().now()).await?;
    tx.commit().await?;
    Ok(true)
}

/// They have proven themselves once more; answers when.
///
/// # Errors
/// The database's.
pub async fn step_up(store: &Store, id: Uuid) -> Result<Timestamp, sqlx::Error> {
    let now = store.clock().now();
    sqlx::query!("UPDATE auth.sessions SET stepped_up_at = $2 WHERE id = $1 AND ended_at IS NULL", id, now)
        .execute(store.pool())
        .await?;
    Ok(now)
}

/// Which sessions of somebody.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    All,
    AllBut(Uuid),
    OfDevice(DeviceId),
}

/// Ends sessions of somebody; answers how many.
///
/// # Errors
/// The database's.
pub async fn end_all(store: &Store, subject: PrincipalId, which: Which, why: Why) -> Result<usize, sqlx::Error> {
    let (but, device) = match which {
        Which::All => (None, None),
        Which::AllBut(id) => (Some(id), None),
        Which::OfDevice(device) => (None, Some(device.uuid())),
    };
    let mut tx = store.pool().begin().await?;
    let ids = sqlx::query_scalar!(
        "SELECT id FROM auth.sessions WHERE subject = $1 AND ended_at IS NULL
           AND ($2::uuid IS NULL OR id <> $2) AND ($3::uuid IS NULL OR device_id = $3) ORDER BY id FOR UPDATE",
        subject.uuid(),
        but,
        device
    )
    .fetch_all(&mut *tx)
    .await?;
    for id in &ids {
        end_in(&mut tx, *id, why, store.clock().now()).await?;
    }
    tx.commit().await?;
    Ok(ids.len())
}

/// From the commit on nothing is written or read with it.
async fn end_in(tx: &mut PgConnection, id: Uuid, why: Why, now: Timestamp) -> Result<(), sqlx::Error> {
    fence::raise(tx, &key(id)).await?;
    sqlx::query!("UPDATE auth.sessions SET ended_at = $2, why = $3 WHERE id = $1", id, now, why.as_str())
        .execute(&mut *tx)
        .await?;
    sqlx::query!("DELETE FROM auth.tokens WHERE session_id = $1", id).execute(tx).await.map(drop)
}

async fn issue(store: &Store, tx: &mut PgConnection, session: Session, now: Timestamp) -> Result<Opened, sqlx::Error> {
    let (access, refresh) = (new_token(store, Kind::Access), new_token(store, Kind::Refresh));
    let (access_ends, refresh_ends) = (access_ends(now, now), now + REFRESH);
    for (token, kind, ends) in [(&access, Kind::Access, access_ends), (&refresh, Kind::Refresh, refresh_ends)] {
        sqlx::query!(
            "INSERT INTO auth.tokens (mac, session_id, kind, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
            &mac(store, token)[..],
            session.id,
            kind.as_str(),
            now,
            ends
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(Opened { session, access, access_expires_at: access_ends, refresh, refresh_expires_at: refresh_ends })
}

fn new_token(store: &Store, kind: Kind) -> String {
    let mut bytes = [0; BYTES];
    cipher::random(&mut bytes);
    format!("{}{}", kind.prefix(store.log().mode), URL_SAFE_NO_PAD.encode(bytes))
}

fn mac(store: &Store, token: &str) -> [u8; 32] {
    store.keyring().hash(MAC, token.as_bytes())
}
