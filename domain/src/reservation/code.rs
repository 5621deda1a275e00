//! The short code a client says at the gate.

use super::Code;

/// Capitals and digits without the look-alikes 0 O, 1 I.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

impl Code {
    pub const LENGTH: usize = 6;

    /// A code out of random bits that the edge drew: 32^6 codes, each as likely as another.
    pub fn of(random: u64) -> Self {
        let mut rest = random;
        let text = (0..Self::LENGTH).map(|_| {
            let digit = (rest % 32) as usize;
            rest /= 32;
            char::from(ALPHABET.get(digit).copied().unwrap_or(b'A'))
        });
        Self(text.collect())
    }

    /// As people type it: any case, with spaces or hyphens between. `None` when it cannot be a code.
    pub fn read(typed: &str) -> Option<Self> {
        let code: String = typed.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()).collect();
        let shape = code.len() == Self::LENGTH && code.bytes().all(|b| ALPHABET.contains(&b));
        shape.then_some(Self(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        assert_eq!(Code::read(" k7m-2qx "), Some(Code("K7M2QX".to_owned())));
        assert_eq!(Code::read("K7M2Q"), None);
        assert_eq!(Code::read("K7M2Q0"), None);
    }

    #[test]
    fn every_code_made_can_be_read() {
        for random in [0, 1, 31, 32, 1_073_741_823, u64::MAX] {
            let code = Code::of(random);
            assert_eq!(Code::read(&code.0), Some(code));
        }
    }
}
