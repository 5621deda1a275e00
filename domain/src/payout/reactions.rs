//! What we owe the world after something happened to a payout.

use super::Event;
use crate::{
    payment::Method,
    reaction::{About, Ask, Notice, Reaction, Whom},
};

/// Reactions to one event. Pure.
pub fn react(event: &Event) -> Vec<Reaction> {
    let tell = |whom, notice| Reaction::Tell { whom, notice };
    match event {
        Event::Prepared(prepared) => {
            vec![tell(Whom::Finance, Notice::PayoutWaits { payout_id: prepared.payout_id })]
        }
        Event::Agreed(agreed) => vec![tell(Whom::Finance, Notice::PayoutWaits { payout_id: agreed.payout_id })],
        Event::Approved(approved) if approved.method == Method::Transfer => {
            vec![tell(Whom::Finance, Notice::TransferWanted { payout_id: approved.payout_id })]
        }
        Event::Approved(approved) => vec![Reaction::SubmitPayout { payout_id: approved.payout_id }],
        Event::Submitted(submitted) => {
            vec![Reaction::Ask(Ask::first(About::Payout(submitted.payout_id), submitted.at))]
        }
        Event::Succeeded(succeeded) => {
            vec![tell(Whom::ManagerOf(succeeded.site_id), Notice::PaidOut { payout_id: succeeded.payout_id })]
        }
        Event::PaidByHand(paid) => {
            vec![tell(Whom::ManagerOf(paid.site_id), Notice::PaidOut { payout_id: paid.payout_id })]
        }
        Event::Failed(failed) => vec![tell(Whom::Finance, Notice::PayoutFailed { payout_id: failed.payout_id })],
        Event::Reversed(reversed) => {
            vec![tell(Whom::Finance, Notice::PayoutFailed { payout_id: reversed.payout_id })]
        }
        // The questions that began with the submission go on.
        Event::Pending(_) | Event::BecameUnknown(_) | Event::Rejected(_) => Vec::new(),
    }
}
