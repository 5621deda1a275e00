//! `read.payments`: one movement of money in, as the API shows it.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    actor::Actor,
    event::Event,
    ids::{ClientId, PaymentId, ReservationId, SiteId},
    money::{Money, MoneyError},
    payment::{Event as PaymentEvent, Method, ProviderId, Reference, Requested, Succeeded},
    reservation::Purpose,
    text::{Note, Text},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry, breathe},
    page::Found,
};

/// Where a payment is in its life (domain.md, Payment).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Requested,
    Pending,
    Unknown,
    Succeeded,
    Failed,
    Expired,
    /// Somebody vouches for it; no money moved.
    OnAccount,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::OnAccount => "on_account",
        }
    }
}

/// A second success for the same thing; it goes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Duplicate {
    pub transaction: ProviderId,
    pub received: Money,
    pub at: Timestamp,
}

/// A payment as its events tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub client_id: Option<ClientId>,
    pub method: Method,
    pub purpose: Purpose,
    pub status: Status,
    /// What was asked for.
    pub amount: Money,
    /// Ours, at the provider.
    pub reference: Reference,
    pub by: Actor,
    pub created_at: Timestamp,
    /// When the hold it pays for ends; `None` for a balance.
    pub hold_expires_at: Option<Timestamp>,
    /// The provider's id of the checkout.
    pub provider_id: Option<ProviderId>,
    /// Where the client pays; of use while it is pending.
    pub checkout_url: Option<Text<500>>,
    /// When the provider closes it by itself, as it said.
    pub checkout_expires_at: Option<Timestamp>,
    /// The provider's, once money arrived.
    pub transaction: Option<ProviderId>,
    /// What really came.
    pub received: Option<Money>,
    /// Of it, what the reservation needed.
    pub allocated: Option<Money>,
    pub succeeded_at: Option<Timestamp>,
    pub duplicates: Vec<Duplicate>,
    /// Claimed by refunds that have not failed.
    pub refund_allotted: Money,
    /// Why it failed, or why nobody can tell.
    pub why: Option<Note>,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

impl Payment {
    fn requested(requested: &Requested, entry: &Entry) -> Self {
        Self {
            payment_id: requested.payment_id,
            reservation_id: requested.reservation_id,
            site_id: requested.site_id,
            client_id: requested.client_id,
            method: requested.method,
            purpose: requested.purpose,
            status: Status::Requested,
            amount: requested.amount,
            reference: requested.reference.clone(),
            by: requested.by,
            created_at: requested.at,
            hold_expires_at: requested.hold_expires_at,
            provider_id: None,
            checkout_url: None,
            checkout_expires_at: None,
            transaction: None,
            received: None,
            allocated: None,
            succeeded_at: None,
            duplicates: Vec::new(),
            refund_allotted: Money::zero(requested.amount.currency),
            why: None,
            version: entry.version,
            position: entry.position,
            created_position: entry.position,
        }
    }

    fn evolve(&mut self, event: &PaymentEvent) -> Result<(), MoneyError> {
        match event {
            PaymentEvent::Requested(_) => {}
            PaymentEvent::Opened(opened) => {
                self.status = Status::Pending;
                self.provider_id = Some(opened.provider_id.clone());
                self.checkout_url = Some(opened.checkout_url.clone());
                self.checkout_expires_at = opened.expires_at;
                self.why = None;
            }
            PaymentEvent::BecameUnknown(unknown) => {
                self.status = Status::Unknown;
                self.why = Some(unknown.why.clone());
            }
            PaymentEvent::Succeeded(succeeded) => self.succeeded(succeeded),
            PaymentEvent::Duplicated(again) => self.duplicates.push(Duplicate {
                transaction: again.transaction.clone(),
                received: again.received,
                at: again.at,
            }),
            PaymentEvent::Failed(failed) => {
                self.status = Status::Failed;
                self.why = Some(failed.reason.clone());
            }
            PaymentEvent::Expired(_) => self.status = Status::Expired,
            PaymentEvent::PutOnAccount(_) => self.status = Status::OnAccount,
            PaymentEvent::RefundAllotted(allotted) => {
                self.refund_allotted = self.refund_allotted.plus(allotted.amount)?;
            }
            PaymentEvent::RefundReturned(returned) => {
                self.refund_allotted = self.refund_allotted.minus(returned.amount)?;
            }
        }
        Ok(())
    }

    fn succeeded(&mut self, succeeded: &Succeeded) {
        self.status = Status::Succeeded;
        self.transaction = Some(succeeded.transaction.clone());
        self.received = Some(succeeded.received);
        self.allocated = Some(succeeded.allocated);
        self.succeeded_at = Some(succeeded.at);
        self.why = None;
    }
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(crate) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let events: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Payment(event) => Some((entry, event)),
            _ => None,
        })
        .collect();
    if events.is_empty() {
        return Ok(());
    }
    let known = Entry::with_a_past(events.iter().map(|(entry, _)| *entry));
    let mut rows = load(connection, &known).await?;
    for (number, (entry, event)) in events.into_iter().enumerate() {
        breathe(number).await;
        if let PaymentEvent::Requested(requested) = event {
            rows.insert(entry.stream_id, Payment::requested(requested, entry));
            continue;
        }
        let row = rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?;
        row.evolve(event).map_err(|error| entry.contradiction(&error))?;
        row.version = entry.version;
        row.position = entry.position;
    }
    save(connection, rows.values()).await
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Payment>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        r#"SELECT payment_id, doc AS "doc: Json<Payment>" FROM payments WHERE payment_id = ANY ($1)"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.payment_id, row.doc.0)).collect())
}

/// The columns of a batch, each bound as one array.
#[derive(Default)]
struct Columns {
    payment_id: Vec<Uuid>,
    reservation_id: Vec<Uuid>,
    site_id: Vec<Uuid>,
    client_id: Vec<Option<Uuid>>,
    status: Vec<String>,
    method: Vec<String>,
    reference: Vec<String>,
    provider_id: Vec<Option<String>>,
    transaction: Vec<Option<String>>,
    doc: Vec<String>,
    version: Vec<i32>,
    position: Vec<Position>,
    created_position: Vec<Position>,
}

impl Columns {
    fn push(&mut self, row: &Payment) -> Result<(), serde_json::Error> {
        let text = |id: &ProviderId| id.as_str().to_owned();
        self.payment_id.push(row.payment_id.uuid());
        self.reservation_id.push(row.reservation_id.uuid());
        self.site_id.push(row.site_id.uuid());
        self.client_id.push(row.client_id.map(|client| client.uuid()));
        self.status.push(row.status.as_str().to_owned());
        self.method.push(row.method.as_str().to_owned());
        self.reference.push(row.reference.as_str().to_owned());
        self.provider_id.push(row.provider_id.as_ref().map(text));
        self.transaction.push(row.transaction.as_ref().map(text));
        self.doc.push(serde_json::to_string(row)?);
        self.version.push(row.version);
        self.position.push(row.position);
        self.created_position.push(row.created_position);
        Ok(())
    }
}

async fn save(connection: &mut PgConnection, rows: impl Iterator<Item = &Payment>) -> Result<(), ApplyError> {
    let mut columns = Columns::default();
    for (number, row) in rows.enumerate() {
        breathe(number).await;
        columns.push(row)?;
    }
    sqlx::query!(
        "INSERT INTO payments
         SELECT payment_id, reservation_id, site_id, client_id, status, method, reference, provider_id, transaction,
                doc::jsonb, version, position, created_position
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::int[], $12::bigint[], $13::bigint[])
              AS r (payment_id, reservation_id, site_id, client_id, status, method, reference, provider_id, transaction,
                    doc, version, position, created_position)
         ON CONFLICT (payment_id) DO UPDATE SET
             status = excluded.status, provider_id = excluded.provider_id, transaction = excluded.transaction,
             doc = excluded.doc, version = excluded.version, position = excluded.position",
        &columns.payment_id,
        &columns.reservation_id,
        &columns.site_id,
        &columns.client_id as &[Option<Uuid>],
        &columns.status,
        &columns.method,
        &columns.reference,
        &columns.provider_id as &[Option<String>],
        &columns.transaction as &[Option<String>],
        &columns.doc,
        &columns.version,
        &columns.position,
        &columns.created_position,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One payment.
///
/// # Errors
/// Whatever the database says.
pub async fn find(db: impl PgExecutor<'_>, id: PaymentId) -> Result<Found<Payment>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, p.doc AS "doc?: Json<Payment>"
           FROM checkpoints AS c LEFT JOIN payments AS p ON p.payment_id = $1
           WHERE c.name = 'reservation'"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}

/// The payments of a reservation, oldest first.
///
/// # Errors
/// Whatever the database says.
pub async fn of_reservation(
    db: impl PgExecutor<'_>,
    id: ReservationId,
) -> Result<(Position, Vec<Payment>), sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT c.position AS as_of, p.doc AS "doc?: Json<Payment>"
           FROM checkpoints AS c LEFT JOIN payments AS p ON p.reservation_id = $1
           WHERE c.name = 'reservation' ORDER BY p.created_position"#,
        id.uuid()
    )
    .fetch_all(db)
    .await?;
    let as_of = rows.first().map_or(0, |row| row.as_of);
    Ok((as_of, rows.into_iter().filter_map(|row| row.doc.map(|doc| doc.0)).collect()))
}

/// The payments of some reservations, by id.
///
/// # Errors
/// Whatever the database says.
pub(crate) async fn ids_of(db: impl PgExecutor<'_>, reservations: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("SELECT payment_id FROM payments WHERE reservation_id = ANY ($1)", reservations)
        .fetch_all(db)
        .await
}
