//! Sonatel's answers as a fuzzer gives them.

use domain::{
    money::Money,
    payment::{ProviderId, Reference},
    phone::Phone,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{cashin, wire};
use crate::{
    call::{Answer, Outcome, Refusal},
    fuzzing::{self, Referenced},
    payments::{PayoutOrder, token},
};

pub(crate) fn answer(kind: u8, body: &[u8]) {
    let (Ok(reference), Ok(id)) = (Reference::new("ref-1"), ProviderId::new("CI261122.1224.A00001")) else { return };
    let raw: Value = serde_json::from_slice(body).unwrap_or_default();
    match kind % 8 {
        0 => {
            let rows = wire::rows(body).unwrap_or_default();
            fuzzing::status(&wire::payment(&rows, &reference), &listed(&raw), Referenced::Exactly("ref-1"));
        }
        1 => fuzzing::payout(&wire::payout(&wire::rows(body).unwrap_or_default(), &reference), &listed(&raw)),
        2 => {
            if let Some((token, seconds)) = token::read(body) {
                assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()), "a token {token:?}");
                assert!(seconds <= 86_400, "{seconds} s");
            }
        }
        3 => cash_in(body, &raw, reference),
        4 => match wire::cashin_status(body, &id) {
            Outcome::Done(Some(status)) => fuzzing::paid_out(&status, &one(&raw)),
            Outcome::Done(None) | Outcome::Refused(_) | Outcome::RetryAfter(_) | Outcome::Unknown(_) => {}
        },
        5 => {
            let answer = Answer { status: StatusCode::BAD_REQUEST, retry_after: None, body: body.to_vec() };
            let (code, message) = wire::refusal(&answer);
            fuzzing::refused(&Refusal::said(Some(400), &code, &message));
        }
        6 => {
            let Some(code) = wire::Code::read(body) else { return };
            let _ = code.may_be_for(Money::xof(15_000), "ref-1");
            if let Some(opened) = code.opened(&reference) {
                assert_eq!(opened.provider_id.as_str(), "ref-1");
                fuzzing::open(&opened);
            }
        }
        _ => drop(cashin::read_key(body)),
    }
}

fn cash_in(body: &[u8], raw: &Value, reference: Reference) {
    let Ok(recipient) = Phone::new("+221771234567") else { return };
    let order =
        PayoutOrder { recipient, amount: Money::xof(15_000), reference, idempotency_key: "k".into(), reason: None };
    // Where no amount is said, the order's is what they say yes to.
    let asked = json!(15_000);
    let said = raw.get("amount").is_some_and(|said| !said.is_null());
    let written = if said { one(raw) } else { vec![&asked] };
    fuzzing::payout(&wire::cashin(body, &order), &written);
}

fn one(row: &Value) -> Vec<&Value> {
    row.pointer("/amount/value").into_iter().collect()
}

fn listed(raw: &Value) -> Vec<&Value> {
    let list = raw.get("transactions").unwrap_or(raw).as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().flat_map(one).collect()
}
