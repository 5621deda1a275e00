//! Genuine messages, made as the providers make them, and what may happen to them on the way.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    cases::{Case, T},
    keys::{KNOWN, Keys, UNKNOWN},
    oracle,
};

/// A message as it goes out.
#[derive(Clone, Debug)]
pub struct Message {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// It must be believed as long as nothing happens to it: nothing of the input's own stands beside the proof.
    pub plain: bool,
}

/// Ways in which a message may change; the first is none.
const MUTATIONS: u8 = 12;

/// Signs the body of an input for its provider, then does to it what the input says. True when it is still as it was.
pub fn sent(case: &Case) -> (Message, bool) {
    let mutation = case.mutation % MUTATIONS;
    let keys = if mutation == 10 { &UNKNOWN } else { &KNOWN };
    let mut message = signed(keys, case);
    let proof = match case.provider {
        0 => "wave-signature",
        1 if case.signed => "x-sonatel-signature",
        1 => "authorization",
        _ => "content-type",
    };
    match mutation {
        1 => flip(&mut message.body, case.at),
        2 => message.body.truncate(case.at % (message.body.len() + 1)),
        3 => header(&mut message, proof, |value| flip(value, case.at & !7)),
        4 => header(&mut message, proof, |value| value.truncate(case.at % (value.len() + 1))),
        5 => {
            let again = message.headers.get(proof).cloned();
            again.map(|value| message.headers.append(HeaderName::from_static(proof), value));
        }
        6 => header(&mut message, proof, |value| value.make_ascii_uppercase()),
        7 => header(&mut message, proof, |value| {
            let told = String::from_utf8_lossy(value).replacen(&T.to_string(), &(T + case.at as i64).to_string(), 1);
            *value = told.into_bytes();
        }),
        8 => header(&mut message, proof, |value| {
            let others = format!("v1={},", "0".repeat(64)).repeat(case.at % 12);
            value.splice(0..0, others.into_bytes());
        }),
        9 => {
            for (name, value) in &case.headers {
                message.headers.append(name.clone(), value.clone());
            }
        }
        11 => {
            let at = case.at % (message.body.len() + 1);
            message.body.insert(at, (case.at >> 8) as u8);
        }
        _ => {}
    }
    (message, mutation == 0)
}

fn flip(bytes: &mut [u8], at: usize) {
    if let Some(byte) = bytes.len().checked_sub(1).map(|last| (at >> 3).min(last)).and_then(|at| bytes.get_mut(at)) {
        *byte ^= 1 << (at & 7);
    }
}

/// Changes a header's value, if HTTP still carries it afterwards.
fn header(message: &mut Message, name: &'static str, change: impl FnOnce(&mut Vec<u8>)) {
    let Some(value) = message.headers.get(name) else { return };
    let mut bytes = value.as_bytes().to_vec();
    change(&mut bytes);
    if let Ok(value) = HeaderValue::from_bytes(&bytes) {
        message.headers.insert(name, value);
    }
}

fn signed(keys: &Keys, case: &Case) -> Message {
    let mut headers = HeaderMap::new();
    let mut say = |name: &'static str, value: String| {
        headers.insert(name, HeaderValue::try_from(value).expect("visible characters"));
    };
    let body = &case.body;
    let (body, plain) = match case.provider {
        0 => {
            let mac = oracle::mac(keys.wave_signing[1], &[T.to_string().as_bytes(), body].concat());
            say("wave-signature", format!("t={T},v1={mac}"));
            (body.clone(), true)
        }
        1 => {
            say("authorization", format!("Basic {}", keys.sonatel_key));
            if let (true, Some(key)) = (case.signed, keys.sonatel_signing) {
                let mac = oracle::mac(key, &[T.to_string().as_bytes(), b",", body].concat());
                say("x-sonatel-signature", format!("t={T},v1={mac}"));
            }
            (body.clone(), true)
        }
        2 => {
            say("content-type", kind(case.json).into());
            paytech(keys, case)
        }
        _ => {
            say("content-type", kind(false).into());
            paydunya(keys, case)
        }
    };
    Message { headers, body, plain }
}

const fn kind(json: bool) -> &'static str {
    if json { "application/json" } else { "application/x-www-form-urlencoded" }
}

/// The first line of the input is the amount, the second the reference; the rest stands there as it is.
fn paytech(keys: &Keys, case: &Case) -> (Vec<u8>, bool) {
    let mut lines = case.body.splitn(3, |byte| *byte == b'\n');
    let mut line = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (amount, reference, rest) = (line(), line(), line());
    let mac = oracle::mac(keys.paytech_secret, format!("{amount}|{reference}|{}", keys.paytech_key).as_bytes());
    let fields = [
        ("type_event", "sale_complete"),
        ("final_item_price", &amount),
        ("ref_command", &reference),
        ("env", "test"),
        ("hmac_compute", &mac),
    ];
    let whole = [&amount, &reference].into_iter().all(|part| !part.is_empty() && !part.contains('|'));
    (written(&fields, &rest, case.json), whole && rest.is_empty())
}

/// The first line of the input is the token; the rest stands there as it is.
fn paydunya(keys: &Keys, case: &Case) -> (Vec<u8>, bool) {
    let mut lines = case.body.splitn(2, |byte| *byte == b'\n');
    let mut line = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (token, rest) = (line(), line());
    let hash = oracle::sha512(keys.paydunya_master);
    let body = if case.json {
        let payload = written(&[("hash", &hash), ("mode", "live"), ("token", &token)], &rest, true);
        format!("data={}", escaped(&payload)).into_bytes()
    } else {
        let fields = [("data[hash]", hash.as_str()), ("data[mode]", "live"), ("data[invoice][token]", &token)];
        written(&fields, &rest, false)
    };
    (body, rest.is_empty())
}

fn written(fields: &[(&str, &str)], rest: &str, json: bool) -> Vec<u8> {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let one = |(name, value): &(&str, &str)| match json {
        true => format!("{}:{}", text(name), text(value)),
        false => format!("{}={}", escaped(name.as_bytes()), escaped(value.as_bytes())),
    };
    let mut all: Vec<_> = fields.iter().map(one).collect();
    if !rest.is_empty() {
        all.push(rest.to_owned());
    }
    if json { format!("{{{}}}", all.join(",")) } else { all.join("&") }.into_bytes()
}

fn escaped(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    bytes.iter().map(one).collect()
}
