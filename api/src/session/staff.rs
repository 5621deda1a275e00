//! Signing in of whoever works here: what they know and what they have.

use adapters::email::address;
use axum::http::StatusCode;
use domain::{
    Timestamp,
    account::{Account, EMAIL},
    aggregate::Loaded,
    ids::{PrincipalId, SecretId},
};
use eventstore::auth::{
    secret::{self, Compared},
    session, totp,
    tries::{self, Attempt, Factors, Tried},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{OpenedBody, ended_at_once, own};
use crate::{
    account::STAFF,
    http::{
        address::neighbours,
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
    about: "With address, passphrase and a code of the authenticator app, each of which counts once. What is wrong is not said, nor \
            whether anybody has the address. Five wrong ones in a row from one network rest there for a quarter of an hour, ten for \
            a day; elsewhere the person signs in. Many wrong ones from everywhere make strangers wait, up to a quarter of an hour; \
            where somebody signed in within 90 days they are no stranger.",
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
    let email = address(&body.email).unwrap_or_else(|_| body.email.clone());
    let known = store.holder_of(EMAIL, &store.subjects().hash_email(&email).0).await?;
    // Nobody's account is looked for as well: no answer is faster for being nobody.
    let account: Loaded<Account> = store.load(PrincipalId::new(known.unwrap_or_default())).await?;
    let factors = account.state.passphrase.zip(account.state.totp);
    let attempt = Attempt {
        email: &email,
        account: factors.map(|(passphrase, totp)| Factors { account: account.id, passphrase, totp }),
        address: &call.address.to_string(),
        neighbours: &neighbours(call.address).to_string(),
    };
    match tries::sign_in(store, &attempt, &body.passphrase, &body.totp).await.map_err(Problem::from)? {
        Tried::Right => {}
        Tried::Held(until) => return Err(locked(&call, Some(until)).into()),
        Tried::Wrong { half } => {
            if half {
                metrics::counter!("kalel_staff_codes_wrong_total").increment(1);
                tracing::warn!(account = %account.id, "somebody has the passphrase of an account, and not its code");
            }
            return Err(Problem::new(REFUSED).into());
        }
    }
    // Told only to who has proven to be them.
    let duty = account.state.working().ok_or_else(|| Problem::new("account.suspended"))?;
    let opened = session::open(store, account.id, duty.role, None).await.map_err(eventstore::ReadError::from)?;
    // Another passphrase, a suspension or another role, since they were looked at: what ended their sessions may not have seen
    // this one.
    let now: Loaded<Account> = store.load(account.id).await?;
    if now.version != account.version {
        return Err(ended_at_once(store, &opened, REFUSED).await);
    }
    Ok(OpenedBody::reply(opened, StatusCode::CREATED)?)
}

/// Nothing was compared, or it counts for nothing, until then.
fn locked(call: &Call, until: Option<Timestamp>) -> Problem {
    let wait = until.map_or(60, |until| call.seconds_until(until));
    Problem::new("session.locked").with("seconds", wait).retry_after(wait)
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
        let address = call.address.to_string();
        secret::compare_with(store, known, passphrase, &address, async || totp::check(store, factor, code).await).await
    };
    match both(known, factor).await.map_err(Problem::from)? {
        Compared::Right => Ok(()),
        Compared::Wrong { .. } => Err(refused().into()),
        Compared::Locked { until, .. } => Err(locked(call, until).into()),
    }
}
