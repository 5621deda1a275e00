//! Another number: by whoever is signed in and has their PIN, a day after the number that they have now was told.

use axum::http::{Method, StatusCode, header};
use domain::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    client::{self, Client, NewNumber, Stopped},
    ids::{ClientId, NumberChangeId, SecretId},
    sealed::field,
    sign_in::{Purpose, WAIT},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    challenge::{Proven, proven, use_up},
    http::{
        call::Call,
        command::{Attempt, Tries},
        form,
        halt::Halt,
        limits,
        operation::{Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    recovery::refused,
    session::{OWN, compare, own},
    shape::utc_text,
};

pub const CHANGE_NUMBER: Operation = Operation {
    id: "client.change_number",
    path: "/v1/clients/{id}/number-change",
    summary: "Be known by another number",
    about: "With the PIN, and a challenge of purpose `change_number` that was proven at the new number with the device that is signed \
            in. The number that there is gets a message with a link that stops it; a day later, at `ready_at`, the new one takes its \
            place. Meanwhile, and for a day after, no money goes back by another way than it came. A number by which somebody else \
            is known stays theirs: they are told that it was wanted, and the answer is the same. Again takes the place of the one \
            before.",
    authz: OWN,
    limit: limits::Purpose::Call,
    // A challenge begins one change.
    idempotent: false,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<ChangeNumber>()),
    success: Success {
        status: 202,
        shape: Some(Shape::of::<NumberChangeBody>()),
        about: "It waits.",
        ..Operation::READ.success
    },
    refusals: &[
        "challenge.over",
        "challenge.not_proven",
        "pin.wrong",
        "pin.locked",
        "pin.required",
        "client.same_number",
        "client.cooling_off",
        "recovery.waiting",
    ],
    run: |call| Box::pin(change(call)),
    ..Operation::WRITE
};

pub const KEEP_NUMBER: Operation = Operation {
    id: "client.keep_number",
    method: Method::DELETE,
    path: "/v1/clients/{id}/number-change",
    summary: "Keep the number that you have",
    about: "Stops the change that waits, if one does.",
    authz: OWN,
    limit: limits::Purpose::Call,
    idempotent: false,
    if_match: IfMatch::Ignored,
    success: Success { status: 204, about: "None waits any more.", ..Operation::READ.success },
    run: |call| Box::pin(keep(call)),
    ..Operation::WRITE
};

/// A number that was proven, and the PIN.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeNumber {
    challenge_id: Uuid,
    /// Ed25519 over `sign` of the challenge, 64 bytes in base64url.
    #[schema(min_length = 86, max_length = 86, pattern = "^[A-Za-z0-9_-]{85}[AQgw]$")]
    #[serde(deserialize_with = "form::signature")]
    signature: String,
    #[schema(min_length = 4, max_length = 6, pattern = "^[0-9]{4,6}$")]
    #[serde(deserialize_with = "form::pin")]
    pin: String,
}

impl Exemplary for ChangeNumber {
    fn example() -> Value {
        json!({
            "challenge_id": "019ab2c4-5f00-7000-8000-0000000000c4",
            "signature": "A".repeat(86),
            "pin": "739164",
        })
    }
}

/// Another number waits.
#[derive(Serialize, ToSchema)]
#[schema(as = NumberChange)]
pub struct NumberChangeBody {
    object: &'static str,
    id: Uuid,
    /// When it takes the place of the one that there is.
    #[schema(format = "date-time")]
    ready_at: String,
    #[schema(format = "date-time")]
    created_at: String,
}

impl NumberChangeBody {
    fn of(id: NumberChangeId, now: Timestamp) -> Self {
        Self { object: "number_change", id: id.uuid(), ready_at: utc_text(now + WAIT), created_at: utc_text(now) }
    }
}

impl Exemplary for NumberChangeBody {
    fn example() -> Value {
        json!({
            "object": "number_change",
            "id": "019ab2c4-5f00-7000-8000-00000000c4a6",
            "ready_at": "2026-11-29T12:00:00Z",
            "created_at": "2026-11-28T12:00:00Z",
        })
    }
}

/// The client who is signed in, when it is about them.
fn themselves(call: &Call) -> Result<ClientId, Halt> {
    let (own, id) = (own(call)?, ClientId::new(call.uuid("id")?));
    if own.subject.uuid() == id.uuid() { Ok(id) } else { Err(Problem::new("object.not_found").into()) }
}

async fn change(call: Call) -> Result<Reply, Halt> {
    let id = themselves(&call)?;
    let body: ChangeNumber = call.body()?;
    let proven = proven(&call.app, body.challenge_id, &body.signature, Purpose::ChangeNumber).await?;
    let known: Loaded<Client> = call.app.store.load(id).await?;
    // By the telephone that they are signed in with, and no other.
    let device = own(&call)?.device.and_then(|device| known.state.devices.get(&device));
    if device.is_none_or(|device| device.key != proven.device_key) {
        return Err(Problem::new("challenge.over").into());
    }
    let Some(pin) = known.state.pin else { return Err(Problem::new("pin.required").into()) };
    compare(&call, pin, &body.pin, false).await?;
    begin(&call, id, pin, &proven).await
}

async fn begin(call: &Call, id: ClientId, pin: SecretId, proven: &Proven) -> Result<Reply, Halt> {
    let store = &call.app.store;
    let change_id = NumberChangeId::new(call.new_id());
    let (mut tries, mut used) = (Tries::default(), false);
    loop {
        let (client, now): (Loaded<Client>, _) = (store.load(id).await?, call.now());
        // Somebody else changed it meanwhile: what was compared counts no longer.
        if client.state.pin != Some(pin) {
            return Err(Problem::new("version.conflict").retry_after(1).into());
        }
        let holder = store.holder_of(client::PHONE, &proven.phone_hash.0).await?;
        let (by, decision) = match holder.filter(|holder| *holder != id.uuid()) {
            // The same answer: nobody learns here who has an account.
            Some(holder) => {
                let holder: Loaded<Client> = store.load(ClientId::new(holder)).await?;
                (Actor::SYSTEM, client::number_wanted(&client, &holder, now).map_err(refused)?)
            }
            None => {
                let phone = store.subjects().seal(id.uuid(), field::PHONE, proven.phone.e164()).await?;
                let number = NewNumber { change_id, phone_hash: proven.phone_hash.clone(), phone };
                let by = call.actor();
                (by, client::begin_number_change(&client, number, by, now).map_err(refused)?)
            }
        };
        if !used {
            use_up(call, proven.id).await?;
            used = true;
        }
        match call.append_as(by, decision, None).await? {
            Attempt::Written(written) => {
                let reply = Reply::json(StatusCode::ACCEPTED, &NumberChangeBody::of(change_id, now))?;
                return Ok(reply.header(header::CACHE_CONTROL, "no-store").position(written.position));
            }
            Attempt::Moved => tries.again()?,
            Attempt::Guarded(refusal) => return Err(Halt::refused(refusal)),
        }
    }
}

async fn keep(call: Call) -> Result<Reply, Halt> {
    let id = themselves(&call)?;
    let mut tries = Tries::default();
    loop {
        let client: Loaded<Client> = call.app.store.load(id).await?;
        let decision = client::cancel_number_change(&client, None, Stopped::Asked, call.actor(), call.now());
        if decision.is_nothing() {
            return Ok(Reply::empty(StatusCode::NO_CONTENT));
        }
        if let Some(written) = call.write(decision, None).await? {
            return Ok(Reply::empty(StatusCode::NO_CONTENT).position(written.position));
        }
        tries.again()?;
    }
}
