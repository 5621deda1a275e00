//! Guessing: by the real tables, with everything that an attacker has but the telephone.

use std::time::Duration;

use eventstore::auth::Hashing;
use futures_util::{StreamExt, stream};
use sha2::{Digest, Sha256};

use super::desk::{Desk, PIN, Phone};

/// Everybody's Redis is emptied all the time: what is counted stands in Postgres.
#[tokio::test]
async fn flushing_redis_changes_nothing() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    let client = redis::Client::open(desk.world.redis_url.as_str()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let mut compared = 0;
    for guess in 0..60 {
        // Of this world only: others use the same server.
        let pattern = format!("kalel:{}:*", desk.store.log().id);
        let keys: Vec<String> = redis::cmd("KEYS").arg(&pattern).query_async(&mut redis).await.unwrap();
        if !keys.is_empty() {
            let _: i64 = redis::cmd("DEL").arg(&keys).query_async(&mut redis).await.unwrap();
        }
        let answer = desk.come_back(&awa, me.device, &format!("{:06}", 500_000 + guess)).await;
        compared += usize::from(answer.body["code"] == "pin.wrong");
        assert!(matches!(answer.status, 422 | 429), "{}", answer.text);
    }
    assert_eq!(compared, 5);
}

/// Guesses over many numbers: each sees a few, all together see the attack.
#[tokio::test]
async fn a_spray_over_many_numbers_asks_for_work() {
    let desk = Desk::new().await;
    for n in 0..20 {
        let phone = Phone::nth(n);
        let challenge = desk.ask(&phone).await.is(202).text("id");
        let code = desk.code(&phone).await;
        let guess = if code == "000000" { "000001" } else { "000000" };
        desk.prove(&phone, &challenge, guess).await.problem(422, "challenge.wrong_code");
    }
    let phone = Phone::nth(100);
    let asked = desk.ask(&phone).await.problem(429, "challenge.work_required");
    let (salt, bits) = (asked.text("salt"), u32::try_from(asked.body["bits"].as_u64().unwrap()).unwrap());
    let enough = |work: &String| {
        let digest = Sha256::digest(format!("{salt}:{work}"));
        u32::from_be_bytes(*digest.first_chunk().unwrap()).leading_zeros() >= bits
    };
    let work = (0_u64..).map(|n| n.to_string()).find(enough).unwrap();
    let body = |phone: &Phone, work: &str| serde_json::json!({ "phone": phone.number, "device_key": phone.device_key(), "work": work });
    let post = async |phone: &Phone, work: &str| {
        let body = body(phone, work);
        desk.call_from(&phone.address, reqwest::Method::POST, "/v1/challenges", None, Some(&body)).await
    };
    post(&Phone::nth(101), &work).await.problem(429, "challenge.work_required");
    post(&phone, "1").await.problem(429, "challenge.work_required");
    post(&phone, &work).await.is(202);
    // Waits are four times as long.
    let refused = post(&phone, &work).await.problem(429, "challenge.too_many");
    assert!((91..=120).contains(&refused.retry_after()), "{}", refused.retry_after());
    // A calm hour, and it is over; known devices never noticed.
    desk.wait(2 * 3_600).await;
    desk.ask(&Phone::nth(102)).await.is(202);
}

/// As many guesses as the rules let, at accounts that have a PIN: none of them is opened.
#[tokio::test]
async fn nobody_guesses_into_an_account_with_a_pin() {
    let desk = Desk::new().await;
    let mut victims = Vec::new();
    for n in 0..8 {
        let phone = Phone::nth(n);
        victims.push((desk.sign_in(&phone, PIN).await, phone));
    }
    let guesses = stream::iter(0..2_000_u32).map(|n| {
        let (me, phone) = &victims[usize::try_from(n).unwrap() % victims.len()];
        let pin = format!("{:06}", (u64::from(n) * 7_919) % 1_000_000);
        desk_guess(&desk, phone, me.device, pin)
    });
    let outcomes: Vec<String> = guesses.buffer_unordered(8).collect().await;
    let compared = outcomes.iter().filter(|code| *code == "pin.wrong").count();
    assert!(compared <= victims.len() * 5, "{compared} were compared");
    assert!(outcomes.iter().all(|code| code != "opened"));
    let sessions: i64 =
        sqlx::query_scalar("SELECT count(*) FROM auth.sessions").fetch_one(&desk.world.pool).await.unwrap();
    assert_eq!(usize::try_from(sessions).unwrap(), victims.len());
}

async fn desk_guess(desk: &Desk, phone: &Phone, device: uuid::Uuid, pin: String) -> String {
    if pin == PIN {
        return "left out".to_owned();
    }
    let answer = desk.come_back(phone, device, &pin).await;
    answer.body["code"].as_str().unwrap_or("opened").to_owned()
}

/// The real cost, once: what does not get a place is told so at once.
#[tokio::test]
async fn hashing_beyond_the_cores_is_503_and_nobody_waits_long() {
    use domain::{ids::SecretId, sign_in::Pin};
    use eventstore::{Keyring, Mode, Options, Store, auth};

    let world = crate::world::World::new().await;
    let mut options = Options::new(world.database_url.clone(), Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.hashing = Hashing { at_once: 1, ..Hashing::default() };
    let store = Store::open(options).await.unwrap();
    let (client, pin) = (domain::ids::ClientId::new(store.clock().new_id()), Pin::new(PIN).unwrap());
    let all =
        (0..12).map(|_| {
            let (store, pin) = (store.clone(), pin.clone());
            async move {
                auth::secret::keep(&store, client.uuid(), SecretId::new(store.clock().new_id()), pin.expose()).await
            }
        });
    let outcomes = tokio::time::timeout(Duration::from_secs(20), futures_util::future::join_all(all)).await.unwrap();
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let busy = outcomes.iter().filter(|outcome| matches!(outcome, Err(auth::AuthError::Busy))).count();
    assert!(done >= 1 && done + busy == 12, "{done} done, {busy} told to come back");
    assert!(busy >= 1, "all twelve at one place, within {:?}", Duration::from_millis(50));
    store.close().await;
}
