//! The settable clock of a test log, as Stripe has: time passes when a test says so.

use axum::http::{Method, StatusCode};
use domain::{actor::Role, key::Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use utoipa::ToSchema;

use crate::{
    http::{
        admission::Class,
        call::Call,
        halt::Halt,
        operation::{Authz, Exemplary, IfMatch, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::{Instant, utc_text},
};

pub const OPERATIONS: &[&Operation] = &[&SHOW, &ADVANCE];

const LONGEST_ADVANCE_S: u64 = 400 * 24 * 60 * 60;

/// Either an instant or a number of seconds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Advance {
    /// Moves the clock forward to this instant.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Instant>,
    /// Moves the clock forward by this many seconds.
    #[schema(minimum = 1)]
    seconds: Option<u64>,
}

impl Exemplary for Advance {
    fn example() -> Value {
        json!({ "seconds": 900 })
    }
}

/// The time of a test log.
#[derive(Serialize, ToSchema)]
pub struct TestClock {
    object: &'static str,
    now: String,
}

impl Exemplary for TestClock {
    fn example() -> Value {
        json!({ "object": "test_clock", "now": "2026-11-28T18:00:00Z" })
    }
}

const SHOW: Operation = Operation {
    id: "test_clock.show",
    path: "/v1/test-clock",
    summary: "What time it is for this test log",
    about: "Every process of the log shows the same time.",
    authz: Authz::Anyone,
    success: Success { shape: Some(Shape::of::<TestClock>()), about: "The time.", ..Operation::READ.success },
    refusals: &["test_clock.live_log"],
    run: |call| Box::pin(async move { show(&call) }),
    ..Operation::READ
};

const ADVANCE: Operation = Operation {
    id: "test_clock.advance",
    method: Method::POST,
    class: Class::Hold,
    path: "/v1/test-clock",
    summary: "Let time pass",
    about: "Moves the clock of a test log forward, never back. Timers due by then fire.",
    authz: Authz::Keys { scope: Scope::TestClockWrite, roles: &[(Role::Admin, Over::All)] },
    idempotent: false,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<Advance>()),
    success: Success { shape: Some(Shape::of::<TestClock>()), about: "The new time.", ..Operation::READ.success },
    refusals: &["test_clock.live_log"],
    run: |call| Box::pin(advance(call)),
    ..Operation::READ
};

fn show(call: &Call) -> Result<Reply, Halt> {
    if !call.app.is_test() {
        return Err(Problem::new("test_clock.live_log").into());
    }
    Ok(Reply::json(StatusCode::OK, &TestClock { object: "test_clock", now: utc_text(call.now()) })?)
}

async fn advance(call: Call) -> Result<Reply, Halt> {
    if !call.app.is_test() {
        return Err(Problem::new("test_clock.live_log").into());
    }
    call.may_touch_what_is_of_no_site()?;
    let body: Advance = call.body()?;
    let by = match (body.to, body.seconds) {
        (Some(to), None) => (to.0 - call.now())
            .to_std()
            .map_err(|_| Problem::new("request.invalid_field").at("/to", "must lie after the clock's time"))?,
        (None, Some(seconds)) => Duration::from_secs(seconds),
        _ => return Err(Problem::new("request.invalid_field").at("", "either `to` or `seconds`").into()),
    };
    if by.is_zero() || by.as_secs() > LONGEST_ADVANCE_S {
        return Err(Problem::new("request.invalid_field").at("", "moves by 1 second to 400 days").into());
    }
    let now = call.app.store.clock().advance(by).await.map_err(|error| {
        tracing::error!(%error, "the test clock was not moved");
        Problem::new("server.overloaded")
    })?;
    Ok(Reply::json(StatusCode::OK, &TestClock { object: "test_clock", now: utc_text(now) })?)
}
