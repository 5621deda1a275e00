//! `read.ledger_entries`: one row per posting. They are added and never changed.

use domain::{
    Timestamp,
    ids::ReservationId,
    ledger,
    money::{Currency, Money},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Applying, Changes, Entry},
};

/// One posting: an account, an amount, and the event that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of the event.
    pub position: Position,
    /// Among the postings of the event, from 0.
    pub number: i16,
    /// Name of the event, such as `payment.succeeded`.
    pub event: String,
    pub reservation_id: ReservationId,
    /// Such as `deposits:unearned`.
    pub account: String,
    /// Positive is a debit.
    pub amount: Money,
    pub at: Timestamp,
}

/// The postings of a batch, each column by itself.
#[derive(Default)]
pub(super) struct Lines {
    position: Vec<Position>,
    number: Vec<i16>,
    event: Vec<String>,
    reservation_id: Vec<Uuid>,
    account: Vec<String>,
    amount: Vec<i64>,
    currency: Vec<String>,
    at: Vec<Timestamp>,
}

impl Lines {
    pub(super) fn add(&mut self, entry: &Entry, reservation_id: Uuid, made: &ledger::Entry) {
        for (number, posting) in (0..).zip(made.postings()) {
            self.position.push(entry.position);
            self.number.push(number);
            self.event.push(entry.event.name().to_owned());
            self.reservation_id.push(reservation_id);
            self.account.push(posting.account.to_string());
            self.amount.push(posting.amount.amount);
            self.currency.push(posting.amount.currency.code().to_owned());
            self.at.push(entry.recorded_at);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.position.len()
    }
}

impl Changes for Lines {
    fn write<'a>(&'a self, connection: &'a mut PgConnection) -> Applying<'a> {
        Box::pin(insert(connection, self))
    }
}

async fn insert(connection: &mut PgConnection, lines: &Lines) -> Result<(), ApplyError> {
    if lines.count() == 0 {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO ledger_entries (position, number, event, reservation_id, account, amount, currency, at)
         SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::uuid[], $5::text[], $6::bigint[],
                              $7::text[], $8::timestamptz[])",
        &lines.position,
        &lines.number,
        &lines.event,
        &lines.reservation_id,
        &lines.account,
        &lines.amount,
        &lines.currency,
        &lines.at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The table only holds currencies that there are.
pub(super) fn currency(code: &str) -> Result<Currency, sqlx::Error> {
    Currency::ALL
        .into_iter()
        .find(|known| known.code() == code)
        .ok_or_else(|| sqlx::Error::Decode(format!("{code} is not a currency").into()))
}
