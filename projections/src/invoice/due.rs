//! What a site owes in commission, and what of it was asked for: what an invoice is decided on.

use domain::{
    ids::SiteId,
    invoice::Due,
    ledger::Account,
    money::{Currency, Money},
};
use sqlx::PgPool;

use crate::Position;

/// Commission of a site up to a position, and what its invoices ask for. `None` when the ledger has not come there.
///
/// # Errors
/// Whatever the database says.
pub async fn due(pool: &PgPool, site: SiteId, currency: Currency, up_to: Position) -> Result<Option<Due>, sqlx::Error> {
    // What is paid on an account of a site is of no reservation, and takes nothing off what was earned.
    let row = sqlx::query!(
        r#"SELECT least(l.position, i.position) AS "read_at!", l.position AS ledger_at,
                  coalesce((SELECT sum(amount) FROM ledger_entries
                            WHERE account = $1 AND currency = $2 AND position <= $3 AND reservation_id IS NOT NULL),
                           0)::bigint AS "commission!",
                  coalesce((SELECT sum(amount) FROM invoices WHERE site_id = $4 AND status <> 'cancelled'),
                           0)::bigint AS "invoiced!"
           FROM checkpoints AS l, checkpoints AS i WHERE l.name = 'ledger' AND i.name = 'invoice'"#,
        Account::CommissionDue(site).to_string(),
        currency.code(),
        up_to,
        site.uuid()
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.filter(|row| row.ledger_at >= up_to).map(|row| Due {
        up_to_position: up_to,
        commission: Money::new(row.commission, currency),
        invoiced: Money::new(row.invoiced, currency),
        read_at: row.read_at,
    }))
}
