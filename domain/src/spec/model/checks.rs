//! The conditions of the laws: looked for in the log, in the provider's truth, and in how the two agree.

use super::{
    Booking,
    lane::{Lane, OURS, THEIRS},
    provider::{Moving, Standing},
    refunds::WAVE_ONLY,
    state::State,
    worker::{checkout_name, transaction},
};
use crate::{
    Timestamp,
    event::Event,
    guard,
    ledger::Account,
    payment,
    refund::{self, Next, Reason},
    reservation::{self, CancelReason, Grounds, Status},
    spec::story::DEPOSIT,
};

fn ours(lane: &Lane) -> impl Iterator<Item = &reservation::Event> {
    lane.world.log.iter().filter(|(stream, _)| *stream == OURS.into()).filter_map(|(_, event)| match event {
        Event::Reservation(event) => Some(event),
        _ => None,
    })
}

fn of_payments(lane: &Lane) -> impl Iterator<Item = &payment::Event> {
    lane.world.log.iter().filter_map(|(stream, event)| match event {
        Event::Payment(event) if lane.payment(stream.uuid().into()).is_some() => Some(event),
        _ => None,
    })
}

fn refunds_asked(lane: &Lane) -> impl Iterator<Item = &refund::Requested> {
    lane.refunds.iter().filter_map(|refund| refund.state.request.as_ref())
}

fn status(state: &State) -> Status {
    state.lane.reservation.state.status
}

fn fence(lane: &Lane) -> Timestamp {
    let terms = lane.reservation.state.terms.as_ref().unwrap();
    terms.hold_expires_at + chrono::Duration::minutes(2)
}

/// Something is under way, or due.
pub(super) fn is_busy(state: &State) -> bool {
    let owed = state.effects.iter().any(|effect| effect.due <= state.now() || effect.answer.is_some());
    owed || state.provider.is_moving() || !state.post.is_empty() || !state.provider.late.is_empty()
}

/// The last instant, and nothing is under way any more.
pub(super) fn is_quiet(model: &Booking, state: &State) -> bool {
    model.is_last(state) && !is_busy(state)
}

pub(super) fn one_holder(_: &Booking, state: &State) -> bool {
    let world = &state.lane.world;
    let theirs = world.reservation(THEIRS).status.is_live();
    let both = theirs && matches!(status(state), Status::Confirmed | Status::CheckedIn);
    let claims = world.open_claims();
    let blocks = |claim: &&guard::OpenClaim| guard::blocks(claim.releasable_at, state.now());
    let blocking: Vec<_> = claims.iter().filter(blocks).map(|claim| claim.holder).collect();
    let firm = status(state) != Status::Confirmed || blocking.contains(&OURS.uuid());
    blocking.len() <= 1 && !both && firm
}

pub(super) fn confirmed_with_deposit(_: &Booking, state: &State) -> bool {
    let mut received = 0;
    ours(&state.lane).all(|event| match event {
        reservation::Event::PaymentReceived(money) => {
            received += money.amount.amount;
            true
        }
        reservation::Event::Confirmed(confirmed) => {
            matches!(confirmed.grounds, Grounds::Payment { .. }) && received >= DEPOSIT
        }
        _ => true,
    })
}

pub(super) fn short_never_confirms(_: &Booking, state: &State) -> bool {
    let charged: i64 = state.provider.charges.iter().map(|charge| charge.amount).sum();
    charged >= DEPOSIT || !ours(&state.lane).any(|event| matches!(event, reservation::Event::Confirmed(_)))
}

/// Of each payment: what was captured is the reservation's, the client's, or allotted to refunds.
pub(super) fn each_franc_has_a_place(_: &Booking, state: &State) -> bool {
    state.lane.payments.iter().all(|payment| {
        let held = state.lane.reservation.state.held_of(payment.id).amount;
        let credited: i64 = payment.state.captures.iter().map(|capture| capture.credited.amount).sum();
        let allotted = payment.state.allotted().amount;
        let refunds = refunds_asked(&state.lane).filter(|asked| asked.payment_id == payment.id);
        let asked: i64 = refunds.map(|asked| asked.amount.amount).sum();
        payment.state.captured().amount == held + credited + allotted && asked == allotted
    })
}

pub(super) fn no_charge_is_lost(model: &Booking, state: &State) -> bool {
    let known = |nth: usize| {
        let name = transaction(nth);
        state.lane.payments.iter().any(|payment| payment.state.capture(&name).is_some())
    };
    !is_quiet(model, state) || (0..state.provider.charges.len()).all(known)
}

pub(super) fn one_key_a_payment(_: &Booking, state: &State) -> bool {
    let requested = |checkout: &super::provider::Checkout| {
        let request = state.lane.payment(checkout.payment).and_then(|payment| payment.state.request.as_ref());
        request.is_some_and(|request| request.reference.as_str() == checkout.key)
    };
    let told = |payment: &payment::Event| match payment {
        payment::Event::Opened(opened) => Some((opened.payment_id, opened.provider_id.clone())),
        _ => None,
    };
    let told: Vec<_> = of_payments(&state.lane).filter_map(told).collect();
    let one_address = told.iter().all(|(id, name)| told.iter().all(|(other, another)| id != other || name == another));
    !state.provider.blind && one_address && state.provider.checkouts.iter().all(requested)
}

pub(super) fn refunds_within_captured(_: &Booking, state: &State) -> bool {
    let ours = state.lane.payments.iter().all(|payment| {
        payment.state.captures.iter().all(|capture| {
            let gone = payment.state.allotted_of(&capture.transaction).amount + capture.credited.amount;
            gone <= capture.received.amount
        })
    });
    let provider = &state.provider;
    let theirs = state.lane.payments.iter().all(|payment| {
        let of = provider.charges.iter().filter(|charge| provider.checkouts[charge.checkout].payment == payment.id);
        let charged: i64 = of.map(|charge| charge.amount).sum();
        let out =
            provider.movements.iter().filter(|movement| movement.payment == payment.id && is_out(movement.moving));
        out.map(|movement| movement.amount).sum::<i64>() <= charged
    });
    ours && theirs
}

const fn is_out(moving: Moving) -> bool {
    matches!(moving, Moving::Processing | Moving::Succeeded)
}

pub(super) fn refunded_once(_: &Booking, state: &State) -> bool {
    state.lane.refunds.iter().all(|refund| {
        let of = |movement: &&super::provider::Movement| movement.refund == refund.id && is_out(movement.moving);
        let credited = refund.state.attempt.as_ref().is_some_and(|attempt| attempt.route == refund::Route::Credit);
        let asked = refund.state.request.as_ref().map_or(0, |asked| asked.amount.amount);
        let out: Vec<i64> = state.provider.movements.iter().filter(of).map(|movement| movement.amount).collect();
        out.len() + usize::from(credited) <= 1 && out.iter().all(|amount| *amount == asked)
    })
}

pub(super) fn unknown_keeps_its_key(_: &Booking, state: &State) -> bool {
    state.lane.refunds.iter().all(|refund| {
        let mut last = refund::Status::Absent;
        let mut keys = Vec::new();
        let of = state.lane.world.log.iter().filter(|(stream, _)| *stream == refund.id.into());
        let lawful = of.into_iter().all(|(_, event)| {
            let Event::Refund(event) = event else { return true };
            let (before, next) = (last, after(event));
            last = next;
            if let refund::Event::Submitted(submitted) = event {
                keys.push(submitted.reference.to_string());
                return matches!(before, refund::Status::Approved | refund::Status::Failed | refund::Status::Reversed);
            }
            true
        });
        let of = |movement: &&super::provider::Movement| movement.refund == refund.id;
        let used = state.provider.movements.iter().filter(of);
        let known = |key: &str| key.starts_with("whole:") || keys.iter().any(|known| known == key);
        lawful && used.into_iter().all(|movement| known(&movement.key))
    })
}

const fn after(event: &refund::Event) -> refund::Status {
    match event {
        refund::Event::Requested(_) => refund::Status::Requested,
        refund::Event::Approved(_) => refund::Status::Approved,
        refund::Event::Declined(_) => refund::Status::Declined,
        refund::Event::Submitted(_) => refund::Status::Submitted,
        refund::Event::Pending(_) => refund::Status::Pending,
        // Nobody states anything in the model.
        refund::Event::BecameUnknown(_) | refund::Event::OutcomeStated(_) => refund::Status::Unknown,
        refund::Event::Succeeded(_) => refund::Status::Succeeded,
        refund::Event::Failed(_) => refund::Status::Failed,
        refund::Event::Reversed(_) => refund::Status::Reversed,
    }
}

/// Every landing is a charge of that payment, once, to the franc.
pub(super) fn only_what_the_provider_knows(_: &Booking, state: &State) -> bool {
    let provider = &state.provider;
    let real = state.lane.payments.iter().all(|payment| {
        payment.state.captures.iter().all(|capture| {
            let nth = (0..provider.charges.len()).find(|nth| transaction(*nth) == capture.transaction);
            nth.is_some_and(|nth| {
                let charge = &provider.charges[nth];
                charge.amount == capture.received.amount && provider.checkouts[charge.checkout].payment == payment.id
            })
        })
    });
    real && !state.hint_moved
}

pub(super) fn lands_once(_: &Booking, state: &State) -> bool {
    let names = state.lane.payments.iter().flat_map(|payment| &payment.state.captures);
    let mut names: Vec<_> = names.map(|capture| capture.transaction.as_str()).collect();
    let landed = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() == landed && landed <= state.provider.charges.len()
}

pub(super) fn success_stays(_: &Booking, state: &State) -> bool {
    state
        .lane
        .payments
        .iter()
        .all(|payment| payment.state.captures.is_empty() || payment.state.status == payment::Status::Succeeded)
}

/// A checkout that was told to the client and paid did not end unpaid for us.
pub(super) fn ended_means_ended(_: &Booking, state: &State) -> bool {
    state.provider.checkouts.iter().enumerate().all(|(nth, checkout)| {
        let payment = state.lane.told_of(checkout_name(nth).as_str());
        let ended = payment.is_some_and(|payment| {
            let status = payment.state.status;
            matches!(status, payment::Status::Failed | payment::Status::Expired) && !payment.state.lingers()
        });
        !ended || matches!(checkout.standing, Standing::Expired | Standing::Failed)
    })
}

pub(super) fn revived_only_by_late_money(_: &Booking, state: &State) -> bool {
    let mut last: Option<&reservation::Event> = None;
    ours(&state.lane).all(|event| {
        use reservation::Event as E;
        let lawful = match event {
            E::Confirmed(confirmed) => match last {
                Some(E::Held(_)) => confirmed.reclaims.is_none(),
                Some(E::Expired(_)) => confirmed.reclaims.is_some(),
                _ => false,
            },
            E::Held(_) => last.is_none(),
            E::Expired(_) => matches!(last, Some(E::Held(_))),
            E::Cancelled(_) => matches!(last, Some(E::Held(_) | E::Confirmed(_))),
            _ => true,
        };
        if !matches!(event, E::PaymentReceived(_) | E::MoneyReturned(_)) {
            last = Some(event);
        }
        lawful
    })
}

pub(super) fn holds_end(model: &Booking, state: &State) -> bool {
    let fence = fence(&state.lane);
    let held = matches!(status(state), Status::Held);
    let claims = state.lane.world.open_claims();
    let bounded = claims.iter().filter(|claim| claim.holder == OURS.uuid() && held).all(|claim| {
        claim.releasable_at.is_some_and(|at| at <= fence)
            && (state.now() < fence || !guard::blocks(claim.releasable_at, state.now()))
    });
    bounded && (!is_quiet(model, state) || !held)
}

/// Until the grace is over, the end of a hold is not written while a checkout of it may be paid.
pub(super) fn closed_before_freed(_: &Booking, state: &State) -> bool {
    let mut open = std::collections::BTreeSet::new();
    let fence = fence(&state.lane);
    state.lane.world.log.iter().all(|(_, event)| {
        match event {
            Event::Payment(payment::Event::Opened(payment::Opened { payment_id, blocks_until: Some(_), .. }))
            | Event::Payment(payment::Event::BecameUnknown(payment::BecameUnknown { payment_id, .. })) => {
                open.insert(*payment_id);
            }
            Event::Payment(payment::Event::Succeeded(payment::Succeeded { payment_id, .. }))
            | Event::Payment(payment::Event::Failed(payment::Failed { payment_id, .. }))
            | Event::Payment(payment::Event::Expired(payment::Expired { payment_id, .. })) => {
                open.remove(payment_id);
            }
            Event::Reservation(reservation::Event::Expired(expired)) if expired.reservation_id == OURS => {
                return expired.at >= fence || open.is_empty();
            }
            _ => {}
        }
        true
    })
}

pub(super) fn second_success_goes_back_once(_: &Booking, state: &State) -> bool {
    let back =
        |name: &payment::ProviderId| refunds_asked(&state.lane).filter(|asked| asked.transaction == *name).count();
    let duplicated = of_payments(&state.lane).all(|event| match event {
        payment::Event::Duplicated(second) => {
            let whole = refunds_asked(&state.lane)
                .any(|asked| asked.transaction == second.transaction && asked.amount == second.received);
            whole && back(&second.transaction) == 1
        }
        _ => true,
    });
    duplicated
        && refunds_asked(&state.lane).all(|asked| asked.reason != Reason::Duplicate || back(&asked.transaction) == 1)
}

/// Called off 12 hours before the start or earlier: nothing is kept. Later: the deposit, whenever the money came.
pub(super) fn cancelled_by_the_policy(_: &Booking, state: &State) -> bool {
    let terms = state.lane.reservation.state.terms.as_ref().unwrap();
    let free_until = terms.slot.during.from() - chrono::Duration::hours(12);
    let mut confirmed = false;
    let mut held = 0;
    let mut most: Option<i64> = None;
    state.lane.world.log.iter().all(|(stream, event)| match event {
        Event::Reservation(reservation::Event::Confirmed(_)) if *stream == OURS.into() => {
            confirmed = true;
            true
        }
        Event::Reservation(reservation::Event::PaymentReceived(money)) if *stream == OURS.into() => {
            held += money.amount.amount;
            most.is_none_or(|most| held <= most)
        }
        Event::Reservation(reservation::Event::MoneyReturned(back)) if *stream == OURS.into() => {
            held -= back.refunds.iter().map(|share| share.amount.amount).sum::<i64>();
            true
        }
        Event::Reservation(reservation::Event::Cancelled(cancelled)) if *stream == OURS.into() => {
            let late = cancelled.reason == CancelReason::Client && cancelled.at > free_until;
            let allowed = if late { DEPOSIT } else { 0 };
            most = Some(allowed);
            held -= cancelled.refunds.iter().map(|share| share.amount.amount).sum::<i64>();
            held == cancelled.kept.amount && (held == allowed.min(held) && (confirmed || held == 0))
        }
        Event::Payment(payment::Event::Succeeded(landed)) if landed.reservation_id == OURS => {
            most.is_none_or(|most| landed.allocated.amount == landed.received.amount.min(most - held))
        }
        _ => true,
    })
}

pub(super) fn ledger_is_balanced(_: &Booking, state: &State) -> bool {
    state.lane.unbalanced.is_none()
}

/// Once nothing is under way, our clearing account holds what the provider's ledger holds.
pub(super) fn ledgers_agree(model: &Booking, state: &State) -> bool {
    let charged: i64 = state.provider.charges.iter().map(|charge| charge.amount).sum();
    let out = state.provider.movements.iter().filter(|movement| is_out(movement.moving));
    let theirs = charged - out.map(|movement| movement.amount).sum::<i64>();
    !is_quiet(model, state) || state.lane.ledger.balance(clearing()) == theirs
}

fn clearing() -> Account {
    Account::of(payment::Method::Wave, crate::spec::world::SITE).unwrap()
}

/// Paid, or ended; not held any more; refunds paid, or in the hands of a person.
pub(super) fn is_settled(state: &State) -> bool {
    let payments = state.lane.payments.iter().all(|payment| !payment.state.status.is_open());
    let refunds = state.lane.refunds.iter().all(|refund| {
        let by_hand = refund::next(&refund.state, &WAVE_ONLY) == Next::Cash;
        refund.state.status == refund::Status::Succeeded || by_hand
    });
    payments && refunds && status(state) != Status::Held
}

pub(super) fn quiet_is_settled(model: &Booking, state: &State) -> bool {
    !is_quiet(model, state) || is_settled(state)
}
