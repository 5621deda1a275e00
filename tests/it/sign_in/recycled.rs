//! A number that came into other hands.

use domain::{
    actor::Actor,
    client::{self, Person},
    ids::ClientId,
    phone,
    sealed::field,
};
use projections::Runner;
use serde_json::json;
use uuid::Uuid;

use super::{
    desk::{Answer, Desk, OTHER_PIN, PIN, Phone, SignedIn},
    recovery::{DAY, count},
};

impl Desk {
    /// The views show what is in the log.
    async fn project(&self) {
        let projector = &projections::reservation::PROJECTOR;
        let mut reader = Runner::own(projector, self.store.clone(), "test", None).await.unwrap();
        reader.catch_up().await.unwrap();
    }

    async fn begin_anew(&self, phone: &Phone, challenge: &str) -> Answer {
        let body = json!({
            "challenge_id": challenge, "signature": phone.answers(challenge), "pin": OTHER_PIN, "name": "Modou",
            "new_account": true,
        });
        self.post("/v1/sessions", &body).await
    }

    /// A manager booked for somebody.
    async fn made_known(&self, phone: &Phone) -> Uuid {
        let (clock, subjects) = (self.store.clock(), self.store.subjects());
        let id = ClientId::new(clock.new_id());
        let number = phone::Phone::new(&phone.number).unwrap();
        let person = Person {
            phone_hash: subjects.hash_phone(&number),
            phone: subjects.seal(id.uuid(), field::PHONE, number.e164()).await.unwrap(),
            name: None,
            language: client::Language::Fr,
        };
        let decision = client::register(&domain::aggregate::Loaded::new(id), person, Actor::SYSTEM, clock.now());
        let append = eventstore::Append::new(decision.unwrap(), eventstore::Meta::system());
        self.store.append(append).await.unwrap();
        id.uuid()
    }
}

#[tokio::test]
async fn a_recycled_number_gets_a_new_account_without_the_old_history() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let old = desk.sign_in(&awa, PIN).await;
    // Signing in with a known device writes no event, and is being here all the same.
    desk.wait(60 * DAY).await;
    desk.come_back(&awa, old.device, PIN).await.is(201);
    desk.wait(89 * DAY).await;
    desk.project().await;
    let modou = awa.another(4);
    let (challenge, next) = desk.proven(&modou).await;
    assert_eq!(next, "pin");
    desk.begin_anew(&modou, &challenge).await.problem(409, "client.not_idle");
    desk.wait(DAY).await;
    let (challenge, next) = desk.proven(&modou).await;
    assert_eq!(next, "pin_or_new_account");
    // Without saying so nothing is opened, whatever PIN is thought of.
    desk.open(&modou, &challenge, OTHER_PIN).await.problem(422, "pin.wrong");
    let new = SignedIn::of(&desk.begin_anew(&modou, &challenge).await.is(201));
    assert_ne!(new.client, old.client);
    let events = desk.events(new.client).await;
    assert_eq!(events, ["client.registered", "client.number_verified", "client.pin_set", "client.device_bound"]);
    assert_eq!(desk.events(old.client).await.last().map(String::as_str), Some("client.number_released"));
    // Whoever it was still has what is theirs, by their telephone, and no number.
    let there = SignedIn::of(&desk.come_back(&awa, old.device, PIN).await.is(201));
    assert_eq!(there.client, old.client);
    assert!(desk.client(old.client).await.state.phone.is_none());
    desk.come_back(&modou, old.device, OTHER_PIN).await.problem(410, "challenge.over");
    desk.wait(60).await;
    assert_eq!(desk.sign_in(&modou.another(5), OTHER_PIN).await.client, new.client);
}

#[tokio::test]
async fn whoever_has_the_pin_goes_on_however_long_they_were_away() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(400 * DAY).await;
    desk.project().await;
    let (challenge, next) = desk.proven(&awa.another(4)).await;
    assert_eq!(next, "pin_or_new_account");
    assert_eq!(SignedIn::of(&desk.open(&awa.another(4), &challenge, PIN).await.is(201)).client, me.client);
    assert_eq!(count(&desk.events(me.client).await, "client.number_released"), 0);
    desk.wait(60).await;
    let (challenge, next) = desk.proven(&awa.another(5)).await;
    assert_eq!(next, "pin");
    desk.begin_anew(&awa.another(5), &challenge).await.problem(409, "client.not_idle");
}

#[tokio::test]
async fn a_number_that_never_had_a_pin_is_theirs_when_it_is_recent_and_nobody_s_when_it_is_old() {
    let (desk, awa, fatou) = (Desk::new().await, Phone::nth(1), Phone::nth(2));
    let (recent, old) = (desk.made_known(&awa).await, desk.made_known(&fatou).await);
    let (challenge, next) = desk.proven(&awa).await;
    assert_eq!(next, "choose_pin");
    assert_eq!(SignedIn::of(&desk.open(&awa, &challenge, PIN).await.is(201)).client, recent);
    desk.wait(91 * DAY).await;
    desk.project().await;
    let (challenge, next) = desk.proven(&fatou).await;
    assert_eq!(next, "new_account");
    let new = SignedIn::of(&desk.open(&fatou, &challenge, PIN).await.is(201));
    assert_ne!(new.client, old);
    assert_eq!(desk.events(old).await, ["client.registered", "client.number_released"]);
}

#[tokio::test]
async fn of_two_who_begin_anew_at_once_one_has_the_number() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let old = desk.sign_in(&awa, PIN).await;
    desk.wait(91 * DAY).await;
    desk.project().await;
    let (first, second) = (awa.another(4), awa.another(5));
    let (one, _) = desk.proven(&first).await;
    desk.wait(60).await;
    let (two, _) = desk.proven(&second).await;
    let (one, two) = tokio::join!(desk.begin_anew(&first, &one), desk.begin_anew(&second, &two));
    let opened = [&one, &two].iter().filter(|answer| answer.status == 201).count();
    assert_eq!(opened, 1, "{} {}", one.text, two.text);
    assert_eq!(count(&desk.events(old.client).await, "client.number_released"), 1);
}
