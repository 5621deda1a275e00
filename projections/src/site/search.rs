//! Search over `read.sites`: near a point, by words, by format, by price.

use domain::{
    ids::{PrincipalId, SiteId},
    place::Point,
    site::{Format, Site},
};
use serde::Serialize;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::profile::{Row, SiteRow, plain};
use crate::{
    Position,
    page::{Cursor, ListError, Page, cut, hash_of, with_one_more},
};

/// What to look for. Everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Filter {
    /// Nearest first; only sites whose place is known.
    pub near: Option<Point>,
    /// Metres on the sphere around `near`; without `near` it means nothing.
    pub radius_m: Option<f64>,
    /// Every word must be found in name, city, address or slug, whatever its case and accents.
    pub q: Option<String>,
    pub format: Option<Format>,
    /// Some hour costs at least, at most this much by the tariffs (minor units). With a time, ask for real prices instead.
    pub hour_gte: Option<i64>,
    pub hour_lte: Option<i64>,
    /// Only the sites this manager runs.
    pub manager_id: Option<PrincipalId>,
    /// Only these: what a key is restricted to.
    pub within: Option<Vec<SiteId>>,
}

/// A site that fits the filter.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub row: SiteRow,
    /// Metres from `near`, on the sphere: what the list is ordered by.
    pub distance_m: Option<f64>,
}

#[derive(FromRow)]
struct Line {
    as_of: Position,
    site_id: Option<Uuid>,
    doc: Option<Json<Site>>,
    created_at: Option<domain::Timestamp>,
    version: Option<i32>,
    position: Option<Position>,
    created_position: Option<Position>,
    distance_m: Option<f64>,
}

impl Line {
    fn candidate(self) -> Option<Candidate> {
        let row = Row {
            site_id: self.site_id?,
            doc: self.doc?,
            created_at: self.created_at?,
            version: self.version?,
            position: self.position?,
            created_position: self.created_position?,
        };
        Some(Candidate { row: row.into(), distance_m: self.distance_m })
    }
}

/// One page of sites: nearest first when there is a place to be near to, else in the order of the catalogue.
///
/// # Errors
/// [`ListError`] for a cursor of other filters, a limit outside 1–100, or whatever the database says.
pub async fn search(
    pool: &PgPool,
    filter: &Filter,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Candidate>, ListError> {
    let hash = hash_of("sites", filter)?;
    let after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?;
    let (as_of, rows) = candidates(pool, filter, after, with_one_more(limit)?).await?;
    let (items, next) = cut(rows, limit, |candidate| place_of(candidate, hash));
    Ok(Page { as_of, items, next })
}

/// Where a candidate stands in the list.
pub(super) fn place_of(candidate: &Candidate, filters: u64) -> Cursor {
    let key = match candidate.distance_m {
        // The bits, so that the comparison is exact.
        Some(distance) => distance.to_bits().cast_signed(),
        None => candidate.row.created_position,
    };
    Cursor { key, id: candidate.row.site.id.uuid(), filters }
}

/// At most `most` candidates after a place in the list.
pub(super) async fn candidates(
    pool: &PgPool,
    filter: &Filter,
    after: Option<Cursor>,
    most: i64,
) -> Result<(Position, Vec<Candidate>), ListError> {
    let lines: Vec<Line> = statement(filter, after, most).build_query_as().fetch_all(pool).await?;
    let as_of = lines.first().map_or(0, |line| line.as_of);
    Ok((as_of, lines.into_iter().filter_map(Line::candidate).collect()))
}

/// The position and the rows in one statement, so that they speak of the same moment.
fn statement(filter: &Filter, after: Option<Cursor>, most: i64) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT c.position AS as_of, f.* FROM checkpoints AS c LEFT JOIN LATERAL (");
    query.push("SELECT s.site_id, s.doc, s.created_at, s.version, s.position, s.created_position, ");
    distance(&mut query, filter.near);
    query.push(" AS distance_m FROM sites AS s WHERE true");
    narrow(&mut query, filter);
    if let Some(after) = after {
        query.push(" AND (");
        match filter.near {
            Some(_) => {
                distance(&mut query, filter.near);
                query.push(", s.site_id) > (").push_bind(f64::from_bits(after.key.cast_unsigned()));
            }
            None => {
                query.push("s.created_position, s.site_id) > (").push_bind(after.key);
            }
        }
        query.push(", ").push_bind(after.id).push(")");
    }
    query.push(" ORDER BY ");
    match filter.near {
        // The operator itself and nothing beside it: only so does the index give the order. Equals are told apart
        // outside, which is why the last one brings its equals along.
        Some(_) => distance(&mut query, filter.near),
        None => {
            query.push("s.created_position");
        }
    }
    query.push(" FETCH FIRST ").push_bind(most).push(" ROWS WITH TIES");
    query.push(") AS f ON true WHERE c.name = 'site' ORDER BY f.distance_m, ");
    query.push(if filter.near.is_some() { "f.site_id" } else { "f.created_position" });
    query.push(" LIMIT ").push_bind(most);
    query
}

fn point(query: &mut QueryBuilder<Postgres>, point: Point) {
    query.push("ST_SetSRID(ST_MakePoint(").push_bind(point.lon()).push(", ").push_bind(point.lat());
    query.push("), 4326)::geography");
}

fn distance(query: &mut QueryBuilder<Postgres>, near: Option<Point>) {
    match near {
        Some(near) => {
            query.push("s.location <-> ");
            point(query, near);
        }
        None => {
            query.push("NULL::float8");
        }
    }
}

fn narrow(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if let Some(near) = filter.near {
        query.push(" AND s.location IS NOT NULL");
        if let Some(radius) = filter.radius_m {
            query.push(" AND ST_DWithin(s.location, ");
            point(query, near);
            // On the sphere, as the distance that is shown and sorted by.
            query.push(", ").push_bind(radius).push(", false)");
        }
    }
    for word in filter.q.as_deref().map(plain).unwrap_or_default().split_whitespace() {
        query.push(" AND s.words LIKE ").push_bind(format!("%{}%", escaped(word)));
    }
    if let Some(format) = &filter.format {
        query.push(" AND s.formats @> ARRAY[").push_bind(format.as_str().to_owned()).push("]");
    }
    if let Some(lowest) = filter.hour_gte {
        query.push(" AND s.hour_to >= ").push_bind(lowest);
    }
    if let Some(highest) = filter.hour_lte {
        query.push(" AND s.hour_from <= ").push_bind(highest);
    }
    if let Some(manager) = filter.manager_id {
        query.push(" AND s.manager_id = ").push_bind(manager.uuid());
    }
    if let Some(sites) = &filter.within {
        let sites: Vec<Uuid> = sites.iter().map(|site| site.uuid()).collect();
        query.push(" AND s.site_id = ANY (").push_bind(sites).push(")");
    }
}

/// `%` and `_` stand for themselves.
fn escaped(word: &str) -> String {
    word.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_no_pattern() {
        assert_eq!(escaped(r"100%_\"), r"100\%\_\\");
    }
}
