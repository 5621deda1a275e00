//! What happens when there is more to do than can be done: over HTTP, with statements that really hang.

use std::time::{Duration, Instant};

use ::api::http::{admission::Class, limits::Purpose, operation::Operation};
use axum::http::Method as Verb;
use hmac::{Hmac, KeyInit, Mac};
use kalel::serve::listen::{Bounds, serve};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use super::{Answer, answered};
use crate::api::{Api, WAVE_SECRET, fresh_key, slot};

/// The class of an operation by what it is: written down a second time, by rules.
fn class_of(operation: &Operation) -> Class {
    let noun = operation.id.split('.').next().unwrap();
    let is_read = operation.method == Verb::GET;
    match operation.id {
        _ if operation.limit == Purpose::Export || operation.path.ends_with("/statement.pdf") => Class::Export,
        _ if operation.limit == Purpose::Webhook => Class::Confirm,
        "reservation.pay" | "key.revoke" => Class::Confirm,
        "reservation.cancel" | "reservation.reschedule" | "site.close" => Class::Cancel,
        "payment.refund" | "payment.observe_refund" => Class::Cancel,
        "reservation.show" | "reservation.show_split" | "payment.show" => Class::Hold,
        "reservation.history" | "reservation.proof" | "till.history" => Class::Analytics,
        id if id.starts_with("reservation.ticket") || id.starts_with("reservation.check_in") => Class::CheckIn,
        _ => match noun {
            "refund" => Class::Cancel,
            "till" => Class::CheckIn,
            "event" | "audit" | "ledger" | "reconciliation" | "payout" | "invoice" | "promotion" | "key" if is_read => {
                Class::Analytics
            }
            _ if is_read => Class::Search,
            _ => Class::Hold,
        },
    }
}

#[tokio::test]
async fn every_operation_has_the_class_of_its_kind_and_says_so() {
    let api = Api::new().await;
    let document = api.ask(Method::GET, "/openapi.json").send().await.is(200).body;
    let mut seen = [0; Class::ALL.len()];
    for operation in ::api::operations() {
        assert_eq!(operation.class, class_of(operation), "{}", operation.id);
        let verb = operation.method.as_str().to_lowercase();
        assert_eq!(document["paths"][operation.path][&verb]["x-class"], operation.class.as_str(), "{}", operation.id);
        seen[operation.class.index()] += 1;
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

/// A process of the API with four places, of which a search may have three.
struct Narrow {
    api: Api,
    address: String,
    http: reqwest::Client,
    closing: CancellationToken,
}

impl Drop for Narrow {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

impl Narrow {
    async fn new() -> Self {
        let api = Api::new().await;
        let mut options = eventstore::Options::new(
            &api.world.database_url,
            eventstore::Keyring::new([1; 32], [2; 32]),
            eventstore::Mode::Test,
        );
        options.connections = 12;
        let store = eventstore::Store::open(options).await.unwrap();
        Self::of(api, store).await
    }

    async fn of(api: Api, store: eventstore::Store) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let app = ::api::App::new(::api::Options {
            watch: projections::Watch::new(store.clone()),
            store,
            settings: ::api::Settings {
                public_url: format!("http://{address}"),
                methods: vec![domain::payment::Method::Wave],
                most_at_once: Some(4),
                ..Default::default()
            },
            webhooks: crate::api::verifiers(),
        });
        let closing = CancellationToken::new();
        tokio::spawn(serve(listener, ::api::door(app), Bounds::default(), closing.clone()));
        Self { api, address, http: reqwest::Client::new(), closing }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    async fn search(&self) -> Answer {
        answered(self.ask(Method::GET, "/v1/sites")).await
    }

    fn place(&self, body: &Value) -> RequestBuilder {
        let ask = self.ask(Method::POST, "/v1/reservations").bearer_auth(self.api.secret("manager"));
        ask.header("idempotency-key", fresh_key()).json(body)
    }

    async fn webhook(&self) -> Answer {
        let body = format!(r#"{{"id":"{}","type":"merchant.other","data":{{}}}}"#, fresh_key());
        let now = eventstore::Clock::system().now().timestamp();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(WAVE_SECRET.as_bytes()).unwrap();
        mac.update(format!("{now}{body}").as_bytes());
        let signature = format!("t={now},v1={}", hex::encode(mac.finalize().into_bytes()));
        let ask = self.ask(Method::POST, "/v1/provider-webhooks/wave").header("wave-signature", signature);
        answered(ask.body(body)).await
    }

    /// Searches that hang until the lock is given back, and have every place that a search may have.
    async fn fill(&self) -> (PgConnection, Vec<tokio::task::JoinHandle<Answer>>) {
        let mut lock = PgConnection::connect(&self.api.world.owner_url).await.unwrap();
        lock.execute("BEGIN; LOCK TABLE read.sites IN ACCESS EXCLUSIVE MODE").await.unwrap();
        let searches = (0..3).map(|_| tokio::spawn(answered(self.ask(Method::GET, "/v1/sites")))).collect();
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database =
            (SELECT oid FROM pg_database WHERE datname = current_database())";
        let mut watch = PgConnection::connect(&self.api.world.superuser_url()).await.unwrap();
        let all = async { while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watch).await.unwrap() < 3 {} };
        tokio::time::timeout(Duration::from_secs(10), all).await.expect("they do not hang");
        (lock, searches)
    }
}

#[tokio::test]
async fn what_gives_way_is_refused_soon_while_what_matters_is_done() {
    let here = Narrow::new().await;
    assert_eq!(here.search().await.status, 200);
    let (lock, searches) = here.fill().await;
    let begun = Instant::now();
    let refused = here.search().await;
    let took = begun.elapsed();
    assert_eq!((refused.status, refused.body["code"].as_str()), (503, Some("server.overloaded")), "{}", refused.body);
    assert_eq!((refused.header("retry-after"), refused.body["outcome"].as_str()), ("1", Some("not_done")));
    assert!(took >= Duration::from_millis(90) && took < Duration::from_millis(900), "{took:?}");
    // One place is kept for what a provider has to say.
    assert_eq!(here.webhook().await.status, 200);
    lock.close().await.unwrap();
    for search in searches {
        assert!([200, 503].contains(&search.await.unwrap().status));
    }
    assert_eq!(here.search().await.status, 200);
}

#[tokio::test]
async fn who_is_refused_is_refused_before_the_key_is_looked_up_and_the_body_read() {
    let here = Narrow::new().await;
    let (lock, _searches) = here.fill().await;
    let mut stream = TcpStream::connect(&here.address).await.unwrap();
    // A key that nobody has, and a body that never comes.
    let head = "POST /v1/reservations HTTP/1.1\r\nhost: x\r\nauthorization: Bearer kk_test_nobodys\r\n\
        idempotency-key: a key of sixteen\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut read = [0; 2_000];
    let length = tokio::time::timeout(Duration::from_secs(2), stream.read(&mut read)).await.expect("not soon").unwrap();
    let answer = String::from_utf8_lossy(&read[..length]);
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    drop(lock);
}

#[tokio::test]
async fn a_caller_who_no_longer_waits_is_not_begun() {
    let here = Narrow::new().await;
    let (site, _) = here.api.site().await;
    let head = here.api.store.head().await.unwrap();
    let mut wish = slot(&site, "nord", here.api.midday(3), 60);
    wish["client"] = json!({ "phone": "77 123 45 67", "name": "Awa" });
    let until = |ms: i64| (eventstore::Clock::system().now() + chrono::TimeDelta::milliseconds(ms)).to_rfc3339();
    let late = until(-1);
    let refused = answered(here.place(&wish).header("x-deadline", late)).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (503, Some("server.overloaded")));
    let nonsense = answered(here.place(&wish).header("x-deadline", "soon")).await;
    assert_eq!((nonsense.status, nonsense.body["code"].as_str()), (400, Some("request.invalid_header")));
    assert_eq!(here.api.store.head().await.unwrap(), head);
    let soon = until(20_000);
    assert_eq!(answered(here.place(&wish).header("x-deadline", soon)).await.status, 201);
    // A read that has begun ends with its caller's patience.
    let (lock, searches) = here.fill().await;
    drop(searches);
    lock.close().await.unwrap();
    let mut lock = PgConnection::connect(&here.api.world.owner_url).await.unwrap();
    lock.execute("BEGIN; LOCK TABLE read.sites IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let (begun, soon) = (Instant::now(), until(200));
    assert_eq!(answered(here.ask(Method::GET, "/v1/sites").header("x-deadline", soon)).await.status, 503);
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn who_waits_for_a_view_or_for_a_body_keeps_nobody_out() {
    let here = Narrow::new().await;
    // Nothing fills the views here, so that they wait for as long as anybody does.
    here.api.site().await;
    let head = here.api.store.head().await.unwrap().to_string();
    let reads = |_| {
        let ask = here.ask(Method::GET, "/v1/reservations").bearer_auth(here.api.secret("client"));
        tokio::spawn(answered(ask.header("kalel-min-position", &head)))
    };
    let waiting: Vec<_> = (0..12).map(reads).collect();
    let mut sending = Vec::new();
    for _ in 0..12 {
        let mut stream = TcpStream::connect(&here.address).await.unwrap();
        let head = format!(
            "POST /v1/quotes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: 1000\r\n\r\n{{",
            here.api.secret("client")
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        sending.push(stream);
    }
    let begun = Instant::now();
    for _ in 0..10 {
        assert_eq!(here.search().await.status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    for read in waiting {
        let answer = read.await.unwrap();
        assert!([200, 503].contains(&answer.status), "{}", answer.body);
    }
}

#[tokio::test]
async fn without_a_free_connection_a_read_is_refused_soon_and_a_webhook_is_taken() {
    let api = Api::new().await;
    let keyring = eventstore::Keyring::new([1; 32], [2; 32]);
    let mut options = eventstore::Options::new(&api.world.database_url, keyring, eventstore::Mode::Test);
    (options.connections, options.keep_connections) = (6, true);
    (options.acquire_timeout, options.kept_for_urgent) = kalel::serve::POOL;
    let store = eventstore::Store::open(options).await.unwrap();
    let here = Narrow::of(api, store.clone()).await;
    assert_eq!(here.search().await.status, 200);
    // Half of six: as many as are for everybody.
    let mut held = Vec::new();
    while let Ok(connection) = store.pool().acquire().await {
        held.push(connection);
    }
    assert_eq!(held.len(), 3);
    let begun = Instant::now();
    let refused = here.search().await;
    let took = begun.elapsed();
    assert_eq!((refused.status, refused.body["code"].as_str()), (503, Some("server.overloaded")), "{}", refused.body);
    assert_eq!(refused.header("retry-after"), "1");
    assert!(took >= Duration::from_millis(240) && took < Duration::from_millis(900), "{took:?}");
    for _ in 0..20 {
        assert_eq!(here.webhook().await.status, 200);
    }
    let begun = Instant::now();
    drop(held);
    while here.search().await.status != 200 {}
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
