//! The secrets that are kept outside the database.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 32 secret bytes, wiped from memory when dropped and never printed.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// Two secrets. `master` wraps the data key of every subject; `lookup` keys the hashes by which people, idempotency keys
/// and API keys are found. The second cannot be changed without hashing everything again, the first can be rotated.
#[derive(Clone)]
pub struct Keyring {
    master: Key,
    older: Vec<Key>,
    lookup: Key,
}

impl Keyring {
    /// Both secrets are 32 bytes from a cryptographic random generator.
    pub fn new(master: [u8; 32], lookup: [u8; 32]) -> Self {
        Self { master: Zeroizing::new(master), older: Vec::new(), lookup: Zeroizing::new(lookup) }
    }

    /// A former master key: what it wrapped can still be opened, nothing new is wrapped by it.
    #[must_use]
    pub fn with_older_master(mut self, master: [u8; 32]) -> Self {
        self.older.push(Zeroizing::new(master));
        self
    }

    /// HMAC-SHA-256 under the lookup secret. `purpose` separates uses: the hash of a telephone number is not the hash
    /// of the same text as an API key.
    pub fn hash(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        mac(&self.lookup, &[purpose.as_bytes(), &[0], bytes])
    }

    /// The key under which the store seals what belongs to no person.
    pub(crate) fn store_key(&self) -> Key {
        Zeroizing::new(mac(&self.lookup, &[b"kalel/store/v1"]))
    }

    /// The wrapping key in use, with the name under which rows remember it.
    pub(crate) fn wrapping(&self) -> (String, Key) {
        (name(&self.master), wrapping_key(&self.master))
    }

    /// The wrapping key of a name, if this keyring still has it.
    pub(crate) fn wrapping_named(&self, wanted: &str) -> Option<Key> {
        std::iter::once(&self.master).chain(&self.older).find(|key| name(key) == wanted).map(wrapping_key)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}

fn wrapping_key(master: &Key) -> Key {
    Zeroizing::new(mac(master, &[b"kalel/wrap/v1"]))
}

/// Says which key it was without telling anything about it.
fn name(master: &Key) -> String {
    let digest = mac(master, &[b"kalel/name/v1"]);
    hex::encode(digest.get(..6).unwrap_or_default())
}

fn mac(key: &Key, parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail; a zero MAC would only ever find nothing.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_slice()) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_separate_hashes() {
        let keyring = Keyring::new([1; 32], [2; 32]);
        assert_ne!(keyring.hash("phone", b"+221771234567"), keyring.hash("key", b"+221771234567"));
        assert_eq!(keyring.hash("phone", b"x"), Keyring::new([9; 32], [2; 32]).hash("phone", b"x"));
    }

    #[test]
    fn a_rotated_master_still_opens_what_it_wrapped() {
        let (old, _) = Keyring::new([1; 32], [2; 32]).wrapping();
        let rotated = Keyring::new([3; 32], [2; 32]).with_older_master([1; 32]);
        assert!(rotated.wrapping_named(&old).is_some());
        assert_ne!(rotated.wrapping().0, old);
        assert!(Keyring::new([3; 32], [2; 32]).wrapping_named(&old).is_none());
    }
}
