//! PINs: beside something that they have, never alone, and never by whoever has the number only.

use reqwest::Method;
use serde_json::json;

use super::desk::{Desk, OTHER_PIN, PIN, Phone, SignedIn};

#[tokio::test]
async fn a_code_alone_never_opens_an_account_with_a_pin() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    // Somebody has the number now, and knows what is sent to it.
    let thief = awa.another(3);
    let (challenge, next) = desk.proven(&thief).await;
    assert_eq!(next, "pin");
    for left in (0..5).rev() {
        let answer = desk.open(&thief, &challenge, OTHER_PIN).await.problem(422, "pin.wrong");
        assert_eq!(answer.body["tries_left"], left);
    }
    let locked = desk.open(&thief, &challenge, PIN).await.problem(429, "pin.locked");
    assert!((840..=900).contains(&locked.retry_after()), "{}", locked.retry_after());
    assert_eq!(desk.client(me.client).await.state.devices.len(), 1);
    let sessions: i64 =
        sqlx::query_scalar("SELECT count(*) FROM auth.sessions").fetch_one(&desk.world.pool).await.unwrap();
    assert_eq!(sessions, 1);
}

#[tokio::test]
async fn never_again_a_pin_is_set_without_a_code() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let challenge = desk.ask(&awa).await.is(202).text("id");
    desk.open(&awa, &challenge, PIN).await.problem(409, "challenge.not_proven");
    let me = desk.sign_in(&Phone::nth(2), PIN).await;
    let path = format!("/v1/clients/{}/pin", me.client);
    let body = json!({ "pin": OTHER_PIN, "new_pin": OTHER_PIN });
    desk.call(Method::PUT, &path, Some(&me.access), Some(&body)).await.problem(422, "pin.wrong");
    desk.call(Method::PUT, &path, None, Some(&body)).await.problem(401, "auth.missing");
    let other = desk.sign_in(&Phone::nth(3), PIN).await;
    let body = json!({ "pin": PIN, "new_pin": OTHER_PIN });
    desk.call(Method::PUT, &path, Some(&other.access), Some(&body)).await.problem(404, "object.not_found");
    assert_eq!(desk.events(me.client).await.iter().filter(|name| *name == "client.pin_set").count(), 1);
}

#[tokio::test]
async fn a_new_device_needs_both() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    let tablet = awa.another(3);
    let (challenge, _) = desk.proven(&tablet).await;
    desk.open(&tablet, &challenge, OTHER_PIN).await.problem(422, "pin.wrong");
    let there = SignedIn::of(&desk.open(&tablet, &challenge, PIN).await.is(201));
    assert_eq!((there.client, desk.client(me.client).await.state.devices.len()), (me.client, 2));
    // A right one forgets the wrong ones.
    let forgotten: (i16, bool) =
        sqlx::query_as("SELECT wrong, needs_code FROM auth.secrets").fetch_one(&desk.world.pool).await.unwrap();
    assert_eq!(forgotten, (0, false));
}

#[tokio::test]
async fn ten_wrong_pins_ask_for_a_code_and_a_day() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    for tried in 1..=10 {
        let answer = desk.come_back(&awa, me.device, OTHER_PIN).await.problem(422, "pin.wrong");
        assert_eq!(answer.body["tries_left"], if tried <= 5 { 5 - tried } else { 10 - tried });
        if tried == 5 {
            let locked = desk.come_back(&awa, me.device, PIN).await.problem(429, "pin.locked");
            assert_eq!(locked.body["needs_code"], false);
            desk.wait(locked.retry_after()).await;
        }
    }
    let locked = desk.come_back(&awa, me.device, PIN).await.problem(429, "pin.locked");
    assert_eq!(locked.body["needs_code"], true);
    assert!(locked.retry_after() > 86_000);
    let (challenge, _) = desk.proven(&awa).await;
    desk.open(&awa, &challenge, PIN).await.problem(429, "pin.locked");
    desk.wait(locked.retry_after()).await;
    let still = desk.come_back(&awa, me.device, PIN).await.problem(429, "pin.locked");
    assert_eq!(still.body["needs_code"], true, "the device alone does not do");
    let (challenge, _) = desk.proven(&awa).await;
    desk.open(&awa, &challenge, PIN).await.is(201);
    desk.come_back(&awa, me.device, PIN).await.is(201);
}

#[tokio::test]
async fn a_hundred_pins_at_once_are_compared_five_times() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    let tries = (0..100).map(|_| desk.come_back(&awa, me.device, OTHER_PIN));
    let answers = futures_util::future::join_all(tries).await;
    let compared = answers.iter().filter(|answer| answer.body["code"] == "pin.wrong").count();
    assert!(compared <= 5, "{compared}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 422 | 429 | 503)));
    desk.come_back(&awa, me.device, PIN).await.problem(429, "pin.locked");
}

#[tokio::test]
async fn what_a_stranger_tries_first_is_no_pin() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let (challenge, _) = desk.proven(&awa).await;
    desk.open(&awa, &challenge, "abcdef").await.problem(400, "request.invalid_field");
    for simple in ["123456", "111111", "7391", "250688"] {
        let refused = desk.open(&awa, &challenge, simple).await.problem(422, "pin.too_simple");
        assert_eq!(refused.body["errors"][0]["pointer"], "/pin");
    }
    desk.open(&awa, &challenge, PIN).await.is(201);
}

#[tokio::test]
async fn another_pin_ends_the_other_sessions() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let first = desk.sign_in(&awa, PIN).await;
    let second = SignedIn::of(&desk.come_back(&awa, first.device, PIN).await.is(201));
    let path = format!("/v1/clients/{}/pin", second.client);
    let simple = json!({ "pin": PIN, "new_pin": "123456" });
    desk.call(Method::PUT, &path, Some(&second.access), Some(&simple)).await.problem(422, "pin.too_simple");
    let body = json!({ "pin": PIN, "new_pin": OTHER_PIN });
    desk.call(Method::PUT, &path, Some(&second.access), Some(&body)).await.is(204);
    desk.get(&first.access, "/v1/sessions").await.problem(401, "session.ended");
    desk.get(&second.access, "/v1/sessions").await.is(200);
    desk.come_back(&awa, first.device, PIN).await.problem(422, "pin.wrong");
    desk.come_back(&awa, first.device, OTHER_PIN).await.is(201);
}
