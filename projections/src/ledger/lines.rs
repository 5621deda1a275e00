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
    engine::{ApplyError, Applying, Changes, Entry, copy_in},
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
    /// Whose money it is, when it is a reservation's.
    pub reservation_id: Option<ReservationId>,
    /// Such as `deposits:unearned`.
    pub account: String,
    /// Positive is a debit.
    pub amount: Money,
    pub at: Timestamp,
}

/// The postings of a batch.
#[derive(Default)]
pub(super) struct Lines(Vec<Line>);

impl Lines {
    pub(super) fn add(&mut self, entry: &Entry, reservation_id: Option<ReservationId>, made: &ledger::Entry) {
        self.0.extend((0..).zip(made.postings()).map(|(number, posting)| Line {
            position: entry.position,
            number,
            event: entry.event.name().to_owned(),
            reservation_id,
            account: posting.account.to_string(),
            amount: posting.amount,
            at: entry.recorded_at,
        }));
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Writes a batch of live rows.
    pub(super) async fn insert(&self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let column = |of: fn(&Line) -> &str| -> Vec<String> { self.0.iter().map(|line| of(line).to_owned()).collect() };
        sqlx::query!(
            "INSERT INTO ledger_entries (position, number, event, reservation_id, account, amount, currency, at)
             SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::uuid[], $5::text[], $6::bigint[],
                                  $7::text[], $8::timestamptz[])",
            &self.0.iter().map(|line| line.position).collect::<Vec<_>>(),
            &self.0.iter().map(|line| line.number).collect::<Vec<_>>(),
            &column(|line| &line.event),
            &self.0.iter().map(|line| line.reservation_id.map(ReservationId::uuid)).collect::<Vec<_>>()
                as &[Option<Uuid>],
            &column(|line| &line.account),
            &self.0.iter().map(|line| line.amount.amount).collect::<Vec<_>>(),
            &column(|line| line.amount.currency.code()),
            &self.0.iter().map(|line| line.at).collect::<Vec<_>>(),
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

impl Changes for Lines {
    fn write<'a>(&'a self, connection: &'a mut PgConnection) -> Applying<'a> {
        const COPY: &str = "COPY ledger_entries (position, number, event, reservation_id, account, amount, currency, at) \
            FROM STDIN (FORMAT binary)";
        Box::pin(copy_in(connection, COPY, self.0.iter(), |line, tuples| {
            tuples.row(8);
            tuples.bigint(line.position);
            tuples.smallint(line.number);
            tuples.text(&line.event);
            tuples.maybe_uuid(line.reservation_id.map(ReservationId::uuid));
            tuples.text(&line.account);
            tuples.bigint(line.amount.amount);
            tuples.text(line.amount.currency.code());
            tuples.time(line.at);
            Ok(())
        }))
    }
}

/// The table only holds currencies that there are.
pub(super) fn currency(code: &str) -> Result<Currency, sqlx::Error> {
    Currency::ALL
        .into_iter()
        .find(|known| known.code() == code)
        .ok_or_else(|| sqlx::Error::Decode(format!("{code} is not a currency").into()))
}
