//! A log of reservations that were held, paid and played: what is rebuilt.

use std::sync::Arc;

use domain::{
    decision::{Change, Decision},
    event::Event,
    ids::{PaymentId, StreamId},
    money::Money,
    payment::{self, Method},
    reservation::{Completed, PaymentReceived, Purpose},
    text::Text,
};
use eventstore::{Append, Meta, Position, Store};
use tokio::task::JoinSet;

use crate::bench::{
    append::Problem,
    sample::{Ground, Wish},
};

/// Reservations that are on their way at the same time: so far apart are the events of one.
const AT_ONCE: usize = 2_000;
/// Callers of the lane.
const CALLERS: usize = 128;
const GROUNDS: usize = 200;

/// One reservation and its payment.
#[derive(Clone)]
pub(in crate::bench) struct Booking {
    pub(super) wish: Wish,
    payment_id: PaymentId,
}

/// The steps of a booking, 1–3 events each.
const STEPS: usize = 4;

impl Booking {
    pub(super) fn new(store: &Store, ground: &Ground, half_hour: u32) -> Result<Self, Problem> {
        let clock = store.clock();
        let until = clock.now() + chrono::TimeDelta::hours(1);
        Ok(Self { wish: ground.wish(clock, half_hour, until)?, payment_id: PaymentId::new(clock.new_id()) })
    }

    /// Appends the events of one step; the position of the last.
    pub(super) async fn step(&self, store: &Store, step: usize) -> Result<Position, Problem> {
        let changes = self.changes(step, store.clock().now())?;
        let appended = store.append(Append::new(Decision { changes, reads: Vec::new() }, Meta::system())).await?;
        Ok(appended.position())
    }

    fn changes(&self, step: usize, at: domain::Timestamp) -> Result<Vec<Change>, Problem> {
        let wish = &self.wish;
        let (reservation_id, payment_id) = (wish.reservation_id, self.payment_id);
        let client_id = Some(wish.client_id);
        let deposit = wish.held.price.deposit;
        let by = wish.held.placed_by;
        let provider_id: payment::ProviderId = Text::new(&format!("cos-{}", payment_id.uuid().simple()))?;
        let until = wish.held.hold_expires_at;
        let of_payment = |expected, event: Event| change(payment_id, expected, vec![event]);
        Ok(match step {
            0 => vec![
                change(reservation_id, 0, vec![wish.held.clone().into()]),
                of_payment(
                    0,
                    payment::Requested {
                        payment_id,
                        share_id: None,
                        reservation_id,
                        site_id: wish.slot.site_id,
                        client_id,
                        method: Method::Wave,
                        purpose: Purpose::Deposit,
                        amount: deposit,
                        reference: payment::reference(payment_id.uuid(), 1),
                        by,
                        hold_expires_at: Some(until),
                        blocks_until: Some(until),
                        at,
                    }
                    .into(),
                ),
            ],
            1 => vec![of_payment(
                1,
                payment::Opened {
                    payment_id,
                    reservation_id,
                    checkout_url: Text::new(&format!("https://pay.example/c/{provider_id}"))?,
                    provider_id,
                    expires_at: Some(until),
                    close_at: Some(until),
                    blocks_until: Some(until),
                    at,
                }
                .into(),
            )],
            2 => {
                let succeeded = payment::Succeeded {
                    merchant_account: None,
                    payment_id,
                    reservation_id,
                    transaction: Text::new(&format!("T_{}", payment_id.uuid().simple()))?,
                    provider_id: Some(provider_id),
                    method: Method::Wave,
                    expected: deposit,
                    received: deposit,
                    allocated: deposit,
                    credited: Money::zero(deposit.currency),
                    by,
                    at,
                };
                let purpose = Purpose::Deposit;
                let received = PaymentReceived {
                    reservation_id,
                    client_id,
                    payment_id,
                    share_id: None,
                    purpose,
                    amount: deposit,
                    at,
                };
                vec![
                    of_payment(2, succeeded.into()),
                    change(reservation_id, 1, vec![received.into(), wish.confirm(at)]),
                ]
            }
            _ => vec![change(reservation_id, 3, vec![Completed { reservation_id, at }.into()])],
        })
    }
}

fn change(stream: impl Into<StreamId>, expected: i32, events: Vec<Event>) -> Change {
    Change { stream: stream.into(), expected, events }
}

/// Appends until the log holds so many events; answers a few of the bookings, for readers to ask about.
pub(in crate::bench) async fn fill(
    store: &Store,
    events: i64,
    say: &mut (dyn FnMut(&str) + Send),
) -> Result<Vec<Booking>, Problem> {
    let grounds: Vec<Ground> = (0..GROUNDS).map(|_| Ground::new(store.clock(), 2)).collect();
    let mut known = Vec::new();
    let mut number = 0_usize;
    while store.head().await? < events {
        let mut group = Vec::with_capacity(AT_ONCE);
        for _ in 0..AT_ONCE {
            let half_hour = u32::try_from(number / GROUNDS)?.saturating_mul(2);
            if let Some(ground) = grounds.get(number % GROUNDS) {
                group.push(Booking::new(store, ground, half_hour)?);
            }
            number += 1;
        }
        known.extend(group.first().cloned());
        let group = Arc::new(group);
        for step in 0..STEPS {
            let mut callers = JoinSet::new();
            for caller in 0..CALLERS {
                let (store, group) = (store.clone(), Arc::clone(&group));
                callers.spawn(async move {
                    for booking in group.iter().skip(caller).step_by(CALLERS) {
                        booking.step(&store, step).await?;
                    }
                    Ok::<(), Problem>(())
                });
            }
            while let Some(ended) = callers.join_next().await {
                ended??;
            }
        }
        if number.is_multiple_of(AT_ONCE * 10) {
            say(&format!("{} of {events} events", store.head().await?));
        }
    }
    Ok(known)
}
