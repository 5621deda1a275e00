//! What a statement that was read must hold, whatever the bytes: looked for by the fuzzer (fuzz/).

use chrono::NaiveDate;
use domain::{money::Money, reconciliation::Provider};

use super::{Listed, MOST_FAULTS, MOST_LINES, read};
use crate::fuzzing;

/// The day of all files.
fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 28).unwrap_or_default()
}

/// Reads a file as one of the provider with this number, modulo what there is.
///
/// # Panics
/// When what is read breaks a promise.
pub(crate) fn statement(provider: u8, file: &[u8]) {
    let providers = Provider::ALL;
    let provider = providers[usize::from(provider) % providers.len()];
    let outcome = read(provider, day(), file);
    assert_eq!(outcome, read(provider, day(), file), "the same file says the same");
    match outcome {
        Ok(lines) => {
            assert!(lines.len() <= MOST_LINES);
            let text = std::str::from_utf8(file);
            assert!(text.is_ok(), "what is read is UTF-8");
            let text = text.unwrap_or_default();
            let numbers = numbers(text);
            lines.iter().for_each(|line| holds(provider, line, &numbers));
            // Every line once more is a file that was put together twice.
            if !lines.is_empty() && !text.contains('"') {
                let again = twice(text);
                assert!(read(provider, day(), again.as_bytes()).is_err(), "read twice over");
            }
        }
        Err(faults) => {
            assert!((1..=MOST_FAULTS).contains(&faults.len()));
            let ends =
                u64::try_from(file.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count()).unwrap_or(u64::MAX);
            assert!(
                faults.iter().all(|fault| (1..=ends + 1).contains(&fault.line)),
                "a line that is not there: {faults:?}"
            );
            assert!(faults.is_sorted_by_key(|fault| fault.line));
            assert!(faults.iter().all(|fault| fault.to_string().chars().count() < 5_000));
        }
    }
}

fn holds(provider: Provider, line: &Listed, written: &[i64]) {
    let it = &line.listing;
    fuzzing::id(&it.transaction);
    line.checkout.as_ref().into_iter().for_each(fuzzing::id);
    assert!(provider.methods().contains(&it.method), "{:?} at {provider:?}", it.method);
    assert_eq!(it.at.date_naive(), day());
    assert_eq!(it.amount.0.currency, it.fee.0.currency);
    let (amount, fee) = (it.amount.0.amount, it.fee.0.amount);
    assert!(amount != 0 && (-2 * Money::MAX..=2 * Money::MAX).contains(&amount), "an amount of {amount}");
    assert!((-Money::MAX..=Money::MAX).contains(&fee));
    // As it is written; Wave writes what is left after the fee, others write no sign.
    let says = |number: i64| written.contains(&number) || written.contains(&-number);
    assert!(says(amount) || says(amount - fee), "{amount} is read and {written:?} is written");
    assert!(fee == 0 || says(fee), "a fee of {fee} is read and {written:?} is written");
}

/// All whole numbers in a text, by a reader that knows nothing of columns.
fn numbers(text: &str) -> Vec<i64> {
    let runs = text.split(|char: char| !char.is_ascii_digit());
    runs.filter_map(|run| run.parse().ok()).collect()
}

/// The same file with its lines a second time, without the header.
fn twice(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim_start_matches(['\n', '\r']);
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let (_, lines) = text.split_at(end);
    format!("{text}\n{lines}")
}
