//! A PayTech that holds no money: payment requests, checkout page, status, refunds, IPN, with a ledger of its own.
//!
//! Sources: the documentation and integrations summed up in providers.md §3.1. What they leave open (the body of
//! `get-status`, the words of refusals, when an IPN is sent again) is made up here, with switches for the other guesses.

mod answer;
mod auth;
mod control;
mod forge;
mod hooks;
mod ipn;
mod ledger;
mod page;
mod refund;
mod request;
mod settle;
mod status;
mod store;
mod validate;
mod wallet;

use std::{
    collections::VecDeque,
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
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, faults::Faults, ids::Ids, server, server::lock};

/// How the fake is set up. `Config::default()` has one merchant (`paytech_key_fake`, `paytech_secret_fake`) with a million
/// francs. IPN go where each payment request says.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub api_key: String,
    pub api_secret: String,
    /// Where checkout pages live, without a slash at the end; by default the address the fake listens on.
    pub public_url: Option<String>,
    /// Francs in the merchant's account at the start.
    pub opening_balance: i64,
    /// What PayTech keeps of a sale, in basis points, rounded down. Its real fees are not published.
    pub fee_bps: i64,
    /// Seconds to wait before each further try of an IPN; the last one repeats until three days have passed.
    pub retry_seconds: Vec<i64>,
    pub business_name: String,
    /// For ids and test debits that are the same in each run; random otherwise.
    pub seed: Option<u64>,
    /// Where books, sales and waiting IPN are kept over a restart; by default nowhere. Written within 50 ms of a change
    /// and at the end: a `kill -9` may lose the last of it.
    pub state_file: Option<PathBuf>,
    /// How it behaves at the start.
    pub switches: Switches,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_key: "paytech_key_fake".into(),
            api_secret: "paytech_secret_fake".into(),
            public_url: None,
            opening_balance: 1_000_000,
            fee_bps: 0,
            retry_seconds: vec![10, 30, 120, 600, 3_600],
            business_name: "Kalel".into(),
            seed: None,
            state_file: None,
            switches: Switches::default(),
        }
    }
}

/// What is not documented, or differs between integrations. `/__control` can change each while it runs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Lets `http://127.0.0.1…` pass as an address to be told or sent back to; PayTech itself wants https.
    pub loopback_http: bool,
    /// Says no to a wrong key with HTTP 401 and to a suspended merchant with 403; otherwise with 200 as to all else.
    pub http_statuses: bool,
    /// The merchant's account is suspended.
    pub suspended: bool,
    /// How an IPN is written.
    pub ipn: Encoding,
    /// An IPN carries `hmac_compute` besides the static hashes.
    pub hmac: bool,
    /// Which amount a test payment is told to have been.
    pub tells: Tells,
    /// `get-status` tells refunds; otherwise a payment given back looks like one that was not.
    pub tells_refunds: bool,
    /// A refund asked for again is answered with success (and no effect); otherwise with a refusal.
    pub accepts_refunds_again: bool,
    /// Seconds of the fake's time from the acceptance of a refund to its effect.
    pub refund_seconds: i64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            loopback_http: true,
            http_statuses: false,
            suspended: false,
            ipn: Encoding::Form,
            hmac: true,
            tells: Tells::Asked,
            tells_refunds: true,
            accepts_refunds_again: false,
            refund_seconds: 2,
        }
    }
}

/// How an IPN is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Form,
    Json,
}

/// Which amount `get-status` and the IPN tell of a payment in `env=test`, where 100 to 150 francs are debited whatever
/// the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tells {
    /// The price that was asked for.
    Asked,
    /// What was debited.
    Debited,
}

/// Everything the handlers share.
pub(crate) struct PayTech {
    config: Config,
    public_url: String,
    clock: Clock,
    ids: Ids,
    switches: Mutex<Switches>,
    /// Answers that `/__control` put into the fake's mouth: call, body.
    scripts: Mutex<VecDeque<(String, Value)>>,
    wallet: Mutex<wallet::Wallet>,
    faults: Faults,
    hooks: hooks::Hooks,
    /// Something is to be saved.
    changed: Notify,
}

type App = State<Arc<PayTech>>;

impl PayTech {
    fn switches(&self) -> Switches {
        *lock(&self.switches)
    }

    /// The answer that was scripted for this call, if one was.
    fn scripted(&self, call: &str) -> Option<Value> {
        let mut scripts = lock(&self.scripts);
        let position = scripts.iter().position(|(wanted, _)| wanted == call)?;
        scripts.remove(position).map(|(_, body)| body)
    }
}

/// Runs the fake until `shutdown`. Answers on whatever the listener is bound to; keep that on loopback.
///
/// # Errors
/// When the listener fails, its address cannot be read, or the state file is there and cannot be read.
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
    let paytech = Arc::new(PayTech {
        public_url,
        // A seed must not give the ids of the run before again.
        ids: Ids::new(config.seed.map(|seed| seed.wrapping_add(wallet.next_number()))),
        switches: Mutex::new(config.switches),
        scripts: Mutex::default(),
        wallet: Mutex::new(wallet),
        changed: Notify::new(),
        faults: Faults::new(clock.clone(), stop.clone(), answer::for_status),
        hooks: hooks::Hooks::new(book, config.retry_seconds.clone(), clock.clone())?,
        clock,
        config,
    });
    let deliveries = tokio::spawn(Arc::clone(&paytech).deliver(stop.clone()));
    let saves = tokio::spawn(Arc::clone(&paytech).save_changes());
    let served = server::run(listener, router(Arc::clone(&paytech)), stop, shutdown).await;
    deliveries.abort();
    saves.abort();
    paytech.save()?;
    served
}

fn router(paytech: Arc<PayTech>) -> Router {
    let api = Router::new()
        .route("/api/payment/request-payment", post(request::create))
        .route("/api/payment/get-status", get(status::show))
        .route("/api/payment/refund-payment", post(refund::create))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&paytech), faulty));
    Router::new()
        .merge(api)
        .route("/payment/checkout/{token}", get(page::show).post(page::act))
        .route("/__control", post(control::act))
        .route("/__ledger", get(control::ledger))
        .route("/__calls", get(control::calls))
        .route("/__webhooks", get(control::webhooks))
        .route("/__health", get(|| async { "ok" }))
        .layer(middleware::from_fn_with_state(Arc::clone(&paytech), noting))
        .with_state(paytech)
}

async fn faulty(State(paytech): App, path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let call = call_name(path.as_ref().map_or("", MatchedPath::as_str));
    paytech.faults.pass(call, request, next).await
}

/// Whatever is not a GET may have changed something.
async fn noting(State(paytech): App, request: Request, next: Next) -> Response {
    let reading = *request.method() == Method::GET;
    let response = next.run(request).await;
    if !reading {
        paytech.changed.notify_one();
    }
    response
}

/// The name by which `/__control` knows a call.
fn call_name(path: &str) -> &'static str {
    match path {
        "/api/payment/request-payment" => request::CALL,
        "/api/payment/get-status" => status::CALL,
        "/api/payment/refund-payment" => refund::CALL,
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
