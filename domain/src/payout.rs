//! One movement of money to a site: what it has earned and the platform holds, less the commission.
//!
//! ```text
//! prepared → agreed → approved → submitted → pending → succeeded | failed(reason) | unknown;   succeeded → reversed
//! prepared | agreed → rejected               approved → paid_by_hand
//! ```
//!
//! No franc is paid twice, because the payouts of a site are a chain: each names the one before it, that one must be over, and
//! nobody else may follow it (a name taken for ever). What is payable is read from the ledger at a position behind its end, so
//! whatever it took is gone from there. Money that goes back later makes the account smaller, and so the next payout.
//!
//! What a site took in itself, in its till or on its account at a bank, it has already: so much less is sent, for as long as
//! it has it.

mod answer;
mod approve;
mod event;
mod month;
mod prepare;
mod reactions;
mod refusal;
mod state;
mod submit;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_properties;

pub use answer::{fail, pending, reverse, succeed, unknown};
pub use approve::{approve, reject};
pub use event::*;
pub use month::{MONTH_RESTS, month_after};
pub use prepare::{ACCOUNT_RESTS, MINIMUM, Payable, Plan, Previous, plan, prepare};
pub use reactions::react;
pub use refusal::Refusal;
pub use state::{Attempt, Payout, Status};
pub use submit::{pay_by_hand, submit};

use crate::guard::Op;

/// Scope of the unique claim on coming after a payout, or on being the first of a site.
pub const FOLLOWS: &str = "payout.follows";

/// Each payout has one that follows it, and a site one that is its first: for ever.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Prepared(prepared) => {
            let before = prepared.follows.map_or(prepared.site_id.uuid(), |before| before.uuid());
            vec![Op::Unique { scope: FOLLOWS, key: before.to_string(), holder: prepared.payout_id.uuid() }]
        }
        Event::Agreed(_)
        | Event::Approved(_)
        | Event::Rejected(_)
        | Event::Submitted(_)
        | Event::Pending(_)
        | Event::BecameUnknown(_)
        | Event::Succeeded(_)
        | Event::Failed(_)
        | Event::Reversed(_)
        | Event::PaidByHand(_) => Vec::new(),
    }
}
