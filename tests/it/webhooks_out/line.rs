//! A line to somebody outside: an API with a site, a receiver, and the steps that send, stepped by hand.

use std::{sync::Arc, time::Duration};

use adapters::egress::Egress;
use domain::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use workers::{
    Config, Context, Providers,
    runtime::{Progress, Step},
    webhook_out::{Sender, Writer, way_out},
};

use crate::{
    afterwards::servers::Fake,
    api::{Answer, Api, slot},
};

/// Everything that a test of the line needs.
pub struct Line {
    pub api: Api,
    pub ctx: Context,
    pub receiver: Fake,
    /// By slug and by id.
    pub site: String,
    games: std::sync::atomic::AtomicI64,
    _stop: DropGuard,
}

impl Line {
    /// A site, and a key `shop` of a service that reads its events.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut api = Api::new().await;
        let (site, _) = api.site().await;
        api.grant("shop", Role::Service, Some(vec![site.parse().unwrap()])).await;
        let mut config = Config::new("test");
        config.lease = Duration::from_secs(20);
        change(&mut config);
        let pay_url = Arc::new(|id| format!("https://kalel.sn/p/{id}"));
        let ctx = Context::new(api.store.clone(), config, Providers::default(), pay_url);
        workers::enrol(&ctx).await.unwrap();
        let stop = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Fake::new(format!("http://{}", listener.local_addr().unwrap()));
        let serving =
            fakes::receiver::serve(listener, fakes::receiver::Config::default(), stop.clone().cancelled_owned());
        tokio::spawn(async move { serving.await.unwrap() });
        let games = std::sync::atomic::AtomicI64::new(1);
        Self { api, ctx, receiver, site, games, _stop: stop.drop_guard() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}/hook/{path}", self.receiver.url)
    }

    /// An endpoint of somebody at this path of the receiver, for reservations only; the receiver learns its secret.
    pub async fn endpoint(&self, who: &str, path: &str) -> Answer {
        let wanted = json!({ "url": self.url(path), "types": ["reservation.*"] });
        let made = self.api.post(who, "/v1/endpoints", wanted).await.is(201);
        self.know(&[made.text("/secret")]).await;
        made
    }

    /// The receiver knows these secrets from now on.
    pub async fn know(&self, secrets: &[&str]) {
        self.receiver.control(json!({ "do": "secrets", "secrets": secrets })).await;
    }

    /// Something happens at the site: a reservation by its manager. Answers its id and the position of its last event.
    pub async fn game(&self) -> (String, i64) {
        let days = self.games.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let body = slot(&self.site, "nord", self.api.midday(days), 60);
        let made = self.api.post("manager", "/v1/reservations", body).await.is(201);
        // What it owes is written after it.
        (made.text("/id").to_owned(), *self.expected().await.last().unwrap())
    }

    /// Steps until nothing is left to do at this time.
    pub async fn pump(&self) {
        self.pump_by(way_out(&self.ctx).unwrap()).await;
    }

    pub async fn pump_by(&self, egress: Egress) {
        let mut writer = Writer::new(self.ctx.clone());
        let mut sender = Sender::by(self.ctx.clone(), egress);
        for _ in 0..500 {
            let wrote = writer.step().await.unwrap();
            let sent = sender.step().await.unwrap();
            if (wrote, sent) == (Progress::Idle, Progress::Idle) {
                return;
            }
        }
        panic!("the line finds no rest");
    }

    /// Time passes, and everything that fell due happens.
    pub async fn pass(&self, seconds: u64) {
        self.api.store.clock().advance(Duration::from_secs(seconds)).await.unwrap();
        self.pump().await;
    }

    /// What arrived at a path, in the order in which it came.
    pub async fn arrived(&self, path: &str) -> Vec<Value> {
        let ledger = self.receiver.get("/__ledger").await;
        let messages = ledger["messages"].as_array().unwrap().iter().filter(|message| message["path"] == path);
        messages.cloned().collect()
    }

    /// The positions of what arrived at a path.
    pub async fn positions(&self, path: &str) -> Vec<i64> {
        let arrived = self.arrived(path).await;
        arrived.iter().map(|message| message["body"]["sequence"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// The positions of the events of the site's reservations.
    pub async fn expected(&self) -> Vec<i64> {
        let events = self.api.store.read_after(0, 10_000).await.unwrap();
        let site: uuid::Uuid = self.site.parse().unwrap();
        let theirs = events.iter().filter(|event| {
            event.name.starts_with("reservation.") && event.meta.site_id.is_some_and(|id| id.uuid() == site)
        });
        theirs.map(|event| event.position).collect()
    }

    pub async fn show(&self, who: &str, endpoint: &Answer) -> Answer {
        self.api.get(who, &path(endpoint, "")).await
    }

    /// The newest first.
    pub async fn deliveries(&self, who: &str, endpoint: &Answer) -> Vec<Value> {
        let list = self.api.get(who, &path(endpoint, "/deliveries?limit=100")).await.is(200);
        list.body["data"].as_array().unwrap().clone()
    }

    pub async fn fail(&self, fault: Value) {
        let mut instruction = fault;
        instruction["do"] = json!("fail");
        self.receiver.control(instruction).await;
    }

    pub async fn delete(&self, who: &str, endpoint: &Answer) -> Answer {
        self.api.ask(Method::DELETE, &path(endpoint, "")).role(who).send().await
    }

    /// Names of the events of an endpoint.
    pub async fn history(&self, endpoint: &Answer) -> Vec<String> {
        let events = self.api.store.read_stream(endpoint.text("/id").parse().unwrap(), 0, 100).await.unwrap();
        events.into_iter().map(|event| event.name).collect()
    }
}

/// A path below an endpoint.
pub fn path(endpoint: &Answer, rest: &str) -> String {
    format!("/v1/endpoints/{}{rest}", endpoint.text("/id"))
}
