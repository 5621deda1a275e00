//! A passphrase: what whoever works here knows, beside a second factor that they have.

use thiserror::Error;

/// Characters.
const SHORTEST: usize = 12;
const LONGEST: usize = 200;

/// A passphrase that may be chosen. Never written down, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

/// It would be guessed, or cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooWeak {
    #[error("a passphrase has at least {SHORTEST} characters; four words are easier to keep in mind than twelve signs")]
    Short,
    #[error("a passphrase has at most {LONGEST} characters")]
    Long,
    #[error("it is one of those that everybody takes, or nearly one character over and over")]
    Common,
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

impl Passphrase {
    /// Any characters, blanks included; only how long it is and how it would be guessed count (NIST SP 800-63B §5.1.1).
    ///
    /// # Errors
    /// [`TooWeak`].
    pub fn new(text: &str) -> Result<Self, TooWeak> {
        let length = text.chars().count();
        if length < SHORTEST {
            return Err(TooWeak::Short);
        }
        if length > LONGEST {
            return Err(TooWeak::Long);
        }
        let plain: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        let mut kinds: Vec<char> = plain.chars().collect();
        kinds.sort_unstable();
        kinds.dedup();
        // `passwordpassword1` is `password`, too: what is left without such words must be something.
        let rest = COMMON.iter().fold(plain, |rest, word| rest.replace(word, ""));
        let common = rest.chars().filter(|c| !c.is_ascii_digit()).count() < 4;
        if kinds.len() < 5 || common { Err(TooWeak::Common) } else { Ok(Self(text.to_owned())) }
    }

    /// For the hasher.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What published lists of long ones are made of, and what people here would take.
const COMMON: &[&str] = &[
    "password",
    "motdepasse",
    "qwertyuiop",
    "azertyuiop",
    "azerty",
    "qwerty",
    "abcdefghijkl",
    "abcdef",
    "iloveyou",
    "jetaime",
    "administrator",
    "administrateur",
    "admin",
    "welcome",
    "bienvenue",
    "letmein",
    "football",
    "kalelsamatch",
    "kalel",
    "senegal",
    "dakar",
    "teranga",
    "liverpool",
    "barcelona",
    "realmadrid",
    "superman",
    "princess",
    "sunshine",
    "trustno",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_and_not_what_everybody_takes() {
        for (text, why) in [
            ("", TooWeak::Short),
            ("court123456", TooWeak::Short),
            ("aaaaaaaaaaaaaaaa", TooWeak::Common),
            ("121212121212121212", TooWeak::Common),
            ("Password12345678", TooWeak::Common),
            ("passwordpassword", TooWeak::Common),
            ("Kalel Sa Match 1", TooWeak::Common),
            ("azertyuiop123456", TooWeak::Common),
            ("DakarSenegal2026", TooWeak::Common),
        ] {
            assert_eq!(Passphrase::new(text).map(drop), Err(why), "{text}");
        }
        for text in ["cheval pile agrafe correcte", "ndank ndank mooy japp golo ci ñaay", "tr0ub4dor&3-xyzzy"] {
            assert_eq!(Passphrase::new(text).unwrap().expose(), text);
        }
        assert_eq!(Passphrase::new(&"ab cd ef ".repeat(30)).map(drop), Err(TooWeak::Long));
        assert_eq!(format!("{:?}", Passphrase::new("cheval pile agrafe correcte").unwrap()), "Passphrase(…)");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = Passphrase::new(&text);
        }
    }
}
