//! One movement of money in.
//!
//! ```text
//! requested → pending (checkout open at the provider) → succeeded | failed | expired;   unknown ⇄ pending
//! failed | expired → succeeded (late money is accepted and then dealt with, never refused)
//! ```

mod another_way;
mod checkout;
mod debt;
mod event;
mod reactions;
mod record;
mod reference;
mod refusal;
mod request;
mod settle;
mod share;
mod spend;
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_credit;
#[cfg(test)]
mod tests_late_money;
#[cfg(test)]
mod tests_share;

pub use another_way::AnotherWay;
pub use checkout::{Open, expire, fail, unknown};
pub use debt::PayDebt;
pub use event::*;
pub use reactions::react;
pub use record::Record;
pub use reference::reference;
pub use refusal::Refusal;
pub use request::Request;
pub use settle::{Cells, Landed, Row, Settle, Settled};
pub use share::RequestShare;
pub use spend::Spend;
pub use state::{Allotment, Capture, Payment, Status};

use crate::{Timestamp, guard::Op, ids::ReservationId, text::Slug};

/// Scope of the unique claim on a provider's transaction: the same money never lands twice.
pub const TRANSACTION: &str = "payment.transaction";

/// What a transaction at a merchant account (`None`: the platform's) is known by in that scope. What one account's
/// transactions are called says nothing about another's.
pub fn transaction_key(method: Method, account: Option<&Slug>, transaction: &ProviderId) -> String {
    match account {
        None => format!("{}:{transaction}", method.as_str()),
        Some(account) => format!("{}@{account}:{transaction}", method.as_str()),
    }
}

/// An open checkout prolongs the hold it pays for; a transaction lands once.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    // The holder is the payment: the same transaction cannot pay a second one, not even of the same reservation.
    let landed = |method: Method, account: Option<&Slug>, transaction: &ProviderId, holder| Op::Unique {
        scope: TRANSACTION,
        key: transaction_key(method, account, transaction),
        holder,
    };
    let prolonged = |reservation: &ReservationId, until: Option<Timestamp>| {
        let extend = |releasable_at| Op::Extend { holder: reservation.uuid(), releasable_at };
        until.map(extend).into_iter().collect()
    };
    match event {
        Event::Opened(Opened { reservation_id, blocks_until, .. })
        | Event::BecameUnknown(BecameUnknown { reservation_id, blocks_until, .. }) => {
            prolonged(reservation_id, *blocks_until)
        }
        Event::Failed(Failed { reservation_id, hold_expires_at, .. })
        | Event::Expired(Expired { reservation_id, hold_expires_at, .. }) => {
            prolonged(reservation_id, *hold_expires_at)
        }
        Event::Succeeded(succeeded) => {
            let Succeeded { method, merchant_account, transaction, payment_id, .. } = succeeded;
            vec![landed(*method, merchant_account.as_ref(), transaction, payment_id.uuid())]
        }
        Event::Duplicated(duplicated) => {
            let Duplicated { method, merchant_account, transaction, payment_id, .. } = duplicated;
            vec![landed(*method, merchant_account.as_ref(), transaction, payment_id.uuid())]
        }
        Event::Requested(_) | Event::PutOnAccount(_) | Event::RefundAllotted(_) | Event::RefundReturned(_) => {
            Vec::new()
        }
    }
}
