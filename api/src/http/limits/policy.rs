//! Who may do what how often (reliability.md §4.1): all of it is the operator's to decide.

use domain::actor::Role;
use serde::{Deserialize, Serialize};

use super::gcra::Rate;
use crate::http::{address::Cidr, auth::Caller};

/// What an operation counts as: a column of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A call as any other.
    Call,
    /// Looking for a pitch: many in a row while somebody types or moves a map.
    Search,
    /// A table of all there is, as a file.
    Export,
    /// A provider's message: not counted, but only so many at the same time.
    Webhook,
}

impl Purpose {
    /// As the documentation calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Search => "search",
            Self::Export => "export",
            Self::Webhook => "webhook",
        }
    }
}

/// So many calls in so many seconds, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    pub calls: u32,
    pub seconds: u32,
    pub burst: u32,
}

impl Quota {
    /// `calls` in `seconds`, `burst` at once.
    pub const fn new(calls: u32, seconds: u32, burst: u32) -> Self {
        Self { calls, seconds, burst }
    }

    /// `None` when it cannot be reckoned with.
    pub fn rate(self) -> Option<Rate> {
        Rate::new(self.calls, self.seconds, self.burst)
    }
}

/// What the operator decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Without a key, or with one that is not good: per address.
    pub anonymous: Quota,
    /// A client.
    pub client: Quota,
    /// A person who works: managers and their people, ours.
    pub staff: Quota,
    /// A program of somebody who books for many clients.
    pub service: Quota,
    /// Searches, of anybody.
    pub search: Quota,
    /// Slots held for one client, whoever asks for them.
    pub holds: Quota,
    /// Exports, of anybody.
    pub exports: Quota,
    /// Messages of providers worked on at once in one process.
    pub webhooks_at_once: usize,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Cidr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            anonymous: Quota::new(60, 60, 20),
            client: Quota::new(120, 60, 40),
            staff: Quota::new(600, 60, 120),
            service: Quota::new(3_000, 60, 600),
            search: Quota::new(10, 1, 20),
            // Five and five: not more than ten in any hour.
            holds: Quota::new(5, 3_600, 5),
            exports: Quota::new(6, 3_600, 6),
            webhooks_at_once: 64,
            trusted_proxies: Vec::new(),
        }
    }
}

/// A quota and its name, as `RateLimit-Policy` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub name: &'static str,
    pub quota: Quota,
}

impl Settings {
    /// What a caller's call is counted under; `None` when it is not.
    pub fn policy(&self, purpose: Purpose, caller: &Caller) -> Option<Policy> {
        let (name, quota) = match (purpose, caller.role()) {
            (Purpose::Webhook, _) => return None,
            (Purpose::Search, _) => ("search", self.search),
            (Purpose::Export, _) => ("exports", self.exports),
            (Purpose::Call, None) => ("anonymous", self.anonymous),
            (Purpose::Call, Some(Role::Client)) => ("client", self.client),
            (Purpose::Call, Some(Role::Service)) => ("service", self.service),
            (Purpose::Call, Some(_)) => ("staff", self.staff),
        };
        Some(Policy { name, quota })
    }

    /// What a held slot is counted under.
    pub const fn held(&self) -> Policy {
        Policy { name: "holds", quota: self.holds }
    }

    /// What looks at one page for people are counted under.
    pub const fn page(&self) -> Policy {
        Policy { name: "page", quota: self.anonymous }
    }

    /// What somebody without a good key is counted under.
    pub const fn stranger(&self) -> Policy {
        Policy { name: "anonymous", quota: self.anonymous }
    }
}
