//! `read.movements`: what providers moved for us, by day and by name.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    event::Event,
    ids::ReservationId,
    money::{Currency, Money},
    payment::{self, Event as PaymentEvent, Method, ProviderId, Reference},
    payout::Event as PayoutEvent,
    phone::PhoneHash,
    reconciliation::{self, Elsewhere, Line, Moved, Movement, Object, Scope, Subject},
    refund::{self, Event as RefundEvent, Route},
    text::Slug,
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

use super::{accounts, pairs};
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
    /// The platform's when there is none.
    merchant_account: Option<Slug>,
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let is_one = |event: &Event| matches!(event, Event::Payment(_) | Event::Refund(_) | Event::Payout(_));
    let moves = || entries.iter().filter(|entry| is_one(&entry.event));
    let mut rows = load(connection, &Entry::with_a_past(moves())).await?;
    let accounts = accounts::of_batch(connection, entries).await?;
    let account = |id: ReservationId| accounts.get(&id.uuid()).cloned();
    for (number, entry) in moves().enumerate() {
        breathe(number).await;
        let of = rows.entry(entry.stream_id).or_default();
        match &entry.event {
            Event::Payment(PaymentEvent::Requested(asked)) => {
                of.extend(asked_for(asked, account(asked.reservation_id)))
            }
            Event::Payment(event) => pay(of, event),
            Event::Refund(RefundEvent::Requested(asked)) => of.push(goes_back(asked, account(asked.reservation_id))),
            Event::Refund(event) => give_back(of, event),
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
             at timestamptz, transaction text, checkout text, reference text, of_reference text, client_id uuid,
             merchant_account text)
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
fn asked_for(asked: &payment::Requested, merchant_account: Option<Slug>) -> Option<Row> {
    asked.method.has_provider().then(|| Row {
        object: Object::Payment,
        subject_id: asked.payment_id.uuid(),
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
        merchant_account,
    })
}

fn pay(rows: &mut Vec<Row>, event: &PaymentEvent) {
    let nth = i16::try_from(rows.len()).unwrap_or(i16::MAX);
    let Some(first) = rows.first_mut() else { return };
    match event {
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

/// It goes back by the account that it came to, whatever the way.
fn goes_back(asked: &refund::Requested, merchant_account: Option<Slug>) -> Row {
    Row {
        object: Object::Refund,
        subject_id: asked.refund_id.uuid(),
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
        merchant_account,
    }
}

fn give_back(rows: &mut [Row], event: &RefundEvent) {
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
                // The platform pays.
                merchant_account: None,
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

/// All movements of a day on an account, those of the days around it, and those on it that the lines name, whenever they
/// were. One snapshot: read at one position.
///
/// # Errors
/// Whatever the database says.
pub async fn sides(pool: &PgPool, scope: &Scope, lines: &[Line]) -> Result<Sides, sqlx::Error> {
    let day = scope.day;
    let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let as_of = sqlx::query_scalar!("SELECT position FROM checkpoints WHERE name = 'reconciliation'")
        .fetch_optional(&mut *tx)
        .await?
        .unwrap_or_default();
    let methods: Vec<String> = scope.provider.methods().iter().map(|method| method.as_str().to_owned()).collect();
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
           WHERE m.merchant_account IS NOT DISTINCT FROM $7
           ORDER BY m.subject_id, m.nth"#,
        &methods,
        from,
        to,
        &transactions,
        &checkouts,
        &references,
        scope.merchant_account().map(Slug::as_str)
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
        account: row.merchant_account,
        ids: row.transaction.into_iter().chain(row.checkout).collect(),
        references: row.reference.into_iter().chain(row.of_reference).collect(),
        amount: Money::new(row.amount, row.currency),
        state: row.state,
        at: row.at,
        number,
    }
}
