//! The sum in Redis and the sum in Rust are one.

use ::api::http::limits::{
    gcra::Rate,
    redis::{GIVE_BACK, TAKE},
};
use kalel::seeded::Seeded;

use crate::world::World;

const MINUTE: i64 = 60_000_000;

#[tokio::test]
async fn redis_and_rust_agree_on_every_call() {
    let world = World::new().await;
    let mut redis =
        redis::Client::open(world.redis_url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut random = Seeded(7);
    for sequence in 0..60 {
        let key = format!("{}sum:{sequence}", world.redis_prefix);
        // Not below a minute, or what Redis remembers would run out by its own clock while the test makes up another.
        let (seconds, burst) = (random.below(3_540) + 60, random.below(12) + 1);
        let rate = Rate::new(1, u32::try_from(seconds).unwrap(), u32::try_from(burst).unwrap()).unwrap();
        let mut now = 1_800_000_000_000_000_i64 + i64::try_from(random.below(1_000_000)).unwrap();
        let mut due = None;
        for _ in 0..120 {
            match random.below(10) {
                0..=4 => {}
                5..=6 => now += i64::try_from(random.below(u64::try_from(rate.interval()).unwrap())).unwrap(),
                7 => now += rate.interval(),
                8 => now += rate.interval() * i64::try_from(random.below(3)).unwrap() + 1,
                // A clock that goes back.
                _ => now -= i64::try_from(random.below(1_000_000)).unwrap(),
            }
            if let (0, Some(known)) = (random.below(8), due) {
                due = Some(rate.give_back(known));
                GIVE_BACK.key(&key).arg(rate.interval()).invoke_async::<()>(&mut redis).await.unwrap();
            }
            let tally = rate.take(due, now);
            let told: (bool, i64, i64) =
                TAKE.key(&key).arg(rate.interval()).arg(rate.burst()).arg(now).invoke_async(&mut redis).await.unwrap();
            assert_eq!(told, (tally.admitted, tally.due, tally.now), "{rate:?}");
            if tally.admitted {
                let kept: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut redis).await.unwrap();
                let most = (tally.due - now).div_euclid(1_000) + 1;
                assert!(kept > 0 && kept <= most, "{kept} of {most} ms");
            }
            // What is refused changes nothing.
            due = if tally.admitted { Some(tally.due) } else { due };
        }
        assert!(rate.interval() >= MINUTE);
    }
}

#[tokio::test]
async fn redis_counts_by_its_own_clock_and_forgets_what_is_paid_for() {
    let world = World::new().await;
    let mut redis =
        redis::Client::open(world.redis_url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let key = format!("{}clock", world.redis_prefix);
    let rate = Rate::new(10, 1, 2).unwrap();
    let take = async |redis: &mut redis::aio::MultiplexedConnection| {
        let call: (bool, i64, i64) =
            TAKE.key(&key).arg(rate.interval()).arg(rate.burst()).invoke_async(redis).await.unwrap();
        call
    };
    let (first, due, now) = take(&mut redis).await;
    assert!(first && due == now + rate.interval());
    let real = world.store().await.clock().now().timestamp_micros();
    assert!((real - now).abs() < MINUTE, "{now} is not the time");
    let forgotten = async {
        while redis::cmd("GET").arg(&key).query_async::<Option<String>>(&mut redis).await.unwrap().is_some() {}
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), forgotten).await.expect("it is kept");
    // Somebody else's nonsense under the key is as nothing.
    redis::cmd("SET").arg(&key).arg("nonsense").exec_async(&mut redis).await.unwrap();
    assert!(take(&mut redis).await.0);
}
