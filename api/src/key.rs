//! API keys: granted, listed, given another secret and revoked by the admin. The secret is shown once and never stored.

mod grant;
mod list;
mod revoke;
mod rotate;

use crate::http::operation::Operation;

pub use grant::new_secret;

pub const OPERATIONS: &[&Operation] = &[&grant::GRANT, &list::LIST, &list::SHOW, &rotate::ROTATE, &revoke::REVOKE];
