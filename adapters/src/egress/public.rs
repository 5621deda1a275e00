//! Which addresses are on the public internet (IANA special-purpose registries for IPv4 and IPv6, of 2025).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of IPv4 that lead nowhere public.
const CLOSED_V4: &[(Ipv4Addr, u32)] = &[
    // "This network".
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private (RFC 1918).
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Behind a carrier's translation (RFC 6598); a cloud's metadata at 100.100.100.200.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local; metadata of most clouds at 169.254.169.254.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Azure's metadata and resolver: the one that looks public.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // IETF protocol assignments; a cloud's metadata at 192.0.0.192.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation (RFC 5737).
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Relays of 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarks (RFC 2544).
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Multicast, reserved, broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// All that is public in IPv6 lies in here…
const OPEN_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// …but for these. What wraps IPv4 (mapped, translated by NAT64, compatible), loopback, link-local, site-local, unique
/// local and multicast addresses lie outside.
const CLOSED_V6: &[(Ipv6Addr, u32)] = &[
    // IETF protocol assignments: Teredo wraps IPv4, ORCHID is no address.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4 wraps IPv4.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

/// Whether an address may belong to somebody on the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !CLOSED_V4.iter().any(|(block, bits)| holds_v4(*block, *bits, ip)),
        IpAddr::V6(ip) => {
            holds_v6(OPEN_V6.0, OPEN_V6.1, ip) && !CLOSED_V6.iter().any(|(block, bits)| holds_v6(*block, *bits, ip))
        }
    }
}

fn holds_v4(block: Ipv4Addr, bits: u32, ip: Ipv4Addr) -> bool {
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    block.to_bits() & mask == ip.to_bits() & mask
}

fn holds_v6(block: Ipv6Addr, bits: u32, ip: Ipv6Addr) -> bool {
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    block.to_bits() & mask == ip.to_bits() & mask
}
