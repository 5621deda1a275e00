//! `read.till_movements`: cash that came and went at a site; `read.till_sources`: at which.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    event::Event,
    ids::SiteId,
    money::{Currency, Money},
    payment::{self, Method},
    refund::{self, Route},
    till::Takings,
};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry},
};

/// Writes a batch: first which payments and refunds are of which site, then what moved.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let begun: BTreeMap<Uuid, Uuid> = entries.iter().filter_map(|entry| source(&entry.event)).collect();
    if !begun.is_empty() {
        let (sources, sites): (Vec<Uuid>, Vec<Uuid>) = begun.iter().map(|(source, site)| (*source, *site)).unzip();
        sqlx::query!(
            "INSERT INTO till_sources (source, site_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])
             ON CONFLICT (source) DO NOTHING",
            &sources,
            &sites
        )
        .execute(&mut *connection)
        .await?;
    }
    let moved: Vec<(&Entry, Uuid, Money)> =
        entries.iter().filter_map(|entry| moved(&entry.event).map(|(id, amount)| (entry, id, amount))).collect();
    if moved.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = moved.iter().map(|(_, id, _)| *id).collect();
    let known = sqlx::query!("SELECT source, site_id FROM till_sources WHERE source = ANY ($1)", &ids)
        .fetch_all(&mut *connection)
        .await?;
    let sites: BTreeMap<Uuid, Uuid> = known.into_iter().map(|row| (row.source, row.site_id)).collect();
    let mut rows = Vec::with_capacity(moved.len());
    for (entry, source, amount) in moved {
        let site_id = *sites.get(&source).ok_or_else(|| entry.without_a_row())?;
        let (position, at) = (entry.position, entry.recorded_at);
        let currency = amount.currency.code();
        rows.push(Row { position, site_id, source, amount: amount.amount, currency, at });
    }
    sqlx::query!(
        "INSERT INTO till_movements
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             position bigint, site_id uuid, source uuid, amount bigint, currency text, at timestamptz)
         ON CONFLICT (position) DO NOTHING",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(Serialize)]
struct Row {
    position: Position,
    site_id: Uuid,
    source: Uuid,
    amount: i64,
    currency: &'static str,
    at: Timestamp,
}

/// What may move cash, and at which site. A refund of anything may end in cash.
fn source(event: &Event) -> Option<(Uuid, Uuid)> {
    match event {
        Event::Payment(payment::Event::Requested(asked)) if asked.method == Method::Cash => {
            Some((asked.payment_id.uuid(), asked.site_id.uuid()))
        }
        Event::Refund(refund::Event::Requested(asked)) => Some((asked.refund_id.uuid(), asked.site_id.uuid())),
        _ => None,
    }
}

/// Cash that moved: what came is positive.
fn moved(event: &Event) -> Option<(Uuid, Money)> {
    match event {
        Event::Payment(payment::Event::Succeeded(paid)) if paid.method == Method::Cash => {
            Some((paid.payment_id.uuid(), paid.received)).filter(|(_, amount)| !amount.is_zero())
        }
        Event::Refund(refund::Event::Succeeded(paid)) if paid.route == Route::Cash => {
            let out = Money::new(-paid.amount.amount, paid.amount.currency);
            Some((paid.refund_id.uuid(), out)).filter(|(_, amount)| !amount.is_zero())
        }
        _ => None,
    }
}

/// What cash a site took in and handed out after a position, in a currency, up to where the view counts.
///
/// # Errors
/// Whatever the database says.
pub async fn takings(
    db: impl PgExecutor<'_>,
    site: SiteId,
    after: Position,
    currency: Currency,
) -> Result<Takings, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS "as_of!",
                  coalesce(sum(m.amount) FILTER (WHERE m.amount > 0), 0)::bigint AS "received!",
                  coalesce(-sum(m.amount) FILTER (WHERE m.amount < 0), 0)::bigint AS "handed_out!"
           FROM checkpoints AS c
           LEFT JOIN till_movements AS m ON m.site_id = $1 AND m.position > $2 AND m.currency = $3
           WHERE c.name = 'till' GROUP BY c.position"#,
        site.uuid(),
        after,
        currency.code()
    )
    .fetch_one(db)
    .await?;
    Ok(Takings {
        received: Money::new(row.received, currency),
        handed_out: Money::new(row.handed_out, currency),
        as_of_position: row.as_of,
    })
}

/// One movement of cash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    pub position: Position,
    /// The payment or refund.
    pub source: Uuid,
    /// Minor units; handed out is negative.
    pub amount: i64,
    pub at: Timestamp,
}

/// The movements of a site after one position, up to and with another, in order; at most 1 000.
///
/// # Errors
/// Whatever the database says.
pub async fn movements(
    db: impl PgExecutor<'_>,
    site: SiteId,
    after: Position,
    until: Position,
) -> Result<Vec<Movement>, sqlx::Error> {
    sqlx::query_as!(
        Movement,
        "SELECT position, source, amount, at FROM till_movements
         WHERE site_id = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT 1000",
        site.uuid(),
        after,
        until
    )
    .fetch_all(db)
    .await
}
