//! What we owe the world after something happened to a client.

use super::{Event, Verdict};
use crate::reaction::{Alarm, Notice, Reaction, Whom};

/// Reactions to one event. Pure.
pub fn react(event: &Event) -> Vec<Reaction> {
    let tell = |client_id, notice| vec![Reaction::Tell { whom: Whom::Client(client_id), notice }];
    match event {
        Event::Credited(credited) => tell(credited.client_id, Notice::Credited { payment_id: credited.payment_id }),
        Event::Fined(fined) => tell(fined.client_id, Notice::Fined { reservation_id: fined.reservation_id }),
        Event::FineAppealed(appealed) => {
            let (reservation_id, client_id) = (appealed.reservation_id, appealed.client_id);
            let notice = Notice::FineAppealed { reservation_id };
            let alarm = Alarm::AppealUndecided { client_id };
            vec![
                Reaction::Tell { whom: Whom::ManagerOf(appealed.site_id), notice },
                Reaction::Wake { reservation_id, at: appealed.decide_by, alarm },
            ]
        }
        Event::FineDecided(decided) => {
            let reservation_id = decided.reservation_id;
            let mut reactions = tell(decided.client_id, Notice::FineDecided { reservation_id });
            if decided.verdict == Verdict::Waive {
                reactions.push(Reaction::CloseCheckouts { reservation_id });
            }
            reactions
        }
        // In another tab it is not to be paid once more.
        Event::FineSettled(settled) => {
            let reservation_id = settled.reservation_id;
            let mut reactions = tell(settled.client_id, Notice::FineSettled { reservation_id });
            reactions.push(Reaction::CloseCheckouts { reservation_id });
            reactions
        }
        Event::RecoveryBegun(begun) => tell(begun.client_id, Notice::RecoveryBegun { recovery_id: begun.recovery_id }),
        Event::RecoveryCompleted(completed) => tell(completed.client_id, Notice::RecoveryCompleted),
        Event::NumberChangeBegun(begun) => {
            let (client_id, change_id) = (begun.client_id, begun.change_id);
            // While the one before is still theirs.
            let mut reactions = tell(client_id, Notice::NumberChangeBegun { change_id });
            reactions.push(Reaction::ChangeNumber { client_id, change_id, at: begun.ready_at });
            reactions
        }
        Event::NumberChanged(changed) => tell(changed.client_id, Notice::NumberChanged),
        Event::NumberWanted(wanted) => tell(wanted.client_id, Notice::NumberWanted),
        Event::Registered(_)
        | Event::Renamed(_)
        | Event::CreditSpent(_)
        | Event::CreditForfeited(_)
        | Event::NumberVerified(_)
        | Event::PinSet(_)
        | Event::RecoveryCancelled(_)
        | Event::NumberChangeCancelled(_)
        | Event::NumberReleased(_)
        | Event::DeviceBound(_)
        | Event::DeviceReleased(_)
        | Event::Erased(_) => Vec::new(),
    }
}
