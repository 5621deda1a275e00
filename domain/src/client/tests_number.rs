//! Another number, and one that became somebody else's.

use chrono::Duration;
use uuid::Uuid;

use super::tests_sign_in::{after, come_in, device, me, nobody, now, person, secret};
use super::{
    Client, Entry, Event, NewNumber, PHONE, Person, Refusal, Stopped, begin_number_change, begin_recovery,
    cancel_number_change, complete_number_change, erase, guards, number_wanted, register, release_number,
};
use crate::{
    actor::Actor,
    aggregate::{Aggregate, Loaded},
    decision::Decision,
    guard::Op,
    ids::{ClientId, NumberChangeId, RecoveryId},
    phone::PhoneHash,
    reaction::{Notice, Reaction, Whom, react},
    sealed::Sealed,
    sign_in::{COOLING, RECYCLED, WAIT},
};

fn awa() -> Loaded<Client> {
    come_in(nobody(), Entry { person: Some(person()), pin: Some(secret(1)), device: device(1) }, now()).0
}

fn number(n: u128) -> NewNumber {
    let change_id = NumberChangeId::new(Uuid::from_u128(n));
    NewNumber { change_id, phone_hash: PhoneHash(format!("hash {n}")), phone: Sealed("c2VhbGVk".into()) }
}

fn begun(client: Loaded<Client>, n: u128) -> Loaded<Client> {
    let decision = begin_number_change(&client, number(n), me(&client), now()).unwrap();
    after(client, &decision).0
}

fn ops(decision: &Decision) -> Vec<Op> {
    let events = decision.changes.iter().flat_map(|change| change.events.clone());
    events.flat_map(|event| guards(&Client::select(event).unwrap())).collect()
}

#[test]
fn a_number_changes_after_a_day_and_the_one_before_is_free() {
    let client = begun(awa(), 1);
    let id = number(1).change_id;
    let early = complete_number_change(&client, id, now() + WAIT - Duration::seconds(1));
    assert_eq!(early, Err(Refusal::NumberChangeWaits { ready_at: now() + WAIT }));
    let decision = complete_number_change(&client, id, now() + WAIT).unwrap();
    let holder = client.id.uuid();
    let freed = Op::Forget { scope: PHONE, key: person().phone_hash.0 };
    assert_eq!(ops(&decision), [freed, Op::Unique { scope: PHONE, key: "hash 1".into(), holder }]);
    let (client, _) = after(client, &decision);
    assert_eq!(client.state.phone_hash, Some(PhoneHash("hash 1".into())));
    assert_eq!(complete_number_change(&client, id, now() + WAIT), Ok(Decision::nothing()), "once");
    let soon = begin_number_change(&client, number(2), me(&client), now() + WAIT);
    assert_eq!(soon, Err(Refusal::CoolingOff { until: now() + WAIT + COOLING }));
}

#[test]
fn whoever_has_the_number_is_told_while_it_is_theirs() {
    let client = awa();
    let decision = begin_number_change(&client, number(1), me(&client), now()).unwrap();
    let reactions: Vec<Reaction> = decision.changes[0].events.iter().flat_map(react).collect();
    let (client_id, change_id) = (client.id, number(1).change_id);
    let told = Reaction::Tell { whom: Whom::Client(client_id), notice: Notice::NumberChangeBegun { change_id } };
    assert_eq!(reactions, [told, Reaction::ChangeNumber { client_id, change_id, at: now() + WAIT }]);
    assert_eq!(reactions[1].due(), Some(now() + WAIT));
}

#[test]
fn a_change_is_stopped_by_its_own_link_only_and_another_takes_its_place() {
    let client = begun(awa(), 1);
    let other = cancel_number_change(&client, Some(number(2).change_id), Stopped::Link, Actor::SYSTEM, now());
    assert!(other.is_nothing());
    let client = begun(client, 2);
    assert_eq!(complete_number_change(&client, number(1).change_id, now() + WAIT), Ok(Decision::nothing()));
    let stopped = cancel_number_change(&client, Some(number(2).change_id), Stopped::Link, Actor::SYSTEM, now());
    let (client, _) = after(client, &stopped);
    assert_eq!(complete_number_change(&client, number(2).change_id, now() + WAIT), Ok(Decision::nothing()));
    assert!(cancel_number_change(&client, None, Stopped::Asked, me(&client), now()).is_nothing());
}

#[test]
fn no_number_changes_while_a_pin_is_lost_or_to_what_it_is_or_without_a_pin() {
    let client = awa();
    let same = NewNumber { phone_hash: person().phone_hash, ..number(1) };
    assert_eq!(begin_number_change(&client, same, me(&client), now()), Err(Refusal::SameNumber));
    let id = RecoveryId::new(Uuid::from_u128(1));
    let decision = begin_recovery(&client, id, device(7).device_key, me(&client), now()).unwrap();
    let (waits, _) = after(client, &decision);
    let refused = Err(Refusal::RecoveryWaits { ready_at: now() + WAIT });
    assert_eq!(begin_number_change(&waits, number(1), me(&waits), now()), refused);
    let holder = Loaded::new(ClientId::new(Uuid::from_u128(5)));
    assert_eq!(number_wanted(&waits, &holder, now()), refused, "nobody is bothered either");
    let nobody = nobody();
    assert_eq!(begin_number_change(&nobody, number(1), me(&nobody), now()), Err(Refusal::Unknown));
    let (known, _) = after(nobody.clone(), &register(&nobody, person(), Actor::SYSTEM, now()).unwrap());
    assert_eq!(begin_number_change(&known, number(1), me(&known), now()), Err(Refusal::NoPin));
}

#[test]
fn an_idle_number_is_released_and_what_was_done_stays() {
    let client = awa();
    let late = now() + RECYCLED;
    let lately = release_number(&client, now() + Duration::seconds(1), late);
    assert_eq!(lately, Err(Refusal::NotIdle { last_seen: now() + Duration::seconds(1) }));
    let decision = release_number(&client, now(), late).unwrap();
    assert_eq!(ops(&decision), [Op::Forget { scope: PHONE, key: person().phone_hash.0 }]);
    let (client, _) = after(client, &decision);
    assert!(client.state.is_registered() && client.state.phone.is_none() && !client.state.devices.is_empty());
    assert!(!client.state.may_be_paid_otherwise(late));
    assert_eq!(release_number(&client, now(), late), Err(Refusal::Unknown));
    // A number is taken by whoever proves it, not by whoever books with it.
    let other = Person { phone_hash: PhoneHash("other".into()), ..person() };
    assert_eq!(register(&client, other, me(&client), late), Err(Refusal::OtherNumber));
    let (client, _) = after(client.clone(), &begin_number_change(&client, number(1), me(&client), late).unwrap());
    let decision = complete_number_change(&client, number(1).change_id, late + WAIT).unwrap();
    assert_eq!(ops(&decision), [Op::Unique { scope: PHONE, key: "hash 1".into(), holder: client.id.uuid() }]);
}

#[test]
fn whoever_is_forgotten_after_their_number_was_released_takes_it_from_nobody() {
    let client = awa();
    let (client, _) = after(client.clone(), &release_number(&client, now(), now() + RECYCLED).unwrap());
    let decision = erase(&client, 0, false, me(&client), now() + RECYCLED).unwrap();
    assert!(!ops(&decision).iter().any(|op| matches!(op, Op::Forget { scope, .. } if *scope == PHONE)));
    let (client, _) = after(client, &decision);
    assert!(!client.state.is_registered() && client.state.erased_at.is_some());
    let erased = decision.changes[0].events.iter().find_map(|event| match event {
        crate::event::Event::Client(Event::Erased(erased)) => Some(erased.phone_hash.clone()),
        _ => None,
    });
    assert_eq!(erased, Some(None));
}
