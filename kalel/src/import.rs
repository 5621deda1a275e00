//! Brings sites from a file into the log: `kalel import --sites sites.json`, and `up`'s demo data.
//!
//! A site that is already there (by its slug) is left alone, so importing twice changes nothing, and what a manager
//! changed since stays changed.

mod entry;

pub use entry::{Entry, File};

use std::path::{Path, PathBuf};

use domain::aggregate::{Aggregate, Loaded};
use domain::decision::Decision;
use domain::ids::{PrincipalId, SiteId};
use domain::sealed::Sealed;
use domain::site::{self, Site};
use domain::text::TextError;
use eventstore::{Append, AppendError, Meta, Store};
use uuid::Uuid;

/// Why a file cannot be imported. Nothing of the site at fault is recorded.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{path}: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the sites' file: {0}")]
    Json(#[from] serde_json::Error),
    #[error("site {site}: {field}: {why}")]
    Field { site: String, field: &'static str, why: String },
    #[error("site {site}: {refusal}")]
    Refused { site: String, refusal: site::Refusal },
    #[error("site {site}: {error}")]
    Append { site: String, error: AppendError },
    #[error("the log cannot be read: {0}")]
    Log(#[from] eventstore::ReadError),
}

/// Whose the sites will be.
#[derive(Debug, Clone)]
pub struct Owner {
    pub manager: PrincipalId,
    /// Where the manager hears of bookings, sealed under their own key.
    pub phone: Option<Sealed>,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    pub added: usize,
    /// Were there already.
    pub kept: usize,
}

/// Records the sites that are not there yet, each in one decision.
///
/// # Errors
/// [`ImportError`]; the sites before the one at fault are recorded.
pub async fn import(store: &Store, file: &File, owner: &Owner) -> Result<Imported, ImportError> {
    let mut imported = Imported { added: 0, kept: 0 };
    for entry in &file.sites {
        if store.holder_of(site::SLUG, &entry.id).await?.is_some() {
            imported.kept += 1;
            continue;
        }
        let id = SiteId::new(store.clock().new_id());
        let decision = decide(entry, id, owner, &mut || store.clock().new_id())?;
        match store.append(Append::new(decision, Meta::system().at_site(id))).await {
            Ok(_) => imported.added += 1,
            // Somebody else imports at the same moment.
            Err(AppendError::Refused(eventstore::Refusal::NotUnique { .. })) => imported.kept += 1,
            Err(error) => return Err(ImportError::Append { site: entry.id.clone(), error }),
        }
    }
    Ok(imported)
}

impl File {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ImportError::Read`], [`ImportError::Json`] (an unknown field, too).
    pub fn read(path: &Path) -> Result<Self, ImportError> {
        let text = std::fs::read(path).map_err(|source| ImportError::Read { path: path.into(), source })?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// The 23 sites of Dakar and Mbour that come with the program.
    ///
    /// # Errors
    /// Never, as the tests show; the type says so for the caller's sake.
    pub fn included() -> Result<Self, ImportError> {
        Ok(serde_json::from_str(include_str!("../data/sites.json"))?)
    }
}

/// A site's first events, decided by the same rules as when a manager sets them one by one.
struct Drawn {
    site: Loaded<Site>,
    decision: Decision,
}

impl Drawn {
    fn then(&mut self, more: Result<Decision, site::Refusal>) -> Result<(), site::Refusal> {
        let more = more?;
        for event in more.changes.iter().flat_map(|change| change.events.clone()) {
            // Only the state: to the log all of it is one decision on a stream that does not exist yet.
            if let Some(event) = Site::select(event) {
                self.site.state.evolve(event);
            }
        }
        self.decision = std::mem::take(&mut self.decision).and(more);
        Ok(())
    }
}

/// What records one site of the file. `new_id` makes the ids of cells, pitches and tariffs.
///
/// # Errors
/// [`ImportError::Field`], [`ImportError::Refused`].
pub fn decide(
    entry: &Entry,
    id: SiteId,
    owner: &Owner,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Result<Decision, ImportError> {
    let field = |field: &'static str| move |why: String| ImportError::Field { site: entry.id.clone(), field, why };
    let refused = |refusal| ImportError::Refused { site: entry.id.clone(), refusal };
    let mut drawn = Drawn { site: Loaded::new(id), decision: Decision::nothing() };
    let registration = entry.registration(owner.manager).map_err(|(name, why)| field(name)(why))?;
    let currency = registration.currency;
    drawn.then(site::register(&drawn.site, registration)).map_err(refused)?;
    let (cells, pitches) = entry.ground(new_id).map_err(|(name, why)| field(name)(why))?;
    let tariffs = entry.tariffs(&pitches, new_id).map_err(|(name, why)| field(name)(why))?;
    drawn
        .then(site::set_ground(&drawn.site, cells, pitches, entry.cells_are_modelled.unwrap_or(false)))
        .map_err(refused)?;
    if !entry.hours.is_empty() {
        let weekly = entry.weekly().map_err(|(name, why)| field(name)(why))?;
        drawn.then(site::set_hours(&drawn.site, weekly, entry.hours_are_declared.unwrap_or(false))).map_err(refused)?;
    }
    if !tariffs.is_empty() {
        drawn.then(site::set_tariffs(&drawn.site, tariffs)).map_err(refused)?;
    }
    drawn.then(site::set_policy(&drawn.site, entry.policy(currency))).map_err(refused)?;
    if owner.phone.is_some() {
        let contact = site::set_contact(&drawn.site, owner.manager, owner.phone.clone(), None);
        drawn.then(contact).map_err(refused)?;
    }
    if let Some(reason) = entry.doubt() {
        let reason = text(reason).map_err(field("notes"))?;
        drawn.then(site::suspend(&drawn.site, reason)).map_err(refused)?;
    }
    Ok(drawn.decision)
}

fn text<const MAX: usize>(raw: &str) -> Result<domain::text::Text<MAX>, String> {
    domain::text::Text::new(raw).map_err(|error: TextError| error.to_string())
}

#[cfg(test)]
mod tests;
