//! What payers are offered while a provider is out of order: over HTTP, as the workers find it.

use std::time::Duration;

use domain::{payment::Method, site};
use serde_json::{Value, json};
use workers::{health::Health, runtime::Step};

use super::{pages::Walk, rails::Kind, servers::Fake};

/// Wave and Orange Money, the platform's order.
pub async fn two() -> (Walk, Fake) {
    let mut walk = Walk::by(vec![Method::Wave, Method::OrangeMoney]).await;
    let orange = walk.bench.add(Kind::OrangeMoney).await;
    (walk, orange)
}

/// Nothing answers at Wave until it is healed.
pub async fn break_wave(walk: &Walk) {
    walk.bench
        .wave
        .control(json!({"do": "fail", "call": "any", "how": "status", "status": 503, "times": 10_000}))
        .await;
}

async fn methods(walk: &Walk, query: &str, language: &str) -> Value {
    let url = format!("{}/v1/payment-methods{query}", walk.base);
    let answer = walk.http.get(url).header("accept-language", language).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

fn shown(list: &Value) -> Vec<(&str, bool)> {
    let data = list["data"].as_array().unwrap();
    data.iter().map(|method| (method["method"].as_str().unwrap(), method["available"].as_bool().unwrap())).collect()
}

/// What is offered once it is this: an API remembers how the rails fare for half a second.
pub async fn offered(walk: &Walk, query: &str, expected: &[(&str, bool)]) -> Value {
    let begun = std::time::Instant::now();
    loop {
        let list = methods(walk, query, "fr").await;
        if shown(&list) == expected {
            return list;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{list}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_rail_that_does_not_answer_is_offered_last_until_it_answers() {
    let (walk, _) = two().await;
    let bench = &walk.bench;
    let mut health = Health::new(bench.ctx.clone());
    health.step().await.unwrap();
    let well = [("wave", true), ("orange_money", true)];
    assert_eq!(offered(&walk, "", &well).await["data"][0]["reason"], Value::Null);

    break_wave(&walk).await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.pass(11).await;
    bench.pass(20).await;
    health.step().await.unwrap();
    let ill = offered(&walk, "?site=temple-du-foot", &[("orange_money", true), ("wave", false)]).await;
    assert_eq!(ill["site_id"], bench.site.to_string());
    let reason = &ill["data"][1]["reason"];
    assert_eq!((&reason["code"], &reason["text"]), (&json!("no_answer"), &json!("Wave ne répond pas en ce moment.")));
    let members: Vec<&str> = reason.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["code", "since", "text"], "what the provider said stays with us");
    let english = methods(&walk, "", "en").await;
    assert_eq!(english["data"][1]["reason"]["text"], "Wave does not answer at the moment.");

    // It is advice: what is asked for there all the same is taken, and paid once it answers.
    let (other, by_wave) = bench.hold(21).await;
    bench.pump().await;
    bench.wave.control(json!({"do": "heal"})).await;
    bench.pass(60).await;
    bench.pass(60).await;
    health.step().await.unwrap();
    offered(&walk, "", &well).await;
    for (reservation, payment) in [(reservation, payment), (other, by_wave)] {
        bench.pay(payment).await;
        bench.pump().await;
        assert_eq!(bench.status(reservation).await, "confirmed");
    }
}

#[tokio::test]
async fn what_a_worker_said_before_it_died_is_soon_forgotten() {
    let (walk, _) = two().await;
    let pool = walk.bench.store.pool();
    let second = Duration::from_secs(1);
    eventstore::health::say_unwell(pool, Method::Wave, "", "timeout", second, second * 600).await.unwrap();
    offered(&walk, "", &[("orange_money", true), ("wave", false)]).await;
    sqlx::query("UPDATE work.rail_health SET until = clock_timestamp()").execute(pool).await.unwrap();
    offered(&walk, "", &[("wave", true), ("orange_money", true)]).await;
    // Another account's trouble is not ours: the same look at the rails shows what is.
    eventstore::health::say_unwell(pool, Method::Wave, "another", "timeout", second, second * 600).await.unwrap();
    eventstore::health::say_unwell(pool, Method::OrangeMoney, "", "timeout", second, second * 600).await.unwrap();
    offered(&walk, "", &[("wave", true), ("orange_money", false)]).await;
}

#[tokio::test]
async fn a_site_is_paid_by_the_methods_it_lists_in_its_order() {
    let (walk, _) = two().await;
    let bench = &walk.bench;
    let site = bench.load::<site::Site>(bench.site).await;
    let mut profile = site.state.identity.clone().unwrap().profile;
    profile.payment_methods = vec![Method::Cash, Method::OrangeMoney, Method::Wave, Method::Yas];
    let described = site::Described { site_id: bench.site, profile };
    bench.append(domain::decision::Decision::nothing().then(&site, described)).await.unwrap();
    offered(&walk, "?site=temple-du-foot", &[("orange_money", true), ("wave", true)]).await;
    offered(&walk, "", &[("wave", true), ("orange_money", true)]).await;
    let answer = walk.http.get(format!("{}/v1/payment-methods?site=nowhere", walk.base)).send().await.unwrap();
    assert_eq!(answer.status(), 404);
}
