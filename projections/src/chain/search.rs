//! Those of a chain by site and status: only those that the reader may see.

use domain::ids::{PrincipalId, SiteId};
use serde::Serialize;
use sqlx::{PgPool, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::row::{Chained, Row};
use crate::{
    Position,
    page::{Cursor, ListError, Page, cut, hash_of, with_one_more},
};

/// Of whose sites a reader may see them.
#[derive(Clone, Debug, Serialize)]
pub enum Whose {
    Everybody,
    /// Of the sites that this manager runs.
    Manager(PrincipalId),
}

/// Which ones. Everything that is set must hold.
#[derive(Clone, Debug, Serialize)]
pub struct Filter {
    pub whose: Whose,
    /// A key that names sites is narrowed to them.
    pub within: Option<Vec<SiteId>>,
    pub site_id: Option<SiteId>,
    pub status: Option<String>,
}

/// One page, newest first.
///
/// # Errors
/// [`ListError`] for a cursor of other filters, a limit outside 1–100, or whatever the database says.
pub async fn list<A: Chained>(
    pool: &PgPool,
    filter: &Filter,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Row<A>>, ListError> {
    let hash = hash_of(A::TABLE, filter)?;
    let after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?;
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT c.position AS as_of, p.doc FROM checkpoints AS c LEFT JOIN LATERAL (SELECT * FROM ",
    );
    query.push(A::TABLE).push(" WHERE true");
    if let Whose::Manager(manager) = &filter.whose {
        query
            .push(" AND site_id IN (SELECT site_id FROM sites WHERE manager_id = ")
            .push_bind(manager.uuid())
            .push(")");
    }
    if let Some(within) = &filter.within {
        let ids: Vec<Uuid> = within.iter().map(|site| site.uuid()).collect();
        query.push(" AND site_id = ANY (").push_bind(ids).push(")");
    }
    if let Some(site) = filter.site_id {
        query.push(" AND site_id = ").push_bind(site.uuid());
    }
    if let Some(status) = &filter.status {
        query.push(" AND status = ").push_bind(status);
    }
    if let Some(after) = after {
        query.push(" AND created_position < ").push_bind(after.key);
    }
    query.push(" ORDER BY created_position DESC LIMIT ").push_bind(with_one_more(limit)?);
    query.push(") AS p ON true WHERE c.name = ").push_bind(A::PROJECTOR).push(" ORDER BY p.created_position DESC");
    let rows: Vec<(Position, Option<Json<Row<A>>>)> = query.build_query_as().fetch_all(pool).await?;
    let as_of = rows.first().map_or(0, |(as_of, _)| *as_of);
    let rows: Vec<Row<A>> = rows.into_iter().filter_map(|(_, doc)| doc.map(|doc| doc.0)).collect();
    let (items, next) = cut(rows, limit, |row| Cursor { key: row.created_position, id: row.id, filters: hash });
    Ok(Page { as_of, items, next })
}
