//! Try to pay a refund: written before the provider is called, under a key that stays the same until the outcome is
//! known; and what comes next when one way has failed.

use super::{Attempt, Refund, Refusal, Requested, Route, Status, Submitted, Succeeded};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::{Loaded, Version},
    client,
    decision::{Change, Decision},
    payment::reference,
};

/// How often one route is tried before another one is.
const TRIES_PER_ROUTE: usize = 2;

/// What follows when a way of paying back has failed: the same way again, then another, then credit, then cash. The debt
/// stays until one works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it has not failed.
    Nothing,
    /// At the provider, by this route, under a new key.
    Provider(Route),
    /// As credit of the client.
    Credit,
    /// Out of the till, against signature: a person must do it.
    Cash,
}

/// Which way comes next. A pure function of what was tried. (A second rail with a verified number comes between the
/// provider and the credit once there is one.)
pub fn next(refund: &Refund) -> Next {
    if !matches!(refund.status, Status::Failed | Status::Reversed) {
        return Next::Nothing;
    }
    let Some(request) = &refund.request else { return Next::Nothing };
    let tried = |route: Route| refund.failed.iter().filter(|failed| **failed == route).count();
    let provider = match request.route {
        Route::WholeTransaction => [Some(Route::WholeTransaction), Some(Route::Payout)],
        Route::Payout => [Some(Route::Payout), None],
        Route::Cash | Route::Transfer | Route::Credit => [None, None],
    };
    if let Some(route) = provider.into_iter().flatten().find(|route| tried(*route) < TRIES_PER_ROUTE) {
        return Next::Provider(route);
    }
    if request.client_id.is_some() { Next::Credit } else { Next::Cash }
}

/// The first try, at the provider. Does nothing when it is already out: never a new key while the outcome is open.
///
/// # Errors
/// [`Refusal`] before it is approved, and for money that a person hands out.
pub fn submit(refund: &Loaded<Refund>, now: Timestamp) -> Result<Decision, Refusal> {
    let Some(request) = &refund.state.request else { return Err(Refusal::NotFound) };
    match refund.state.status {
        Status::Approved => {}
        Status::Submitted | Status::Pending | Status::Unknown | Status::Succeeded => return Ok(Decision::nothing()),
        status => return Err(Refusal::WrongStatus { status }),
    }
    match request.route {
        Route::WholeTransaction | Route::Payout => {
            Ok(Decision::default().then(refund, submitted(refund, request.route, now)))
        }
        route => Err(Refusal::ByHand { route }),
    }
}

/// The next try after a final failure. Does nothing while the outcome is open, and when only a person can go on.
///
/// # Errors
/// [`Refusal::NoClient`] when credit is next and the version of the client's stream is not given.
pub fn retry(refund: &Loaded<Refund>, client: Option<Version>, now: Timestamp) -> Result<Decision, Refusal> {
    let Some(request) = &refund.state.request else { return Err(Refusal::NotFound) };
    match next(&refund.state) {
        Next::Nothing | Next::Cash => Ok(Decision::nothing()),
        Next::Provider(route) => Ok(Decision::default().then(refund, submitted(refund, route, now))),
        Next::Credit => {
            let (Some(client_id), Some(expected)) = (request.client_id, client) else { return Err(Refusal::NoClient) };
            let (payment_id, amount) = (request.payment_id, request.amount);
            let credited = client::Credited { client_id, payment_id, amount, at: now };
            let change = Change { stream: client_id.into(), expected, events: vec![credited.into()] };
            let credit = Decision { changes: vec![change], reads: Vec::new() };
            Ok(by_hand(refund, request, Route::Credit, Actor::SYSTEM, now).and(credit))
        }
    }
}

/// A person handed it out: cash against signature, or a transfer they made.
///
/// # Errors
/// [`Refusal`] while a provider may still pay it, before it is approved, and without a name.
pub fn hand_out(refund: &Loaded<Refund>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let Some(request) = &refund.state.request else { return Err(Refusal::NotFound) };
    let route = match (refund.state.status, request.route) {
        (Status::Approved, route @ (Route::Cash | Route::Transfer)) => route,
        (Status::Approved, route) => return Err(Refusal::AtProvider { route }),
        (Status::Failed | Status::Reversed, _) => Route::Cash,
        (Status::Submitted | Status::Pending | Status::Unknown, _) => return Err(Refusal::OutcomeUnknown),
        (status, _) => return Err(Refusal::WrongStatus { status }),
    };
    let may = match route {
        Route::Cash => matches!(by.role, Role::Cashier | Role::Manager),
        _ => matches!(by.role, Role::Finance | Role::Manager),
    };
    if !may {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if by.id.is_none() {
        return Err(Refusal::NameRequired);
    }
    Ok(by_hand(refund, request, route, by, now))
}

/// Tried and done in one step: nobody outside has to answer.
fn by_hand(refund: &Loaded<Refund>, request: &Requested, route: Route, by: Actor, now: Timestamp) -> Decision {
    let submitted = submitted(refund, route, now);
    let succeeded = succeeded(refund, request, route, None, by, now);
    Decision::default().then(refund, submitted).then(refund, succeeded)
}

pub(super) fn submitted(refund: &Loaded<Refund>, route: Route, now: Timestamp) -> Submitted {
    let attempt = refund.state.attempt.as_ref().map_or(0, |attempt: &Attempt| attempt.number).saturating_add(1);
    Submitted { refund_id: refund.id, route, reference: reference(refund.id.uuid(), attempt), attempt, at: now }
}

pub(super) fn succeeded(
    refund: &Loaded<Refund>,
    request: &Requested,
    route: Route,
    provider_id: Option<crate::payment::ProviderId>,
    by: Actor,
    now: Timestamp,
) -> Succeeded {
    Succeeded {
        refund_id: refund.id,
        payment_id: request.payment_id,
        reservation_id: request.reservation_id,
        client_id: request.client_id,
        amount: request.amount,
        route,
        provider_id,
        by,
        at: now,
    }
}
