//! Callbacks that nobody should believe: wrong hashes, or the true one over something else – which is all it takes, since
//! the hash proves nothing about the rest.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Form, PayDunya,
    callback::{self, hash},
    error::{Answer, Error},
};
use crate::server::lock;

/// What to send, and where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forgery {
    /// An invoice's token or reference, to start from its true state.
    pub invoice: Option<String>,
    /// A disbursement's token or `disburse_id`, likewise.
    pub payout: Option<String>,
    /// By default where the true one goes.
    pub url: Option<String>,
    /// JSON pointers (RFC 6901) into the payload and what to write there; null removes.
    #[serde(default)]
    pub set: Map<String, Value>,
    #[serde(default)]
    pub hash: Hash,
    pub form: Option<Form>,
    /// Send this callback again, byte for byte, instead of making one up.
    pub replay: Option<String>,
}

/// The forgery's hash.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hash {
    /// As PayDunya would.
    Valid,
    #[default]
    Bad,
    Missing,
    Empty,
    /// Of a master key that is not ours.
    OtherKey,
    /// Of the empty key.
    EmptyKey,
    /// The right one in capitals.
    Upper,
    /// The master key itself.
    Key,
}

impl PayDunya {
    /// Sends a forgery; answers with `{url, status}`.
    pub(crate) async fn forge(&self, forgery: &Forgery) -> Answer<Value> {
        if let Some(id) = &forgery.replay {
            let event = self.hooks.event(id).ok_or_else(|| Error::unknown("no such callback"))?;
            let url = forgery.url.clone().unwrap_or(event.url);
            let status = self.hooks.post(&url, &event.content_type, event.body).await;
            return Ok(json!({ "url": url, "status": status }));
        }
        let (mut payload, true_url, true_form) = self.true_payload(forgery)?;
        for (pointer, value) in &forgery.set {
            write(&mut payload, pointer, value);
        }
        let key = &self.config.master_key;
        let hash = match forgery.hash {
            Hash::Valid => Some(self.hash()),
            Hash::Bad => Some(spoiled(&self.hash())),
            Hash::Missing => None,
            Hash::Empty => Some(String::new()),
            Hash::OtherKey => Some(hash("master_of_somebody_else")),
            Hash::EmptyKey => Some(hash("")),
            Hash::Upper => Some(self.hash().to_uppercase()),
            Hash::Key => Some(key.clone()),
        };
        write(&mut payload, "/hash", &hash.map_or(Value::Null, Value::String));
        let url = forgery.url.clone().or(true_url).ok_or_else(|| Error::invalid("no url"))?;
        let (content_type, body) = callback::encode(forgery.form.unwrap_or(true_form), &payload);
        let status = self.hooks.post(&url, content_type, body).await;
        Ok(json!({ "url": url, "status": status }))
    }

    fn true_payload(&self, forgery: &Forgery) -> Answer<(Value, Option<String>, Form)> {
        let quirks = lock(&self.quirks).clone();
        let books = lock(&self.books);
        if let Some(wanted) = &forgery.invoice {
            let invoice = books.invoice_named(wanted).ok_or_else(super::checkout::unknown_invoice)?;
            let payload = invoice.json(&quirks, &self.hash(), &self.public_url);
            return Ok((payload, invoice.actions.callback_url.clone(), quirks.callback));
        }
        if let Some(wanted) = &forgery.payout {
            let mut all = books.disbursements.values();
            let found = all.find(|one| one.token == *wanted || one.disburse_id.as_deref() == Some(wanted));
            let found = found.ok_or_else(|| Error::unknown("no such disbursement"))?;
            return Ok((self.disbursement_json(found), Some(found.callback_url.clone()), quirks.disburse_callback));
        }
        Ok((json!({}), None, quirks.callback))
    }
}

/// Writes at a pointer whose parent is there; null removes.
fn write(payload: &mut Value, pointer: &str, value: &Value) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    let Some(Value::Object(fields)) = payload.pointer_mut(parent) else { return };
    if value.is_null() {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value.clone());
    }
}

/// The last digit changed.
fn spoiled(hash: &str) -> String {
    let last = if hash.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", hash.get(..hash.len().saturating_sub(1)).unwrap_or_default())
}
