//! `read.movements`: what providers moved for us, by day and by name.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::{
    Timestamp,
    event::Event,
    money::{Currency, Money},
    payment::{self, Event as PaymentEvent, Method, ProviderId, Reference},
    payout::Event as PayoutEvent,
    phone::PhoneHash,
    reconciliation::{self, Elsewhere, Line, Moved, Movement, Object, Subject},
    refund::{Event as RefundEvent, Route},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

use super::pairs;
use crate::{
    Position,
    engine::{ApplyError, Entry, breathe},
};

/// A row.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    object: Object,
    subject_id: Uuid,
    nth: i16,
    method: Method,
    state: Moved,
    amount: i64,
    currency: Currency,
    at: Timestamp,
    transaction: Option<ProviderId>,
    checkout: Option<ProviderId>,
    reference: Option<Reference>,
    of_reference: Option<Reference>,
    client_id: Option<Uuid>,
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let is_one = |event: &Event| matches!(event, Event::Payment(_) | Event::Refund(_) | Event::Payout(_));
    let moves = || entries.iter().filter(|entry| is_one(&entry.event));
    let mut rows = load(connection, &Entry::with_a_past(moves())).await?;
    for (number, entry) in moves().enumerate() {
        breathe(number).await;
        let of = rows.entry(entry.stream_id).or_default();
        match &entry.event {
            Event::Payment(event) => pay(of, entry, event),
            Event::Refund(event) => give_back(of, entry, event),
            Event::Payout(event) => pay_out(of, entry, event),
            _ => {}
        }
    }
    let rows: Vec<&Row> = rows.values().flatten().collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO movements
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             object text, subject_id uuid, nth smallint, method text, state text, amount bigint, currency text,
             at timestamptz, transaction text, checkout text, reference text, of_reference text, client_id uuid)
         ON CONFLICT (subject_id, nth) DO UPDATE SET
             method = excluded.method, state = excluded.state, amount = excluded.amount, at = excluded.at,
             transaction = excluded.transaction, checkout = excluded.checkout, reference = excluded.reference",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Cash and promises have no row: no provider lists them.
fn pay(rows: &mut Vec<Row>, entry: &Entry, event: &PaymentEvent) {
    if let PaymentEvent::Requested(asked) = event {
        if asked.method.has_provider() {
            rows.push(Row {
                object: Object::Payment,
                subject_id: entry.stream_id,
                nth: 0,
                method: asked.method,
                state: Moved::Open,
                amount: asked.amount.amount,
                currency: asked.amount.currency,
                at: asked.at,
                transaction: None,
                checkout: None,
                reference: Some(asked.reference.clone()),
                of_reference: None,
                client_id: asked.client_id.map(|client| client.uuid()),
            });
        }
        return;
    }
    let nth = i16::try_from(rows.len()).unwrap_or(i16::MAX);
    let Some(first) = rows.first_mut() else { return };
    match event {
        // The statements are the platform's own: what landed at a manager's account is in none of them.
        PaymentEvent::Succeeded(payment::Succeeded { merchant_account: Some(_), .. })
        | PaymentEvent::Duplicated(payment::Duplicated { merchant_account: Some(_), .. }) => {}
        PaymentEvent::Opened(opened) => first.checkout = Some(opened.provider_id.clone()),
        PaymentEvent::Succeeded(succeeded) => {
            first.checkout = succeeded.provider_id.clone().or(first.checkout.take());
            first.landed(&succeeded.transaction, succeeded.received, succeeded.at);
        }
        PaymentEvent::Duplicated(duplicated) => {
            let mut second = Row { nth, ..first.clone() };
            second.landed(&duplicated.transaction, duplicated.received, duplicated.at);
            rows.push(second);
        }
        PaymentEvent::Failed(_) => first.state = Moved::Failed,
        PaymentEvent::Requested(_)
        | PaymentEvent::BecameUnknown(_)
        | PaymentEvent::PutOnAccount(_)
        | PaymentEvent::Expired(_)
        | PaymentEvent::RefundAllotted(_)
        | PaymentEvent::RefundReturned(_) => {}
    }
}

impl Row {
    fn landed(&mut self, transaction: &ProviderId, received: Money, at: Timestamp) {
        self.transaction = Some(transaction.clone());
        self.amount = received.amount;
        self.currency = received.currency;
        self.state = Moved::Succeeded;
        self.at = at;
    }
}

fn give_back(rows: &mut Vec<Row>, entry: &Entry, event: &RefundEvent) {
    if let RefundEvent::Requested(asked) = event {
        rows.push(Row {
            object: Object::Refund,
            subject_id: entry.stream_id,
            nth: 0,
            method: asked.method,
            state: Moved::Open,
            amount: asked.amount.amount.saturating_neg(),
            currency: asked.amount.currency,
            at: asked.at,
            transaction: None,
            checkout: asked.provider_id.clone(),
            reference: None,
            // Some providers list what goes back under the reference of what had come.
            of_reference: Some(payment::reference(asked.payment_id.uuid(), 1)),
            client_id: asked.client_id.map(|client| client.uuid()),
        });
        return;
    }
    let Some(row) = rows.first_mut() else { return };
    match event {
        RefundEvent::Submitted(submitted) => {
            row.reference = Some(submitted.reference.clone());
            row.method = submitted.method.unwrap_or(row.method);
            row.state = Moved::Open;
            row.at = submitted.at;
        }
        RefundEvent::Pending(pending) => row.transaction = Some(pending.provider_id.clone()),
        // What is handed out or credited no provider lists.
        RefundEvent::Succeeded(paid) if matches!(paid.route, Route::WholeTransaction | Route::Payout) => {
            row.method = paid.method.unwrap_or(row.method);
            row.transaction = paid.provider_id.clone().or(row.transaction.take());
            row.state = Moved::Succeeded;
            row.at = paid.at;
        }
        RefundEvent::Failed(_) => row.state = Moved::Failed,
        RefundEvent::Reversed(_) => row.state = Moved::Reversed,
        RefundEvent::Succeeded(_) => row.state = Moved::Open,
        RefundEvent::Requested(_)
        | RefundEvent::Approved(_)
        | RefundEvent::Declined(_)
        | RefundEvent::BecameUnknown(_)
        | RefundEvent::OutcomeStated(_) => {}
    }
}

/// What goes to a site by a bank, or by hand, has no row.
fn pay_out(rows: &mut Vec<Row>, entry: &Entry, event: &PayoutEvent) {
    if let PayoutEvent::Prepared(prepared) = event {
        if prepared.method.has_provider() {
            rows.push(Row {
                object: Object::Payout,
                subject_id: entry.stream_id,
                nth: 0,
                method: prepared.method,
                state: Moved::Open,
                amount: prepared.amount.amount.saturating_neg(),
                currency: prepared.amount.currency,
                at: prepared.at,
                transaction: None,
                checkout: None,
                reference: None,
                of_reference: None,
                client_id: None,
            });
        }
        return;
    }
    let Some(row) = rows.first_mut() else { return };
    match event {
        PayoutEvent::Submitted(submitted) => {
            row.reference = Some(submitted.reference.clone());
            row.method = submitted.method;
            row.at = submitted.at;
        }
        PayoutEvent::Pending(pending) => row.transaction = Some(pending.provider_id.clone()),
        PayoutEvent::Succeeded(paid) => {
            row.transaction = paid.provider_id.clone().or(row.transaction.take());
            row.state = Moved::Succeeded;
            row.at = paid.at;
        }
        PayoutEvent::Failed(_) => row.state = Moved::Failed,
        PayoutEvent::Reversed(_) => row.state = Moved::Reversed,
        PayoutEvent::PaidByHand(_) => row.state = Moved::Open,
        PayoutEvent::Prepared(_)
        | PayoutEvent::Agreed(_)
        | PayoutEvent::Approved(_)
        | PayoutEvent::Rejected(_)
        | PayoutEvent::BecameUnknown(_) => {}
    }
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Vec<Row>>, sqlx::Error> {
    let mut all: BTreeMap<Uuid, Vec<Row>> = BTreeMap::new();
    if ids.is_empty() {
        return Ok(all);
    }
    let rows = sqlx::query_scalar!(
        r#"SELECT to_jsonb(m) AS "row!: Json<Row>" FROM movements AS m WHERE subject_id = ANY ($1)
           ORDER BY subject_id, nth"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    for Json(row) in rows {
        all.entry(row.subject_id).or_default().push(row);
    }
    Ok(all)
}

/// Our side of a statement.
#[derive(Clone, Debug)]
pub struct Sides {
    pub movements: Vec<Movement>,
    /// What statements of other days list of them.
    pub elsewhere: BTreeMap<Subject, Elsewhere>,
    /// Up to which event all of it counts.
    pub as_of: Position,
}

/// All movements of a day by these methods, those of the days around it, and those that the lines name, whenever they
/// were. One snapshot: read at one position.
///
/// # Errors
/// Whatever the database says.
pub async fn sides(pool: &PgPool, day: NaiveDate, methods: &[Method], lines: &[Line]) -> Result<Sides, sqlx::Error> {
    let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let as_of = sqlx::query_scalar!("SELECT position FROM checkpoints WHERE name = 'reconciliation'")
        .fetch_optional(&mut *tx)
        .await?
        .unwrap_or_default();
    let methods: Vec<String> = methods.iter().map(|method| method.as_str().to_owned()).collect();
    let from = reconciliation::begin(day.pred_opt().unwrap_or(day));
    let to = reconciliation::end(day.succ_opt().unwrap_or(day));
    let text = |id: &ProviderId| id.as_str().to_owned();
    let transactions: Vec<String> = lines.iter().map(|line| text(&line.listing.transaction)).collect();
    let checkouts: Vec<String> = lines.iter().filter_map(|line| line.checkout.as_ref().map(text)).collect();
    let references = lines.iter().filter_map(|line| line.listing.reference.as_ref());
    let references: Vec<String> = references.map(|reference| reference.as_str().to_owned()).collect();
    // By several ways at once, each with its index.
    let rows = sqlx::query!(
        r#"SELECT to_jsonb(m) AS "row!: Json<Row>", c.phone_hash AS "number?"
           FROM (SELECT * FROM movements WHERE method = ANY ($1) AND at >= $2 AND at < $3
                 UNION SELECT * FROM movements WHERE transaction = ANY ($4)
                 UNION SELECT * FROM movements WHERE checkout = ANY ($5)
                 UNION SELECT * FROM movements WHERE reference = ANY ($6)) AS m
           LEFT JOIN clients AS c ON c.client_id = m.client_id
           ORDER BY m.subject_id, m.nth"#,
        &methods,
        from,
        to,
        &transactions,
        &checkouts,
        &references
    )
    .fetch_all(&mut *tx)
    .await?;
    let movements: Vec<Movement> =
        rows.into_iter().map(|found| movement(found.row.0, found.number.map(PhoneHash))).collect();
    let subjects: BTreeSet<Uuid> = movements.iter().map(|movement| movement.subject.id).collect();
    let elsewhere = pairs::elsewhere(&mut tx, day, &subjects.into_iter().collect::<Vec<_>>()).await?;
    tx.commit().await?;
    Ok(Sides { movements, elsewhere, as_of })
}

fn movement(row: Row, number: Option<PhoneHash>) -> Movement {
    Movement {
        subject: Subject { object: row.object, id: row.subject_id, nth: u16::try_from(row.nth).unwrap_or_default() },
        method: row.method,
        ids: row.transaction.into_iter().chain(row.checkout).collect(),
        references: row.reference.into_iter().chain(row.of_reference).collect(),
        amount: Money::new(row.amount, row.currency),
        state: row.state,
        at: row.at,
        number,
    }
}
