//! PayDunya's answers as a fuzzer gives them.

use domain::{money::Money, payment::ProviderId};
use serde_json::{Value, json};

use super::wire::Reply;
use crate::fuzzing::{self, Referenced};

pub(crate) fn answer(kind: u8, body: &[u8]) {
    let Ok(id) = ProviderId::new("tok-1") else { return };
    let Some(reply) = Reply::read(body) else { return };
    let raw: Value = serde_json::from_slice(body).unwrap_or_default();
    if !reply.is_success() {
        return fuzzing::refused(&reply.refusal(200));
    }
    assert!(!reply.is_duplicate(), "a success that was refused");
    match kind % 5 {
        0 => {
            let written: Vec<_> = raw.pointer("/invoice/total_amount").into_iter().collect();
            fuzzing::status(&reply.status(&id, "live"), &written, Referenced::Somehow);
        }
        1 => drop(reply.opened().map(|opened| fuzzing::open(&opened))),
        2 => drop(reply.disburse_token().map(|token| fuzzing::id(&token))),
        3 => paid_out(&reply, &id, None, &raw),
        _ => paid_out(&reply, &id, Some(Money::xof(15_000)), &raw),
    }
}

fn paid_out(reply: &Reply, id: &ProviderId, asked: Option<Money>, raw: &Value) {
    // Where no amount is said, the order's is what they say yes to.
    let order = json!(asked.map(|asked| asked.amount));
    let said = raw.get("amount").filter(|said| !said.is_null());
    if let Ok(Some(status)) = reply.payout(id, asked) {
        fuzzing::paid_out(&status, &[said.unwrap_or(&order)]);
    }
}
