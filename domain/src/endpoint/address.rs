//! Where events are sent: an absolute http(s) address, as it was given.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bytes of an address.
const LONGEST: usize = 500;

/// Why a text is not an address that events can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    #[error("must be an absolute http or https address")]
    NotAbsolute,
    #[error("must be at most {LONGEST} characters")]
    TooLong,
    #[error("must hold visible ASCII only, as it is sent")]
    Unsendable,
    /// A name and a password would stand in the log.
    #[error("must hold neither a name nor a password")]
    UserInfo,
    #[error("must have no part after #")]
    Fragment,
}

/// `https://host[:port]/path?query`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

impl Address {
    /// # Errors
    /// [`AddressError`].
    pub fn new(text: &str) -> Result<Self, AddressError> {
        if text.len() > LONGEST {
            return Err(AddressError::TooLong);
        }
        // What one reader of addresses takes for a slash another does not.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('\\') {
            return Err(AddressError::Unsendable);
        }
        if text.contains('#') {
            return Err(AddressError::Fragment);
        }
        let authority = authority(text).ok_or(AddressError::NotAbsolute)?;
        if authority.contains('@') {
            return Err(AddressError::UserInfo);
        }
        let host = host(authority);
        if host.is_empty() || host.contains('%') {
            return Err(AddressError::NotAbsolute);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is sent there is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether it names this very machine: where the fakes of a test log listen.
    pub fn is_loopback(&self) -> bool {
        authority(&self.0).is_some_and(|authority| matches!(host(authority), "localhost" | "127.0.0.1" | "[::1]"))
    }
}

fn authority(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    rest.split(['/', '?']).next()
}

/// Without the port; a literal of IPv6 with its brackets.
fn host(authority: &str) -> &str {
    match authority.find(']') {
        Some(end) => authority.get(..=end).unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::new(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
