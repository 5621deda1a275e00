//! Lists of keys.

use domain::{actor::Role, ids::PrincipalId};
use serde::Serialize;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, types::Json};

use super::Key;
use crate::{
    Position,
    page::{Cursor, ListError, Page, cut, hash_of, with_one_more},
};

/// Which keys. Everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Filter {
    pub role: Option<Role>,
    pub principal: Option<PrincipalId>,
    pub revoked: Option<bool>,
}

#[derive(FromRow)]
struct Row {
    as_of: Position,
    doc: Option<Json<Key>>,
}

/// One page of keys, the newest first.
///
/// # Errors
/// [`ListError`] for a cursor of other filters, a limit outside 1–100, or whatever the database says.
pub async fn list(pool: &PgPool, filter: &Filter, cursor: Option<&str>, limit: u32) -> Result<Page<Key>, ListError> {
    let hash = hash_of("keys", filter)?;
    let after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?;
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT c.position AS as_of, k.doc FROM checkpoints AS c \
         LEFT JOIN LATERAL (SELECT * FROM keys WHERE true",
    );
    if let Some(role) = filter.role {
        query.push(" AND doc ->> 'role' = ").push_bind(role.as_str());
    }
    if let Some(principal) = filter.principal {
        query.push(" AND principal_id = ").push_bind(principal.uuid());
    }
    if let Some(revoked) = filter.revoked {
        query.push(" AND (doc ->> 'revoked_at' IS NOT NULL) = ").push_bind(revoked);
    }
    if let Some(after) = after {
        query.push(" AND (created_position, key_id) < (").push_bind(after.key);
        query.push(", ").push_bind(after.id).push(")");
    }
    query.push(" ORDER BY created_position DESC, key_id DESC LIMIT ").push_bind(with_one_more(limit)?);
    query.push(") AS k ON true WHERE c.name = 'key' ORDER BY k.created_position DESC, k.key_id DESC");
    let rows = query.build_query_as::<Row>().fetch_all(pool).await?;
    let as_of = rows.first().map_or(0, |row| row.as_of);
    let rows = rows.into_iter().filter_map(|row| row.doc.map(|doc| doc.0)).collect();
    let (items, next) =
        cut(rows, limit, |key: &Key| Cursor { key: key.created_position, id: key.key_id.uuid(), filters: hash });
    Ok(Page { as_of, items, next })
}
