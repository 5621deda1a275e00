//! Telephone numbers in E.164. The national rules (which numbers are mobiles) are checked at the edge by a numbering-plan
//! library; here is only the shape that everything inside relies on.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Not the shape of a number; whether it is a mobile of its country is asked at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be an international number: + and 8 to 15 digits (E.164)")]
pub struct PhoneError;

/// `+221771234567`. Personal: never in an event or a log line in the clear.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// # Errors
    /// [`PhoneError`] unless `+` and 8 to 15 digits, the first not 0.
    pub fn new(e164: &str) -> Result<Self, PhoneError> {
        let digits = e164.strip_prefix('+').ok_or(PhoneError)?;
        let shape =
            (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if shape { Ok(Self(e164.to_owned())) } else { Err(PhoneError) }
    }

    /// In the clear: for a provider or for sealing, never for a log line (ITU-T E.164).
    pub fn e164(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The last two digits are enough to tell two apart in a log.
        write!(f, "Phone(…{})", self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default())
    }
}

/// HMAC-SHA-256 of an E.164 number under a key kept outside the database, in lower-case hex: finds a person without
/// telling who they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneHash(pub String);
