//! We hold money of a client's: more was received than was due.

use crate::{Timestamp, aggregate::Loaded, decision::Decision, ids::PaymentId, money::Money};

use super::{Client, Credited, Refusal};

/// Credits what a payment left over; once per payment.
///
/// # Errors
/// [`Refusal`] when nothing is left over, or the payment was credited with another amount. The same again is nothing to do.
pub fn credit(
    client: &Loaded<Client>,
    payment_id: PaymentId,
    amount: Money,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if !client.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if !amount.is_positive() {
        return Err(Refusal::NothingToCredit);
    }
    match client.state.credits.get(&payment_id) {
        Some(credited) if *credited == amount => Ok(Decision::nothing()),
        Some(credited) => Err(Refusal::AlreadyCredited { payment_id, credited: *credited }),
        None => Ok(Decision::nothing().then(client, Credited { client_id: client.id, payment_id, amount, at: now })),
    }
}
