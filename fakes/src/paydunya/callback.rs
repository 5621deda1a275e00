//! The bodies of callbacks, in each of the forms seen, and the hash that they all carry.

use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use url::form_urlencoded::Serializer;

use super::{
    PayDunya,
    books::{Disbursement, Invoice},
    quirks::Form,
};
use crate::server::lock;

/// SHA-512 of a master key in lower-case hex: the same in each callback, whatever it says.
pub(crate) fn hash(master_key: &str) -> String {
    hex::encode(Sha512::digest(master_key.as_bytes()))
}

/// A payload as sent: content type and body.
pub(crate) fn encode(form: Form, payload: &Value) -> (&'static str, String) {
    const URLENCODED: &str = "application/x-www-form-urlencoded";
    match form {
        Form::Json => {
            let body = Serializer::new(String::new()).append_pair("data", &payload.to_string()).finish();
            (URLENCODED, body)
        }
        Form::Brackets => (URLENCODED, brackets("data", payload)),
        Form::Flat => (URLENCODED, brackets("", payload)),
        Form::Plain => ("application/json", payload.to_string()),
    }
}

fn brackets(root: &str, payload: &Value) -> String {
    let mut form = Serializer::new(String::new());
    flatten(root, payload, &mut form);
    form.finish()
}

fn flatten(name: &str, value: &Value, form: &mut Serializer<'_, String>) {
    let inner = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}[{key}]") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| flatten(&inner(key), value, form)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| flatten(&inner(&at.to_string()), value, form));
        }
        Value::String(text) => drop(form.append_pair(name, text)),
        // As PHP's http_build_query has it: null is left out, true is 1.
        Value::Null => {}
        Value::Bool(yes) => drop(form.append_pair(name, if *yes { "1" } else { "0" })),
        Value::Number(number) => drop(form.append_pair(name, &number.to_string())),
    }
}

impl PayDunya {
    pub(crate) fn hash(&self) -> String {
        hash(&self.config.master_key)
    }

    /// An invoice as `confirm` and its callback show it.
    pub(crate) fn invoice_json(&self, invoice: &Invoice) -> Value {
        invoice.json(&lock(&self.quirks), &self.hash(), &self.public_url)
    }

    /// A disbursement as its callback shows it.
    pub(crate) fn disbursement_json(&self, disbursement: &Disbursement) -> Value {
        // The published callback has decimals in a text, whatever check-status writes.
        let mut payload = disbursement.json(super::Amounts::Decimals);
        payload["hash"] = json!(self.hash());
        payload
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_test_vector() {
        let expected = "f85d3e00385f287cf78464e503f3d2f3cd24475867b593a3901faecd241ef49f47f44474e3c587f70d32f353cf942126\
                        65cc4b2cb112f3c0165141af4facfcbe";
        assert_eq!(hash("master_test"), expected);
    }

    #[test]
    fn each_form_says_the_same_in_its_way() {
        let payload =
            json!({ "hash": "h", "invoice": { "token": "a b", "total_amount": 5.0 }, "channels": ["card"], "x": null });
        let brackets = "data%5Bchannels%5D%5B0%5D=card&data%5Bhash%5D=h&data%5Binvoice%5D%5Btoken%5D=a+b\
                        &data%5Binvoice%5D%5Btotal_amount%5D=5.0";
        assert_eq!(encode(Form::Brackets, &payload).1, brackets);
        let flat = "channels%5B0%5D=card&hash=h&invoice%5Btoken%5D=a+b&invoice%5Btotal_amount%5D=5.0";
        assert_eq!(encode(Form::Flat, &payload).1, flat);
        assert!(encode(Form::Json, &payload).1.starts_with("data=%7B%22channels%22"));
        assert_eq!(encode(Form::Plain, &payload), ("application/json", payload.to_string()));
    }
}
