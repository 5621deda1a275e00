//! Coming in with a telephone: what is written, and what is refused.

use chrono::Duration;
use uuid::Uuid;

use super::{
    Client, DEVICE, DeviceKey, DeviceReleased, Entry, Event, Language, MOST_DEVICES, NewDevice, Person, Refusal,
    Release, enter, erase, guards, register, release, set_pin,
};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::{Aggregate, Loaded},
    decision::Decision,
    guard::Op,
    ids::{ClientId, DeviceId, PrincipalId, SecretId},
    phone::PhoneHash,
    sealed::Sealed,
    spec::example::at,
};

pub(super) fn now() -> Timestamp {
    at("2026-11-28 10:00")
}

pub(super) fn nobody() -> Loaded<Client> {
    Loaded::new(ClientId::new(Uuid::from_u128(0xC11E)))
}

pub(super) fn me(client: &Loaded<Client>) -> Actor {
    Actor { role: Role::Client, id: Some(PrincipalId::new(client.id.uuid())) }
}

pub(super) fn person() -> Person {
    let phone_hash = PhoneHash("f00d".into());
    Person { phone_hash, phone: Sealed("c2VhbGVk".into()), name: None, language: Language::Fr }
}

pub(super) fn device(n: u128) -> NewDevice {
    NewDevice { device_id: DeviceId::new(Uuid::from_u128(n)), device_key: DeviceKey(format!("key {n}")), name: None }
}

pub(super) fn secret(n: u128) -> SecretId {
    SecretId::new(Uuid::from_u128(n))
}

/// The client after a decision, and the names of what was written.
pub(super) fn after(mut client: Loaded<Client>, decision: &Decision) -> (Loaded<Client>, Vec<&'static str>) {
    let mut names = Vec::new();
    for event in decision.changes.iter().flat_map(|change| change.events.clone()) {
        names.push(event.name());
        client.apply(Client::select(event).unwrap());
    }
    (client, names)
}

pub(super) fn come_in(client: Loaded<Client>, entry: Entry, now: Timestamp) -> (Loaded<Client>, Vec<&'static str>) {
    let decision = enter(&client, entry, me(&client), now).unwrap();
    after(client, &decision)
}

#[test]
fn whoever_is_new_is_registered_proven_given_a_pin_and_a_telephone_in_one_decision() {
    let entry = Entry { person: Some(person()), pin: Some(secret(1)), device: device(1) };
    let (client, names) = come_in(nobody(), entry, now());
    let all = ["client.registered", "client.number_verified", "client.pin_set", "client.device_bound"];
    assert_eq!(names, all);
    assert!(client.state.number_verified);
    assert_eq!(client.state.pin, Some(secret(1)));
    assert!(client.state.devices.contains_key(&device(1).device_id));
}

#[test]
fn whoever_was_made_known_by_a_manager_chooses_a_pin_and_keeps_what_is_theirs() {
    let client = nobody();
    let manager = Actor { role: Role::Manager, id: Some(PrincipalId::new(Uuid::from_u128(7))) };
    let (client, _) = after(client.clone(), &register(&client, person(), manager, now()).unwrap());
    let entry = Entry { person: None, pin: Some(secret(1)), device: device(1) };
    let (_, names) = come_in(client.clone(), entry, now());
    assert_eq!(names, ["client.number_verified", "client.pin_set", "client.device_bound"]);
    let without = Entry { person: None, pin: None, device: device(1) };
    assert_eq!(enter(&client, without, me(&client), now()), Err(Refusal::NoPin));
}

#[test]
fn never_again_a_pin_is_set_over_another_by_whoever_has_the_number() {
    let entry = Entry { person: Some(person()), pin: Some(secret(1)), device: device(1) };
    let (client, _) = come_in(nobody(), entry, now());
    let other = Entry { person: None, pin: Some(secret(2)), device: device(2) };
    assert_eq!(enter(&client, other, me(&client), now()), Err(Refusal::HasPin));
    let (client, names) = come_in(client, Entry { person: None, pin: None, device: device(2) }, now());
    assert_eq!(names, ["client.device_bound"]);
    assert_eq!((client.state.pin, client.state.devices.len()), (Some(secret(1)), 2));
}

#[test]
fn of_too_many_telephones_the_oldest_goes() {
    let entry = Entry { person: Some(person()), pin: Some(secret(1)), device: device(1) };
    let (mut client, _) = come_in(nobody(), entry, now());
    for n in 2..=7 {
        let entry = Entry { person: None, pin: None, device: device(n) };
        client = come_in(client, entry, now() + Duration::minutes(n.try_into().unwrap())).0;
        assert!(client.state.devices.len() <= MOST_DEVICES);
    }
    let left: Vec<DeviceId> = client.state.devices.keys().copied().collect();
    assert_eq!(left, [3, 4, 5, 6, 7].map(|n| device(n).device_id));
}

#[test]
fn a_telephone_that_is_released_is_found_no_longer_and_nobody_releases_another_s() {
    let entry = Entry { person: Some(person()), pin: Some(secret(1)), device: device(1) };
    let (client, _) = come_in(nobody(), entry, now());
    let id = device(1).device_id;
    let decision = release(&client, id, me(&client), now()).unwrap();
    let crate::event::Event::Client(event) = &decision.changes[0].events[0] else { panic!("{decision:?}") };
    assert_eq!(guards(event), [Op::Forget { scope: DEVICE, key: id.to_string() }]);
    let (client, _) = after(client, &decision);
    assert_eq!(release(&client, id, me(&client), now()), Err(Refusal::NoSuchDevice));
}

#[test]
fn another_pin_is_for_whoever_has_one_and_is_known() {
    assert_eq!(set_pin(&nobody(), secret(2), me(&nobody()), now()), Err(Refusal::Unknown));
    let client = nobody();
    let (client, _) = after(client.clone(), &register(&client, person(), me(&client), now()).unwrap());
    assert_eq!(set_pin(&client, secret(2), me(&client), now()), Err(Refusal::NoPin));
    let (client, _) = come_in(client, Entry { person: None, pin: Some(secret(1)), device: device(1) }, now());
    let decision = set_pin(&client, secret(2), me(&client), now()).unwrap();
    assert_eq!(after(client, &decision).0.state.pin, Some(secret(2)));
}

#[test]
fn whoever_is_forgotten_has_no_telephone_and_no_pin() {
    let entry = Entry { person: Some(person()), pin: Some(secret(1)), device: device(1) };
    let (client, _) = come_in(nobody(), entry, now());
    let decision = erase(&client, 0, false, me(&client), now()).unwrap();
    let why = decision.changes[0].events.iter().find_map(|event| match event {
        crate::event::Event::Client(Event::DeviceReleased(DeviceReleased { why, .. })) => Some(*why),
        _ => None,
    });
    assert_eq!(why, Some(Release::Erased));
    let (client, _) = after(client, &decision);
    assert!(client.state.devices.is_empty() && client.state.pin.is_none());
    let again = Entry { person: Some(person()), pin: Some(secret(2)), device: device(2) };
    assert_eq!(enter(&client, again, me(&client), now()), Err(Refusal::Erased));
}
