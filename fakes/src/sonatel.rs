//! An Orange Money of Sonatel's that holds no money: QR codes, their payment page, transactions, callbacks, cash-in with
//! an encrypted PIN, OTP payments, with a ledger of its own.
//!
//! Sources: the eWallet API (developer.orange-sonatel.com) and the integrations summed up in providers.md §2a; where they
//! disagree, what was seen in production.

mod auth;
mod callback;
mod cashin;
mod control;
mod error;
mod forge;
mod hooks;
mod keys;
mod ledger;
mod onestep;
mod page;
mod payer;
mod qrcode;
mod state;
mod store;
mod transactions;
mod validate;

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

/// How the fake is set up. `Config::default()` has one activated application (`fake-client` / `fake-secret`), merchant
/// 123456 with a million francs, a distributor 770000001 with PIN 1234, and no callback.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Applications of the portal. Any other one is unknown.
    pub clients: Vec<Client>,
    /// Seconds that a token is good for, by the fake's clock.
    pub token_seconds: i64,
    /// Where payment pages live, without a slash at the end; by default the address the fake listens on.
    pub public_url: Option<String>,
    /// Lets `http://127.0.0.1…` pass as a callback or return address; Sonatel itself wants https.
    pub loopback_http: bool,
    /// Six digits.
    pub merchant_code: String,
    pub merchant_name: String,
    /// `X-Api-Key` that the contract demands with each QR code, if it does.
    pub api_key: Option<String>,
    /// The callback as registered before the start.
    pub callback: Option<Callback>,
    pub proof: Proof,
    /// Francs in the account at the start; payments fill it, cash-ins come out of it.
    pub opening_balance: i64,
    /// The merchant's fee on a payment, in basis points, rounded down.
    pub fee_bps: i64,
    /// Who may do cash-ins.
    pub distributors: Vec<Distributor>,
    /// Whose account pays when nobody says: 9 digits.
    pub payer: String,
    /// Naming a `type` gives an empty list, as in production. Off: the filter works as documented.
    pub type_filter_bug: bool,
    /// The list comes as `{"transactions": […]}`, as one SDK expects it.
    pub wrapped_list: bool,
    pub amounts: Amounts,
    /// Seconds until a new transaction is listed.
    pub listing_lag_seconds: i64,
    /// Seconds to wait before each further try of a webhook; the last one repeats until a day has passed.
    pub retry_seconds: Vec<i64>,
    /// For ids that are the same in each run; random otherwise.
    pub seed: Option<u64>,
    /// Where books, codes and waiting webhooks are kept over a restart; by default nowhere. Written within 50 ms of a
    /// change and at the end: a `kill -9` may lose the last of it. Tokens are not kept.
    pub state_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        let client = Client {
            id: "fake-client".into(),
            secret: "fake-secret".into(),
            state: ClientState::Activated,
            apis: Api::ALL.to_vec(),
        };
        Self {
            clients: vec![client],
            token_seconds: 299,
            public_url: None,
            loopback_http: true,
            merchant_code: "123456".into(),
            merchant_name: "Kalel".into(),
            api_key: None,
            callback: None,
            proof: Proof::default(),
            opening_balance: 1_000_000,
            fee_bps: 0,
            distributors: vec![Distributor { msisdn: "770000001".into(), pin: "1234".into() }],
            payer: "770000000".into(),
            type_filter_bug: true,
            wrapped_list: false,
            amounts: Amounts::Float,
            listing_lag_seconds: 0,
            retry_seconds: vec![10, 60, 300, 1_800, 3_600],
            seed: None,
            state_file: None,
        }
    }
}

/// An application of the portal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    pub id: String,
    pub secret: String,
    #[serde(default)]
    pub state: ClientState,
    #[serde(default = "Api::all")]
    pub apis: Vec<Api>,
}

/// Whether Sonatel has let an application in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientState {
    #[default]
    Activated,
    /// Known, but its papers are not through: `unauthorized_client`.
    NotActivated,
}

/// An API that an application was approved for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    QrCode,
    Payment,
    Notification,
    /// Cash-in: the distributor's subscription.
    Distributor,
}

impl Api {
    const ALL: [Self; 4] = [Self::QrCode, Self::Payment, Self::Notification, Self::Distributor];

    fn all() -> Vec<Self> {
        Self::ALL.to_vec()
    }
}

/// Where news of payments go, and the key that comes with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    pub url: String,
    pub api_key: String,
}

/// How webhooks prove where they come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proof {
    pub basic: Basic,
    /// With it, `X-Sonatel-Signature: t=…,v1=HMAC-SHA256(secret, t + "," + body)` comes along.
    pub signing: Option<String>,
    /// Whether `X-Sonatel-Idempotency-Key` comes along.
    pub idempotency: bool,
}

impl Default for Proof {
    fn default() -> Self {
        Self { basic: Basic::Literal, signing: None, idempotency: true }
    }
}

/// What stands behind `Authorization: Basic`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basic {
    /// The key as registered: what was seen in production.
    #[default]
    Literal,
    Base64,
}

/// Who may do cash-ins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distributor {
    /// 9 digits.
    pub msisdn: String,
    pub pin: String,
}

/// How amounts look in transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amounts {
    /// `15000.0`: what was seen in production.
    #[default]
    Float,
    Integer,
    Text,
}

/// Everything the handlers share.
pub(crate) struct Sonatel {
    config: Config,
    public_url: String,
    clock: Clock,
    ids: Ids,
    books: Mutex<state::Books>,
    tokens: Mutex<auth::Tokens>,
    keys: keys::Keys,
    faults: Faults,
    hooks: hooks::Hooks,
    /// Something is to be saved.
    changed: Notify,
}

type App = State<Arc<Sonatel>>;

/// Runs the fake until `shutdown`. Answers on whatever the listener is bound to; keep that on loopback.
///
/// # Errors
/// When the listener fails, its address cannot be read, or the kept state cannot be.
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
    let sonatel = Arc::new(Sonatel {
        public_url,
        // A seed must not give the ids of the run before again.
        ids: Ids::new(config.seed.map(|seed| seed.wrapping_add(books.things()))),
        books: Mutex::new(books),
        tokens: Mutex::default(),
        keys: keys::Keys::new()?,
        changed: Notify::new(),
        faults: Faults::new(clock.clone(), stop.clone(), error::for_status),
        hooks: hooks::Hooks::new(book, config.proof.clone(), config.retry_seconds.clone(), clock.clone())?,
        clock,
        config,
    });
    let deliveries = tokio::spawn(Arc::clone(&sonatel).deliver(stop.clone()));
    let saves = tokio::spawn(Arc::clone(&sonatel).save_changes());
    let served = server::run(listener, router(Arc::clone(&sonatel)), stop, shutdown).await;
    deliveries.abort();
    saves.abort();
    sonatel.save()?;
    served
}

fn router(sonatel: Arc<Sonatel>) -> Router {
    let api = Router::new()
        .route("/oauth/v1/token", post(auth::token))
        .route("/api/eWallet/v4/qrcode", post(qrcode::create))
        .route("/api/eWallet/v1/transactions", get(transactions::list))
        .route("/api/eWallet/v1/transactions/{id}/status", get(transactions::status))
        .route("/api/eWallet/v1/cashins", post(cashin::create))
        .route("/api/eWallet/v1/payments/onestep", post(onestep::pay))
        .route("/api/eWallet/v1/payments/otp", post(onestep::otp))
        .route("/api/account/v1/publicKeys", get(keys::show))
        .route("/api/notification/v1/merchantcallback", post(callback::register).get(callback::list))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(middleware::from_fn(auth::demand_json))
        .layer(middleware::from_fn_with_state(Arc::clone(&sonatel), faulty));
    Router::new()
        .merge(api)
        .route("/q/{id}", get(page::show).post(page::act))
        .route("/__control", post(control::act))
        .route("/__ledger", get(ledger::show))
        .route("/__calls", get(control::calls))
        .route("/__webhooks", get(control::webhooks))
        .route("/__health", get(|| async { "ok" }))
        .layer(middleware::from_fn_with_state(Arc::clone(&sonatel), noting))
        .with_state(sonatel)
}

async fn faulty(State(sonatel): App, path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let call = call_name(request.method(), path.as_ref().map_or("", MatchedPath::as_str));
    sonatel.faults.pass(call, request, next).await
}

/// Whatever is not a GET may have changed something.
async fn noting(State(sonatel): App, request: Request, next: Next) -> Response {
    let reading = *request.method() == Method::GET;
    let response = next.run(request).await;
    if !reading {
        sonatel.changed.notify_one();
    }
    response
}

/// The name by which `/__control` knows a call.
fn call_name(method: &Method, path: &str) -> &'static str {
    match (path, *method == Method::POST) {
        ("/oauth/v1/token", _) => "token",
        ("/api/eWallet/v4/qrcode", _) => "qrcode.create",
        ("/api/eWallet/v1/transactions", _) => "transactions.list",
        ("/api/eWallet/v1/transactions/{id}/status", _) => "transactions.status",
        ("/api/eWallet/v1/cashins", _) => "cashin.create",
        ("/api/eWallet/v1/payments/onestep", _) => "onestep.pay",
        ("/api/eWallet/v1/payments/otp", _) => "onestep.otp",
        ("/api/account/v1/publicKeys", _) => "keys.get",
        ("/api/notification/v1/merchantcallback", true) => "callback.register",
        ("/api/notification/v1/merchantcallback", false) => "callback.list",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
