//! Webhooks that nobody should believe: wrong signatures, or genuine ones that say something else.

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Endpoint, Strategy, Wave,
    error::{Answer, Error},
    hooks::sign,
};
use crate::server::lock;

/// What to send. Without `session` the data is empty but for what `set` puts in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forgery {
    /// A session's id or client reference, to start from its true state.
    pub session: Option<String>,
    #[serde(default = "completed")]
    pub event: String,
    /// By default a new one.
    pub event_id: Option<String>,
    /// Fields of `data` to overwrite; null removes.
    #[serde(default)]
    pub set: Map<String, Value>,
    #[serde(default)]
    pub signature: Signature,
    /// Send this event again, byte for byte, instead of making one up.
    pub replay: Option<String>,
}

fn completed() -> String {
    "checkout.session.completed".to_owned()
}

/// How the forgery is signed.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Signature {
    /// As Wave would.
    Valid,
    #[default]
    Bad,
    Missing,
    /// A secret that is not ours.
    OtherSecret,
    /// The empty secret.
    EmptySecret,
    /// Right, an hour ago.
    Stale,
    /// Right, in an hour.
    Future,
    /// Right for the body before it was written again with other spaces.
    Reserialised,
    /// `t.body` instead of `tbody`.
    Dotted,
}

impl Wave {
    /// Sends a forgery to every endpoint; answers with `{url, strategy, status}` of each.
    pub(crate) async fn forge(&self, forgery: &Forgery) -> Answer<Value> {
        let body = match &forgery.replay {
            Some(id) => self.hooks.event(id).ok_or_else(|| Error::not_found("No such event"))?.body,
            None => self.forged_body(forgery)?,
        };
        let mut answers = Vec::new();
        for endpoint in self.hooks.endpoints() {
            let (headers, body) = self.dress(&endpoint, forgery.signature, body.clone());
            let status = self.hooks.post(&endpoint.url, headers, body).await;
            answers.push(json!({ "url": endpoint.url, "strategy": endpoint.strategy, "status": status }));
        }
        Ok(Value::Array(answers))
    }

    fn forged_body(&self, forgery: &Forgery) -> Answer<String> {
        let mut data = match &forgery.session {
            None => Map::new(),
            Some(wanted) => {
                let id = self.session_id(wanted)?;
                let mut wallet = lock(&self.wallet);
                let session = wallet.session(&id, self.clock.now()).map(|session| self.session_json(session));
                session.and_then(|session| session.as_object().cloned()).unwrap_or_default()
            }
        };
        for (field, value) in &forgery.set {
            if value.is_null() {
                data.remove(field);
            } else {
                data.insert(field.clone(), value.clone());
            }
        }
        let id = forgery.event_id.clone().unwrap_or_else(|| self.ids.upper("EV_", 12));
        Ok(json!({ "id": id, "type": forgery.event, "data": data }).to_string())
    }

    fn dress(&self, endpoint: &Endpoint, signature: Signature, body: String) -> (HeaderMap, String) {
        let now = self.clock.now().timestamp();
        let with = |secret: &str| Endpoint { secret: secret.to_owned(), ..endpoint.clone() };
        let headers = match signature {
            Signature::Valid | Signature::Reserialised => sign(endpoint, &body, now),
            Signature::Bad => spoiled(sign(endpoint, &body, now)),
            Signature::Missing => HeaderMap::new(),
            Signature::OtherSecret => sign(&with("wave_sn_WHS_of_somebody_else"), &body, now),
            Signature::EmptySecret => sign(&with(""), &body, now),
            Signature::Stale => sign(endpoint, &body, now - 3_600),
            Signature::Future => sign(endpoint, &body, now + 3_600),
            Signature::Dotted => sign(endpoint, &format!(".{body}"), now),
        };
        let rewritten = matches!(signature, Signature::Reserialised) && endpoint.strategy == Strategy::Signing;
        (headers, if rewritten { body.replacen('{', "{ ", 1) } else { body })
    }

    /// A session's id from its id or client reference.
    pub(crate) fn session_id(&self, wanted: &str) -> Answer<String> {
        let mut wallet = lock(&self.wallet);
        let found = wallet.sessions(self.clock.now(), |session| {
            session.id == wanted || session.client_reference.as_deref() == Some(wanted)
        });
        // With several under one reference the newest is meant.
        found.last().map(|session| session.id.clone()).ok_or_else(super::checkout::unknown_session)
    }
}

/// Changes the last character of each header that proves something.
fn spoiled(headers: HeaderMap) -> HeaderMap {
    let spoil = |(name, value): (Option<_>, reqwest::header::HeaderValue)| {
        let text = value.to_str().unwrap_or_default();
        let last = if text.ends_with('0') { '1' } else { '0' };
        let cut = text.len().saturating_sub(1);
        let changed = format!("{}{last}", text.get(..cut).unwrap_or_default());
        Some((name?, changed.parse().ok()?))
    };
    headers.into_iter().filter_map(spoil).collect()
}
