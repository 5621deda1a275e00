//! Sites are paid what the ledger owes them: by two persons, once, and with an answer however it ends.

use serde_json::{Value, json};

use super::payout_desk::{Desk, MANAGER, NET, PRICE, WALLET, francs, money};

#[tokio::test]
async fn a_site_is_paid_what_it_has_earned_once_two_persons_said_so() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    assert_eq!(desk.owed().await, NET);
    let preview = desk.api.post("finance", "/v1/payouts?preview=true", json!({ "site": desk.site })).await.is(200);
    assert_eq!((preview.text("/status"), francs(&preview, "/amount")), ("preview", NET));
    let prepared = desk.prepare().await.is(201);
    let id = prepared.text("/id").to_owned();
    assert_eq!((prepared.text("/status"), francs(&prepared, "/amount")), ("prepared", NET));
    for stranger in ["manager", "admin", "auditor", "client", "support", "service"] {
        desk.approve(stranger, &id).await.is(403);
    }
    desk.approve("finance", &id).await.problem(422, "payout.same_person");
    desk.rest().await;
    assert_eq!((desk.left().await, desk.owed().await), (0, NET), "nothing moves before a second person");
    let approved = desk.approve("second_finance", &id).await.is(200);
    assert_eq!(approved.text("/status"), "approved");
    desk.rest().await;
    let paid = desk.show(&id).await;
    assert_eq!(paid.text("/status"), "succeeded");
    assert!(paid.text("/provider_id").starts_with("pt-"), "{}", paid.body);
    assert_eq!((desk.left().await, desk.owed().await, desk.on("payouts:payable").await), (NET, 0, 0));
    // What Wave took for it is on its own account, and the wallet holds what is left.
    let fee = desk.on("provider:fees").await;
    assert_eq!(paid.body["fee"]["amount"].as_i64().unwrap_or_default(), fee);
    assert_eq!(desk.on("provider:wave:clearing").await, PRICE - NET - fee);
    let calls = desk.wave.get("/__calls").await;
    let sent = calls["calls"].as_array().unwrap().iter().find(|call| call["call"] == "payout.create").unwrap();
    assert_eq!(sent["body"]["mobile"], WALLET);
    let texts = desk.texts(MANAGER).await;
    assert!(texts.iter().any(|text| text.contains("27 000 F vous ont été reversés")), "{texts:?}");
    // Nothing is left, and nobody says yes twice.
    desk.prepare().await.problem(422, "payout.below_minimum");
    desk.approve("second_finance", &id).await.is(200);
    desk.pass(3_600).await;
    assert_eq!((desk.left().await, desk.wave.calls("payout.create").await), (NET, 1));
}

#[tokio::test]
async fn two_who_prepare_at_once_prepare_one() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    let wish = json!({ "site": desk.site });
    let (one, other) = tokio::join!(
        desk.api.post("finance", "/v1/payouts", wish.clone()),
        desk.api.post("second_finance", "/v1/payouts", wish.clone())
    );
    let (made, refused) = if one.status == 201 { (one, other) } else { (other, one) };
    let id = made.is(201).text("/id").to_owned();
    // Whoever was slower sees the other's, or that the ledger has not seen it yet.
    assert!(matches!(refused.status, 422 | 503), "{}", refused.body);
    desk.api.settle().await;
    desk.prepare().await.problem(422, "payout.one_at_a_time");
    desk.api
        .post("second_finance", &format!("/v1/payouts/{id}/rejection"), json!({ "reason": "Deux fois" }))
        .await
        .is(200);
    assert_eq!(desk.status(&id).await, "rejected");
    let next = desk.pay_out().await;
    assert_eq!((desk.status(&next).await.as_str(), desk.left().await), ("succeeded", NET));
}

#[tokio::test]
async fn the_same_key_prepares_one_payout() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    let wish = json!({ "site": desk.site });
    let ask = || desk.api.ask(reqwest::Method::POST, "/v1/payouts").role("finance").key("one key of this payout");
    let first = ask().json(&wish).send().await.is(201);
    let again = ask().json(&wish).send().await.is(201);
    assert_eq!((first.text("/id"), again.header("idempotent-replayed")), (again.text("/id"), "true"));
    let keyless = desk.api.ask(reqwest::Method::POST, "/v1/payouts").role("finance").json(&wish).send().await;
    assert_eq!(keyless.status, 400, "{}", keyless.body);
    // What is paid, and to whom, is nobody's to send.
    for more in ["amount", "account", "beneficiary"] {
        let mut wish = wish.clone();
        wish[more] = money(1);
        desk.api.post("finance", "/v1/payouts", wish).await.is(400);
    }
}

#[tokio::test]
async fn a_payout_that_fails_is_owed_again_and_the_next_has_another_key() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    desk.wave.control(json!({ "do": "next_payout", "status": "failed" })).await;
    let first = desk.pay_out().await;
    let failed = desk.show(&first).await;
    assert_eq!(failed.text("/status"), "failed");
    assert!(failed.text("/reason").contains("recipient-limit-exceeded"), "{}", failed.body);
    assert_eq!((desk.left().await, desk.owed().await, desk.on("payouts:payable").await), (0, NET, 0));
    let second = desk.pay_out().await;
    let paid = desk.show(&second).await;
    assert_eq!((paid.text("/status"), francs(&paid, "/amount")), ("succeeded", NET));
    assert_ne!(paid.text("/reference"), failed.text("/reference"));
    assert_eq!((desk.left().await, desk.owed().await), (NET, 0));
}

#[tokio::test]
async fn a_payout_without_an_answer_is_asked_about_and_paid_once() {
    for after_effect in [true, false] {
        let desk = Desk::new().await;
        desk.earn("wave").await;
        let fault = json!({ "do": "fail", "call": "payout.create", "how": "cut", "after_effect": after_effect });
        desk.wave.control(fault).await;
        let id = desk.pay_out().await;
        assert_eq!(desk.status(&id).await, "unknown");
        // While nobody can tell, it is on its way: not owed, and nobody prepares another.
        assert_eq!((desk.owed().await, desk.on("payouts:payable").await), (0, -NET));
        desk.prepare().await.problem(422, "payout.one_at_a_time");
        desk.pass(11).await;
        assert_eq!(desk.status(&id).await, "unknown", "what is on its way is left alone for half a minute");
        desk.pass(20).await;
        assert_eq!((desk.status(&id).await.as_str(), desk.left().await), ("succeeded", NET));
        assert_eq!(desk.wave.calls("payout.create").await, if after_effect { 1 } else { 2 });
        desk.pass(3_600).await;
        assert_eq!(desk.left().await, NET);
    }
}

#[tokio::test]
async fn a_payout_that_takes_its_time_is_asked_about_until_it_is_over() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    desk.wave.control(json!({ "do": "next_payout", "status": "processing" })).await;
    let id = desk.pay_out().await;
    assert_eq!(desk.status(&id).await, "pending");
    desk.pass(11).await;
    assert_eq!(desk.status(&id).await, "pending");
    let reference = desk.show(&id).await.text("/reference").to_owned();
    desk.wave.control(json!({ "do": "settle_payout", "payout": reference, "status": "failed" })).await;
    desk.pass(31).await;
    assert_eq!(desk.status(&id).await, "failed");
    assert_eq!((desk.left().await, desk.owed().await), (0, NET));
}

#[tokio::test]
async fn a_payout_that_the_provider_took_back_is_owed_again() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    // It was paid and taken back before anybody could hear of it.
    desk.wave.control(json!({ "do": "fail", "call": "payout.create", "how": "cut", "after_effect": true })).await;
    let id = desk.pay_out().await;
    let reference = desk.show(&id).await.text("/reference").to_owned();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let wave = |method: reqwest::Method, path: &str| {
        http.request(method, format!("{}{path}", desk.wave.url)).bearer_auth("wave_sn_prod_fake")
    };
    let search = format!("/v1/payouts/search?client_reference={reference}");
    let found: Value = wave(reqwest::Method::GET, &search).send().await.unwrap().json().await.unwrap();
    let there = found["result"][0]["id"].as_str().unwrap();
    let reversal = wave(reqwest::Method::POST, &format!("/v1/payout/{there}/reverse")).send().await.unwrap();
    assert_eq!(reversal.status(), 200);
    desk.pass(31).await;
    assert_eq!(desk.status(&id).await, "reversed");
    assert_eq!((desk.left().await, desk.owed().await, desk.on("payouts:payable").await), (0, NET, 0));
    let next = desk.pay_out().await;
    assert_eq!((desk.status(&next).await.as_str(), desk.left().await, desk.owed().await), ("succeeded", NET, 0));
}

#[tokio::test]
async fn what_is_held_for_a_dispute_is_not_paid_until_it_is_released() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    let hold = format!("/v1/sites/{}/payout-hold", desk.site);
    let reason = "Litige 2026-41";
    for stranger in ["manager", "client", "support", "auditor", "service", "admin"] {
        desk.api.post(stranger, &hold, json!({ "reason": reason })).await.is(403);
    }
    let held = desk.api.post("finance", &hold, json!({ "reason": reason })).await.is(200);
    assert_eq!(held.text("/hold/reason"), reason);
    desk.api.settle().await;
    let refused = desk.prepare().await.problem(422, "payout.held_back");
    assert!(refused.text("/detail").contains(reason), "{}", refused.body);
    desk.api.post("finance", &hold, json!({ "amount": money(7_000), "reason": reason })).await.is(200);
    desk.api.settle().await;
    let prepared = desk.prepare().await.is(201);
    assert_eq!((francs(&prepared, "/held"), francs(&prepared, "/amount")), (7_000, NET - 7_000));
    // More is held before the second person looks.
    desk.api.post("finance", &hold, json!({ "amount": money(7_001), "reason": reason })).await.is(200);
    let id = prepared.text("/id");
    desk.approve("second_finance", id).await.problem(422, "payout.more_than_payable");
    desk.api.post("finance", &hold, json!({ "amount": money(7_000), "reason": reason })).await.is(200);
    desk.approve("second_finance", id).await.is(200);
    desk.rest().await;
    assert_eq!((desk.left().await, desk.owed().await), (NET - 7_000, 7_000));
    desk.api.post("finance", &format!("{hold}/release"), json!({ "reason": "Réglé" })).await.is(200);
    desk.api.settle().await;
    desk.pay_out().await;
    assert_eq!((desk.left().await, desk.owed().await), (NET, 0));
}

#[tokio::test]
async fn what_the_site_has_in_its_till_is_not_sent_to_it_again() {
    let desk = Desk::new().await;
    desk.earn("cash").await;
    desk.prepare().await.problem(422, "payout.below_minimum");
    desk.earn("wave").await;
    assert_eq!((desk.owed().await, desk.on(&format!("cash:{}:main", desk.site)).await), (2 * NET, PRICE));
    let prepared = desk.prepare().await.is(201);
    let sums = ["/payable", "/at_site", "/amount"].map(|pointer| francs(&prepared, pointer));
    assert_eq!(sums, [2 * NET, PRICE, 2 * NET - PRICE]);
    desk.approve("second_finance", prepared.text("/id")).await.is(200);
    desk.rest().await;
    assert_eq!((desk.left().await, desk.owed().await), (2 * NET - PRICE, PRICE));
    desk.prepare().await.problem(422, "payout.below_minimum");
}

#[tokio::test]
async fn a_month_is_prepared_by_itself_and_takes_two_persons_all_the_same() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    let now = desk.api.store.clock().now();
    let month = domain::payout::month_after(now, chrono_tz::Africa::Dakar);
    desk.pass_until(month + chrono::TimeDelta::hours(7)).await;
    let list = desk.api.get("finance", &format!("/v1/payouts?site_id={}", desk.site)).await.is(200);
    let payouts = list.body["data"].as_array().unwrap();
    assert_eq!(payouts.len(), 1, "{}", list.body);
    assert_eq!((&payouts[0]["status"], &payouts[0]["prepared_by"]), (&json!("prepared"), &Value::Null));
    assert_eq!(payouts[0]["to"], json!(month.format("%Y-%m-%dT%H:%M:%SZ").to_string()));
    let id = payouts[0]["id"].as_str().unwrap();
    assert_eq!(desk.approve("finance", id).await.is(200).text("/status"), "agreed");
    desk.approve("finance", id).await.problem(422, "payout.same_person");
    assert_eq!(desk.left().await, 0);
    assert_eq!(desk.approve("second_finance", id).await.is(200).text("/status"), "approved");
    desk.rest().await;
    assert_eq!((desk.status(id).await.as_str(), desk.left().await), ("succeeded", NET));
    // The next month has nothing to pay, and prepares nothing.
    let next = domain::payout::month_after(desk.api.store.clock().now(), chrono_tz::Africa::Dakar);
    desk.pass_until(next + chrono::TimeDelta::hours(7)).await;
    let list = desk.api.get("finance", "/v1/payouts").await.is(200);
    assert_eq!(list.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_transfer_is_made_at_the_bank_and_recorded_once() {
    let desk = Desk::without_an_account().await;
    desk.earn("wave").await;
    desk.prepare().await.problem(422, "payout.no_account");
    desk.set_account("transfer", "SN08 SN010 01234 00123456789 12").await.is(200);
    desk.api.settle().await;
    let id = desk.prepare().await.is(201).text("/id").to_owned();
    let path = format!("/v1/payouts/{id}/transfer");
    let wire = json!({ "reference": "VIR-2026-17" });
    desk.api.post("finance", &path, wire.clone()).await.problem(422, "payout.wrong_status");
    desk.approve("second_finance", &id).await.is(200);
    desk.rest().await;
    assert_eq!((desk.status(&id).await.as_str(), desk.left().await), ("approved", 0));
    desk.api.post("manager", &path, wire.clone()).await.is(403);
    let paid = desk.api.post("finance", &path, wire.clone()).await.is(200);
    assert_eq!((paid.text("/status"), paid.text("/reference")), ("paid_by_hand", "VIR-2026-17"));
    desk.api
        .post("second_finance", &path, json!({ "reference": "VIR-2026-18" }))
        .await
        .problem(422, "payout.wrong_status");
    assert_eq!((desk.owed().await, desk.on("platform:bank").await), (0, -NET));
}

#[tokio::test]
async fn where_a_site_is_paid_is_agreed_with_an_admin_and_shown_in_part() {
    let desk = Desk::new().await;
    let path = format!("/v1/sites/{}/payout-account", desk.site);
    let shown = desk.api.get("manager", &path).await.is(200);
    assert_eq!((shown.text("/method"), shown.text("/account_ends_with")), ("wave", "2233"));
    let tag = shown.header("etag").to_owned();
    for stranger in ["manager", "finance", "service", "client", "auditor"] {
        let wish = json!({ "method": "wave", "account": "77 999 99 99" });
        desk.api.put(stranger, &path, &tag, wish).await.is(403);
    }
    desk.api.get("other_manager", &path).await.problem(404, "object.not_found");
    desk.api.get("client", &path).await.is(403);
    desk.set_account("cash", "77 999 99 99").await.problem(422, "site.payout_method");
    desk.set_account("wave", "12").await.is(400);
    // Nowhere in the log, nor in what is told of it, does the number stand.
    let events = desk.api.get("auditor", "/v1/events?after=0&limit=100").await.is(200);
    let told = events.body.to_string();
    assert!(told.contains("site.payout_account_set") && !told.contains("1112233"), "{told}");
    desk.earn("wave").await;
    // A new account rests for a day, whoever asks.
    desk.set_account("wave", "+221779999999").await.is(200);
    desk.api.settle().await;
    desk.prepare().await.problem(422, "payout.account_rests");
    desk.pass(24 * 3_600).await;
    desk.pay_out().await;
    assert_eq!(desk.left().await, NET);
}

#[tokio::test]
async fn a_manager_sees_the_payouts_of_their_sites_and_no_others() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    let id = desk.pay_out().await;
    let path = format!("/v1/payouts/{id}");
    for reader in ["manager", "finance", "admin", "auditor"] {
        assert_eq!(desk.api.get(reader, &path).await.is(200).text("/status"), "succeeded");
        let list = desk.api.get(reader, "/v1/payouts").await.is(200);
        assert_eq!(list.text("/data/0/id"), id);
    }
    desk.api.get("other_manager", &path).await.problem(404, "object.not_found");
    assert_eq!(desk.api.get("other_manager", "/v1/payouts").await.is(200).body["data"], json!([]));
    for stranger in ["client", "service", "support"] {
        desk.api.get(stranger, &path).await.is(403);
        desk.api.get(stranger, "/v1/payouts").await.is(403);
    }
    for role in ["manager", "admin", "auditor", "client", "service", "support"] {
        desk.api.post(role, "/v1/payouts", json!({ "site": desk.site })).await.is(403);
    }
    desk.api.get("finance", "/v1/payouts?status=failed").await.is(200);
}

#[tokio::test]
async fn a_statement_that_lists_a_payout_agrees_with_us_and_its_fee_is_entered_once() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    let id = desk.pay_out().await;
    let paid = desk.show(&id).await;
    let fee = desk.on("provider:fees").await;
    let taken = paid.body["fee"]["amount"].as_i64().unwrap_or_default();
    let at = paid.text("/ended_at").to_owned();
    let day = &at[..10];
    let file = format!(
        "transaction,kind,state,amount,fee,currency,at,reference\n{},payout,succeeded,-{NET},{taken},XOF,{at},\n",
        paid.text("/provider_id")
    );
    desk.pass(2 * 86_400).await;
    let path = format!("/v1/reconciliations/wave/{day}/statement");
    let key = crate::api::fresh_key();
    let ask = desk.api.ask(reqwest::Method::POST, &path).role("finance").key(&key);
    let told = ask.header("content-type", "text/csv").raw(file).send().await.is(200);
    let differences = desk.api.get("finance", &path.replace("statement", "differences")).await.is(200);
    assert_eq!(told.body["matched"], 1, "{} {}", told.body, differences.body);
    assert_eq!(desk.on("provider:fees").await, fee);
    assert_eq!(desk.on("suspense").await, 0);
}
