//! How often anybody may ask (reliability.md §4.1).
//!
//! Each process counts, and all of them together in Redis. What one process alone has refused is refused without asking;
//! what it would admit, Redis must admit too. So a Redis that is flushed lets nobody through who is known here, and while it
//! is gone each process goes on at half the rate, because it cannot see what the others admit. Rights are never decided here.

pub mod gcra;
mod local;
pub mod policy;
pub mod redis;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, request::Parts},
    middleware::Next,
    response::Response,
};
use domain::{actor::Role, ids::ClientId};
use eventstore::Keyring;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

pub use policy::{Policy, Purpose, Quota, Settings};

use self::{
    gcra::{Rate, Tally, seconds},
    local::Local,
    redis::Shared,
};
use crate::{
    App,
    http::{
        address,
        admission::aside,
        auth::Caller,
        call::Call,
        operation::{Authz, Operation},
        pipeline,
        redis::Redis,
    },
    problem::Problem,
};

static POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The code of a call too many.
pub const TOO_MANY: &str = "request.too_many";

/// How long a provider's message waits for a place.
const WEBHOOK_PATIENCE: Duration = Duration::from_millis(100);

/// The counts of one process.
pub struct Limits {
    /// `None`: nothing is limited.
    settings: Option<Settings>,
    local: Local,
    shared: Shared,
    webhooks: Arc<Semaphore>,
}

/// What became of one call under one policy.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    policy: Policy,
    /// What it was counted by: that of the policy, or half of it.
    rate: Rate,
    tally: Tally,
}

/// What a request was counted under so far: for the headers of its answer.
#[derive(Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<Standing>>>);

/// One call that was taken, and may be given back.
pub struct Taken {
    key: String,
    standing: Standing,
    /// In Redis, too.
    together: bool,
}

impl Limits {
    pub fn new(settings: Option<Settings>, redis: Arc<Redis>, log: Uuid) -> Self {
        let places = settings.as_ref().map_or(Semaphore::MAX_PERMITS, |settings| settings.webhooks_at_once);
        Self {
            settings,
            local: Local::default(),
            shared: Shared::new(redis, log),
            webhooks: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Counts one call.
    ///
    /// # Errors
    /// The standing, when it is one too many.
    pub async fn take(&self, policy: Policy, who: &str) -> Result<Taken, Standing> {
        let key = format!("{}:{who}", policy.name);
        let Some(rate) = policy.quota.rate() else {
            // Checked when the configuration was read. Nobody is admitted by a rate that is none.
            let tally = Tally { admitted: false, due: Rate::ONCE_A_DAY.interval(), now: 0 };
            return Err(Standing { policy, rate: Rate::ONCE_A_DAY, tally });
        };
        let (tally, rate, together) = self.count(&key, rate).await;
        let standing = Standing { policy, rate, tally };
        if tally.admitted { Ok(Taken { key, standing, together }) } else { Err(standing) }
    }

    /// What became of it, by which rate, and whether all processes know.
    async fn count(&self, key: &str, rate: Rate) -> (Tally, Rate, bool) {
        if self.shared.is_set() && !self.shared.is_well() {
            return (self.local.take(key, rate.halved()), rate.halved(), false);
        }
        let here = self.local.take(key, rate);
        if !here.admitted || !self.shared.is_set() {
            return (here, rate, false);
        }
        if let Some(together) = self.shared.take(key, rate).await {
            if !together.admitted {
                self.local.give_back(key, rate);
            }
            return (together, rate, true);
        }
        self.local.give_back(key, rate);
        (self.local.take(key, rate.halved()), rate.halved(), false)
    }

    /// Counts one call and notes where its caller stands.
    async fn count_for(&self, policy: Policy, who: &str, meter: &Meter) -> Result<Taken, Problem> {
        let outcome = self.take(policy, who).await;
        meter.note(outcome.as_ref().map_or_else(|standing| *standing, |taken| taken.standing));
        outcome.map_err(too_many)
    }

    async fn give_back(&self, taken: &Taken) {
        let rate = taken.standing.rate;
        self.local.give_back(&taken.key, rate);
        if taken.together {
            self.shared.give_back(&taken.key, rate).await;
        }
    }
}

/// Counts a request: under its caller, or its address when there is none. One whose key is not good is counted, too, so that
/// nobody tries keys for as long as they like. What writes and needs no key, such as signing in, is counted under the address
/// whatever key comes with it: else each would be a count of its own.
///
/// # Errors
/// 429 `request.too_many`, or why there is no caller.
pub async fn pass(
    app: &App,
    operation: &Operation,
    parts: &Parts,
    caller: Result<Caller, Problem>,
    meter: &Meter,
) -> Result<Caller, Problem> {
    let Some(settings) = &app.limits.settings else { return caller };
    let policy = match &caller {
        Ok(caller) => settings.policy(operation.limit, caller),
        Err(problem) if problem.status().is_client_error() => Some(settings.stranger()),
        Err(_) => None,
    };
    let Some(policy) = policy else { return caller };
    let known = caller.as_ref().ok().and_then(|caller| match caller.role() {
        // However many keys a client has.
        Some(Role::Client) => caller.principal(),
        _ => caller.id(),
    });
    let here = || stranger(&app.keyring, parts, settings, "");
    if known.is_some() && matches!(operation.authz, Authz::Anyone) && operation.method != Method::GET {
        app.limits.count_for(settings.stranger(), &here(), meter).await?;
    }
    let who = known.map_or_else(here, |id| id.to_string());
    app.limits.count_for(policy, &who, meter).await?;
    caller
}

/// Counts a look at a page for people, which is no operation: for each page, since a whole operator's customers may come from
/// one address to pay.
pub async fn pages(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(settings) = &app.limits.settings else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let meter = Meter::default();
    let who = stranger(&app.keyring, &parts, settings, parts.uri.path());
    let mut response = match app.limits.count_for(settings.page(), &who, &meter).await {
        Ok(_) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => pipeline::refuse(&app, &parts, problem),
    };
    meter.write(response.headers_mut());
    response
}

/// A place for a provider's message, as long as it is worked on.
///
/// # Errors
/// 503 when there is none for a while; providers send again.
pub async fn place(app: &App, operation: &Operation) -> Result<Option<OwnedSemaphorePermit>, Problem> {
    if operation.limit != Purpose::Webhook {
        return Ok(None);
    }
    let free = Arc::clone(&app.limits.webhooks).acquire_owned();
    let place = aside(tokio::time::timeout(WEBHOOK_PATIENCE, free)).await;
    match place {
        Ok(Ok(place)) => Ok(Some(place)),
        Ok(Err(_)) | Err(_) => Err(Problem::new("server.overloaded").retry_after(1)),
    }
}

/// Who is at the other end of a request: one subscriber.
pub fn subscriber(app: &App, parts: &Parts) -> IpAddr {
    let trusted = app.limits.settings.as_ref().map(|settings| settings.trusted_proxies.as_slice());
    address_of(parts, trusted.unwrap_or_default())
}

fn address_of(parts: &Parts, trusted: &[address::Cidr]) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    // Whoever comes by a way that does not say whence is one with all who do.
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    address::subscriber(address::client(peer, &parts.headers, trusted))
}

/// What an address is counted by, at a page or everywhere: never the address itself.
fn stranger(keyring: &Keyring, parts: &Parts, settings: &Settings, page: &str) -> String {
    let client = address_of(parts, &settings.trusted_proxies);
    hex::encode(keyring.hash("client address", format!("{client} {page}").as_bytes()))
}

fn too_many(standing: Standing) -> Problem {
    metrics::counter!("api_limited_total", "policy" => standing.policy.name).increment(1);
    let wait = seconds(standing.rate.wait(standing.tally)).max(1);
    Problem::new(TOO_MANY).with("seconds", wait).retry_after(wait)
}

impl Call {
    /// Counts a slot that is about to be held for a client.
    ///
    /// # Errors
    /// 429 `request.too_many`.
    pub async fn hold_for(&self, client: ClientId) -> Result<Option<Taken>, Problem> {
        let Some(settings) = &self.app.limits.settings else { return Ok(None) };
        let who = client.uuid().to_string();
        self.app.limits.count_for(settings.held(), &who, &self.meter).await.map(Some)
    }

    /// It was not held after all.
    pub async fn not_held(&self, taken: Taken) {
        self.app.limits.give_back(&taken).await;
        self.meter.forget(taken.standing.policy);
    }
}

impl Meter {
    fn note(&self, standing: Standing) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(standing);
    }

    fn forget(&self, policy: Policy) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|standing| standing.policy != policy);
    }

    /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers): `r` calls would be admitted at once; after
    /// `t` seconds all of the burst would, or, when none is left, one more.
    pub fn write(&self, headers: &mut HeaderMap) {
        let standings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut policies, mut limits) = (Vec::new(), Vec::new());
        for Standing { policy: Policy { name, quota }, rate, tally } in standings.iter() {
            let window = quota.seconds;
            let left = rate.left(*tally).max(0);
            let then = seconds(if left > 0 { tally.until_whole() } else { rate.wait(*tally) });
            policies.push(format!("\"{name}\";q={};w={window}", rate.calls_in(window).max(1)));
            limits.push(format!("\"{name}\";r={left};t={then}"));
        }
        for (header, values) in [(&POLICY, policies), (&LIMIT, limits)] {
            if let Ok(value) = HeaderValue::from_str(&values.join(", "))
                && !values.is_empty()
            {
                headers.insert(header.clone(), value);
            }
        }
    }
}
