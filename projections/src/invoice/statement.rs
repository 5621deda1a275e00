//! What an invoice is made of: the reservations whose commission was entered in its period, by the ledger.

use domain::{
    Timestamp,
    ids::{ReservationId, SiteId},
    ledger::Account,
    money::{Currency, Money},
};
use sqlx::PgPool;

use crate::Position;

/// Commission on a reservation that was entered in the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earned {
    pub reservation_id: ReservationId,
    pub starts_at: Option<Timestamp>,
    /// What is said at the gate.
    pub code: Option<String>,
    /// The event that moved it last.
    pub event: String,
    pub at: Timestamp,
    /// Less than nothing when money of an earlier period went back.
    pub commission: Money,
}

/// Commission of a site: entered before the period, and in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub before: Money,
    pub rows: Vec<Earned>,
}

/// The postings of reservations on a site's `commission_due` after a position and up to another one, by reservation, in the
/// order in which each was moved first.
///
/// # Errors
/// Whatever the database says.
pub async fn statement(
    pool: &PgPool,
    site: SiteId,
    currency: Currency,
    (after, up_to): (Position, Position),
) -> Result<Statement, sqlx::Error> {
    let account = Account::CommissionDue(site).to_string();
    let before = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(amount), 0)::bigint AS "before!" FROM ledger_entries
           WHERE account = $1 AND position <= $2 AND currency = $3 AND reservation_id IS NOT NULL"#,
        account,
        after,
        currency.code()
    )
    .fetch_one(pool)
    .await?;
    let rows = sqlx::query!(
        r#"WITH each AS (
               SELECT reservation_id, min(position) AS first,
                      (array_agg(event ORDER BY position DESC))[1] AS event, max(at) AS at,
                      sum(amount)::bigint AS commission
               FROM ledger_entries
               WHERE account = $1 AND currency = $4 AND position > $2 AND position <= $3
                     AND reservation_id IS NOT NULL
               GROUP BY reservation_id)
           SELECT e.reservation_id AS "reservation_id!", e.event AS "event!", e.at AS "at!",
                  e.commission AS "commission!", r.starts_at AS "starts_at?", r.code AS "code?"
           FROM each AS e LEFT JOIN reservations AS r ON r.reservation_id = e.reservation_id
           ORDER BY e.first"#,
        account,
        after,
        up_to,
        currency.code()
    )
    .fetch_all(pool)
    .await?;
    let earned = rows.into_iter().map(|row| Earned {
        reservation_id: row.reservation_id.into(),
        starts_at: row.starts_at,
        code: row.code,
        event: row.event,
        at: row.at,
        commission: Money::new(row.commission, currency),
    });
    Ok(Statement { before: Money::new(before, currency), rows: earned.collect() })
}
