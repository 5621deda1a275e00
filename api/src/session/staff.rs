//! Signing in of whoever works here: what they know and what they have.

use adapters::email::address;
use axum::http::StatusCode;
use domain::{
    account::{Account, EMAIL},
    aggregate::Loaded,
    ids::{PrincipalId, SecretId},
};
use eventstore::auth::{
    secret::{self, Compared},
    session, totp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{OpenedBody, own};
use crate::{
    account::STAFF,
    http::{
        call::Call,
        form,
        halt::Halt,
        operation::{Authz, Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::utc_text,
};

pub const OPEN_STAFF: Operation = Operation {
    id: "session.open_staff",
    path: "/v1/sessions/staff",
    summary: "Sign in to work",
    about: "With address, passphrase and a code of the authenticator app, each of which counts once. What is wrong is not said. Five wrong \
            ones in a row rest for a quarter of an hour, ten for a day.",
    authz: Authz::Anyone,
    idempotent: false,
    body: Some(Shape::of::<OpenStaff>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<OpenedBody>()),
        about: "They are signed in.",
        ..Operation::READ.success
    },
    refusals: &["session.refused", "session.locked"],
    run: |call| Box::pin(open(call)),
    ..Operation::WRITE
};

pub const STEP_UP: Operation = Operation {
    id: "session.step_up",
    path: "/v1/sessions/current/step-up",
    summary: "Prove yourself once more",
    about: "Before what moves money or rights: with the passphrase and a code of the app. It lasts five minutes; signing in counts.",
    authz: STAFF,
    idempotent: false,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<StepUp>()),
    success: Success {
        shape: Some(Shape::of::<SteppedUpBody>()),
        about: "For five minutes.",
        ..Operation::READ.success
    },
    refusals: &["passphrase.wrong", "session.locked"],
    run: |call| Box::pin(step_up(call)),
    ..Operation::WRITE
};

/// Who, what they know, and what they have.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenStaff {
    #[schema(max_length = 254)]
    email: String,
    #[schema(max_length = 200)]
    passphrase: String,
    #[schema(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$")]
    #[serde(deserialize_with = "form::six_digits")]
    totp: String,
}

impl Exemplary for OpenStaff {
    fn example() -> Value {
        json!({ "email": "awa@kalel.sn", "passphrase": "cheval pile agrafe correcte", "totp": "042917" })
    }
}

/// What they know, and what they have.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepUp {
    #[schema(max_length = 200)]
    passphrase: String,
    #[schema(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$")]
    #[serde(deserialize_with = "form::six_digits")]
    totp: String,
}

impl Exemplary for StepUp {
    fn example() -> Value {
        json!({ "passphrase": "cheval pile agrafe correcte", "totp": "042917" })
    }
}

/// They have proven themselves.
#[derive(Serialize, ToSchema)]
#[schema(as = SteppedUp)]
pub struct SteppedUpBody {
    object: &'static str,
    #[schema(format = "date-time")]
    until: String,
}

impl Exemplary for SteppedUpBody {
    fn example() -> Value {
        json!({ "object": "step_up", "until": "2026-11-28T12:05:00Z" })
    }
}

async fn open(call: Call) -> Result<Reply, Halt> {
    let body: OpenStaff = call.body()?;
    let store = &call.app.store;
    let known = match address(&body.email) {
        Ok(email) => store.holder_of(EMAIL, &store.subjects().hash_email(&email).0).await?,
        Err(_) => None,
    };
    let account: Option<Loaded<Account>> = match known {
        Some(id) => Some(store.load(PrincipalId::new(id)).await?),
        None => None,
    };
    let account = account.filter(|account| account.state.passphrase.is_some());
    let Some(account) = account else {
        // As long as it takes for somebody who is there.
        secret::compare_with_nothing(store, &body.passphrase).await.map_err(Problem::from)?;
        return Err(Problem::new(REFUSED).into());
    };
    prove_staff(&call, &account, &body.passphrase, &body.totp, REFUSED).await?;
    // Told only to who has proven to be them.
    let duty = account.state.working().ok_or_else(|| Problem::new("account.suspended"))?;
    let opened = session::open(store, account.id, duty.role, None).await.map_err(eventstore::ReadError::from)?;
    Ok(OpenedBody::reply(opened, StatusCode::CREATED)?)
}

async fn step_up(call: Call) -> Result<Reply, Halt> {
    let own = own(&call)?;
    let body: StepUp = call.body()?;
    let account = call.caller.account().ok_or_else(|| Problem::new("session.required"))?;
    prove_staff(&call, account, &body.passphrase, &body.totp, WRONG).await?;
    let at = session::step_up(&call.app.store, own.id).await.map_err(eventstore::ReadError::from)?;
    let until = utc_text(at + domain::sign_in::STEP_UP);
    Ok(Reply::json(StatusCode::OK, &SteppedUpBody { object: "step_up", until })?)
}

/// Said to whoever is not signed in.
const REFUSED: &str = "session.refused";
/// Said to whoever is.
pub const WRONG: &str = "passphrase.wrong";

/// Compares passphrase and code; which of the two is wrong is not said, but with `wrong` that one is.
///
/// # Errors
/// `wrong`, `session.locked`, `server.overloaded`.
pub async fn prove_staff(
    call: &Call,
    account: &Loaded<Account>,
    passphrase: &str,
    code: &str,
    wrong: &str,
) -> Result<(), Halt> {
    let refused = || Problem::new(wrong);
    let (Some(known), Some(factor)) = (account.state.passphrase, account.state.totp) else {
        return Err(refused().into());
    };
    let both = async |known: SecretId, factor: SecretId| {
        let store = &call.app.store;
        secret::compare_with(store, known, passphrase, async || totp::check(store, factor, code).await).await
    };
    match both(known, factor).await.map_err(Problem::from)? {
        Compared::Right => Ok(()),
        Compared::Wrong { .. } => Err(refused().into()),
        Compared::Locked { until, .. } => {
            let problem = Problem::new("session.locked");
            let wait = until.map_or(60, |until| call.seconds_until(until));
            Err(problem.with("seconds", wait).retry_after(wait).into())
        }
    }
}
