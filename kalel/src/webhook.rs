//! `kalel webhook verify`: the same check that whoever receives events makes, for looking into why one is not believed.

use std::io::Read;

use adapters::{
    signing::PublicKey,
    webhook_out::{ID, SIGNATURE, SharedSecret, TIMESTAMP, Trusted, verify},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Timestamp;
use eventstore::Clock;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// What is wanted.
#[derive(Debug, clap::Subcommand)]
pub enum Webhook {
    /// Check the message on standard input; exit code 1 when it is not to be believed.
    Verify(Verify),
}

/// A message, but for its body.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The secret, `whsec_…`.
    #[arg(long, env = "WEBHOOK_SECRET", hide_env_values = true, required_unless_present = "key")]
    pub secret: Option<String>,
    /// The published key, `whpk_…`, instead of a secret.
    #[arg(long, conflicts_with = "secret")]
    pub key: Option<String>,
    /// The header `webhook-id`.
    #[arg(long)]
    pub id: String,
    /// The header `webhook-timestamp`.
    #[arg(long)]
    pub timestamp: String,
    /// The header `webhook-signature`.
    #[arg(long)]
    pub signature: String,
    /// As if it were this moment (RFC 3339): a message is believed for five minutes.
    #[arg(long)]
    pub at: Option<Timestamp>,
}

/// Runs one.
///
/// # Errors
/// One line: why the message is not believed.
pub fn run(webhook: &Webhook) -> Result<(), String> {
    let Webhook::Verify(asked) = webhook;
    let mut body = Vec::new();
    std::io::stdin().lock().read_to_end(&mut body).map_err(|error| error.to_string())?;
    let header = |text: &str| HeaderValue::from_str(text).map_err(|error| error.to_string());
    let headers = HeaderMap::from_iter([
        (HeaderName::from_static(ID), header(&asked.id)?),
        (HeaderName::from_static(TIMESTAMP), header(&asked.timestamp)?),
        (HeaderName::from_static(SIGNATURE), header(&asked.signature)?),
    ]);
    let now = asked.at.unwrap_or_else(|| Clock::system().outside());
    let checked = match (&asked.secret, &asked.key) {
        (Some(secret), _) => {
            let secret = SharedSecret::parse(secret).map_err(|error| format!("--secret {error}"))?;
            verify(Trusted::Secrets(&[secret]), &headers, &body, now)
        }
        (None, Some(key)) => {
            let key = public(key).ok_or("--key must be whpk_ and the base64 of a key")?;
            verify(Trusted::Key(&key), &headers, &body, now)
        }
        (None, None) => return Err("--secret or --key".into()),
    };
    checked.map_err(|error| error.to_string())?;
    println!("ok");
    Ok(())
}

fn public(text: &str) -> Option<PublicKey> {
    let bytes = STANDARD.decode(text.strip_prefix("whpk_")?).ok()?;
    PublicKey::from_bytes(&bytes.try_into().ok()?)
}
