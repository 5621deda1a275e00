//! Installs what is missing with apt, when that is allowed; otherwise says the exact command.

use std::process::{Command, Stdio};

use super::Problem;
use super::find::{Found, OLDEST_POSTGRES};

/// Run as root by a shell; see its first lines.
const SCRIPT: &str = include_str!("install.sh");

/// How this process may become root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    Root,
    /// sudo asks for no password.
    Sudo,
    None,
}

/// Installs what `found` lacks. `major`: the Postgres that an existing data folder needs.
///
/// # Errors
/// [`Problem::NotInstalled`] with the command to run when this user may not install, or there is no apt;
/// [`Problem::Install`] when apt fails.
pub fn install(found: &Found, major: Option<u32>, say: &mut dyn FnMut(&str)) -> Result<(), Problem> {
    let rights = rights();
    if rights == Rights::None || !has("apt-get") {
        return Err(Problem::NotInstalled { missing: missing(found), command: command(found, major) });
    }
    say("reading the package lists");
    apt_update(rights)?;
    let packages = packages(found, major);
    say(&format!("installing {}", packages.join(" ")));
    // The script is given by `-c`, not by a file: nothing to write where another user could change it.
    let mut shell = as_root(rights, "sh");
    shell.args(["-c", SCRIPT, "kalel-install"]).args(&packages);
    finish(shell)
}

fn apt_update(rights: Rights) -> Result<(), Problem> {
    let mut apt = as_root(rights, "apt-get");
    apt.args(["update", "-q"]);
    finish(apt)
}

fn finish(mut command: Command) -> Result<(), Problem> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| Problem::Install(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    Err(Problem::Install(lines[lines.len().saturating_sub(12)..].join("\n")))
}

fn as_root(rights: Rights, program: &str) -> Command {
    if rights == Rights::Sudo {
        let mut command = Command::new("sudo");
        command.args(["-n", program]);
        return command;
    }
    Command::new(program)
}

fn rights() -> Rights {
    if nix::unistd::geteuid().is_root() {
        return Rights::Root;
    }
    let sudo = Command::new("sudo").args(["-n", "true"]).stdin(Stdio::null()).output();
    if sudo.is_ok_and(|output| output.status.success()) { Rights::Sudo } else { Rights::None }
}

fn has(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}

/// What is missing, in words.
fn missing(found: &Found) -> String {
    let mut words = Vec::new();
    if !found.postgres.iter().any(|postgres| postgres.postgis && postgres.major >= OLDEST_POSTGRES) {
        words.push("Postgres 15 or newer with PostGIS");
    }
    if found.nats.is_none() {
        words.push("nats-server");
    }
    if found.redis.is_none() {
        words.push("redis-server");
    }
    words.join(", ")
}

/// The command that installs what is missing on this distribution.
fn command(found: &Found, major: Option<u32>) -> String {
    let sudo = if nix::unistd::geteuid().is_root() { "" } else { "sudo " };
    let packages = packages(found, major).join(" ");
    format!("{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {packages}")
}

fn packages(found: &Found, major: Option<u32>) -> Vec<String> {
    let usable = |major: Option<u32>| {
        found.postgres.iter().any(|postgres| {
            postgres.postgis && postgres.major >= OLDEST_POSTGRES && major.is_none_or(|major| postgres.major == major)
        })
    };
    let mut packages = Vec::new();
    if !usable(major) {
        // PostGIS for a Postgres that is there is less than another Postgres.
        let installed = found.postgres.iter().map(|postgres| postgres.major).find(|major| *major >= OLDEST_POSTGRES);
        match major.or(installed).or_else(newest_packaged).or_else(of_release) {
            Some(major) => packages.extend([format!("postgresql-{major}"), format!("postgresql-{major}-postgis-3")]),
            None => packages.extend(["postgresql".to_owned(), "postgresql-postgis".to_owned()]),
        }
    }
    if found.nats.is_none() {
        packages.push("nats-server".into());
    }
    if found.redis.is_none() {
        packages.push("redis-server".into());
    }
    packages
}

/// The newest Postgres for which apt's lists have PostGIS.
fn newest_packaged() -> Option<u32> {
    let output =
        Command::new("apt-cache").args(["search", "--names-only", "^postgresql-[0-9]+-postgis-3$"]).output().ok()?;
    newest_of(&String::from_utf8_lossy(&output.stdout))
}

fn newest_of(listing: &str) -> Option<u32> {
    let majors = listing.lines().filter_map(|line| line.strip_prefix("postgresql-")?.split('-').next()?.parse().ok());
    majors.filter(|major| *major >= OLDEST_POSTGRES).max()
}

/// What the distribution ships, for when apt's lists are empty.
fn of_release() -> Option<u32> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let value = |key: &str| {
        text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=').map(|value| value.trim_matches('"')))
    };
    match (value("ID")?, value("VERSION_ID")?) {
        ("debian", "12") => Some(15),
        ("debian", "13") => Some(17),
        ("ubuntu", "24.04") => Some(16),
        ("ubuntu", "25.04" | "25.10") => Some(17),
        ("ubuntu", "26.04") => Some(18),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::up::find::Postgres;

    #[test]
    fn the_newest_postgres_with_postgis_is_chosen_by_number() {
        let listing = "postgresql-9-postgis-3 - Geographic\npostgresql-15-postgis-3 - Geographic objects\n\
                       postgresql-17-postgis-3 - Geographic objects\n";
        assert_eq!(newest_of(listing), Some(17));
        assert_eq!(newest_of("postgresql-14-postgis-3 - Geographic objects"), None);
    }

    #[test]
    fn only_what_is_missing_is_installed() {
        let postgres = Postgres { bin: "/p".into(), major: 16, version: "16.2".into(), postgis: false };
        let found = Found { postgres: vec![postgres], nats: Some("/n".into()), redis: None };
        assert_eq!(packages(&found, None), ["postgresql-16", "postgresql-16-postgis-3", "redis-server"]);
        assert_eq!(packages(&found, Some(15)), ["postgresql-15", "postgresql-15-postgis-3", "redis-server"]);
    }
}
