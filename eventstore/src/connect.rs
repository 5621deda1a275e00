//! Connections to Postgres, with the settings on which the guarantees rest pinned per session.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions as _, PgPool,
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

/// The pool for everything else.
pub(crate) async fn pool(database_url: &str, connections: u32, acquire: Duration) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(acquire)
        .connect_with(options(database_url, "kalel")?.options(POOL))
        .await
}
