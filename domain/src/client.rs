//! A person who books. Everything personal is sealed under their own key.

mod credit;
mod device;
mod enter;
mod erase;
mod event;
mod fine;
mod number;
mod pin;
mod reactions;
mod recovery;
mod refusal;
mod register;
mod rename;
mod state;
mod verify;

pub use credit::credit;
pub use device::{Device, MOST_DEVICES, NewDevice, release};
pub use enter::{Entry, enter};
pub use erase::erase;
pub use event::*;
pub use fine::{APPEAL_HOURS, DECISION_DAYS, Fine, Standing, appeal, decide, waive_undecided};
pub use number::{
    NewNumber, NumberChange, begin_number_change, cancel_number_change, complete_number_change, number_wanted,
    release_number,
};
pub use pin::set_pin;
pub use reactions::react;
pub use recovery::{Recovered, Recovery, begin_recovery, cancel_recovery, complete_recovery};
pub use refusal::Refusal;
pub use register::{Person, register};
pub use rename::rename;
pub use state::Client;
pub use verify::verify;

use crate::{guard::Op, ids::ClientId, phone::PhoneHash};

/// A number belongs to one client.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Registered(registered) => {
            vec![Op::Unique { scope: PHONE, key: registered.phone_hash.0.clone(), holder: registered.client_id.uuid() }]
        }
        Event::Erased(erased) => erased.phone_hash.iter().map(free).collect(),
        Event::NumberReleased(released) => vec![free(&released.phone_hash)],
        Event::NumberChanged(changed) => {
            let taken =
                Op::Unique { scope: PHONE, key: changed.phone_hash.0.clone(), holder: changed.client_id.uuid() };
            changed.old_phone_hash.iter().map(free).chain([taken]).collect()
        }
        // Whoever owes is counted, and placing asks whether they are: the lane says so, whoever looked before.
        Event::Fined(Fined { client_id, reservation_id, .. })
        | Event::FineDecided(FineDecided { client_id, reservation_id, verdict: Verdict::Uphold, .. }) => {
            vec![Op::Enter { scope: debts(*client_id), holder: reservation_id.uuid() }]
        }
        Event::FineAppealed(FineAppealed { client_id, reservation_id, .. })
        | Event::FineDecided(FineDecided { client_id, reservation_id, verdict: Verdict::Waive, .. })
        | Event::FineSettled(FineSettled { client_id, reservation_id, .. }) => {
            vec![Op::Leave { scope: debts(*client_id), holder: reservation_id.uuid() }]
        }
        // Found by its id before anybody is known.
        Event::DeviceBound(DeviceBound { client_id, device_id, .. }) => {
            vec![Op::Unique { scope: DEVICE, key: device_id.to_string(), holder: client_id.uuid() }]
        }
        Event::DeviceReleased(DeviceReleased { device_id, .. }) => {
            vec![Op::Forget { scope: DEVICE, key: device_id.to_string() }]
        }
        Event::Renamed(_)
        | Event::PinSet(_)
        | Event::RecoveryBegun(_)
        | Event::RecoveryCancelled(_)
        | Event::RecoveryCompleted(_)
        | Event::NumberChangeBegun(_)
        | Event::NumberChangeCancelled(_)
        | Event::NumberWanted(_)
        | Event::Credited(_)
        | Event::CreditSpent(_)
        | Event::CreditForfeited(_)
        | Event::NumberVerified(_) => Vec::new(),
    }
}

/// Gives a number back.
fn free(hash: &PhoneHash) -> Op {
    Op::Forget { scope: PHONE, key: hash.0.clone() }
}

/// Scope that counts the fines which keep a client from booking.
pub fn debts(client: ClientId) -> String {
    format!("client:{client}:debts")
}

/// Scope of the unique claim on a phone number's keyed hash.
pub const PHONE: &str = "client.phone";

/// Scope of the unique claim on a device's id: who signs in with it.
pub const DEVICE: &str = "client.device";

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_fines;
#[cfg(test)]
mod tests_number;
#[cfg(test)]
mod tests_recovery;
#[cfg(test)]
mod tests_sign_in;
