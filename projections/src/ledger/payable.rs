//! What is owed to a site at a position, and the postings behind it: what a payout is decided on.
//!
//! Postings are a pure function of the log, are added and never changed, and those of an event are written with the position
//! of the projector. So what is read up to a position that it has reached is what the log says of that position.

use domain::{
    ids::SiteId,
    ledger::Account,
    money::{Currency, Money},
    payout::Payable,
    text::Text,
};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::Position;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `payable` of a site at `up_to` and now, with the postings after `after`. `None` when the ledger has not come to `up_to`.
///
/// # Errors
/// Whatever the database says.
pub async fn payable(
    pool: &PgPool,
    site: SiteId,
    currency: Currency,
    after: Position,
    up_to: Position,
) -> Result<Option<Payable>, sqlx::Error> {
    let account = Account::SitePayable(site).to_string();
    let purses = [Account::Cash(site).to_string(), Account::Transfer(site).to_string()];
    // One view of the database: the sums are those of the position that is told with them.
    let mut tx = pool.begin().await?;
    sqlx::query!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *tx).await?;
    let sums = sqlx::query!(
        r#"SELECT c.position AS read_at, coalesce(-sum(e.amount), 0)::bigint AS "owed_now!",
                  coalesce(-sum(e.amount) FILTER (WHERE e.position <= $3), 0)::bigint AS "owed!"
           FROM checkpoints AS c LEFT JOIN ledger_entries AS e ON e.account = $1 AND e.currency = $2
           WHERE c.name = 'ledger' GROUP BY c.position"#,
        account,
        currency.code(),
        up_to
    )
    .fetch_optional(&mut *tx)
    .await?;
    let at_site = sqlx::query_scalar!(
        r#"SELECT greatest(coalesce(sum(amount), 0), 0)::bigint AS "amount!" FROM ledger_entries
           WHERE account = ANY ($1) AND currency = $2"#,
        &purses[..],
        currency.code()
    )
    .fetch_one(&mut *tx)
    .await?;
    let lines = sqlx::query!(
        "SELECT position, number, amount FROM ledger_entries
         WHERE account = $1 AND currency = $2 AND position > $3 AND position <= $4 ORDER BY position, number",
        account,
        currency.code(),
        after,
        up_to
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let Some(sums) = sums.filter(|sums| sums.read_at >= up_to) else { return Ok(None) };
    let mut digest = Sha256::new();
    for line in &lines {
        digest.update(format!("{} {} {}\n", line.position, line.number, line.amount));
    }
    Ok(Some(Payable {
        up_to_position: up_to,
        owed: Money::new(sums.owed, currency),
        read_at: sums.read_at,
        owed_now: Money::new(sums.owed_now, currency),
        at_site: Money::new(at_site, currency),
        lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
        digest: Text::kept_of(&hex(&digest.finalize())),
    }))
}
