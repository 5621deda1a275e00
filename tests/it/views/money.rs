//! A reservation with its payments and refunds: what was received, what is due, what went back.

use domain::{
    ids::*,
    payment as pay,
    refund::{self as back, Reason, Route},
    reservation as event,
};
use projections::{
    payment, refund,
    reservation::{self, Filter, Reservation, Sort, Status, Whose},
};

use super::{
    engine::a_little_history,
    make::{Booking, Ground, Log, at, hours, id, manager, text, xof},
};

async fn find(log: &Log, id: ReservationId) -> Reservation {
    log.project().await;
    let found = reservation::find(&log.world.pool, id).await.unwrap();
    assert_eq!(found.as_of, log.store.head().await.unwrap());
    let row = found.row.unwrap();
    // What is shown is what decides.
    let decides = log.store.load::<event::Reservation>(id).await.unwrap();
    let (state, shown) = (decides.state, &row.details);
    assert_eq!((shown.version, shown.status.as_str()), (decides.version, state.status.as_str()));
    assert_eq!((shown.received, shown.returned), (state.received(), state.refunded()));
    assert_eq!((shown.deposit_due, shown.balance_due), state.owed());
    assert_eq!(shown.price, state.terms.unwrap().price);
    row
}

#[tokio::test]
async fn a_deposit_is_paid_and_comes_back_when_the_manager_cancels() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    let booking = Booking::new(ground.slot(ground.north, hours(20, 21)));
    log.write_all(vec![
        (booking.id.uuid(), vec![booking.held(at(2))]),
        (booking.payment.uuid(), vec![booking.requested()]),
    ])
    .await;
    let held = find(&log, booking.id).await;
    assert_eq!((held.details.status, held.details.hold_expires_at), (Status::Held, at(2)));
    assert_eq!((held.details.deposit_due, held.details.balance_due), (xof(10_000), xof(30_000)));
    assert_eq!(held.payments[0].status, payment::Status::Requested);
    log.write(booking.payment, vec![booking.opened(Some(at(3)))]).await;
    let open = payment::find(&log.world.pool, booking.payment).await.unwrap();
    assert_eq!(open.row.unwrap().checkout_url, None, "not projected yet");
    let open = find(&log, booking.id).await.payments.remove(0);
    assert_eq!(open.status, payment::Status::Pending);
    assert_eq!(open.checkout_url.unwrap().as_str(), "https://pay.wave.com/c/cos-1");
    log.write_all(vec![
        (booking.payment.uuid(), vec![booking.succeeded()]),
        (booking.id.uuid(), vec![booking.received(), booking.confirmed(false)]),
    ])
    .await;
    let paid = find(&log, booking.id).await;
    assert_eq!((paid.details.status, paid.details.confirmed_at), (Status::Confirmed, Some(at(2))));
    assert_eq!(paid.details.received, xof(10_000));
    assert_eq!((paid.details.deposit_due, paid.details.balance_due), (xof(0), xof(20_000)));
    cancel(&mut log, &booking).await;
    let cancelled = find(&log, booking.id).await;
    let reason = cancelled.details.cancellation.as_ref().unwrap().reason;
    assert_eq!((cancelled.details.status, reason), (Status::Cancelled, event::CancelReason::PowerCut));
    assert_eq!(cancelled.details.balance_due, xof(0), "nothing is due for what is not played");
    assert_eq!((cancelled.details.returned, cancelled.refunded().unwrap()), (xof(10_000), xof(0)));
    assert_eq!(cancelled.payments[0].refund_allotted, xof(10_000));
    refund_arrives(&mut log, &booking).await;
    let back = find(&log, booking.id).await;
    assert_eq!(back.refunded().unwrap(), xof(10_000));
    assert_eq!(back.refunds[0].provider_id.as_ref().unwrap().as_str(), "pt-1");
    log.write(booking.refund, vec![reversed(&booking)]).await;
    assert_eq!(find(&log, booking.id).await.refunded().unwrap(), xof(0), "the provider took it back");
    let (_, refunds) = refund::of_payment(&log.world.pool, booking.payment).await.unwrap();
    assert_eq!(refunds.iter().map(|one| one.status).collect::<Vec<_>>(), [refund::Status::Reversed]);
    let (_, payments) = payment::of_reservation(&log.world.pool, booking.id).await.unwrap();
    assert_eq!(payments, back.payments);
}

async fn cancel(log: &mut Log, booking: &Booking) {
    let share = event::RefundShare { payment_id: booking.payment, refund_id: booking.refund, amount: xof(10_000) };
    let cancelled = event::Cancelled {
        reservation_id: booking.id,
        site_id: booking.slot.site_id,
        client_id: Some(booking.client),
        reason: event::CancelReason::PowerCut,
        note: Some(text("coupure")),
        by: manager(),
        refunds: vec![share],
        kept: xof(0),
        counts_on: None,
        at: at(4),
    };
    let allotted = pay::RefundAllotted {
        payment_id: booking.payment,
        refund_id: booking.refund,
        transaction: text("T_1"),
        amount: xof(10_000),
        reason: Reason::Cancellation,
        at: at(4),
    };
    let requested = back::Requested {
        refund_id: booking.refund,
        payment_id: booking.payment,
        reservation_id: booking.id,
        site_id: booking.slot.site_id,
        client_id: Some(booking.client),
        method: pay::Method::Wave,
        route: Route::WholeTransaction,
        transaction: text("T_1"),
        provider_id: Some(text("cos-1")),
        amount: xof(10_000),
        reason: Reason::Cancellation,
        note: None,
        by: manager(),
        needs_approval: false,
        at: at(4),
    };
    log.write_all(vec![
        (booking.id.uuid(), vec![cancelled.into()]),
        (booking.payment.uuid(), vec![allotted.into()]),
        (booking.refund.uuid(), vec![requested.into()]),
    ])
    .await;
}

async fn refund_arrives(log: &mut Log, booking: &Booking) {
    let refund_id = booking.refund;
    let submitted = back::Submitted {
        refund_id,
        route: Route::Payout,
        method: None,
        reference: text("ref"),
        attempt: 1,
        at: at(5),
    };
    let unknown = back::BecameUnknown { refund_id, why: text("timeout"), at: at(5) };
    let succeeded = back::Succeeded {
        refund_id,
        payment_id: booking.payment,
        reservation_id: booking.id,
        client_id: Some(booking.client),
        amount: xof(10_000),
        route: Route::Payout,
        method: None,
        provider_id: Some(text("pt-1")),
        by: manager(),
        at: at(6),
    };
    log.write(refund_id, vec![submitted.into(), unknown.into(), succeeded.into()]).await;
}

fn reversed(booking: &Booking) -> domain::event::Event {
    back::Reversed { refund_id: booking.refund, reason: text("wrong number"), at: at(7) }.into()
}

#[tokio::test]
async fn a_hold_that_ended_and_was_paid_late_lives_again() {
    let mut log = Log::new().await;
    let (_, moved, late) = a_little_history(&mut log).await;
    let late = find(&log, late.id).await.details;
    assert_eq!((late.status, late.late, late.ended_at), (Status::Confirmed, true, None));
    let moved = find(&log, moved.id).await.details;
    assert_eq!((moved.reschedules, moved.cells.len()), (1, 1));
    assert_ne!(moved.pitch_id, late.pitch_id);
    assert_eq!(moved.version, 4);
}

/// What a person grants back is not owed again, and a move by the manager does not use up the client's: here and in the
/// decision alike.
#[tokio::test]
async fn a_view_and_a_decision_count_alike() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    let booking = Booking::new(ground.slot(ground.north, hours(20, 21)));
    let share = event::RefundShare { payment_id: booking.payment, refund_id: booking.refund, amount: xof(4_000) };
    let granted =
        event::MoneyReturned { reservation_id: booking.id, reason: Reason::Goodwill, refunds: vec![share], at: at(4) };
    log.write(booking.id, vec![booking.held(at(2)), booking.received(), booking.confirmed(false)]).await;
    log.write(booking.id, vec![granted.into()]).await;
    let found = find(&log, booking.id).await.details;
    assert_eq!((found.received, found.returned, found.balance_due), (xof(10_000), xof(4_000), xof(20_000)));
    let domain::event::Event::Reservation(event::Event::Rescheduled(moved)) =
        booking.moved(ground.slot(ground.south, hours(21, 22)), 35_000)
    else {
        panic!("a move is a move")
    };
    log.write(booking.id, vec![event::Rescheduled { by: manager(), ..moved }.into()]).await;
    let found = find(&log, booking.id).await.details;
    assert_eq!((found.reschedules, found.balance_due, found.during), (0, xof(25_000), hours(21, 22)));
}

#[tokio::test]
async fn what_is_put_on_account_is_not_received() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    let booking = Booking::new(ground.slot(ground.whole, hours(20, 21)));
    let vouched = pay::PutOnAccount {
        payment_id: booking.payment,
        reservation_id: booking.id,
        amount: xof(30_000),
        by: manager(),
        at: at(1),
    };
    log.write_all(vec![
        (booking.id.uuid(), vec![booking.held(at(2)), booking.confirmed(false)]),
        (booking.payment.uuid(), vec![booking.requested(), vouched.into()]),
    ])
    .await;
    let found = find(&log, booking.id).await;
    assert_eq!(found.details.balance_due, xof(30_000));
    assert_eq!(found.payments[0].status, payment::Status::OnAccount);
    let by_code = reservation::find_by_code(&log.world.pool, ground.site, &booking.code.to_lowercase()).await.unwrap();
    assert_eq!(by_code.row, Some(booking.id));
    let other = reservation::find_by_code(&log.world.pool, id(), &booking.code).await.unwrap();
    assert_eq!(other.row, None, "a code belongs to its site");
}

/// Pages through a list and answers the ids in order.
async fn pages(log: &Log, filter: &Filter, limit: u32) -> Vec<ReservationId> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = reservation::list(&log.world.pool, filter, cursor.as_deref(), limit).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        assert_eq!(page.as_of, log.store.head().await.unwrap());
        ids.extend(page.items.iter().map(|item| item.details.reservation_id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn lists_show_what_is_theirs_in_a_stable_order() {
    let mut log = Log::new().await;
    let (here, there) = (Ground::new(), Ground::new());
    log.write(here.site, here.events("Here", None)).await;
    log.write(there.site, there.events("There", None)).await;
    let mut made = Vec::new();
    // Two sites at every hour, from the last to the first: the order of making is not that of playing.
    for hour in (10..15).rev() {
        for ground in [&here, &there] {
            let booking = Booking::new(ground.slot(ground.north, hours(hour, hour + 1)));
            log.write(booking.id, vec![booking.held(at(2))]).await;
            made.push(booking);
        }
    }
    log.write(made[0].id, vec![made[0].expired()]).await;
    log.project().await;
    let newest: Vec<_> = made.iter().rev().map(|booking| booking.id).collect();
    let everybody = Filter::of(Whose::Everybody);
    for limit in [1, 3, 10, 100] {
        assert_eq!(pages(&log, &everybody, limit).await, newest);
    }
    let mut by_start: Vec<&Booking> = made.iter().collect();
    by_start.sort_by_key(|booking| (booking.slot.during.from(), booking.id));
    let by_start: Vec<_> = by_start.into_iter().map(|booking| booking.id).collect();
    assert_eq!(pages(&log, &Filter { sort: Sort::StartsAt, ..everybody.clone() }, 3).await, by_start);
    let mut last_first = by_start.clone();
    last_first.reverse();
    assert_eq!(pages(&log, &Filter { sort: Sort::StartsAtDescending, ..everybody.clone() }, 4).await, last_first);

    let theirs = |whose| Filter::of(whose);
    let ids = |keep: &dyn Fn(&Booking) -> bool| -> Vec<_> {
        made.iter().rev().filter(|booking| keep(booking)).map(|booking| booking.id).collect()
    };
    let at_here = ids(&|booking| booking.slot.site_id == here.site);
    assert_eq!(pages(&log, &theirs(Whose::Manager(here.manager)), 2).await, at_here);
    assert_eq!(pages(&log, &theirs(Whose::Sites(vec![here.site])), 2).await, at_here);
    assert_eq!(pages(&log, &theirs(Whose::Manager(id())), 2).await, []);
    assert_eq!(pages(&log, &theirs(Whose::Client(made[3].client)), 2).await, [made[3].id]);
    let service = Whose::Service { principal: made[1].client.uuid().into(), sites: vec![here.site] };
    let its = ids(&|booking| booking.slot.site_id == here.site || booking.id == made[1].id);
    assert_eq!(pages(&log, &theirs(service.clone()), 2).await, its);
    let narrowed = Filter { within: Some(vec![there.site]), ..theirs(service) };
    assert_eq!(pages(&log, &narrowed, 2).await, [made[1].id], "a key's sites narrow, they do not widen");
    let day = Filter {
        starts_at_gte: Some(at(11)),
        starts_at_lt: Some(at(13)),
        status: vec![Status::Held, Status::Confirmed],
        site_id: Some(there.site),
        ..everybody.clone()
    };
    let on_day =
        ids(&|booking| booking.slot.site_id == there.site && (at(11)..at(13)).contains(&booking.slot.during.from()));
    assert_eq!(pages(&log, &day, 1).await, on_day);
    assert_eq!(pages(&log, &Filter { status: vec![Status::Expired], ..everybody.clone() }, 9).await, [made[0].id]);

    let first = reservation::list(&log.world.pool, &everybody, None, 1).await.unwrap().next.unwrap();
    assert!(reservation::list(&log.world.pool, &day, Some(&first), 1).await.is_err(), "a cursor of another list");
    assert!(reservation::list(&log.world.pool, &everybody, Some("nonsense"), 1).await.is_err());
    assert!(reservation::list(&log.world.pool, &everybody, None, 0).await.is_err());
    assert!(reservation::list(&log.world.pool, &everybody, None, 101).await.is_err());
}
