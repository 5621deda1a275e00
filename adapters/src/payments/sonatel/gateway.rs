//! Sonatel's gateway: a token and a content type with each call, and its way of saying no.

use std::{collections::HashSet, sync::Arc, time::Duration};

use reqwest::{
    Client, RequestBuilder,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use url::Url;

use super::{
    Config,
    wire::{self, Row},
};
use crate::{
    call::{self, Answer, ConfigError, Outcome, Refusal, Unknown},
    payments::token::{Shown, Source, Tokens},
};

/// Rows asked for at a time; small, so that no limit of theirs makes a full page look like the last one.
const PAGE: usize = 20;
/// One reference has a handful of rows.
const PAGES: usize = 25;
/// The gateway's own trouble, whatever the HTTP status says.
const INTERNAL: [&str; 2] = ["sonatel-50", "sonatel-51"];

#[derive(Clone, Debug)]
pub(super) struct Gateway {
    client: Client,
    base: Url,
    tokens: Arc<Tokens>,
}

impl Gateway {
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        let base = call::base_url(&config.base_url)?;
        let json = HeaderValue::from_static("application/json");
        // With a GET as well: without it the gateway answers 415.
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, json.clone()), (ACCEPT, json)]);
        let client = call::client(&base, config.timeouts, headers)?;
        let patience = Duration::from_millis(config.timeouts.total_ms);
        let source = Source {
            url: join(&base, &["oauth", "v1", "token"]),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            shown: Shown::Form,
            refusal: wire::refusal,
        };
        let tokens = Tokens::new(source, patience);
        Ok(Self { client, base, tokens: Arc::new(tokens) })
    }

    pub(super) fn get(&self, path: &[&str]) -> RequestBuilder {
        self.client.get(join(&self.base, path))
    }

    pub(super) fn post(&self, path: &[&str]) -> RequestBuilder {
        self.client.post(join(&self.base, path))
    }

    /// Makes a call. A 401 may mean that the token has ended before its time: it is renewed once, and the call made
    /// again once; nothing had happened.
    pub(super) async fn call(&self, request: RequestBuilder) -> Outcome<Answer> {
        let again = request.try_clone();
        let token = match self.tokens.get(&self.client, None).await {
            Ok(token) => token,
            Err(none) => return none,
        };
        let first = call::call(request.bearer_auth(&token), wire::refusal).await;
        let (Outcome::Refused(Refusal { http: Some(401), .. }), Some(again)) = (&first, again) else {
            return own_trouble(first);
        };
        match self.tokens.get(&self.client, Some(&token)).await {
            Ok(token) => own_trouble(call::call(again.bearer_auth(&token), wire::refusal).await),
            Err(none) => none,
        }
    }

    /// Transactions that match; never by `type`, which gives none (providers.md §2a).
    pub(super) async fn rows(&self, query: &[(&str, &str)]) -> Outcome<Vec<Row>> {
        self.rows_of(query, PAGES).await
    }

    /// The same, of more pages than a reference has.
    pub(super) async fn rows_of(&self, query: &[(&str, &str)], pages: usize) -> Outcome<Vec<Row>> {
        let (mut rows, mut seen) = (Vec::new(), HashSet::new());
        for page in 0..pages {
            let request = self.get(&["api", "eWallet", "v1", "transactions"]).query(query);
            let request = request.query(&[("page", page), ("size", PAGE)]);
            let answer = match self.call(request).await {
                Outcome::Done(answer) => answer,
                // A list that is not there is a wrong address, not a payment that never was.
                Outcome::Refused(Refusal { http: Some(404), .. }) => return Outcome::Unknown(Unknown::Status(404)),
                other => return other.map(|_| Vec::new()),
            };
            let Some(found) = wire::rows(&answer.body) else { return Unknown::unreadable("not a list") };
            let (count, before) = (found.len(), rows.len());
            // Something paid meanwhile moves the pages; and a server that ignores them sends the same one for ever.
            rows.extend(found.into_iter().filter(|row| seen.insert(row.to_string())));
            if count < PAGE || rows.len() == before {
                return Outcome::Done(rows);
            }
        }
        Unknown::unreadable("no end of transactions")
    }
}

pub(super) fn own_trouble(outcome: Outcome<Answer>) -> Outcome<Answer> {
    match outcome {
        Outcome::Refused(Refusal { http: Some(status), code, .. }) if INTERNAL.contains(&code.as_str()) => {
            Outcome::Unknown(Unknown::Status(status))
        }
        other => other,
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
