//! A code is given back.

use axum::http::{StatusCode, header};
use domain::{
    aggregate::Loaded,
    client::{self, Client},
    ids::ClientId,
    sign_in::{Denied, Purpose, is_recycled},
};
use eventstore::auth::challenge::{About, Answered, answer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::signed;
use crate::{
    client::last_seen,
    http::{
        call::Call,
        form,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const PROVE: Operation = Operation {
    id: "challenge.prove",
    path: "/v1/challenges/{id}/proof",
    summary: "Give back the code that was sent",
    about: "Five answers, then another code is needed; ten wrong ones a day for a number. Each counts, whatever it is. `next` says \
            what is wanted within ten minutes: of `POST /v1/sessions` a PIN to be chosen, or the one that there is; or \
            what the code was asked for. A code alone opens nothing for somebody who has a PIN.",
    authz: Authz::Anyone,
    idempotent: false,
    body: Some(Shape::of::<ProveChallenge>()),
    success: Success {
        shape: Some(Shape::of::<ProofBody>()),
        about: "The number is theirs.",
        ..Operation::READ.success
    },
    refusals: &["challenge.wrong_code", "challenge.over", "challenge.locked"],
    run: |call| Box::pin(prove(call)),
    ..Operation::WRITE
};

/// The code, and that it is this device which gives it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProveChallenge {
    #[schema(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$")]
    #[serde(deserialize_with = "form::six_digits")]
    code: String,
    /// Ed25519 over `sign` of the challenge, 64 bytes in base64url.
    #[schema(min_length = 86, max_length = 86, pattern = "^[A-Za-z0-9_-]{85}[AQgw]$")]
    #[serde(deserialize_with = "form::signature")]
    signature: String,
}

impl Exemplary for ProveChallenge {
    fn example() -> Value {
        json!({ "code": "042917", "signature": "A".repeat(86) })
    }
}

/// What comes next.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Next {
    /// Nobody is known by this number: a PIN, and a name if they like.
    NewAccount,
    /// They are known, but have no PIN yet: somebody booked for them.
    ChoosePin,
    /// The PIN that they have.
    Pin,
    /// Nobody was here for ninety days: the PIN that they have, or `new_account` when it is not they who were.
    PinOrNewAccount,
    /// `POST /v1/recoveries`, or its completion.
    Recovery,
    /// `POST /v1/clients/{id}/number-change`.
    NumberChange,
}

/// The number was proven.
#[derive(Serialize, ToSchema)]
#[schema(as = Proof)]
pub struct ProofBody {
    object: &'static str,
    status: &'static str,
    next: Next,
}

impl Exemplary for ProofBody {
    fn example() -> Value {
        json!({ "object": "proof", "status": "proven", "next": "choose_pin" })
    }
}

async fn prove(call: Call) -> Result<Reply, Halt> {
    let body: ProveChallenge = call.body()?;
    let known = signed(&call.app, call.uuid("id")?, &body.signature).await?;
    match answer(&call.app.store, &known, &body.code).await.map_err(eventstore::ReadError::from)? {
        Answered::Right => {}
        Answered::Wrong { left } => {
            return Err(Problem::new("challenge.wrong_code")
                .with("tries_left", left)
                .member("tries_left", left)
                .into());
        }
        Answered::Denied(Denied::Over) => return Err(Problem::new("challenge.over").into()),
        Answered::Denied(Denied::Locked { until }) => {
            let wait = call.seconds_until(until);
            return Err(Problem::new("challenge.locked").with("seconds", wait).retry_after(wait).into());
        }
    }
    if known.purpose == Purpose::ChangeNumber {
        return next(Next::NumberChange);
    }
    // Only whoever has the number is told whether anybody is known by it.
    let About::Number(hash, _) = &known.about else { return Err(Problem::new("challenge.over").into()) };
    next(match call.app.store.holder_of(client::PHONE, &hash.0).await? {
        None => Next::NewAccount,
        Some(id) => {
            let client: Loaded<Client> = call.app.store.load(ClientId::new(id)).await?;
            let idle = known.purpose == Purpose::SignIn && idle(&call, client.id).await;
            match (client.state.pin, known.purpose) {
                (None, _) if idle => Next::NewAccount,
                (Some(_), _) if idle => Next::PinOrNewAccount,
                (None, _) => Next::ChoosePin,
                (Some(_), Purpose::Recover) => Next::Recovery,
                (Some(_), _) => Next::Pin,
            }
        }
    })
}

/// Whether the number may be somebody else's by now. While that cannot be told it is not said: who begins anew is asked again.
async fn idle(call: &Call, id: ClientId) -> bool {
    last_seen(call, id).await.is_ok_and(|seen| is_recycled(seen, call.now()))
}

fn next(next: Next) -> Result<Reply, Halt> {
    let reply = Reply::json(StatusCode::OK, &ProofBody { object: "proof", status: "proven", next })?;
    Ok(reply.header(header::CACHE_CONTROL, "no-store"))
}
