//! Lists of promotions.

use domain::ids::{PrincipalId, SiteId};
use serde::Serialize;
use sqlx::{PgPool, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::Promotion;
use crate::{
    Position,
    page::{Cursor, ListError, Page, cut, hash_of, with_one_more},
};

/// Whose promotions may be seen. Rights are part of the query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Whose {
    Everybody,
    /// Of the sites that this manager runs.
    Manager(PrincipalId),
    /// Of these sites.
    Sites(Vec<SiteId>),
}

/// One page of promotions, the newest first. `within` narrows it to the sites that a key names, `site` to one.
///
/// # Errors
/// [`ListError`] for a cursor of other filters, a limit outside 1–100, or whatever the database says.
pub async fn list(
    pool: &PgPool,
    whose: &Whose,
    within: Option<&[SiteId]>,
    site: Option<SiteId>,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Promotion>, ListError> {
    let hash = hash_of("promotions", &(whose, within, site))?;
    let after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?;
    let uuids = |sites: &[SiteId]| -> Vec<Uuid> { sites.iter().map(|site| site.uuid()).collect() };
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT c.position AS as_of, p.doc FROM checkpoints AS c LEFT JOIN LATERAL (SELECT * FROM promotions WHERE true",
    );
    match whose {
        Whose::Everybody => {}
        Whose::Manager(manager) => {
            query.push(" AND site_id IN (SELECT site_id FROM sites WHERE manager_id = ").push_bind(manager.uuid());
            query.push(")");
        }
        Whose::Sites(sites) => {
            query.push(" AND site_id = ANY (").push_bind(uuids(sites)).push(")");
        }
    }
    if let Some(sites) = within {
        query.push(" AND site_id = ANY (").push_bind(uuids(sites)).push(")");
    }
    if let Some(site) = site {
        query.push(" AND site_id = ").push_bind(site.uuid());
    }
    if let Some(after) = after {
        query.push(" AND created_position < ").push_bind(after.key);
    }
    query.push(" ORDER BY created_position DESC LIMIT ").push_bind(with_one_more(limit)?);
    query.push(") AS p ON true WHERE c.name = 'promotion' ORDER BY p.created_position DESC");
    let rows: Vec<(Position, Option<Json<Promotion>>)> = query.build_query_as().fetch_all(pool).await?;
    let as_of = rows.first().map_or(0, |(as_of, _)| *as_of);
    let found: Vec<Promotion> = rows.into_iter().filter_map(|(_, doc)| doc.map(|doc| doc.0)).collect();
    let (items, next) =
        cut(found, limit, |row| Cursor { key: row.created_position, id: row.promotion_id.uuid(), filters: hash });
    Ok(Page { as_of, items, next })
}
