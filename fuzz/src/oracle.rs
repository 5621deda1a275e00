//! A second opinion on every proof: from the providers' documents (providers.md §1.5, §2a, §3.1, §3.2), with its own HMAC
//! over SHA-256, its own headers, forms and base64. Where it cannot tell how often a provider would say a thing it is the
//! milder judge: what the adapters believe, it must believe, too.

mod form;
mod json;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256, Sha512};

use self::form::{decoded, is_json};
use crate::{keys::Keys, tree::Tree};

const WINDOW: u64 = 300;

/// Whether a message proves that it is from the provider with this number.
pub fn is_genuine(provider: u8, keys: &Keys, headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    match provider % 4 {
        0 => wave(keys, headers, body, now),
        1 => sonatel(keys, headers, body, now),
        2 => paytech(keys, headers, body),
        _ => paydunya(keys, body),
    }
}

/// Hex of an HMAC-SHA-256.
///
/// # Panics
/// Never: HMAC takes keys of any length.
pub fn mac(key: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(message);
    hex(&mac.finalize().into_bytes())
}

pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

pub fn sha512(text: &str) -> String {
    hex(&Sha512::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One of the signing secrets, or the shared one; no header twice.
fn wave(keys: &Keys, headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    let (Ok(signature), Ok(bearer)) = (once(headers, "wave-signature"), once(headers, "authorization")) else {
        return false;
    };
    let signed = |header: String| keys.wave_signing.iter().any(|key| is_signed(key, &header, b"", body, now));
    signature.is_some_and(signed) || bearer.is_some_and(|bearer| bearer == format!("Bearer {}", keys.wave_shared))
}

/// The key, and the signature where a secret for it was issued.
fn sonatel(keys: &Keys, headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    let (Ok(Some(basic)), Ok(signature)) = (once(headers, "authorization"), once(headers, "x-sonatel-signature"))
    else {
        return false;
    };
    let forms = [keys.sonatel_key.to_owned(), base64(keys.sonatel_key.as_bytes())];
    forms.iter().any(|form| basic == format!("Basic {form}"))
        && keys.sonatel_signing.is_none_or(|key| signature.is_some_and(|it| is_signed(key, &it, b",", body, now)))
}

/// `t=…,v1=…`: the first `t` counts, any `v1` may fit.
fn is_signed(key: &str, header: &str, between: &[u8], body: &[u8], now: i64) -> bool {
    let (mut t, mut given) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim_matches([' ', '\t']).split_once('=') {
            Some(("t", value)) if t.is_none() => t = Some(value.to_owned()),
            Some(("v1", value)) => given.push(value.to_owned()),
            _ => {}
        }
    }
    let Some(t) = t.filter(|t| !t.is_empty() && t.chars().all(|c| c.is_ascii_digit())) else { return false };
    let Ok(at) = t.parse::<i64>() else { return false };
    let wanted = mac(key, &[t.as_bytes(), between, body].concat());
    now.abs_diff(at) <= WINDOW && given.contains(&wanted)
}

/// The value of a header that may stand there once.
fn once(headers: &HeaderMap, name: &str) -> Result<Option<String>, ()> {
    let all: Vec<_> = headers.iter().filter(|(known, _)| known.as_str() == name).map(|(_, value)| value).collect();
    match all.as_slice() {
        [] => Ok(None),
        [one] if one.as_bytes().iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) => {
            Ok(Some(one.as_bytes().iter().map(|byte| char::from(*byte)).collect()))
        }
        _ => Err(()),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for digit in 0..4 {
            let place = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if digit <= three.len() { char::from(DIGITS[place]) } else { '=' });
        }
    }
    text
}

/// No field twice, our kind of money, and an HMAC where there is one; else both hashes.
fn paytech(keys: &Keys, headers: &HeaderMap, body: &[u8]) -> bool {
    let Ok(kind) = once(headers, "content-type") else { return false };
    let fields = if is_json(kind.as_deref(), body) { json::fields(body) } else { Some(decoded(body)) };
    let Some(fields) = fields else { return false };
    let twice =
        |(at, (name, _)): (usize, &(String, Option<String>))| fields[..at].iter().any(|(other, _)| other == name);
    if fields.iter().enumerate().any(twice) {
        return false;
    }
    let get = |name: &str| fields.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref());
    if get("env") != Some("test") {
        return false;
    }
    let Some(given) = get("hmac_compute") else {
        return get("api_key_sha256") == Some(&sha256(keys.paytech_key))
            && get("api_secret_sha256") == Some(&sha256(keys.paytech_secret));
    };
    let Some(reference) = get("ref_command").filter(|text| !text.is_empty() && !text.contains('|')) else {
        return false;
    };
    ["final_item_price", "item_price"].into_iter().filter_map(get).any(|amount| {
        let message = format!("{amount}|{reference}|{}", keys.paytech_key);
        !amount.is_empty() && !amount.contains('|') && given == mac(keys.paytech_secret, message.as_bytes())
    })
}

/// The hash of the master key somewhere in it, and the mode of real money; payouts have none.
fn paydunya(keys: &Keys, body: &[u8]) -> bool {
    let hash = sha512(keys.paydunya_master);
    let said = form::said(body);
    let has =
        |name: &str, text: &str| said.iter().any(|(known, value)| known == name && value.as_deref() == Some(text));
    let named = |name: &str| said.iter().any(|(known, _)| known == name);
    let payout = ["withdraw_mode", "disburse_id", "disburse_invoice", "disburse_tx_id"].into_iter().any(named);
    has("hash", &hash) && (has("mode", "live") || payout)
}

/// The texts of a tree's members, and the names of the others.
fn members(tree: &Tree) -> Vec<(String, Option<String>)> {
    match tree {
        Tree::Members(members) => {
            members.iter().map(|(name, value)| (name.clone(), value.text().map(str::to_owned))).collect()
        }
        _ => Vec::new(),
    }
}
