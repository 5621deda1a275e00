//! Orange's gateway: a token with each call, and its way of saying no.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Client,
    header::{ACCEPT, HeaderMap, HeaderValue},
};
use serde_json::Value;
use url::Url;

use super::{Config, wire};
use crate::{
    call::{self, Answer, ConfigError, Outcome, Refusal, Unknown},
    payments::token::{Shown, Source, Tokens},
};

#[derive(Clone, Debug)]
pub(super) struct Gateway {
    client: Client,
    base: Url,
    country: String,
    tokens: Arc<Tokens>,
}

impl Gateway {
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        let base = call::base_url(&config.base_url)?;
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let client = call::client(&base, config.timeouts, headers)?;
        let source = Source {
            url: join(&base, &["oauth", "v3", "token"]),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            shown: Shown::Basic,
            refusal: wire::refusal,
        };
        let tokens = Tokens::new(source, Duration::from_millis(config.timeouts.total_ms));
        Ok(Self { client, base, country: config.country.clone(), tokens: Arc::new(tokens) })
    }

    /// Makes a call. A 401 may mean that the token has ended before its time: it is renewed once, and the call made again
    /// once; nothing had happened.
    pub(super) async fn call(&self, name: &str, body: &Value) -> Outcome<Value> {
        let url = join(&self.base, &["orange-money-webpay", &self.country, "v1", name]);
        let token = match self.tokens.get(&self.client, None).await {
            Ok(token) => token,
            Err(none) => return read(none),
        };
        let post = |token: &str| self.client.post(url.clone()).bearer_auth(token).json(body);
        let first = call::call(post(&token), wire::refusal).await;
        let Outcome::Refused(Refusal { http: Some(401), .. }) = &first else { return read(first) };
        match self.tokens.get(&self.client, Some(&token)).await {
            Ok(token) => read(call::call(post(&token), wire::refusal).await),
            Err(none) => read(none),
        }
    }
}

/// A success is 201 there, and a JSON object; a no may come inside it.
fn read(outcome: Outcome<Answer>) -> Outcome<Value> {
    match outcome {
        // No call answers so: a wrong address or country must not look like a refusal of the payment.
        Outcome::Refused(Refusal { http: Some(404), .. }) => Outcome::Unknown(Unknown::Status(404)),
        other => other.then(|answer| {
            let body = serde_json::from_slice::<Value>(&answer.body).ok().filter(Value::is_object);
            body.map_or_else(|| Unknown::unreadable("not a JSON object"), Outcome::Done)
        }),
    }
}

fn join(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    // `base_url` lets only addresses pass that have segments.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
