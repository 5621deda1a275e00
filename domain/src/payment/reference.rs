//! Our name for a movement of money at a provider: short, unique, and derived, so that it is known before the call.

use uuid::Uuid;

use super::Reference;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64url (RFC 4648 §5, unpadded) of the UUID: 22 characters. A second and later group of tries gets `-2`, `-3`…
/// behind it; at most 28 characters, of `[A-Za-z0-9_-]` (decisions.md: ≤ 30).
pub fn reference(id: Uuid, attempt: u16) -> Reference {
    let bits = id.as_u128();
    // 128 bits are 21 whole digits of 6 bits and 2 bits more, which the standard pads with zeros on the right.
    let mut text: String = (0..22)
        .map(|digit| {
            let value = if digit < 21 { bits >> (122 - 6 * digit) } else { bits << 4 };
            char::from(ALPHABET.get((value & 63) as usize).copied().unwrap_or(b'A'))
        })
        .collect();
    if attempt > 1 {
        text.push_str(&format!("-{attempt}"));
    }
    Reference::known(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_base64url_of_the_uuid() {
        let id = Uuid::from_u128(0x0190_a6b2_1111_7222_8333_4444_5555_6666);
        assert_eq!(reference(id, 1).as_str(), "AZCmshERciKDM0REVVVmZg");
        assert_eq!(reference(id, 2).as_str(), "AZCmshERciKDM0REVVVmZg-2");
        assert_eq!(reference(Uuid::from_u128(u128::MAX), u16::MAX).as_str().len(), 28);
        assert_eq!(reference(Uuid::from_u128(u128::MAX), 1).as_str(), "_____________________w");
    }
}
