//! Another API process on the log of a world, with limits of its own; and events to write.

use domain::{
    actor::{Actor, Role},
    client::Renamed,
    decision::{Change, Decision},
    ids::{ClientId, KeyId, PrincipalId, SiteId},
};
use eventstore::{Append, Meta, Store};
use reqwest::RequestBuilder;
use tokio_util::sync::CancellationToken;

use super::reader::Reader;
use crate::{api::Api, world::World};

pub struct Process {
    pub store: Store,
    pub base: String,
    pub http: reqwest::Client,
    /// Ends it as `kalel serve` does.
    pub ending: CancellationToken,
    pub server: tokio::task::JoinHandle<()>,
}

impl Process {
    pub async fn new(world: &World, streams: ::api::event::Limits) -> Self {
        let store = world.store().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = ::api::App::new(::api::Options {
            store: store.clone(),
            watch: projections::Watch::new(store.clone()),
            settings: ::api::Settings {
                public_url: base.clone(),
                methods: vec![domain::payment::Method::Wave],
                streams,
                ..Default::default()
            },
            webhooks: crate::api::verifiers(),
        });
        let ending = CancellationToken::new();
        let (router, over) = (::api::router(app.clone()), ending.clone());
        let server = tokio::spawn(async move {
            let stop = async move {
                over.cancelled().await;
                app.end();
            };
            axum::serve(listener, router).with_graceful_shutdown(stop).await.unwrap();
        });
        Self { store, base, http: reqwest::Client::new(), ending, server }
    }

    pub fn ask(&self, secret: &str, query: &str) -> RequestBuilder {
        self.http.get(format!("{}/v1/events/stream{query}", self.base)).bearer_auth(secret)
    }

    pub async fn read(&self, secret: &str, query: &str) -> Reader {
        Reader::of(self.ask(secret, query)).await
    }
}

/// A stream of the API's own process.
pub async fn read(api: &Api, role: &str, query: &str) -> Reader {
    Reader::of(api.http.get(format!("{}/v1/events/stream{query}", api.base)).bearer_auth(api.secret(role))).await
}

/// Appends so many events of one new stream, concerning a site or none; answers the position of the last.
pub async fn write(store: &Store, site: Option<SiteId>, count: usize) -> i64 {
    let client = ClientId::new(store.clock().new_id());
    let renamed = Renamed { client_id: client, name: None, by: Actor::SYSTEM, at: store.clock().now() };
    let events = vec![domain::event::Event::from(renamed); count];
    let mut meta = Meta::system();
    meta.site_id = site;
    let decision = Decision { changes: vec![Change { stream: client.into(), expected: 0, events }], reads: Vec::new() };
    store.append(Append::new(decision, meta)).await.unwrap().position()
}

/// A key that can be revoked.
pub async fn key(store: &Store, role: Role) -> (KeyId, String) {
    let (id, secret) = (KeyId::new(store.clock().new_id()), format!("kk_test_{}", store.clock().new_id().simple()));
    let principal = PrincipalId::new(store.clock().new_id());
    let wanted = kalel::key::Wanted { id, label: "of a test", role, principal, secret: &secret, sites: None };
    kalel::key::grant(store, &wanted).await.unwrap();
    (id, secret)
}
