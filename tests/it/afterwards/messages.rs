//! Text messages go at most once, whatever happens on the way.

use std::time::Duration;

use serde_json::json;
use workers::{act::Worker, runtime::Step};

use super::bench::{Bench, CLIENT};

#[tokio::test]
async fn a_text_whose_answer_is_lost_is_not_sent_again() {
    for (after_effect, sent) in [(true, 1), (false, 0)] {
        let bench = Bench::new().await;
        bench.sms.control(json!({"do": "fail", "call": "send", "how": "cut", "after_effect": after_effect})).await;
        bench.hold(20).await;
        bench.pump().await;
        bench.pass_in_steps(5, 60).await;
        assert_eq!((bench.texts(CLIENT).await.len(), bench.sms.calls("send").await), (sent, 1));
        let effects = bench.effects("send_sms").await;
        assert_eq!(effects.iter().map(|(state, _)| state.as_str()).collect::<Vec<_>>(), ["unknown"]);
    }
}

#[tokio::test]
async fn a_worker_that_dies_while_sending_leaves_it_unknown() {
    let bench = Bench::with(|config| config.lease = Duration::from_millis(400)).await;
    bench.sms.control(json!({"do": "fail", "call": "send", "how": "slow", "after_effect": true, "ms": 800})).await;
    bench.hold(20).await;
    for manager in workers::process::MANAGERS {
        workers::process::Process::new(bench.ctx.clone(), manager).step().await.unwrap();
    }
    let ctx = bench.ctx.clone();
    let doomed = tokio::spawn(async move {
        let mut worker = Worker::new(ctx);
        loop {
            let _ = worker.step().await;
        }
    });
    while bench.sms.calls("send").await == 0 {
        tokio::task::yield_now().await;
    }
    doomed.abort();
    let _ = doomed.await;
    let ended =
        "SELECT coalesce(bool_and(leased_until <= clock_timestamp()), true) FROM work.effects WHERE state = 'running'";
    while !sqlx::query_scalar::<_, bool>(ended).fetch_one(bench.store.pool()).await.unwrap() {
        tokio::task::yield_now().await;
    }
    bench.pump().await;
    assert_eq!(bench.sms.calls("send").await, 1);
    assert_eq!(bench.effects("send_sms").await[0].0, "unknown");
}

#[tokio::test]
async fn a_gateway_that_is_full_is_tried_again_and_one_that_refuses_is_not() {
    let bench = Bench::new().await;
    bench.sms.control(json!({"do": "fail", "call": "send", "how": "status", "status": 429, "retry_after": 20})).await;
    bench.hold(20).await;
    bench.pump().await;
    assert_eq!(bench.texts(CLIENT).await.len(), 0);
    bench.pass(21).await;
    assert_eq!(bench.texts(CLIENT).await.len(), 1);

    bench.sms.control(json!({"do": "outcome", "outcome": {"kind": "status", "code": 403}})).await;
    bench.hold(22).await;
    bench.pump().await;
    bench.pass_in_steps(3, 60).await;
    assert_eq!(bench.texts(CLIENT).await.len(), 1);
    assert_eq!(bench.effects("send_sms").await[1].0, "failed");
}

#[tokio::test]
async fn nothing_in_the_work_tables_tells_who_somebody_is() {
    let bench = Bench::new().await;
    bench.confirmed(20).await;
    let all: String = sqlx::query_scalar("SELECT string_agg(to_jsonb(effects)::text, '') FROM work.effects")
        .fetch_one(bench.store.pool())
        .await
        .unwrap();
    let body: String = sqlx::query_scalar("SELECT string_agg(to_jsonb(inbox)::text, '') FROM work.inbox")
        .fetch_one(bench.store.pool())
        .await
        .unwrap();
    let digits = CLIENT.trim_start_matches('+');
    assert!(!all.contains(digits) && !body.contains(digits));
}

#[tokio::test]
async fn what_is_over_is_forgotten_after_a_season_and_what_ended_badly_is_not() {
    let bench = Bench::new().await;
    bench.sms.control(json!({"do": "outcome", "outcome": {"kind": "status", "code": 403}})).await;
    bench.confirmed(20).await;
    let count = || async {
        let counted = "SELECT (SELECT count(*) FROM work.effects), (SELECT count(*) FROM work.inbox)";
        sqlx::query_as::<_, (i64, i64)>(counted).fetch_one(bench.store.pool()).await.unwrap()
    };
    bench.pass_quietly(40 * 86_400).await;
    let before = count().await;
    workers::sweep::Sweeper::new(bench.ctx.clone()).step().await.unwrap();
    assert_eq!(count().await, before);
    bench.pass_quietly(51 * 86_400).await;
    workers::sweep::Sweeper::new(bench.ctx.clone()).step().await.unwrap();
    let left: Vec<(String, String)> = sqlx::query_as("SELECT kind, state FROM work.effects WHERE state <> 'ready'")
        .fetch_all(bench.store.pool())
        .await
        .unwrap();
    assert_eq!((left, count().await.1), (vec![("send_sms".to_owned(), "failed".to_owned())], 0));
}
