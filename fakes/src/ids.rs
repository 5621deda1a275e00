//! Identifiers in the providers' shapes, from one seed: a run can be repeated.

use std::sync::atomic::{AtomicU64, Ordering};

const LOWER: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A source of identifiers.
#[derive(Debug)]
pub(crate) struct Ids(AtomicU64);

impl Ids {
    /// Starts at `seed`, or at a random place.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(AtomicU64::new(seed.unwrap_or_else(|| getrandom::u64().unwrap_or(0))))
    }

    /// `cos-18qq25rgr100a…`
    pub(crate) fn lower(&self, prefix: &str, length: usize) -> String {
        self.text(prefix, length, LOWER)
    }

    /// `T_46HS5COOWE`
    pub(crate) fn upper(&self, prefix: &str, length: usize) -> String {
        self.text(prefix, length, UPPER)
    }

    fn text(&self, prefix: &str, length: usize, alphabet: &[u8; 36]) -> String {
        let mut text = prefix.to_owned();
        let mut word = 0;
        for position in 0..length {
            // Twelve characters of base 36 fit in 64 bits.
            if position % 12 == 0 {
                word = self.next();
            }
            text.push(char::from(alphabet.get((word % 36) as usize).copied().unwrap_or(b'0')));
            word /= 36;
        }
        text
    }

    /// splitmix64 (Steele, Lea, Flood 2014): every seed gives a full-period, well mixed sequence.
    fn next(&self) -> u64 {
        let state = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst).wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_never_one_twice() {
        let (one, two) = (Ids::new(Some(7)), Ids::new(Some(7)));
        let ids: HashSet<_> = (0..10_000).map(|_| one.lower("cos-", 14)).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.contains(&two.lower("cos-", 14)));
    }
}
