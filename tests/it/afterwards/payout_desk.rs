//! The desk of finance: an API with everybody's keys, workers that are stepped by hand, and the fake of Wave.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::payment::Method;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};
use workers::{Config, Context, Providers};

use super::{
    bench::{align, at, pump},
    rails::Kind,
    servers::{Fake, gateway, listen_for_webhooks, serve_sms},
};
use crate::api::{Answer, Api, slot};

/// What an hour costs, and what of it is the site's at a tenth for the platform.
pub const PRICE: i64 = 30_000;
pub const NET: i64 = 27_000;
/// Where the site is paid, and where its manager reads texts.
pub const WALLET: &str = "+221781112233";
pub const MANAGER: &str = "+221784445566";

pub struct Desk {
    pub api: Api,
    pub ctx: Context,
    pub wave: Fake,
    pub sms: Fake,
    pub site: String,
    _stop: DropGuard,
}

impl Desk {
    /// A site that is paid to a number at Wave.
    pub async fn new() -> Self {
        let desk = Self::without_an_account().await;
        desk.set_account("wave", WALLET).await.is(200);
        desk
    }

    pub async fn without_an_account() -> Self {
        let api = Api::new().await;
        // Every test begins on the first morning of a month.
        api.store.clock().advance_to(at(8)).await.unwrap();
        let stop = CancellationToken::new();
        let hooks = listen_for_webhooks(api.store.clone(), stop.clone()).await;
        let (wave, rail) = Kind::Wave.serve(&hooks, stop.clone()).await;
        let sms = serve_sms(stop.clone()).await;
        let ctx = Context::new(
            api.store.clone(),
            Config::new("test"),
            Providers {
                rails: HashMap::from([(Method::Wave, rail.into())]),
                accounts: HashMap::new(),
                sms: Some(gateway(&sms).into()),
                email: None,
            },
            Arc::new(|id| format!("https://kalel.sn/p/{id}")),
        );
        workers::enrol(&ctx).await.unwrap();
        let (site, _) = api.site_with(json!({ "contact": { "phone": MANAGER, "email": null } })).await;
        let desk = Self { api, ctx, wave, sms, site, _stop: stop.drop_guard() };
        desk.rest().await;
        desk
    }

    /// Everything that is due happens, and the views have it.
    pub async fn rest(&self) {
        let ahead = align(&self.wave, self.api.store.clock().now()).await;
        self.sms.control(json!({ "do": "advance", "seconds": ahead })).await;
        // What a view has found may be something to do, and the other way round.
        for _ in 0..2 {
            pump(&self.ctx).await;
            self.api.settle().await;
        }
    }

    pub async fn pass(&self, seconds: u64) {
        self.api.store.clock().advance(Duration::from_secs(seconds)).await.unwrap();
        self.rest().await;
    }

    pub async fn pass_until(&self, instant: DateTime<Utc>) {
        self.api.store.clock().advance_to(instant).await.unwrap();
        self.rest().await;
    }

    pub async fn set_account(&self, method: &str, account: &str) -> Answer {
        let path = format!("/v1/sites/{}/payout-account", self.site);
        let tag = self.api.get("admin", &path).await.is(200).header("etag").to_owned();
        self.api.put("admin", &path, &tag, json!({ "method": method, "account": account })).await
    }

    /// An hour is paid in full, and played: by Wave, or in cash at the gate.
    pub async fn earn(&self, method: &str) -> String {
        let starts = self.api.midday(2);
        let mut body = slot(&self.site, "nord", starts, 60);
        body["client"] = json!({ "phone": "+221771234567" });
        body["payment"] = json!({ "method": method, "pays": "full" });
        let role = if method == "cash" { "manager" } else { "service" };
        let made = self.api.post(role, "/v1/reservations", body).await.is(201);
        if method == "wave" {
            self.rest().await;
            let payment = made.text("/payment/id").parse().unwrap();
            let reference = domain::payment::reference(payment, 1).to_string();
            self.wave.control(Kind::Wave.deed(&reference, "pay", None)).await;
            self.wave.control(json!({ "do": "drain" })).await;
        }
        self.rest().await;
        self.pass_until(starts).await;
        let path = format!("/v1/reservations/{}/check-in", made.text("/id"));
        self.api.post("manager", &path, json!({ "code": made.text("/code") })).await.is(200);
        self.rest().await;
        made.text("/id").to_owned()
    }

    /// The first person prepares a payout of all there is.
    pub async fn prepare(&self) -> Answer {
        self.api.post("finance", "/v1/payouts", json!({ "site": self.site })).await
    }

    pub async fn approve(&self, by: &str, id: &str) -> Answer {
        self.api.settle().await;
        self.api.post(by, &format!("/v1/payouts/{id}/approval"), json!({})).await
    }

    /// Prepared by one, approved by another, and sent.
    pub async fn pay_out(&self) -> String {
        let prepared = self.prepare().await.is(201);
        let id = prepared.text("/id").to_owned();
        self.approve("second_finance", &id).await.is(200);
        self.rest().await;
        id
    }

    pub async fn show(&self, id: &str) -> Answer {
        self.api.settle().await;
        self.api.get("finance", &format!("/v1/payouts/{id}")).await.is(200)
    }

    pub async fn status(&self, id: &str) -> String {
        self.show(id).await.text("/status").to_owned()
    }

    /// What is on an account, by the trial balance.
    pub async fn on(&self, account: &str) -> i64 {
        self.api.settle().await;
        let all = self.api.get("finance", "/v1/ledger/trial-balance").await.is(200);
        let accounts = all.body["accounts"].as_array().unwrap();
        let found = accounts.iter().find(|one| one["account"] == account);
        found.map_or(0, |one| one["balance"]["amount"].as_i64().unwrap())
    }

    pub async fn owed(&self) -> i64 {
        -self.on(&format!("site:{}:payable", self.site)).await
    }

    /// What left by Wave, by Wave's own books, which know of nothing that happened twice.
    pub async fn left(&self) -> i64 {
        let ledger = self.wave.get("/__ledger").await;
        assert_eq!(ledger["repeated"], json!({ "charges": [], "refunds": [], "payouts": [] }));
        ledger["totals"]["paid_out"].as_i64().unwrap()
    }

    pub async fn texts(&self, number: &str) -> Vec<String> {
        let messages = self.sms.get("/__messages").await;
        let to = messages.as_array().unwrap().iter().filter(|message| message["to"] == number);
        to.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }
}

/// An amount in an answer.
pub fn francs(answer: &Answer, pointer: &str) -> i64 {
    let amount = answer.body.pointer(pointer).and_then(|money| money["amount"].as_i64());
    amount.unwrap_or_else(|| panic!("no {pointer} in {}", answer.body))
}

/// Money as it is written.
pub fn money(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "XOF" })
}
