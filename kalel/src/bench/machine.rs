//! What a figure was measured on, and where it is written down.

use std::path::Path;

use sqlx::{Connection as _, PgConnection};

use super::append::Problem;

/// Processor, memory, Postgres and the settings that matter, in one line.
pub(super) async fn describe(database_url: &str) -> Result<String, Problem> {
    let mut connection = PgConnection::connect(database_url).await?;
    let (version, fsync, durable): (String, String, String) = sqlx::query_as(
        "SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')",
    )
    .fetch_one(&mut connection)
    .await?;
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.into());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory: u64 = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or(0, |kilobytes: u64| kilobytes / (1024 * 1024));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let build = if cfg!(debug_assertions) { "debug build" } else { "release build" };
    Ok(format!(
        "{cores} cores ({cpu}), {memory} GiB; PostgreSQL {version}, fsync {fsync}, synchronous_commit {durable}; \
         {build}; load average afterwards {load}."
    ))
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Replaces what stands between `<!-- NAME -->` and `<!-- /NAME -->`, or adds it at the end.
pub(super) fn replace_section(path: &Path, name: &str, text: &str) -> Result<(), Problem> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let section = format!("{open}\n{}\n{close}", text.trim_end());
    let before = std::fs::read_to_string(path).unwrap_or_else(|_| "# Benchmarks\n".into());
    let after = match (before.split_once(&open), before.split_once(&close)) {
        (Some((head, _)), Some((_, tail))) => format!("{head}{section}{tail}"),
        _ => format!("{}\n\n## {name}\n\n{section}\n", before.trim_end()),
    };
    Ok(std::fs::write(path, after)?)
}
