//! Where a request comes from. An address is a person's: it is used to count with, as a keyed hash, and written nowhere.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize, de};

/// A network: an address, and how many of its bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    bits: u32,
}

impl Cidr {
    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.network.is_ipv4() && masked(address, self.bits) == self.network
    }
}

/// An address without the bits that do not count.
fn masked(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no network such as 10.0.0.0/8 or 2001:db8::/32");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let network: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if network.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most || masked(network, bits) != network {
            return Err(wrong());
        }
        Ok(Self { network, bits })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.bits)
    }
}

impl Serialize for Cidr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Who is at the other end: the peer of the connection, or, as long as that is a trusted proxy, whom it names last in
/// `X-Forwarded-For`. What somebody else wrote there is not believed.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
    let trusts = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !trusts(client) {
            break;
        }
        // Unreadable: nobody before it can be believed either.
        let Some(address) = address(hop.trim()) else { break };
        client = address;
    }
    client
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    parsed.map(|address| address.to_canonical())
}

/// What one subscriber has: an IPv4 address, or the first 64 bits of an IPv6 one.
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => masked(IpAddr::V6(address), 64),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The network around a subscriber: what one operator hands out side by side (`/24`, `/48`; reliability.md §4.1).
pub fn neighbours(address: IpAddr) -> IpAddr {
    let bits = if address.is_ipv4() { 24 } else { 48 };
    masked(address, bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn networks(texts: &[&str]) -> Vec<Cidr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn forwarded(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_last_hop_that_is_not_ours_is_the_client() {
        let ours = networks(&["10.0.0.0/8", "fd00::/8"]);
        for (peer, lines, client_is) in [
            // Straight from outside: what it claims is not read.
            ("196.207.0.1", &["1.2.3.4"][..], "196.207.0.1"),
            ("10.0.0.1", &[][..], "10.0.0.1"),
            ("10.0.0.1", &["196.207.0.1"][..], "196.207.0.1"),
            // Forged by the client, then one proxy, then another.
            ("10.0.0.1", &["1.2.3.4, 196.207.0.1, 10.0.0.2"][..], "196.207.0.1"),
            ("10.0.0.1", &["1.2.3.4", "196.207.0.1,10.0.0.2"][..], "196.207.0.1"),
            ("::ffff:10.0.0.1", &["[2001:db8::1]:4711"][..], "2001:db8::1"),
            ("fd00::1", &["196.207.0.1:80"][..], "196.207.0.1"),
            // Nonsense hides nobody: the proxy that passed it on is who is known.
            ("10.0.0.1", &["196.207.0.1, unknown"][..], "10.0.0.1"),
            ("10.0.0.1", &["196.207.0.1, unknown, 10.0.0.2"][..], "10.0.0.2"),
            // All of them are ours.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"][..], "10.0.0.3"),
        ] {
            assert_eq!(client(ip(peer), &forwarded(lines), &ours), ip(client_is), "{peer} {lines:?}");
        }
        assert_eq!(client(ip("10.0.0.1"), &forwarded(&["1.2.3.4"]), &[]), ip("10.0.0.1"));
    }

    #[test]
    fn a_subscriber_of_ipv6_is_a_64() {
        assert_eq!(subscriber(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
        assert_eq!(subscriber(ip("2001:db8:1:2:ffff::")), subscriber(ip("2001:db8:1:2::1")));
        assert_ne!(subscriber(ip("2001:db8:1:3::1")), subscriber(ip("2001:db8:1:2::1")));
        assert_eq!(subscriber(ip("196.207.0.1")), ip("196.207.0.1"));
        assert_eq!(subscriber(ip("::ffff:196.207.0.1")), ip("196.207.0.1"));
    }

    #[test]
    fn networks_are_read_strictly() {
        for wrong in
            ["", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "::/129", "2001:db8::1/64"]
        {
            assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
        }
        let all: Cidr = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains(ip("255.255.255.255")) && all.contains(ip("::ffff:1.2.3.4")) && !all.contains(ip("::1")));
        let one: Cidr = "192.0.2.7".parse().unwrap();
        assert!(one.contains(ip("192.0.2.7")) && !one.contains(ip("192.0.2.8")));
        assert_eq!(one.to_string(), "192.0.2.7/32");
    }
}
