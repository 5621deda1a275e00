//! Processes that die while they write.

use kalel::bench::crash::{Plan, run};

use crate::world::{KALEL, World};

/// `kalel bench crash` in small; `KALEL_CRASH_COMMANDS=100000` makes it the whole trial.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_in_the_log_whoever_is_killed() {
    let world = World::new().await;
    let commands = std::env::var("KALEL_CRASH_COMMANDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000);
    let plan =
        Plan { program: KALEL.into(), database_url: world.database_url.clone(), commands, processes: 4, seed: 7 };
    let report = run(&plan).await.unwrap();
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.commands >= commands && report.kills > 0, "{report}");
    // A trial in which almost everything is refused would show nothing.
    assert!(report.applied >= commands / 10 && report.lapses > 0, "{report}");
}
