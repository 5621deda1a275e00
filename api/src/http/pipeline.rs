//! The way of every request, top to bottom: name it, time it, know who asks, check its form, run it, answer.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{MatchedPath, RawPathParams, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts},
};
use futures_util::FutureExt;

use crate::{
    App,
    http::{
        admission::{self, Deadline},
        auth, body,
        call::Call,
        etag,
        halt::Halt,
        idempotency,
        language::Language,
        limits::{self, Meter},
        operation::{IfMatch, Operation},
        position,
        query::Query,
        reply::Reply,
    },
    problem::{Occasion, Outcome, Problem},
};

/// The caller's, or one we made; also in problems, log lines and the events it caused.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// The longest a request may take (reliability.md §5.3): then the caller is told that nobody can tell yet.
const LONGEST: Duration = Duration::from_secs(10);

/// Answers one request for one operation.
pub async fn answer(app: App, operation: &'static Operation, path: RawPathParams, request: Request) -> Response<Body> {
    let begun = Instant::now();
    let (parts, body) = request.into_parts();
    let trace = Trace::of(&app, &parts);
    let answer = admitted(&app, operation, &path, &parts, body, &trace).await;
    let unasked = |problem: &Problem| problem.status().is_server_error() || problem.code() == limits::TOO_MANY;
    let answer = answer.map_err(|problem| {
        let is_repeated = operation.idempotent && unasked(&problem);
        said_of(problem, is_repeated)
    });
    let mut response = trace.finish(&app, &parts, answer);
    if let Some(deprecated) = operation.deprecated {
        deprecated.mark(response.headers_mut());
    }
    measure(operation, response.status(), begun);
    response
}

/// Lets a request in and has it worked on, or not.
async fn admitted(
    app: &App,
    operation: &'static Operation,
    path: &RawPathParams,
    parts: &Parts,
    body: Body,
    trace: &Trace,
) -> Result<Reply, Problem> {
    let _in_hand = app.take_in_hand()?;
    let deadline = Deadline::of(&parts.headers)?;
    let place = app.admission.enter(operation.class, deadline).await?;
    // A write that was begun is carried on with: whether it was done must be known to whoever asks again.
    let is_read = operation.method == Method::GET;
    let longest = deadline.left().filter(|_| is_read).map_or(LONGEST, |left| left.min(LONGEST));
    // On the heap, so that whoever is refused does not carry about the room for all that might have been done.
    let work = Box::pin(place.scope(handle(app, operation, path, parts, body, trace, deadline)));
    let work = app.store.urgently(operation.class.is_urgent(), work);
    let (answer, failed) = match AssertUnwindSafe(tokio::time::timeout(longest, work)).catch_unwind().await {
        Ok(Ok(Ok(reply))) => (Ok(reply), false),
        // Who was not worked on says nothing about how long work takes.
        Ok(Ok(Err(problem))) if is_of_the_form(problem.status()) => return Err(problem),
        Ok(Ok(Err(problem))) => {
            let failed = ["server.overloaded", "server.outcome_unknown", "server.error"].contains(&problem.code());
            (Err(problem), failed)
        }
        Ok(Err(_elapsed)) if is_read => (Err(Problem::new("server.overloaded").retry_after(1)), true),
        Ok(Err(_elapsed)) => (Err(Problem::new("server.outcome_unknown").retry_after(1)), true),
        Err(_panic) => {
            tracing::error!(operation = operation.id, request_id = trace.request_id, "a handler panicked");
            (Err(Problem::new("server.error")), true)
        }
    };
    place.done(operation, failed);
    answer
}

/// A request that is repeated may have been carried out the first time: only who asked its key may deny that.
pub fn said_of(problem: Problem, is_repeated: bool) -> Problem {
    if is_repeated { problem.unless_certain(Outcome::Unknown) } else { problem }
}

/// What is refused by its form or its key, before anything was looked at.
fn is_of_the_form(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 401 | 403 | 408 | 413 | 415 | 428 | 429)
}

/// Answers a request that no operation is for.
pub fn refuse(app: &App, parts: &Parts, problem: Problem) -> Response<Body> {
    Trace::of(app, parts).finish(app, parts, Err(problem))
}

async fn handle(
    app: &App,
    operation: &'static Operation,
    path: &RawPathParams,
    parts: &Parts,
    body: Body,
    trace: &Trace,
    deadline: Deadline,
) -> Result<Reply, Problem> {
    let headers = &parts.headers;
    let caller = auth::who(app, operation, headers).await;
    let caller = limits::pass(app, operation, parts, caller, &trace.meter).await?;
    auth::may_call(app, operation, &caller)?;
    // Quotes, too: what a copy of the past signs, the log it was made of would honour.
    if app.store.log().fork.is_some() && operation.method != Method::GET {
        return Err(Problem::new("log.is_a_fork"));
    }
    let query = Query::read(operation, parts.uri.query())?;
    let precondition = etag::Precondition::read(headers, operation.if_match)?;
    let body = admission::taking_in(operation.class, deadline, body::collect(operation, headers, body)).await??;
    if deadline.is_over() {
        return Err(Problem::new("server.overloaded").retry_after(1));
    }
    // Not before the body is there: else whoever sends slowly would keep the others out.
    let _place = limits::place(app, operation).await?;
    if operation.method == Method::GET && operation.if_match == IfMatch::Ignored {
        position::wait(app, headers).await?;
    }
    let scoped = idempotency::scoped(app, operation, &caller, parts, &body)?;
    let call = Call {
        app: app.clone(),
        operation,
        caller,
        headers: headers.clone(),
        path: path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        query,
        body,
        precondition,
        key: scoped.clone(),
        resumed: None,
        request_id: trace.request_id.clone(),
        language: trace.language,
        traceparent: trace.traceparent.clone(),
        meter: trace.meter.clone(),
        address: limits::subscriber(app, parts),
    };
    let reply = match scoped {
        Some(key) => idempotency::once(call, key).await?,
        None => match (operation.run)(call).await {
            Ok(reply) => reply,
            Err(Halt::Problem(problem) | Halt::Refused(problem)) => return Err(problem),
            // Without a key of its own, no request was carried out before.
            Err(Halt::Before(_)) => return Err(Problem::new("server.error")),
        },
    };
    match &reply.etag {
        Some(tag) if operation.method == Method::GET && etag::known(headers, tag) => {
            Ok(Reply::empty(StatusCode::NOT_MODIFIED).etag(tag.clone()))
        }
        _ => Ok(reply),
    }
}

/// What names a request: in the answer, in the log lines, in the events it causes.
struct Trace {
    request_id: String,
    language: Language,
    traceparent: Option<String>,
    meter: Meter,
}

impl Trace {
    fn of(app: &App, parts: &Parts) -> Self {
        Self {
            request_id: request_id(app, &parts.headers),
            language: Language::of(&parts.headers),
            traceparent: sent(&parts.headers, "traceparent", 55).filter(|value| is_traceparent(value)),
            meter: Meter::default(),
        }
    }

    fn finish(&self, app: &App, parts: &Parts, answer: Result<Reply, Problem>) -> Response<Body> {
        let mut response = match answer {
            Ok(reply) => reply.into_response(),
            Err(problem) => {
                // Before a write is known to be in the log, "unknown" must never be said of a read.
                let problem = if parts.method == Method::GET { problem.outcome(Outcome::NotDone) } else { problem };
                problem.render(Occasion {
                    instance: parts.uri.path(),
                    request_id: &self.request_id,
                    language: self.language,
                    base_url: &app.settings.public_url,
                })
            }
        };
        if let Ok(value) = HeaderValue::from_str(&self.request_id) {
            response.headers_mut().insert(REQUEST_ID.clone(), value);
        }
        self.meter.write(response.headers_mut());
        harden(response.headers_mut());
        response
    }
}

/// The caller's, or one made here.
pub fn request_id(app: &App, headers: &HeaderMap) -> String {
    sent(headers, "request-id", 128).unwrap_or_else(|| app.store.clock().new_id().to_string())
}

fn sent(headers: &HeaderMap, name: &str, max: usize) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    let fine = !value.is_empty() && value.len() <= max && value.bytes().all(|b| b.is_ascii_graphic());
    fine.then(|| value.to_owned())
}

/// Headers that cost nothing and close doors.
pub fn harden(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    headers.append(header::VARY, HeaderValue::from_static("authorization, accept-language"));
}

/// A W3C trace context, version 00.
fn is_traceparent(value: &str) -> bool {
    let hex =
        |part: &str, len: usize| part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let parts: Vec<&str> = value.split('-').collect();
    matches!(parts.as_slice(), [version, trace, span, flags]
        if *version == "00" && hex(trace, 32) && hex(span, 16) && hex(flags, 2))
}

fn measure(operation: &'static Operation, status: StatusCode, begun: Instant) {
    metrics::histogram!("http_request_seconds", "operation" => operation.id, "status" => status.as_u16().to_string())
        .record(begun.elapsed().as_secs_f64());
}

/// The template of a path, for log lines that must not grow with ids.
pub fn template(matched: Option<&MatchedPath>) -> &str {
    matched.map_or("-", MatchedPath::as_str)
}
