//! Who holds a role of which there is one at a time: the relay, the owner of a projector.
//!
//! Times are the database's: a lease measures how long a process may hang, which no test clock shortens.

use std::time::Duration;

use sqlx::PgPool;

/// Holds one name, as long as it is kept up.
#[derive(Clone, Debug)]
pub struct Lease {
    pool: PgPool,
    name: String,
    holder: String,
    length: Duration,
}

impl Lease {
    /// `holder` differs between any two who might want the same name.
    pub fn new(pool: PgPool, name: impl Into<String>, holder: impl Into<String>, length: Duration) -> Self {
        Self { pool, name: name.into(), holder: holder.into(), length }
    }

    /// Takes it, or keeps it up. `None` while somebody else has it; otherwise a token that grew if it changed hands.
    ///
    /// # Errors
    /// The database's.
    pub async fn hold(&self) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar!(
            "INSERT INTO work.leases AS lease (name, holder, token, until)
             VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 millisecond')
             ON CONFLICT (name) DO UPDATE SET
                 token = lease.token + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END,
                 holder = excluded.holder, until = excluded.until
             WHERE lease.holder = excluded.holder OR lease.until <= clock_timestamp()
             RETURNING token",
            self.name,
            self.holder,
            self.length.as_secs_f64() * 1_000.0
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Takes it whoever has it: for an operator. The former holder learns it when it next keeps it up, so what it does
    /// must be fenced in another way, too.
    ///
    /// # Errors
    /// The database's.
    pub async fn seize(&self) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "INSERT INTO work.leases AS lease (name, holder, token, until)
             VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 millisecond')
             ON CONFLICT (name) DO UPDATE SET
                 token = lease.token + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END,
                 holder = excluded.holder, until = excluded.until",
            self.name,
            self.holder,
            self.length.as_secs_f64() * 1_000.0
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Gives it back, so that nobody has to wait for its end.
    ///
    /// # Errors
    /// The database's.
    pub async fn give_back(&self) -> Result<(), sqlx::Error> {
        sqlx::query!("DELETE FROM work.leases WHERE name = $1 AND holder = $2", self.name, self.holder)
            .execute(&self.pool)
            .await
            .map(drop)
    }
}
