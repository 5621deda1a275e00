//! What the fuzzer has kept (fuzz/corpus), given to the same entry points again, on every machine that runs the tests.

use std::{fs, path::Path};

use chrono::DateTime;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{
    origin::{Origin, read},
    paytech, sonatel,
    wave::webhook::WebhookSecret,
};
use crate::{fuzzing, secret::Secret};

/// Secrets that no input has seen.
fn origins() -> [Origin; 4] {
    let secret = |text: &str| Secret::new(text).unwrap();
    [
        Origin::Wave(vec![WebhookSecret::Signing(secret("no-input-1")), WebhookSecret::Shared(secret("no-input-2"))]),
        Origin::Sonatel(vec![sonatel::webhook::Secrets {
            api_key: secret("no-input-3"),
            signing: Some(secret("no-input-4")),
        }]),
        Origin::PayTech(vec![paytech::webhook::Secrets {
            api_key: secret("no-input-5"),
            api_secret: secret("no-input-6"),
            env: paytech::Env::Test,
        }]),
        Origin::PayDunya { master_keys: vec![secret("no-input-7")], sandbox: false },
    ]
}

/// Tests run in the folder of their package; a path fixed by the compiler may be that of another clone.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new("../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let inputs: Vec<_> = entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(inputs.len() > 50, "{}: only {} inputs", folder.display(), inputs.len());
    inputs
}

/// What is said twice is the same, and what becomes of it can be kept.
fn reads(headers: &HeaderMap, body: &[u8]) {
    for origin in origins() {
        let event = read(origin.provider(), body).unwrap();
        assert_eq!(Some(&event), read(origin.provider(), body).as_ref());
        let id = origin.event_id(headers, body);
        assert!(id.is_none_or(|id| (1..=255).contains(&id.len()) && !id.chars().any(char::is_control)));
        assert!(!origin.is_probe(body) || event.is_err());
    }
}

#[test]
fn kept_bodies_of_webhooks_are_read_without_harm() {
    for input in corpus("webhook_bodies") {
        let Some(([_, length], rest)) = input.split_first_chunk::<2>() else { continue };
        let (key, body) = rest.split_at(usize::from(*length).min(rest.len()));
        let key = HeaderValue::from_bytes(key).map(|key| (HeaderName::from_static("x-sonatel-idempotency-key"), key));
        reads(&key.into_iter().collect(), body);
    }
}

#[test]
fn kept_proofs_of_webhooks_prove_nothing_to_a_stranger() {
    let now = DateTime::from_timestamp(1_763_800_000, 0).unwrap();
    for input in corpus("signatures") {
        let rest = input.get(8..).unwrap_or_default();
        let end = rest.windows(2).position(|pair| pair == b"\n\n");
        let (lines, body) = end.map_or((&b""[..], rest), |end| (&rest[..end], &rest[end + 2..]));
        let mut headers = HeaderMap::new();
        for line in lines.split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..colon]), value) {
                headers.append(name, value);
            }
        }
        for origin in origins() {
            assert!(origin.verify(&headers, body, now).is_err(), "{}: {headers:?}", origin.provider());
        }
        reads(&headers, body);
    }
}

#[test]
fn kept_answers_of_providers_keep_their_promises() {
    for input in corpus("answers") {
        if let Some(([provider, kind], body)) = input.split_first_chunk::<2>() {
            fuzzing::answer(*provider, *kind, body);
        }
    }
}
