//! Text that people typed: trimmed, in Unicode normal form C, bounded, without control characters.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TextError {
    #[error("must not be empty")]
    Empty,
    #[error("must be at most {0} characters")]
    TooLong(usize),
    #[error("must not contain control or direction-changing characters")]
    Control,
    #[error("must be 1 to {0} lower-case letters, digits or inner hyphens")]
    NotASlug(usize),
    #[error("must be 3 to {0} letters, digits or inner hyphens")]
    NotACode(usize),
}

/// One line of at most `MAX` characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

/// A name: 120 characters.
pub type Name = Text<120>;
/// A sentence or two: 500 characters.
pub type Note = Text<500>;

impl<const MAX: usize> Text<MAX> {
    /// # Errors
    /// [`TextError`] when nothing is left after trimming, or the text, as it was typed, is too long, or it holds control
    /// characters.
    pub fn new(raw: &str) -> Result<Self, TextError> {
        if raw.len() > MAX && raw.chars().count() > MAX {
            return Err(TextError::TooLong(MAX));
        }
        let text = composed(raw.trim());
        Self::check(&text)?;
        Ok(Self(text.into_owned()))
    }

    /// Of a text that is trimmed and composed.
    fn check(text: &str) -> Result<(), TextError> {
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        // No text has more characters than bytes.
        if text.len() > MAX && text.chars().count() > MAX {
            return Err(TextError::TooLong(MAX));
        }
        if text.chars().any(is_control) {
            return Err(TextError::Control);
        }
        Ok(())
    }

    /// A text that is right by construction: made here, of known characters and length.
    pub(crate) const fn known(text: String) -> Self {
        Self(text)
    }

    /// Somebody else's words (a provider's reason) as far as they can be kept: control characters dropped, cut to length.
    /// A hyphen when nothing is left.
    pub fn kept_of(raw: &str) -> Self {
        let kept: String = composed(raw).chars().filter(|c| !is_control(*c)).collect();
        let kept: String = kept.trim().chars().take(MAX).collect();
        let kept = kept.trim_end();
        Self(if kept.is_empty() { "-".to_owned() } else { kept.to_owned() })
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// In normal form C. Nearly every text is already, and every one that comes out of the log: to find that out takes a
/// fraction of the time that composing it anew takes.
fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

fn is_control(c: char) -> bool {
    // Direction overrides and isolates let a name rewrite the line it is shown in.
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextError;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        // What comes out of the log is right already: it is kept instead of copied.
        if matches!(composed(raw.trim()), Cow::Borrowed(text) if text.len() == raw.len()) {
            Self::check(&raw)?;
            return Ok(Self(raw));
        }
        Self::new(&raw)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name for addresses and paths: `temple-du-foot`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    pub const MAX: usize = 60;

    /// # Errors
    /// [`TextError::NotASlug`] unless it is 1–60 of `a–z`, `0–9` and inner `-`, and cannot be read as a UUID.
    pub fn new(raw: &str) -> Result<Self, TextError> {
        let shape = !raw.is_empty()
            && raw.len() <= Self::MAX
            && raw.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !raw.starts_with('-')
            && !raw.ends_with('-');
        // A path segment is a slug or a UUID, never both.
        if shape && uuid::Uuid::try_parse(raw).is_err() {
            Ok(Self(raw.to_owned()))
        } else {
            Err(TextError::NotASlug(Self::MAX))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Slug {
    type Error = TextError;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        Self::new(&raw)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_and_normalised() {
        assert_eq!(Name::new("  Sacre\u{301}-Cœur ").map(String::from), Ok("Sacré-Cœur".to_owned()));
    }

    #[test]
    fn control_and_direction_characters_are_refused() {
        assert_eq!(Name::new("a\nb"), Err(TextError::Control));
        assert_eq!(Name::new("a\u{202E}b"), Err(TextError::Control));
    }

    #[test]
    fn words_of_others_are_kept_as_far_as_they_can_be() {
        for (raw, kept) in
            [(" insufficient\nfunds\u{202E} ", "insufficie"), ("\u{0}", "-"), ("", "-"), ("abcdefghi klm", "abcdefghi")]
        {
            let text = Text::<10>::kept_of(raw);
            assert_eq!(text.as_str(), kept);
            assert_eq!(Text::<10>::new(text.as_str()), Ok(text.clone()));
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_known_to_be_composed_is(text in "[ -~]{0,20}|\\PC{0,20}|[aeiouc\u{300}-\u{330}]{0,20}") {
            let by_the_book: String = text.nfc().collect();
            proptest::prop_assert_eq!(composed(&text), by_the_book.as_str());
        }
    }

    #[test]
    fn a_uuid_is_not_a_slug() {
        assert!(Slug::new("temple-du-foot").is_ok());
        assert!(Slug::new("0190a6b2-1111-7222-8333-444455556666").is_err());
        assert!(Slug::new("Temple").is_err());
    }
}
