//! Fines: what is done about them, and random commands that do it.

use chrono::Duration;
use proptest::prelude::*;

use super::{
    people::{Person, any_person},
    properties::Play,
    story::{Booking, DEPOSIT, Paying, note},
    world::{CLIENT, No, World, Written},
};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    client::{self, Client, Verdict},
    ids::{PaymentId, ReservationId},
    money::Money,
    payment::{self, Method, Payment},
    policy::Policy,
    reservation::{Purpose, Reservation},
    sealed::Sealed,
};

impl World {
    /// Pays the fine of a reservation.
    pub fn pay_debt(&mut self, reservation: ReservationId, method: Method, by: Actor) -> Result<PaymentId, No> {
        let payment = Loaded::<Payment>::new(self.id().into());
        let (reservation, client, now) = (self.load::<Reservation>(reservation), self.load::<Client>(CLIENT), self.now);
        let pay = payment::PayDebt { reservation: &reservation, payment: &payment, client: &client, method, by, now };
        self.write(pay.decide())?;
        Ok(payment.id)
    }

    pub fn appeal(&mut self, reservation: ReservationId, by: Actor) -> Written {
        let statement = Sealed("the road was flooded".to_owned());
        self.write(client::appeal(&self.load(CLIENT), reservation, statement, by, self.now))
    }

    pub fn decide(&mut self, reservation: ReservationId, verdict: client::Verdict, by: Actor) -> Written {
        self.write(client::decide(&self.load(CLIENT), reservation, verdict, note("so be it"), by, self.now))
    }

    pub fn waive_undecided(&mut self, reservation: ReservationId) -> Written {
        self.write(client::waive_undecided(&self.load(CLIENT), reservation, self.now))
    }

    /// A game that nobody came to, with a fine of 5 000.
    pub fn miss(&mut self, from: Timestamp) -> ReservationId {
        let policy = Policy { no_show_fine: Some(Money::xof(5_000)), ..Policy::default() };
        let booking = Booking { policy, ..Booking::online(from) };
        let (reservation, payment) = self.place(&booking, Paying::Online(Method::Wave, Purpose::Deposit)).unwrap();
        self.open(payment).unwrap();
        self.land(payment, &format!("T_{}", payment.uuid().as_u128()), DEPOSIT).unwrap();
        self.now = from + Duration::minutes(105);
        self.finish(reservation).unwrap();
        reservation
    }
}

/// What becomes of a fine, by whoever may and by whoever may not.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fining {
    Pay(Method, Person),
    Appeal(Person),
    Decide(Verdict, Person),
    /// Nobody decides.
    Wait,
}

pub(super) fn any_fining() -> impl Strategy<Value = Fining> {
    let method = prop::sample::select(vec![Method::Wave, Method::Cash, Method::Credit]);
    let verdict = prop_oneof![Just(Verdict::Uphold), Just(Verdict::Waive)];
    prop_oneof![
        4 => (method, any_person()).prop_map(|(method, by)| Fining::Pay(method, by)),
        3 => any_person().prop_map(Fining::Appeal),
        2 => (verdict, any_person()).prop_map(|(verdict, by)| Fining::Decide(verdict, by)),
        1 => Just(Fining::Wait),
    ]
}

/// What happens to clients here.
pub(super) const CLIENTS: [&str; 6] = [
    "client.credited",
    "client.credit_spent",
    "client.fined",
    "client.fine_appealed",
    "client.fine_decided",
    "client.fine_settled",
];

impl Play {
    pub(super) fn fine(&mut self, id: ReservationId, fining: Fining) -> Result<(), No> {
        let world = &mut self.world;
        match fining {
            Fining::Pay(method, by) => {
                let payment = world.pay_debt(id, method, by.actor())?;
                self.payments.push(payment);
            }
            Fining::Appeal(by) => drop(world.appeal(id, by.actor())?),
            Fining::Decide(verdict, by) => drop(world.decide(id, verdict, by.actor())?),
            Fining::Wait => {
                // Only then: no game is so far ahead.
                let fine = world.load::<client::Client>(CLIENT).state.fines.get(&id).copied();
                if let Some(client::Standing::Appealed { decide_by }) = fine.map(|fine| fine.standing) {
                    world.now = world.now.max(decide_by);
                    world.waive_undecided(id)?;
                }
            }
        }
        Ok(())
    }
}
