//! One HTTP call to a provider, and the four ways in which it can end.

use std::{fmt, time::Duration};

use domain::text::Note;
use reqwest::{
    Client, RequestBuilder, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::Deserialize;
use thiserror::Error;
use url::{Host, Url};

/// No provider answers more than this; a bigger body is not an answer.
const BODY_LIMIT: usize = 1 << 20;

/// How a call ended. `Done` may still carry bad news; the other three say what is known about the effect.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The provider did it, and its answer was understood.
    Done(T),
    /// The provider said no: nothing has happened.
    Refused(Refusal),
    /// Too many calls: nothing has happened, come back later (seconds, when told).
    RetryAfter(Option<Duration>),
    /// Nobody can tell. Ask by reference, or again under the same key; never anew.
    Unknown(Unknown),
}

impl<T> Outcome<T> {
    /// Changes what was done, if it was.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        self.then(|value| Outcome::Done(f(value)))
    }

    /// Looks closer at what was done: it may turn out to be a refusal, or unreadable.
    pub fn then<U>(self, f: impl FnOnce(T) -> Outcome<U>) -> Outcome<U> {
        match self {
            Self::Done(value) => f(value),
            Self::Refused(refusal) => Outcome::Refused(refusal),
            Self::RetryAfter(wait) => Outcome::RetryAfter(wait),
            Self::Unknown(unknown) => Outcome::Unknown(unknown),
        }
    }
}

/// A provider's no, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status; `None` when we refused before sending.
    pub http: Option<u16>,
    /// The provider's code, such as `insufficient-funds`; `http-418` when it gave none.
    pub code: String,
    /// In the provider's words: for logs and notes, not for clients.
    pub message: String,
    /// The same may be accepted later (a gateway's own trouble, a greylisting mail server).
    pub retryable: bool,
}

impl Refusal {
    /// A provider's no. Its words are kept as notes are: of one line, without control characters, at most 500 characters.
    pub(crate) fn said(http: Option<u16>, code: &str, message: &str) -> Self {
        let kept = |words| String::from(Note::kept_of(words));
        let message = if message.is_empty() { String::new() } else { kept(message) };
        Self { http, code: kept(code), message, retryable: false }
    }

    /// A refusal of ours: nothing was sent.
    pub(crate) fn local<T>(code: &str, message: &str) -> Outcome<T> {
        Outcome::Refused(Self { http: None, code: code.to_owned(), message: message.to_owned(), retryable: false })
    }

    /// Whether it is about our key or account rather than about this payment: alert, keep the payment pending.
    pub fn is_about_our_account(&self) -> bool {
        matches!(self.http, Some(401 | 403))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Why nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unknown {
    /// No connection was made, so nothing can have happened.
    #[error("not reached: {0}")]
    Unreachable(String),
    #[error("no answer in time")]
    Timeout,
    #[error("cut off: {0}")]
    Interrupted(String),
    #[error("HTTP {0}")]
    Status(u16),
    /// A success whose body says nothing that we understand.
    #[error("unreadable answer: {0}")]
    Unreadable(String),
}

impl Unknown {
    /// False only when it is certain that the provider never saw the request.
    pub fn may_have_happened(&self) -> bool {
        !matches!(self, Self::Unreachable(_))
    }

    /// A word for it, for figures and advice.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Timeout => "timeout",
            Self::Interrupted(_) => "interrupted",
            Self::Status(_) => "http_status",
            Self::Unreadable(_) => "unreadable",
        }
    }

    pub(crate) fn unreadable<T>(why: impl Into<String>) -> Outcome<T> {
        Outcome::Unknown(Self::Unreadable(why.into()))
    }
}

/// What is wrong with an adapter's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    #[error("{0} is not an address")]
    NotAnAddress(String),
    #[error("{0} must start with https:// (http only on loopback)")]
    NotEncrypted(String),
    #[error("a key has characters that cannot be sent")]
    UnsendableKey,
    /// A setting of a provider that is not what it must be.
    #[error("{0}")]
    Setting(&'static str),
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
}

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect_ms: u64,
    /// From the start to the last byte of the answer.
    pub total_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_ms: 2_000, total_ms: 15_000 }
    }
}

/// A base address: https, or http on this very machine (the fakes). Ends without a slash.
pub(crate) fn base_url(text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|_| ConfigError::NotAnAddress(text.to_owned()))?;
    if url.cannot_be_a_base() || !url.has_host() {
        return Err(ConfigError::NotAnAddress(text.to_owned()));
    }
    if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) {
        Ok(url)
    } else {
        Err(ConfigError::NotEncrypted(text.to_owned()))
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A client that follows no redirects: a provider's API has none, and a key must not travel elsewhere.
pub(crate) fn client(base: &Url, timeouts: Timeouts, headers: HeaderMap) -> Result<Client, ConfigError> {
    // Already installed by another adapter is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .connect_timeout(Duration::from_millis(timeouts.connect_ms))
        .timeout(Duration::from_millis(timeouts.total_ms))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("kalel/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers);
    // A proxy cannot reach our own loopback.
    let builder = if is_loopback(base) { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| ConfigError::Client(error.to_string()))
}

/// An answer that came in whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    pub body: Vec<u8>,
}

/// Sends once and reads the whole answer.
pub(crate) async fn send(request: RequestBuilder) -> Result<Answer, Unknown> {
    let mut response = request.send().await.map_err(lost)?;
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        body.extend_from_slice(&chunk);
        if body.len() > BODY_LIMIT {
            return Err(Unknown::Unreadable("longer than 1 MiB".into()));
        }
    }
    Ok(Answer { status: response.status(), retry_after: retry_after.map(Duration::from_secs), body })
}

fn lost(error: reqwest::Error) -> Unknown {
    // Addresses may carry references; they belong into no log.
    let error = error.without_url();
    if error.is_connect() {
        Unknown::Unreachable(chain(&error))
    } else if error.is_timeout() {
        Unknown::Timeout
    } else {
        Unknown::Interrupted(chain(&error))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Sends once and sorts the answer by its status (providers.md §0 rule 2): 2xx is for the caller to read, 408, 5xx and
/// anything odd is unknown, 429 is later, every other 4xx is final.
pub(crate) async fn call(request: RequestBuilder, refusal: fn(&Answer) -> (String, String)) -> Outcome<Answer> {
    let answer = match send(request).await {
        Ok(answer) => answer,
        Err(unknown) => return Outcome::Unknown(unknown),
    };
    match answer.status.as_u16() {
        200..=299 => Outcome::Done(answer),
        429 => Outcome::RetryAfter(answer.retry_after),
        status @ (400..=407 | 409..=499) => {
            let (code, message) = refusal(&answer);
            Outcome::Refused(Refusal::said(Some(status), &code, &message))
        }
        status => Outcome::Unknown(Unknown::Status(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_refusal_are_kept_as_notes_are() {
        let refusal = Refusal::said(Some(400), "a\0b", &format!("\u{202e}no\n{}\0", "x".repeat(9_000)));
        assert_eq!(refusal.code, "ab");
        assert!(refusal.message.starts_with("nox") && refusal.message.len() == 500, "{refusal}");
        let silent = Refusal::said(None, "", "");
        assert_eq!((silent.code.as_str(), silent.message.as_str()), ("-", ""));
    }

    #[test]
    fn keys_travel_encrypted_or_not_at_all() {
        assert!(base_url("https://api.wave.com").is_ok());
        for loopback in ["http://127.0.0.1:4001", "http://localhost:1", "http://[::1]:1"] {
            assert!(base_url(loopback).is_ok(), "{loopback}");
        }
        let open = ["http://api.wave.com", "http://127.0.0.1.evil.sn", "http://10.0.0.1", "ftp://api.wave.com"];
        for open in open {
            assert_eq!(base_url(open), Err(ConfigError::NotEncrypted(open.to_owned())));
        }
        assert_eq!(base_url("mailto:x"), Err(ConfigError::NotAnAddress("mailto:x".into())));
    }
}
