//! What breaks: the connection at the worst moments, a full queue (reliability.md F01, F02).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::ids::StreamId;
use eventstore::{AppendError, Appended, Keyring, LaneLimits, Mode, Options, Store};
use sqlx::{Connection as _, PgConnection};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp},
};

use super::{Elsewhere, append, by_system, in_an_hour, log, queued, refusal, sample};
use crate::world::World;

/// Stands between a store and Postgres, and cuts the connection when it sees certain bytes go by.
struct Proxy {
    port: u16,
    cut: Arc<Cut>,
}

struct Cut {
    armed: AtomicBool,
    /// Cut when these bytes come from the client.
    at: &'static [u8],
    /// Hand them to the server first: it does what was asked, and the answer is lost. Otherwise it never hears of it.
    hand_over: bool,
}

impl Proxy {
    async fn before(target: String, at: &'static [u8], hand_over: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(Cut { armed: AtomicBool::new(false), at, hand_over });
        let shared = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&target).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let gone = Arc::new(AtomicBool::new(false));
                tokio::spawn(upwards(from_client, to_server, Arc::clone(&shared), Arc::clone(&gone)));
                tokio::spawn(downwards(from_server, to_client, gone));
            }
        });
        Self { port, cut }
    }
}

async fn upwards(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, cut: Arc<Cut>, gone: Arc<AtomicBool>) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..read];
        let hit = bytes.windows(cut.at.len()).any(|window| window == cut.at);
        if hit && cut.armed.swap(false, Ordering::SeqCst) {
            // From here on the client hears nothing more.
            gone.store(true, Ordering::SeqCst);
            if cut.hand_over {
                to.write_all(bytes).await.unwrap();
                // The server must have read it before its connection closes.
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            return;
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

async fn downwards(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, gone: Arc<AtomicBool>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if gone.load(Ordering::SeqCst) || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

fn options(url: &str) -> Options {
    let mut options = Options::new(url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 2;
    options
}

/// A store whose every byte goes through a proxy, and the address it hides.
async fn behind_a_proxy(world: &World, at: &'static [u8], hand_over: bool) -> (Store, Proxy) {
    let mut url = url::Url::parse(&world.database_url).unwrap();
    let target = format!("127.0.0.1:{}", url.port().unwrap());
    let proxy = Proxy::before(target, at, hand_over).await;
    url.set_port(Some(proxy.port)).unwrap();
    url.set_host(Some("127.0.0.1")).unwrap();
    (Store::open(options(url.as_str())).await.unwrap(), proxy)
}

/// Both ways of appending, each cut before or after the server hears of it: the answer is true and the event is there
/// once.
async fn the_answer_is_true(in_a_transaction: bool, hand_over: bool) {
    let world = World::new().await;
    // The name of an event's type goes by with the one call, COMMIT only with the transaction.
    let at: &'static [u8] = if in_a_transaction { b"COMMIT" } else { b"reservation.held" };
    let (store, proxy) = behind_a_proxy(&world, at, hand_over).await;
    let ground = sample::Ground::new(store.clock(), 1);
    let until = in_an_hour(&store);
    let past = store.clock().now() - chrono::TimeDelta::seconds(1);
    // A lapsed hold in the way cannot be dealt with in one call.
    let first = ground.wish(store.clock(), 0, if in_a_transaction { past } else { until }).unwrap();
    append(&store, first.place()).await.unwrap();
    let half_hour = if in_a_transaction { 0 } else { 4 };
    let wish = ground.wish(store.clock(), half_hour, until).unwrap();
    proxy.cut.armed.store(true, Ordering::SeqCst);
    let applied = append(&store, wish.place()).await.unwrap();
    assert!(!proxy.cut.armed.load(Ordering::SeqCst), "the connection was cut");
    let events = log(&store).await;
    let mine: Vec<_> = events.iter().filter(|event| event.stream_id == wish.reservation_id.uuid()).collect();
    assert_eq!(mine.len(), 1);
    let Appended::Applied { first, recorded_at, .. } = applied else { panic!("{applied:?}") };
    assert_eq!((first, recorded_at), (mine[0].position, mine[0].recorded_at));
    // The lane goes on.
    refusal(append(&store, ground.wish(store.clock(), half_hour, until).unwrap().place()).await);
    let positions: Vec<i64> = log(&store).await.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=i64::try_from(positions.len()).unwrap()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_answered_truthfully() {
    the_answer_is_true(true, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_never_arrived_is_carried_out_once() {
    the_answer_is_true(true, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_call_whose_answer_is_lost_is_answered_truthfully() {
    the_answer_is_true(false, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_call_that_never_arrived_is_carried_out_once() {
    the_answer_is_true(false, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_database_cannot_be_asked_the_answer_is_unknown_or_not_done() {
    let world = World::new().await;
    let (store, proxy) = behind_a_proxy(&world, b"reservation.held", true).await;
    let wish = sample::Ground::new(store.clock(), 1).wish(store.clock(), 0, in_an_hour(&store)).unwrap();
    // Somebody else keeps the lock for longer than the lane will ask.
    let elsewhere = Elsewhere::holds_the_lane(&world).await;
    proxy.cut.armed.store(true, Ordering::SeqCst);
    let answer = append(&store, wish.place()).await;
    assert!(matches!(answer, Err(AppendError::Unknown)), "{answer:?}");
    elsewhere.lets_go().await;
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_a_late_command_unread() {
    let world = World::new().await;
    let mut limited = options(&world.database_url);
    limited.lane = LaneLimits { commands: 3, deadline: Duration::from_millis(100), ..LaneLimits::default() };
    let store = Store::open(limited).await.unwrap();
    let elsewhere = Elsewhere::holds_the_lane(&world).await;
    let plain = || {
        let stream = store.clock().new_id();
        sample::one(StreamId::new(stream), 0, [sample::plain(stream, store.clock().now())])
    };
    // The first is with the database; three wait.
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(queued(&store, plain()).await);
    }
    let refused = store.append(by_system(plain())).await.unwrap_err();
    assert!(matches!(refused, AppendError::Overloaded { .. }), "{refused:?}");
    tokio::time::sleep(Duration::from_millis(150)).await;
    elsewhere.lets_go().await;
    let mut outcomes = Vec::new();
    for task in waiting {
        outcomes.push(task.await.unwrap());
    }
    assert!(outcomes.remove(0).is_ok());
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(AppendError::Overloaded { .. }))), "{outcomes:?}");
    // What was refused unread is not in the log, and the lane goes on.
    store.append(by_system(plain())).await.unwrap();
    assert_eq!(log(&store).await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_written_fails_alone() {
    let world = World::new().await;
    let store = world.store().await;
    // A bug to be: the guard table is changed behind the log's back, so that the constraint says no.
    let ground = sample::Ground::new(store.clock(), 1);
    let until = in_an_hour(&store);
    let wish = ground.wish(store.clock(), 0, until).unwrap();
    append(&store, wish.place()).await.unwrap();
    sqlx::query("DELETE FROM event_log.unique_claims").execute(&world.pool).await.unwrap();
    let mut owner = PgConnection::connect(&world.owner_url).await.unwrap();
    sqlx::query("ALTER TABLE event_log.unique_claims ADD CHECK (key NOT LIKE '%:impossible')")
        .execute(&mut owner)
        .await
        .unwrap();
    let mut impossible = ground.wish(store.clock(), 2, until).unwrap();
    impossible.held.code = domain::reservation::Code("impossible".into());
    let (one, two) = (ground.wish(store.clock(), 4, until).unwrap(), ground.wish(store.clock(), 6, until).unwrap());
    let outcomes = super::in_one_batch(&world, &store, vec![one.place(), impossible.place(), two.place()]).await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
    assert!(matches!(outcomes[1], Err(AppendError::Database(_))), "{outcomes:?}");
}
