//! What an IPN says, how it is written, and what proves it.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::{Encoding, PayTech, wallet::Sale};

impl PayTech {
    /// The fields of an IPN, unproven.
    pub(crate) fn ipn(&self, kind: &str, sale: &Sale) -> Map<String, Value> {
        let mut fields = sale.fields(self.switches().tells);
        fields.insert("type_event".into(), json!(kind));
        fields
    }

    /// Adds the static hashes of both keys, and the HMAC if it is switched on.
    pub(crate) fn prove(&self, fields: &mut Map<String, Value>) {
        let (key, secret) = (&self.config.api_key, &self.config.api_secret);
        hashes(fields, key, secret);
        if self.switches().hmac {
            sign(fields, key, secret);
        }
    }
}

/// `api_key_sha256` and `api_secret_sha256`: the same in each IPN.
pub(crate) fn hashes(fields: &mut Map<String, Value>, key: &str, secret: &str) {
    fields.insert("api_key_sha256".into(), json!(sha256(key)));
    fields.insert("api_secret_sha256".into(), json!(sha256(secret)));
}

/// `hmac_compute` over `final_item_price|ref_command|API_KEY`.
pub(crate) fn sign(fields: &mut Map<String, Value>, key: &str, secret: &str) {
    sign_over(fields, "final_item_price", key, secret);
}

/// The same over another field than `final_item_price`: one integration reports `item_price`.
pub(crate) fn sign_over(fields: &mut Map<String, Value>, amount: &str, key: &str, secret: &str) {
    let text = |name: &str| fields.get(name).map(as_text).unwrap_or_default();
    let message = format!("{}|{}|{key}", text(amount), text("ref_command"));
    fields.insert("hmac_compute".into(), json!(mac(secret, &message)));
}

/// A field as a form writes it.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The body of an IPN.
pub(crate) fn write(fields: &Map<String, Value>, encoding: Encoding) -> String {
    match encoding {
        Encoding::Json => Value::Object(fields.clone()).to_string(),
        Encoding::Form => {
            let pairs = fields.iter().map(|(name, value)| (name, as_text(value)));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        }
    }
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn mac(secret: &str, message: &str) -> String {
    // HMAC takes keys of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(message.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proofs_are_those_of_the_test_vectors() {
        let mut fields = Map::new();
        fields.insert("final_item_price".into(), json!(15_000));
        fields.insert("ref_command".into(), json!("bk_01TEST"));
        hashes(&mut fields, "key_test", "secret_test");
        sign(&mut fields, "key_test", "secret_test");
        assert_eq!(fields["hmac_compute"], "6ce12c79ff000c1dca58f19eb3c68c4547962584145d0160f847fe34b5700bb1");
        assert_eq!(fields["api_key_sha256"], "f61e08e276c56e31f0690d991ba39927cb11ed1b096576a9dffcdf90ea829c8f");
        assert_eq!(fields["api_secret_sha256"], "e810d7b45867f6973b9e0130f0b9f85d87a7dd8de27df1582126f04715f6d891");
    }

    #[test]
    fn a_form_has_each_field_as_text() {
        let fields = json!({ "a": 1, "b": null, "c": "x & y", "d": true });
        let form = write(fields.as_object().unwrap(), Encoding::Form);
        assert_eq!(form, "a=1&b=&c=x+%26+y&d=true");
    }
}
