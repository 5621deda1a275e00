//! Mail, from the event to the mailbox of a server that speaks SMTP.

use domain::{
    ids::PrincipalId,
    sealed::field,
    site::{Site, set_contact},
};
use serde_json::json;

use super::{
    bench::{Bench, CLIENT, MANAGER},
    servers::Fake,
};

const MAILBOX: &str = "gerant@temple.sn";

/// The manager wants to hear by mail, too.
async fn with_a_mailbox() -> (Bench, Fake) {
    let mut bench = Bench::new().await;
    let mail = bench.mail().await;
    let subject = PrincipalId::new(bench.store.clock().new_id());
    let subjects = bench.store.subjects();
    let email = subjects.seal(subject.uuid(), field::EMAIL, MAILBOX).await.unwrap();
    let phone = subjects.seal(subject.uuid(), field::PHONE, MANAGER).await.unwrap();
    let site = bench.load::<Site>(bench.site).await;
    bench.append(set_contact(&site, subject, Some(phone), Some(email)).unwrap()).await.unwrap();
    (bench, mail)
}

async fn states(bench: &Bench) -> Vec<String> {
    bench.effects("send_email").await.into_iter().map(|(state, _)| state).collect()
}

#[tokio::test]
async fn a_booking_reaches_the_manager_s_mailbox() {
    let (bench, mail) = with_a_mailbox().await;
    bench.confirmed(20).await;
    let all = mail.get("/__messages").await;
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    let told = &all[0];
    assert_eq!((&told["to"], &told["from"]), (&json!([MAILBOX]), &json!("ne-pas-repondre@kalel.sn")));
    assert!(told["subject"].as_str().unwrap().starts_with("Nouvelle réservation"), "{told}");
    let text = told["text"].as_str().unwrap();
    assert_eq!(text.trim_end(), bench.texts(MANAGER).await[0], "the same words as by SMS");
    assert!(text.contains("Temple du Foot") && text.contains("Payé 10 000 F, reste 20 000 F"), "{text}");
    let raw = told["raw"].as_str().unwrap();
    assert!(raw.contains("Auto-Submitted: auto-generated"), "{raw}");
    assert!(!raw.contains(CLIENT.trim_start_matches('+')), "the client's number is nobody's business: {raw}");
    let id = told["message_id"].as_str().unwrap();
    assert!(id.trim_end_matches('>').ends_with("@kalel.sn"), "{id}");
    assert_eq!(states(&bench).await, ["done"]);
    let work: String = sqlx::query_scalar("SELECT string_agg(to_jsonb(effects)::text, '') FROM work.effects")
        .fetch_one(bench.store.pool())
        .await
        .unwrap();
    assert!(!work.contains(MAILBOX), "an address in the clear");
}

#[tokio::test]
async fn a_relay_that_is_busy_is_tried_again_and_one_that_refuses_is_not() {
    let (bench, mail) = with_a_mailbox().await;
    let fail = |reply: &str| json!({"do": "fail", "script": {"at": "rcpt", "reply": reply}});
    mail.control(fail("451 4.7.1 later")).await;
    bench.confirmed(20).await;
    assert_eq!(mail.get("/__messages").await, json!([]));
    bench.pass_in_steps(4, 60).await;
    assert_eq!(mail.get("/__messages").await.as_array().unwrap().len(), 1);
    mail.control(fail("550 5.1.1 no such mailbox")).await;
    bench.confirmed(30).await;
    bench.pass_in_steps(4, 60).await;
    assert_eq!(mail.get("/__messages").await.as_array().unwrap().len(), 1);
    assert_eq!(states(&bench).await, ["done", "failed"]);
}

#[tokio::test]
async fn a_mail_whose_answer_is_lost_is_not_sent_again() {
    let (bench, mail) = with_a_mailbox().await;
    mail.control(json!({"do": "fail", "script": {"at": "end", "after_effect": true}})).await;
    bench.confirmed(20).await;
    bench.pass_in_steps(4, 60).await;
    assert_eq!(mail.get("/__messages").await.as_array().unwrap().len(), 1);
    assert_eq!(states(&bench).await, ["unknown"]);
}
