//! The API of a world, over real HTTP: a listener, a client, keys for every role, a site, and projectors to pump.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
};

use domain::{
    actor::Role,
    ids::{KeyId, PrincipalId, SiteId},
    reconciliation::{Provider, Terms},
    text::Slug,
};
use eventstore::Store;
use projections::{PROJECTORS, Runner, Watch};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

static NEXT: AtomicU32 = AtomicU32::new(1);

/// An API on a world of its own.
pub struct Api {
    pub store: Store,
    pub base: String,
    pub http: reqwest::Client,
    keys: BTreeMap<&'static str, (String, Uuid)>,
    runners: tokio::sync::Mutex<Vec<Runner>>,
    _server: tokio::task::JoinHandle<()>,
    pub world: World,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn position(&self) -> i64 {
        self.header("kalel-position").parse().unwrap()
    }

    pub fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {}", self.body))
    }

    /// Insists on a status, and shows the answer when it is another.
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Insists on a problem document with this status and code.
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        for member in ["type", "title", "status", "detail", "instance", "request_id", "retryable", "outcome"] {
            assert!(!self.body[member].is_null(), "{member} is missing in {}", self.body);
        }
        self
    }
}

/// A request on its way.
pub struct Ask<'a> {
    api: &'a Api,
    builder: reqwest::RequestBuilder,
}

impl<'a> Ask<'a> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.builder = self.builder.header("content-type", "application/json").body(body.to_string());
        self
    }

    pub fn raw(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.builder = self.builder.body(body.into());
        self
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn bearer(self, secret: &str) -> Self {
        self.header("authorization", &format!("Bearer {secret}"))
    }

    pub fn role(self, role: &str) -> Self {
        let secret = self.api.secret(role).to_owned();
        self.bearer(&secret)
    }

    pub async fn send(self) -> Answer {
        let response = self.builder.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if headers.get("content-type").is_some_and(|media| media == "text/event-stream") {
            // It goes on for ever; whoever wants to read it does so piece by piece (feed/reader.rs).
            return Answer { status, headers, body: Value::Null, bytes: Vec::new() };
        }
        let bytes = response.bytes().await.unwrap().to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, body, bytes }
    }
}

impl Api {
    pub async fn new() -> Self {
        kalel::tls::install();
        let world = World::new().await;
        let store = world.store().await;
        let watch = Watch::new(store.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = api::App::new(api::Options {
            store: store.clone(),
            watch: watch.clone(),
            settings: api::Settings {
                public_url: base.clone(),
                allowed_origins: Vec::new(),
                methods: vec![domain::payment::Method::Wave],
                accounts: BTreeMap::from([(Slug::new(FATOU).unwrap(), vec![domain::payment::Method::OrangeMoney])]),
                redis_url: Some(world.redis_url.clone()),
                terms: [(Provider::Wave, Terms { fee_basis_points: Some(100) })].into(),
                ..api::Settings::default()
            },
            webhooks: crate::api::verifiers(),
        });
        let router = api::router(app);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let mut runners = Vec::new();
        for projector in PROJECTORS {
            runners.push(Runner::own(projector, store.clone(), "test", Some(watch.clone())).await.unwrap());
        }
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut api = Self {
            store,
            base,
            http,
            keys: BTreeMap::new(),
            runners: tokio::sync::Mutex::new(runners),
            _server: server,
            world,
        };
        for role in
            [Role::Admin, Role::Manager, Role::Client, Role::Service, Role::Auditor, Role::Finance, Role::Support]
        {
            api.grant(role.as_str(), role, None).await;
        }
        api.grant("other_manager", Role::Manager, None).await;
        api.grant("other_client", Role::Client, None).await;
        api.grant("other_service", Role::Service, None).await;
        api.grant("second_finance", Role::Finance, None).await;
        api
    }

    /// A key under a name of its own.
    pub async fn grant(&mut self, name: &'static str, role: Role, sites: Option<Vec<SiteId>>) {
        let secret = format!("kk_test_{}", self.store.clock().new_id().simple());
        let principal = self.store.clock().new_id();
        let wanted = kalel::key::Wanted {
            id: KeyId::new(self.store.clock().new_id()),
            label: name,
            role,
            principal: PrincipalId::new(principal),
            secret: &secret,
            sites,
        };
        kalel::key::grant(&self.store, &wanted).await.unwrap();
        self.keys.insert(name, (secret, principal));
    }

    pub fn secret(&self, role: &str) -> &str {
        &self.keys[role].0
    }

    /// Whose key it is.
    pub fn principal(&self, role: &str) -> Uuid {
        self.keys[role].1
    }

    pub fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        Ask { api: self, builder: self.http.request(method, format!("{}{path}", self.base)) }
    }

    pub async fn get(&self, role: &str, path: &str) -> Answer {
        self.ask(Method::GET, path).role(role).send().await
    }

    /// A POST with a fresh key.
    pub async fn post(&self, role: &str, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path).role(role).key(&fresh_key()).json(&body).send().await
    }

    pub async fn put(&self, role: &str, path: &str, etag: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path).role(role).header("if-match", etag).json(&body).send().await
    }

    /// Pumps every projector to the head of the log.
    pub async fn settle(&self) {
        for runner in self.runners.lock().await.iter_mut() {
            runner.catch_up().await.unwrap();
        }
    }

    /// A site that is open around the clock with two halves and a whole; answers its id and slug.
    pub async fn site(&self) -> (String, String) {
        self.site_with(json!({})).await
    }

    /// The same, with some members replaced.
    pub async fn site_with(&self, replaced: Value) -> (String, String) {
        let slug = format!("site-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let site = self.post("manager", "/v1/sites", ground(&slug, replaced)).await.is(201);
        (site.text("/id").to_owned(), slug)
    }

    /// Midday, some days from now, at a site in Dakar: RFC 3339.
    pub fn midday(&self, days: i64) -> chrono::DateTime<chrono::Utc> {
        let day = self.store.clock().now().date_naive() + chrono::Days::new(u64::try_from(days).unwrap());
        day.and_hms_opt(12, 0, 0).unwrap().and_utc()
    }
}

/// A site as a body: open around the clock, two halves and a whole; with some members replaced.
pub fn ground(slug: &str, replaced: Value) -> Value {
    let mut body = json!({
        "slug": slug, "time_zone": "Africa/Dakar", "currency": "XOF",
        "profile": { "name": "Terrain d'essai", "city": "Dakar", "country": "SN",
                     "location": { "lat": 14.6931, "lon": -17.4472 } },
        "cells": ["nord", "sud"],
        "pitches": [
            { "slug": "grand", "name": "Grand", "format": "8x8", "cells": ["nord", "sud"] },
            { "slug": "nord", "name": "Nord", "format": "5x5", "cells": ["nord"] },
            { "slug": "sud", "name": "Sud", "format": "5x5", "cells": ["sud"] },
        ],
        "hours": [{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "opens": "00:00", "closes": "00:00" }],
        "tariffs": [{ "price": { "amount": 30000, "currency": "XOF" }, "minutes": 60 }],
    });
    for (name, value) in replaced.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// A slot of a site as a body.
pub fn slot(site: &str, pitch: &str, starts_at: chrono::DateTime<chrono::Utc>, minutes: u32) -> Value {
    json!({
        "site_id": site, "pitch_id": pitch, "starts_at": starts_at.to_rfc3339(), "minutes": minutes,
        "payment": { "pays": "none" },
    })
}

pub fn fresh_key() -> String {
    format!("a key of a test, number {}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What Wave signs with in tests.
pub const WAVE_SECRET: &str = "wave_sn_WHS_test_secret";

/// A manager's own account, and what its messages are signed with.
pub const FATOU: &str = "fatou";
pub const FATOU_SECRET: &str = "wave_sn_WHS_secret_of_fatou";

pub fn verifiers() -> api::payment::Verifiers {
    use adapters::{
        payments::{origin::Origin, wave::webhook::WebhookSecret},
        secret::Secret,
    };
    let by = |secret| Origin::Wave(vec![WebhookSecret::Signing(Secret::new(secret).unwrap())]);
    let fatou = api::payment::Verifier { account: FATOU.into(), origin: by(FATOU_SECRET) };
    api::payment::Verifiers(vec![by(WAVE_SECRET).into(), fatou, Origin::WebPay.into()])
}
