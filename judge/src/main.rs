//! `judge --data DIR --database-url URL`: the verdict on a trial. Exit code 0 only when it is valid.

use std::{error::Error, path::PathBuf, process::ExitCode};

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
    if options.json {
        match serde_json::to_string(&verdict) {
            Ok(json) => println!("{json}"),
            Err(error) => {
                eprintln!("judge: {error}");
                return ExitCode::from(2);
            }
        }
    } else {
        print!("{verdict}");
    }
    if verdict.outcome == Outcome::Valid { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn with_causes(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(why) = cause {
        told.push_str(&format!(": {why}"));
        cause = why.source();
    }
    told
}
