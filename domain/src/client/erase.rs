//! A client is forgotten.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision};

use super::{Client, CreditForfeited, Erased, Refusal, Release, device::release_all};

/// Erases the person behind a client: their key ends with the certificate, so every field sealed under it is unreadable
/// wherever it is, and their number is free for whoever has it next. Reservations, payments and the ledger keep the id,
/// which then leads to nobody. `ahead`: reservations of theirs that are not over. What we hold of theirs is lost to them with
/// the way to them: `gives_up_credit` says that they know.
///
/// Again is nothing to do.
///
/// # Errors
/// [`Refusal::Unknown`] before registration; [`Refusal::StillExpected`] while they hold or have booked something;
/// [`Refusal::HasCredit`] while we hold money of theirs that they do not give up,
/// [`Refusal::InDebt`] while a fine is neither settled nor waived.
pub fn erase(
    client: &Loaded<Client>,
    ahead: u32,
    gives_up_credit: bool,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if client.state.erased_at.is_some() {
        return Ok(Decision::nothing());
    }
    if !client.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    let phone_hash = client.state.phone_hash.clone();
    if ahead > 0 {
        return Err(Refusal::StillExpected { reservations: ahead });
    }
    // Whoever may ask for a debt may keep what is needed to ask.
    let owed = client.state.fines.values().find(|fine| fine.standing.is_open());
    if let Some(fine) = owed {
        return Err(Refusal::InDebt { amount: fine.amount });
    }
    let mut decision = release_all(client, Release::Erased, by, now);
    for amount in client.state.credit_of_each()? {
        if !gives_up_credit {
            return Err(Refusal::HasCredit { credit: amount });
        }
        decision = decision.then(client, CreditForfeited { client_id: client.id, amount, by, at: now });
    }
    Ok(decision.then(client, Erased { client_id: client.id, phone_hash, by, at: now }))
}
