//! A PIN that was lost: whoever has the number waits a day, and whoever it belongs to can stop it.

use domain::{
    client::Release,
    ids::{ClientId, NumberChangeId},
};
use eventstore::link::{Stops, stop_url};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::desk::{Answer, Desk, OTHER_PIN, PIN, Phone, SignedIn};

pub const DAY: i64 = 24 * 3_600;

/// How often something happened.
pub fn count(events: &[String], name: &str) -> usize {
    events.iter().filter(|event| *event == name).count()
}

impl Phone {
    /// Over a challenge for something.
    pub fn answers_for(&self, challenge: &str, purpose: &str) -> String {
        self.sign(&format!("kalel-sign-in-v1\n{challenge}\n{purpose}"))
    }
}

impl Desk {
    /// A challenge for something whose code was given, and what comes next.
    pub async fn proven_for(&self, phone: &Phone, purpose: &str) -> (String, String) {
        let body = json!({ "phone": phone.number, "device_key": phone.device_key(), "purpose": purpose });
        let asked = self.call_from(&phone.address, Method::POST, "/v1/challenges", None, Some(&body)).await.is(202);
        let challenge = asked.text("id");
        let signature = phone.answers_for(&challenge, purpose);
        assert_eq!(asked.text("sign"), format!("kalel-sign-in-v1\n{challenge}\n{purpose}"));
        let body = json!({ "code": self.code(phone).await, "signature": signature });
        let path = format!("/v1/challenges/{challenge}/proof");
        let proof = self.call_from(&phone.address, Method::POST, &path, None, Some(&body)).await.is(200);
        (challenge, proof.text("next"))
    }

    pub async fn begin_with(&self, phone: &Phone, challenge: &str) -> Answer {
        let body = json!({ "challenge_id": challenge, "signature": phone.answers_for(challenge, "recover") });
        self.call_from(&phone.address, Method::POST, "/v1/recoveries", None, Some(&body)).await
    }

    /// Says that the PIN is lost; answers the id.
    pub async fn lose_pin(&self, phone: &Phone) -> String {
        let (challenge, next) = self.proven_for(phone, "recover").await;
        assert_eq!(next, "recovery");
        self.begin_with(phone, &challenge).await.is(202).text("id")
    }

    pub async fn complete_with(&self, phone: &Phone, recovery: &str, challenge: &str, pin: &str) -> Answer {
        let signature = phone.answers_for(challenge, "recover");
        let body = json!({ "challenge_id": challenge, "signature": signature, "pin": pin, "device_name": "Itel" });
        let path = format!("/v1/recoveries/{recovery}/completion");
        self.call_from(&phone.address, Method::POST, &path, None, Some(&body)).await
    }

    pub async fn complete(&self, phone: &Phone, recovery: &str, pin: &str) -> Answer {
        let (challenge, _) = self.proven_for(phone, "recover").await;
        self.complete_with(phone, recovery, &challenge, pin).await
    }

    pub async fn stop_recovery(&self, who: &SignedIn, recovery: &str) -> Answer {
        self.call(Method::DELETE, &format!("/v1/recoveries/{recovery}"), Some(&who.access), None).await
    }

    /// The path of the link that was sent last.
    pub async fn link(&self, phone: &Phone) -> String {
        self.send().await;
        let text = self.texts(phone).await.pop().unwrap();
        let (_, link) = text.split_once("https://kalel.invalid").unwrap_or_else(|| panic!("no link in {text}"));
        link.to_owned()
    }

    pub async fn page(&self, method: Method, path: &str) -> (u16, String) {
        let page = self.call(method, path, None, None).await;
        assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
        assert_eq!(page.headers["cache-control"], "no-store");
        (page.status, page.text)
    }
}

#[tokio::test]
async fn a_lost_pin_waits_a_day_and_the_old_device_can_stop_it() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    let thief = awa.another(3);
    let first = desk.lose_pin(&thief).await;
    desk.send().await;
    let told = desk.texts(&awa).await.pop().unwrap();
    assert!(told.contains("24 h") && told.contains("/stop/"), "{told}");
    // The old device goes on, sees it, and stops it.
    let again = SignedIn::of(&desk.come_back(&awa, me.device, PIN).await.is(201));
    let listed = desk.get(&again.access, "/v1/recoveries").await.is(200);
    assert_eq!((&listed.body["data"][0]["id"], &listed.body["data"][0]["status"]), (&json!(first), &json!("waiting")));
    let other = desk.sign_in(&Phone::nth(2), PIN).await;
    desk.stop_recovery(&other, &first).await.problem(404, "object.not_found");
    desk.stop_recovery(&again, &first).await.is(204);
    desk.stop_recovery(&again, &first).await.problem(404, "object.not_found");
    assert_eq!(desk.get(&again.access, "/v1/recoveries").await.is(200).body["data"], json!([]));
    desk.wait(DAY + 60).await;
    desk.complete(&thief, &first, OTHER_PIN).await.problem(410, "recovery.over");
    // It was Awa herself with another telephone: nobody stops it.
    desk.wait(DAY).await;
    let second = desk.lose_pin(&thief).await;
    desk.wait(DAY - 60).await;
    let (challenge, _) = desk.proven_for(&thief, "recover").await;
    let early = desk.complete_with(&thief, &second, &challenge, OTHER_PIN).await.problem(409, "recovery.waiting");
    assert!(early.text("detail").contains(&early.text("ready_at")), "{}", early.text);
    let still = SignedIn::of(&desk.come_back(&awa, me.device, PIN).await.is(201));
    desk.wait(61).await;
    // The code was not used up by coming too early.
    let now = SignedIn::of(&desk.complete_with(&thief, &second, &challenge, OTHER_PIN).await.is(201));
    assert_eq!(now.client, me.client);
    desk.get(&still.access, "/v1/sessions").await.problem(401, "session.ended");
    desk.come_back(&awa, me.device, PIN).await.problem(410, "challenge.over");
    desk.come_back(&thief, now.device, PIN).await.problem(422, "pin.wrong");
    desk.come_back(&thief, now.device, OTHER_PIN).await.is(201);
    let client = desk.client(me.client).await;
    assert_eq!(client.state.devices.keys().map(|id| id.uuid()).collect::<Vec<_>>(), [now.device]);
    desk.complete(&thief, &second, PIN).await.problem(410, "recovery.over");
    desk.send().await;
    let told = desk.texts(&awa).await;
    assert!(told.iter().any(|text| text.contains("votre PIN est changé")), "{told:?}");
}

#[tokio::test]
async fn a_recovery_is_completed_by_the_device_that_asked_with_another_code() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    let device = awa.another(3);
    let (challenge, _) = desk.proven_for(&device, "recover").await;
    let recovery = desk.begin_with(&device, &challenge).await.is(202);
    assert!(recovery.headers.contains_key("kalel-position"));
    let recovery = recovery.text("id");
    desk.begin_with(&device, &challenge).await.problem(410, "challenge.over");
    desk.wait(DAY).await;
    desk.complete_with(&device, &recovery, &challenge, OTHER_PIN).await.problem(410, "challenge.over");
    desk.complete(&awa.another(4), &recovery, OTHER_PIN).await.problem(410, "recovery.over");
    desk.wait(60).await;
    let (challenge, _) = desk.proven_for(&device, "recover").await;
    let nobody = desk.store.clock().new_id().to_string();
    desk.complete_with(&device, &nobody, &challenge, OTHER_PIN).await.problem(410, "recovery.over");
    desk.complete_with(&device, &recovery, &challenge, "123456").await.problem(422, "pin.too_simple");
    desk.complete_with(&device, &recovery, &challenge, OTHER_PIN).await.is(201);
}

#[tokio::test]
async fn a_code_is_bound_to_its_purpose() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    // What was proven for another thing opens nothing, whatever is signed.
    let (lost, _) = desk.proven_for(&awa, "recover").await;
    for purpose in ["sign_in", "recover"] {
        let body = json!({ "challenge_id": lost, "signature": awa.answers_for(&lost, purpose), "pin": PIN });
        desk.post("/v1/sessions", &body).await.problem(410, "challenge.over");
    }
    desk.wait(60).await;
    let (signs_in, _) = desk.proven(&awa).await;
    for purpose in ["sign_in", "recover"] {
        let body = json!({ "challenge_id": signs_in, "signature": awa.answers_for(&signs_in, purpose) });
        desk.post("/v1/recoveries", &body).await.problem(410, "challenge.over");
    }
    desk.open(&awa, &signs_in, PIN).await.is(201);
    let body = json!({ "phone": awa.number, "device_key": awa.device_key(), "purpose": "anything" });
    assert_eq!(desk.post("/v1/challenges", &body).await.status, 400);
    assert_eq!(count(&desk.events(me.client).await, "client.recovery_begun"), 0);
}

#[tokio::test]
async fn nothing_is_lost_where_there_is_no_pin() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let (challenge, next) = desk.proven_for(&awa, "recover").await;
    assert_eq!(next, "new_account");
    desk.begin_with(&awa, &challenge).await.problem(409, "recovery.not_needed");
}

#[tokio::test]
async fn ten_wrong_pins_are_a_lost_one_as_well() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    for tried in 1..=10 {
        desk.come_back(&awa, me.device, OTHER_PIN).await.problem(422, "pin.wrong");
        if tried == 5 {
            desk.wait(901).await;
        }
    }
    desk.come_back(&awa, me.device, PIN).await.problem(429, "pin.locked");
    let recovery = desk.lose_pin(&awa).await;
    desk.wait(DAY).await;
    let now = SignedIn::of(&desk.complete(&awa, &recovery, OTHER_PIN).await.is(201));
    desk.come_back(&awa, now.device, OTHER_PIN).await.is(201);
}

#[tokio::test]
async fn a_link_shows_before_it_stops_and_stops_one_recovery_once() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    let thief = awa.another(3);
    desk.lose_pin(&thief).await;
    let first = desk.link(&awa).await;
    for _ in 0..2 {
        let (status, page) = desk.page(Method::GET, &first).await;
        assert!(status == 200 && page.contains("Un nouveau PIN est demandé") && page.contains("<form"), "{page}");
    }
    assert_eq!(count(&desk.events(me.client).await, "client.recovery_cancelled"), 0, "looking stops nothing");
    let (status, page) = desk.page(Method::POST, &first).await;
    assert!(status == 200 && page.contains("Votre PIN reste le même"), "{page}");
    // Of another recovery, it stops nothing.
    desk.wait(120).await;
    let second = desk.lose_pin(&thief).await;
    let link = desk.link(&awa).await;
    assert_ne!(first, link);
    for method in [Method::POST, Method::GET, Method::POST] {
        let (status, page) = desk.page(method, &first).await;
        assert!(status == 200 && page.contains("C'est terminé") && !page.contains("<form"), "{page}");
    }
    let listed = desk.get(&me.access, "/v1/recoveries").await.is(200);
    assert_eq!(listed.body["data"][0]["id"], second);
    // Nor does one that somebody made up, or of a number change.
    let client = ClientId::new(me.client);
    let id = second.parse().unwrap();
    let change = stop_url(desk.store.keyring(), "", Stops::NumberChange(client, NumberChangeId::new(id)));
    assert!(desk.page(Method::POST, &change).await.1.contains("C'est terminé"));
    let mut wrong = link.clone();
    wrong.replace_range(6..7, if &wrong[6..7] == "A" { "B" } else { "A" });
    assert_eq!(desk.page(Method::POST, &wrong).await.0, 404);
    assert_eq!(desk.get(&me.access, "/v1/recoveries").await.is(200).body["data"][0]["id"], second);
}

#[tokio::test]
async fn of_ten_that_stop_it_at_once_one_does() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    let recovery = desk.lose_pin(&awa.another(3)).await;
    let link = desk.link(&awa).await;
    let (pages, answers) = tokio::join!(
        join_all((0..5).map(|_| desk.page(Method::POST, &link))),
        join_all((0..5).map(|_| desk.stop_recovery(&me, &recovery))),
    );
    let by_link = pages.iter().filter(|(_, page)| page.contains("reste le même")).count();
    let by_session = answers.iter().filter(|answer| answer.status == 204).count();
    assert_eq!(by_link + by_session, 1);
    assert_eq!(count(&desk.events(me.client).await, "client.recovery_cancelled"), 1);
}

#[tokio::test]
async fn a_completion_and_a_stop_at_once_are_one_of_the_two() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    let device = awa.another(3);
    let recovery = desk.lose_pin(&device).await;
    let link = desk.link(&awa).await;
    desk.wait(DAY).await;
    let (challenge, _) = desk.proven_for(&device, "recover").await;
    let (completed, (status, page)) =
        tokio::join!(desk.complete_with(&device, &recovery, &challenge, OTHER_PIN), desk.page(Method::POST, &link));
    let events = desk.events(me.client).await;
    let (done, stopped) = (count(&events, "client.recovery_completed"), count(&events, "client.recovery_cancelled"));
    assert_eq!((done + stopped, status), (1, 200), "{events:?}");
    assert_eq!(completed.status == 201, done == 1, "{}", completed.text);
    assert_eq!(page.contains("reste le même"), stopped == 1, "{page}");
    assert_eq!(count(&events, "client.pin_set"), 1 + done);
}

#[tokio::test]
async fn of_two_completions_one_does_it() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    let device = awa.another(3);
    let recovery = desk.lose_pin(&device).await;
    desk.wait(DAY).await;
    let (first, _) = desk.proven_for(&device, "recover").await;
    desk.wait(60).await;
    let (second, _) = desk.proven_for(&device, "recover").await;
    let pins = [PIN, OTHER_PIN, OTHER_PIN, PIN];
    let all = [&first, &second, &first, &second].into_iter().zip(pins);
    let answers = join_all(all.map(|(challenge, pin)| desk.complete_with(&device, &recovery, challenge, pin))).await;
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(done, 1, "{:?}", answers.iter().map(|answer| &answer.text).collect::<Vec<_>>());
    let events = desk.events(me.client).await;
    assert_eq!((count(&events, "client.recovery_completed"), count(&events, "client.pin_set")), (1, 2));
    assert_eq!(count(&events, "client.device_released"), 1);
    let why = desk.store.read_stream(me.client, 0, i64::MAX).await.unwrap();
    let why = why.iter().find(|event| event.name == "client.device_released").unwrap();
    assert_eq!(why.data.parse::<Value>().unwrap()["why"], json!(Release::Recovery));
}
