//! `read.refunds`: one movement of money out, as the API shows it.

use domain::{
    Timestamp,
    actor::Actor,
    event::Event,
    ids::{ClientId, PaymentId, RefundId, ReservationId, SiteId},
    money::Money,
    payment::{Method, ProviderId, Reference},
    refund::{Event as RefundEvent, Reason, Requested, Route},
    text::Note,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Copied, Entry, Kept, Tuples, breathe},
    page::Found,
};

/// Where a refund is in its life (domain.md, Refund).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Requested,
    Approved,
    Declined,
    Submitted,
    Pending,
    Unknown,
    Succeeded,
    Failed,
    Reversed,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Submitted => "submitted",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Reversed => "reversed",
        }
    }
}

/// A refund as its events tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub client_id: Option<ClientId>,
    pub status: Status,
    pub method: Method,
    /// The provider that pays it, when it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Method>,
    /// The way it takes now.
    pub route: Route,
    /// The transaction whose money it is.
    pub transaction: ProviderId,
    pub amount: Money,
    pub reason: Reason,
    pub note: Option<Note>,
    pub requested_by: Actor,
    pub needs_approval: bool,
    /// Who approved or declined it.
    pub decided_by: Option<Actor>,
    /// Ours, at the provider.
    pub reference: Option<Reference>,
    /// The provider's, once it has one: what the client is told.
    pub provider_id: Option<ProviderId>,
    /// What one person says became of it, while a second one must say the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_paid: Option<bool>,
    /// Groups of tries so far.
    pub attempts: u16,
    /// Why it failed, was declined or taken back, or why nobody can tell.
    pub why: Option<Note>,
    pub created_at: Timestamp,
    pub succeeded_at: Option<Timestamp>,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

impl Refund {
    fn requested(requested: &Requested, entry: &Entry) -> Self {
        Self {
            refund_id: requested.refund_id,
            payment_id: requested.payment_id,
            reservation_id: requested.reservation_id,
            site_id: requested.site_id,
            client_id: requested.client_id,
            status: Status::Requested,
            method: requested.method,
            through: None,
            route: requested.route,
            transaction: requested.transaction.clone(),
            amount: requested.amount,
            reason: requested.reason,
            note: requested.note.clone(),
            requested_by: requested.by,
            needs_approval: requested.needs_approval,
            decided_by: None,
            reference: None,
            provider_id: None,
            stated_paid: None,
            attempts: 0,
            why: None,
            created_at: requested.at,
            succeeded_at: None,
            version: entry.version,
            position: entry.position,
            created_position: entry.position,
        }
    }

    fn evolve(&mut self, event: &RefundEvent) {
        let why = |note: &Note| Some(note.clone());
        match event {
            RefundEvent::Requested(_) => {}
            RefundEvent::Approved(approved) => {
                self.status = Status::Approved;
                self.decided_by = Some(approved.by);
            }
            RefundEvent::Declined(declined) => {
                self.status = Status::Declined;
                self.decided_by = Some(declined.by);
                self.why = why(&declined.note);
            }
            RefundEvent::Submitted(submitted) => {
                self.status = Status::Submitted;
                self.route = submitted.route;
                self.through = submitted.method;
                self.reference = Some(submitted.reference.clone());
                self.attempts = submitted.attempt;
                self.why = None;
            }
            RefundEvent::Pending(pending) => {
                self.status = Status::Pending;
                self.provider_id = Some(pending.provider_id.clone());
            }
            RefundEvent::BecameUnknown(unknown) => {
                self.status = Status::Unknown;
                self.why = why(&unknown.why);
            }
            RefundEvent::OutcomeStated(word) => {
                self.stated_paid = Some(word.stated.paid);
                self.why = why(&word.stated.note);
            }
            RefundEvent::Succeeded(succeeded) => {
                self.status = Status::Succeeded;
                self.stated_paid = None;
                self.route = succeeded.route;
                self.provider_id = succeeded.provider_id.clone().or(self.provider_id.take());
                self.succeeded_at = Some(succeeded.at);
                self.why = None;
            }
            RefundEvent::Failed(failed) => {
                self.status = Status::Failed;
                self.stated_paid = None;
                self.why = why(&failed.reason);
            }
            RefundEvent::Reversed(reversed) => {
                self.status = Status::Reversed;
                self.why = why(&reversed.reason);
            }
        }
    }

    /// Whether the client has the money.
    pub fn has_arrived(&self) -> bool {
        self.status == Status::Succeeded
    }
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(crate) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut rows = Kept::default();
    fold(&mut rows, connection, entries).await?;
    if rows.count() == 0 {
        return Ok(());
    }
    save(connection, rows.changed().map(|(_, row)| row)).await
}

/// Takes the events of refunds in; what is not in memory is loaded.
pub(crate) async fn fold(
    rows: &mut Kept<Refund>,
    connection: &mut PgConnection,
    entries: &[Entry],
) -> Result<(), ApplyError> {
    let events = || entries.iter().filter(|entry| matches!(entry.event, Event::Refund(_)));
    let missing = rows.missing(Entry::with_a_past(events()));
    rows.loaded(load(connection, &missing).await?);
    for (number, entry) in events().enumerate() {
        breathe(number).await;
        let Event::Refund(event) = &entry.event else { continue };
        if let RefundEvent::Requested(requested) = event {
            rows.insert(entry.stream_id, Refund::requested(requested, entry));
            continue;
        }
        let row = rows.get_mut(entry.stream_id).ok_or_else(|| entry.without_a_row())?;
        row.evolve(event);
        row.version = entry.version;
        row.position = entry.position;
    }
    Ok(())
}

impl Copied for Refund {
    const COPY: &'static str = "COPY refunds (refund_id, payment_id, reservation_id, site_id, client_id, status, amount, \
        doc, version, position, created_position) FROM STDIN (FORMAT binary)";

    async fn delete(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        sqlx::query!("DELETE FROM refunds WHERE refund_id = ANY ($1)", ids).execute(connection).await.map(drop)
    }

    fn put(&self, _: Uuid, tuples: &mut Tuples) -> Result<(), serde_json::Error> {
        tuples.row(11);
        tuples.uuid(self.refund_id.uuid());
        tuples.uuid(self.payment_id.uuid());
        tuples.uuid(self.reservation_id.uuid());
        tuples.uuid(self.site_id.uuid());
        tuples.maybe_uuid(self.client_id.map(|client| client.uuid()));
        tuples.text(self.status.as_str());
        tuples.bigint(self.amount.amount);
        tuples.json(self)?;
        tuples.int(self.version);
        tuples.bigint(self.position);
        tuples.bigint(self.created_position);
        Ok(())
    }
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, Refund)>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows =
        sqlx::query!(r#"SELECT refund_id, doc AS "doc: Json<Refund>" FROM refunds WHERE refund_id = ANY ($1)"#, ids)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|row| (row.refund_id, row.doc.0)).collect())
}

#[derive(Serialize)]
struct Row<'a> {
    refund_id: RefundId,
    payment_id: PaymentId,
    reservation_id: ReservationId,
    site_id: SiteId,
    client_id: Option<ClientId>,
    status: Status,
    amount: i64,
    doc: &'a Refund,
    version: i32,
    position: Position,
    created_position: Position,
}

async fn save(connection: &mut PgConnection, rows: impl Iterator<Item = &Refund>) -> Result<(), ApplyError> {
    let rows: Vec<Row<'_>> = rows
        .map(|row| Row {
            refund_id: row.refund_id,
            payment_id: row.payment_id,
            reservation_id: row.reservation_id,
            site_id: row.site_id,
            client_id: row.client_id,
            status: row.status,
            amount: row.amount.amount,
            doc: row,
            version: row.version,
            position: row.position,
            created_position: row.created_position,
        })
        .collect();
    sqlx::query!(
        "INSERT INTO refunds
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             refund_id uuid, payment_id uuid, reservation_id uuid, site_id uuid, client_id uuid, status text,
             amount bigint, doc jsonb, version int, position bigint, created_position bigint)
         ON CONFLICT (refund_id) DO UPDATE SET
             status = excluded.status, doc = excluded.doc, version = excluded.version, position = excluded.position",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One refund.
///
/// # Errors
/// Whatever the database says.
pub async fn find(db: impl PgExecutor<'_>, id: RefundId) -> Result<Found<Refund>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, f.doc AS "doc?: Json<Refund>"
           FROM checkpoints AS c LEFT JOIN refunds AS f ON f.refund_id = $1
           WHERE c.name = 'reservation'"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}

/// The refunds of a payment, oldest first.
///
/// # Errors
/// Whatever the database says.
pub async fn of_payment(db: impl PgExecutor<'_>, id: PaymentId) -> Result<(Position, Vec<Refund>), sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT c.position AS as_of, f.doc AS "doc?: Json<Refund>"
           FROM checkpoints AS c LEFT JOIN refunds AS f ON f.payment_id = $1
           WHERE c.name = 'reservation' ORDER BY f.created_position"#,
        id.uuid()
    )
    .fetch_all(db)
    .await?;
    let as_of = rows.first().map_or(0, |row| row.as_of);
    Ok((as_of, rows.into_iter().filter_map(|row| row.doc.map(|doc| doc.0)).collect()))
}
