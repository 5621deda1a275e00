//! Answers of providers as a fuzzer gives them (fuzz/): read by the adapters' own readers, then held against what the
//! adapters promise. Amounts are read a second time, in another way, from the same bytes.

use domain::{money::Money, payment::ProviderId};
use serde_json::Value;

use crate::{
    call::{Outcome, Refusal},
    payments::{Opened, PayoutStatus, ProviderStatus, Receipt, paydunya, paytech, sonatel, wave},
};

/// Longest a provider's id may be; longest a note of its words.
const ID: usize = 120;
const WORDS: usize = 500;

/// Reads `body` as an answer of the provider with this number, to the call with this number; both are taken modulo what
/// there is.
///
/// # Panics
/// When what is read breaks a promise: this is what the fuzzer looks for.
pub fn answer(provider: u8, kind: u8, body: &[u8]) {
    match provider % 4 {
        0 => wave::fuzzing::answer(kind, body),
        1 => sonatel::fuzzing::answer(kind, body),
        2 => paytech::fuzzing::answer(kind, body),
        _ => paydunya::fuzzing::answer(kind, body),
    }
}

/// Reads `file` as a statement of the provider with this number, modulo what there is.
///
/// # Panics
/// When what is read breaks a promise.
pub fn statement(provider: u8, file: &[u8]) {
    crate::statements::fuzzing::statement(provider, file);
}

/// A checkout's status. `written` is how its amounts stand in the answer; `reference` whether a success must have one.
pub(crate) fn status(outcome: &Outcome<ProviderStatus>, written: &[&Value], reference: Referenced<'_>) {
    match outcome {
        Outcome::Done(status) => one(status, written, reference),
        Outcome::Refused(refusal) => refused(refusal),
        Outcome::RetryAfter(_) | Outcome::Unknown(_) => {}
    }
}

/// What a success must say of our reference.
#[derive(Clone, Copy)]
pub(crate) enum Referenced<'r> {
    /// The adapter compares later.
    Anyhow,
    Somehow,
    Exactly(&'r str),
}

fn one(status: &ProviderStatus, written: &[&Value], reference: Referenced<'_>) {
    match status {
        ProviderStatus::Succeeded(receipt) => receipt_holds(receipt, written, reference),
        ProviderStatus::Several(all) => {
            assert!(all.len() > 1, "several are at least two");
            all.iter().for_each(|status| one(status, written, reference));
        }
        ProviderStatus::Pending { opened, .. } => open(opened),
        ProviderStatus::Failed { provider_id, .. } | ProviderStatus::Expired { provider_id } => id(provider_id),
        ProviderStatus::Unpaid | ProviderStatus::UnderWay | ProviderStatus::NotFound => {}
    }
}

fn receipt_holds(receipt: &Receipt, written: &[&Value], reference: Referenced<'_>) {
    id(&receipt.provider_id);
    id(&receipt.transaction_id);
    amount(receipt.amount, written);
    match reference {
        Referenced::Anyhow => {}
        Referenced::Somehow => assert!(receipt.reference.as_deref().is_some_and(|text| !text.is_empty())),
        Referenced::Exactly(ours) => assert_eq!(receipt.reference.as_deref(), Some(ours)),
    }
}

pub(crate) fn payout(outcome: &Outcome<PayoutStatus>, written: &[&Value]) {
    match outcome {
        Outcome::Done(status) => paid_out(status, written),
        Outcome::Refused(refusal) => refused(refusal),
        Outcome::RetryAfter(_) | Outcome::Unknown(_) => {}
    }
}

pub(crate) fn paid_out(status: &PayoutStatus, written: &[&Value]) {
    match status {
        PayoutStatus::Succeeded { provider_id, amount: sent, fee, .. } => {
            id(provider_id);
            amount(*sent, written);
            assert!(fee.is_none_or(|fee| (0..=Money::MAX).contains(&fee.amount)), "a fee {fee:?}");
        }
        PayoutStatus::Processing { provider_id }
        | PayoutStatus::Failed { provider_id, .. }
        | PayoutStatus::Reversed { provider_id } => id(provider_id),
        PayoutStatus::NotFound => {}
        PayoutStatus::Several(all) => {
            assert!(all.len() > 1, "several are at least two");
            all.iter().for_each(|status| paid_out(status, written));
        }
    }
}

pub(crate) fn open(opened: &Opened) {
    id(&opened.provider_id);
    assert!(url::Url::parse(&opened.launch_url).is_ok(), "no address: {:?}", opened.launch_url);
}

/// A refusal's words go into notes: short, of one line, nothing that a database would not keep.
pub(crate) fn refused(refusal: &Refusal) {
    for words in [&refusal.code, &refusal.message] {
        assert!(kept(words, WORDS), "words that cannot be kept: {words:?}");
    }
    assert!(!refusal.code.is_empty(), "a refusal without a code");
}

pub(crate) fn id(id: &ProviderId) {
    assert!(!id.as_str().is_empty() && kept(id.as_str(), ID), "an id {id:?}");
}

fn kept(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(char::is_control)
}

/// More than nothing, and what is written somewhere in the answer: a whole number of francs.
pub(crate) fn amount(read: Money, written: &[&Value]) {
    assert!((1..=Money::MAX).contains(&read.amount), "an amount of {read:?}");
    assert_eq!(read.currency.code(), "XOF");
    let as_written = |value: &&Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse::<f64>().ok(),
        _ => None,
    };
    // Up to 10^12 a float of 64 bits is exact in tenths of a thousandth: one with a fraction is never a whole number.
    #[expect(clippy::cast_precision_loss, reason = "bounded just above")]
    let read = read.amount as f64;
    let found = written.iter().filter_map(as_written).any(|number| number.to_bits() == read.to_bits());
    assert!(found, "{read} is read and {written:?} is written");
}
