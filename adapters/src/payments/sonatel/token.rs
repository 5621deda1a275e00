//! The access token: fetched by one, held for all, renewed before it ends. Its age is measured, not told from a clock.

use std::{fmt, time::Duration};

use reqwest::{Client, RequestBuilder};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use url::Url;

use super::wire;
use crate::{
    call::{self, Answer, Outcome, Refusal, Unknown},
    secret::Secret,
};

/// A token is not used in its last seconds: it has to arrive, too.
const MARGIN: Duration = Duration::from_secs(30);

pub(super) struct Tokens {
    url: Url,
    client_id: String,
    client_secret: Secret,
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
        f.debug_struct("Tokens").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl Tokens {
    pub(super) fn new(url: Url, client_id: String, client_secret: Secret, patience: Duration) -> Self {
        Self { url, client_id, client_secret, patience, held: Mutex::new(None) }
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
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose()),
        ];
        // Asked before the answer comes, so that the token ends a little earlier for us than for them.
        let asked = Instant::now();
        let (token, seconds) = fetch(client.post(self.url.clone()).form(&form)).await?;
        let lasts = Duration::from_secs(seconds);
        let until = asked + lasts.saturating_sub(MARGIN.min(lasts / 2));
        *held = Some(Held { token: token.clone(), until });
        Ok(token)
    }
}

async fn fetch(request: RequestBuilder) -> Result<(String, u64), Outcome<Answer>> {
    match call::call(request, wire::refusal).await {
        Outcome::Done(answer) => wire::token(&answer.body).ok_or_else(|| not_sent("unreadable")),
        // Whatever is refused here is about our application and not about a payment, also where it is not a 401.
        Outcome::Refused(refusal) => Err(Outcome::Refused(Refusal { http: Some(401), ..refusal })),
        Outcome::RetryAfter(wait) => Err(Outcome::RetryAfter(wait)),
        Outcome::Unknown(unknown) => Err(not_sent(&unknown.to_string())),
    }
}

fn not_sent(why: &str) -> Outcome<Answer> {
    Outcome::Unknown(Unknown::Unreachable(format!("no token: {why}")))
}
