//! Clients by example.

use uuid::Uuid;

use crate::{
    Timestamp,
    actor::Actor,
    ids::{ClientId, PaymentId},
    money::{Currency, Money},
    phone::PhoneHash,
    sealed::Sealed,
    spec::{example::at, given, load},
};

use super::{Client, Credited, Event, Language, Person, Refusal, Registered, credit, register, rename};

const ID: ClientId = ClientId::new(Uuid::from_u128(0xC1));
const PAYMENT: PaymentId = PaymentId::new(Uuid::from_u128(0xBA));

fn now() -> Timestamp {
    at("2026-11-22 12:00")
}

fn person(hash: &str) -> Person {
    Person {
        phone_hash: PhoneHash(hash.to_owned()),
        phone: Sealed("phone".to_owned()),
        name: Some(Sealed("name".to_owned())),
        language: Language::Fr,
    }
}

fn registered() -> Event {
    let Person { phone_hash, phone, name, language } = person("a");
    Registered { client_id: ID, phone_hash, phone, name, language, by: Actor::SYSTEM, at: now() }.into()
}

fn credited(amount: i64) -> Event {
    Credited { client_id: ID, payment_id: PAYMENT, amount: Money::xof(amount), at: now() }.into()
}

#[test]
fn a_client_is_registered_once() {
    let twice = |hash: &'static str| move |client: &_| register(client, person(hash), Actor::SYSTEM, now());
    given::<Client>(ID, [] as [Event; 0]).when(twice("a")).then([registered()]);
    given::<Client>(ID, [registered()]).when(twice("a")).then_nothing();
    given::<Client>(ID, [registered()]).when(twice("b")).then_refused(Refusal::OtherNumber);
}

#[test]
fn nobody_is_renamed_before_they_are_known() {
    given::<Client>(ID, [] as [Event; 0])
        .when(|client| rename(client, None, Actor::SYSTEM, now()))
        .then_refused(Refusal::Unknown);
    given::<Client>(ID, [registered()])
        .when(|client| rename(client, person("a").name, Actor::SYSTEM, now()))
        .then_nothing();
}

#[test]
fn what_a_payment_left_over_is_credited_once() {
    let credit_of = |amount| move |client: &_| credit(client, PAYMENT, Money::xof(amount), now());
    given::<Client>(ID, [registered()]).when(credit_of(500)).then([credited(500)]);
    given::<Client>(ID, [registered(), credited(500)]).when(credit_of(500)).then_nothing();
    given::<Client>(ID, [registered(), credited(500)])
        .when(credit_of(600))
        .then_refused(Refusal::AlreadyCredited { payment_id: PAYMENT, credited: Money::xof(500) });
    given::<Client>(ID, [registered()]).when(credit_of(0)).then_refused(Refusal::NothingToCredit);
    let client = load::<Client>(ID, [registered(), credited(500)]);
    assert_eq!(client.state.credit(Currency::Xof), Ok(Money::xof(500)));
    assert_eq!(client.state.credit(Currency::Eur), Ok(Money::zero(Currency::Eur)));
}
