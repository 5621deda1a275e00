//! Telling Sonatel where news of payments go.

use serde_json::{Value, json};
use url::Url;

use super::Sonatel;
use crate::{
    call::{self, Outcome, Refusal, Unknown},
    secret::Secret,
};

const PATH: [&str; 4] = ["api", "notification", "v1", "merchantcallback"];

impl Sonatel {
    /// Registers `url` for the merchant's code, with the key that will come with each webhook; then reads it back, since
    /// the registration answers nothing. Replaces what was registered; again is harmless.
    pub async fn register(&self, url: &Url, api_key: &Secret) -> Outcome<()> {
        if call::base_url(url.as_str()).is_err() {
            return Refusal::local("callback-url", "must be an https address");
        }
        let body = json!({
            "code": self.merchant.code,
            "name": self.merchant.name,
            "callbackUrl": url.as_str(),
            "apiKey": api_key.expose(),
        });
        match self.gateway.call(self.gateway.post(&PATH).json(&body)).await {
            Outcome::Done(_) => {}
            other => return other.map(|_| ()),
        }
        let request = self.gateway.get(&PATH).query(&[("code", self.merchant.code.as_str())]);
        self.gateway.call(request).await.then(|answer| {
            let list: Vec<Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
            let is = |row: &Value, field: &str, text: &str| row.get(field).and_then(Value::as_str) == Some(text);
            let ours = |row: &Value| is(row, "callbackUrl", url.as_str()) && is(row, "apiKey", api_key.expose());
            if list.iter().any(ours) { Outcome::Done(()) } else { Unknown::unreadable("it is not registered") }
        })
    }
}
