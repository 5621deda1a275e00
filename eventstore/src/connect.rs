//! Connections to Postgres, with the settings on which the guarantees rest pinned per session.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// What every session has: an acknowledgement is a commit that is on disk (reliability.md R1), and a peer that vanished
/// is noticed.
const EVERYWHERE: [(&str, &str); 6] = [
    ("synchronous_commit", "on"),
    ("timezone", "UTC"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "1"),
    ("tcp_keepalives_count", "3"),
    ("client_connection_check_interval", "1s"),
];

/// The lane holds the lock of all writers: a paused process loses it within a second. Waiting for the lock must outlast
/// that.
const LANE: [(&str, &str); 4] = [
    ("lock_timeout", "3s"),
    ("statement_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "1s"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// The views are named without their schema: a shadow of them is filled and asked by the same statements under another
/// path (`projections::engine`).
const POOL: [(&str, &str); 4] = [
    ("lock_timeout", "1s"),
    ("statement_timeout", "3s"),
    ("idle_in_transaction_session_timeout", "5s"),
    ("search_path", "read,public"),
];

fn options(database_url: &str, name: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options = PgConnectOptions::from_str(database_url)?.application_name(name).options(EVERYWHERE);
    // Every statement as a log line would cost more than some of them.
    Ok(options.disable_statement_logging())
}

/// How the lane connects.
pub(crate) fn lane(database_url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    Ok(options(database_url, "kalel lane")?.options(LANE))
}

/// How long a connection may have been idle and still be used without asking whether it lives: a server that went away
/// is away for longer.
const FRESH: Duration = Duration::from_secs(1);

/// The pool for everything else. It opens connections as they are needed, or, `kept`, all of them by itself, and never
/// closes one: under load it takes long to open one, and whoever waits is refused.
pub(crate) async fn pool(
    database_url: &str,
    connections: u32,
    acquire: Duration,
    kept: bool,
) -> Result<PgPool, sqlx::Error> {
    let mut pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(acquire)
        // A round trip before each statement would be as long as most statements are.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > FRESH {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
    if kept {
        pool = pool.min_connections(connections).idle_timeout(None).max_lifetime(None);
    }
    let pool = pool.connect_lazy_with(options(database_url, "kalel")?.options(POOL));
    // Whether it is there.
    pool.acquire().await?;
    if kept {
        let until = tokio::time::Instant::now() + FILLING;
        while pool.num_idle() < connections as usize && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    Ok(pool)
}

/// How long the first connections may take; what is missing is opened when it is needed.
const FILLING: Duration = Duration::from_secs(10);
