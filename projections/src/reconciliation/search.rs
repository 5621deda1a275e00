//! Lists of reconciliations, and of the differences of one.

use chrono::NaiveDate;
use domain::{
    ids::ReconciliationId,
    reconciliation::{Provider, Standing, Status},
    text::Slug,
};
use serde::Serialize;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder, types::Json};
use uuid::Uuid;

use super::{Difference, Reconciliation};
use crate::{
    Position,
    page::{Cursor, ListError, Page, cut, hash_of, with_one_more},
};

/// Which reconciliations. Everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Filter {
    pub day: Option<NaiveDate>,
    pub provider: Option<Provider>,
    pub account: Option<Slug>,
    pub status: Option<Status>,
}

#[derive(FromRow)]
struct Row<T> {
    as_of: Position,
    doc: Option<Json<T>>,
}

/// The position and the documents of an answer.
fn read<T>(rows: Vec<Row<T>>) -> (Position, Vec<T>) {
    let as_of = rows.first().map_or(0, |row| row.as_of);
    (as_of, rows.into_iter().filter_map(|row| row.doc.map(|doc| doc.0)).collect())
}

fn days(day: NaiveDate) -> i64 {
    day.signed_duration_since(NaiveDate::default()).num_days()
}

/// One page of reconciliations, the latest day first.
///
/// # Errors
/// [`ListError`] for a cursor of other filters, a limit outside 1–100, or whatever the database says.
pub async fn list(
    pool: &PgPool,
    filter: &Filter,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Reconciliation>, ListError> {
    let hash = hash_of("reconciliations", filter)?;
    let after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?;
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT c.position AS as_of, r.doc FROM checkpoints AS c \
         LEFT JOIN LATERAL (SELECT * FROM reconciliations WHERE true",
    );
    if let Some(day) = filter.day {
        query.push(" AND day = ").push_bind(day);
    }
    if let Some(provider) = filter.provider {
        query.push(" AND provider = ").push_bind(provider.as_str());
    }
    if let Some(account) = &filter.account {
        query.push(" AND account = ").push_bind(account.as_str());
    }
    if let Some(status) = filter.status {
        query.push(" AND status = ").push_bind(status.as_str());
    }
    if let Some(after) = after {
        let day = chrono::TimeDelta::try_days(after.key).and_then(|days| NaiveDate::default().checked_add_signed(days));
        query.push(" AND (day, reconciliation_id) < (").push_bind(day.ok_or(ListError::Cursor)?);
        query.push(", ").push_bind(after.id).push(")");
    }
    query.push(" ORDER BY day DESC, reconciliation_id DESC LIMIT ").push_bind(with_one_more(limit)?);
    query.push(") AS r ON true WHERE c.name = 'reconciliation' ORDER BY r.day DESC, r.reconciliation_id DESC");
    let (as_of, rows) = read(query.build_query_as::<Row<Reconciliation>>().fetch_all(pool).await?);
    let (items, next) =
        cut(rows, limit, |row| Cursor { key: days(row.day), id: row.reconciliation_id.uuid(), filters: hash });
    Ok(Page { as_of, items, next })
}

/// One page of the differences of a reconciliation, in the order in which they were found.
///
/// # Errors
/// As [`list`].
pub async fn differences(
    pool: &PgPool,
    id: ReconciliationId,
    standing: Option<Standing>,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Difference>, ListError> {
    let hash = hash_of("differences", &(id, standing))?;
    let after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?;
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT c.position AS as_of, d.doc FROM checkpoints AS c \
         LEFT JOIN LATERAL (SELECT * FROM reconciliation_differences WHERE reconciliation_id = ",
    );
    query.push_bind(id.uuid());
    if let Some(standing) = standing {
        query.push(" AND standing = ").push_bind(standing.as_str());
    }
    if let Some(after) = after {
        query.push(" AND number > ").push_bind(i32::try_from(after.key).map_err(|_| ListError::Cursor)?);
    }
    query.push(" ORDER BY number LIMIT ").push_bind(with_one_more(limit)?);
    query.push(") AS d ON true WHERE c.name = 'reconciliation' ORDER BY d.number");
    let (as_of, rows) = read(query.build_query_as::<Row<Difference>>().fetch_all(pool).await?);
    let (items, next) = cut(rows, limit, |row| Cursor { key: i64::from(row.number), id: Uuid::nil(), filters: hash });
    Ok(Page { as_of, items, next })
}
