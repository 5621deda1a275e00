//! A PayDunya that holds no money: invoices with their page, SoftPay for Free Money, disbursements in three steps, and
//! callbacks; with a ledger of its own.
//!
//! Sources: the documentation and the integrations summed up in providers.md §3.2. Where they disagree or say nothing,
//! there is a switch ([`Quirks`]), and a code that nobody documents is the fake's own and says so.

mod auth;
mod books;
mod callback;
mod checkout;
mod control;
mod disburse;
mod error;
mod forge;
pub(crate) mod hooks;
pub(crate) mod ledger;
mod page;
mod quirks;
mod refuse;
mod softpay;
mod store;

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
use serde::Deserialize;
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

pub use self::quirks::{Amounts, Form, Quirks, StatusAt};
use crate::{clock::Clock, faults::Faults, ids::Ids, server};

/// How the fake is set up. `Config::default()` has one application with a pair of test keys and a pair of live keys, and
/// a million francs.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `PAYDUNYA-MASTER-KEY`, the same for both modes; callbacks carry its SHA-512.
    pub master_key: String,
    /// Opens `/sandbox-api/v1`.
    pub test: Keys,
    /// Opens `/api/v1` and `/api/v2/disburse`.
    pub live: Keys,
    /// Where payment pages live, without a slash at the end; by default the address the fake listens on.
    pub public_url: Option<String>,
    /// Lets `http://127.0.0.1…` pass as an address in `actions`; everything else must be https.
    pub loopback_http: bool,
    /// Francs in the account at the start.
    pub opening_balance: i64,
    /// The merchant's fee on an invoice, in basis points, rounded down.
    pub checkout_fee_bps: i64,
    /// The fee on a disbursement, likewise; it comes on top.
    pub payout_fee_bps: i64,
    /// Seconds to wait before each further try of a callback; the last one repeats until three days have passed. What
    /// PayDunya does is not documented.
    pub retry_seconds: Vec<i64>,
    pub business_name: String,
    /// For ids that are the same in each run; random otherwise.
    pub seed: Option<u64>,
    /// Where books, invoices and waiting callbacks are kept over a restart; by default nowhere. Written within 50 ms of
    /// a change and at the end: a `kill -9` may lose the last of it.
    pub state_file: Option<PathBuf>,
    /// How it behaves where it is known to vary.
    pub quirks: Quirks,
}

impl Default for Config {
    fn default() -> Self {
        let keys = |private_key: &str, token: &str| Keys { private_key: private_key.into(), token: token.into() };
        Self {
            master_key: "master_fake".into(),
            test: keys("test_private_fake", "test_token_fake"),
            live: keys("live_private_fake", "live_token_fake"),
            public_url: None,
            loopback_http: true,
            opening_balance: 1_000_000,
            checkout_fee_bps: 200,
            payout_fee_bps: 100,
            retry_seconds: vec![10, 30, 120, 600, 3_600],
            business_name: "Kalel".into(),
            seed: None,
            state_file: None,
            quirks: Quirks::default(),
        }
    }
}

/// `PAYDUNYA-PRIVATE-KEY` and `PAYDUNYA-TOKEN` of one mode.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    pub private_key: String,
    pub token: String,
}

/// Everything the handlers share.
pub(crate) struct PayDunya {
    config: Config,
    public_url: String,
    clock: Clock,
    ids: Ids,
    books: Mutex<books::Books>,
    quirks: Mutex<Quirks>,
    faults: Faults,
    refusals: Mutex<Vec<refuse::Refuse>>,
    hooks: hooks::Hooks,
    /// Something is to be saved.
    changed: Notify,
}

type App = State<Arc<PayDunya>>;

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
    let store::Kept { books, book, .. } = store::load(&config, &clock)?;
    let paydunya = Arc::new(PayDunya {
        public_url,
        // A seed must not give the ids of the run before again.
        ids: Ids::new(config.seed.map(|seed| seed.wrapping_add(books.next_number()))),
        books: Mutex::new(books),
        quirks: Mutex::new(config.quirks.clone()),
        faults: Faults::new(clock.clone(), stop.clone(), error::for_status),
        refusals: Mutex::default(),
        hooks: hooks::Hooks::new(book, config.retry_seconds.clone(), clock.clone())?,
        changed: Notify::new(),
        clock,
        config,
    });
    let deliveries = tokio::spawn(Arc::clone(&paydunya).deliver(stop.clone()));
    let saves = tokio::spawn(Arc::clone(&paydunya).save_changes());
    let served = server::run(listener, router(Arc::clone(&paydunya)), stop, shutdown).await;
    deliveries.abort();
    saves.abort();
    paydunya.save()?;
    served
}

fn router(paydunya: Arc<PayDunya>) -> Router {
    let invoices = || {
        Router::new()
            .route("/checkout-invoice/create", post(checkout::create))
            .route("/checkout-invoice/confirm/{token}", get(checkout::confirm))
    };
    let api = Router::new()
        .nest("/sandbox-api/v1", invoices())
        .nest("/api/v1", invoices().route("/softpay/free-money-senegal", post(softpay::free_money)))
        .route("/api/v2/disburse/get-invoice", post(disburse::get_invoice))
        .route("/api/v2/disburse/submit-invoice", post(disburse::submit))
        .route("/api/v2/disburse/check-status", post(disburse::check))
        .fallback(error::not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&paydunya), refusing))
        .layer(middleware::from_fn_with_state(Arc::clone(&paydunya), faulty));
    Router::new()
        .merge(api)
        .route("/checkout/invoice/{token}", get(page::show).post(page::act))
        .route("/sandbox-checkout/invoice/{token}", get(page::show).post(page::act))
        .route("/__control", post(control::act))
        .route("/__ledger", get(control::ledger))
        .route("/__calls", get(control::calls))
        .route("/__webhooks", get(control::webhooks))
        .route("/__health", get(|| async { "ok" }))
        .layer(middleware::from_fn_with_state(Arc::clone(&paydunya), noting))
        .with_state(paydunya)
}

async fn faulty(State(paydunya): App, path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let call = call_name(path.as_ref().map_or("", MatchedPath::as_str));
    paydunya.faults.pass(call, request, next).await
}

/// Inside the faults, so that a refusal is noted as a call, and can be lost on its way like any answer.
async fn refusing(State(paydunya): App, path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let call = call_name(path.as_ref().map_or("", MatchedPath::as_str));
    match paydunya.refusal(call) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    }
}

/// Whatever is not a GET may have changed something.
async fn noting(State(paydunya): App, request: Request, next: Next) -> Response {
    let reading = *request.method() == Method::GET;
    let response = next.run(request).await;
    if !reading {
        paydunya.changed.notify_one();
    }
    response
}

/// The name by which `/__control` knows a call.
fn call_name(path: &str) -> &'static str {
    let path = path.strip_prefix("/sandbox-api/v1").or_else(|| path.strip_prefix("/api/v1")).unwrap_or(path);
    match path {
        "/checkout-invoice/create" => "checkout.create",
        "/checkout-invoice/confirm/{token}" => "checkout.confirm",
        "/softpay/free-money-senegal" => "softpay.free_money",
        "/api/v2/disburse/get-invoice" => "disburse.get",
        "/api/v2/disburse/submit-invoice" => "disburse.submit",
        "/api/v2/disburse/check-status" => "disburse.check",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
