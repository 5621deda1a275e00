//! No money goes anywhere new while what proves that somebody is they is about to be another, or has just become so (SIM swap,
//! reliability.md §4.1): by the rails' own ledgers.

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    client::{self, Client, DeviceKey, Entry, NewDevice, NewNumber, Stopped},
    decision::Decision,
    ids::{DeviceId, NumberChangeId, PrincipalId, RecoveryId, SecretId},
    phone::Phone,
    refund::Route,
    sealed::field,
};

use super::{
    bench::{Bench, CLIENT, DEPOSIT},
    each_refund::{credit, ended, give_back, paid_out, refuses},
    rails::Kind,
};

const NEW: &str = "+221775550000";
const DAY: i64 = 24 * 3_600;

async fn client(bench: &Bench) -> (Loaded<Client>, Actor) {
    let client: Loaded<Client> = bench.load(bench.client).await;
    let me = Actor::new(Role::Client, PrincipalId::new(client.id.uuid()));
    (client, me)
}

/// The client has a PIN and a telephone, and their number is known to be theirs.
async fn signs_in(bench: &Bench) {
    let (client, me) = client(bench).await;
    let clock = bench.store.clock();
    let device_id = DeviceId::new(clock.new_id());
    let device = NewDevice { device_id, device_key: DeviceKey("A".repeat(43)), name: None };
    let entry = Entry { person: None, pin: Some(SecretId::new(clock.new_id())), device };
    bench.append(client::enter(&client, entry, me, clock.now()).unwrap()).await.unwrap();
}

async fn loses_pin(bench: &Bench) -> Decision {
    let (client, me) = client(bench).await;
    let clock = bench.store.clock();
    let (id, key) = (RecoveryId::new(clock.new_id()), DeviceKey("B".repeat(43)));
    client::begin_recovery(&client, id, key, me, clock.now()).unwrap()
}

async fn changes_number(bench: &Bench) -> Decision {
    let (client, me) = client(bench).await;
    let (clock, subjects) = (bench.store.clock(), bench.store.subjects());
    let number = NewNumber {
        change_id: NumberChangeId::new(clock.new_id()),
        phone_hash: subjects.hash_phone(&Phone::new(NEW).unwrap()),
        phone: subjects.seal(client.id.uuid(), field::PHONE, NEW).await.unwrap(),
    };
    client::begin_number_change(&client, number, me, clock.now()).unwrap()
}

/// Wave gives nothing back, and another rail could.
async fn other_rail(waits: Option<bool>) -> (Route, i64) {
    let mut bench = Bench::by(Kind::Wave).await;
    let other = bench.add(Kind::OrangeMoney).await;
    signs_in(&bench).await;
    let (reservation, payment) = bench.confirmed(20).await;
    match waits {
        Some(true) => bench.append(loses_pin(&bench).await).await.unwrap(),
        Some(false) => bench.append(changes_number(&bench).await).await.unwrap(),
        None => {}
    }
    refuses(&bench, 9).await;
    let refund = give_back(&bench, reservation, payment, DEPOSIT).await;
    bench.pass_in_steps(8, 60).await;
    let (status, route, _) = ended(&bench, refund).await;
    assert_eq!(status, "succeeded");
    let (paid, credited) = (paid_out(&other).await, credit(&bench, payment).await);
    assert_eq!(paid + credited, DEPOSIT);
    (route, paid)
}

#[tokio::test]
async fn no_refund_leaves_for_a_new_wallet_while_cooling() {
    assert_eq!(other_rail(None).await, (Route::Payout, DEPOSIT), "when nothing waits");
    assert_eq!(other_rail(Some(true)).await, (Route::Credit, 0), "a lost PIN waits");
    assert_eq!(other_rail(Some(false)).await, (Route::Credit, 0), "another number waits");
}

#[tokio::test]
async fn a_new_number_is_sent_nothing_by_any_rail_before_a_day_has_passed() {
    let bench = Bench::by(Kind::OrangeMoney).await;
    signs_in(&bench).await;
    bench.append(changes_number(&bench).await).await.unwrap();
    bench.pump().await;
    let told = bench.texts(CLIENT).await;
    assert!(told.last().is_some_and(|text| text.contains("/stop/")), "{told:?}");
    bench.pass(DAY).await;
    assert!(bench.history(bench.client).await.contains(&"client.number_changed".to_owned()));
    assert_eq!(bench.texts(NEW).await.len(), 1, "the new number is told");
    let (reservation, payment) = bench.confirmed(60).await;
    let refund = give_back(&bench, reservation, payment, DEPOSIT).await;
    bench.pass_in_steps(8, 60).await;
    assert_eq!(ended(&bench, refund).await, ("succeeded", Route::Credit, None));
    assert_eq!((paid_out(&bench.rail).await, credit(&bench, payment).await), (0, DEPOSIT));
    // Afterwards it is theirs as any other.
    bench.pass(DAY).await;
    let (reservation, payment) = bench.confirmed(80).await;
    let refund = give_back(&bench, reservation, payment, DEPOSIT).await;
    bench.pass_in_steps(8, 60).await;
    assert_eq!(ended(&bench, refund).await, ("succeeded", Route::Payout, None));
    assert_eq!((paid_out(&bench.rail).await, credit(&bench, payment).await), (DEPOSIT, 0));
}

#[tokio::test]
async fn what_is_stopped_changes_nothing_when_its_time_comes() {
    let bench = Bench::by(Kind::Wave).await;
    signs_in(&bench).await;
    bench.append(changes_number(&bench).await).await.unwrap();
    bench.pump().await;
    let (known, me) = client(&bench).await;
    let now = bench.store.clock().now();
    bench.append(client::cancel_number_change(&known, None, Stopped::Asked, me, now)).await.unwrap();
    bench.pass(DAY).await;
    let history = bench.history(bench.client).await;
    assert!(!history.contains(&"client.number_changed".to_owned()), "{history:?}");
    assert_eq!(bench.effects("change_number").await, [("done".to_owned(), None)]);
}

#[tokio::test]
async fn whoever_has_the_number_meanwhile_keeps_it() {
    let bench = Bench::by(Kind::Wave).await;
    signs_in(&bench).await;
    bench.append(changes_number(&bench).await).await.unwrap();
    bench.pump().await;
    let other = domain::ids::ClientId::new(bench.store.clock().new_id());
    bench.register_client(other, NEW).await;
    bench.pass(DAY).await;
    let history = bench.history(bench.client).await;
    assert_eq!(history.last().map(String::as_str), Some("client.number_change_cancelled"));
    assert!(!history.contains(&"client.number_changed".to_owned()), "{history:?}");
    let (known, _) = client(&bench).await;
    assert!(known.state.number_change.is_none() && known.state.phone.is_some());
}
