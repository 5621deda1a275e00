//! Try to pay a refund: written before the provider is called, under a key that stays the same until the outcome is
//! known; and what comes next when one way has failed.

use super::{Attempt, Failed, Refund, Refusal, Requested, Route, Status, Submitted, Succeeded};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::{Loaded, Version},
    client,
    decision::{Change, Decision},
    payment::{Method, ProviderId, reference},
    text::Note,
};

/// How often one way is tried before another one is.
const TRIES: usize = 2;

/// What a provider can do for a refund.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// Give back a whole transaction.
    pub whole: bool,
    /// Send money to a number.
    pub payout: bool,
}

/// What can be done for this refund, as whoever carries it out knows: providers are configured, not decided.
#[derive(Clone, Copy, Debug, Default)]
pub struct Means<'a> {
    /// The provider the money came through.
    pub own: Ways,
    /// Other providers that may send it to the client's number, the first choice first. Empty unless the number is verified:
    /// what the payer proved by paying there, nobody has proven elsewhere.
    pub others: &'a [Method],
    /// Version of the client's stream, when there is a client: credit needs it.
    pub client: Option<Version>,
}

/// What follows: the way the money came, once more the same way, then another provider, then credit, then cash. The debt stays
/// until one works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it does not wait for a way.
    Nothing,
    /// At a provider, under a new key; `None` is the payment's own.
    Provider(Route, Option<Method>),
    /// As credit of the client.
    Credit,
    /// Out of the till, against signature: a person must do it.
    Cash,
}

/// Which way comes next. A pure function of what was tried and what there is.
pub fn next(refund: &Refund, means: &Means<'_>) -> Next {
    if !matches!(refund.status, Status::Approved | Status::Failed | Status::Reversed) {
        return Next::Nothing;
    }
    let Some(request) = &refund.request else { return Next::Nothing };
    let (whole, payout) = match request.route {
        Route::WholeTransaction => (means.own.whole, means.own.payout),
        Route::Payout => (false, means.own.payout),
        // By hand, and again by hand when that was taken back.
        Route::Cash | Route::Transfer if refund.status == Status::Approved => return Next::Cash,
        Route::Cash | Route::Transfer | Route::Credit => (false, false),
    };
    let at_provider = matches!(request.route, Route::WholeTransaction | Route::Payout);
    let own = [whole.then_some(Route::WholeTransaction), payout.then_some(Route::Payout)];
    let own = own.into_iter().flatten().map(|route| (route, None));
    let others = means.others.iter().filter(|_| at_provider).map(|method| (Route::Payout, Some(*method)));
    let tried = |way: (Route, Option<Method>)| refund.failed.iter().filter(|failed| **failed == way).count();
    if let Some((route, method)) = own.chain(others).find(|way| tried(*way) < TRIES) {
        return Next::Provider(route, method);
    }
    if request.client_id.is_some() { Next::Credit } else { Next::Cash }
}

/// The first try. Does nothing when it is already out: never a new key while the outcome is open.
///
/// # Errors
/// [`Refusal`] before it is approved, and for money that a person hands out.
pub fn submit(refund: &Loaded<Refund>, means: &Means<'_>, now: Timestamp) -> Result<Decision, Refusal> {
    let Some(request) = &refund.state.request else { return Err(Refusal::NotFound) };
    match (refund.state.status, request.route) {
        (Status::Approved, Route::WholeTransaction | Route::Payout | Route::Credit) => {
            go_on(refund, request, means, now)
        }
        (Status::Approved, route) => Err(Refusal::ByHand { route }),
        (Status::Submitted | Status::Pending | Status::Unknown | Status::Succeeded, _) => Ok(Decision::nothing()),
        (status, _) => Err(Refusal::WrongStatus { status }),
    }
}

/// The next try after a final failure. Does nothing while the outcome is open, and when only a person can go on.
///
/// # Errors
/// [`Refusal::NoClient`] when credit is next and the version of the client's stream is not given.
pub fn retry(refund: &Loaded<Refund>, means: &Means<'_>, now: Timestamp) -> Result<Decision, Refusal> {
    let Some(request) = &refund.state.request else { return Err(Refusal::NotFound) };
    match refund.state.status {
        Status::Failed | Status::Reversed => go_on(refund, request, means, now),
        _ => Ok(Decision::nothing()),
    }
}

fn go_on(refund: &Loaded<Refund>, request: &Requested, means: &Means<'_>, now: Timestamp) -> Result<Decision, Refusal> {
    match next(&refund.state, means) {
        // Said as a failure of the provider's way, so that a person may hand it out from here on as after any other.
        Next::Cash if refund.state.status == Status::Approved => {
            let reason = Note::kept_of("no provider can send it");
            let submitted = submitted(refund, request.route, None, now);
            let failed = Failed { refund_id: refund.id, reason, at: now };
            Ok(Decision::default().then(refund, submitted).then(refund, failed))
        }
        Next::Nothing | Next::Cash => Ok(Decision::nothing()),
        Next::Provider(route, method) => Ok(Decision::default().then(refund, submitted(refund, route, method, now))),
        Next::Credit => {
            let (Some(client_id), Some(expected)) = (request.client_id, means.client) else {
                return Err(Refusal::NoClient);
            };
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
    let submitted = submitted(refund, route, None, now);
    let succeeded = succeeded(refund, request, (route, None), None, by, now);
    Decision::default().then(refund, submitted).then(refund, succeeded)
}

pub(super) fn submitted(refund: &Loaded<Refund>, route: Route, method: Option<Method>, now: Timestamp) -> Submitted {
    let attempt = refund.state.attempt.as_ref().map_or(0, |attempt: &Attempt| attempt.number).saturating_add(1);
    Submitted { refund_id: refund.id, route, method, reference: reference(refund.id.uuid(), attempt), attempt, at: now }
}

pub(super) fn succeeded(
    refund: &Loaded<Refund>,
    request: &Requested,
    (route, method): (Route, Option<Method>),
    provider_id: Option<ProviderId>,
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
        method,
        provider_id,
        by,
        at: now,
    }
}
