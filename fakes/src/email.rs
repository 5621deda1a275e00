//! A mail server that keeps what it gets: SMTP (RFC 5321) with AUTH PLAIN and LOGIN (RFC 4954), read at `GET /__messages`.
//!
//! It offers no STARTTLS: a client that requires encryption must refuse to talk to it.

mod control;
mod mime;
mod smtp;

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, server};

/// How the fake is set up. `Config::default()` wants no sign-in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// User and password; without one nobody need sign in.
    pub credentials: Option<(String, String)>,
}

/// A mail as received.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Message {
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    pub message_id: Option<String>,
    /// The first text part, decoded.
    pub text: String,
    pub raw: String,
    pub time: DateTime<Utc>,
}

pub(crate) struct Email {
    config: Config,
    clock: Clock,
    stop: CancellationToken,
    messages: Mutex<Vec<Message>>,
    scripts: Mutex<VecDeque<control::Script>>,
}

/// Runs the fake until `shutdown`: mail on `smtp`, its control on `http`.
///
/// # Errors
/// When a listener fails.
pub async fn serve(
    smtp: TcpListener,
    http: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let stop = CancellationToken::new();
    let email = Arc::new(Email {
        config,
        clock: Clock::default(),
        stop: stop.clone(),
        messages: Mutex::default(),
        scripts: Mutex::default(),
    });
    let app = Router::new()
        .route("/__control", post(control::act))
        .route("/__messages", get(control::messages))
        .route("/__health", get(|| async { "ok" }))
        .with_state(Arc::clone(&email));
    let sink = tokio::spawn(smtp::accept(smtp, email));
    let served = server::run(http, app, stop, shutdown).await;
    sink.abort();
    served
}

#[cfg(test)]
mod tests;
