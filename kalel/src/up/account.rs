//! As whom the servers run. Under root each runs as the user that its Debian package made; Postgres refuses root.

use std::path::Path;

use nix::unistd::{Gid, Uid, User, geteuid};

use super::Problem;

/// A user other than ourselves.
#[derive(Debug, Clone)]
pub struct Account {
    pub name: String,
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// The first of these users that exists, when we are root; `None` when we are not, or none exists.
    pub fn under_root(names: &[&str]) -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        let user = names.iter().find_map(|name| User::from_name(name).ok().flatten())?;
        Some(Self { name: user.name, uid: user.uid, gid: user.gid })
    }

    /// Gives a file or folder to this user.
    ///
    /// # Errors
    /// [`Problem::Io`].
    pub fn give(&self, path: &Path) -> Result<(), Problem> {
        std::os::unix::fs::lchown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
            .map_err(|error| Problem::io(path, error))
    }
}
