//! Whoever works here: invited by mail, signed in with a passphrase and an app, stopped at once.

use domain::{account::Duty, actor::Role};
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use super::desk::{Answer, Desk, PIN, Phone};

pub const PASSPHRASE: &str = "cheval pile agrafe correcte";
pub const OTHER: &str = "quatre mots bien secrets";

/// Somebody who works.
pub struct Staff {
    pub email: String,
    pub id: String,
    pub access: String,
    seed: String,
}

impl Staff {
    /// What their app shows now. Each code counts once: whoever needs another waits for it.
    pub fn code(&self, desk: &Desk) -> String {
        code(desk, &self.seed)
    }
}

fn code(desk: &Desk, seed: &str) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(seed).unwrap()).build().unwrap();
    totp.generate(desk.store.clock().now().timestamp().unsigned_abs()).to_string()
}

impl Desk {
    /// The token of the invitation that was mailed last.
    async fn token(&self, email: &str) -> Option<String> {
        self.send().await;
        let all = self.mail.get("/__messages").await;
        let of = |mail: &&Value| mail["to"] == json!([email]);
        // Newest first or last: the one that was made last is the only one that is good.
        let texts: Vec<String> =
            all.as_array().unwrap().iter().filter(of).map(|mail| mail["text"].as_str().unwrap().to_owned()).collect();
        let tokens = texts.iter().flat_map(|text| text.split_whitespace()).filter(|word| word.starts_with("ki_"));
        let mut good = None;
        for token in tokens {
            let standing = eventstore::auth::invitation::find(&self.store, token).await.unwrap();
            good = standing.map(|_| token.to_owned()).or(good);
        }
        good
    }

    async fn enrol(&self, token: &str) -> String {
        self.post("/v1/invitations/enrolment", &json!({ "token": token })).await.is(201).text("seed")
    }

    async fn accept(&self, token: &str, seed: &str) -> Answer {
        let body = json!({ "token": token, "passphrase": PASSPHRASE, "totp": code(self, seed) });
        self.post("/v1/invitations/acceptance", &body).await
    }

    async fn come(&self, email: &str) -> Staff {
        let token = self.token(email).await.expect("an invitation was mailed");
        let seed = self.enrol(&token).await;
        let opened = self.accept(&token, &seed).await.is(201);
        self.wait(30).await;
        Staff { email: email.to_owned(), id: opened.text("subject_id"), access: opened.text("access_token"), seed }
    }

    /// By whoever runs the installation.
    pub async fn admin(&self, email: &str) -> Staff {
        kalel::account::invite(&self.store, email, Duty { role: Role::Admin, sites: None }).await.unwrap();
        self.come(email).await
    }

    pub async fn by(&self, who: &Staff, method: Method, path: &str, body: Value) -> Answer {
        self.call(method, path, Some(&who.access), Some(&body)).await
    }

    /// Having read what they agree to.
    async fn agree(&self, who: &Staff, account: &str, to: &str) -> Answer {
        let path = format!("/v1/accounts/{account}");
        let tag = self.get(&who.access, &path).await.is(200).headers["etag"].to_str().unwrap().to_owned();
        self.agree_to(who, account, to, &tag).await
    }

    async fn agree_to(&self, who: &Staff, account: &str, to: &str, tag: &str) -> Answer {
        let request = self.http.post(format!("{}/v1/accounts/{account}/{to}", self.base)).bearer_auth(&who.access);
        let response = request.header("if-match", tag).json(&json!({})).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }

    async fn invite(&self, admin: &Staff, email: &str, role: &str) -> Answer {
        self.by(admin, Method::POST, "/v1/accounts", json!({ "email": email, "role": role })).await
    }

    pub async fn sign_in_staff(&self, who: &Staff, passphrase: &str) -> Answer {
        let body = json!({ "email": who.email, "passphrase": passphrase, "totp": who.code(self) });
        self.post("/v1/sessions/staff", &body).await
    }

    /// An admin, and somebody whom they invited.
    pub async fn pair(&self, role: &str) -> (Staff, Staff) {
        let admin = self.admin("awa@kalel.sn").await;
        self.invite(&admin, "modou@kalel.sn", role).await.is(201);
        (admin, self.come("modou@kalel.sn").await)
    }
}

#[tokio::test]
async fn whoever_is_invited_comes_by_mail_with_a_passphrase_and_an_app() {
    let desk = Desk::new().await;
    let admin = desk.admin("awa@kalel.sn").await;
    let invited = desk.invite(&admin, "Modou@Kalel.sn", "support").await.is(201);
    assert_eq!((invited.text("email").as_str(), invited.text("status").as_str()), ("modou@kalel.sn", "invited"));
    let token = desk.token("modou@kalel.sn").await.unwrap();
    assert!(!invited.text.contains(&token), "nobody but the mailbox has it");
    let body = |passphrase: &str, totp: &str| json!({ "token": token, "passphrase": passphrase, "totp": totp });
    let accept = async |body: Value| desk.post("/v1/invitations/acceptance", &body).await;
    accept(body(PASSPHRASE, "123456")).await.problem(409, "invitation.not_enrolled");
    let seed = desk.enrol(&token).await;
    accept(body("azertyuiop123456", &code(&desk, &seed))).await.problem(422, "passphrase.too_weak");
    let wrong = if code(&desk, &seed) == "000000" { "000001" } else { "000000" };
    accept(body(PASSPHRASE, wrong)).await.problem(422, "invitation.wrong_code");
    let opened = desk.accept(&token, &seed).await.is(201);
    assert_eq!(opened.text("role"), "support");
    accept(body(PASSPHRASE, "123456")).await.problem(410, "invitation.over");
    let shown = desk.get(&admin.access, &format!("/v1/accounts/{}", opened.text("subject_id"))).await.is(200);
    assert_eq!(shown.text("status"), "working");
    desk.invite(&admin, "modou@kalel.sn", "auditor").await.problem(409, "account.exists");
    // They see what support sees, and nothing of accounts.
    desk.get(&opened.text("access_token"), "/v1/reservations").await.is(200);
    desk.get(&opened.text("access_token"), &format!("/v1/accounts/{}", admin.id))
        .await
        .problem(403, "auth.role_forbidden");
}

#[tokio::test]
async fn what_is_wrong_when_signing_in_is_not_said_and_a_code_counts_once() {
    let desk = Desk::new().await;
    let (_, modou) = desk.pair("support").await;
    desk.sign_in_staff(&modou, OTHER).await.problem(401, "session.refused");
    let nobody = Staff { email: "nobody@kalel.sn".into(), ..modou };
    desk.sign_in_staff(&nobody, PASSPHRASE).await.problem(401, "session.refused");
    let modou = Staff { email: "modou@kalel.sn".into(), ..nobody };
    // The code was not used up by a wrong passphrase.
    desk.sign_in_staff(&modou, PASSPHRASE).await.is(201);
    desk.sign_in_staff(&modou, PASSPHRASE).await.problem(401, "session.refused");
    desk.wait(30).await;
    desk.sign_in_staff(&modou, PASSPHRASE).await.is(201);
    for _ in 0..5 {
        desk.sign_in_staff(&modou, OTHER).await.problem(401, "session.refused");
    }
    desk.wait(30).await;
    let locked = desk.sign_in_staff(&modou, PASSPHRASE).await.problem(429, "session.locked");
    desk.wait(locked.retry_after()).await;
    desk.sign_in_staff(&modou, PASSPHRASE).await.is(201);
}

#[tokio::test]
async fn money_and_rights_need_a_second_look_and_a_second_person() {
    let desk = Desk::new().await;
    let awa = desk.admin("awa@kalel.sn").await;
    let second = desk.admin("fatou@kalel.sn").await;
    // Finance takes two: no mail before, and not by the same person.
    let invited = desk.invite(&awa, "modou@kalel.sn", "finance").await.is(201);
    assert_eq!(invited.text("status"), "waits_for_approval");
    assert_eq!(desk.token("modou@kalel.sn").await, None);
    let id = invited.text("id");
    desk.agree(&awa, &id, "approval").await.problem(422, "account.same_person");
    desk.by(&second, Method::POST, &format!("/v1/accounts/{id}/approval"), json!({}))
        .await
        .problem(428, "precondition.required");
    desk.agree(&second, &id, "approval").await.is(200);
    let modou = desk.come("modou@kalel.sn").await;
    // Five minutes after they proved themselves they have to do it again.
    desk.wait(300).await;
    let role = format!("/v1/accounts/{}/role", modou.id);
    let wish = json!({ "role": "auditor" });
    desk.by(&awa, Method::POST, &role, wish.clone()).await.problem(403, "session.step_up_required");
    desk.get(&awa.access, &format!("/v1/accounts/{}", modou.id)).await.is(200);
    for admin in [&awa, &second] {
        let step = json!({ "passphrase": PASSPHRASE, "totp": admin.code(&desk) });
        desk.by(admin, Method::POST, "/v1/sessions/current/step-up", step).await.is(200);
    }
    desk.by(&awa, Method::POST, &role, wish.clone()).await.is(200);
    desk.agree(&awa, &modou.id, "role/approval").await.problem(422, "account.same_person");
    // Nobody agrees to what took the place of what they read.
    let path = format!("/v1/accounts/{}", modou.id);
    let read = desk.get(&second.access, &path).await.is(200).headers["etag"].to_str().unwrap().to_owned();
    desk.by(&awa, Method::POST, &role, json!({ "role": "admin" })).await.is(200);
    desk.agree_to(&second, &modou.id, "role/approval", &read).await.problem(412, "precondition.failed");
    desk.by(&awa, Method::POST, &role, wish).await.is(200);
    // It counts at once, in the session that is open.
    desk.get(&modou.access, "/v1/ledger/trial-balance").await.is(200);
    let key = desk.key(Role::Finance, &modou.id).await;
    desk.get(&key, "/v1/ledger/trial-balance").await.is(200);
    desk.agree(&second, &modou.id, "role/approval").await.is(200);
    // A key of theirs is that of the role that they had.
    desk.call(Method::GET, "/v1/ledger/trial-balance", Some(&desk.key(Role::Finance, &modou.id).await), None)
        .await
        .problem(401, "auth.invalid");
    let shown = desk.get(&second.access, &format!("/v1/accounts/{}", modou.id)).await.is(200);
    assert_eq!(shown.text("role"), "auditor");
    let code = json!({ "code": "TOUS", "percent_basis_points": 1000 });
    desk.by(&modou, Method::POST, "/v1/promotions", code).await.problem(403, "auth.role_forbidden");
}

#[tokio::test]
async fn a_suspended_manager_writes_and_reads_nothing_from_that_moment() {
    use eventstore::{Append, AppendError, Meta, auth::session};

    let desk = Desk::new().await;
    let (admin, manager) = desk.pair("manager").await;
    let ground = crate::api::ground("suspended", json!({}));
    let site = desk.call_with_key(&manager, "/v1/sites", &ground).await.is(201).text("id");
    let found = session::find(&desk.store, &manager.access).await.unwrap().unwrap();
    // Another process, which believes nothing for longer than a request.
    let elsewhere = desk.another_process().await;
    let at = |base: &str| desk.http.get(format!("{base}/v1/reservations?site_id={site}")).bearer_auth(&manager.access);
    assert_eq!(at(&elsewhere).send().await.unwrap().status(), 200);
    // A key of theirs, and a command that is decided and about to be written.
    let key = desk.key(Role::Manager, &manager.id).await;
    desk.get(&key, &format!("/v1/reservations?site_id={site}")).await.is(200);
    let path = format!("/v1/accounts/{}/suspension", manager.id);
    desk.by(&admin, Method::POST, &path, json!({ "reason": "Enquête en cours" })).await.is(200);
    assert_eq!(at(&elsewhere).send().await.unwrap().status(), 401);
    desk.get(&manager.access, &format!("/v1/reservations?site_id={site}")).await.problem(401, "session.ended");
    desk.get(&key, &format!("/v1/reservations?site_id={site}")).await.problem(401, "auth.invalid");
    let decision = desk.anything().await;
    let late = Append { fence: Some(found.fence), ..Append::new(decision, Meta::system()) };
    let refused = desk.store.append(late).await;
    assert!(matches!(refused, Err(AppendError::StaleFence)), "{refused:?}");
    desk.sign_in_staff(&manager, PASSPHRASE).await.problem(403, "account.suspended");
    // They go on, with a session of their own.
    desk.by(&admin, Method::POST, &format!("/v1/accounts/{}/resumption", manager.id), json!({})).await.is(200);
    desk.get(&manager.access, &format!("/v1/reservations?site_id={site}")).await.problem(401, "session.ended");
    desk.wait(30).await;
    desk.sign_in_staff(&manager, PASSPHRASE).await.is(201);
    let own = format!("/v1/accounts/{}/suspension", admin.id);
    desk.by(&admin, Method::POST, &own, json!({ "reason": "Moi" })).await.problem(422, "account.same_person");
}

#[tokio::test]
async fn managers_invite_who_stands_at_their_gate_and_at_no_other() {
    let desk = Desk::new().await;
    let (admin, manager) = desk.pair("manager").await;
    let mine =
        desk.call_with_key(&manager, "/v1/sites", &crate::api::ground("mine", json!({}))).await.is(201).text("id");
    desk.invite(&admin, "other@kalel.sn", "manager").await.is(201);
    let other = desk.come("other@kalel.sn").await;
    let body = |site: &str, role: &str| json!({ "email": "gate@kalel.sn", "role": role, "sites": [site] });
    desk.by(&other, Method::POST, "/v1/accounts", body(&mine, "gatekeeper")).await.problem(404, "object.not_found");
    desk.by(&manager, Method::POST, "/v1/accounts", body(&mine, "support"))
        .await
        .problem(422, "account.role_not_allowed");
    let nowhere = json!({ "email": "gate@kalel.sn", "role": "gatekeeper" });
    desk.by(&manager, Method::POST, "/v1/accounts", nowhere).await.problem(422, "account.no_sites");
    desk.by(&manager, Method::POST, "/v1/accounts", body(&mine, "gatekeeper")).await.is(201);
    let gate = desk.come("gate@kalel.sn").await;
    desk.get(&gate.access, &format!("/v1/reservations?site_id={mine}")).await.is(200);
    desk.invite(&gate, "friend@kalel.sn", "gatekeeper").await.problem(403, "auth.role_forbidden");
}

#[tokio::test]
async fn another_passphrase_ends_the_other_sessions() {
    let desk = Desk::new().await;
    let (_, modou) = desk.pair("support").await;
    let there = desk.sign_in_staff(&modou, PASSPHRASE).await.is(201).text("access_token");
    let body = |totp: String, new: &str| json!({ "passphrase": PASSPHRASE, "new_passphrase": new, "totp": totp });
    let path = "/v1/accounts/me/passphrase";
    desk.by(&modou, Method::PUT, path, body("000000".into(), "motdepasse123"))
        .await
        .problem(422, "passphrase.too_weak");
    desk.wait(30).await;
    desk.by(&modou, Method::PUT, path, body(modou.code(&desk), OTHER)).await.is(204);
    desk.get(&there, "/v1/sessions").await.problem(401, "session.ended");
    desk.get(&modou.access, "/v1/sessions").await.is(200);
    desk.wait(30).await;
    desk.sign_in_staff(&modou, PASSPHRASE).await.problem(401, "session.refused");
    desk.sign_in_staff(&modou, OTHER).await.is(201);
}

#[tokio::test]
async fn an_invitation_is_good_for_three_days_and_can_be_sent_again() {
    let desk = Desk::new().await;
    let admin = desk.admin("awa@kalel.sn").await;
    let id = desk.invite(&admin, "modou@kalel.sn", "support").await.is(201).text("id");
    let token = desk.token("modou@kalel.sn").await.unwrap();
    desk.wait(72 * 3_600).await;
    desk.post("/v1/invitations/enrolment", &json!({ "token": token })).await.problem(410, "invitation.over");
    let admin = Staff { access: desk.sign_in_staff(&admin, PASSPHRASE).await.is(201).text("access_token"), ..admin };
    desk.by(&admin, Method::POST, &format!("/v1/accounts/{id}/invitation"), json!({})).await.is(200);
    let newer = desk.token("modou@kalel.sn").await.unwrap();
    assert_ne!(newer, token);
    desk.come("modou@kalel.sn").await;
    let again = desk.by(&admin, Method::POST, &format!("/v1/accounts/{id}/invitation"), json!({})).await;
    again.problem(422, "account.accepted");
}

/// What a client's session cannot do is what no client's key can.
#[tokio::test]
async fn never_again_anybody_registers_as_admin() {
    let desk = Desk::new().await;
    let awa = desk.sign_in(&Phone::nth(1), PIN).await;
    let body = json!({ "email": "me@kalel.sn", "role": "admin" });
    desk.call(Method::POST, "/v1/accounts", Some(&awa.access), Some(&body)).await.problem(403, "auth.role_forbidden");
    desk.call(Method::POST, "/v1/accounts", None, Some(&body)).await.problem(401, "auth.missing");
    let key = desk.key(Role::Admin, &awa.client.to_string()).await;
    desk.call(Method::POST, "/v1/accounts", Some(&key), Some(&body)).await.problem(403, "session.required");
    // Nor by an invitation of their own making.
    desk.post("/v1/invitations/enrolment", &json!({ "token": "" })).await.problem(400, "request.invalid_field");
    for token in ["ki_", "ki_6mM4oSSuPpqvyGzXCRnHMPa1ow0QqKdYxZTWNVOcb3E"] {
        desk.post("/v1/invitations/enrolment", &json!({ "token": token })).await.problem(410, "invitation.over");
    }
}
