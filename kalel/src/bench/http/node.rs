//! The peer: a minimal booking API in Node, from `peers/node`.

use std::path::Path;

use tokio::process::Command;

use super::{Plan, server::Running};
use crate::bench::append::Problem;

/// Starts it in so many processes, with its packages as its lock file says.
///
/// # Errors
/// When Node or npm is missing, or it does not start.
pub async fn start(plan: &Plan, folder: &Path, processes: usize) -> Result<Running, Problem> {
    install(folder).await?;
    let mut command = Command::new("node");
    command
        .arg("server.js")
        .current_dir(folder)
        .env("NODE_ENV", "production")
        .env("DATABASE_URL", &plan.database_url)
        .env("PROCESSES", processes.to_string())
        .env("CONNECTIONS", plan.connections.to_string());
    Running::of(&mut command).await
}

/// Installs its packages, when they are not there.
///
/// # Errors
/// When npm is missing or fails.
pub async fn install(folder: &Path) -> Result<(), Problem> {
    if !folder.join("node_modules").is_dir() {
        let installed = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder)
            .stdout(std::process::Stdio::null())
            .status()
            .await
            .map_err(|error| format!("npm cannot be run ({error}): install Node 20 or newer, or leave out --node"))?;
        if !installed.success() {
            return Err(format!("npm ci in {} failed", folder.display()).into());
        }
    }
    Ok(())
}
