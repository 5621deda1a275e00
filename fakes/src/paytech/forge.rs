//! IPN that nobody should believe: wrong proofs, or genuine ones that say something else.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Encoding, PayTech, ipn};
use crate::server::lock;

/// What to send. It starts from the true state of a sale and goes to that sale's `ipn_url`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forgery {
    /// A sale's token or `ref_command`.
    pub sale: String,
    #[serde(default = "complete")]
    pub event: String,
    /// Fields to overwrite before it is proven; null removes.
    #[serde(default)]
    pub set: Map<String, Value>,
    /// Fields to overwrite afterwards.
    #[serde(default)]
    pub tamper: Map<String, Value>,
    #[serde(default)]
    pub proof: Proof,
    /// By default as the switches say.
    pub encoding: Option<Encoding>,
    /// Leaves the `Content-Type` out.
    #[serde(default)]
    pub untyped: bool,
    /// Sends this IPN again, byte for byte, instead of making one up.
    pub replay: Option<String>,
}

fn complete() -> String {
    "sale_complete".to_owned()
}

/// How the forgery is proven.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Proof {
    /// As PayTech would, with everything.
    Valid,
    /// A wrong HMAC beside the right hashes, which are the same in each IPN.
    #[default]
    Bad,
    /// Nothing at all.
    Missing,
    /// The right hashes and no HMAC.
    Hashes,
    /// Hashes of other keys and no HMAC.
    OtherHashes,
    /// Everything by other keys.
    OtherKeys,
    /// Everything by keys that are empty.
    EmptyKeys,
    /// The HMAC over `item_price`, as one integration reports.
    ItemPrice,
}

impl PayTech {
    /// Sends a forgery; answers with `{url, status}`.
    pub(crate) async fn forge(&self, forgery: &Forgery) -> Result<Value, String> {
        let sale = lock(&self.wallet).sale(&forgery.sale).cloned().ok_or("no such sale")?;
        let url = sale.order.ipn_url.clone().ok_or("the sale has no ipn_url")?;
        let mut encoding = forgery.encoding.unwrap_or(self.switches().ipn);
        let body = match &forgery.replay {
            Some(id) => {
                let event = self.hooks.event(id).ok_or("no such IPN")?;
                encoding = event.encoding;
                event.body
            }
            None => {
                let mut fields = self.ipn(&forgery.event, &sale);
                overwrite(&mut fields, &forgery.set);
                self.dress(&mut fields, forgery.proof);
                overwrite(&mut fields, &forgery.tamper);
                ipn::write(&fields, encoding)
            }
        };
        let status = self.hooks.post(&url, (!forgery.untyped).then_some(encoding), body).await;
        Ok(json!({ "url": url, "status": status }))
    }

    fn dress(&self, fields: &mut Map<String, Value>, proof: Proof) {
        let (key, secret) = (self.config.api_key.as_str(), self.config.api_secret.as_str());
        let (hashes, signed) = match proof {
            Proof::Valid | Proof::ItemPrice => (Some((key, secret)), Some((key, secret))),
            Proof::Bad => (Some((key, secret)), Some((key, "another secret"))),
            Proof::Missing => (None, None),
            Proof::Hashes => (Some((key, secret)), None),
            Proof::OtherHashes => (Some(("another key", "another secret")), None),
            Proof::OtherKeys => (Some(("another key", "another secret")), Some(("another key", "another secret"))),
            Proof::EmptyKeys => (Some(("", "")), Some(("", ""))),
        };
        if let Some((key, secret)) = hashes {
            ipn::hashes(fields, key, secret);
        }
        match (signed, proof) {
            (Some((key, secret)), Proof::ItemPrice) => ipn::sign_over(fields, "item_price", key, secret),
            (Some((key, secret)), _) => ipn::sign(fields, key, secret),
            (None, _) => {}
        }
    }
}

fn overwrite(fields: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
}
