//! A lost PIN: by example, and in any order of wishes.

use chrono::Duration;
use proptest::prelude::*;
use uuid::Uuid;

use super::tests_sign_in::{after, come_in, device, me, nobody, now, person, secret};
use super::{
    Client, DeviceKey, Entry, Event, NewNumber, Recovered, Refusal, Release, Stopped, begin_number_change,
    begin_recovery, cancel_number_change, cancel_recovery, complete_number_change, complete_recovery, register,
};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::{Aggregate, Loaded},
    decision::Decision,
    ids::{NumberChangeId, RecoveryId},
    phone::PhoneHash,
    sealed::Sealed,
    sign_in::{COOLING, RECOVERY_LASTS, WAIT},
};

fn recovery(n: u128) -> RecoveryId {
    RecoveryId::new(Uuid::from_u128(0x5EC0 + n))
}

fn key(n: u128) -> DeviceKey {
    device(n).device_key
}

/// Somebody with a PIN and two telephones.
fn awa() -> Loaded<Client> {
    let (client, _) =
        come_in(nobody(), Entry { person: Some(person()), pin: Some(secret(1)), device: device(1) }, now());
    come_in(client, Entry { person: None, pin: None, device: device(2) }, now()).0
}

fn begun(client: Loaded<Client>, n: u128, at: Timestamp) -> Loaded<Client> {
    let decision = begin_recovery(&client, recovery(n), key(n), me(&client), at).unwrap();
    after(client, &decision).0
}

fn recovered(n: u128) -> Recovered {
    Recovered { recovery_id: recovery(n), pin: secret(n), device: device(n) }
}

fn number(n: u128) -> NewNumber {
    NewNumber {
        change_id: NumberChangeId::new(Uuid::from_u128(n)),
        phone_hash: PhoneHash(format!("hash {n}")),
        phone: Sealed("c2VhbGVk".into()),
    }
}

#[test]
fn after_a_day_one_device_and_one_pin_are_left() {
    let client = begun(awa(), 9, now());
    let early = complete_recovery(&client, recovered(9), me(&client), now() + WAIT - Duration::seconds(1));
    assert_eq!(early, Err(Refusal::RecoveryWaits { ready_at: now() + WAIT }));
    let decision = complete_recovery(&client, recovered(9), me(&client), now() + WAIT).unwrap();
    let why = decision.changes[0].events.iter().filter_map(|event| match event {
        crate::event::Event::Client(Event::DeviceReleased(released)) => Some(released.why),
        _ => None,
    });
    assert_eq!(why.collect::<Vec<_>>(), [Release::Recovery; 2]);
    let (client, names) = after(client, &decision);
    assert_eq!(names[2..], ["client.pin_set", "client.device_bound", "client.recovery_completed"]);
    assert_eq!(client.state.pin, Some(secret(9)));
    assert_eq!(client.state.devices.keys().copied().collect::<Vec<_>>(), [device(9).device_id]);
    let again = complete_recovery(&client, recovered(9), me(&client), now() + WAIT);
    assert_eq!(again, Err(Refusal::RecoveryOver), "once");
}

#[test]
fn the_same_wish_again_waits_no_longer_and_another_device_s_begins_anew() {
    let client = begun(awa(), 9, now());
    let later = now() + Duration::hours(20);
    let again = begin_recovery(&client, recovery(10), key(9), me(&client), later);
    assert_eq!(again, Ok(Decision::nothing()));
    let client = begun(client, 11, later);
    let first = complete_recovery(&client, recovered(9), me(&client), now() + WAIT);
    assert_eq!(first, Err(Refusal::RecoveryOver));
    let other = Recovered { device: device(9), ..recovered(11) };
    let other = complete_recovery(&client, other, me(&client), later + WAIT);
    assert_eq!(other, Err(Refusal::RecoveryOver), "with a device that did not ask");
    assert!(complete_recovery(&client, recovered(11), me(&client), later + WAIT).is_ok());
}

#[test]
fn what_is_stopped_is_over_and_so_is_what_nobody_completes() {
    let client = begun(awa(), 9, now());
    let other = cancel_recovery(&client, recovery(8), Stopped::Link, Actor::SYSTEM, now());
    assert_eq!(other, Err(Refusal::RecoveryOver));
    let decision = cancel_recovery(&client, recovery(9), Stopped::Link, Actor::SYSTEM, now()).unwrap();
    let (stopped, _) = after(client.clone(), &decision);
    assert!(stopped.state.may_be_paid_otherwise(now()));
    for over in [&stopped, &client] {
        let at = now() + WAIT + RECOVERY_LASTS;
        assert_eq!(complete_recovery(over, recovered(9), me(over), at), Err(Refusal::RecoveryOver));
        assert_eq!(cancel_recovery(over, recovery(9), Stopped::Asked, me(over), at), Err(Refusal::RecoveryOver));
        assert!(begin_recovery(over, recovery(10), key(9), me(over), at).is_ok_and(|decision| !decision.is_nothing()));
    }
}

#[test]
fn nothing_is_recovered_where_there_is_no_pin_or_the_number_is_about_to_change() {
    let nobody = nobody();
    let refused = begin_recovery(&nobody, recovery(9), key(9), me(&nobody), now());
    assert_eq!(refused, Err(Refusal::NothingToRecover));
    let (known, _) = after(nobody.clone(), &register(&nobody, person(), Actor::SYSTEM, now()).unwrap());
    let refused = begin_recovery(&known, recovery(9), key(9), me(&known), now());
    assert_eq!(refused, Err(Refusal::NothingToRecover));
    let client = awa();
    let (client, _) = after(client.clone(), &begin_number_change(&client, number(1), me(&client), now()).unwrap());
    let refused = begin_recovery(&client, recovery(9), key(9), me(&client), now());
    assert_eq!(refused, Err(Refusal::NumberChangeWaits { ready_at: now() + WAIT }));
}

/// What somebody may wish for, and how much later.
#[derive(Clone, Debug)]
enum Wish {
    Begin(u128),
    Stop,
    Complete(u128),
    Change(u128),
    StopChange,
    Changes,
}

fn wishes() -> impl Strategy<Value = Vec<(Wish, i64)>> {
    let wish = prop_oneof![
        (1_u128..4).prop_map(Wish::Begin),
        Just(Wish::Stop),
        (1_u128..4).prop_map(Wish::Complete),
        (1_u128..4).prop_map(Wish::Change),
        Just(Wish::StopChange),
        Just(Wish::Changes),
    ];
    proptest::collection::vec((wish, prop_oneof![Just(0_i64), 1..30_i64, 20..200_i64]), 1..40)
}

fn decide(client: &Loaded<Client>, wish: &Wish, n: u128, at: Timestamp) -> Result<Decision, Refusal> {
    let (me, state) = (me(client), &client.state);
    match wish {
        Wish::Begin(with) => begin_recovery(client, recovery(n), key(*with), me, at),
        Wish::Stop => match state.recovery.as_ref() {
            Some(known) => cancel_recovery(client, known.id, Stopped::Asked, me, at),
            None => Ok(Decision::nothing()),
        },
        Wish::Complete(with) => {
            let id = state.recovery.as_ref().map_or(recovery(0), |known| known.id);
            let device = super::NewDevice { device_key: key(*with), ..device(1_000 + n) };
            complete_recovery(client, Recovered { recovery_id: id, pin: secret(n), device }, me, at)
        }
        Wish::Change(to) => {
            begin_number_change(client, NewNumber { change_id: number(n).change_id, ..number(*to) }, me, at)
        }
        Wish::StopChange => Ok(cancel_number_change(client, None, Stopped::Asked, me, at)),
        Wish::Changes => match &state.number_change {
            Some(known) => complete_number_change(client, known.id, at),
            None => Ok(Decision::nothing()),
        },
    }
}

proptest! {
    /// Whatever is wished for and when: another PIN or number comes a day after it was asked for, by whoever asked; the two
    /// never wait together; and money goes nowhere new while either waits, nor for a day after.
    #[test]
    fn nothing_that_proves_who_somebody_is_changes_within_a_day(wishes in wishes()) {
        let (mut client, mut at) = (awa(), now());
        // When what is there was asked for, and by which device or number.
        let (mut asked, mut number_asked) = (None::<(Timestamp, DeviceKey)>, None::<(Timestamp, PhoneHash)>);
        let mut changed_at = None::<Timestamp>;
        for (n, (wish, hours)) in wishes.into_iter().enumerate() {
            at += Duration::hours(hours);
            let Ok(decision) = decide(&client, &wish, n as u128 + 100, at) else { continue };
            let (pin, hash) = (client.state.pin, client.state.phone_hash.clone());
            for event in decision.changes.iter().flat_map(|change| change.events.clone()) {
                match Client::select(event).unwrap() {
                    Event::RecoveryBegun(begun) => asked = Some((at, begun.device_key)),
                    Event::RecoveryCancelled(_) => asked = None,
                    Event::NumberChangeBegun(begun) => number_asked = Some((at, begun.phone_hash)),
                    Event::NumberChangeCancelled(_) => number_asked = None,
                    _ => {}
                }
            }
            client = after(client, &decision).0;
            if client.state.pin != pin {
                let (since, with) = asked.take().expect("somebody asked");
                prop_assert!(at >= since + WAIT && at < since + WAIT + RECOVERY_LASTS);
                let left: Vec<&DeviceKey> = client.state.devices.values().map(|device| &device.key).collect();
                prop_assert_eq!(left, vec![&with]);
                changed_at = Some(at);
            }
            if client.state.phone_hash != hash {
                let (since, to) = number_asked.take().expect("somebody asked");
                prop_assert!(at >= since + WAIT);
                prop_assert_eq!(client.state.phone_hash.as_ref(), Some(&to));
                changed_at = Some(at);
                prop_assert!(!client.state.may_be_paid(at) && client.state.may_be_paid(at + COOLING));
            }
            let recovers = client.state.recovery_now(at).is_some();
            prop_assert!(!(recovers && client.state.number_change.is_some()));
            let calm = changed_at.is_none_or(|changed| at >= changed + COOLING);
            prop_assert_eq!(
                client.state.may_be_paid_otherwise(at),
                calm && !recovers && client.state.number_change.is_none()
            );
        }
    }
}
