//! Free ports on the loopback interface, the same again at the next start when they are still free.

use std::net::{Ipv4Addr, TcpListener};

use serde::{Deserialize, Serialize};

use super::Problem;

/// The ports of the last start; 0 = none yet.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ports {
    pub postgres: u16,
    pub nats: u16,
    pub redis: u16,
    pub http: u16,
    pub wave: u16,
    pub sonatel: u16,
    pub paytech: u16,
    pub paydunya: u16,
    pub sms: u16,
    pub email: u16,
    pub smtp: u16,
}

impl Ports {
    /// The provider fakes, by name.
    pub const fn fakes(&self) -> [(&'static str, u16); 6] {
        [
            ("wave", self.wave),
            ("sonatel", self.sonatel),
            ("paytech", self.paytech),
            ("paydunya", self.paydunya),
            ("sms", self.sms),
            ("email", self.email),
        ]
    }

    /// All but that of the API.
    pub fn taken(&self) -> Vec<u16> {
        let fakes = self.fakes().map(|(_, port)| port);
        [self.postgres, self.nats, self.redis, self.smtp].into_iter().chain(fakes).collect()
    }
}

/// Below the range from which the kernel takes ports for outgoing connections, so that a port is still ours tomorrow.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// Whether nobody listens on this port of 127.0.0.1.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// `wanted` when it is free, else another one that is free and not in `taken`.
///
/// # Errors
/// [`Problem::Ports`] when none is found.
pub fn free(wanted: Option<u16>, taken: &[u16]) -> Result<u16, Problem> {
    if let Some(port) = wanted.filter(|port| !taken.contains(port) && is_free(*port)) {
        return Ok(port);
    }
    for _ in 0..2_000 {
        let random = getrandom::u32().map_err(|error| Problem::Random(error.to_string()))?;
        let width = u32::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(random % width).unwrap_or(0);
        if !taken.contains(&port) && is_free(port) {
            return Ok(port);
        }
    }
    Err(Problem::Ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_replaced_and_a_free_one_kept() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = held.local_addr().unwrap().port();
        let other = free(Some(taken), &[]).unwrap();
        assert_ne!(other, taken);
        assert_eq!(free(Some(other), &[]).unwrap(), other);
        assert_ne!(free(Some(other), &[other]).unwrap(), other);
    }
}
