//! An Africa's Talking that sends nothing: messages are kept for `GET /__messages`, delivery reports are posted.
//!
//! Source: developers.africastalking.com (SMS, bulk), as summed up in providers.md §4.1.

mod control;
mod gsm;
mod send;

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, faults::Faults, ids::Ids, server};

/// How the fake is set up. `Config::default()` knows user `sandbox` with key `atsk_fake`, accepts any sender and posts no
/// reports.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub username: String,
    pub api_key: String,
    /// Sender ids that are registered; empty lets all pass. Another one gives an empty list of recipients.
    pub senders: Vec<String>,
    /// Where delivery reports are posted (the provider does not sign them: put a secret into the path).
    pub delivery_url: Option<String>,
    /// Francs per segment.
    pub price: u32,
    pub seed: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            username: "sandbox".into(),
            api_key: "atsk_fake".into(),
            senders: Vec::new(),
            delivery_url: None,
            price: 20,
            seed: None,
        }
    }
}

/// A message that was accepted.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Message {
    pub id: String,
    pub to: String,
    pub from: Option<String>,
    pub text: String,
    pub segments: usize,
    pub encoding: &'static str,
    pub time: DateTime<Utc>,
    /// The last delivery report sent for it.
    pub status: String,
}

pub(crate) struct Sms {
    config: Config,
    clock: Clock,
    ids: Ids,
    faults: Faults,
    messages: Mutex<Vec<Message>>,
    outcomes: Mutex<VecDeque<control::Outcome>>,
    /// Status of the report that follows each accepted message by itself.
    auto_report: Mutex<Option<String>>,
    client: reqwest::Client,
}

type App = State<Arc<Sms>>;

/// Runs the fake until `shutdown`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (clock, stop) = (Clock::default(), CancellationToken::new());
    let sms = Arc::new(Sms {
        ids: Ids::new(config.seed),
        faults: Faults::new(clock.clone(), stop.clone(), |status| serde_json::json!({ "error": status })),
        messages: Mutex::default(),
        outcomes: Mutex::default(),
        auto_report: Mutex::new(config.delivery_url.as_ref().map(|_| "Success".to_owned())),
        client: server::client()?,
        clock,
        config,
    });
    server::run(listener, router(sms), stop, shutdown).await
}

fn router(sms: Arc<Sms>) -> Router {
    Router::new()
        .route("/version1/messaging", post(send::send))
        .layer(middleware::from_fn_with_state(Arc::clone(&sms), faulty))
        .route("/__control", post(control::act))
        .route("/__messages", get(control::messages))
        .route("/__calls", get(control::calls))
        .route("/__health", get(|| async { "ok" }))
        .with_state(sms)
}

async fn faulty(State(sms): App, request: Request, next: Next) -> Response {
    sms.faults.pass("send", request, next).await
}

#[cfg(test)]
mod tests;
