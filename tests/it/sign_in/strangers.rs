//! Strangers at the door of whoever works here: they lock nobody out, learn of nobody, and guess nothing.

use std::time::{Duration, Instant};

use domain::ids::SecretId;
use eventstore::{
    Keyring, Mode, Options, Store,
    auth::{
        Hashing, secret,
        tries::{self, Attempt, Factors, Tried},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    desk::{Answer, Desk},
    staff::{OTHER, PASSPHRASE, Staff},
};

const NOBODY: &str = "nobody@kalel.sn";

impl Desk {
    async fn try_staff(&self, address: &str, email: &str, passphrase: &str, code: &str) -> Answer {
        let body = json!({ "email": email, "passphrase": passphrase, "totp": code });
        self.call_from(address, Method::POST, "/v1/sessions/staff", None, Some(&body)).await
    }

    async fn right_from(&self, address: &str, who: &Staff) -> Answer {
        self.try_staff(address, &who.email, PASSPHRASE, &who.code(self)).await
    }

    async fn wrong_from(&self, address: &str, email: &str) -> Answer {
        self.try_staff(address, email, OTHER, "123456").await
    }
}

/// What a stranger sees of an answer, but for the names of the request and the seconds that pass.
fn seen(answer: &Answer) -> (u16, Value, Option<i64>) {
    let mut body = answer.body.clone();
    for member in ["request_id", "instance", "seconds", "detail"] {
        body.as_object_mut().unwrap().remove(member);
    }
    let wait = answer.headers.get("retry-after").map(|_| (answer.retry_after() + 5) / 10);
    (answer.status, body, wait)
}

#[tokio::test]
async fn known_and_unknown_addresses_are_answered_the_same_at_every_count_of_tries() {
    let desk = Desk::new().await;
    let (_, modou) = desk.pair("support").await;
    let mut statuses = Vec::new();
    for net in 0..7 {
        for _ in 0..7 {
            let known = desk.wrong_from(&format!("60.1.{net}.1"), &modou.email).await;
            let unknown = desk.wrong_from(&format!("70.1.{net}.1"), NOBODY).await;
            assert_eq!(seen(&known), seen(&unknown), "{} {}", known.text, unknown.text);
            statuses.push(known.status);
        }
    }
    // Where the person signs in from, too, at the time at which strangers are held.
    for _ in 0..7 {
        let known = desk.wrong_from("10.9.9.9", &modou.email).await;
        let unknown = desk.wrong_from("10.9.8.9", NOBODY).await;
        assert_eq!(seen(&known), seen(&unknown), "{} {}", known.text, unknown.text);
    }
    assert_eq!(statuses[..7], [401, 401, 401, 401, 401, 429, 429], "five, then the network rests");
    assert_eq!(statuses[28..33], [429; 5], "twenty, then strangers wait");
}

#[tokio::test]
async fn strangers_lock_their_own_network_and_not_the_person() {
    let desk = Desk::new().await;
    let (_, modou) = desk.pair("support").await;
    for _ in 0..5 {
        desk.wrong_from("60.1.1.1", &modou.email).await.problem(401, "session.refused");
    }
    // Right or wrong, and from next door.
    let locked = desk.right_from("60.1.1.77", &modou).await.problem(429, "session.locked");
    assert!((890..=900).contains(&locked.retry_after()), "{}", locked.retry_after());
    desk.right_from("10.9.9.9", &modou).await.is(201);
    desk.wait(30).await;
    desk.right_from("61.1.1.1", &modou).await.is(201);
    desk.wait(locked.retry_after()).await;
    desk.right_from("60.1.1.77", &modou).await.is(201);
}

#[tokio::test]
async fn strangers_from_everywhere_hold_each_other_and_nobody_where_they_were_before() {
    let desk = Desk::new().await;
    let (_, modou) = desk.pair("support").await;
    for n in 0..20 {
        desk.wrong_from(&format!("60.1.{n}.1"), &modou.email).await.problem(401, "session.refused");
    }
    let mut waits = Vec::new();
    for n in 20..28 {
        let held = desk.right_from(&format!("60.1.{n}.1"), &modou).await.problem(429, "session.locked");
        waits.push(held.retry_after());
        desk.right_from("10.9.9.9", &modou).await.is(201);
        desk.wait(held.retry_after().max(30)).await;
        desk.wrong_from(&format!("60.2.{n}.1"), &modou.email).await.problem(401, "session.refused");
    }
    assert!(waits.is_sorted() && waits[0] <= 30 && waits[1] > 30 && waits[7] > 890 && waits[7] <= 900, "{waits:?}");
    // After 90 days nobody remembers the network, and after a day nobody the strangers.
    desk.wait(91 * 86_400).await;
    desk.right_from("62.1.1.1", &modou).await.is(201);
    for n in 0..20 {
        desk.wrong_from(&format!("60.3.{n}.1"), &modou.email).await.problem(401, "session.refused");
    }
    desk.wait(29).await;
    desk.right_from("10.9.9.9", &modou).await.problem(429, "session.locked");
}

#[tokio::test]
async fn one_network_does_not_try_everybody() {
    let desk = Desk::new().await;
    let (admin, modou) = desk.pair("support").await;
    for n in 0..20 {
        desk.wrong_from("60.1.1.1", &format!("somebody{n}@kalel.sn")).await.problem(401, "session.refused");
    }
    let held = desk.right_from("60.1.1.1", &modou).await.problem(429, "session.locked");
    assert!(held.retry_after() > 3_500, "{}", held.retry_after());
    desk.right_from("60.1.1.2", &modou).await.is(201);
    // Strangers behind the same address of an operator do not keep out who was there before.
    for n in 0..25 {
        desk.wrong_from("10.9.9.9", &format!("somebody{n}@kalel.sn")).await;
    }
    desk.right_from("10.9.9.9", &admin).await.is(201);
}

#[tokio::test]
async fn a_passphrase_without_its_code_is_tried_ten_times_from_everywhere_and_nothing_tells_that_it_is_right() {
    let desk = Desk::new().await;
    let (_, modou) = desk.pair("support").await;
    let wrong = if modou.code(&desk) == "000000" { "000001" } else { "000000" };
    for n in 0..5 {
        let half = desk.try_staff(&format!("60.1.{n}.1"), &modou.email, PASSPHRASE, wrong).await;
        assert_eq!(seen(&half), seen(&desk.wrong_from(&format!("70.1.{n}.1"), NOBODY).await));
    }
    // Five of them rest, from everywhere: the passphrase is known to somebody.
    desk.right_from("61.1.1.1", &modou).await.problem(401, "session.refused");
    desk.right_from("10.9.9.9", &modou).await.problem(401, "session.refused");
    desk.wait(901).await;
    desk.right_from("61.1.2.1", &modou).await.is(201);
}

/// A store whose hashing costs what it costs.
#[tokio::test]
async fn nobody_is_answered_as_slowly_as_somebody() {
    let world = crate::world::World::new().await;
    let mut options = Options::new(world.database_url.clone(), Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.hashing = Hashing { at_once: 2, ..Hashing::default() };
    let store = Store::open(options).await.unwrap();
    let account = domain::ids::PrincipalId::new(store.clock().new_id());
    let passphrase = SecretId::new(store.clock().new_id());
    secret::keep(&store, account.uuid(), passphrase, PASSPHRASE).await.unwrap();
    let totp = SecretId::new(store.clock().new_id());
    let known = Factors { account, passphrase, totp };
    let mut times = [Vec::new(), Vec::new()];
    for n in 0..9 {
        for (at, (email, account)) in [("modou@kalel.sn", Some(known)), (NOBODY, None)].into_iter().enumerate() {
            let net = format!("60.{at}.{n}.0");
            let attempt = Attempt { email, account, address: &net, neighbours: &net };
            let begun = Instant::now();
            let tried = tries::sign_in(&store, &attempt, OTHER, "123456").await.unwrap();
            times[at].push(begun.elapsed());
            assert_eq!(tried, Tried::Wrong { half: false });
        }
    }
    let [somebody, nobody] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    assert!(nobody >= Duration::from_millis(5), "{nobody:?}");
    let (less, more) = (somebody.min(nobody), somebody.max(nobody));
    assert!(more < less.mul_f64(1.5), "{somebody:?} for somebody, {nobody:?} for nobody");
    store.close().await;
}
