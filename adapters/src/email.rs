//! Mail by SMTP: implicit TLS or STARTTLS that must succeed; plain only to this very machine (the fake).
//!
//! SMTP has no key against sending twice: the stable `Message-ID` is what mailboxes recognise a repetition by
//! (providers.md §6).

use std::time::{Duration, SystemTime};

use domain::Timestamp;
use lettre::{
    Address, Message,
    message::{
        Attachment as Part, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, TlsParameters},
        extension::ClientId,
    },
};
use serde::Deserialize;
use thiserror::Error;

use crate::{
    call::{Outcome, Refusal, Unknown},
    secret::Secret,
};

/// How the connection is protected. There is no "if the server happens to offer it".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// TLS from the first byte (port 465).
    Tls,
    /// STARTTLS or nothing (port 587).
    #[default]
    Starttls,
    /// None at all; refused unless the host is this machine.
    Plain,
}

/// How to reach the relay.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub host: String,
    /// 465 for TLS, 587 for STARTTLS, 25 for plain when left out.
    pub port: Option<u16>,
    #[serde(default)]
    pub security: Security,
    /// Without one there is no login.
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// `Kalel <ne-pas-repondre@kalel.sn>`
    pub from: String,
    /// From connecting to the relay's last word.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
}

const fn timeout_ms() -> u64 {
    15_000
}

/// What is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    #[error("plain SMTP is for this machine only, not for {0}")]
    NotEncrypted(String),
    #[error("{0} is not a mail address")]
    NotAnAddress(String),
    #[error("a user needs a password, and a password a user")]
    HalfCredentials,
}

/// A mail to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    /// Makes the same mail recognisable: derived from the effect, with our domain: `<…@kalel.sn>`.
    pub message_id: String,
    pub attachments: Vec<Attachment>,
}

/// A file that goes with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    /// `image/png`
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// A mail relay.
#[derive(Clone, Debug)]
pub struct Relay {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    from: Mailbox,
    timeout: Duration,
}

/// Not an address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is not an address such as awa@example.sn")]
pub struct NoAddress;

/// Reads an address that somebody typed (RFC 5321 §4.1.2), in small letters: providers do not tell them apart.
///
/// # Errors
/// [`NoAddress`].
pub fn address(typed: &str) -> Result<String, NoAddress> {
    let typed = typed.trim().to_lowercase();
    match typed.parse::<Address>() {
        Ok(address) if typed.len() <= 254 && address.domain().contains('.') => Ok(typed),
        _ => Err(NoAddress),
    }
}

impl Relay {
    /// # Errors
    /// [`ConfigError`].
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let loopback = config.host == "localhost"
            || config.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if config.security == Security::Plain && !loopback {
            return Err(ConfigError::NotEncrypted(config.host.clone()));
        }
        let usual = match config.security {
            Security::Tls => 465,
            Security::Starttls => 587,
            Security::Plain => 25,
        };
        let credentials = match (&config.username, &config.password) {
            (Some(user), Some(password)) => Some(Credentials::new(user.clone(), password.expose().to_owned())),
            (None, None) => None,
            _ => return Err(ConfigError::HalfCredentials),
        };
        Ok(Self {
            host: config.host.clone(),
            port: config.port.unwrap_or(usual),
            security: config.security,
            credentials,
            from: config.from.parse().map_err(|_| ConfigError::NotAnAddress(config.from.clone()))?,
            timeout: Duration::from_millis(config.timeout_ms),
        })
    }

    /// Sends once. `now` becomes the mail's date.
    pub async fn send(&self, mail: &Mail, now: Timestamp) -> Outcome<()> {
        let message = match self.compose(mail, now) {
            Ok(message) => message,
            Err(why) => return Refusal::local("mail", &why),
        };
        let start = tokio::time::Instant::now();
        let mut connection = match tokio::time::timeout(self.timeout, self.connect()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(outcome)) => return outcome,
            Err(_) => return Outcome::Unknown(Unknown::Unreachable("no connection in time".into())),
        };
        let raw = message.formatted();
        let sending = connection.send(message.envelope(), &raw);
        let outcome = match tokio::time::timeout_at(start + self.timeout, sending).await {
            Ok(Ok(_)) => Outcome::Done(()),
            Ok(Err(error)) => {
                refused(&error).unwrap_or_else(|| Outcome::Unknown(Unknown::Interrupted(error.to_string())))
            }
            Err(_) => return Outcome::Unknown(Unknown::Timeout),
        };
        // The mail is taken or not; how the goodbye goes changes nothing.
        let _ = tokio::time::timeout_at(start + self.timeout, connection.abort()).await;
        outcome
    }

    /// Up to the point where a mail could go. Whatever goes wrong here, nothing has been sent.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Outcome<()>> {
        let failed = |error: lettre::transport::smtp::Error| {
            refused(&error).unwrap_or_else(|| Outcome::Unknown(Unknown::Unreachable(error.to_string())))
        };
        let hello = ClientId::default();
        let tls = || TlsParameters::new(self.host.clone()).map_err(failed);
        let wrapped = if self.security == Security::Tls { Some(tls()?) } else { None };
        let server = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &hello, wrapped, None);
        let mut connection = connecting.await.map_err(failed)?;
        if self.security == Security::Starttls {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(Refusal::local("starttls", "the relay offers no STARTTLS, and without it nothing is sent"));
            }
            connection.starttls(tls()?, &hello).await.map_err(failed)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await.map_err(failed)?;
        }
        Ok(connection)
    }

    fn compose(&self, mail: &Mail, now: Timestamp) -> Result<Message, String> {
        let to: Address = mail.to.parse().map_err(|error| format!("address: {error}"))?;
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
        let builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.replace(['\r', '\n'], " "))
            .message_id(Some(mail.message_id.clone()))
            .date(SystemTime::from(now))
            .raw_header(automatic);
        let text = SinglePart::plain(mail.text.clone());
        let message = if mail.attachments.is_empty() {
            builder.singlepart(text)
        } else {
            let mut parts = MultiPart::mixed().singlepart(text);
            for file in &mail.attachments {
                let kind = ContentType::parse(&file.content_type).map_err(|error| error.to_string())?;
                parts = parts.singlepart(Part::new(file.name.clone()).body(file.bytes.clone(), kind));
            }
            builder.multipart(parts)
        };
        message.map_err(|error| error.to_string())
    }
}

/// What the relay itself said: 4xx may pass, 5xx does not.
fn refused<T>(error: &lettre::transport::smtp::Error) -> Option<Outcome<T>> {
    let code = error.status()?;
    let retryable = error.is_transient();
    let message = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    Some(Outcome::Refused(Refusal { http: None, code: code.to_string(), message, retryable }))
}

#[cfg(test)]
mod tests;
