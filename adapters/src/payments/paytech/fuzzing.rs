//! PayTech's answers as a fuzzer gives them.

use domain::payment::ProviderId;
use serde_json::Value;

use super::wire::{self, Payment};
use crate::fuzzing::{self, Referenced};

pub(crate) fn answer(kind: u8, body: &[u8]) {
    let Ok(id) = ProviderId::new("tok-1") else { return };
    let Some(body) = wire::object(body) else { return };
    let success = wire::success(&body);
    match kind % 3 {
        0 => drop(wire::opened(&body).map(|opened| fuzzing::open(&opened))),
        1 => {
            if let Ok(payment) = Payment::read(&body) {
                fuzzing::status(&payment.status(&id), &amounts(&body), Referenced::Somehow);
            }
        }
        _ => {
            fuzzing::refused(&wire::refusal(success.unwrap_or_default(), &body));
            let message = wire::message(&body);
            // What has gone back is not still on its way to be refused.
            assert!(!wire::is_given_back(&message) || wire::is_under_way(&message), "{message:?}");
        }
    }
}

/// Wherever an amount may stand.
fn amounts(body: &Value) -> Vec<&Value> {
    let places = [Some(body), body.get("payment"), body.get("data"), body.get("transaction")];
    let of = |fields: &'static str| places.into_iter().flatten().filter_map(move |place| place.get(fields));
    of("final_item_price").chain(of("item_price")).collect()
}
