//! What we owe the world after something happened to a refund.

use super::{Event, Reason, Requested, Route};
use crate::reaction::{About, Ask, Notice, Reaction, Whom, tell_client};

/// Reactions to one event. Pure.
pub fn react(event: &Event) -> Vec<Reaction> {
    match event {
        Event::Requested(requested) => requested_reactions(requested),
        Event::Approved(approved) => vec![Reaction::SubmitRefund { refund_id: approved.refund_id }],
        Event::Submitted(submitted) => {
            let at_provider = matches!(submitted.route, Route::WholeTransaction | Route::Payout);
            let ask = Ask::first(About::Refund(submitted.refund_id), submitted.at);
            at_provider.then_some(Reaction::Ask(ask)).into_iter().collect()
        }
        Event::Succeeded(succeeded) => {
            let notice = Notice::Refunded { refund_id: succeeded.refund_id };
            // Credit is told by the credit itself.
            let client = succeeded.client_id.filter(|_| succeeded.route != Route::Credit);
            tell_client(client, notice).into_iter().collect()
        }
        Event::Failed(failed) => vec![Reaction::RetryRefund { refund_id: failed.refund_id }],
        Event::Reversed(reversed) => {
            let refund_id = reversed.refund_id;
            let notice = Notice::RefundReversed { refund_id };
            vec![Reaction::RetryRefund { refund_id }, Reaction::Tell { whom: Whom::Finance, notice }]
        }
        // The questions that began with the submission go on.
        Event::Pending(_) | Event::BecameUnknown(_) | Event::OutcomeStated(_) | Event::Declined(_) => Vec::new(),
    }
}

fn requested_reactions(requested: &Requested) -> Vec<Reaction> {
    let (reservation_id, refund_id) = (requested.reservation_id, requested.refund_id);
    let mut reactions = Vec::new();
    if requested.needs_approval {
        reactions.push(Reaction::Tell { whom: Whom::Finance, notice: Notice::ApprovalWanted { refund_id } });
    }
    if matches!(requested.route, Route::Cash | Route::Transfer) {
        let notice = Notice::HandOut { refund_id };
        reactions.push(Reaction::Tell { whom: Whom::ManagerOf(requested.site_id), notice });
    }
    let notice = match requested.reason {
        Reason::Orphaned => Some(Notice::SlotLost { reservation_id, refund_id }),
        Reason::Duplicate | Reason::Overpayment => Some(Notice::PaidTooMuch { reservation_id, refund_id }),
        Reason::Underpayment => Some(Notice::PaidTooLittle { reservation_id, refund_id }),
        // Told by what caused it, or when the money is out.
        Reason::Cancellation | Reason::Reschedule | Reason::NoShow | Reason::Goodwill | Reason::External => None,
    };
    reactions.extend(notice.and_then(|notice| tell_client(requested.client_id, notice)));
    reactions
}
