//! `read.keys`: from the hash of a secret to who acts, as what, where.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    actor::{Actor, Role},
    event::Event,
    ids::{KeyId, PrincipalId, SiteId},
    key::{Event as KeyEvent, Granted, Scope, SecretHash},
    text::Name,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry},
    page::Found,
};

/// A key as its events tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub key_id: KeyId,
    pub label: Name,
    pub role: Role,
    /// Who acts with it; for a client key the UUID of the client.
    pub principal_id: PrincipalId,
    pub scopes: Vec<Scope>,
    /// Only these sites; `None` does not narrow what the role owns.
    pub sites: Option<Vec<SiteId>>,
    pub granted_by: Actor,
    pub created_at: Timestamp,
    /// When it got its present secret, if that is not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
    /// Until when the secret before that one opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_until: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

impl Key {
    fn granted(granted: &Granted, entry: &Entry) -> Self {
        Self {
            key_id: granted.key_id,
            label: granted.label.clone(),
            role: granted.role,
            principal_id: granted.principal_id,
            scopes: granted.scopes.clone(),
            sites: granted.sites.clone(),
            granted_by: granted.by,
            created_at: granted.at,
            rotated_at: None,
            older_until: None,
            revoked_at: None,
            version: entry.version,
            position: entry.position,
            created_position: entry.position,
        }
    }

    /// Whether it opens anything.
    pub fn is_valid(&self) -> bool {
        self.revoked_at.is_none()
    }

    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether the key may be used at a site; what its role owns is another question.
    pub fn reaches(&self, site: SiteId) -> bool {
        self.sites.as_ref().is_none_or(|sites| sites.contains(&site))
    }

    /// Who acts with it.
    pub fn actor(&self) -> Actor {
        Actor::new(self.role, self.principal_id)
    }
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut rows = load(connection, &Entry::with_a_past(entries.iter())).await?;
    for entry in entries {
        match &entry.event {
            Event::Key(KeyEvent::Granted(granted)) => {
                rows.insert(entry.stream_id, (Key::granted(granted, entry), granted.secret_hash.clone()));
            }
            Event::Key(KeyEvent::Rotated(rotated)) => {
                let (key, secret) = rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?;
                *secret = rotated.secret_hash.clone();
                (key.rotated_at, key.older_until) = (Some(rotated.at), Some(rotated.older_until));
                (key.version, key.position) = (entry.version, entry.position);
            }
            Event::Key(KeyEvent::Revoked(revoked)) => {
                let (key, _) = rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?;
                key.revoked_at = Some(revoked.at);
                key.version = entry.version;
                key.position = entry.position;
            }
            _ => {}
        }
    }
    save(connection, rows.values()).await
}

type Rows = BTreeMap<Uuid, (Key, SecretHash)>;

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Rows, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows =
        sqlx::query!(r#"SELECT key_id, secret_hash, doc AS "doc: Json<Key>" FROM keys WHERE key_id = ANY ($1)"#, ids)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|row| (row.key_id, (row.doc.0, SecretHash(row.secret_hash)))).collect())
}

#[derive(Serialize)]
struct Row<'a> {
    key_id: KeyId,
    secret_hash: &'a SecretHash,
    principal_id: PrincipalId,
    doc: &'a Key,
    version: i32,
    position: Position,
    created_position: Position,
}

async fn save(connection: &mut PgConnection, rows: impl Iterator<Item = &(Key, SecretHash)>) -> Result<(), ApplyError> {
    let rows: Vec<Row<'_>> = rows
        .map(|(key, secret_hash)| Row {
            key_id: key.key_id,
            secret_hash,
            principal_id: key.principal_id,
            doc: key,
            version: key.version,
            position: key.position,
            created_position: key.created_position,
        })
        .collect();
    sqlx::query!(
        "INSERT INTO keys
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             key_id uuid, secret_hash text, principal_id uuid, doc jsonb,
             version int, position bigint, created_position bigint)
         ON CONFLICT (key_id) DO UPDATE SET
             secret_hash = excluded.secret_hash, doc = excluded.doc, version = excluded.version, position = excluded.position",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The key whose present secret this is, revoked ones included: the caller is told apart from a stranger.
///
/// # Errors
/// Whatever the database says.
pub async fn find_by_secret(db: impl PgExecutor<'_>, secret: &SecretHash) -> Result<Found<Key>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, k.doc AS "doc?: Json<Key>"
           FROM checkpoints AS c LEFT JOIN keys AS k ON k.secret_hash = $1
           WHERE c.name = 'key'"#,
        secret.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}

/// The keys of a principal, oldest first.
///
/// # Errors
/// Whatever the database says.
pub async fn of_principal(
    db: impl PgExecutor<'_>,
    principal: PrincipalId,
) -> Result<(Position, Vec<Key>), sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT c.position AS as_of, k.doc AS "doc?: Json<Key>"
           FROM checkpoints AS c LEFT JOIN keys AS k ON k.principal_id = $1
           WHERE c.name = 'key' ORDER BY k.created_position"#,
        principal.uuid()
    )
    .fetch_all(db)
    .await?;
    let as_of = rows.first().map_or(0, |row| row.as_of);
    Ok((as_of, rows.into_iter().filter_map(|row| row.doc.map(|doc| doc.0)).collect()))
}

/// A key by its id.
///
/// # Errors
/// Whatever the database says.
pub async fn find(db: impl PgExecutor<'_>, id: KeyId) -> Result<Found<Key>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, k.doc AS "doc?: Json<Key>"
           FROM checkpoints AS c LEFT JOIN keys AS k ON k.key_id = $1
           WHERE c.name = 'key'"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}
