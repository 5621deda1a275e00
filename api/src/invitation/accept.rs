//! They come.

use axum::http::StatusCode;
use domain::{account, account::Account, actor::Actor, aggregate::Loaded, ids::SecretId, sign_in::Passphrase};
use eventstore::auth::{invitation, secret, session, totp, tries};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::standing;
use crate::{
    http::{
        address::neighbours,
        call::Call,
        command::{Attempt, Tries},
        form,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    session::{OpenedBody, ended_at_once},
};

pub const ACCEPT: Operation = Operation {
    id: "invitation.accept",
    path: "/v1/invitations/acceptance",
    summary: "Accept an invitation",
    about: "With a passphrase of their choice (12 characters at least, four words are best) and a code of the app that was set up with \
            `POST /v1/invitations/enrolment`. They are signed in with it.",
    authz: Authz::Anyone,
    idempotent: false,
    body: Some(Shape::of::<AcceptInvitation>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<OpenedBody>()),
        about: "They work here now.",
        ..Operation::READ.success
    },
    refusals: &["invitation.over", "invitation.not_enrolled", "invitation.wrong_code", "passphrase.too_weak"],
    run: |call| Box::pin(accept(call)),
    ..Operation::WRITE
};

/// The token of the mail, and what they will sign in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    #[serde(deserialize_with = "form::token")]
    token: String,
    #[schema(min_length = 12, max_length = 200)]
    passphrase: String,
    #[schema(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$")]
    #[serde(deserialize_with = "form::six_digits")]
    totp: String,
}

impl Exemplary for AcceptInvitation {
    fn example() -> Value {
        json!({
            "token": "ki_6mM4oSSuPpqvyGzXCRnHMPa1ow0QqKdYxZTWNVOcb3E", "passphrase": "cheval pile agrafe correcte",
            "totp": "042917",
        })
    }
}

async fn accept(call: Call) -> Result<Reply, Halt> {
    let body: AcceptInvitation = call.body()?;
    let chosen = Passphrase::new(&body.passphrase)
        .map_err(|weak| Problem::new("passphrase.too_weak").at("/passphrase", weak.to_string()))?;
    let invited = standing(&call.app, &body.token).await?;
    let Some(factor) = invited.totp else { return Err(Problem::new("invitation.not_enrolled").into()) };
    let store = &call.app.store;
    if !totp::check(store, factor, &body.totp).await.map_err(Problem::from)? {
        return Err(Problem::new("invitation.wrong_code").into());
    }
    let passphrase = SecretId::new(call.new_id());
    secret::keep(store, invited.account.uuid(), passphrase, chosen.expose()).await.map_err(Problem::from)?;
    let mut tries = Tries::default();
    let written = loop {
        let account: Loaded<Account> = store.load(invited.account).await?;
        let decision = account::accept(&account, passphrase, factor, call.now())?;
        let Some(duty) = account.state.duty.clone() else { return Err(Problem::new("invitation.over").into()) };
        let actor = Actor::new(duty.role, account.id);
        match call.append_as(actor, decision, None).await? {
            Attempt::Written(written) => break (written, duty.role),
            Attempt::Moved | Attempt::Guarded(_) => tries.again()?,
        }
    };
    // The log says that it was accepted, and nobody accepts twice; this is so that the token is over at once.
    invitation::use_up(store, invited.account).await.map_err(eventstore::ReadError::from)?;
    let (written, role) = written;
    let around = neighbours(call.address).to_string();
    tries::trust(store, invited.account, &around).await.map_err(Problem::from)?;
    let opened = session::open(store, invited.account, role, None).await.map_err(eventstore::ReadError::from)?;
    // Suspended in the moment in which they came.
    let now: Loaded<Account> = store.load(invited.account).await?;
    if now.state.working().is_none() || now.state.passphrase != Some(passphrase) {
        return Err(ended_at_once(store, &opened, "invitation.over").await);
    }
    Ok(OpenedBody::reply(opened, StatusCode::CREATED)?.position(written.position))
}
