//! Calls to addresses that somebody else chose (reliability.md §4.4, API7): to the public internet only, to the address that
//! was checked, without following anybody anywhere else, in bounded time and size.

mod public;

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use chrono::DateTime;
use domain::Timestamp;
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{HeaderMap, RETRY_AFTER},
};
use thiserror::Error;
use url::{Host, Url};

use crate::call::ConfigError;

pub use public::is_public;

/// From the first byte sent to the last one read.
const WHOLE: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read; what comes after is of no interest.
const MOST: usize = 64 << 10;

/// Finds the addresses of a name. Passed in, so that tests can say what a name means from one moment to the next.
pub type LookUp = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync>;

/// Why something was not reached.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// It may not be called: nothing was sent.
    #[error("refused: {0}")]
    Refused(String),
    #[error("not reached: {0}")]
    Unreachable(String),
    #[error("no answer within {} s", WHOLE.as_secs())]
    Timeout,
    #[error("cut off: {0}")]
    Interrupted(String),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// In seconds or as a date: how long to wait.
    pub retry_after: Option<Duration>,
    /// The first 64 KiB.
    pub body: Vec<u8>,
}

/// An address that resolves to what may not be called.
#[derive(Debug, Error)]
#[error("{0} is not an address on the public internet")]
struct NotPublic(IpAddr);

/// The way out.
#[derive(Clone)]
pub struct Egress {
    client: Client,
    loopback: bool,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Egress(loopback: {})", self.loopback)
    }
}

impl Egress {
    /// With the system's resolver. `loopback` lets calls reach this very machine: for the fakes of a test log.
    ///
    /// # Errors
    /// [`ConfigError::Client`].
    pub fn new(loopback: bool) -> Result<Self, ConfigError> {
        let system: LookUp = Arc::new(|host| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        });
        Self::by(system, loopback)
    }

    /// With a resolver of the caller's.
    ///
    /// # Errors
    /// [`ConfigError::Client`].
    pub fn by(look_up: LookUp, loopback: bool) -> Result<Self, ConfigError> {
        // Already installed by another adapter is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would look the name up by itself.
            .no_proxy()
            .dns_resolver(Checked { look_up, loopback })
            .user_agent(concat!("kalel/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { client: client.map_err(|error| ConfigError::Client(error.to_string()))?, loopback })
    }

    /// Posts once. Any status is an answer, a redirection, too.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn post(
        &self,
        address: &str,
        headers: HeaderMap,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<Answer, Failure> {
        let url = check(address, self.loopback)?;
        let sent = self.client.post(url).headers(headers).body(body).send().await;
        let mut response = sent.map_err(failed)?;
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| wait(value.to_str().ok()?, now));
        let (status, mut body) = (response.status().as_u16(), Vec::new());
        while body.len() < MOST {
            // An answer that breaks off is none: better sent once more than lost.
            let Some(chunk) = response.chunk().await.map_err(failed)? else { break };
            body.extend_from_slice(&chunk);
        }
        body.truncate(MOST);
        Ok(Answer { status, retry_after, body })
    }
}

/// Whether an address may be called as far as it tells by itself: a name is looked up when it is called.
///
/// # Errors
/// [`Failure::Refused`].
pub fn check(address: &str, loopback: bool) -> Result<Url, Failure> {
    let url = Url::parse(address).map_err(|_| Failure::Refused("not an address".into()))?;
    let literal = match url.host() {
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        Some(Host::Domain(_)) => None,
        None => return Err(Failure::Refused("no host".into())),
    };
    let encrypted = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    if !encrypted || !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::Refused("must be https, without a name or a password".into()));
    }
    // A literal never meets the resolver.
    match literal.filter(|ip| !allowed(*ip, loopback)) {
        Some(ip) => Err(Failure::Refused(NotPublic(ip).to_string())),
        None => Ok(url),
    }
}

fn allowed(ip: IpAddr, loopback: bool) -> bool {
    is_public(ip) || (loopback && ip.is_loopback())
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    (date.to_utc() - now).to_std().ok()
}

fn failed(error: reqwest::Error) -> Failure {
    // Addresses may carry secrets; they belong into no log.
    let error = error.without_url();
    let causes = || std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
    if let Some(refused) = causes().find_map(|cause| cause.downcast_ref::<NotPublic>()) {
        return Failure::Refused(refused.to_string());
    }
    let told = causes().last().map_or_else(|| error.to_string(), ToString::to_string);
    if error.is_timeout() {
        Failure::Timeout
    } else if error.is_connect() {
        Failure::Unreachable(told)
    } else {
        Failure::Interrupted(told)
    }
}

/// Gives the client the addresses that were checked and no others: what a name means a moment later does not matter.
struct Checked {
    look_up: LookUp,
    loopback: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, loopback) = ((self.look_up)(name.as_str().to_owned()), self.loopback);
        Box::pin(async move {
            let found = found.await?;
            // One that is not public is enough: whoever answers so is up to something.
            if let Some(ip) = found.iter().find(|ip| !allowed(**ip, loopback)) {
                return Err(NotPublic(*ip).into());
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests;
