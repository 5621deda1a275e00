//! `read.promotions`: a code with its terms, how often it is used, and what it gave.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    actor::Actor,
    event::Event,
    ids::{PromotionId, SiteId},
    money::{Money, MoneyError},
    promotion::{Created, Event as PromotionEvent, Terms},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry},
    page::Found,
};

/// A promotion as its events tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promotion {
    pub promotion_id: PromotionId,
    /// `None` for every site.
    pub site_id: Option<SiteId>,
    pub terms: Terms,
    pub created_by: Actor,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// How often it is used; what came back is not.
    pub uses: u32,
    /// What it took off prices, less what came back.
    pub given: Money,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

impl Promotion {
    fn created(created: &Created, entry: &Entry) -> Self {
        Self {
            promotion_id: created.promotion_id,
            site_id: created.site_id,
            terms: created.terms.clone(),
            created_by: created.by,
            created_at: created.at,
            ended_at: None,
            uses: 0,
            given: Money::zero(created.terms.currency),
            version: entry.version,
            position: entry.position,
            created_position: entry.position,
        }
    }

    fn evolve(&mut self, event: &PromotionEvent) -> Result<(), MoneyError> {
        match event {
            PromotionEvent::Created(_) => {}
            PromotionEvent::Ended(ended) => self.ended_at = Some(ended.at),
            PromotionEvent::Redeemed(redeemed) => {
                self.uses = self.uses.saturating_add(1);
                self.given = self.given.plus(redeemed.discount)?;
            }
            PromotionEvent::Released(released) => {
                self.uses = self.uses.saturating_sub(1);
                self.given = self.given.minus(released.discount)?;
            }
        }
        Ok(())
    }
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut rows = load(connection, &Entry::with_a_past(entries.iter())).await?;
    for entry in entries {
        let Event::Promotion(event) = &entry.event else { continue };
        if let PromotionEvent::Created(created) = event {
            rows.insert(entry.stream_id, Promotion::created(created, entry));
            continue;
        }
        let row = rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?;
        row.evolve(event).map_err(|error| entry.contradiction(&error))?;
        row.version = entry.version;
        row.position = entry.position;
    }
    save(connection, rows.values()).await
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Promotion>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        r#"SELECT promotion_id, doc AS "doc: Json<Promotion>" FROM promotions WHERE promotion_id = ANY ($1)"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.promotion_id, row.doc.0)).collect())
}

#[derive(Serialize)]
struct Row<'a> {
    promotion_id: PromotionId,
    site_id: Option<SiteId>,
    doc: &'a Promotion,
    version: i32,
    position: Position,
    created_position: Position,
}

async fn save(connection: &mut PgConnection, rows: impl Iterator<Item = &Promotion>) -> Result<(), ApplyError> {
    let rows: Vec<Row<'_>> = rows
        .map(|row| Row {
            promotion_id: row.promotion_id,
            site_id: row.site_id,
            doc: row,
            version: row.version,
            position: row.position,
            created_position: row.created_position,
        })
        .collect();
    sqlx::query!(
        "INSERT INTO promotions
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             promotion_id uuid, site_id uuid, doc jsonb, version int, position bigint, created_position bigint)
         ON CONFLICT (promotion_id) DO UPDATE SET
             doc = excluded.doc, version = excluded.version, position = excluded.position",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One promotion.
///
/// # Errors
/// Whatever the database says.
pub async fn find(db: impl PgExecutor<'_>, id: PromotionId) -> Result<Found<Promotion>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, p.doc AS "doc?: Json<Promotion>"
           FROM checkpoints AS c LEFT JOIN promotions AS p ON p.promotion_id = $1
           WHERE c.name = 'promotion'"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}
