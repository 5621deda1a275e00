//! Codes: to whom, how often, for what; and that nobody else ever has them.

use serde_json::json;

use super::desk::{Desk, PIN, Phone};

#[tokio::test]
async fn a_new_client_signs_in_with_code_and_pin() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let asked = desk.ask(&awa).await.is(202);
    assert_eq!(asked.headers["cache-control"], "no-store");
    let challenge = asked.text("id");
    assert_eq!(asked.text("sign"), format!("kalel-sign-in-v1\n{challenge}\nsign_in"));
    let code = desk.code(&awa).await;
    assert_eq!(desk.texts(&awa).await, [format!("Kalel: code {code}, valable 5 minutes. Ne le donnez à personne.")]);
    assert_eq!(desk.prove(&awa, &challenge, &code).await.is(200).text("next"), "new_account");
    let opened = desk.open(&awa, &challenge, PIN).await.is(201);
    assert_eq!(
        (opened.text("role").as_str(), &opened.headers["cache-control"]),
        ("client", &"no-store".parse().unwrap())
    );
    let me = super::desk::SignedIn::of(&opened);
    let all = ["client.registered", "client.number_verified", "client.pin_set", "client.device_bound"];
    assert_eq!(desk.events(me.client).await, all);
    // Signed in, they do what a client does.
    desk.get(&me.access, "/v1/reservations").await.is(200);
    desk.get(&me.access, &format!("/v1/clients/{}/balance", me.client)).await.is(200);
    desk.get(&me.access, "/v1/keys").await.problem(403, "auth.role_forbidden");
}

#[tokio::test]
async fn a_code_is_used_once_and_by_its_device_only() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let challenge = desk.ask(&awa).await.is(202).text("id");
    let code = desk.code(&awa).await;
    let thief = awa.another(3);
    desk.prove(&thief, &challenge, &code).await.problem(410, "challenge.over");
    desk.open(&awa, &challenge, PIN).await.problem(409, "challenge.not_proven");
    desk.prove(&awa, &challenge, &code).await.is(200);
    desk.prove(&awa, &challenge, &code).await.problem(410, "challenge.over");
    desk.open(&thief, &challenge, PIN).await.problem(410, "challenge.over");
    desk.open(&awa, &challenge, PIN).await.is(201);
    desk.open(&awa, &challenge, PIN).await.problem(410, "challenge.over");
    // Two at once: one of them.
    desk.wait(60).await;
    let (challenge, _) = desk.proven(&awa).await;
    let both = tokio::join!(desk.open(&awa, &challenge, PIN), desk.open(&awa, &challenge, PIN));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 410]);
}

#[tokio::test]
async fn a_newer_code_takes_the_place_of_the_one_before() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let first = desk.ask(&awa).await.is(202).text("id");
    let code = desk.code(&awa).await;
    desk.ask(&awa).await.problem(429, "challenge.too_many");
    desk.wait(30).await;
    let second = desk.ask(&awa).await.is(202).text("id");
    desk.prove(&awa, &first, &code).await.problem(410, "challenge.over");
    let newer = desk.code(&awa).await;
    desk.prove(&awa, &second, &newer).await.is(200);
}

#[tokio::test]
async fn five_wrong_codes_end_a_challenge_and_ten_a_day_the_number() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let wrong = |code: &str| if code == "000000" { "000001" } else { "000000" };
    for round in 0..2 {
        let challenge = desk.ask(&awa).await.is(202).text("id");
        let code = desk.code(&awa).await;
        for left in (0..5).rev() {
            let answer = desk.prove(&awa, &challenge, wrong(&code)).await.problem(422, "challenge.wrong_code");
            assert_eq!(answer.body["tries_left"], left, "round {round}");
        }
        desk.prove(&awa, &challenge, &code).await.problem(410, "challenge.over");
        desk.wait(60).await;
    }
    let challenge = desk.ask(&awa).await.is(202).text("id");
    let code = desk.code(&awa).await;
    let locked = desk.prove(&awa, &challenge, &code).await.problem(429, "challenge.locked");
    assert!(locked.retry_after() > 23 * 3_600, "{}", locked.retry_after());
    desk.wait(locked.retry_after()).await;
    let (_, next) = desk.proven(&awa).await;
    assert_eq!(next, "new_account");
}

#[tokio::test]
async fn a_hundred_guesses_at_once_count_as_a_hundred() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let challenge = desk.ask(&awa).await.is(202).text("id");
    let code = desk.code(&awa).await;
    let guesses = (0..100).map(|n: u32| {
        let guess = format!("{n:06}");
        let (desk, awa, challenge) = (&desk, &awa, &challenge);
        async move { desk.prove(awa, challenge, &guess).await }
    });
    let answers = futures_util::future::join_all(guesses).await;
    let compared =
        answers.iter().filter(|answer| answer.body["code"] == "challenge.wrong_code" || answer.status == 200);
    assert_eq!(compared.count(), 5, "compared");
    let row: (i16, i32) =
        sqlx::query_as("SELECT (SELECT tries FROM auth.challenges), (SELECT cardinality(wrong) FROM auth.numbers)")
            .fetch_one(&desk.world.pool)
            .await
            .unwrap();
    assert!(row == (5, 5) || code.as_str() < "000100", "{row:?}");
}

#[tokio::test]
async fn codes_are_sent_at_30_60_120_seconds_five_an_hour_ten_a_day() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let mut gaps = Vec::new();
    desk.ask(&awa).await.is(202);
    for _ in 0..4 {
        let refused = desk.ask(&awa).await.problem(429, "challenge.too_many");
        gaps.push(refused.retry_after());
        desk.wait(refused.retry_after()).await;
        desk.ask(&awa).await.is(202);
    }
    assert!(gaps.iter().zip([30, 60, 120, 240]).all(|(gap, told)| (told - 10..=told).contains(gap)), "{gaps:?}");
    let refused = desk.ask(&awa).await.problem(429, "challenge.too_many");
    assert!(refused.retry_after() > 3_600 - 460, "{}", refused.retry_after());
    desk.send().await;
    assert_eq!(desk.texts(&awa).await.len(), 1, "a code that was replaced before it was sent is not sent");
}

#[tokio::test]
async fn an_address_asks_for_twenty_in_an_hour_whatever_the_numbers() {
    let desk = Desk::new().await;
    let at = |n: u32| Phone { address: "41.82.0.7".into(), ..Phone::nth(n) };
    for n in 0..20 {
        desk.ask(&at(n)).await.is(202);
    }
    desk.ask(&at(20)).await.problem(429, "challenge.too_many");
    let beside = Phone { address: "41.82.0.8".into(), ..Phone::nth(20) };
    desk.ask(&beside).await.is(202);
}

#[tokio::test]
async fn a_day_has_so_many_codes_and_a_known_device_needs_none() {
    let desk = Desk::with(|settings| settings.sign_in.codes_a_day = 2).await;
    let awa = Phone::nth(1);
    let me = desk.sign_in(&awa, PIN).await;
    desk.ask(&Phone::nth(2)).await.is(202);
    let refused = desk.ask(&Phone::nth(3)).await.problem(503, "challenge.unavailable");
    assert_eq!(refused.body["outcome"], "not_done");
    desk.come_back(&awa, me.device, PIN).await.is(201);
}

#[tokio::test]
async fn numbers_of_other_countries_get_no_code_unless_the_operator_says_so() {
    let french = Phone { number: "+33612345678".into(), ..Phone::nth(1) };
    Desk::new().await.ask(&french).await.problem(422, "challenge.country");
    let desk = Desk::with(|settings| settings.sign_in.foreign_numbers = true).await;
    desk.ask(&french).await.is(202);
    let fixed = Phone { number: "33 821 00 00".into(), ..Phone::nth(2) };
    let refused = desk.ask(&fixed).await.problem(400, "request.invalid_field");
    assert_eq!(refused.body["errors"][0]["pointer"], "/phone");
}

#[tokio::test]
async fn a_code_whose_answer_is_lost_is_not_sent_again() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    desk.sms.control(json!({ "do": "fail", "call": "send", "how": "cut", "after_effect": true })).await;
    desk.ask(&awa).await.is(202);
    desk.send().await;
    let state: (String, i32) = sqlx::query_as("SELECT state, attempts FROM work.effects WHERE kind = 'send_code'")
        .fetch_one(&desk.world.pool)
        .await
        .unwrap();
    assert_eq!(state, ("unknown".to_owned(), 1));
    // Whoever waits for it asks again.
    desk.wait(31).await;
    let (_, next) = desk.proven(&awa).await;
    assert_eq!((next.as_str(), desk.texts(&awa).await.len()), ("new_account", 2));
}

#[tokio::test]
async fn known_and_unknown_numbers_get_the_same_answer() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    desk.sign_in(&awa, PIN).await;
    desk.wait(3_600).await;
    let shape = async |phone: &Phone| {
        let mut body = desk.ask(phone).await.is(202).body;
        for member in ["id", "sign", "expires_at", "resend_at"] {
            assert!(body[member].take().is_string());
        }
        body
    };
    assert_eq!(shape(&awa).await, shape(&Phone::nth(2)).await);
    desk.wait(60).await;
    assert_eq!(shape(&awa.another(4)).await, shape(&Phone::nth(3)).await, "another device");
}

/// Codes and PINs are nowhere but on the telephone: in no answer, no table, no event.
#[tokio::test]
async fn never_again_a_code_is_in_an_answer_or_a_table() {
    let (desk, awa) = (Desk::new().await, Phone::nth(1));
    let asked = desk.ask(&awa).await.is(202);
    let code = desk.code(&awa).await;
    let challenge = asked.text("id");
    let proven = desk.prove(&awa, &challenge, &code).await.is(200);
    let opened = desk.open(&awa, &challenge, PIN).await.is(201);
    let me = super::desk::SignedIn::of(&opened);
    let national = awa.number.trim_start_matches("+221").to_owned();
    let secrets = [code.clone(), PIN.to_owned(), me.access.clone(), me.refresh.clone(), national];
    for answer in [&asked.text, &proven.text] {
        assert!(secrets.iter().all(|secret| !answer.contains(secret.as_str())), "{answer}");
    }
    assert!(!opened.text.contains(&code) && !opened.text.contains(PIN));
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
         WHERE schemaname IN ('event_log', 'read', 'work', 'auth')",
    )
    .fetch_all(&desk.world.pool)
    .await
    .unwrap();
    let mut rows = 0;
    for table in &tables {
        let found: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT t::text FROM {table} AS t")))
            .fetch_all(&desk.world.pool)
            .await
            .unwrap();
        rows += found.len();
        for row in found {
            // An instant or an id may have the same six digits.
            let long = secrets.iter().filter(|secret| secret.len() > 6).find(|secret| row.contains(secret.as_str()));
            assert_eq!(long, None, "{table}: {row}");
            let words: Vec<&str> = row.split(|c: char| !c.is_ascii_alphanumeric()).collect();
            let near = |secret: &String| table.starts_with("auth.") && words.contains(&secret.as_str());
            assert!(!secrets.iter().take(2).any(near), "{table}: {row}");
        }
    }
    assert!(rows > 10 && tables.len() > 40, "{rows} rows of {} tables", tables.len());
}
