//! What we owe the world after something happened to a reconciliation.

use super::{Event, Kind, Object, outside::may_be_outside};
use crate::{
    ids::PaymentId,
    reaction::{About, Ask, Notice, Reaction, Whom},
};

/// Reactions to one event. Pure.
pub fn react(event: &Event) -> Vec<Reaction> {
    match event {
        Event::ImportRequested(wanted) => {
            vec![Reaction::FetchStatement { reconciliation_id: wanted.reconciliation_id }]
        }
        Event::StatementImported(imported) if imported.found > 0 => {
            let notice = Notice::DifferencesFound { reconciliation_id: imported.reconciliation_id };
            vec![Reaction::Tell { whom: Whom::Finance, notice }]
        }
        // Late money that nobody told us of: the provider is asked about that payment, so that it can land by itself.
        Event::DifferenceFound(found) if matches!(found.kind, Kind::MissingHere | Kind::StateDiffers) => {
            let here = found.here.as_ref().map(|here| (here.subject.object, here.state));
            if found.there.as_ref().is_some_and(|there| may_be_outside(found.kind, here, there)) {
                let (reconciliation_id, number) = (found.reconciliation_id, found.number);
                return vec![Reaction::ObserveRefund { reconciliation_id, number }];
            }
            let paid = found.there.as_ref().is_some_and(|there| there.amount.0.is_positive());
            let subject = found.here.as_ref().map(|here| here.subject);
            match subject {
                Some(subject) if paid && subject.object == Object::Payment => {
                    let about = About::Listed(PaymentId::new(subject.id));
                    vec![Reaction::Ask(Ask::first(about, found.at))]
                }
                _ => Vec::new(),
            }
        }
        Event::StatementImported(_)
        | Event::Matched(_)
        | Event::DifferenceFound(_)
        | Event::ExplanationProposed(_)
        | Event::DifferenceExplained(_)
        | Event::Closed(_) => Vec::new(),
    }
}
