//! `read.clients`: a person who books, with every personal field still sealed. Only the edge opens them.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    client::{Event as ClientEvent, Language, Registered, Verdict},
    event::Event,
    ids::{ClientId, PaymentId, ReservationId, SiteId},
    money::{Currency, Money, MoneyError},
    phone::PhoneHash,
    sealed::Sealed,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry},
    page::Found,
};

/// A client as their events tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    pub client_id: ClientId,
    /// None of the three once the person was erased.
    pub phone_hash: Option<PhoneHash>,
    pub phone: Option<Sealed>,
    pub name: Option<Sealed>,
    pub language: Language,
    /// What we hold for them: more was received than was due, less what they spent or gave up. One amount per currency.
    pub credit: Vec<Money>,
    /// Of reservations at which they were not, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fines: Vec<Fine>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

/// A fine, as its events tell it. A reservation is fined once, so its id is the fine's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fine {
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub amount: Money,
    pub appeal_until: Timestamp,
    /// `owed`, `appealed`, `upheld`, `waived` or `settled`.
    pub standing: String,
    /// While it is appealed: waived when nobody has decided by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_by: Option<Timestamp>,
    /// What settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    pub fined_at: Timestamp,
}

impl Client {
    fn registered(registered: &Registered, entry: &Entry) -> Self {
        Self {
            client_id: registered.client_id,
            phone_hash: Some(registered.phone_hash.clone()),
            phone: Some(registered.phone.clone()),
            name: registered.name.clone(),
            language: registered.language,
            credit: Vec::new(),
            fines: Vec::new(),
            created_at: registered.at,
            erased_at: None,
            version: entry.version,
            position: entry.position,
            created_position: entry.position,
        }
    }

    fn evolve(&mut self, event: &ClientEvent) -> Result<(), MoneyError> {
        match event {
            ClientEvent::Registered(_)
            | ClientEvent::NumberVerified(_)
            | ClientEvent::PinSet(_)
            | ClientEvent::DeviceBound(_)
            | ClientEvent::DeviceReleased(_)
            | ClientEvent::RecoveryBegun(_)
            | ClientEvent::RecoveryCancelled(_)
            | ClientEvent::RecoveryCompleted(_)
            | ClientEvent::NumberChangeBegun(_)
            | ClientEvent::NumberChangeCancelled(_)
            | ClientEvent::NumberWanted(_) => {}
            ClientEvent::NumberChanged(changed) => {
                self.phone_hash = Some(changed.phone_hash.clone());
                self.phone = Some(changed.phone.clone());
            }
            ClientEvent::NumberReleased(_) => (self.phone_hash, self.phone) = (None, None),
            ClientEvent::Fined(fined) => self.fines.push(Fine {
                reservation_id: fined.reservation_id,
                site_id: fined.site_id,
                amount: fined.amount,
                appeal_until: fined.appeal_until,
                standing: "owed".to_owned(),
                decide_by: None,
                payment_id: None,
                fined_at: fined.at,
            }),
            ClientEvent::FineAppealed(appealed) => self.fine(appealed.reservation_id, |fine| {
                fine.standing = "appealed".to_owned();
                fine.decide_by = Some(appealed.decide_by);
            }),
            ClientEvent::FineDecided(decided) => self.fine(decided.reservation_id, |fine| {
                fine.standing = match decided.verdict {
                    Verdict::Uphold => "upheld".to_owned(),
                    Verdict::Waive => "waived".to_owned(),
                };
                fine.decide_by = None;
            }),
            ClientEvent::FineSettled(settled) => self.fine(settled.reservation_id, |fine| {
                fine.standing = "settled".to_owned();
                fine.decide_by = None;
                fine.payment_id = Some(settled.payment_id);
            }),
            ClientEvent::Renamed(renamed) => self.name.clone_from(&renamed.name),
            ClientEvent::Erased(erased) => {
                (self.phone_hash, self.phone, self.name) = (None, None, None);
                self.erased_at = Some(erased.at);
            }
            ClientEvent::Credited(credited) => self.hold(credited.amount)?,
            ClientEvent::CreditSpent(spent) => self.hold(minus(spent.amount))?,
            ClientEvent::CreditForfeited(forfeited) => self.hold(minus(forfeited.amount))?,
        }
        Ok(())
    }

    fn fine(&mut self, id: ReservationId, change: impl FnOnce(&mut Fine)) {
        if let Some(fine) = self.fines.iter_mut().find(|fine| fine.reservation_id == id) {
            change(fine);
        }
    }

    /// So much more of theirs, or less.
    fn hold(&mut self, more: Money) -> Result<(), MoneyError> {
        match self.credit.iter_mut().find(|held| held.currency == more.currency) {
            Some(held) => *held = held.plus(more)?,
            None => self.credit.push(more),
        }
        Ok(())
    }

    /// What we hold for them in a currency.
    pub fn credit_in(&self, currency: Currency) -> Money {
        self.credit.iter().copied().find(|held| held.currency == currency).unwrap_or(Money::zero(currency))
    }
}

const fn minus(amount: Money) -> Money {
    Money::new(-amount.amount, amount.currency)
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut rows = load(connection, &Entry::with_a_past(entries.iter())).await?;
    for entry in entries {
        let Event::Client(event) = &entry.event else { continue };
        if let ClientEvent::Registered(registered) = event {
            rows.insert(entry.stream_id, Client::registered(registered, entry));
            continue;
        }
        let row = rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?;
        row.evolve(event).map_err(|error| entry.contradiction(&error))?;
        row.version = entry.version;
        row.position = entry.position;
    }
    // A number that one of them gave back may be another's in the same batch, whichever row is written first.
    if entries.iter().any(|entry| frees_a_number(&entry.event)) {
        let touched: Vec<Uuid> = rows.keys().copied().collect();
        sqlx::query!("UPDATE clients SET phone_hash = NULL WHERE client_id = ANY ($1)", &touched)
            .execute(&mut *connection)
            .await?;
    }
    save(connection, rows.values()).await
}

const fn frees_a_number(event: &Event) -> bool {
    matches!(
        event,
        Event::Client(ClientEvent::NumberChanged(_) | ClientEvent::NumberReleased(_) | ClientEvent::Erased(_))
    )
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Client>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows =
        sqlx::query!(r#"SELECT client_id, doc AS "doc: Json<Client>" FROM clients WHERE client_id = ANY ($1)"#, ids)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|row| (row.client_id, row.doc.0)).collect())
}

#[derive(Serialize)]
struct Row<'a> {
    client_id: ClientId,
    phone_hash: Option<&'a PhoneHash>,
    doc: &'a Client,
    version: i32,
    position: Position,
    created_position: Position,
}

async fn save(connection: &mut PgConnection, rows: impl Iterator<Item = &Client>) -> Result<(), ApplyError> {
    let rows: Vec<Row<'_>> = rows
        .map(|row| Row {
            client_id: row.client_id,
            phone_hash: row.phone_hash.as_ref(),
            doc: row,
            version: row.version,
            position: row.position,
            created_position: row.created_position,
        })
        .collect();
    sqlx::query!(
        "INSERT INTO clients
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             client_id uuid, phone_hash text, doc jsonb, version int, position bigint, created_position bigint)
         ON CONFLICT (client_id) DO UPDATE SET
             phone_hash = excluded.phone_hash, doc = excluded.doc, version = excluded.version, position = excluded.position",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Clients by id, in no particular order; unknown ids are left out.
///
/// # Errors
/// Whatever the database says.
pub async fn find_many(db: impl PgExecutor<'_>, ids: &[ClientId]) -> Result<(Position, Vec<Client>), sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT c.position AS as_of, p.doc AS "doc?: Json<Client>"
           FROM checkpoints AS c LEFT JOIN clients AS p ON p.client_id = ANY ($1)
           WHERE c.name = 'client'"#,
        &ids
    )
    .fetch_all(db)
    .await?;
    let as_of = rows.first().map_or(0, |row| row.as_of);
    Ok((as_of, rows.into_iter().filter_map(|row| row.doc.map(|doc| doc.0)).collect()))
}

/// The client with this number. For a list or a search; a command asks the guard instead.
///
/// # Errors
/// Whatever the database says.
pub async fn find_by_phone(db: impl PgExecutor<'_>, phone: &PhoneHash) -> Result<Found<Client>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, p.doc AS "doc?: Json<Client>"
           FROM checkpoints AS c LEFT JOIN clients AS p ON p.phone_hash = $1
           WHERE c.name = 'client'"#,
        phone.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}
