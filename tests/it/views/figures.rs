//! What can be watched: figures of the lane and of the views.

use domain::decision::{Change, Decision};
use eventstore::{Append, AppendError, Meta};

use super::{
    make::{Booking, Ground, Log, at, hours},
    operator::Site,
};

#[tokio::test]
async fn the_lane_tells_how_long_commands_wait_and_which_guard_refuses() {
    let recorder = api::http::health::recorder().expect("this process has our recorder");
    let mut log = Log::new().await;
    let ground = Ground::new();
    let first = Booking::new(ground.slot(ground.north, hours(20, 21)));
    log.write(first.id, vec![first.held(at(1_000_000))]).await;
    let second = Booking::new(ground.slot(ground.whole, hours(20, 21)));
    let events = vec![second.held(at(1_000_000))];
    let change = Change { stream: second.id.into(), expected: 0, events };
    let decision = Decision { changes: vec![change], reads: Vec::new() };
    let refused = log.store.append(Append::new(decision, Meta::system())).await.unwrap_err();
    assert!(matches!(refused, AppendError::Refused(_)), "{refused}");
    let text = recorder.render();
    for name in [
        "lane_guard_refusals_total{guard=\"slot\"}",
        "lane_verdicts_total{verdict=\"slot_taken\"}",
        "lane_wait_seconds_count",
        "lane_batch_commands_count",
        "lane_batch_events_count",
    ] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is not in\n{text}");
    }
}

/// Nobody asks for the progress here: the process keeps the gauges by itself.
#[tokio::test]
async fn a_process_with_the_role_projector_keeps_the_gauges_of_the_views() {
    kalel::tls::install();
    let port = kalel::up::ports::free(None, &[]).unwrap();
    let mut it = Site::listening(port).await;
    let sick = Ground::new();
    it.log.write(sick.site, vec![sick.registered("Sick", None)]).await;
    let written = it.log.poison(sick.site, "site.hours_set", r#"{"weekly":"always"}"#).await;
    let log = it.folder.path().join("log");
    let _serving = it.serve_with(&log, "api,projector", &[]);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{port}/metrics");
    let expected = [
        format!("kalel_projection_position{{projector=\"site\"}} {written}"),
        "kalel_projection_parked{projector=\"site\"} 1".to_owned(),
        "kalel_projection_halted{projector=\"site\"} 0".to_owned(),
        "kalel_projection_lag_events{projector=\"client\"} 0".to_owned(),
        "kalel_projection_behind_seconds{projector=\"key\"} 0".to_owned(),
        "kalel_projection_shadow{projector=\"client\"} 1".to_owned(),
        format!("kalel_projection_shadow_position{{projector=\"client\"}} {written}"),
        "kalel_projection_shadow_lag_events{projector=\"client\"} 0".to_owned(),
    ];
    let told = async || match http.get(&url).send().await {
        Ok(answer) => answer.text().await.unwrap_or_default(),
        Err(_) => String::new(),
    };
    it.until("it has begun", async || told().await.contains("kalel_projection_batch_events_count")).await;
    let rebuilt = it.command(&["rebuild", "client"]).output().unwrap();
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    it.until("all gauges are right", async || {
        let text = told().await;
        expected.iter().all(|line| text.lines().any(|found| found == line))
    })
    .await;
}
