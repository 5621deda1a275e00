//! Postings by reservation and account, and what is on each account at a position.

use domain::{
    ids::ReservationId,
    ledger::Account,
    money::{Currency, Money},
};
use serde::Serialize;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::lines::{Line, currency};
use crate::{
    Position,
    page::{Cursor, ListError, Page, cut, hash_of, with_one_more},
};

/// Which postings. Everything that is set must hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub reservation_id: Option<ReservationId>,
    pub account: Option<Account>,
    /// Up to this position.
    pub until: Option<Position>,
}

#[derive(Serialize)]
struct Asked {
    reservation: Option<ReservationId>,
    account: Option<String>,
    until: Option<Position>,
}

#[derive(FromRow)]
struct Row {
    as_of: Position,
    position: Option<Position>,
    number: Option<i16>,
    event: Option<String>,
    reservation_id: Option<Uuid>,
    account: Option<String>,
    amount: Option<i64>,
    currency: Option<String>,
    at: Option<domain::Timestamp>,
}

impl Row {
    fn line(self) -> Result<Option<Line>, sqlx::Error> {
        let Some(code) = self.currency else { return Ok(None) };
        let currency = currency(&code)?;
        let line = || {
            Some(Line {
                position: self.position?,
                number: self.number?,
                event: self.event?,
                reservation_id: self.reservation_id.map(Into::into),
                account: self.account?,
                amount: Money::new(self.amount?, currency),
                at: self.at?,
            })
        };
        Ok(line())
    }
}

/// One page of postings, in the order in which they were made.
///
/// # Errors
/// [`ListError`] for a cursor of other filters, a limit outside 1–100, or whatever the database says.
pub async fn list(pool: &PgPool, filter: &Filter, cursor: Option<&str>, limit: u32) -> Result<Page<Line>, ListError> {
    let account = filter.account.map(|account| account.to_string());
    let asked = Asked { reservation: filter.reservation_id, account: account.clone(), until: filter.until };
    let hash = hash_of("ledger entries", &asked)?;
    let after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?;
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT c.position AS as_of, e.position, e.number, e.event, e.reservation_id, e.account, e.amount, e.currency, \
                e.at \
         FROM checkpoints AS c LEFT JOIN LATERAL (SELECT * FROM ledger_entries WHERE true",
    );
    if let Some(id) = filter.reservation_id {
        query.push(" AND reservation_id = ").push_bind(id.uuid());
    }
    if let Some(account) = account {
        query.push(" AND account = ").push_bind(account);
    }
    if let Some(until) = filter.until {
        query.push(" AND position <= ").push_bind(until);
    }
    if let Some(after) = after {
        query.push(" AND (position, number) > (").push_bind(after.key);
        query.push(", ").push_bind(i16::try_from(after.id.as_u128()).map_err(|_| ListError::Cursor)?).push(")");
    }
    query.push(" ORDER BY position, number LIMIT ").push_bind(with_one_more(limit)?);
    query.push(") AS e ON true WHERE c.name = 'ledger' ORDER BY e.position, e.number");
    let rows: Vec<Row> = query.build_query_as().fetch_all(pool).await?;
    let as_of = rows.first().map_or(0, |row| row.as_of);
    let lines = rows.into_iter().filter_map(|row| row.line().transpose()).collect::<Result<Vec<_>, _>>()?;
    let (items, next) = cut(lines, limit, |line| Cursor {
        key: line.position,
        id: Uuid::from_u128(u128::try_from(line.number).unwrap_or_default()),
        filters: hash,
    });
    Ok(Page { as_of, items, next })
}

/// What is on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub account: String,
    /// All that came, or that debts became smaller by.
    pub debit: Money,
    /// All that left, or is owed.
    pub credit: Money,
}

impl Balance {
    /// Debit less credit: positive is money, negative a debt.
    pub const fn balance(&self) -> Money {
        Money::new(self.debit.amount - self.credit.amount, self.debit.currency)
    }

    pub const fn currency(&self) -> Currency {
        self.debit.currency
    }
}

/// Every account (or each of `only`), by name, with what is on it at a position; the position the entries were read at.
///
/// # Errors
/// Whatever the database says.
pub async fn trial_balance(
    pool: &PgPool,
    until: Option<Position>,
    only: Option<&[Account]>,
) -> Result<(Position, Vec<Balance>), sqlx::Error> {
    let only: Option<Vec<String>> = only.map(|only| only.iter().map(ToString::to_string).collect());
    let rows = sqlx::query!(
        r#"SELECT c.position AS "as_of!", b.account AS "account?", b.currency AS "currency?", b.debit AS "debit?",
                  b.credit AS "credit?"
           FROM checkpoints AS c
           LEFT JOIN LATERAL (
               SELECT account, currency, coalesce(sum(amount) FILTER (WHERE amount > 0), 0)::bigint AS debit,
                      coalesce(-sum(amount) FILTER (WHERE amount < 0), 0)::bigint AS credit
               FROM ledger_entries
               WHERE position <= coalesce($1, c.position) AND ($2::text[] IS NULL OR account = ANY ($2))
               GROUP BY account, currency) AS b ON true
           WHERE c.name = 'ledger' ORDER BY b.account, b.currency"#,
        until,
        only.as_deref()
    )
    .fetch_all(pool)
    .await?;
    let as_of = rows.first().map_or(0, |row| row.as_of);
    let mut balances = Vec::with_capacity(rows.len());
    for row in rows {
        let (Some(account), Some(code), Some(debit), Some(credit)) = (row.account, row.currency, row.debit, row.credit)
        else {
            continue;
        };
        let currency = currency(&code)?;
        balances.push(Balance { account, debit: Money::new(debit, currency), credit: Money::new(credit, currency) });
    }
    Ok((until.map_or(as_of, |until| until.min(as_of)), balances))
}
