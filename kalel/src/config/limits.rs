//! What anybody may take of the API.

use api::http::address::Cidr;
use api::http::limits::{Quota, Settings};
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How often anybody may ask, and how many connections there may be. Each quota is `{ calls, seconds, burst }`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// `false`: calls are not counted. Default `true`.
    pub enabled: bool,
    /// Messages of providers worked on at once in one process. Default 64.
    pub webhooks_at_once: usize,
    /// Networks of proxies whose `X-Forwarded-For` is believed, such as `10.0.0.0/8`. Default none.
    pub trusted_proxies: Vec<Cidr>,
    /// Connections open at once in one process. Default 10 000.
    pub connections: usize,
    /// Connections open at once from one address that is no trusted proxy's. Default 1 000.
    pub connections_per_address: usize,
    /// The most requests worked on at once in one process, however quick they seem. Default 512.
    pub most_at_once: usize,
    /// Without a key, per address (IPv6: per /64). Default 60 in 60 s, 20 at once.
    pub anonymous: Quota,
    /// Per client. Default 120 in 60 s, 40 at once.
    pub client: Quota,
    /// Per key of everybody else who works. Default 600 in 60 s, 120 at once.
    pub staff: Quota,
    /// Per key of a service. Default 3 000 in 60 s, 600 at once.
    pub service: Quota,
    /// Searches and availability, per key or address. Default 10 in 1 s, 20 at once.
    pub search: Quota,
    /// Slots held, per client. Default 5 in an hour and 5 at once: not more than 10 in any hour.
    pub holds: Quota,
    /// Tables of statements as files, per key. Default 6 in an hour, 6 at once.
    pub exports: Quota,
}

impl Default for Limits {
    fn default() -> Self {
        let Settings { anonymous, client, staff, service, search, holds, exports, webhooks_at_once, trusted_proxies } =
            Settings::default();
        Self {
            enabled: true,
            anonymous,
            client,
            staff,
            service,
            search,
            holds,
            exports,
            webhooks_at_once,
            trusted_proxies,
            connections: 10_000,
            connections_per_address: 1_000,
            most_at_once: 512,
        }
    }
}

impl Limits {
    /// So high that no test and no try meets them; all the same everything is counted.
    pub fn out_of_the_way() -> Self {
        let high = Quota::new(600_000, 60, 100_000);
        Self {
            anonymous: high,
            client: high,
            staff: high,
            service: high,
            search: high,
            holds: high,
            exports: high,
            webhooks_at_once: 1_000,
            ..Self::default()
        }
    }

    /// For the API; `None` when nothing is counted.
    pub fn settings(&self) -> Option<Settings> {
        self.enabled.then(|| Settings {
            anonymous: self.anonymous,
            client: self.client,
            staff: self.staff,
            service: self.service,
            search: self.search,
            holds: self.holds,
            exports: self.exports,
            webhooks_at_once: self.webhooks_at_once,
            trusted_proxies: self.trusted_proxies.clone(),
        })
    }

    /// # Errors
    /// [`ConfigError::Invalid`], naming the setting.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (setting, quota) in [
            ("limits.anonymous", self.anonymous),
            ("limits.client", self.client),
            ("limits.staff", self.staff),
            ("limits.service", self.service),
            ("limits.search", self.search),
            ("limits.holds", self.holds),
            ("limits.exports", self.exports),
        ] {
            if quota.rate().is_none() {
                let why = "calls, seconds and burst are 1 or more, and a burst is there again within a week".into();
                return Err(ConfigError::Invalid { setting, why });
            }
        }
        for (setting, number) in [
            ("limits.webhooks_at_once", self.webhooks_at_once),
            ("limits.connections", self.connections),
            ("limits.connections_per_address", self.connections_per_address),
            ("limits.most_at_once", self.most_at_once),
        ] {
            if number == 0 {
                return Err(ConfigError::Invalid { setting, why: "must be 1 or more".into() });
            }
        }
        Ok(())
    }
}
