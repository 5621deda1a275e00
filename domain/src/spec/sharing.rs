//! Random commands of those who pay together.

use chrono::Duration;
use proptest::prelude::*;

use super::{
    people::Person,
    properties::Play,
    shares::{Cut, FRIEND},
    story::{DEPOSIT, client},
    world::No,
};
use crate::{
    ids::ReservationId,
    payment::Method,
    reservation::{Purpose, Reservation},
};

#[derive(Clone, Debug)]
pub(super) enum Sharing {
    /// How many parts (none: two unequal ones), how much is enough, and until when, in minutes.
    Split { of: Purpose, parts: usize, quorum: Option<i64>, minutes: i64, by: Person },
    /// By somebody who is known, or not.
    Ask { nth: usize, method: Method, known: bool },
    /// In four if it is not split yet; some pay as [`Sharing::Friends`] do, and the deadline passes.
    Over(Vec<Method>),
    /// One after the other, each by its own rail: asked for, opened and paid. Those that are paid already refuse.
    Friends(Vec<Method>),
    /// By one rail and then by another, whose checkout opens when the first one is paid; both are paid.
    Twice { nth: usize, rails: (Method, Method) },
    /// Asked for, opened and paid.
    Pay { nth: usize, method: Method },
    /// From what is held of whoever holds it.
    Spend { nth: usize },
}

pub(super) fn any_sharing() -> impl Strategy<Value = Sharing> {
    let of = prop_oneof![3 => Just(Purpose::Full), 1 => Just(Purpose::Deposit), 2 => Just(Purpose::Balance)];
    let quorum = prop_oneof![2 => Just(None), 1 => Just(Some(DEPOSIT)), 1 => Just(Some(25_000)), 1 => Just(Some(1))];
    let rail = || prop::sample::select(Method::WITH_PROVIDER.to_vec());
    let by = prop_oneof![3 => Just(Person::Client), 2 => Just(Person::Manager), 1 => Just(Person::Cashier)];
    prop_oneof![
        3 => (of, 0..6usize, quorum, 10..700i64, by)
            .prop_map(|(of, parts, quorum, minutes, by)| Sharing::Split { of, parts, quorum, minutes, by }),
        3 => (0..4usize, rail(), any::<bool>()).prop_map(|(nth, method, known)| Sharing::Ask { nth, method, known }),
        3 => prop::collection::vec(rail(), 0..3).prop_map(Sharing::Over),
        2 => (0..3usize, (rail(), rail())).prop_map(|(nth, rails)| Sharing::Twice { nth, rails }),
        3 => prop::collection::vec(rail(), 2..4).prop_map(Sharing::Friends),
        2 => (0..4usize).prop_map(|nth| Sharing::Spend { nth }),
        5 => (0..4usize, rail()).prop_map(|(nth, method)| Sharing::Pay { nth, method }),
    ]
}

impl Play {
    pub(super) fn share(&mut self, id: ReservationId, sharing: &Sharing) -> Result<(), No> {
        let world = &mut self.world;
        let here: Vec<_> = self.payments.iter().copied().filter(|payment| world.paid_by(*payment).id == id).collect();
        let state = world.reservation(id);
        let share = |nth: usize| state.shares().nth(nth).map(|share| share.share_id);
        match *sharing {
            Sharing::Split { of, parts, quorum, minutes, by } => {
                let (due, deadline) = (state.due(of).amount, world.now + Duration::minutes(minutes));
                let amounts = if parts == 0 { vec![due / 3, due - due / 3] } else { Vec::new() };
                world.split(id, &Cut { of, shares: parts, amounts, quorum, deadline }, &here, by.actor())?;
            }
            Sharing::Over(ref rails) => {
                if state.split.is_none() {
                    let deadline = world.now + Duration::hours(1);
                    let cut = Cut { of: Purpose::Full, shares: 4, amounts: Vec::new(), quorum: None, deadline };
                    world.split(id, &cut, &here, client())?;
                }
                let state = world.reservation(id);
                let Some(split) = &state.split else { return Ok(()) };
                self.friends(id, &state, rails);
                let world = &mut self.world;
                world.now = world.now.max(split.deadline + Duration::minutes(2));
                world.expire(id, &here)?;
                world.return_money(id)?;
            }
            Sharing::Ask { nth, method, known } => {
                let Some(share_id) = share(nth) else { return Ok(()) };
                let payer = known.then_some(FRIEND);
                self.payments.push(world.request_share(id, share_id, method, payer, &here)?);
            }
            Sharing::Friends(ref rails) => self.friends(id, &state, rails),
            Sharing::Twice { nth, rails } => {
                let Some(share_id) = share(nth) else { return Ok(()) };
                let first = world.request_share(id, share_id, rails.0, None, &here)?;
                self.payments.push(first);
                let second = world.request_share(id, share_id, rails.1, Some(FRIEND), &[first]);
                self.payments.extend(&second);
                for payment in std::iter::once(first).chain(second) {
                    world.open(payment)?;
                    let amount = world.payment(payment).request.unwrap().amount.amount;
                    world.land(payment, &format!("T_{}", payment.uuid().as_u128()), amount)?;
                }
            }
            Sharing::Pay { nth, method } => {
                let Some(share_id) = share(nth) else { return Ok(()) };
                self.payments.push(world.pay_share(id, share_id, method)?.0);
            }
            Sharing::Spend { nth } => {
                let Some(share_id) = share(nth) else { return Ok(()) };
                self.payments.push(world.spend(id, Purpose::Balance, Some(share_id), client())?);
            }
        }
        Ok(())
    }

    fn friends(&mut self, id: ReservationId, state: &Reservation, rails: &[Method]) {
        for (share, rail) in state.shares().zip(rails) {
            let paid = self.world.pay_share(id, share.share_id, *rail);
            self.payments.extend(paid.ok().map(|(payment, _)| payment));
        }
    }
}
