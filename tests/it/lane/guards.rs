//! Who gets the ground, in one batch and between batches.

use domain::decision::Decision;
use eventstore::{Refusal, Store};
use sqlx::PgPool;
use uuid::Uuid;

use super::{append, in_an_hour, in_one_batch, log, names, refusal, sample};
use crate::world::World;

/// Holders of a cell at every position of the log, as the guard table remembers them.
async fn history(pool: &PgPool, cell: Uuid) -> Vec<(Uuid, i64, Option<i64>)> {
    sqlx::query_as(
        "SELECT holder, from_position, to_position FROM event_log.slot_claims WHERE cell_id = $1 ORDER BY from_position",
    )
    .bind(cell)
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn holder(store: &Store, ground: &sample::Ground, half_hour: u32) -> Option<Uuid> {
    let claims = store.claims(&ground.cells, ground.slot(half_hour).unwrap().during).await.unwrap();
    claims.first().map(|claim| claim.holder)
}

#[tokio::test]
async fn a_refused_command_never_costs_a_neighbour_its_free_slot() {
    let world = World::new().await;
    let store = world.store().await;
    let (clock, until) = (store.clock(), in_an_hour(&store));
    let ground = sample::Ground::new(clock, 2);
    let taken = ground.only(&[0]).wish(clock, 0, until).unwrap();
    append(&store, taken.place()).await.unwrap();
    // Wants a free cell and the taken one, so it gets neither; the neighbour wants only the free one.
    let greedy = ground.only(&[1, 0]).wish(clock, 0, until).unwrap();
    let neighbour = ground.only(&[1]).wish(clock, 0, until).unwrap();
    let late = ground.only(&[1]).wish(clock, 1, until).unwrap();
    let decisions = vec![greedy.place(), neighbour.place(), late.place()];
    let mut outcomes = in_one_batch(&world, &store, decisions).await.into_iter();
    let Refusal::SlotTaken { holder: theirs, .. } = refusal(outcomes.next().unwrap()) else { panic!() };
    assert_eq!(theirs, taken.reservation_id.uuid());
    outcomes.next().unwrap().unwrap();
    let Refusal::SlotTaken { holder: theirs, .. } = refusal(outcomes.next().unwrap()) else { panic!() };
    assert_eq!(theirs, neighbour.reservation_id.uuid(), "the neighbour of the same batch is in the way");
    assert_eq!(holder(&store, &ground.only(&[1]), 0).await, Some(neighbour.reservation_id.uuid()));
}

#[tokio::test]
async fn a_reschedule_frees_and_takes_in_one_step() {
    let world = World::new().await;
    let store = world.store().await;
    let (clock, until) = (store.clock(), in_an_hour(&store));
    let ground = sample::Ground::new(clock, 1);
    let wish = ground.wish(clock, 0, until).unwrap();
    let confirmed = sample::one(wish.reservation_id, 0, [wish.held.clone().into(), wish.confirm(until)]);
    append(&store, confirmed).await.unwrap();
    // Half an hour later: the new hour overlaps the old one, which only this command frees.
    let moved = sample::one(wish.reservation_id, 2, [wish.reschedule(ground.slot(1).unwrap(), until)]);
    // In the same batch somebody takes the hour before, of which half has just become free.
    let other = ground.wish(clock, 0, until).unwrap();
    let early = Decision::default().and(other.place());
    let mut before = ground.wish(clock, 0, until).unwrap();
    before.held.slot.claims = domain::interval::Interval::lasting(before.held.slot.claims.from(), 30).unwrap();
    let outcomes = in_one_batch(&world, &store, vec![before.place(), moved, early, before.place()]).await;
    assert!(outcomes[0].is_err(), "still taken when it was asked for");
    assert!(outcomes[1].is_ok(), "{:?}", outcomes[1]);
    assert!(outcomes[2].is_err(), "a whole hour reaches into the new one");
    assert!(outcomes[3].is_ok(), "free once the reservation has moved: {:?}", outcomes[3]);
    // One lone command goes the same way.
    let again = sample::one(wish.reservation_id, 3, [wish.reschedule(ground.slot(2).unwrap(), until)]);
    append(&store, again).await.unwrap();
    let firm = store.claims(&ground.cells, ground.slot(2).unwrap().during).await.unwrap();
    assert_eq!((firm.len(), firm[0].releasable_at), (1, None));
}

#[tokio::test]
async fn two_reservations_swap_in_one_decision() {
    let world = World::new().await;
    let store = world.store().await;
    let (clock, until) = (store.clock(), in_an_hour(&store));
    let ground = sample::Ground::new(clock, 1);
    let (one, two) = (ground.wish(clock, 0, until).unwrap(), ground.wish(clock, 2, until).unwrap());
    append(&store, one.place()).await.unwrap();
    append(&store, two.place()).await.unwrap();
    let swap = sample::one(one.reservation_id, 1, [one.reschedule(two.slot.clone(), until)]).and(sample::one(
        two.reservation_id,
        1,
        [two.reschedule(one.slot.clone(), until)],
    ));
    append(&store, swap).await.unwrap();
    assert_eq!(holder(&store, &ground, 0).await, Some(two.reservation_id.uuid()));
    assert_eq!(holder(&store, &ground, 2).await, Some(one.reservation_id.uuid()));
}

#[tokio::test]
async fn who_needs_the_slot_of_a_lapsed_hold_ends_it_first_and_stays_unnamed() {
    let world = World::new().await;
    let store = world.store().await;
    let clock = store.clock();
    let ground = sample::Ground::new(clock, 2);
    let lapsed = ground.wish(clock, 0, clock.now() - chrono::TimeDelta::seconds(1)).unwrap();
    append(&store, lapsed.place()).await.unwrap();
    let winner = ground.only(&[1]).wish(clock, 0, in_an_hour(&store)).unwrap();
    append(&store, winner.place()).await.unwrap();
    assert_eq!(names(&store).await, ["reservation.held", "reservation.expired", "reservation.held"]);
    let events = log(&store).await;
    assert_eq!((events[1].stream_id, events[1].version), (lapsed.reservation_id.uuid(), 2));
    let told = events[1].export_line();
    for secret in [winner.reservation_id.to_string(), winner.client_id.to_string()] {
        assert!(!told.contains(&secret), "{told}");
    }
    // The other cell of the lapsed hold is free as well, and the past is remembered.
    assert_eq!(holder(&store, &ground.only(&[0]), 0).await, None);
    let past = history(&world.pool, ground.cells[1].uuid()).await;
    assert_eq!(past, [(lapsed.reservation_id.uuid(), 1, Some(2)), (winner.reservation_id.uuid(), 3, None)]);
    // Its own timer comes too late: the stream has moved.
    let timer = sample::one(lapsed.reservation_id, 1, [lapsed.expire(clock.now())]);
    append(&store, timer).await.unwrap_err();
}

#[tokio::test]
async fn a_refused_command_expires_nobody() {
    let world = World::new().await;
    let store = world.store().await;
    let (clock, until) = (store.clock(), in_an_hour(&store));
    let ground = sample::Ground::new(clock, 2);
    let lapsed = ground.only(&[0]).wish(clock, 0, clock.now() - chrono::TimeDelta::seconds(1)).unwrap();
    let firm = ground.only(&[1]).wish(clock, 0, until).unwrap();
    append(&store, lapsed.place()).await.unwrap();
    append(&store, firm.place()).await.unwrap();
    append(&store, ground.wish(clock, 0, until).unwrap().place()).await.unwrap_err();
    assert_eq!(names(&store).await, ["reservation.held", "reservation.held"]);
    // Late money still finds its slot.
    append(&store, sample::one(lapsed.reservation_id, 1, [lapsed.confirm(until)])).await.unwrap();
    append(&store, ground.only(&[0]).wish(clock, 0, until).unwrap().place()).await.unwrap_err();
}

#[tokio::test]
async fn unpaid_holds_are_limited_and_lapsed_ones_do_not_count() {
    let world = World::new().await;
    let store = world.store().await;
    let (clock, until) = (store.clock(), in_an_hour(&store));
    let client = sample::Ground::new(clock, 1).wish(clock, 0, until).unwrap().client_id;
    let wish = |until| {
        let mut wish = sample::Ground::new(clock, 1).wish(clock, 0, until).unwrap();
        wish.client_id = client;
        wish.held.client_id = Some(client);
        wish
    };
    let past = clock.now() - chrono::TimeDelta::seconds(1);
    append(&store, wish(past).place()).await.unwrap();
    let (one, two, three, four) = (wish(until), wish(until), wish(until), wish(until));
    let decisions = [&one, &two, &three, &four].map(sample::Wish::place).to_vec();
    let mut outcomes = in_one_batch(&world, &store, decisions).await;
    let fourth = outcomes.pop().unwrap();
    assert!(matches!(refusal(fourth), Refusal::LimitReached { max: 3, .. }), "the lapsed one does not count");
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert!(matches!(refusal(append(&store, four.place()).await), Refusal::LimitReached { max: 3, .. }));
    // A paid hold no longer counts.
    append(&store, sample::one(one.reservation_id, 1, [one.confirm(until)])).await.unwrap();
    append(&store, four.place()).await.unwrap();
}

#[tokio::test]
async fn a_name_belongs_to_the_first() {
    let world = World::new().await;
    let store = world.store().await;
    let (clock, until) = (store.clock(), in_an_hour(&store));
    let ground = sample::Ground::new(clock, 1);
    let one = ground.wish(clock, 0, until).unwrap();
    let mut two = ground.wish(clock, 2, until).unwrap();
    two.held.code = one.held.code.clone();
    let mut outcomes = in_one_batch(&world, &store, vec![one.place(), two.place()]).await;
    let second = refusal(outcomes.pop().unwrap());
    let Refusal::NotUnique { scope, holder: first, .. } = &second else { panic!("{second:?}") };
    assert_eq!((scope.as_str(), *first), (domain::reservation::CODE, one.reservation_id.uuid()));
    assert!(matches!(refusal(append(&store, two.place()).await), Refusal::NotUnique { .. }));
    let key = format!("{}:{}", ground.site_id, one.held.code.0);
    assert_eq!(store.holder_of(domain::reservation::CODE, &key).await.unwrap(), Some(one.reservation_id.uuid()));
    assert_eq!(holder(&store, &ground, 2).await, None, "the refused command took no ground");
}

#[tokio::test]
async fn half_open_hours_touch_and_halves_conflict_with_the_whole() {
    let world = World::new().await;
    let store = world.store().await;
    let (clock, until) = (store.clock(), in_an_hour(&store));
    let ground = sample::Ground::new(clock, 2);
    append(&store, ground.only(&[0]).wish(clock, 0, until).unwrap().place()).await.unwrap();
    append(&store, ground.only(&[1]).wish(clock, 0, until).unwrap().place()).await.unwrap();
    append(&store, ground.wish(clock, 1, until).unwrap().place()).await.unwrap_err();
    append(&store, ground.wish(clock, 2, until).unwrap().place()).await.unwrap();
    let site = clock.new_id();
    let closed = sample::one(domain::ids::StreamId::new(site), 0, [ground.closure(clock, 3).unwrap().into()]);
    append(&store, closed).await.unwrap_err();
}
