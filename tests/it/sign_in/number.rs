//! Another number: a day after the one that there is was told.

use domain::ids::ClientId;
use eventstore::link::{Stops, stop_url};
use reqwest::Method;
use serde_json::json;

use super::{
    desk::{Answer, Desk, OTHER_PIN, PIN, Phone, SignedIn},
    recovery::{DAY, count},
};

impl Phone {
    /// Another number in the same telephone.
    fn renumbered(&self, n: u32) -> Self {
        Self { key: self.key.clone(), ..Self::nth(n) }
    }
}

impl Desk {
    async fn change_with(&self, me: &SignedIn, phone: &Phone, challenge: &str, pin: &str) -> Answer {
        let signature = phone.answers_for(challenge, "change_number");
        let body = json!({ "challenge_id": challenge, "signature": signature, "pin": pin });
        let path = format!("/v1/clients/{}/number-change", me.client);
        self.call(Method::POST, &path, Some(&me.access), Some(&body)).await
    }

    /// Wants to be known by another number, and proves to have it.
    async fn change(&self, me: &SignedIn, phone: &Phone) -> Answer {
        let (challenge, next) = self.proven_for(phone, "change_number").await;
        assert_eq!(next, "number_change");
        self.change_with(me, phone, &challenge, PIN).await
    }

    async fn keep(&self, me: &SignedIn) -> Answer {
        self.call(Method::DELETE, &format!("/v1/clients/{}/number-change", me.client), Some(&me.access), None).await
    }

    /// A session of somebody whose device is known.
    async fn again(&self, phone: &Phone, me: &SignedIn) -> SignedIn {
        SignedIn::of(&self.come_back(phone, me.device, PIN).await.is(201))
    }
}

#[tokio::test]
async fn a_new_number_waits_a_day_and_the_old_one_is_told() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    let new = awa.renumbered(2);
    let (challenge, _) = desk.proven_for(&new, "change_number").await;
    desk.change_with(&me, &new, &challenge, OTHER_PIN).await.problem(422, "pin.wrong");
    let begun = desk.change_with(&me, &new, &challenge, PIN).await.is(202);
    assert!(begun.headers.contains_key("kalel-position"));
    desk.change_with(&me, &new, &challenge, PIN).await.problem(410, "challenge.over");
    let link = desk.link(&awa).await;
    assert!(desk.page(Method::GET, &link).await.1.contains("Votre numéro va changer"));
    desk.wait(DAY - 60).await;
    desk.send().await;
    let (_, next) = desk.proven(&awa).await;
    assert_eq!((next.as_str(), count(&desk.events(me.client).await, "client.number_changed")), ("pin", 0));
    desk.wait(61).await;
    desk.send().await;
    let told = desk.texts(&new).await.pop().unwrap();
    assert!(told.contains("celui de votre compte"), "{told}");
    // The number leads to them, the one before to nobody, and the device goes on.
    desk.wait(60).await;
    let (_, next) = desk.proven(&awa.another(9)).await;
    assert_eq!(next, "new_account");
    desk.wait(60).await;
    let there = desk.sign_in(&Phone { key: awa.another(8).key, ..new.clone() }, PIN).await;
    assert_eq!(there.client, me.client);
    let me = desk.again(&awa, &me).await;
    let soon = desk.change(&me, &awa.renumbered(3)).await.problem(409, "client.cooling_off");
    assert!(soon.text("detail").contains(&soon.text("ready_at")));
    assert!(desk.page(Method::POST, &link).await.1.contains("C'est terminé"));
}

#[tokio::test]
async fn a_change_is_stopped_by_the_link_or_by_whoever_is_signed_in() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    let new = awa.renumbered(2);
    desk.change(&me, &new).await.is(202);
    let link = desk.link(&awa).await;
    let (status, page) = desk.page(Method::POST, &link).await;
    assert!(status == 200 && page.contains("Votre numéro reste le même"), "{page}");
    desk.wait(60).await;
    desk.change(&me, &new).await.is(202);
    assert!(desk.page(Method::POST, &link).await.1.contains("C'est terminé"), "it is another's");
    assert_eq!(count(&desk.events(me.client).await, "client.number_change_cancelled"), 1);
    let other = desk.sign_in(&Phone::nth(3), PIN).await;
    let path = format!("/v1/clients/{}/number-change", me.client);
    desk.call(Method::DELETE, &path, Some(&other.access), None).await.problem(404, "object.not_found");
    desk.keep(&me).await.is(204);
    desk.keep(&me).await.is(204);
    assert_eq!(count(&desk.events(me.client).await, "client.number_change_cancelled"), 2);
    desk.wait(DAY).await;
    desk.send().await;
    assert_eq!(count(&desk.events(me.client).await, "client.number_changed"), 0);
}

#[tokio::test]
async fn a_number_that_somebody_has_stays_theirs_and_the_answer_is_the_same() {
    let (desk, awa, fatou) = (Desk::new().await, Phone::nth(1), Phone::nth(2));
    let me = desk.sign_in(&awa, PIN).await;
    let her = desk.sign_in(&fatou, PIN).await;
    desk.wait(60).await;
    let taken = desk.change(&me, &awa.renumbered(2)).await.is(202);
    let free = desk.change(&me, &awa.renumbered(3)).await.is(202);
    let members = |answer: &Answer| answer.body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&taken), members(&free));
    let again = desk.keep(&me).await.is(204);
    assert!(again.text.is_empty());
    desk.send().await;
    let told = desk.texts(&fatou).await.pop().unwrap();
    assert!(told.contains("quelqu'un a voulu ce numéro"), "{told}");
    assert_eq!(count(&desk.events(her.client).await, "client.number_wanted"), 1);
    assert_eq!(count(&desk.events(me.client).await, "client.number_change_begun"), 1, "of the free one");
    desk.wait(DAY).await;
    desk.send().await;
    assert_eq!(desk.sign_in(&fatou.another(7), PIN).await.client, her.client);
}

#[tokio::test]
async fn no_number_changes_while_a_pin_is_lost_and_no_pin_is_recovered_while_it_does() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.wait(60).await;
    let recovery = desk.lose_pin(&awa.another(3)).await;
    desk.change(&me, &awa.renumbered(2)).await.problem(409, "recovery.waiting");
    desk.stop_recovery(&me, &recovery).await.is(204);
    desk.wait(60).await;
    desk.change(&me, &awa.renumbered(2)).await.is(202);
    desk.wait(60).await;
    let thief = awa.another(3);
    let (challenge, _) = desk.proven_for(&thief, "recover").await;
    desk.begin_with(&thief, &challenge).await.problem(409, "client.number_changes");
    desk.keep(&me).await.is(204);
    desk.begin_with(&thief, &challenge).await.is(202);
}

#[tokio::test]
async fn a_number_is_changed_by_the_device_that_is_signed_in_and_to_another_one() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    // Proven, but with a telephone that is not bound.
    let stranger = awa.renumbered(2).another(5);
    desk.change(&me, &stranger).await.problem(410, "challenge.over");
    desk.wait(60).await;
    desk.change(&me, &awa).await.problem(422, "client.same_number");
    desk.wait(60).await;
    // A code for signing in changes nothing.
    let (signs_in, _) = desk.proven(&awa.renumbered(4)).await;
    desk.change_with(&me, &awa.renumbered(4), &signs_in, PIN).await.problem(410, "challenge.over");
    let path = format!("/v1/clients/{}/number-change", me.client);
    let body = json!({ "challenge_id": signs_in, "signature": "A".repeat(86), "pin": PIN });
    desk.call(Method::POST, &path, None, Some(&body)).await.problem(401, "auth.missing");
    let events = desk.events(me.client).await;
    assert_eq!(count(&events, "client.number_change_begun"), 0, "{events:?}");
    let made_up = stop_url(
        desk.store.keyring(),
        "",
        Stops::NumberChange(ClientId::new(me.client), domain::ids::NumberChangeId::new(desk.store.clock().new_id())),
    );
    assert!(desk.page(Method::POST, &made_up).await.1.contains("C'est terminé"));
}

#[tokio::test]
async fn of_a_change_that_is_due_and_a_stop_at_once_one_counts() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let me = desk.sign_in(&awa, PIN).await;
    desk.change(&me, &awa.renumbered(2)).await.is(202);
    let link = desk.link(&awa).await;
    desk.wait(DAY).await;
    let ((), (status, page)) = tokio::join!(desk.send(), desk.page(Method::POST, &link));
    let events = desk.events(me.client).await;
    let changed = count(&events, "client.number_changed");
    let stopped = count(&events, "client.number_change_cancelled");
    assert_eq!((changed + stopped, status), (1, 200), "{events:?}");
    assert_eq!(page.contains("reste le même"), stopped == 1, "{page}");
}
