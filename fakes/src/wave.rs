//! A Wave that holds no money: checkout, payout, balance, transactions, launch page, webhooks, with a ledger of its own.
//!
//! Sources: docs.wave.com/business and the integrations summed up in providers.md §1; where they disagree, the stricter.

mod account;
mod auth;
mod checkout;
mod control;
mod error;
mod forge;
mod hooks;
mod launch;
mod ledger;
mod payout;
mod store;
mod validate;
mod wallet;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, faults::Faults, ids::Ids, server};

/// How the fake is set up. `Config::default()` has one good key (`wave_sn_prod_fake`), a million francs and no webhook.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// API keys that exist. Any other one is unknown.
    pub keys: Vec<Key>,
    /// Where launch pages live, without a slash at the end; by default the address the fake listens on.
    pub public_url: Option<String>,
    /// Lets `http://127.0.0.1…` pass as a success or error URL; Wave itself wants https.
    pub loopback_http: bool,
    /// Where events go. More can be registered with `/__control`.
    pub webhooks: Vec<Endpoint>,
    /// Francs in the wallet at the start.
    pub opening_balance: i64,
    /// Seconds that a checkout session can be paid.
    pub session_seconds: i64,
    /// The merchant's fee on a checkout, in basis points, rounded down to a multiple of 5 francs.
    pub checkout_fee_bps: i64,
    /// The fee on a payout, likewise.
    pub payout_fee_bps: i64,
    /// Seconds to wait before each further try of a webhook; the last one repeats until three days have passed.
    pub retry_seconds: Vec<i64>,
    pub business_name: String,
    /// For ids that are the same in each run; random otherwise.
    pub seed: Option<u64>,
    /// Where books, sessions and waiting webhooks are kept over a restart; by default nowhere. Written within 50 ms of
    /// a change and at the end: a `kill -9` may lose the last of it.
    pub state_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keys: vec![Key { token: "wave_sn_prod_fake".into(), state: KeyState::Active, scopes: Scope::ALL.to_vec() }],
            public_url: None,
            loopback_http: true,
            webhooks: Vec::new(),
            opening_balance: 1_000_000,
            session_seconds: 30 * 60,
            checkout_fee_bps: 100,
            payout_fee_bps: 100,
            retry_seconds: vec![10, 30, 120, 600, 3_600],
            business_name: "Kalel".into(),
            seed: None,
            state_file: None,
        }
    }
}

/// An API key and what it may do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub token: String,
    #[serde(default)]
    pub state: KeyState,
    #[serde(default = "Scope::all")]
    pub scopes: Vec<Scope>,
}

/// What has become of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    #[default]
    Active,
    Revoked,
    /// The wallet behind it is disabled: only the balance can be read.
    WalletDisabled,
}

/// An API that a key was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Checkout,
    Payout,
    Balance,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Checkout, Self::Payout, Self::Balance];

    fn all() -> Vec<Self> {
        Self::ALL.to_vec()
    }
}

/// A registered webhook. Rotation of a secret is a second one with the same URL.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    pub url: String,
    #[serde(default)]
    pub strategy: Strategy,
    pub secret: String,
}

/// How a webhook proves where it comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// `Wave-Signature: t=…,v1=HMAC-SHA256(secret, t + body)`.
    #[default]
    Signing,
    /// `Authorization: Bearer <secret>`.
    Shared,
}

/// Everything the handlers share.
pub(crate) struct Wave {
    config: Config,
    public_url: String,
    clock: Clock,
    ids: Ids,
    wallet: Mutex<wallet::Wallet>,
    faults: Faults,
    hooks: hooks::Hooks,
    /// Something is to be saved.
    changed: Notify,
}

type App = State<Arc<Wave>>;

/// Runs the fake until `shutdown`. Answers on whatever the listener is bound to; keep that on loopback.
///
/// # Errors
/// When the listener fails or its address cannot be read.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let public_url = match &config.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", listener.local_addr()?),
    };
    let (clock, stop) = (Clock::default(), CancellationToken::new());
    let store::Kept { wallet, book, .. } = store::load(&config, &clock)?;
    let wave = Arc::new(Wave {
        public_url,
        // A seed must not give the ids of the run before again.
        ids: Ids::new(config.seed.map(|seed| seed.wrapping_add(wallet.next_number()))),
        wallet: Mutex::new(wallet),
        changed: Notify::new(),
        faults: Faults::new(clock.clone(), stop.clone(), error::for_status),
        hooks: hooks::Hooks::new(book, config.webhooks.clone(), config.retry_seconds.clone(), clock.clone())?,
        clock,
        config,
    });
    let deliveries = tokio::spawn(Arc::clone(&wave).deliver(stop.clone()));
    let saves = tokio::spawn(Arc::clone(&wave).save_changes());
    let served = server::run(listener, router(Arc::clone(&wave)), stop, shutdown).await;
    deliveries.abort();
    saves.abort();
    wave.save()?;
    served
}

fn router(wave: Arc<Wave>) -> Router {
    let api = Router::new()
        .route("/v1/checkout/sessions", post(checkout::create).get(checkout::by_transaction))
        .route("/v1/checkout/sessions/search", get(checkout::search))
        .route("/v1/checkout/sessions/{id}", get(checkout::show))
        .route("/v1/checkout/sessions/{id}/expire", post(checkout::expire))
        .route("/v1/checkout/sessions/{id}/refund", post(checkout::refund))
        .route("/v1/payout", post(payout::create))
        .route("/v1/payouts/search", get(payout::search))
        .route("/v1/payout/{id}", get(payout::show))
        .route("/v1/payout/{id}/reverse", post(payout::reverse))
        .route("/v1/balance", get(account::balance))
        .route("/v1/transactions", get(account::transactions))
        .route("/v1/transactions/{id}/refund", post(account::refund))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&wave), faulty));
    Router::new()
        .merge(api)
        .route("/c/{id}", get(launch::page).post(launch::act))
        .route("/__control", post(control::act))
        .route("/__ledger", get(control::ledger))
        .route("/__calls", get(control::calls))
        .route("/__webhooks", get(control::webhooks))
        .route("/__health", get(|| async { "ok" }))
        .layer(middleware::from_fn_with_state(Arc::clone(&wave), noting))
        .with_state(wave)
}

async fn faulty(State(wave): App, path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let call = call_name(request.method(), path.as_ref().map_or("", MatchedPath::as_str));
    wave.faults.pass(call, request, next).await
}

/// Whatever is not a GET may have changed something.
async fn noting(State(wave): App, request: Request, next: Next) -> Response {
    let reading = *request.method() == Method::GET;
    let response = next.run(request).await;
    if !reading {
        wave.changed.notify_one();
    }
    response
}

/// The name by which `/__control` knows a call.
fn call_name(method: &Method, path: &str) -> &'static str {
    match (path, *method == Method::POST) {
        ("/v1/checkout/sessions", true) => "checkout.create",
        ("/v1/checkout/sessions", false) => "checkout.by_transaction",
        ("/v1/checkout/sessions/search", _) => "checkout.search",
        ("/v1/checkout/sessions/{id}", _) => "checkout.get",
        ("/v1/checkout/sessions/{id}/expire", _) => "checkout.expire",
        ("/v1/checkout/sessions/{id}/refund", _) => "checkout.refund",
        ("/v1/payout", _) => "payout.create",
        ("/v1/payouts/search", _) => "payout.search",
        ("/v1/payout/{id}", _) => "payout.get",
        ("/v1/payout/{id}/reverse", _) => "payout.reverse",
        ("/v1/balance", _) => "balance",
        ("/v1/transactions", _) => "transactions",
        ("/v1/transactions/{id}/refund", _) => "transactions.refund",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
