//! Signatures against the standard's own example, and against what its reference implementations made.

use chrono::DateTime;
use proptest::prelude::*;
use reqwest::header::HeaderValue;
use serde::Deserialize;

use super::*;

/// Made by `.ci/webhooks --vectors`: the libraries of the standard signed these.
const VECTORS: &str = include_str!("vectors.json");

#[derive(Deserialize)]
struct Vector {
    by: String,
    /// `whsec_…`, or the public half `whpk_…`.
    secret: String,
    id: String,
    timestamp: i64,
    body: String,
    signature: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(VECTORS).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn headers(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
    let header = |text: &str| HeaderValue::from_str(text).unwrap();
    HeaderMap::from_iter([
        (reqwest::header::HeaderName::from_static(ID), header(id)),
        (reqwest::header::HeaderName::from_static(TIMESTAMP), header(timestamp)),
        (reqwest::header::HeaderName::from_static(SIGNATURE), header(signature)),
    ])
}

fn key(seed: u8) -> LogKey {
    LogKey::from_seed(&[seed; 32])
}

#[test]
fn the_example_of_the_standard_comes_out() {
    let secret = SharedSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let message =
        Message { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: at(1_614_265_330), body: br#"{"test": 2432232314}"# };
    // The private key of the example: its first 32 bytes are the seed.
    let pair = "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    let seed: [u8; 32] = STANDARD.decode(pair).unwrap()[..32].try_into().unwrap();
    let key = LogKey::from_seed(&seed);
    assert_eq!(published(&key.public().unwrap()), "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
    assert_eq!(
        message.signature(&[secret], &key),
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= \
         v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
    );
}

#[test]
fn what_the_reference_implementations_signed_is_what_we_sign_and_what_we_accept() {
    let mut by = std::collections::BTreeMap::<String, usize>::new();
    for vector in vectors() {
        *by.entry(vector.by.clone()).or_default() += 1;
        let headers = headers(&vector.id, &vector.timestamp.to_string(), &vector.signature);
        let (now, body) = (at(vector.timestamp), vector.body.as_bytes());
        if let Some(public) = vector.secret.strip_prefix("whpk_") {
            let public: [u8; 32] = STANDARD.decode(public).unwrap().try_into().unwrap();
            let public = PublicKey::from_bytes(&public).unwrap();
            assert_eq!(verify(Trusted::Key(&public), &headers, body, now), Ok(()), "{}", vector.by);
            assert!(verify(Trusted::Key(&key(1).public().unwrap()), &headers, body, now).is_err());
            continue;
        }
        let secret = SharedSecret::parse(&vector.secret).unwrap();
        let ours = Message { id: &vector.id, at: now, body }.signature(std::slice::from_ref(&secret), &key(1));
        assert_eq!(ours.split(' ').next(), Some(vector.signature.as_str()), "{} {}", vector.by, vector.body);
        assert_eq!(verify(Trusted::Secrets(&[secret]), &headers, body, now), Ok(()));
    }
    for name in ["npm standardwebhooks", "PyPI standardwebhooks", "node:crypto"] {
        assert!(by.iter().any(|(by, count)| by.starts_with(name) && *count >= 5), "{name} is missing in {by:?}");
    }
}

#[test]
fn a_secret_is_long_enough_and_never_printed() {
    for wrong in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAA", "whsec_!!!", "whpk_1SiA"] {
        assert_eq!(SharedSecret::parse(wrong), Err(NotASecret), "{wrong}");
    }
    assert_eq!(SharedSecret::parse(&format!("whsec_{}", STANDARD.encode([1; 65]))), Err(NotASecret));
    let secret = SharedSecret::from_bytes(&[7; 32]);
    assert_eq!(SharedSecret::parse(&secret.expose()), Ok(secret.clone()));
    assert_eq!(SharedSecret::parse(secret.expose().trim_end_matches('=')), Ok(secret.clone()));
    assert_eq!(format!("{secret:?} {:?}", key(1)), "SharedSecret(…) LogKey(…)");
}

#[test]
fn during_a_rotation_both_secrets_are_good_and_no_third() {
    let [new, old, other] = [1, 2, 3].map(|byte| SharedSecret::from_bytes(&[byte; 32]));
    let message = Message { id: "evt_1", at: at(1_700_000_000), body: b"{}" };
    let both = message.signature(&[new.clone(), old.clone()], &key(1));
    assert_eq!(both.split(' ').count(), 3);
    let headers = headers(message.id, "1700000000", &both);
    for secret in [new, old] {
        assert_eq!(verify(Trusted::Secrets(&[other.clone(), secret]), &headers, b"{}", message.at), Ok(()));
    }
    assert_eq!(verify(Trusted::Secrets(&[other]), &headers, b"{}", message.at), Err(Forged::Signature));
    assert_eq!(verify(Trusted::Secrets(&[]), &headers, b"{}", message.at), Err(Forged::Signature));
    assert_eq!(verify(Trusted::Key(&key(1).public().unwrap()), &headers, b"{}", message.at), Ok(()));
    assert_eq!(verify(Trusted::Key(&key(2).public().unwrap()), &headers, b"{}", message.at), Err(Forged::Signature));
}

#[test]
fn a_message_is_believed_for_five_minutes_with_all_its_headers() {
    let secret = [SharedSecret::from_bytes(&[1; 32])];
    let message = Message { id: "evt_1", at: at(1_700_000_000), body: b"{}" };
    let signature = message.signature(&secret, &key(1));
    let told = |timestamp: &str, now| {
        verify(Trusted::Secrets(&secret), &headers("evt_1", timestamp, &signature), b"{}", at(now))
    };
    for (now, good) in [(300, true), (-300, true), (301, false), (-301, false)] {
        let expected = if good { Ok(()) } else { Err(Forged::Stale) };
        assert_eq!(told("1700000000", 1_700_000_000 + now), expected, "{now}");
    }
    for timestamp in ["", "+1700000000", " 1700000000", "1700000000.0", "17e8", "99999999999999999999"] {
        assert_eq!(told(timestamp, 1_700_000_000), Err(Forged::Headers), "{timestamp:?}");
    }
    for missing in [ID, TIMESTAMP, SIGNATURE] {
        let mut less = headers("evt_1", "1700000000", &signature);
        less.remove(missing);
        assert_eq!(verify(Trusted::Secrets(&secret), &less, b"{}", message.at), Err(Forged::Headers), "{missing}");
    }
}

proptest! {
    #[test]
    fn one_changed_byte_anywhere_is_noticed(body in "[ -~]{1,60}", flip in any::<prop::sample::Index>(), seed: [u8; 32]) {
        let secret = [SharedSecret::from_bytes(&seed)];
        let message = Message { id: "evt_1", at: at(1_700_000_000), body: body.as_bytes() };
        let signature = message.signature(&secret, &key(1));
        let public = key(1).public().unwrap();
        let good = headers("evt_1", "1700000000", &signature);
        prop_assert_eq!(verify(Trusted::Secrets(&secret), &good, body.as_bytes(), message.at), Ok(()));
        let mut other = body.clone().into_bytes();
        let place = flip.index(other.len());
        other[place] ^= 1;
        for trusted in [Trusted::Secrets(&secret), Trusted::Key(&public)] {
            prop_assert_eq!(verify(trusted, &good, &other, message.at), Err(Forged::Signature));
            let renamed = headers("evt_2", "1700000000", &signature);
            prop_assert_eq!(verify(trusted, &renamed, body.as_bytes(), message.at), Err(Forged::Signature));
            let later = headers("evt_1", "1700000001", &signature);
            prop_assert_eq!(verify(trusted, &later, body.as_bytes(), message.at), Err(Forged::Signature));
        }
    }

    #[test]
    fn no_header_makes_the_verifier_fall(signature in "[ -~]{0,200}", id in "[ -~]{0,20}", timestamp in "[ -~]{0,20}") {
        let secret = [SharedSecret::from_bytes(&[1; 32])];
        let told = verify(Trusted::Secrets(&secret), &headers(&id, &timestamp, &signature), b"{}", at(1_700_000_000));
        prop_assert!(told.is_err());
    }
}
