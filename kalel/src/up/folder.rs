//! The data folder: who it belongs to, where the servers keep their data, and what only the owner may know.
//!
//! ```text
//! .kalel/
//!   private.json   0600  ports and passwords, the same at every start
//!   up.json        0600  written while it runs: URLs, demo keys, process ids
//!   kalel.toml     0600  the configuration `kalel serve` is started with
//!   seal.key       0600  the key that the log is sealed with
//!   logs/                one file per child
//!   servers/             postgres/ nats/ redis/ lock; under root a link to /var/lib/kalel/<hash of the folder>
//! ```

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use serde::{Deserialize, Serialize};
use sha2::Digest;

use super::Problem;
use super::ports::{self, Ports};
use crate::config::Secrets;
use crate::fork::Forked;
use crate::seed::Demo;

/// Where the servers' data goes under root: a root-only home cannot be entered by the user `postgres`.
const UNDER_ROOT: &str = "/var/lib/kalel";

/// Bytes of a child's log from which on the next start begins a new one.
const LONGEST_LOG: u64 = 16 << 20;

/// An opened data folder.
#[derive(Debug)]
pub struct Folder {
    /// Absolute.
    pub path: PathBuf,
    /// Absolute and without links.
    pub servers: PathBuf,
}

/// `private.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Private {
    /// Tells this folder from another of the same path.
    pub id: String,
    pub superuser_password: String,
    pub owner_password: String,
    pub app_password: String,
    pub nats_password: String,
    /// Empty in a folder from before there was one, until it is read.
    #[serde(default)]
    pub nats_consumer_password: String,
    pub redis_password: String,
    /// What `kalel.toml` gets under `[secrets]`; the data cannot be read without them.
    pub secrets: Secrets,
    pub providers: Providers,
    /// The key that the log is sealed with, as `kalel audit key` writes it.
    pub seal_key: String,
    #[serde(default)]
    pub ports: Ports,
    /// Who the demo keys belong to, once they are made.
    #[serde(default)]
    pub demo: Option<Demo>,
    /// What it is a copy of, when it is one (`kalel fork`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<Forked>,
    /// Whether the database has been set up completely.
    #[serde(default)]
    pub ready: bool,
}

/// What we and the fakes know each other by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Providers {
    pub wave_key: String,
    pub wave_webhook_secret: String,
    pub sms_key: String,
    /// The random part of what the other rails are known by. Empty in a folder from before there were any, until it is read.
    #[serde(default)]
    pub rails: String,
}

impl Private {
    /// Fresh passwords.
    ///
    /// # Errors
    /// [`Problem::Random`].
    pub fn new() -> Result<Self, Problem> {
        let id = secret()?;
        Ok(Self {
            id: id.clone(),
            superuser_password: secret()?,
            owner_password: secret()?,
            app_password: secret()?,
            nats_password: secret()?,
            nats_consumer_password: secret()?,
            redis_password: secret()?,
            secrets: Secrets { master_key: secret()?, older_master_keys: Vec::new(), lookup_key: secret()? },
            providers: Providers {
                wave_key: format!("wave_sn_prod_{}", secret()?),
                wave_webhook_secret: format!("wave_sn_WHS_{}", secret()?),
                sms_key: format!("atsk_{}", secret()?),
                rails: secret()?,
            },
            seal_key: crate::audit::new_key(&format!("kalel.invalid/{}", id.get(..12).unwrap_or_default()))?
                .to_secret_text()
                .to_string(),
            ports: Ports::default(),
            demo: None,
            fork: None,
            ready: false,
        })
    }

    /// Chooses the servers' ports: those of the last start when they are still free.
    ///
    /// # Errors
    /// [`Problem::Ports`] when none is free.
    pub fn choose_ports(&mut self) -> Result<(), Problem> {
        let mut taken = vec![self.ports.http];
        let all = &mut self.ports;
        let servers = [&mut all.postgres, &mut all.nats, &mut all.redis];
        let rails = [&mut all.wave, &mut all.sonatel, &mut all.paytech, &mut all.paydunya];
        let messages = [&mut all.sms, &mut all.email, &mut all.smtp];
        for port in servers.into_iter().chain(rails).chain(messages) {
            *port = ports::free(Some(*port).filter(|port| *port != 0), &taken)?;
            taken.push(*port);
        }
        Ok(())
    }
}

/// 256 random bits, in characters that need no escaping in a URL or in SQL.
///
/// # Errors
/// [`Problem::Random`] when the system gives no randomness.
pub fn secret() -> Result<String, Problem> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| Problem::Random(error.to_string()))?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

impl Folder {
    /// Opens the data folder, making it when it is not there.
    ///
    /// # Errors
    /// [`Problem::OtherUser`] when it belongs to somebody else; [`Problem::Io`].
    pub fn open(path: &Path) -> Result<Self, Problem> {
        make(path, 0o700)?;
        let path = std::fs::canonicalize(path).map_err(|error| Problem::io(path, error))?;
        let owner = std::fs::metadata(&path).map_err(|error| Problem::io(&path, error))?.uid();
        if owner != nix::unistd::geteuid().as_raw() {
            let name = nix::unistd::User::from_uid(owner.into()).ok().flatten();
            let user = name.map_or_else(|| owner.to_string(), |user| user.name);
            return Err(Problem::OtherUser { path, user });
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
            .map_err(|error| Problem::io(&path, error))?;
        make(&path.join("logs"), 0o700)?;
        let servers = servers_of(&path)?;
        Ok(Self { path, servers })
    }

    pub fn lock(&self) -> PathBuf {
        self.servers.join("lock")
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.path.join("logs").join(format!("{name}.log"))
    }

    /// Puts long logs aside, so that they never fill a disk: one former log is kept of each.
    ///
    /// # Errors
    /// [`Problem::Io`].
    pub fn turn_logs(&self) -> Result<(), Problem> {
        let logs = self.path.join("logs");
        for entry in std::fs::read_dir(&logs).map_err(|error| Problem::io(&logs, error))?.flatten() {
            let path = entry.path();
            let long = entry.metadata().is_ok_and(|meta| meta.len() > LONGEST_LOG);
            if long && path.extension().is_some_and(|extension| extension == "log") {
                std::fs::rename(&path, path.with_extension("log.1")).map_err(|error| Problem::io(&path, error))?;
            }
        }
        Ok(())
    }

    /// Reads `private.json`, or makes new passwords for a new folder.
    ///
    /// # Errors
    /// [`Problem::Damaged`] when it is not what we wrote, or is gone while the database is there.
    pub fn private(&self) -> Result<Private, Problem> {
        let file = self.path.join("private.json");
        match std::fs::read(&file) {
            Ok(bytes) => {
                let damaged = |error: serde_json::Error| Problem::Damaged { path: file, why: error.to_string() };
                let mut private: Private = serde_json::from_slice(&bytes).map_err(damaged)?;
                let newer = [&mut private.nats_consumer_password, &mut private.providers.rails];
                let missing: Vec<_> = newer.into_iter().filter(|secret| secret.is_empty()).collect();
                if !missing.is_empty() {
                    for missing in missing {
                        *missing = secret()?;
                    }
                    self.keep(&private)?;
                }
                Ok(private)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if self.servers.join("postgres/PG_VERSION").exists() {
                    let why = "it is missing, and without it the database beside it cannot be opened".into();
                    return Err(Problem::Damaged { path: file, why });
                }
                let private = Private::new()?;
                self.keep(&private)?;
                Ok(private)
            }
            Err(error) => Err(Problem::io(&file, error)),
        }
    }

    /// Writes `private.json`.
    ///
    /// # Errors
    /// [`Problem::Io`].
    pub fn keep(&self, private: &Private) -> Result<(), Problem> {
        let mut text = serde_json::to_vec_pretty(private).map_err(|error| Problem::Keeper(error.to_string()))?;
        text.push(b'\n');
        write_private(&self.path.join("private.json"), &text)
    }

    /// Deletes it with all that belongs to it. Nothing of it may run any more.
    ///
    /// # Errors
    /// [`Problem::Io`].
    pub fn delete(&self) -> Result<(), Problem> {
        remove(&self.servers)?;
        remove(&self.path)
    }

    /// Deletes everything in it (`--fresh`), except the lock that we hold.
    ///
    /// # Errors
    /// [`Problem::Io`].
    pub fn empty(&self) -> Result<(), Problem> {
        for name in
            ["private.json", "up.json", "kalel.toml", "seal.key", "fake-wave.toml", "fake-wave.json", "fake-sms.toml"]
        {
            remove(&self.path.join(name))?;
        }
        remove(&self.path.join("logs"))?;
        make(&self.path.join("logs"), 0o700)?;
        for name in ["postgres", "nats", "redis"] {
            remove(&self.servers.join(name))?;
        }
        Ok(())
    }
}

/// `<data>/servers`: a folder, or under root a link to a folder that the servers' users can enter.
fn servers_of(data: &Path) -> Result<PathBuf, Problem> {
    let pointer = data.join("servers");
    if !nix::unistd::geteuid().is_root() {
        make(&pointer, 0o700)?;
        return Ok(pointer);
    }
    if let Ok(target) = std::fs::read_link(&pointer) {
        make(&target, 0o711)?;
        remember_owner(&target, data)?;
        return Ok(target);
    }
    let hash = hex::encode(&sha2::Sha256::digest(data.as_os_str().as_encoded_bytes())[..8]);
    let mut target = Path::new(UNDER_ROOT).join(&hash);
    // A database of a folder of the same name that was deleted or moved away stays: it may still be wanted.
    for number in 2.. {
        if !target.join("postgres/PG_VERSION").exists() {
            break;
        }
        target = Path::new(UNDER_ROOT).join(format!("{hash}-{number}"));
    }
    remove(&target)?;
    make(&target, 0o711)?;
    remember_owner(&target, data)?;
    std::os::unix::fs::symlink(&target, &pointer).map_err(|error| Problem::io(&pointer, error))?;
    Ok(target)
}

/// For people who find the folder: whose data it is.
fn remember_owner(target: &Path, data: &Path) -> Result<(), Problem> {
    let file = target.join("data-folder");
    std::fs::write(&file, format!("{}\n", data.display())).map_err(|error| Problem::io(&file, error))
}

/// Makes a folder and the missing ones above it; an existing one is left as it is.
///
/// # Errors
/// [`Problem::Io`].
pub fn make(path: &Path, mode: u32) -> Result<(), Problem> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make(parent, 0o755)?;
    }
    match std::fs::DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(Problem::io(path, error)),
        _ => Ok(()),
    }
}

/// Deletes a file, link or folder that may not be there.
///
/// # Errors
/// [`Problem::Io`].
pub fn remove(path: &Path) -> Result<(), Problem> {
    let gone = match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(_) => return Ok(()),
    };
    gone.map_err(|error| Problem::io(path, error))
}

/// Writes a file that only its owner may read; readers see the old or the new one, never a half.
///
/// # Errors
/// [`Problem::Io`].
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.new"));
    let write = || {
        let _ = std::fs::remove_file(&new);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    write().map_err(|error| Problem::io(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("up.json");
        write_private(&file, b"one").unwrap();
        write_private(&file, b"two").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_ports_of_a_folder_are_all_different() {
        let mut private = Private::new().unwrap();
        private.choose_ports().unwrap();
        let ports = private.ports.clone();
        let mut all = ports.taken();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 10);
        assert!(!all.contains(&0), "{all:?}");
        private.choose_ports().unwrap();
        assert_eq!(private.ports.postgres, ports.postgres, "free ports are kept");
    }
}
