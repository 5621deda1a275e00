//! Whoever was invited comes: with the token of their mail, a passphrase, and an authenticator app.

mod accept;
mod enrol;

use eventstore::auth::invitation::{self, Standing};

use crate::{App, http::operation::Operation, problem::Problem};

pub const OPERATIONS: &[&Operation] = &[&enrol::ENROL, &accept::ACCEPT];

/// The invitation of a token.
///
/// # Errors
/// `invitation.over`: expired, accepted, replaced, or never one of ours.
async fn standing(app: &App, token: &str) -> Result<Standing, Problem> {
    let standing = invitation::find(&app.store, token).await.map_err(eventstore::ReadError::from)?;
    standing.ok_or_else(|| Problem::new("invitation.over"))
}
