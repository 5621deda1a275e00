//! Endpoints by example.

use chrono::Duration;
use uuid::Uuid;

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::{Aggregate, Loaded},
    guard::Op,
    ids::{EndpointId, EndpointSecretId, KeyId, PrincipalId, SiteId},
    key::{self, Granted, Key, Scope, SecretHash},
    spec::{example::at, given, load},
    text::Name,
};

use super::*;

const ID: EndpointId = EndpointId::new(Uuid::from_u128(0xE0));
const OWNER: PrincipalId = PrincipalId::new(Uuid::from_u128(0x40));
const FIRST: EndpointSecretId = EndpointSecretId::new(Uuid::from_u128(1));
const SECOND: EndpointSecretId = EndpointSecretId::new(Uuid::from_u128(2));
const SITE: SiteId = SiteId::new(Uuid::from_u128(0x51));

fn now() -> Timestamp {
    at("2026-11-28 09:00")
}

fn key_of(id: u128, principal_id: PrincipalId, scopes: Vec<Scope>) -> Loaded<Key> {
    let granted = Granted {
        key_id: KeyId::new(Uuid::from_u128(id)),
        label: Name::new("shop").unwrap(),
        secret_hash: SecretHash("hash".to_owned()),
        role: Role::Service,
        principal_id,
        scopes,
        sites: None,
        by: Actor::SYSTEM,
        at: now(),
    };
    load::<Key>(KeyId::new(Uuid::from_u128(id)), [key::Event::from(granted)])
}

fn key() -> Loaded<Key> {
    key_of(0x4E, OWNER, vec![Scope::EventsRead, Scope::WebhooksWrite])
}

fn wish(url: &str, types: &[&str]) -> Wish {
    let types = types.iter().map(|name| Wanted((*name).to_owned())).collect();
    Wish { url: Address::new(url).unwrap(), types, sites: None }
}

fn added() -> Event {
    Added {
        endpoint_id: ID,
        owner: OWNER,
        key_id: key().id,
        url: Address::new("https://shop.sn/hook").unwrap(),
        types: vec![Wanted("payment.*".into()), Wanted("reservation.held".into())],
        sites: None,
        secret_id: FIRST,
        by: Actor::new(Role::Service, OWNER),
        at: now(),
    }
    .into()
}

fn disabled() -> Event {
    Disabled { endpoint_id: ID, why: Why::Gone, last: None, by: Actor::SYSTEM, at: now() }.into()
}

fn removed() -> Event {
    Removed { endpoint_id: ID, owner: OWNER, by: Actor::SYSTEM, at: now() }.into()
}

#[test]
fn an_endpoint_is_added_with_what_exists_sorted_and_once() {
    let twice = wish("https://shop.sn/hook", &["reservation.held", "payment.*", "reservation.held"]);
    given::<Endpoint>(ID, [] as [Event; 0]).when(|new| add(new, twice, &key(), FIRST, false, now())).then([added()]);
    given::<Endpoint>(ID, [added()])
        .when(|known| add(known, wish("https://shop.sn/hook", &[]), &key(), FIRST, false, now()))
        .then_refused(Refusal::AlreadyAdded);
    for name in ["reservation.sold", "reservation", "*", ""] {
        given::<Endpoint>(ID, [] as [Event; 0])
            .when(|new| add(new, wish("https://shop.sn/", &[name]), &key(), FIRST, false, now()))
            .then_refused(Refusal::UnknownType { name: name.to_owned() });
    }
    let mut nowhere = wish("https://shop.sn/", &[]);
    nowhere.sites = Some(Vec::new());
    given::<Endpoint>(ID, [] as [Event; 0])
        .when(|new| add(new, nowhere, &key(), FIRST, false, now()))
        .then_refused(Refusal::NoSites);
}

#[test]
fn events_are_sent_encrypted_but_to_the_fakes_of_a_test_log() {
    let adding = |url: &str, test: bool| add(&Loaded::new(ID), wish(url, &[]), &key(), FIRST, test, now());
    for loopback in ["http://127.0.0.1:4010/hook", "http://localhost/", "http://[::1]:9/x?y=1"] {
        assert!(adding(loopback, true).is_ok(), "{loopback}");
        assert_eq!(adding(loopback, false), Err(Refusal::NotEncrypted), "{loopback}");
    }
    for open in ["http://shop.sn/", "http://10.0.0.1/", "http://127.0.0.1.evil.sn/", "http://localhost.evil.sn"] {
        assert_eq!(adding(open, true), Err(Refusal::NotEncrypted), "{open}");
    }
    assert!(adding("https://shop.sn:8443/a?b=c", false).is_ok());
}

#[test]
fn an_address_is_absolute_and_holds_no_secret_of_its_own_form() {
    use AddressError as E;
    let long = format!("https://shop.sn/{}", "x".repeat(500));
    let cases = [
        ("shop.sn/hook", E::NotAbsolute),
        ("ftp://shop.sn/", E::NotAbsolute),
        ("https://", E::NotAbsolute),
        ("https:///path", E::NotAbsolute),
        ("https://:443/", E::NotAbsolute),
        ("https://127.0.0.%31/", E::NotAbsolute),
        ("https://user:pass@shop.sn/", E::UserInfo),
        ("http://127.0.0.1\\@evil.sn/", E::Unsendable),
        ("https://shop.sn/a b", E::Unsendable),
        ("https://shop.sn/é", E::Unsendable),
        ("https://shop.sn/#x", E::Fragment),
        (long.as_str(), E::TooLong),
    ];
    for (text, error) in cases {
        assert_eq!(Address::new(text), Err(error), "{text}");
    }
}

#[test]
fn whoever_may_not_read_events_is_not_sent_any() {
    let blind = key_of(0x4E, OWNER, vec![Scope::WebhooksWrite]);
    given::<Endpoint>(ID, [] as [Event; 0])
        .when(|new| add(new, wish("https://shop.sn/", &[]), &blind, FIRST, false, now()))
        .then_refused(Refusal::MayNotRead);
    given::<Endpoint>(ID, [added()])
        .when(|known| change(known, wish("https://shop.sn/", &[]), &blind, false, now()))
        .then_refused(Refusal::MayNotRead);
}

#[test]
fn the_owner_brings_their_key_along_and_nobody_else_does() {
    let key_after = |by: &Loaded<Key>| {
        let before = load::<Endpoint>(ID, [added(), disabled()]);
        let decision = change(&before, wish("https://other.sn/", &[]), by, false, now()).unwrap();
        let mut after = before;
        for event in decision.changes.into_iter().flat_map(|change| change.events) {
            after.apply(Endpoint::select(event).unwrap());
        }
        assert!(after.state.disabled.is_none(), "a change begins anew");
        after.state.settings.unwrap().key_id
    };
    let successor = key_of(0x4F, OWNER, vec![Scope::EventsRead]);
    assert_eq!(key_after(&successor), successor.id);
    let admin = key_of(0x50, PrincipalId::new(Uuid::from_u128(9)), vec![Scope::EventsRead]);
    assert_eq!(key_after(&admin), key().id);
    // The same again is nothing to do.
    let same = wish("https://shop.sn/hook", &["payment.*", "reservation.held"]);
    given::<Endpoint>(ID, [added()]).when(|known| change(known, same, &key(), false, now())).then_nothing();
    given::<Endpoint>(ID, [added(), removed()])
        .when(|known| change(known, wish("https://shop.sn/", &[]), &key(), false, now()))
        .then_refused(Refusal::Unknown);
}

#[test]
fn two_secrets_sign_while_one_takes_the_place_of_the_other() {
    let rotated = |secret_id| SecretRotated {
        endpoint_id: ID,
        secret_id,
        older_until: at("2026-11-29 09:00"),
        by: Actor::SYSTEM,
        at: now(),
    };
    let secrets = |events: Vec<Event>, moment: &str| -> Vec<EndpointSecretId> {
        load::<Endpoint>(ID, events).state.secrets(at(moment)).collect()
    };
    assert_eq!(secrets(vec![added()], "2026-11-28 09:00"), [FIRST]);
    let after = || vec![added(), rotated(SECOND).into()];
    assert_eq!(secrets(after(), "2026-11-29 08:59"), [SECOND, FIRST]);
    assert_eq!(secrets(after(), "2026-11-29 09:00"), [SECOND]);
    given::<Endpoint>(ID, [added()])
        .when(|known| rotate(known, SECOND, Duration::days(1), Actor::SYSTEM, now()))
        .then([rotated(SECOND)]);
    for overlap in [LONGEST_OVERLAP + Duration::seconds(1), Duration::seconds(-1)] {
        given::<Endpoint>(ID, [added()])
            .when(|known| rotate(known, SECOND, overlap, Actor::SYSTEM, now()))
            .then_refused(Refusal::OverlapTooLong { most_hours: 168 });
    }
    given::<Endpoint>(ID, [] as [Event; 0])
        .when(|known| rotate(known, SECOND, Duration::zero(), Actor::SYSTEM, now()))
        .then_refused(Refusal::Unknown);
}

#[test]
fn what_is_disabled_or_removed_is_not_sent_to() {
    assert!(load::<Endpoint>(ID, [added()]).state.open().is_some());
    assert!(load::<Endpoint>(ID, [added(), disabled()]).state.open().is_none());
    assert!(load::<Endpoint>(ID, [added(), removed()]).state.there().is_none());
    let known = load::<Endpoint>(ID, [added()]);
    assert!(!disable(&known, Why::Gone, None, now()).is_nothing());
    for events in [vec![], vec![added(), disabled()], vec![added(), removed()]] {
        assert!(disable(&load::<Endpoint>(ID, events), Why::Gone, None, now()).is_nothing());
    }
    given::<Endpoint>(ID, [added()]).when(|known| remove(known, Actor::SYSTEM, now())).then([removed()]);
    given::<Endpoint>(ID, [added(), removed()]).when(|known| remove(known, Actor::SYSTEM, now())).then_nothing();
    given::<Endpoint>(ID, [] as [Event; 0])
        .when(|known| remove(known, Actor::SYSTEM, now()))
        .then_refused(Refusal::Unknown);
}

#[test]
fn an_endpoint_wants_what_it_names_at_the_sites_it_names() {
    let settings = |types: &[&str], sites: Option<Vec<SiteId>>| {
        let Wish { url, types, .. } = wish("https://shop.sn/", types);
        let (created_at, changed_at) = (now(), now());
        Settings { owner: OWNER, key_id: key().id, url, types, sites, created_at, changed_at }
    };
    let some = settings(&["payment.*", "reservation.held"], None);
    assert!(some.wants("payment.succeeded", None) && some.wants("reservation.held", Some(SITE)));
    assert!(!some.wants("reservation.expired", None) && !some.wants("reservation.held_back", None));
    let there = settings(&[], Some(vec![SITE]));
    assert!(there.wants("till.opened", Some(SITE)));
    assert!(!there.wants("till.opened", None) && !there.wants("till.opened", Some(SiteId::new(Uuid::from_u128(1)))));
}

#[test]
fn the_endpoints_of_an_owner_are_counted() {
    let scope = scope_of(OWNER);
    assert!(guards(&added()).contains(&Op::Limit { scope: scope.clone(), max: MOST_AT_ONCE }));
    assert!(guards(&added()).contains(&Op::Enter { scope: scope.clone(), holder: ID.uuid() }));
    assert_eq!(guards(&removed()), [Op::Leave { scope, holder: ID.uuid() }]);
}
