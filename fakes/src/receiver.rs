//! Somebody who is sent events: checks what arrives as Standard Webhooks says, keeps a book of it, and misbehaves when asked.
//!
//! Source: github.com/standard-webhooks/standard-webhooks (1.0). Reads the header by itself and shares nothing with what
//! it checks.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    control,
    faults::{Fault, Faults},
    server::{self, lock},
};

/// How far the other side's clock may be away, in seconds.
const TOLERANCE: i64 = 300;

/// How the fake is set up. It believes nobody before it is given a secret.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `whsec_…`
    pub secrets: Vec<String>,
}

/// A message that arrived.
#[derive(Clone, Debug, Serialize)]
struct Entry {
    /// What stood after `/hook/` in the address.
    path: String,
    id: String,
    /// How many of the signatures `v1` were by a secret that it knows.
    good: usize,
    /// How many signatures there were, of any version.
    signatures: usize,
    /// It had come before, under the same id.
    again: bool,
    body: Value,
}

struct Receiver {
    secrets: Mutex<Vec<String>>,
    book: Mutex<Vec<Entry>>,
    faults: Faults,
    /// Statuses for the next messages, before they are believed or not.
    redirect: Mutex<Option<String>>,
}

type App = State<Arc<Receiver>>;

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Instruction {
    /// What the next messages at `/hook/<call>` (or `any`) are answered with.
    Fail(Fault),
    /// From now on these secrets are known, and no others.
    Secrets { secrets: Vec<String> },
    /// From now on everybody is sent elsewhere; null: no longer.
    Redirect { to: Option<String> },
    /// Nothing goes wrong any more.
    Heal,
}

/// Runs the fake until `shutdown`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let stop = CancellationToken::new();
    let receiver = Arc::new(Receiver {
        secrets: Mutex::new(config.secrets),
        book: Mutex::default(),
        faults: Faults::new(Clock::default(), stop.clone(), |status| json!({ "error": status })),
        redirect: Mutex::default(),
    });
    server::run(listener, router(receiver), stop, shutdown).await
}

fn router(receiver: Arc<Receiver>) -> Router {
    Router::new()
        .route("/hook/{*path}", post(receive))
        .layer(middleware::from_fn_with_state(Arc::clone(&receiver), faulty))
        .route("/__control", post(act))
        .route("/__ledger", get(ledger))
        .route("/__calls", get(calls))
        .route("/__health", get(|| async { "ok" }))
        .with_state(receiver)
}

async fn faulty(State(receiver): App, request: Request, next: Next) -> Response {
    let call = request.uri().path().trim_start_matches("/hook/").to_owned();
    receiver.faults.pass(&call, request, next).await
}

async fn receive(State(receiver): App, Path(path): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(to) = lock(&receiver.redirect).clone() {
        return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response();
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (id, timestamp, signatures) = (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"));
    let good = good(&lock(&receiver.secrets), &id, &timestamp, &signatures, &body);
    let mut book = lock(&receiver.book);
    let again = book.iter().any(|entry| entry.id == id && entry.path == path);
    book.push(Entry {
        path,
        id,
        good,
        signatures: signatures.split(' ').count(),
        again,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    if good == 0 { StatusCode::UNAUTHORIZED.into_response() } else { StatusCode::NO_CONTENT.into_response() }
}

/// How many signatures are by a secret that is known.
fn good(secrets: &[String], id: &str, timestamp: &str, signatures: &str, body: &[u8]) -> usize {
    let in_time = timestamp.parse::<i64>().is_ok_and(|at| (at - Clock::default().now().timestamp()).abs() <= TOLERANCE);
    if !in_time || id.is_empty() {
        return 0;
    }
    let expected: BTreeSet<String> = secrets.iter().filter_map(|secret| mac(secret, id, timestamp, body)).collect();
    signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter(|signature| expected.contains(*signature))
        .count()
}

fn mac(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

async fn act(State(receiver): App, body: Bytes) -> Response {
    let instructions = match control::read::<Instruction>(&body) {
        Ok(instructions) => instructions,
        Err(answer) => return answer,
    };
    for instruction in instructions {
        match instruction {
            Instruction::Fail(fault) => receiver.faults.add(fault),
            Instruction::Secrets { secrets } => *lock(&receiver.secrets) = secrets,
            Instruction::Redirect { to } => *lock(&receiver.redirect) = to,
            Instruction::Heal => receiver.faults.heal(),
        }
    }
    Json(json!({ "results": ["done"] })).into_response()
}

/// What arrived, in the order in which it came.
async fn ledger(State(receiver): App) -> Json<Value> {
    Json(json!({ "messages": lock(&receiver.book).clone() }))
}

async fn calls(State(receiver): App) -> Json<Value> {
    Json(json!({ "calls": receiver.faults.calls() }))
}
