//! Personal fields as they stand in events and read models: ciphertext, or a mark of erasure.

use serde::{Deserialize, Serialize};

/// A personal field encrypted under its subject's key (AEAD, AAD = subject and field name), as base64.
/// Only the edge opens it; once the subject's key is destroyed nobody can.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

/// Names of the personal fields: part of the AAD, so a ciphertext cannot be moved to another field.
pub mod field {
    pub const PHONE: &str = "phone";
    pub const NAME: &str = "name";
    pub const EMAIL: &str = "email";
    pub const STATEMENT: &str = "statement";
    /// Where a site is paid: a number, or an account at a bank.
    pub const PAYOUT_ACCOUNT: &str = "payout_account";
}
