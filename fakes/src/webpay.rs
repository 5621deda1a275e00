//! An Orange Money Web Payment that holds no money: token, payment page, status, notifications; with a ledger of its own.
//!
//! Sources: the documentation and the integrations summed up in providers.md §2c. What they leave open (the words and most
//! codes of refusals, whether a notification is sent again) is made up here and says so.

mod auth;
mod control;
mod page;
mod payment;

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    faults::Faults,
    ids::Ids,
    paydunya::hooks::{Book, Hooks},
    server::{self, lock},
};

/// How the fake is set up. `Config::default()` has one merchant in Senegal. Notifications go where each page says.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub client_id: String,
    pub client_secret: String,
    pub merchant_key: String,
    /// The country in the path. In `dev` money is OUV, elsewhere XOF.
    pub country: String,
    /// Where pages live, without a slash at the end; by default the address the fake listens on.
    pub public_url: Option<String>,
    /// Lets `http://127.0.0.1…` pass as an address; Orange itself refuses localhost.
    pub loopback_http: bool,
    /// How long a token is good; told as text, as Orange does.
    pub token_seconds: i64,
    /// How long a page can be paid.
    pub page_seconds: i64,
    /// Seconds to wait before each further try of a notification; the last one repeats until three days have passed. What
    /// Orange does is not documented.
    pub retry_seconds: Vec<i64>,
    /// For ids that are the same in each run; random otherwise.
    pub seed: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            client_id: "orange_client_fake".into(),
            client_secret: "orange_secret_fake".into(),
            merchant_key: "orange_merchant_fake".into(),
            country: "sn".into(),
            public_url: None,
            loopback_http: true,
            token_seconds: 7_776_000,
            page_seconds: 600,
            retry_seconds: vec![10, 30, 120, 600, 3_600],
            seed: None,
        }
    }
}

/// Everything the handlers share.
pub(crate) struct WebPay {
    config: Config,
    public_url: String,
    clock: Clock,
    ids: Ids,
    tokens: Mutex<auth::Tokens>,
    books: Mutex<payment::Books>,
    quirks: Mutex<Quirks>,
    faults: Faults,
    hooks: Hooks,
}

type App = State<Arc<WebPay>>;

/// What is not documented, for both guesses. `/__control` can change each while it runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Quirks {
    /// `transactionstatus` tells this amount, too.
    pub tells_amount: Option<Value>,
    /// A success without its `txnid`.
    pub no_txnid: bool,
    /// `transactionstatus` speaks of this order, whichever was asked about.
    pub other_order: Option<String>,
    /// A word that is none of the five.
    pub status: Option<String>,
}

/// A refusal in Orange's form: code, message, description.
#[derive(Debug)]
pub(crate) struct Error {
    pub http: StatusCode,
    pub code: u32,
    pub message: &'static str,
    pub description: String,
}

impl Error {
    /// The gateway's way of saying that a field is wrong.
    pub(crate) fn invalid(description: impl Into<String>) -> Self {
        Self { http: StatusCode::BAD_REQUEST, code: 23, message: "Invalid body", description: description.into() }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.code, "message": self.message, "description": self.description });
        (self.http, Json(body)).into_response()
    }
}

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
    let webpay = Arc::new(WebPay {
        public_url,
        ids: Ids::new(config.seed),
        tokens: Mutex::default(),
        books: Mutex::default(),
        quirks: Mutex::default(),
        faults: Faults::new(clock.clone(), stop.clone(), for_status),
        hooks: Hooks::new(Book::default(), config.retry_seconds.clone(), clock.clone())?,
        clock,
        config,
    });
    let deliveries = tokio::spawn(Arc::clone(&webpay).deliver(stop.clone()));
    let served = server::run(listener, router(webpay), stop, shutdown).await;
    deliveries.abort();
    served
}

fn for_status(status: u16) -> Value {
    json!({ "code": 1, "message": "Internal error", "description": format!("asked for: {status}") })
}

fn router(webpay: Arc<WebPay>) -> Router {
    let api = Router::new()
        .route("/oauth/v3/token", post(auth::token))
        .route("/orange-money-webpay/{country}/v1/webpayment", post(payment::create))
        .route("/orange-money-webpay/{country}/v1/transactionstatus", post(payment::status))
        .fallback(|| async {
            Error {
                http: StatusCode::NOT_FOUND,
                code: 60,
                message: "Resource not found",
                description: "The requested URI or the requested resource does not exist.".into(),
            }
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&webpay), faulty));
    Router::new()
        .merge(api)
        .route("/payment/pay_token/{token}", get(page::show).post(page::act))
        .route("/__control", post(control::act))
        .route("/__ledger", get(control::ledger))
        .route("/__calls", get(control::calls))
        .route("/__webhooks", get(control::webhooks))
        .route("/__health", get(|| async { "ok" }))
        .with_state(webpay)
}

async fn faulty(State(webpay): App, path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let call = match path.as_ref().map_or("", MatchedPath::as_str) {
        "/oauth/v3/token" => "token",
        "/orange-money-webpay/{country}/v1/webpayment" => "webpayment",
        "/orange-money-webpay/{country}/v1/transactionstatus" => "transactionstatus",
        _ => "other",
    };
    webpay.faults.pass(call, request, next).await
}

impl WebPay {
    /// The delivery loop of notifications.
    async fn deliver(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let (due, wait) = self.hooks.take_due();
            for delivery in due {
                let webpay = Arc::clone(&self);
                tokio::spawn(async move { webpay.hooks.attempt(delivery).await });
            }
            if let Some(events) = self.hooks.take_reordered() {
                self.hooks.send_in_order(events).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.hooks.woken() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn quirks(&self) -> Quirks {
        lock(&self.quirks).clone()
    }
}

#[cfg(test)]
mod tests;
