//! The bus is a copy: it may be away, empty, old or somebody else's, and nothing is lost.

use std::time::Duration;

use async_nats::jetstream;
use futures_util::StreamExt;
use projections::PROJECTORS;
use tokio_util::sync::CancellationToken;
use workers::{
    Bus, Role,
    bus::Message,
    projector::Projecting,
    relay::Relay,
    runtime::{Progress, Step},
};

use super::bench::Bench;

async fn bus(bench: &Bench) -> Bus {
    Bus::connect(&bench.world.nats_url, bench.store.log().id, 1 << 24).await.unwrap()
}

async fn client(bench: &Bench) -> jetstream::Context {
    let url: String = bench.world.nats_url.clone();
    let (login, address) = url.trim_start_matches("nats://").split_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap();
    let options = async_nats::ConnectOptions::with_user_and_password(user.into(), password.into());
    jetstream::new(options.connect(address).await.unwrap())
}

/// Steps the relay until the stream holds everything.
async fn relay(bench: &Bench, relay: &mut Relay) {
    for _ in 0..2_000 {
        match relay.step().await {
            Ok(Progress::Idle) => return,
            Ok(Progress::Busy) => {}
            // Connecting.
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    panic!("the relay of {} does not get through", bench.store.log().id);
}

/// Positions and subjects in the stream, in order.
async fn held(bench: &Bench, name: &str) -> Vec<(i64, String, serde_json::Value)> {
    let stream = client(bench).await.get_stream(name).await.unwrap();
    let state = stream.get_info().await.unwrap().state;
    let mut held = Vec::new();
    for sequence in state.first_sequence..=state.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        let position = message.headers.get("Nats-Msg-Id").unwrap().as_str().parse().unwrap();
        held.push((position, message.subject.to_string(), serde_json::from_slice(&message.payload).unwrap()));
    }
    held
}

#[tokio::test]
async fn every_event_is_published_once_and_in_order() {
    let bench = Bench::new().await;
    bench.confirmed(20).await;
    let bus = bus(&bench).await;
    let name = bus.stream_name();
    let mut first = Relay::new(bench.ctx.clone(), bus.clone());
    relay(&bench, &mut first).await;
    let head = bench.store.head().await.unwrap();
    let held = held(&bench, &name).await;
    assert_eq!(held.iter().map(|(position, ..)| *position).collect::<Vec<_>>(), (1..=head).collect::<Vec<_>>());
    let (_, subject, event) = held.iter().find(|(_, _, event)| event["type"] == "reservation.held").unwrap();
    assert_eq!(*subject, format!("kalel.{}.events.reservation.held", bench.store.log().id));
    assert_eq!((&event["specversion"], event["data"]["slot"].is_object()), (&serde_json::json!("1.0"), true));
}

#[tokio::test]
async fn a_stream_that_was_wiped_is_filled_again() {
    let bench = Bench::new().await;
    bench.confirmed(20).await;
    let bus = bus(&bench).await;
    let name = bus.stream_name();
    relay(&bench, &mut Relay::new(bench.ctx.clone(), bus.clone())).await;
    let before = held(&bench, &name).await;
    client(&bench).await.delete_stream(&name).await.unwrap();
    relay(&bench, &mut Relay::new(bench.ctx.clone(), bus.clone())).await;
    assert_eq!(held(&bench, &name).await, before);
    // Purged by hand: it says from where on, but not what.
    client(&bench).await.get_stream(&name).await.unwrap().purge().await.unwrap();
    relay(&bench, &mut Relay::new(bench.ctx.clone(), bus)).await;
    assert_eq!(held(&bench, &name).await, before);
}

#[tokio::test]
async fn a_relay_under_way_notices_that_the_stream_was_wiped() {
    let bench = Bench::new().await;
    let bus = bus(&bench).await;
    let name = bus.stream_name();
    let mut under_way = Relay::new(bench.ctx.clone(), bus);
    relay(&bench, &mut under_way).await;
    client(&bench).await.delete_stream(&name).await.unwrap();
    bench.hold(20).await;
    relay(&bench, &mut under_way).await;
    let head = bench.store.head().await.unwrap();
    assert_eq!(held(&bench, &name).await.len(), usize::try_from(head).unwrap());
}

#[tokio::test]
async fn an_older_stream_goes_on_and_a_foreign_one_is_replaced() {
    let bench = Bench::new().await;
    bench.hold(20).await;
    let bus = bus(&bench).await;
    let name = bus.stream_name();
    relay(&bench, &mut Relay::new(bench.ctx.clone(), bus.clone())).await;
    let older = held(&bench, &name).await;
    bench.hold(22).await;
    // Somebody else publishes under our name: a position that we have, an event that we have not.
    let last = u64::try_from(older.len()).unwrap();
    let foreign = Message {
        position: i64::try_from(last).unwrap() + 1,
        name: "reservation.held".into(),
        payload: format!(r#"{{"id":"{}"}}"#, uuid::Uuid::nil()),
    };
    bus.publish(last, vec![foreign]).await.unwrap();
    relay(&bench, &mut Relay::new(bench.ctx.clone(), bus)).await;
    let head = bench.store.head().await.unwrap();
    let held = held(&bench, &name).await;
    assert_eq!(held.iter().map(|(position, ..)| *position).collect::<Vec<_>>(), (1..=head).collect::<Vec<_>>());
    assert!(held.iter().all(|(.., event)| event["id"] != uuid::Uuid::nil().to_string()));
}

#[tokio::test]
async fn a_second_relay_waits_for_the_lease() {
    let bench = Bench::new().await;
    let bus = bus(&bench).await;
    let mut first = Relay::new(bench.ctx.clone(), bus.clone());
    relay(&bench, &mut first).await;
    let mut other = bench.ctx.clone();
    other.config = std::sync::Arc::new(workers::Config::new("other"));
    bench.hold(20).await;
    assert_eq!(Relay::new(other, bus.clone()).step().await.unwrap(), Progress::Idle);
    assert_eq!(bus.last().await.unwrap().unwrap().position, Some(bench.store.head().await.unwrap() - 2));
}

#[tokio::test]
async fn the_doorbell_rings_when_something_is_published() {
    let bench = Bench::new().await;
    let bus = bus(&bench).await;
    let mut under_way = Relay::new(bench.ctx.clone(), bus.clone());
    relay(&bench, &mut under_way).await;
    let mut rings = bus.doorbell("test").await.unwrap();
    bench.hold(20).await;
    relay(&bench, &mut under_way).await;
    let rung = tokio::time::timeout(Duration::from_secs(10), rings.next()).await.unwrap();
    assert!(rung.unwrap().unwrap().payload.is_empty(), "a doorbell carries nothing");
}

#[tokio::test]
async fn without_a_bus_everything_goes_on_by_polling() {
    let bench = Bench::new().await;
    // Nobody listens there.
    let away = Bus::connect("nats://127.0.0.1:9", bench.store.log().id, 1 << 20).await.unwrap();
    let shutdown = CancellationToken::new();
    const ROLES: [Role; 3] = [Role::Relay, Role::Projector, Role::Worker];
    let running = tokio::spawn(workers::run(bench.ctx.clone(), &ROLES, Some(away), None, shutdown.clone()));
    let (reservation, payment) = bench.hold(20).await;
    wait_until(|| async { bench.payment(payment).await == "pending" }).await;
    bench.pay(payment).await;
    wait_until(|| async { bench.status(reservation).await == "confirmed" }).await;
    let head = bench.store.head().await.unwrap();
    wait_until(|| async {
        let progress = projections::progress(&bench.store).await.unwrap();
        progress.len() == PROJECTORS.len() && progress.iter().all(|status| status.position >= head)
    })
    .await;
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn one_process_projects_and_another_stands_by() {
    let bench = Bench::new().await;
    let mut other = bench.ctx.clone();
    other.config = std::sync::Arc::new(workers::Config::new("other"));
    let mut first = Projecting::new(bench.ctx.clone(), PROJECTORS[0], None);
    while first.step().await.unwrap() == Progress::Busy {}
    let mut second = Projecting::new(other, PROJECTORS[0], None);
    assert_eq!(second.step().await.unwrap(), Progress::Idle);
    let progress = projections::progress(&bench.store).await.unwrap();
    assert_eq!(progress.iter().map(|status| status.owner.as_str()).collect::<Vec<_>>(), ["test"]);
}

/// Asks until it is so; a test that hangs is ended by its own deadline.
async fn wait_until<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.expect("it never came about");
}
