//! Sessions: how long, how often, and that one that has ended does nothing any more.

use reqwest::Method;
use serde_json::{Value, json};

use super::desk::{Answer, Desk, PIN, Phone, SignedIn};

async fn refresh(desk: &Desk, token: &str) -> Answer {
    desk.post("/v1/sessions/refresh", &json!({ "refresh_token": token })).await
}

#[tokio::test]
async fn a_session_ends_after_15_minutes_idle_and_12_hours() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(14 * 60).await;
    desk.get(&me.access, "/v1/sessions").await.is(200);
    desk.wait(14 * 60).await;
    desk.get(&me.access, "/v1/sessions").await.is(200);
    desk.wait(15 * 60).await;
    desk.get(&me.access, "/v1/sessions").await.problem(401, "session.ended");
    let mut again = SignedIn::of(&refresh(&desk, &me.refresh).await.is(200));
    for _ in 0..(12 * 60 / 10 - 1) {
        desk.wait(10 * 60).await;
        desk.get(&again.access, "/v1/sessions").await.is(200);
    }
    desk.wait(10 * 60).await;
    desk.get(&again.access, "/v1/sessions").await.problem(401, "session.ended");
    again = SignedIn::of(&refresh(&desk, &again.refresh).await.is(200));
    desk.wait(30 * 86_400).await;
    refresh(&desk, &again.refresh).await.problem(401, "session.ended");
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_family() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    let next = SignedIn::of(&refresh(&desk, &me.refresh).await.is(200));
    assert_eq!(next.session, me.session);
    desk.get(&me.access, "/v1/sessions").await.problem(401, "session.ended");
    desk.get(&next.access, "/v1/sessions").await.is(200);
    refresh(&desk, &me.refresh).await.problem(401, "session.token_reused");
    desk.get(&next.access, "/v1/sessions").await.problem(401, "session.ended");
    refresh(&desk, &next.refresh).await.problem(401, "session.ended");
    refresh(&desk, "").await.problem(400, "request.invalid_field");
    for nonsense in ["kr_test_nonsense", &me.access] {
        refresh(&desk, nonsense).await.problem(401, "session.ended");
    }
    // A refresh token is no access token.
    desk.get(&next.refresh, "/v1/sessions").await.problem(401, "auth.invalid");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_whoever_they_belong_to() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let one = desk.sign_in(&awa, PIN).await;
    let two = SignedIn::of(&desk.come_back(&awa, one.device, PIN).await.is(201));
    let three = SignedIn::of(&desk.come_back(&awa, one.device, PIN).await.is(201));
    let stranger = desk.sign_in(&Phone::nth(2), PIN).await;
    let listed = desk.get(&two.access, "/v1/sessions").await.is(200);
    let of = |session: &Value| (session["id"].as_str().unwrap().to_owned(), session["current"] == true);
    let all: Vec<_> = listed.body["data"].as_array().unwrap().iter().map(of).collect();
    let ids = [(three.session, false), (two.session, true), (one.session, false)];
    assert_eq!(all, ids.map(|(id, current)| (id.to_string(), current)));
    let path = format!("/v1/sessions/{}", one.session);
    desk.call(Method::DELETE, &path, Some(&stranger.access), None).await.problem(404, "object.not_found");
    desk.call(Method::DELETE, &path, Some(&two.access), None).await.is(204);
    desk.get(&one.access, "/v1/sessions").await.problem(401, "session.ended");
    refresh(&desk, &one.refresh).await.problem(401, "session.ended");
    desk.call(Method::DELETE, "/v1/sessions", Some(&two.access), None).await.is(204);
    desk.get(&three.access, "/v1/sessions").await.problem(401, "session.ended");
    desk.get(&two.access, "/v1/sessions").await.is(200);
    desk.get(&stranger.access, "/v1/sessions").await.is(200);
}

/// Another process has ended it: nothing is read, and nothing that is on its way is written.
#[tokio::test]
async fn a_session_that_has_ended_writes_and_reads_nothing_from_that_moment() {
    use domain::{client, ids::PrincipalId, sealed::Sealed};
    use eventstore::{Append, AppendError, Meta, auth::session};

    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    let found = session::find(&desk.store, &me.access).await.unwrap().unwrap();
    // A command of theirs was decided, and is about to be written.
    let known = desk.client(me.client).await;
    let by = domain::actor::Actor::new(found.role, found.subject);
    let now = desk.store.clock().now();
    let rename = |name: &str| client::rename(&known, Some(Sealed(name.into())), by, now).unwrap();
    let carried = |name: &str| Append { fence: Some(found.fence.clone()), ..Append::new(rename(name), Meta::system()) };
    let elsewhere = super::desk::store(&desk.world).await;
    assert!(session::end(&elsewhere, PrincipalId::new(me.client), me.session, session::Why::Asked).await.unwrap());
    let refused = desk.store.append(carried("c2VhbGVk")).await;
    assert!(matches!(refused, Err(AppendError::StaleFence)), "{refused:?}");
    desk.get(&me.access, "/v1/reservations").await.problem(401, "session.ended");
    elsewhere.close().await;
}

#[tokio::test]
async fn what_is_about_signing_in_wants_somebody_and_no_key() {
    let mut api = crate::api::Api::new().await;
    api.grant("somebody", domain::actor::Role::Client, None).await;
    for path in ["/v1/sessions", "/v1/devices"] {
        api.get("somebody", path).await.problem(403, "session.required");
        api.get("admin", path).await.problem(403, "session.required");
    }
    let other_mode = api.ask(Method::GET, "/v1/sessions").bearer("ks_live_nonsense").send().await;
    other_mode.problem(401, "auth.other_mode");
    let nonsense = api.ask(Method::GET, "/v1/sessions").bearer("ks_test_nonsense").send().await;
    nonsense.problem(401, "session.ended");
}
