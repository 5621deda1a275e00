//! `judge --data DIR --database-url URL`: the verdict on a trial. Exit code 0 only when it is valid.

use std::{error::Error, io::Write, path::PathBuf, process::ExitCode};

use clap::Parser;
use judge::Outcome;

/// Judges what a trial of Kalel left behind.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Options {
    /// The folder the trial wrote: stage.json, history.ndjson, wave.json, sms.json, rebuild.json, bus.json, verify.json.
    #[arg(long)]
    data: PathBuf,
    /// The database of the trial; nothing is written to it.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// The verdict as JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let verdict = match judge::judge(&options.data, &options.database_url).await {
        Ok(verdict) => verdict,
        Err(error) => {
            eprintln!("judge: {}", with_causes(&error));
            return ExitCode::from(2);
        }
    };
    let told = if options.json { serde_json::to_string(&verdict) } else { Ok(verdict.to_string()) };
    let told = match told {
        Ok(told) => told,
        Err(error) => {
            eprintln!("judge: {error}");
            return ExitCode::from(2);
        }
    };
    // Whoever closed the pipe has read enough; the exit code says the rest.
    let _ = writeln!(std::io::stdout(), "{}", told.trim_end());
    if verdict.outcome == Outcome::Valid { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn with_causes(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(why) = cause {
        let why_told = why.to_string();
        // Some errors tell their cause themselves.
        if !told.ends_with(&why_told) {
            told.push_str(": ");
            told.push_str(&why_told);
        }
        cause = why.source();
    }
    told
}
