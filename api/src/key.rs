//! API keys: granted and revoked by the admin. The secret is shown once and never stored.

mod grant;
mod revoke;

use crate::http::operation::Operation;

pub use grant::new_secret;

pub const OPERATIONS: &[&Operation] = &[&grant::GRANT, &revoke::REVOKE];
