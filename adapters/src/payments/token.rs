//! The access token of an OAuth gateway: fetched by one, held for all, renewed before it ends. Its age is measured, not told
//! from a clock.

use std::{fmt, time::Duration};

use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use url::Url;

use crate::{
    call::{self, Answer, Outcome, Refusal, Unknown},
    secret::Secret,
};

/// A token is not used in its last seconds: it has to arrive, too.
const MARGIN: Duration = Duration::from_secs(30);

/// Where tokens come from, and for whom.
pub(super) struct Source {
    pub url: Url,
    pub client_id: String,
    pub client_secret: Secret,
    pub shown: Shown,
    /// How this gateway says no.
    pub refusal: fn(&Answer) -> (String, String),
}

/// How an application shows who it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    /// As fields of the form.
    Form,
    /// `Authorization: Basic`.
    Basic,
}

pub(super) struct Tokens {
    source: Source,
    /// How long to wait for somebody else who is fetching.
    patience: Duration,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: String,
    until: Instant,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("url", &self.source.url.as_str()).finish_non_exhaustive()
    }
}

impl Tokens {
    pub(super) fn new(source: Source, patience: Duration) -> Self {
        Self { source, patience, held: Mutex::new(None) }
    }

    /// A token that is good as far as we know; never the one that was `refused`. Whoever comes first fetches it, the
    /// others wait for it.
    ///
    /// # Errors
    /// Why there is none. Whatever it was wanted for has not been sent.
    pub(super) async fn get(&self, client: &Client, refused: Option<&str>) -> Result<String, Outcome<Answer>> {
        let Ok(mut held) = timeout(self.patience, self.held.lock()).await else {
            return Err(not_sent("nobody got one in time"));
        };
        let good = |held: &&Held| Instant::now() < held.until && refused != Some(held.token.as_str());
        if let Some(held) = held.as_ref().filter(good) {
            return Ok(held.token.clone());
        }
        *held = None;
        // Asked before the answer comes, so that the token ends a little earlier for us than for them.
        let asked = Instant::now();
        let (token, seconds) = fetch(self.source.request(client), self.source.refusal).await?;
        let lasts = Duration::from_secs(seconds);
        let until = asked + lasts.saturating_sub(MARGIN.min(lasts / 2));
        *held = Some(Held { token: token.clone(), until });
        Ok(token)
    }
}

impl Source {
    fn request(&self, client: &Client) -> RequestBuilder {
        let grant = ("grant_type", "client_credentials");
        let (id, secret) = (self.client_id.as_str(), self.client_secret.expose());
        let request = client.post(self.url.clone());
        match self.shown {
            Shown::Form => request.form(&[grant, ("client_id", id), ("client_secret", secret)]),
            Shown::Basic => request.basic_auth(id, Some(secret)).form(&[grant]),
        }
    }
}

async fn fetch(
    request: RequestBuilder,
    refusal: fn(&Answer) -> (String, String),
) -> Result<(String, u64), Outcome<Answer>> {
    match call::call(request, refusal).await {
        Outcome::Done(answer) => read(&answer.body).ok_or_else(|| not_sent("unreadable")),
        // Whatever is refused here is about our application and not about a payment, also where it is not a 401.
        Outcome::Refused(refusal) => Err(Outcome::Refused(Refusal { http: Some(401), ..refusal })),
        Outcome::RetryAfter(wait) => Err(Outcome::RetryAfter(wait)),
        Outcome::Unknown(unknown) => Err(not_sent(&unknown.to_string())),
    }
}

/// A token, and for how many seconds it is good: a number, or one written as text.
pub(super) fn read(body: &[u8]) -> Option<(String, u64)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let token = body.get("access_token")?.as_str()?;
    let sendable = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let seconds = match body.get("expires_in") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    // A day at most: whoever says more is asked again nevertheless.
    sendable.then(|| (token.to_owned(), seconds.unwrap_or(0).min(86_400)))
}

fn not_sent(why: &str) -> Outcome<Answer> {
    Outcome::Unknown(Unknown::Unreachable(format!("no token: {why}")))
}
