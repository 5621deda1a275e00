//! Free ports on the loopback interface, the same again at the next start when they are still free.

use std::net::{Ipv4Addr, TcpListener};

use super::Problem;

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
