//! Who comes in: found by their number or their device, and believed by their PIN.

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    client::{self, Client, Entry, Language, NewDevice, Person},
    decision::Decision,
    ids::{ClientId, DeviceId, PrincipalId, SecretId},
    phone::PhoneHash,
    sealed::{Sealed, field},
    sign_in::{Pin, Purpose},
};
use eventstore::auth::{
    challenge::{About, Known, Stage},
    secret::{self, Compared},
};

use super::open::OpenSession;
use crate::{
    challenge::{signed, use_up},
    client::last_seen,
    http::{
        call::Call,
        command::{Attempt, Tries},
        halt::Halt,
    },
    problem::Problem,
};

/// Who came in.
pub(super) struct Entered {
    pub(super) client: ClientId,
    pub(super) device: DeviceId,
    /// What they were believed by.
    pub(super) pin: SecretId,
    /// Of the last event, when anything was written.
    pub(super) position: Option<i64>,
}

/// Lets somebody in.
///
/// # Errors
/// `challenge.over`, `challenge.not_proven`, `pin.…`.
pub(super) async fn enter(call: &Call, body: &OpenSession) -> Result<Entered, Halt> {
    let known = signed(&call.app, body.challenge_id, &body.signature).await?;
    // A code for something else opens no session.
    if known.purpose != Purpose::SignIn {
        return Err(over());
    }
    match (known.stage, &known.about) {
        (Stage::Over, _) => Err(over()),
        (Stage::Waiting, _) => Err(Problem::new("challenge.not_proven").into()),
        (Stage::Open, About::Device(device)) => by_device(call, body, &known, *device).await,
        (Stage::Open, About::Number(hash, phone)) => {
            let phone = phone.as_ref().ok_or_else(over)?;
            by_number(call, body, &known, hash, phone.e164()).await
        }
    }
}

fn over() -> Halt {
    Problem::new("challenge.over").into()
}

/// With a device that is bound: its signature and the PIN. Nothing is written.
async fn by_device(call: &Call, body: &OpenSession, known: &Known, device: DeviceId) -> Result<Entered, Halt> {
    let store = &call.app.store;
    let holder = store.holder_of(client::DEVICE, &device.to_string()).await?.ok_or_else(over)?;
    let client: Loaded<Client> = store.load(ClientId::new(holder)).await?;
    let bound = client.state.devices.get(&device).is_some_and(|bound| bound.key == known.device_key);
    let Some(secret) = client.state.pin.filter(|_| bound) else { return Err(over()) };
    compare(call, secret, &body.pin, false).await?;
    use_up(call, known.id).await?;
    Ok(Entered { client: client.id, device, pin: secret, position: None })
}

/// With a code that was given: and the PIN, or, when there is none, one that is chosen.
async fn by_number(
    call: &Call,
    body: &OpenSession,
    known: &Known,
    hash: &PhoneHash,
    phone: &str,
) -> Result<Entered, Halt> {
    let store = &call.app.store;
    let device = DeviceId::new(call.new_id());
    let (mut tries, mut used) = (Tries::default(), false);
    let fresh = ClientId::new(call.new_id());
    let mut chosen: Option<(ClientId, SecretId)> = None;
    let mut believed: Option<SecretId> = None;
    loop {
        let holder = store.holder_of(client::PHONE, &hash.0).await?.map(ClientId::new);
        let (client, released) = match holder {
            Some(id) => theirs(call, store.load(id).await?, fresh, body.new_account).await?,
            None => (Loaded::new(fresh), Decision::nothing()),
        };
        let pin = match client.state.pin {
            // It was compared once; that it was decided again is no reason to compare it again.
            Some(secret) if believed == Some(secret) => None,
            // Another one, and this call's challenge has done what it can.
            Some(_) if believed.is_some() => return Err(over()),
            Some(secret) => {
                compare(call, secret, &body.pin, true).await?;
                believed = Some(secret);
                None
            }
            None => Some(choose(call, client.id, &body.pin, &mut chosen).await?),
        };
        let Some(by) = pin.or(believed) else { return Err(over()) };
        if !used {
            use_up(call, known.id).await?;
            used = true;
        }
        let entry = Entry {
            person: match client.state.is_registered() {
                true => None,
                false => Some(person(call, body, client.id, hash, phone).await?),
            },
            pin,
            device: NewDevice {
                device_id: device,
                device_key: known.device_key.clone(),
                name: sealed_name(call, client.id, body.device_name.as_ref().map(|name| name.as_str())).await?,
            },
        };
        let actor = Actor::new(Role::Client, PrincipalId::new(client.id.uuid()));
        let decision = released.and(client::enter(&client, entry, actor, call.now())?);
        match call.append_as(actor, decision, None).await? {
            Attempt::Written(written) => {
                return Ok(Entered { client: client.id, device, pin: by, position: Some(written.position) });
            }
            // Somebody else with the same number a moment ago: then they are known, and have a PIN.
            Attempt::Moved | Attempt::Guarded(_) => tries.again()?,
        }
    }
}

/// Whoever is known by the number; or somebody new, and its release, when they say so or there was never a PIN, and nobody was
/// here with it for long.
async fn theirs(
    call: &Call,
    known: Loaded<Client>,
    fresh: ClientId,
    new_account: bool,
) -> Result<(Loaded<Client>, Decision), Halt> {
    if known.state.pin.is_some() && !new_account {
        return Ok((known, Decision::nothing()));
    }
    let seen = last_seen(call, known.id).await?;
    match client::release_number(&known, seen, call.now()) {
        Ok(released) => Ok((Loaded::new(fresh), released)),
        // A manager booked for them lately: it is they.
        Err(_) if !new_account => Ok((known, Decision::nothing())),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Keeps the PIN that they choose, once for a client.
pub(crate) async fn choose(
    call: &Call,
    client: ClientId,
    pin: &str,
    chosen: &mut Option<(ClientId, SecretId)>,
) -> Result<SecretId, Halt> {
    if let Some((whose, secret)) = chosen
        && *whose == client
    {
        return Ok(*secret);
    }
    let pin = Pin::new(pin).map_err(|simple| Problem::new("pin.too_simple").at("/pin", simple.to_string()))?;
    let secret = SecretId::new(call.new_id());
    secret::keep(&call.app.store, client.uuid(), secret, pin.expose()).await.map_err(Problem::from)?;
    *chosen = Some((client, secret));
    Ok(secret)
}

/// Compares a PIN with the one that counts.
///
/// # Errors
/// `pin.wrong`, `pin.locked`, `server.overloaded`.
pub(crate) async fn compare(call: &Call, secret: SecretId, pin: &str, beside_a_code: bool) -> Result<(), Halt> {
    let compared = secret::compare(&call.app.store, secret, pin, beside_a_code, &call.address.to_string()).await;
    match compared.map_err(Problem::from)? {
        Compared::Right => Ok(()),
        Compared::Wrong { left } => {
            Err(Problem::new("pin.wrong").with("tries_left", left).member("tries_left", left).into())
        }
        Compared::Locked { until, needs_code } => {
            let problem = Problem::new("pin.locked").member("needs_code", needs_code);
            Err(match until {
                Some(until) => {
                    let wait = call.seconds_until(until);
                    problem.with("seconds", wait).retry_after(wait).into()
                }
                None => problem.with("seconds", 0).into(),
            })
        }
    }
}

async fn person(
    call: &Call,
    body: &OpenSession,
    client: ClientId,
    hash: &PhoneHash,
    phone: &str,
) -> Result<Person, Halt> {
    let subjects = call.app.store.subjects();
    Ok(Person {
        phone_hash: hash.clone(),
        phone: subjects.seal(client.uuid(), field::PHONE, phone).await?,
        name: sealed_name(call, client, body.name.as_ref().map(|name| name.as_str())).await?,
        language: body.language.unwrap_or_else(|| Language::named(call.language.tag())),
    })
}

pub(crate) async fn sealed_name(call: &Call, client: ClientId, name: Option<&str>) -> Result<Option<Sealed>, Halt> {
    Ok(match name {
        Some(name) => Some(call.app.store.subjects().seal(client.uuid(), field::NAME, name).await?),
        None => None,
    })
}
