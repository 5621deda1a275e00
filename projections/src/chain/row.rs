//! One of a chain as its events tell it: the same for payouts and invoices, each in a table of its own.

use std::collections::BTreeMap;

use domain::{
    aggregate::Aggregate,
    ids::SiteId,
    invoice::{self, Invoice},
    payout::{self, Payout},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry},
};

/// A noun whose streams follow each other at a site.
pub trait Chained: Aggregate + Serialize + DeserializeOwned + Send + Unpin + 'static {
    /// The table of the rows.
    const TABLE: &'static str;
    /// The projector that fills it.
    const PROJECTOR: &'static str;

    /// The site at which a stream begins; `None` for an event that begins none.
    fn begun_at(event: &Self::Event) -> Option<SiteId>;

    /// What is looked for by, and what it is about, in minor units.
    fn status_and_amount(&self) -> (&'static str, i64);
}

impl Chained for Payout {
    const TABLE: &'static str = "payouts";
    const PROJECTOR: &'static str = "payout";

    fn begun_at(event: &payout::Event) -> Option<SiteId> {
        if let payout::Event::Prepared(prepared) = event { Some(prepared.site_id) } else { None }
    }

    fn status_and_amount(&self) -> (&'static str, i64) {
        (self.status.as_str(), self.prepared.as_ref().map_or(0, |prepared| prepared.amount.amount))
    }
}

impl Chained for Invoice {
    const TABLE: &'static str = "invoices";
    const PROJECTOR: &'static str = "invoice";

    fn begun_at(event: &invoice::Event) -> Option<SiteId> {
        if let invoice::Event::Issued(issued) = event { Some(issued.site_id) } else { None }
    }

    fn status_and_amount(&self) -> (&'static str, i64) {
        (self.status.as_str(), self.issued.as_ref().map_or(0, |issued| issued.amount.amount))
    }
}

/// A state and its place in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Row<A: Chained> {
    // Other names: of rows that were written before version 2 and are read until they are built again.
    #[serde(alias = "payout_id", alias = "invoice_id")]
    pub id: Uuid,
    pub site_id: SiteId,
    #[serde(alias = "payout", alias = "invoice")]
    pub state: A,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

/// The rows that a batch touches, from those that were there.
pub(crate) fn fold<A: Chained>(before: Vec<Json<Row<A>>>, entries: &[Entry]) -> Result<Vec<Row<A>>, ApplyError> {
    let mut rows: BTreeMap<Uuid, Row<A>> = before.into_iter().map(|Json(row)| (row.id, row)).collect();
    for entry in entries {
        let Some(event) = A::select(entry.event.clone()) else { continue };
        if let Some(site_id) = A::begun_at(&event) {
            let row = Row {
                id: entry.stream_id,
                site_id,
                state: A::default(),
                version: 0,
                position: 0,
                created_position: entry.position,
            };
            rows.insert(entry.stream_id, row);
        }
        let row = rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?;
        row.state.evolve(event);
        row.version = entry.version;
        row.position = entry.position;
    }
    Ok(rows.into_values().collect())
}

/// Rows as JSON, by the names of columns.
pub(crate) fn columns<A: Chained>(rows: &[Row<A>]) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    #[serde(bound = "")]
    struct Columns<'a, A: Chained> {
        id: Uuid,
        site_id: SiteId,
        status: &'static str,
        amount: i64,
        doc: &'a Row<A>,
        version: i32,
        position: Position,
        created_position: Position,
    }
    let rows = rows.iter().map(|row| {
        let (status, amount) = row.state.status_and_amount();
        let Row { id, site_id, version, position, created_position, .. } = *row;
        Columns { id, site_id, status, amount, doc: row, version, position, created_position }
    });
    serde_json::to_string(&rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_was_written_before_is_read_until_it_is_built_again() {
        let row = Row::<Invoice> {
            id: Uuid::from_u128(1),
            site_id: SiteId::new(Uuid::from_u128(2)),
            state: Invoice::default(),
            version: 3,
            position: 5,
            created_position: 4,
        };
        let now = serde_json::to_string(&row).unwrap();
        let before = now.replacen("\"id\"", "\"invoice_id\"", 1).replacen("\"state\"", "\"invoice\"", 1);
        assert_ne!(now, before);
        assert_eq!(serde_json::from_str::<Row<Invoice>>(&before).unwrap(), row);
    }
}
