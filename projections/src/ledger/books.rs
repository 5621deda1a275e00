//! `read.ledger_books`: the book of each reservation; `read.ledger_refunds`: whose book a refund is in.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    event::Event,
    ledger::{self, Book, Concern, concern},
    refund, reservation,
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::Many;
use crate::engine::{ApplyError, Copied, Entry, Tuples, breathe};

/// A book as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Stored(Book);

/// The reservation of a refund.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link(Uuid);

/// Takes events in; books and links that are not in memory are loaded.
pub(super) async fn fold(many: &mut Many, connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let concerned: Vec<(&Entry, Concern)> =
        entries.iter().filter_map(|entry| Some((entry, concern(&entry.event)?))).collect();
    load_missing(many, connection, &concerned).await?;
    for (number, (entry, of)) in concerned.into_iter().enumerate() {
        breathe(number).await;
        let id = match of {
            Concern::Reservation(id) => id.uuid(),
            Concern::Refund(id) => many.refunds.get(id.uuid()).ok_or_else(|| entry.without_a_row())?.0,
            Concern::Alone => {
                let made = ledger::alone(&entry.event).map_err(|error| entry.contradiction(&error))?;
                many.lines.add(entry, None, &made);
                continue;
            }
        };
        match &entry.event {
            Event::Reservation(reservation::Event::Held(held)) => many.books.insert(id, Stored(Book::open(held))),
            Event::Refund(refund::Event::Requested(requested)) => {
                many.refunds.insert(requested.refund_id.uuid(), Link(id));
            }
            _ => {}
        }
        let book = many.books.get_mut(id).ok_or_else(|| entry.without_a_row())?;
        let made = book.0.enter(&entry.event).map_err(|error| entry.contradiction(&error))?;
        many.lines.add(entry, Some(id.into()), &made);
    }
    Ok(())
}

/// Those of before this batch. What begins in it has none.
async fn load_missing(
    many: &mut Many,
    connection: &mut PgConnection,
    concerned: &[(&Entry, Concern)],
) -> Result<(), ApplyError> {
    let mut begun: BTreeSet<Uuid> = BTreeSet::new();
    let (mut books, mut refunds) = (BTreeSet::new(), BTreeSet::new());
    for (entry, of) in concerned {
        if entry.version == 1 && matches!(entry.event.kind(), "reservation" | "refund") {
            begun.insert(entry.stream_id);
        }
        match of {
            Concern::Reservation(id) => books.insert(id.uuid()),
            Concern::Refund(id) => refunds.insert(id.uuid()),
            Concern::Alone => continue,
        };
    }
    let missing = many.refunds.missing(refunds.difference(&begun).copied().collect());
    let links = load_links(connection, &missing).await?;
    books.extend(links.values().map(|link| link.0));
    many.refunds.loaded(links);
    let known = refunds.iter().filter_map(|id| many.refunds.get(*id)).map(|link| link.0);
    books.extend(known);
    let missing = many.books.missing(books.difference(&begun).copied().collect());
    many.books.loaded(load_books(connection, &missing).await?);
    Ok(())
}

/// Writes a batch of live rows.
pub(super) async fn save(many: &Many, connection: &mut PgConnection) -> Result<(), ApplyError> {
    let (ids, books): (Vec<Uuid>, Vec<serde_json::Value>) = many
        .books
        .changed()
        .map(|(id, book)| Ok((id, serde_json::to_value(&book.0)?)))
        .collect::<Result<Vec<_>, serde_json::Error>>()?
        .into_iter()
        .unzip();
    if !ids.is_empty() {
        sqlx::query!(
            "INSERT INTO ledger_books (reservation_id, doc) SELECT * FROM unnest($1::uuid[], $2::jsonb[])
             ON CONFLICT (reservation_id) DO UPDATE SET doc = excluded.doc",
            &ids,
            &books
        )
        .execute(&mut *connection)
        .await?;
    }
    let (refunds, reservations): (Vec<Uuid>, Vec<Uuid>) = many.refunds.changed().map(|(id, link)| (id, link.0)).unzip();
    if !refunds.is_empty() {
        sqlx::query!(
            "INSERT INTO ledger_refunds (refund_id, reservation_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])
             ON CONFLICT (refund_id) DO NOTHING",
            &refunds,
            &reservations
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}

async fn load_links(connection: &mut PgConnection, refunds: &[Uuid]) -> Result<BTreeMap<Uuid, Link>, sqlx::Error> {
    if refunds.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!("SELECT refund_id, reservation_id FROM ledger_refunds WHERE refund_id = ANY ($1)", refunds)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.refund_id, Link(row.reservation_id))).collect())
}

async fn load_books(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Stored>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        r#"SELECT reservation_id, doc AS "doc: Json<Book>" FROM ledger_books WHERE reservation_id = ANY ($1)"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.reservation_id, Stored(row.doc.0))).collect())
}

impl Copied for Stored {
    const COPY: &'static str = "COPY ledger_books (reservation_id, doc) FROM STDIN (FORMAT binary)";

    async fn delete(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        sqlx::query!("DELETE FROM ledger_books WHERE reservation_id = ANY ($1)", ids)
            .execute(connection)
            .await
            .map(drop)
    }

    fn put(&self, id: Uuid, tuples: &mut Tuples) -> Result<(), serde_json::Error> {
        tuples.row(2);
        tuples.uuid(id);
        tuples.json(&self.0)
    }
}

impl Copied for Link {
    const COPY: &'static str = "COPY ledger_refunds (refund_id, reservation_id) FROM STDIN (FORMAT binary)";

    async fn delete(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        sqlx::query!("DELETE FROM ledger_refunds WHERE refund_id = ANY ($1)", ids).execute(connection).await.map(drop)
    }

    fn put(&self, id: Uuid, tuples: &mut Tuples) -> Result<(), serde_json::Error> {
        tuples.row(2);
        tuples.uuid(id);
        tuples.uuid(self.0);
        Ok(())
    }
}
