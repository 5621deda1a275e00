//! Workers that are broken on purpose: each must be found out, or the model proves nothing.

use chrono::Duration;

use super::worker::Worker;
use crate::{
    decision::Decision,
    event::Event,
    ids::PaymentId,
    payment::{self, Expired},
};

/// In what a worker is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// Lets the hold end although a checkout of it is open.
    FreesWithoutClosing,
    /// Confirms although somebody else has the cells.
    IgnoresThatTheCellsAreTaken,
    /// Prolongs the hold without an end.
    KeepsCellsForEver,
    /// Opens a checkout once more after a crash, without asking for the first.
    OpensAgainWithoutAsking,
    /// Opens a checkout under a new key while nobody can tell what became of the first.
    OpensUnderAnotherKey,
    /// Takes what a webhook says for what the provider knows.
    BelievesWebhooks,
    /// Does not compare the reference of a receipt.
    TakesAnyReceipt,
    /// Lands the same money each time it is seen.
    SettlesTwice,
    /// Settles what was asked for instead of what was paid.
    ConfirmsOnTooLittle,
    /// Lets a late failure end what is paid.
    EndsWhatIsPaid,
    /// Pays a refund once more, under a new key, while nobody can tell what became of the first.
    TakesAnotherKeyWhenUnknown,
    /// Puts a refund down before it is submitted.
    ForgetsRefunds,
}

pub(super) fn keep_cells_for_ever(decision: &mut Decision) {
    for event in decision.changes.iter_mut().flat_map(|change| &mut change.events) {
        if let Event::Payment(payment::Event::Opened(opened)) = event {
            opened.blocks_until = opened.blocks_until.map(|until| until + Duration::days(365));
        }
    }
}

pub(super) fn end_what_is_paid(worker: &mut Worker<'_>, payment_id: PaymentId) {
    let reservation_id = worker.state.lane.reservation.id;
    let expired = Expired { payment_id, reservation_id, hold_expires_at: None, at: worker.state.now() };
    let owed = worker.state.lane_mut().force(payment_id.into(), expired.into());
    worker.state.owe(owed);
}

pub(super) fn write_unguarded(worker: &mut Worker<'_>, decision: &Decision) {
    for change in &decision.changes {
        for event in &change.events {
            let owed = worker.state.lane_mut().force(change.stream, event.clone());
            worker.state.owe(owed);
        }
    }
}
