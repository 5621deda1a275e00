//! `kalel projections`: how far every projector is, what is set aside, and going on after a fix.

use std::{io::IsTerminal, path::PathBuf};

use clap::Subcommand;
use eventstore::Store;
use projections::{Projector, RunError, Runner, Status, shadow};
use serde_json::{Value, json};

use crate::{
    admin::Log,
    rebuild::{grouped, line, named},
};

/// `kalel projections`.
#[derive(Debug, clap::Args)]
pub struct Projections {
    #[command(subcommand)]
    what: Option<What>,
    /// As JSON.
    #[arg(long, global = true)]
    json: bool,
    // What `Log` asks for everywhere else, here before or after the subcommand.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    database_url: Option<String>,
    /// The configuration file; docs/configuration.md.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// After a fix: try the streams that were set aside again, and the event a projector stopped at.
    Resume {
        /// A projector, or `all`.
        name: String,
    },
    /// The streams a projector has set aside, and why.
    Parked {
        /// A projector, or `all`.
        name: String,
    },
}

/// Shows, or resumes.
///
/// # Errors
/// One line.
pub async fn run(projections: Projections) -> Result<(), String> {
    let database_url = projections.database_url.ok_or("DATABASE_URL says which database: set it, or --database-url")?;
    let config = projections.config.ok_or("--config FILE is missing: the configuration that `kalel serve` has")?;
    let chosen = match &projections.what {
        Some(What::Resume { name } | What::Parked { name }) => named(name)?,
        None => Vec::new(),
    };
    let store = Log { database_url, config }.open().await?;
    let outcome = match projections.what {
        None => show(&store, projections.json).await,
        Some(What::Parked { .. }) => parked(&store, &chosen, projections.json).await,
        Some(What::Resume { .. }) => resume(&store, &chosen).await,
    };
    store.close().await;
    outcome
}

async fn show(store: &Store, json: bool) -> Result<(), String> {
    let all = projections::progress(store).await.map_err(|error| line(&error))?;
    if json {
        let now = store.clock().now();
        println!("{}", Value::Array(all.iter().map(|status| as_json(status, now)).collect()));
        return Ok(());
    }
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let paint = |code: &str, text: String| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text };
    println!("{:<14}{:>8}{:>14}{:>12}{:>8}  owner", "projector", "version", "position", "lag", "parked");
    for status in &all {
        let numbers = format!(
            "{:<14}{:>8}{:>14}{:>12}{:>8}  {}",
            status.name,
            status.version,
            grouped(status.position),
            grouped(status.lag()),
            grouped(status.parked),
            status.owner
        );
        println!("{}", if status.parked > 0 { paint("33", numbers) } else { numbers });
        if let Some((position, why)) = &status.halted {
            println!("  {}", paint("31", format!("stopped at position {}: {why}", grouped(*position))));
        }
        if let Some(shadow) = &status.shadow {
            let (at, missing) = (grouped(shadow.position), grouped((status.position - shadow.position).max(0)));
            println!(
                "  being rebuilt: version {} at position {at}, {missing} behind, by {}",
                shadow.version, shadow.owner
            );
            if let Some((position, why)) = &shadow.halted {
                println!("  {}", paint("31", format!("the rebuild stopped at position {}: {why}", grouped(*position))));
            }
        }
    }
    Ok(())
}

fn as_json(status: &Status, now: domain::Timestamp) -> Value {
    let halted = status.halted.as_ref().map(|(position, why)| json!({ "position": position, "why": why }));
    json!({
        "name": status.name.trim_end_matches(":shadow"),
        "version": status.version,
        "owner": status.owner,
        "position": status.position,
        "head": status.head,
        "lag": status.lag(),
        "behind_seconds": status.behind(now).as_seconds_f64(),
        "parked": status.parked,
        "halted": halted,
        "shadow": status.shadow.as_ref().map(|shadow| as_json(shadow, now)),
    })
}

async fn parked(store: &Store, projectors: &[&'static Projector], json: bool) -> Result<(), String> {
    let mut listed = Vec::new();
    for projector in projectors {
        let parked = projections::parked(projector, store).await.map_err(|error| line(&error))?;
        if !json && parked.is_empty() {
            println!("{}: nothing is parked", projector.name);
        }
        for one in parked {
            if json {
                listed.push(json!({
                    "projector": projector.name, "stream_id": one.stream_id, "version": one.version,
                    "position": one.position, "why": one.why, "waiting": one.waiting,
                }));
            } else {
                println!(
                    "{}: stream {} since version {} at position {}, {} events waiting: {}",
                    projector.name,
                    one.stream_id,
                    one.version,
                    grouped(one.position),
                    one.waiting,
                    one.why
                );
            }
        }
    }
    if json {
        println!("{}", Value::Array(listed));
    }
    Ok(())
}

async fn resume(store: &Store, projectors: &[&'static Projector]) -> Result<(), String> {
    let mut stuck = Vec::new();
    for projector in projectors {
        let told = |error: RunError| format!("{}: {}", projector.name, line(&error));
        let versions = shadow::versions(projector, store).await.map_err(|error| line(&error))?;
        match versions.live {
            None => {
                println!("{}: never started, nothing to resume", projector.name);
                continue;
            }
            Some(found) if found != projector.version => {
                let (name, ours) = (projector.name, projector.version);
                stuck.push(format!(
                    "{name}: its rows are of version {found} and this program's is {ours}: use a program of that \
                     version, or `kalel rebuild {name} --swap`"
                ));
                continue;
            }
            Some(_) => {}
        }
        let resumed = projections::resume_parked(projector, store).await.map_err(told)?;
        let still = projections::parked(projector, store).await.map_err(|error| line(&error))?;
        println!("{}: {resumed} streams resumed, {} still parked", projector.name, still.len());
        for one in &still {
            println!("  stream {} at position {}: {}", one.stream_id, grouped(one.position), one.why);
        }
        match over_the_stop(store, projector).await.map_err(told)? {
            None => {}
            Some(Ok(position)) => println!("{}: goes on behind position {}", projector.name, grouped(position)),
            Some(Err(why)) => stuck.push(format!("{}: {why}", projector.name)),
        }
        if !still.is_empty() {
            stuck.push(format!("{}: {} streams are still parked", projector.name, still.len()));
        }
    }
    if stuck.is_empty() { Ok(()) } else { Err(stuck.join("; ")) }
}

/// Tries the event a projector stopped at. It is taken over for that moment; its owner notices and takes it back.
/// `None` when it had not stopped.
async fn over_the_stop(store: &Store, projector: &'static Projector) -> Result<Option<Result<i64, String>>, RunError> {
    let stopped_at = |all: Vec<Status>| {
        all.into_iter().find(|status| status.name == projector.name).and_then(|status| status.halted)
    };
    let Some((position, _)) = stopped_at(projections::progress(store).await?) else { return Ok(None) };
    let owner = format!("resume-{}", std::process::id());
    loop {
        let mut runner = Runner::own(projector, store.clone(), &owner, None).await?;
        while runner.position() < position {
            match runner.run_batch(1).await {
                Ok(_) => {}
                // The owner was quicker in taking it back.
                Err(RunError::Fenced { .. }) => break,
                Err(error @ RunError::Poisoned { .. }) => return Ok(Some(Err(error.to_string()))),
                Err(error) => return Err(error),
            }
        }
        if runner.position() >= position {
            return Ok(Some(Ok(position)));
        }
    }
}
