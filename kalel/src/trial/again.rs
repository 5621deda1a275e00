//! A run that was kept is judged again, by its own database.

use std::path::Path;

use super::{Off, stage};
use crate::up::{
    children::Keeper,
    folder::Folder,
    keeper::Stop,
    postgres::{self, Postgres},
};

/// Starts the database of a kept run and has it judged.
pub async fn judge(out: &Path) -> Result<judge::Verdict, Off> {
    if !out.join("history.ndjson").exists() {
        return Err(Off::Stuck(format!("{}: no trial was kept there", out.display())));
    }
    let out = std::fs::canonicalize(out)?;
    let folder = Folder::open(&out.join("data"))?;
    let keeper = Keeper::start(&std::env::current_exe()?, &folder.lock(), None)?;
    let cluster = postgres::major_of(&folder.servers.join("postgres"));
    let programs = postgres::programs(cluster, &mut |doing| eprintln!("trial: {doing}"))?;
    let postgres = Postgres {
        installed: programs.postgres,
        folder: folder.servers.join("postgres"),
        private: folder.private()?,
        throw_away: false,
    };
    let run = postgres.prepare(folder.log("postgres"), Stop::Fast)?;
    keeper.run(run)?;
    let url = postgres.app_url(postgres::DATABASE);
    let until = std::time::Instant::now() + stage::PATIENCE;
    while let Err(error) = postgres::connect(&url).await {
        if std::time::Instant::now() > until || keeper.exit_of("postgres").is_some() {
            return Err(error.into());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let verdict = judge::judge(&out, &url).await?;
    tokio::task::block_in_place(|| keeper.stop());
    Ok(verdict)
}
