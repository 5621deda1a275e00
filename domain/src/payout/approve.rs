//! The second person says yes or no. Payouts always take two, whatever they come to (reliability.md §4.2).

use super::{
    Agreed, Approved, Payable, Payout, Refusal, Rejected, Status,
    prepare::{at_most, destination, finance, held},
};
use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, ids::PayoutId, site::Site, text::Note};

/// Somebody of finance says yes: the second of two who stand for it by name. One that was prepared by itself needs two who
/// say yes. What it rests on is looked at again: the same lines, as much still owed, the same account, no new hold.
///
/// # Errors
/// [`Refusal`] for who stands for it already, who may not, and a payout that does not wait, or can no longer be paid as it is.
pub fn approve(
    payout: &Loaded<Payout>,
    site: &Loaded<Site>,
    payable: &Payable,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let Some(prepared) = &payout.state.prepared else { return Err(Refusal::NotFound) };
    if prepared.site_id != site.id {
        return Err(Refusal::NotFound);
    }
    finance(by)?;
    match payout.state.status {
        Status::Prepared | Status::Agreed => {}
        status if status != Status::Rejected && payout.state.approvals.last() == Some(&by) => {
            return Ok(Decision::nothing());
        }
        status => return Err(Refusal::WrongStatus { status }),
    }
    // The same person under another role is still the same person.
    if payout.state.signers().any(|signer| signer.id == by.id) {
        return Err(Refusal::SamePerson);
    }
    if payable.up_to_position != prepared.up_to_position
        || payable.lines != prepared.lines
        || payable.digest != prepared.digest
        || payable.owed != prepared.payable
    {
        return Err(Refusal::LinesChanged);
    }
    if destination(&site.state, now)? != prepared.destination() {
        return Err(Refusal::AccountChanged);
    }
    let to_be_sent = payable.owed_now.minus(at_most(payable.at_site, payable.owed_now)?)?;
    let free = to_be_sent.minus(held(site.state.payout_hold.as_ref(), to_be_sent)?)?;
    if free.compare(prepared.amount)?.is_lt() {
        return Err(Refusal::MoreThanPayable { amount: prepared.amount, payable: free });
    }
    let payout_id = payout.id;
    if payout.state.signers().next().is_none() {
        return Ok(Decision::default().then(payout, Agreed { payout_id, by, at: now }).relying_on(site));
    }
    let approved =
        Approved { payout_id, site_id: site.id, amount: prepared.amount, method: prepared.method, by, at: now };
    Ok(Decision::default().then(payout, approved).relying_on(site))
}

/// Somebody of finance says no, before it is approved. Who prepared it may, too: nothing moves.
///
/// # Errors
/// [`Refusal`] for who may not, and a payout that does not wait any more.
pub fn reject(payout: &Loaded<Payout>, reason: Note, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let Some(prepared) = &payout.state.prepared else { return Err(Refusal::NotFound) };
    finance(by)?;
    match payout.state.status {
        Status::Prepared | Status::Agreed => {}
        Status::Rejected => return Ok(Decision::nothing()),
        status => return Err(Refusal::WrongStatus { status }),
    }
    let payout_id: PayoutId = payout.id;
    Ok(Decision::default().then(payout, Rejected { payout_id, site_id: prepared.site_id, reason, by, at: now }))
}
