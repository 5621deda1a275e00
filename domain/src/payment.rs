//! One movement of money in.
//!
//! ```text
//! requested → pending (checkout open at the provider) → succeeded | failed | expired;   unknown ⇄ pending
//! failed | expired → succeeded (late money is accepted and then dealt with, never refused)
//! ```

mod event;

pub use event::*;

use crate::guard::Op;

/// Scope of the unique claim on a provider's transaction: the same money never lands twice.
pub const TRANSACTION: &str = "payment.transaction";

/// An open checkout prolongs the hold it pays for; a transaction lands once.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    // The holder is the payment: the same transaction cannot pay a second one, not even of the same reservation.
    let landed = |method: Method, transaction: &ProviderId, holder| Op::Unique {
        scope: TRANSACTION,
        key: format!("{}:{transaction}", method.as_str()),
        holder,
    };
    match event {
        Event::Opened(opened) => opened
            .blocks_until
            .map(|releasable_at| Op::Extend { holder: opened.reservation_id.uuid(), releasable_at })
            .into_iter()
            .collect(),
        Event::Failed(Failed { reservation_id, hold_expires_at, .. })
        | Event::Expired(Expired { reservation_id, hold_expires_at, .. }) => hold_expires_at
            .map(|releasable_at| Op::Extend { holder: reservation_id.uuid(), releasable_at })
            .into_iter()
            .collect(),
        Event::Succeeded(succeeded) => {
            vec![landed(succeeded.method, &succeeded.transaction, succeeded.payment_id.uuid())]
        }
        Event::Duplicated(duplicated) => {
            vec![landed(duplicated.method, &duplicated.transaction, duplicated.payment_id.uuid())]
        }
        Event::Requested(_)
        | Event::BecameUnknown(_)
        | Event::PutOnAccount(_)
        | Event::RefundAllotted(_)
        | Event::RefundReturned(_) => Vec::new(),
    }
}
