//! Secrets from configuration: never empty, never printed.

use std::fmt;

use serde::Deserialize;
use thiserror::Error;

/// A secret was configured as nothing: everything that relies on it must stay shut (an empty HMAC key verifies for all).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must not be empty")]
pub struct Empty;

/// A key or password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Secret(String);

impl Secret {
    /// # Errors
    /// [`Empty`] when nothing is left after trimming.
    pub fn new(text: &str) -> Result<Self, Empty> {
        let text = text.trim();
        if text.is_empty() { Err(Empty) } else { Ok(Self(text.to_owned())) }
    }

    /// The secret itself, for the one place that sends or compares it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Secret {
    type Error = Empty;

    fn try_from(text: String) -> Result<Self, Empty> {
        Self::new(&text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_does_not_exist_and_a_real_one_is_not_printed() {
        assert_eq!(Secret::new(" \n"), Err(Empty));
        assert_eq!(format!("{:?}", Secret::new("wave_sn_prod_x").unwrap()), "Secret(…)");
    }
}
