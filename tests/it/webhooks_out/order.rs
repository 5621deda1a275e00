//! In order for each endpoint, whatever happens, and each endpoint for itself.

use std::time::Duration;

use serde_json::json;
use workers::{
    runtime::{Progress, Step},
    webhook_out::{Sender, Writer, way_out},
};

use super::line::Line;

#[tokio::test]
async fn events_arrive_in_the_order_of_the_log_and_none_overtakes_one_that_is_tried_again() {
    let line = Line::new().await;
    line.endpoint("shop", "a").await;
    line.game().await;
    line.pump().await;
    line.fail(json!({ "call": "a", "how": "status", "status": 503, "times": 2 })).await;
    for _ in 0..3 {
        line.game().await;
    }
    line.pump().await;
    let before = line.positions("a").await;
    assert!(before.len() < line.expected().await.len(), "the first one holds the others back");
    // Two of them step on the same line: still one at a time.
    line.pass(6).await;
    assert_eq!(line.positions("a").await, before);
    line.api.store.clock().advance(Duration::from_secs(400)).await.unwrap();
    tokio::join!(line.pump(), line.pump());
    assert_eq!(line.positions("a").await, line.expected().await);
}

#[tokio::test]
async fn one_that_hangs_holds_nobody_else_up() {
    let line = Line::new().await;
    let slow = line.endpoint("shop", "slow").await;
    let well = line.endpoint("manager", "well").await;
    line.know(&[slow.text("/secret"), well.text("/secret")]).await;
    line.fail(json!({ "call": "slow", "how": "hang", "ms": 60_000, "times": 100 })).await;
    line.game().await;
    let mut writer = Writer::new(line.ctx.clone());
    while writer.step().await.unwrap() == Progress::Busy {}
    // Whichever is taken first: one sender hangs on the slow one, and the other sends everything there is for the well one.
    let sender = || Sender::by(line.ctx.clone(), way_out(&line.ctx).unwrap());
    let hanging: Vec<_> = [sender(), sender()]
        .into_iter()
        .map(|mut sender| tokio::spawn(async move { while sender.step().await.unwrap() == Progress::Busy {} }))
        .collect();
    let expected = line.expected().await;
    let arrived = async {
        while line.positions("well").await != expected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), arrived).await.expect("it waits for the one that hangs");
    assert_eq!(line.positions("slow").await, Vec::<i64>::new());
    hanging.into_iter().for_each(|task| task.abort());
}

#[tokio::test]
async fn whoever_dies_between_sending_and_writing_it_down_is_repeated_under_the_same_id() {
    let line = Line::with(|config| config.lease = Duration::from_millis(300)).await;
    line.endpoint("shop", "a").await;
    line.game().await;
    let mut writer = Writer::new(line.ctx.clone());
    while writer.step().await.unwrap() == Progress::Busy {}
    // It arrives, and the answer does not come back.
    line.fail(json!({ "call": "a", "how": "hang", "ms": 60_000, "after_effect": true })).await;
    let mut sender = Sender::by(line.ctx.clone(), way_out(&line.ctx).unwrap());
    let dying = tokio::spawn(async move { sender.step().await.map(drop) });
    let sent = async {
        while line.arrived("a").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), sent).await.expect("nothing is sent");
    dying.abort();
    let _ = dying.await;
    let expected = line.expected().await;
    let repeated = async {
        // Its lease ends by the clock of the database.
        while line.arrived("a").await.len() < expected.len() + 1 {
            line.pump().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), repeated).await.expect("it is lost");
    let arrived = line.arrived("a").await;
    assert_eq!(arrived[0]["id"], arrived[1]["id"]);
    assert_eq!((&arrived[0]["again"], &arrived[1]["again"]), (&json!(false), &json!(true)));
    assert_eq!(line.positions("a").await[1..], expected);
}

#[tokio::test]
async fn what_is_read_twice_is_sent_once() {
    let line = Line::new().await;
    line.endpoint("shop", "a").await;
    line.game().await;
    line.pump().await;
    let arrived = line.arrived("a").await.len();
    // Somebody restores a backup of the checkpoint.
    sqlx::query("UPDATE work.checkpoints SET position = 0 WHERE process = 'webhooks'")
        .execute(line.api.store.pool())
        .await
        .unwrap();
    line.pump().await;
    assert_eq!(line.arrived("a").await.len(), arrived);
}
