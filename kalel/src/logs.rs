//! What a process tells about itself: lines for a person on a terminal, JSON otherwise.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Begins logging to standard output, at the level that `KALEL_LOG` says (`info`, or `info,workers=debug`).
///
/// # Errors
/// One line, when `KALEL_LOG` cannot be read.
pub fn begin() -> Result<(), String> {
    let wanted = std::env::var("KALEL_LOG").unwrap_or_else(|_| "info".into());
    let filter = Targets::from_str(&wanted).map_err(|error| format!("KALEL_LOG: {error}"))?;
    // Every statement and every reconnection attempt is more than anybody reads.
    let quiet = [("sqlx", tracing::Level::WARN), ("async_nats", tracing::Level::WARN)];
    let named: Vec<String> = filter.iter().map(|(target, _)| target.to_owned()).collect();
    let missing = quiet.into_iter().filter(|(target, _)| !named.iter().any(|name| name == target));
    let filter = missing.fold(filter, |filter, (target, level)| filter.with_target(target, level));
    let registry = tracing_subscriber::registry();
    // A second call (tests) changes nothing.
    let _ = if std::io::stdout().is_terminal() {
        registry.with(fmt::layer().with_target(true).with_filter(filter)).try_init()
    } else {
        registry.with(fmt::layer().json().flatten_event(true).with_filter(filter)).try_init()
    };
    Ok(())
}

/// Warnings and errors to standard error: for servers whose standard output says something else.
pub fn warnings() {
    let lines = fmt::layer().with_writer(std::io::stderr).with_filter(tracing::level_filters::LevelFilter::WARN);
    let _ = tracing_subscriber::registry().with(lines).try_init();
}
