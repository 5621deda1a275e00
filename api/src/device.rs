//! Telephones that a client signs in with.

use axum::http::{Method, StatusCode, header};
use domain::{
    aggregate::Loaded,
    client::{self, Client},
    ids::{ClientId, DeviceId, PrincipalId},
    sealed::field,
    sign_in::Purpose,
};
use eventstore::{
    Store,
    auth::{
        challenge,
        session::{self, Which, Why},
    },
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    challenge::ChallengeBody,
    http::{
        call::Call,
        command::Tries,
        halt::Halt,
        operation::{Authz, Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    session::{OWN, own},
    shape::utc_text,
};

pub const OPERATIONS: &[&Operation] = &[&LIST, &RELEASE, &ASK];

pub const LIST: Operation = Operation {
    id: "device.list",
    path: "/v1/devices",
    summary: "Your devices",
    about: "Those that sign in with a PIN and no code; the latest first.",
    authz: OWN,
    success: Success { shape: Some(Shape::of::<DevicesBody>()), about: "Your devices.", ..Operation::READ.success },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

pub const RELEASE: Operation = Operation {
    id: "device.release",
    method: Method::DELETE,
    path: "/v1/devices/{id}",
    summary: "Forget a device",
    about: "Lost, sold or lent: it signs in no longer, and its sessions have ended.",
    authz: OWN,
    idempotent: false,
    if_match: IfMatch::Ignored,
    success: Success { status: 204, about: "It opens nothing any more.", ..Operation::READ.success },
    run: |call| Box::pin(release(call)),
    ..Operation::WRITE
};

pub const ASK: Operation = Operation {
    id: "device.challenge",
    path: "/v1/devices/{id}/challenges",
    summary: "Sign in with a device that is known",
    about: "Nothing is sent: the device signs `sign`, and `POST /v1/sessions` wants the PIN. The answer is the same for a device that \
            nobody has.",
    authz: Authz::Anyone,
    idempotent: false,
    if_match: IfMatch::Ignored,
    success: Success {
        status: 201,
        shape: Some(Shape::of::<ChallengeBody>()),
        about: "What is to be signed.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(ask(call)),
    ..Operation::WRITE
};

/// A telephone that signs in.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceBody {
    object: &'static str,
    id: Uuid,
    name: Option<String>,
    /// It is the one that asks.
    current: bool,
    #[schema(format = "date-time")]
    created_at: String,
}

/// All of them.
#[derive(Serialize, ToSchema)]
#[schema(as = Devices)]
pub struct DevicesBody {
    object: &'static str,
    data: Vec<DeviceBody>,
}

impl Exemplary for DevicesBody {
    fn example() -> Value {
        json!({
            "object": "list",
            "data": [{
                "object": "device",
                "id": "019ab2c4-5f00-7000-8000-00000000de71",
                "name": "Tecno Spark",
                "current": true,
                "created_at": "2026-11-28T12:00:00Z",
            }],
        })
    }
}

async fn list(call: Call) -> Result<Reply, Halt> {
    let own = own(&call)?;
    let client: Loaded<Client> = call.app.store.load(ClientId::new(own.subject.uuid())).await?;
    let data = of(&call, &client, own.device).await?;
    Ok(Reply::json(StatusCode::OK, &DevicesBody { object: "list", data })?)
}

/// The devices of somebody, the latest first, their names opened.
///
/// # Errors
/// When their key cannot be read.
pub async fn of(call: &Call, client: &Loaded<Client>, current: Option<DeviceId>) -> Result<Vec<DeviceBody>, Halt> {
    let mut devices: Vec<_> = client.state.devices.iter().collect();
    devices.sort_by_key(|(id, device)| std::cmp::Reverse((device.bound_at, **id)));
    let mut data = Vec::with_capacity(devices.len());
    for (id, device) in devices {
        let name = match &device.name {
            Some(name) => call.app.store.subjects().open(client.id.uuid(), field::NAME, name).await?,
            None => None,
        };
        let current = current == Some(*id);
        let created_at = utc_text(device.bound_at);
        data.push(DeviceBody { object: "device", id: id.uuid(), name, current, created_at });
    }
    Ok(data)
}

async fn release(call: Call) -> Result<Reply, Halt> {
    let (own, device) = (own(&call)?, DeviceId::new(call.uuid("id")?));
    let store = &call.app.store;
    let mut tries = Tries::default();
    loop {
        let client: Loaded<Client> = store.load(ClientId::new(own.subject.uuid())).await?;
        if !client.state.devices.contains_key(&device) {
            // Released a moment ago, by whoever did not come to the end of it: nothing is signed in with it any more.
            end_of(store, own.subject, device).await?;
            return Err(Problem::new("object.not_found").into());
        }
        let decision = client::release(&client, device, call.actor(), call.now())?;
        if let Some(written) = call.write(decision, None).await? {
            end_of(store, own.subject, device).await?;
            return Ok(Reply::empty(StatusCode::NO_CONTENT).position(written.position));
        }
        tries.again()?;
    }
}

async fn end_of(store: &Store, subject: PrincipalId, device: DeviceId) -> Result<(), Halt> {
    let ended = session::end_all(store, subject, Which::OfDevice(device), Why::Changed).await;
    ended.map_err(eventstore::ReadError::from)?;
    Ok(())
}

async fn ask(call: Call) -> Result<Reply, Halt> {
    let device = DeviceId::new(call.uuid("id")?);
    let store = &call.app.store;
    let key = match store.holder_of(client::DEVICE, &device.to_string()).await? {
        Some(holder) => {
            let client: Loaded<Client> = store.load(ClientId::new(holder)).await?;
            client.state.devices.get(&device).map(|device| device.key.clone())
        }
        None => None,
    };
    // One that nobody can sign for: it costs as much, and opens nothing.
    let key = key.unwrap_or_else(|| client::DeviceKey(String::new()));
    let asked = challenge::ask_device(store, device, &key).await.map_err(eventstore::ReadError::from)?;
    let reply = Reply::json(StatusCode::CREATED, &ChallengeBody::of(&asked, Purpose::SignIn))?;
    Ok(reply.header(header::CACHE_CONTROL, "no-store"))
}
