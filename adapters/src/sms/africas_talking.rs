//! Africa's Talking: a form in, 201 with one status per recipient out (providers.md §4.1).

use domain::phone::Phone;
use reqwest::{
    Client,
    header::{ACCEPT, HeaderMap, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::{Accepted, Message, transliterate};
use crate::{
    call::{self, Answer, ConfigError, Outcome, Refusal, Timeouts, Unknown},
    secret::Secret,
};

/// How to reach the gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `https://api.africastalking.com`, its sandbox, or a fake on loopback.
    pub base_url: String,
    /// The application, as the gateway calls it.
    pub username: String,
    pub api_key: Secret,
    /// Registered sender id or short code.
    pub sender: Option<String>,
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// An account at Africa's Talking.
#[derive(Clone, Debug)]
pub struct AfricasTalking {
    client: Client,
    url: Url,
    username: String,
    sender: Option<String>,
}

impl AfricasTalking {
    /// # Errors
    /// [`ConfigError`] when the address or the key cannot be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let mut url = call::base_url(&config.base_url)?;
        let mut key = HeaderValue::try_from(config.api_key.expose()).map_err(|_| ConfigError::UnsendableKey)?;
        key.set_sensitive(true);
        let accept = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(HeaderName::from_static("apikey"), key), (ACCEPT, accept)]);
        let client = call::client(&url, config.timeouts, headers)?;
        // `base_url` lets only addresses pass that have segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["version1", "messaging"]);
        }
        Ok(Self { client, url, username: config.username.clone(), sender: config.sender.clone() })
    }

    /// Sends once.
    pub async fn send(&self, message: &Message) -> Outcome<Accepted> {
        let text = transliterate(&message.text);
        let mut form = vec![("username", self.username.as_str()), ("to", message.to.e164()), ("message", &text)];
        form.extend(self.sender.as_deref().map(|sender| ("from", sender)));
        let request = self.client.post(self.url.clone()).form(&form);
        call::call(request, refusal).await.then(|answer| read(&answer.body, &message.to))
    }
}

/// Errors come as plain text.
fn refusal(answer: &Answer) -> (String, String) {
    let text = String::from_utf8_lossy(&answer.body).chars().take(200).collect();
    (format!("http-{}", answer.status.as_u16()), text)
}

/// A 201 may refuse each recipient, or have none and a sentence why.
fn read(body: &[u8], to: &Phone) -> Outcome<Accepted> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Data {
        #[serde(default)]
        message: String,
        recipients: Vec<Recipient>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Recipient {
        status_code: u16,
        #[serde(default)]
        status: String,
        number: Option<String>,
        cost: Option<Value>,
        message_id: Option<String>,
    }
    let data = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|mut body| serde_json::from_value::<Data>(body.get_mut("SMSMessageData")?.take()).ok());
    let Some(Data { message, recipients }) = data else {
        return Unknown::unreadable("no SMSMessageData");
    };
    if recipients.is_empty() {
        let code = "no-recipient".to_owned();
        return Outcome::Refused(Refusal { http: Some(201), code, message, retryable: false });
    }
    let ours = recipients.into_iter().find(|recipient| {
        recipient
            .number
            .as_deref()
            .is_none_or(|number| number.trim_start_matches('+') == to.e164().trim_start_matches('+'))
    });
    match ours {
        None => Unknown::unreadable("another recipient"),
        Some(Recipient { status_code: 100..=102, cost, message_id, .. }) => Outcome::Done(Accepted {
            message_id: message_id.filter(|id| id != "None" && !id.is_empty()),
            cost: cost.map(|cost| cost.as_str().map_or_else(|| cost.to_string(), str::to_owned)),
        }),
        Some(Recipient { status_code, status, .. }) => Outcome::Refused(Refusal {
            http: Some(201),
            code: status_code.to_string(),
            message: status,
            // The gateway's own troubles pass; the rest is about the number or our account.
            retryable: (500..=502).contains(&status_code),
        }),
    }
}

/// What became of a message, as posted to us. Not signed: the secret is in the path it is posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub message_id: String,
    pub delivery: Delivery,
}

/// Progress or end of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// On its way; reports come out of order, so this never undoes an end.
    Underway,
    Delivered,
    Failed {
        reason: String,
    },
}

/// A posted form that is no delivery report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a delivery report")]
pub struct NotAReport;

impl Report {
    /// Reads the posted form.
    ///
    /// # Errors
    /// [`NotAReport`] without an id or with a status that is not one of theirs.
    pub fn parse(body: &[u8]) -> Result<Self, NotAReport> {
        let field = |wanted: &str| {
            let found = url::form_urlencoded::parse(body).find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
        };
        let message_id = field("id").ok_or(NotAReport)?;
        let status = field("status").ok_or(NotAReport)?;
        let delivery = match status.as_str() {
            "Sent" | "Submitted" | "Buffered" => Delivery::Underway,
            "Success" => Delivery::Delivered,
            "Rejected" | "Failed" | "AbsentSubscriber" | "Expired" => {
                Delivery::Failed { reason: field("failureReason").unwrap_or(status) }
            }
            _ => return Err(NotAReport),
        };
        Ok(Self { message_id, delivery })
    }
}

#[cfg(test)]
mod tests;
