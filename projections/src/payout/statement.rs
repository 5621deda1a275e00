//! What a payout is made of: the reservations whose money became the site's in its period, by the ledger.

use domain::{
    Timestamp,
    ids::{ReservationId, SiteId},
    ledger::Account,
    money::{Currency, Money},
};
use sqlx::PgPool;

use crate::Position;

/// A reservation in the period, or a movement that is of none: an earlier payout, or one that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    pub reservation_id: Option<ReservationId>,
    /// When it is played; none for a movement.
    pub starts_at: Option<Timestamp>,
    /// What is said at the gate.
    pub code: Option<String>,
    /// The event that moved it last.
    pub event: String,
    pub at: Timestamp,
    /// Received for it less paid back, in all, by the end of the period.
    pub received: Money,
    /// Of it, kept in the period; less than nothing when more went back.
    pub kept: Money,
    pub commission: Money,
    /// The site's: kept less the commission. For a movement, what it did to the account.
    pub net: Money,
}

/// From what was owed before to what was owed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub opening: Money,
    pub rows: Vec<Played>,
    /// Opening and every net.
    pub closing: Money,
}

/// The postings on a site's `payable` after a position and up to another one, by reservation, in the order in which each was
/// moved first.
///
/// # Errors
/// Whatever the database says.
pub async fn statement(
    pool: &PgPool,
    site: SiteId,
    currency: Currency,
    (after, up_to): (Position, Position),
) -> Result<Statement, sqlx::Error> {
    let account = Account::SitePayable(site).to_string();
    let opening = sqlx::query_scalar!(
        r#"SELECT coalesce(-sum(amount), 0)::bigint AS "owed!" FROM ledger_entries
           WHERE account = $1 AND position <= $2 AND currency = $3"#,
        account,
        after,
        currency.code()
    )
    .fetch_one(pool)
    .await?;
    // Money of the platform's own: what came for a reservation less what went back, up to the end.
    let rows = sqlx::query!(
        r#"WITH moved AS (
               SELECT coalesce(reservation_id::text, position::text) AS key, reservation_id, position, event, at, amount
               FROM ledger_entries
               WHERE account = $1 AND currency = $4 AND position > $2 AND position <= $3),
           each AS (
               SELECT key, (array_agg(reservation_id))[1] AS reservation_id, min(position) AS first,
                      (array_agg(event ORDER BY position DESC))[1] AS event, max(at) AS at,
                      -sum(amount)::bigint AS net, array_agg(position) AS positions
               FROM moved GROUP BY key)
           SELECT e.reservation_id, e.event AS "event!", e.at AS "at!", e.net AS "net!",
                  r.starts_at AS "starts_at?", r.code AS "code?",
                  coalesce((SELECT -sum(amount) FROM ledger_entries
                            WHERE account = 'platform:commission' AND position = ANY (e.positions)), 0)::bigint
                      AS "commission!",
                  coalesce((SELECT sum(amount) FROM ledger_entries
                            WHERE reservation_id = e.reservation_id AND position <= $3
                              AND (account LIKE 'provider:%:clearing' OR account LIKE 'cash:%:main'
                                   OR account LIKE 'transfer:%:clearing')), 0)::bigint AS "received!"
           FROM each AS e LEFT JOIN reservations AS r ON r.reservation_id = e.reservation_id
           ORDER BY e.first"#,
        account,
        after,
        up_to,
        currency.code()
    )
    .fetch_all(pool)
    .await?;
    let money = |amount| Money::new(amount, currency);
    let rows: Vec<Played> = rows
        .into_iter()
        .map(|row| Played {
            reservation_id: row.reservation_id.map(Into::into),
            starts_at: row.starts_at,
            code: row.code,
            event: row.event,
            at: row.at,
            received: money(row.received),
            kept: money(if row.reservation_id.is_some() { row.net + row.commission } else { 0 }),
            commission: money(if row.reservation_id.is_some() { row.commission } else { 0 }),
            net: money(row.net),
        })
        .collect();
    let closing = opening + rows.iter().map(|row| row.net.amount).sum::<i64>();
    Ok(Statement { opening: money(opening), rows, closing: money(closing) })
}
