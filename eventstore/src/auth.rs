//! Signing in: challenges, PINs, passphrases, second factors and sessions. The only writer of schema `auth`.
//!
//! Here, because the API asks and the workers send without seeing each other, and because a session is ended by raising a
//! fence of the lane. What may be tried is said by `domain::sign_in`; here it is counted, before anything is compared.

pub mod challenge;
mod counters;
pub mod hasher;
pub mod invitation;
pub mod secret;
pub mod session;
mod sweep;
pub mod totp;

use thiserror::Error;

pub use hasher::{Hasher, Hashing};
pub use sweep::sweep;

/// Why nothing was compared.
#[derive(Debug, Error)]
pub enum AuthError {
    #[error("the database cannot be reached")]
    Database(#[from] sqlx::Error),
    /// Hashing is what takes long here, so it is what is bounded.
    #[error("too many are signing in at this moment")]
    Busy,
    #[error("a secret cannot be hashed")]
    Hashing,
}
