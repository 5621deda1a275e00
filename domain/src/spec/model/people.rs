//! What people do: the client pays, asks for another payment, calls it off; somebody else wants the slot; somebody forges.

use super::{
    Booking,
    actions::{Action, Forgery},
    lane::{Lane, OURS, THEIR_CASH, THEIRS, payment_id},
    provider::{Charge, Standing},
    state::{State, Webhook},
    worker::checkout_name,
};
use crate::{
    aggregate::Loaded,
    payment::{self, Method, Payment},
    policy::Policy,
    reservation::{self, Cancel, CancelReason, Channel, Code, Pays, Place, Purpose, Reservation, Source},
    spec::story::{Booking as Story, DEPOSIT, TOTAL, client, manager, price, slot},
};

impl Booking {
    pub(super) fn placed(&self) -> State {
        let mut state = State::empty(self);
        let (reservation, payment) = (Loaded::<Reservation>::new(OURS), Loaded::<Payment>::new(payment_id(0)));
        let story = Story::online(state.now() + chrono::Duration::minutes(self.starts_in));
        let pays = Pays::Online { payment: &payment, method: Method::Wave, purpose: self.purpose };
        let placed = place(&reservation, &story, pays, state.now()).decide();
        let owed = state.lane_mut().write(placed).unwrap();
        state.owe(owed);
        state
    }

    pub(super) fn people(&self, state: &State, actions: &mut Vec<Action>) {
        let left = state.left;
        for (nth, checkout) in state.provider.checkouts.iter().enumerate() {
            // The address of a checkout whose answer was lost is known to nobody.
            let told = state.lane.told_of(checkout_name(nth).as_str()).is_some();
            if left.charges > 0 && told && checkout.standing == Standing::Open {
                let amounts = if self.amounts.is_empty() { &[checkout.amount][..] } else { self.amounts };
                actions.extend(amounts.iter().map(|amount| Action::Pay { checkout: nth, amount: *amount }));
            }
            if left.twice > 0 && checkout.standing == Standing::Paid {
                actions.push(Action::PayTwice { checkout: nth });
            }
            if left.forgeries > 0 && told {
                let paid = checkout.standing == Standing::Paid;
                let say: &[Forgery] = if paid {
                    &[Forgery::Amount, Forgery::Reference, Forgery::Failed]
                } else {
                    &[Forgery::Paid, Forgery::Failed]
                };
                actions.extend(say.iter().map(|forgery| Action::Forge(*forgery, nth)));
            }
        }
        if left.tabs > 0 {
            actions.push(Action::Request);
        }
        if left.cancels > 0 {
            actions.push(Action::Cancel);
        }
        if left.others > 0 {
            actions.push(Action::SomebodyElseTakesTheSlot);
        }
    }

    pub(super) fn person(&self, state: &mut State, action: Action) -> Option<()> {
        match action {
            Action::Pay { checkout, amount } => {
                state.left.charges -= 1;
                state.provider.checkouts[checkout].standing = Standing::Paid;
                charge(state, checkout, amount);
            }
            Action::PayTwice { checkout } => {
                state.left.twice -= 1;
                let amount = state.provider.checkouts[checkout].amount;
                charge(state, checkout, amount);
            }
            Action::Request => {
                state.left.tabs -= 1;
                let payment = Loaded::<Payment>::new(payment_id(state.lane.payments.len()));
                let reservation = state.lane.reservation.clone();
                let held = reservation.state.status == reservation::Status::Held;
                let purpose = if held { Purpose::Deposit } else { Purpose::Balance };
                let (reservation, payment) = (&reservation, &payment);
                let request = payment::Request { reservation, payment, method: Method::Wave, purpose, by: client() };
                write(state, request.decide(state.now()))?;
            }
            Action::Cancel => {
                state.left.cancels -= 1;
                let (reservation, now) = (state.lane.reservation.clone(), state.now());
                let paying = reservation.state.paying();
                let paying: Vec<_> = paying.iter().filter_map(|id| state.lane.payment(*id).cloned()).collect();
                let source = |payment| Source { payment, refund_id: Lane::refund_id(payment) };
                let sources: Vec<Source<'_>> = paying.iter().map(source).collect();
                let (reservation, sources, by) = (&reservation, &sources[..], client());
                let reason = CancelReason::Client;
                write(state, Cancel { reservation, sources, reason, note: None, by, now }.decide())?;
            }
            _ => {
                state.left.others -= 1;
                let start = state.lane.reservation.state.terms.as_ref()?.slot.during.from();
                let (reservation, payment) = (Loaded::<Reservation>::new(THEIRS), Loaded::<Payment>::new(THEIR_CASH));
                let pays = Pays::Recorded { payment: &payment, method: Method::Cash, purpose: Purpose::Deposit };
                let story = Story { client: None, by: manager(), channel: Channel::Manual, ..Story::online(start) };
                write(state, place(&reservation, &story, pays, state.now()).decide())?;
            }
        }
        Some(())
    }
}

/// What a refused wish leaves behind is nothing.
fn write<R: crate::refusal::Refused>(state: &mut State, decision: Result<crate::decision::Decision, R>) -> Option<()> {
    let owed = state.lane_mut().write(decision).ok()?;
    state.owe(owed);
    Some(())
}

fn charge(state: &mut State, checkout: usize, amount: i64) {
    let charge = state.provider.charges.len();
    state.provider.charges.push(Charge { checkout, amount });
    let payment = state.provider.checkouts[checkout].payment;
    state.mail(Webhook { payment, checkout, charge, amount, paid: true });
}

pub(super) fn forged(state: &State, forgery: Forgery, checkout: usize) -> Option<Webhook> {
    let payment = state.provider.checkouts[checkout].payment;
    let charge = state.provider.charges.iter().position(|charge| charge.checkout == checkout);
    let amount = charge.map_or(TOTAL, |charge| state.provider.charges[charge].amount);
    let honest = Webhook { payment, checkout, charge: charge.unwrap_or(7), amount, paid: true };
    Some(match forgery {
        Forgery::Paid => honest,
        Forgery::Amount => Webhook { amount: amount * 3, ..honest },
        Forgery::Reference => {
            let other = state.lane.payments.iter().find(|other| other.id != payment)?;
            Webhook { payment: other.id, ..honest }
        }
        Forgery::Failed => Webhook { paid: false, ..honest },
    })
}

fn place<'a>(reservation: &'a Loaded<Reservation>, story: &Story, pays: Pays<'a>, now: crate::Timestamp) -> Place<'a> {
    Place {
        reservation,
        slot: slot(story.from),
        price: price(story.from, TOTAL, DEPOSIT),
        policy: Policy::default(),
        contract: crate::contract::Contract::default(),
        site: crate::decision::Read { stream: crate::spec::world::SITE.into(), version: 7 },
        client_id: story.client,
        channel: story.channel,
        code: Code::of(u64::try_from(reservation.id.uuid().as_u128()).unwrap()),
        pays,
        by: story.by,
        now,
    }
}
