//! Finds the installed servers: Postgres 15 or newer with PostGIS, nats-server, redis-server.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Postgres that the migrations are written for.
pub const OLDEST_POSTGRES: u32 = 15;

/// One installed Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postgres {
    /// The folder of `initdb` and `postgres`.
    pub bin: PathBuf,
    pub major: u32,
    /// As it says it itself, e.g. `15.20`.
    pub version: String,
    pub postgis: bool,
}

/// Everything that is there.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Newest first; older than [`OLDEST_POSTGRES`] are included, to be able to say why they are not used.
    pub postgres: Vec<Postgres>,
    pub nats: Option<PathBuf>,
    pub redis: Option<PathBuf>,
}

/// What is needed and installed.
#[derive(Debug, Clone)]
pub struct Programs {
    pub postgres: Postgres,
    pub nats: PathBuf,
    pub redis: PathBuf,
}

impl Found {
    /// All three, with Postgres of this major version when one is asked for.
    pub fn complete(&self, major: Option<u32>) -> Option<Programs> {
        let postgres = self.postgres.iter().find(|postgres| {
            postgres.postgis && postgres.major >= OLDEST_POSTGRES && major.is_none_or(|major| major == postgres.major)
        })?;
        Some(Programs { postgres: postgres.clone(), nats: self.nats.clone()?, redis: self.redis.clone()? })
    }
}

/// Looks in the usual places.
pub fn find() -> Found {
    let mut postgres: Vec<Postgres> = postgres_folders().iter().filter_map(|bin| look_at(bin)).collect();
    postgres.sort_by_key(|found| (std::cmp::Reverse(found.major), !found.postgis));
    Found { postgres, nats: program(&["nats-server"]), redis: program(&["redis-server", "valkey-server"]) }
}

/// An ordinary user's PATH often lacks `/usr/sbin`, where Debian keeps nats-server.
fn path_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"].map(PathBuf::from);
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).chain(usual).collect()
}

fn program(names: &[&str]) -> Option<PathBuf> {
    let folders = path_folders();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
}

fn postgres_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, inner) in [("/usr/lib/postgresql", "bin"), ("/usr", "bin"), ("/opt", "bin")] {
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // /usr/lib/postgresql/15 (Debian), /usr/pgsql-16 (Red Hat), /opt/pgsql-17
            if parent == "/usr/lib/postgresql" || name.starts_with("pgsql-") {
                folders.push(entry.path().join(inner));
            }
        }
    }
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    folders.extend(path_folders());
    folders.retain(|folder| folder.join("initdb").exists() && folder.join("postgres").exists());
    let mut seen = std::collections::BTreeSet::new();
    folders.retain(|folder| seen.insert(std::fs::canonicalize(folder.join("postgres")).ok()));
    folders
}

fn look_at(bin: &Path) -> Option<Postgres> {
    let output = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    let version = version_of(&String::from_utf8_lossy(&output.stdout))?;
    let major = version.split(['.', 'b', 'r', 'd']).next()?.parse().ok()?;
    Some(Postgres { bin: bin.into(), major, version, postgis: has_postgis(bin, major) })
}

/// `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)` → `15.20`.
fn version_of(text: &str) -> Option<String> {
    text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit())).map(str::to_owned)
}

fn has_postgis(bin: &Path, major: u32) -> bool {
    let mut shares = vec![PathBuf::from(format!("/usr/share/postgresql/{major}"))];
    if let Some(prefix) = bin.parent() {
        shares.extend(["share", "share/postgresql"].map(|share| prefix.join(share)));
    }
    shares.iter().any(|share| share.join("extension/postgis.control").exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_postgres_says() {
        assert_eq!(version_of("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n").unwrap(), "15.20");
        assert_eq!(version_of("postgres (PostgreSQL) 18beta1").unwrap(), "18beta1");
        assert_eq!(version_of("postgres"), None);
    }

    #[test]
    fn an_old_postgres_or_one_without_postgis_does_not_do() {
        let postgres = |major, postgis| Postgres { bin: "/p".into(), major, version: major.to_string(), postgis };
        let mut found = Found { nats: Some("/n".into()), redis: Some("/r".into()), postgres: vec![postgres(14, true)] };
        assert!(found.complete(None).is_none());
        found.postgres.push(postgres(17, false));
        assert!(found.complete(None).is_none());
        found.postgres.push(postgres(15, true));
        assert_eq!(found.complete(None).unwrap().postgres.major, 15);
        assert!(found.complete(Some(16)).is_none());
        found.redis = None;
        assert!(found.complete(None).is_none());
    }
}
