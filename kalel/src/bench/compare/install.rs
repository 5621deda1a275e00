//! Building and installing the peers, under the user's cache folder, each as its lock file says.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{super::append::Problem, peer::Program};

/// Every peer: how to run it, or why it is not measured.
#[derive(Debug)]
pub struct Peers {
    /// The folder of the booking API in Node.
    pub node: Result<PathBuf, String>,
    pub postgres_es: Result<Program, String>,
    pub eventsourcing: Result<Program, String>,
}

/// Where the peers are built: `XDG_CACHE_HOME` or `~/.cache`, then `kalel/peers`.
pub fn cache() -> PathBuf {
    let of_user = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let of_home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    of_user.or_else(of_home).unwrap_or_else(std::env::temp_dir).join("kalel/peers")
}

/// Builds and installs what is in a folder. Nothing is fatal: what cannot be had is told in the table.
pub async fn install(peers: &Path, cache: &Path, say: &mut (dyn FnMut(&str) + Send)) -> Peers {
    let folder = |name: &str| {
        let folder = peers.join(name);
        let there = std::fs::canonicalize(&folder).ok().filter(|folder| folder.is_dir());
        there.ok_or_else(|| format!("there is no folder {}", folder.display()))
    };
    let told = |outcome: Result<_, Problem>| outcome.map_err(|problem| why(&problem));
    say("installing the peer in Node");
    let node = match folder("node") {
        Ok(folder) => node(&folder).await.map(|()| folder).map_err(|problem| why(&problem)),
        Err(why) => Err(why),
    };
    say("building the peer on postgres-es");
    let postgres_es = match folder("postgres-es") {
        Ok(folder) => told(postgres_es(&folder, &cache.join("postgres-es")).await),
        Err(why) => Err(why),
    };
    say("installing the peer on eventsourcing");
    let eventsourcing = match folder("python") {
        Ok(folder) => told(eventsourcing(&folder, &cache.join("python")).await),
        Err(why) => Err(why),
    };
    Peers { node, postgres_es, eventsourcing }
}

/// A problem in words that fit a cell of a table.
pub fn why(problem: &Problem) -> String {
    problem.to_string().replace(['|', '\n'], " ")
}

async fn node(folder: &Path) -> Result<(), Problem> {
    done(Command::new("node").arg("--version")).await?;
    super::super::http::node::install(folder).await
}

async fn postgres_es(folder: &Path, target: &Path) -> Result<Program, Problem> {
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--locked", "--quiet"]).current_dir(folder).env("CARGO_TARGET_DIR", target);
    done(&mut build).await?;
    let program = target.join("release").join("kalel-peer-postgres-es");
    Ok(Program { library: "postgres-es", program, arguments: Vec::new() })
}

async fn eventsourcing(folder: &Path, venv: &Path) -> Result<Program, Problem> {
    let python = venv.join("bin").join("python");
    let (wanted, stamp) = (std::fs::read(folder.join("requirements.txt"))?, venv.join("installed.txt"));
    if std::fs::read(&stamp).ok().as_ref() != Some(&wanted) {
        done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv)).await?;
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"]);
        done(install.current_dir(folder)).await?;
        std::fs::write(&stamp, &wanted)?;
    }
    Ok(Program { library: "eventsourcing", program: python, arguments: vec![folder.join("load.py")] })
}

/// Runs it to its end.
async fn done(command: &mut Command) -> Result<(), Problem> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    let run = command.stdin(std::process::Stdio::null()).kill_on_drop(true).output().await;
    let output = run.map_err(|error| format!("{name} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("without a word");
    Err(format!("{name} failed: {last}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_cannot_be_installed_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let none = install(&folder.path().join("none"), folder.path(), &mut |_| ()).await;
        assert!(none.node.unwrap_err().contains("there is no folder"));
        for name in ["node", "postgres-es", "python"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let empty = install(folder.path(), &folder.path().join("cache"), &mut |_| ()).await;
        let reasons = [empty.node.unwrap_err(), empty.postgres_es.unwrap_err(), empty.eventsourcing.unwrap_err()];
        assert!(reasons.iter().all(|why| !why.is_empty() && !why.contains(['|', '\n'])), "{reasons:?}");
    }
}
