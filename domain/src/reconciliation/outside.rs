//! A listed movement by which money went back without us, and what its place in the log means for the day.

use super::{
    Difference, DifferenceExplained, Entered, How, Is, Kind, LineState, Listing, Matched, Moved, Object, Pair,
    Reconciliation, Standing, Subject,
};
use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, money::Money};

/// Whether a line may be a refund that was made at the provider: money that went out, of which we know nothing, or which
/// we were told had failed.
pub fn may_be_outside(kind: Kind, here: Option<(Object, Moved)>, there: &Listing) -> bool {
    let went_out = there.state == LineState::Succeeded && there.amount.0.amount < 0;
    let named = there.is == Is::Refund || (there.is == Is::Payout && there.reference.is_some());
    match (kind, here) {
        (Kind::MissingHere, None) => went_out && named,
        (Kind::StateDiffers, Some((Object::Refund, Moved::Failed))) => went_out,
        _ => false,
    }
}

impl Difference {
    /// The line, while nobody has said what it is.
    pub fn outside(&self) -> Option<&Listing> {
        let found = &self.found;
        let here = found.here.as_ref().map(|here| (here.subject.object, here.state));
        let there = found.there.as_ref().filter(|there| may_be_outside(found.kind, here, there))?;
        (self.standing != Standing::Explained).then_some(there)
    }
}

/// The log has caught up with a line: it is about this refund now, and agrees. Nothing to do when somebody has said before
/// what it is.
pub fn catch_up(reconciliation: &Loaded<Reconciliation>, number: u32, is: Subject, now: Timestamp) -> Decision {
    let id = reconciliation.id;
    let difference = reconciliation.state.differences.iter().find(|difference| difference.number == number);
    let Some((difference, there)) = difference.and_then(|it| Some((it, it.outside()?))) else {
        return Decision::nothing();
    };
    let explained = DifferenceExplained {
        reconciliation_id: id,
        number,
        how: How::Superseded,
        note: None,
        by: Actor::SYSTEM,
        proposed_by: None,
        entered: difference.entered.map(Entered::undone).filter(|entered| !entered.is_nothing()),
        at: now,
    };
    let pair = Pair {
        subject: Some(is),
        transaction: there.transaction.clone(),
        method: there.method,
        state: there.state,
        amount: there.amount.0,
        fee: there.fee.0,
        fee_entered: if reconciliation.state.is_in_our_books() {
            there.fee.0
        } else {
            Money::zero(there.fee.0.currency)
        },
    };
    let matched = Matched { reconciliation_id: id, pairs: vec![pair], at: now };
    Decision::nothing().then(reconciliation, explained).then(reconciliation, matched)
}

/// What the payer got by a line that went out.
pub fn paid_back(there: &Listing) -> Money {
    Money::new(there.amount.0.amount.saturating_neg(), there.amount.0.currency)
}
