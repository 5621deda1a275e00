//! Who did it.

use serde::{Deserialize, Serialize};

use crate::ids::PrincipalId;

/// What an actor may do is decided by their role (domain.md, People).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Client,
    Gatekeeper,
    Cashier,
    Manager,
    Support,
    Finance,
    Admin,
    Auditor,
    /// An API consumer.
    Service,
    /// Kalel itself: timers, projections, automatic refunds.
    System,
    /// A payment or message provider telling us something.
    Provider,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Gatekeeper => "gatekeeper",
            Self::Cashier => "cashier",
            Self::Manager => "manager",
            Self::Support => "support",
            Self::Finance => "finance",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Service => "service",
            Self::System => "system",
            Self::Provider => "provider",
        }
    }
}

/// A role and, but for the system, whose. For a client the id is their `ClientId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Actor {
    pub role: Role,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<PrincipalId>,
}

impl Actor {
    pub const SYSTEM: Self = Self { role: Role::System, id: None };

    pub const fn new(role: Role, id: PrincipalId) -> Self {
        Self { role, id: Some(id) }
    }
}
