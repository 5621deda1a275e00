//! Telephones that are known: a PIN does, as long as they are bound.

use reqwest::Method;

use super::desk::{Desk, OTHER_PIN, PIN, Phone, SignedIn};

#[tokio::test]
async fn a_known_device_needs_the_pin_only() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    let sent = desk.texts(&awa).await.len();
    let head = desk.store.head().await.unwrap();
    let again = SignedIn::of(&desk.come_back(&awa, me.device, PIN).await.is(201));
    assert_eq!((again.client, again.device), (me.client, me.device));
    assert_ne!(again.session, me.session);
    desk.come_back(&awa, me.device, OTHER_PIN).await.problem(422, "pin.wrong");
    // Not even with the right PIN: the key is another.
    desk.come_back(&awa.another(3), me.device, PIN).await.problem(410, "challenge.over");
    desk.send().await;
    assert_eq!(
        (desk.texts(&awa).await.len(), desk.store.head().await.unwrap()),
        (sent, head),
        "nothing sent or written"
    );
}

#[tokio::test]
async fn a_device_that_nobody_has_is_answered_alike_and_opens_nothing() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    desk.sign_in(&awa, PIN).await;
    desk.come_back(&awa, desk.store.clock().new_id(), PIN).await.problem(410, "challenge.over");
    let nobody = format!("/v1/devices/{}/challenges", desk.store.clock().new_id());
    let asked = desk.call(Method::POST, &nobody, None, None).await.is(201);
    let challenge = asked.text("id");
    desk.open(&awa, &challenge, PIN).await.problem(410, "challenge.over");
    desk.prove(&awa, &challenge, "123456").await.problem(410, "challenge.over");
    // What is no id says nothing of whose there are.
    desk.call(Method::POST, "/v1/devices/nonsense/challenges", None, None).await.problem(404, "object.not_found");
}

#[tokio::test]
async fn a_device_that_is_released_has_no_session_and_opens_none() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let phone = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    let tablet = awa.another(3);
    let there = desk.sign_in(&tablet, PIN).await;
    let listed = desk.get(&there.access, "/v1/devices").await.is(200);
    let all: Vec<(&str, bool)> = listed.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|device| (device["name"].as_str().unwrap(), device["current"].as_bool().unwrap()))
        .collect();
    assert_eq!(all, [("Tecno", true), ("Tecno", false)]);
    let stranger = desk.sign_in(&Phone::nth(2), PIN).await;
    let path = format!("/v1/devices/{}", phone.device);
    desk.call(Method::DELETE, &path, Some(&stranger.access), None).await.problem(404, "object.not_found");
    desk.call(Method::DELETE, &path, Some(&there.access), None).await.is(204);
    desk.call(Method::DELETE, &path, Some(&there.access), None).await.problem(404, "object.not_found");
    desk.get(&phone.access, "/v1/sessions").await.problem(401, "session.ended");
    desk.come_back(&awa, phone.device, PIN).await.problem(410, "challenge.over");
    desk.come_back(&tablet, there.device, PIN).await.is(201);
}

#[tokio::test]
async fn of_six_devices_the_first_is_released() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let first = desk.sign_in(&awa, PIN).await;
    for n in 2..=6 {
        desk.wait(3_600).await;
        desk.sign_in(&awa.another(n), PIN).await;
    }
    assert_eq!(desk.client(first.client).await.state.devices.len(), 5);
    desk.come_back(&awa, first.device, PIN).await.problem(410, "challenge.over");
    let refresh = serde_json::json!({ "refresh_token": first.refresh });
    let again = SignedIn::of(&desk.post("/v1/sessions/refresh", &refresh).await.is(200));
    desk.get(&again.access, "/v1/sessions").await.problem(401, "session.ended");
}

#[tokio::test]
async fn an_erased_person_leaves_nothing_in_auth_and_comes_back_as_somebody_new() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    let path = format!("/v1/clients/{}/erasure", me.client);
    let mut reader =
        projections::Runner::own(&projections::reservation::PROJECTOR, desk.store.clone(), "test", None).await.unwrap();
    reader.catch_up().await.unwrap();
    desk.call(Method::POST, &path, Some(&me.access), None).await.is(200);
    let left: (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM auth.sessions), (SELECT count(*) FROM auth.secrets),
                (SELECT count(*) FROM auth.challenges), (SELECT count(*) FROM auth.numbers)",
    )
    .fetch_one(&desk.world.pool)
    .await
    .unwrap();
    assert_eq!(left, (0, 0, 0, 0));
    desk.get(&me.access, "/v1/sessions").await.problem(401, "session.ended");
    desk.come_back(&awa, me.device, PIN).await.problem(410, "challenge.over");
    let (challenge, next) = desk.proven(&awa).await;
    assert_eq!(next, "new_account");
    let now = SignedIn::of(&desk.open(&awa, &challenge, OTHER_PIN).await.is(201));
    assert_ne!(now.client, me.client);
}
