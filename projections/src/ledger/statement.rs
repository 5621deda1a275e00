//! The statement of an account: what was on it before, what happened, and what is on it then.

use domain::{Timestamp, ledger::Account, money::Money};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use super::lines::{Line, currency};
use crate::page::{Cursor, ListError, Page, cut, hash_of, with_one_more};

/// Which part of which account.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub account: Account,
    /// From this instant on; from the beginning when `None`.
    pub from: Option<Timestamp>,
    /// Before this instant; up to the last posting when `None`.
    pub to: Option<Timestamp>,
}

#[derive(Serialize)]
struct Filters {
    account: String,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// A posting, and what was on the account after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    pub line: Line,
    pub balance: Money,
}

/// A page of a statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub page: Page<Stated>,
    /// What was on the account before the first instant, in each currency; nothing is not said.
    pub opening: Vec<Money>,
    /// What was on it at the last one.
    pub closing: Vec<Money>,
}

/// The statement of an account, page by page in the order in which things happened.
///
/// # Errors
/// [`ListError`] for a cursor of another statement, a limit outside 1–100, or whatever the database says.
pub async fn statement(pool: &PgPool, asked: &Asked, cursor: Option<&str>, limit: u32) -> Result<Statement, ListError> {
    let filters = Filters { account: asked.account.to_string(), from: asked.from, to: asked.to };
    let hash = hash_of("ledger statement", &filters)?;
    let after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?;
    let number = after.map(|after| i16::try_from(after.id.as_u128()).map_err(|_| ListError::Cursor)).transpose()?;
    // One view of the database: what is told adds up.
    let mut tx = pool.begin().await?;
    sqlx::query!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *tx).await?;
    let sums = sqlx::query!(
        r#"SELECT c.position AS "as_of!", b.currency AS "currency?", b.opening AS "opening?", b.closing AS "closing?"
           FROM checkpoints AS c
           LEFT JOIN LATERAL (
               SELECT currency, sum(amount)::bigint AS closing,
                      coalesce(sum(amount) FILTER (WHERE at < $2::timestamptz), 0)::bigint AS opening
               FROM ledger_entries WHERE account = $1 AND ($3::timestamptz IS NULL OR at < $3) GROUP BY currency) AS b ON true
           WHERE c.name = 'ledger' ORDER BY b.currency"#,
        filters.account,
        asked.from,
        asked.to
    )
    .fetch_all(&mut *tx)
    .await?;
    let rows = sqlx::query!(
        r#"SELECT position, number, event, reservation_id, amount, currency, at, balance AS "balance!"
           FROM (
               SELECT *, sum(amount) OVER (PARTITION BY currency ORDER BY position, number)::bigint AS balance
               FROM ledger_entries WHERE account = $1 AND ($3::timestamptz IS NULL OR at < $3)) AS e
           WHERE ($2::timestamptz IS NULL OR at >= $2) AND ($4::bigint IS NULL OR (position, number) > ($4, $5))
           ORDER BY position, number LIMIT $6"#,
        filters.account,
        asked.from,
        asked.to,
        after.map(|after| after.key),
        number,
        with_one_more(limit)?
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let (mut opening, mut closing) = (Vec::new(), Vec::new());
    for row in &sums {
        let (Some(code), Some(before), Some(then)) = (&row.currency, row.opening, row.closing) else { continue };
        let currency = currency(code)?;
        opening.push(Money::new(before, currency));
        closing.push(Money::new(then, currency));
    }
    let mut stated = Vec::with_capacity(rows.len());
    for row in rows {
        let currency = currency(&row.currency)?;
        let line = Line {
            position: row.position,
            number: row.number,
            event: row.event,
            reservation_id: row.reservation_id.map(Into::into),
            account: filters.account.clone(),
            amount: Money::new(row.amount, currency),
            at: row.at,
        };
        stated.push(Stated { line, balance: Money::new(row.balance, currency) });
    }
    let (items, next) = cut(stated, limit, |one| Cursor {
        key: one.line.position,
        id: Uuid::from_u128(u128::try_from(one.line.number).unwrap_or_default()),
        filters: hash,
    });
    let as_of = sums.first().map_or(0, |row| row.as_of);
    Ok(Statement { page: Page { as_of, items, next }, opening, closing })
}
