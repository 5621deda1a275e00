//! Things that go wrong on the way: hanging, cut and slow answers, error statuses, HTML instead of JSON, nothing at all;
//! before the effect or after it. Also the list of calls received.

use std::{sync::Mutex, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::{Clock, seconds},
    server::lock,
};

const BODY_LIMIT: usize = 1 << 20;

/// What happens to the next calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// A call's name such as `checkout.create`, or `any`.
    #[serde(default = "any")]
    pub call: String,
    pub how: How,
    /// The request has its full effect first: "it happened, the answer was lost".
    #[serde(default)]
    pub after_effect: bool,
    #[serde(default = "once")]
    pub times: u32,
    /// For `status`, `html` and `empty`.
    pub status: Option<u16>,
    /// For `hang` (then the connection is cut) and `slow` (then the answer comes).
    pub ms: Option<u64>,
    /// Seconds, with a 429 or 503.
    pub retry_after: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    Hang,
    Cut,
    Slow,
    Status,
    Html,
    Empty,
    /// The answer, with fields that nobody has announced.
    ExtraFields,
}

fn any() -> String {
    "any".to_owned()
}

const fn once() -> u32 {
    1
}

/// A call as received.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Call {
    pub at: String,
    pub call: String,
    pub method: String,
    pub path: String,
    pub idempotency_key: Option<String>,
    pub body: Value,
    pub status: Option<u16>,
    pub fault: Option<String>,
}

/// The faults to come and the calls so far.
pub(crate) struct Faults {
    next: Mutex<Vec<Fault>>,
    calls: Mutex<Vec<Call>>,
    clock: Clock,
    stop: CancellationToken,
    /// Body of an error answer with a status, in the provider's own form.
    error_body: fn(u16) -> Value,
}

impl Faults {
    pub(crate) fn new(clock: Clock, stop: CancellationToken, error_body: fn(u16) -> Value) -> Self {
        Self { next: Mutex::default(), calls: Mutex::default(), clock, stop, error_body }
    }

    pub(crate) fn add(&self, fault: Fault) {
        lock(&self.next).push(fault);
    }

    /// Forgets the faults to come; the calls so far stay noted.
    pub(crate) fn heal(&self) {
        lock(&self.next).clear();
    }

    pub(crate) fn reset(&self) {
        lock(&self.next).clear();
        lock(&self.calls).clear();
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }

    fn take(&self, call: &str) -> Option<Fault> {
        let mut next = lock(&self.next);
        let position = next.iter().position(|fault| fault.call == "any" || fault.call == call)?;
        let fault = next.get_mut(position)?;
        let taken = fault.clone();
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            next.remove(position);
        }
        Some(taken)
    }

    /// Middleware: notes the call, then lets it through, spoils it, or spoils its answer.
    pub(crate) async fn pass(&self, call: &str, request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        let fault = self.take(call);
        let number = self.note(call, &parts, &body, fault.as_ref());
        let request = Request::from_parts(parts, Body::from(body));
        let response = match fault {
            None => next.run(request).await,
            Some(fault) if fault.after_effect || matches!(fault.how, How::ExtraFields) => {
                let real = next.run(request).await;
                self.spoil(&fault, real).await
            }
            Some(fault) if matches!(fault.how, How::Slow) => {
                self.wait(fault.ms.unwrap_or(1_000)).await;
                next.run(request).await
            }
            Some(fault) => self.spoil(&fault, StatusCode::OK.into_response()).await,
        };
        if let Some(call) = lock(&self.calls).get_mut(number) {
            call.status = Some(response.status().as_u16());
        }
        response
    }

    fn note(&self, call: &str, parts: &axum::http::request::Parts, body: &Bytes, fault: Option<&Fault>) -> usize {
        let text = || Value::String(String::from_utf8_lossy(body).into_owned());
        let key = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
        let mut calls = lock(&self.calls);
        calls.push(Call {
            at: seconds(self.clock.now()),
            call: call.to_owned(),
            method: parts.method.to_string(),
            path: parts.uri.to_string(),
            idempotency_key: key.map(str::to_owned),
            body: serde_json::from_slice(body).unwrap_or_else(|_| text()),
            status: None,
            fault: fault.map(|fault| format!("{:?}", fault.how).to_lowercase()),
        });
        calls.len() - 1
    }

    async fn spoil(&self, fault: &Fault, real: Response) -> Response {
        let status = |default| fault.status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(default);
        match fault.how {
            How::Hang => {
                self.wait(fault.ms.unwrap_or(60_000)).await;
                cut()
            }
            How::Cut => cut(),
            How::Slow => {
                self.wait(fault.ms.unwrap_or(1_000)).await;
                real
            }
            How::Status => {
                let status = status(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = (status, axum::Json((self.error_body)(status.as_u16()))).into_response();
                if let Some(seconds) = fault.retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                }
                response
            }
            How::Html => (status(StatusCode::BAD_GATEWAY), Html("<html><body><h1>Bad gateway</h1></body></html>"))
                .into_response(),
            How::Empty => status(StatusCode::OK).into_response(),
            How::ExtraFields => extra_fields(real).await,
        }
    }

    async fn wait(&self, ms: u64) {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// An answer whose body breaks off: the connection is closed in the middle of it.
fn cut() -> Response {
    let broken = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut on purpose")) });
    Response::new(Body::from_stream(broken))
}

async fn extra_fields(real: Response) -> Response {
    let (mut parts, body) = real.into_parts();
    let bytes = axum::body::to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let Ok(Value::Object(mut object)) = serde_json::from_slice(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    object.insert("a_field_of_next_year".into(), serde_json::json!({ "nested": [1, null, "x"] }));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(Value::Object(object).to_string()))
}
