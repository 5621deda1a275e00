//! What was agreed about money when a reservation was placed.

use serde::Deserialize;

/// Who collects, and what the platform takes of what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Contract {
    pub flow: Flow,
    /// Basis points.
    pub commission: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    PlatformCollects,
    ManagerCollects,
}

impl Default for Contract {
    fn default() -> Self {
        Self { flow: Flow::PlatformCollects, commission: 1_000 }
    }
}
