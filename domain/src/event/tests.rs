//! What was ever written can be read for ever, and is as its schema says: stored samples and frozen schemas.

mod golden;
mod schemas;
mod shapes;
mod trial;

pub(crate) use schemas::derive;

use std::path::PathBuf;

/// Tests run in the folder of their package. A path fixed by the compiler would be that of the clone that was compiled
/// first, when several share a build cache.
fn folder(name: &str) -> PathBuf {
    PathBuf::from(name)
}
