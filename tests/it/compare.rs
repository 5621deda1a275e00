//! `kalel bench compare` in small, where no peer is to be had.

use std::time::Duration;

use kalel::bench::compare::{Databases, Plan, as_json, run, table::table};

use crate::world::{KALEL, World};

/// Every goal of the design, and what is shown beside them.
const ROWS: [&str; 16] = [
    "append-1",
    "append-32",
    "append-256",
    "http-bare",
    "http-node",
    "http-all-roles",
    "crowd",
    "rebuild",
    "live-lag",
    "live-lag-rebuilding",
    "search",
    "load-and-append",
    "append-library",
    "replay",
    "taken",
    "memory",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_goal_has_a_row_and_a_missing_peer_is_named() {
    let mut worlds = Vec::new();
    for _ in 0..5 {
        worlds.push(World::new().await);
    }
    let folder = tempfile::tempdir().unwrap();
    let of = |number: usize| worlds[number].owner_url.clone();
    let plan = Plan {
        program: KALEL.into(),
        databases: Databases { append: of(0), http: of(1), streams: of(2), search: of(3), rebuild: of(4) },
        nats_url: Some(worlds[1].nats_url.clone()),
        peers: folder.path().join("none"),
        cache: folder.path().join("cache"),
        callers: vec![1, 4],
        callers_of_libraries: 4,
        connections: 8,
        crowd: 20,
        sites: 50,
        events: 1,
        lasting: Duration::from_millis(200),
        rounds: 1,
    };
    let report = run(&plan, &mut |_| ()).await.unwrap();
    let (json, text) = (as_json(&report, "a machine"), table(&report));

    let goals = json["goals"].as_array().unwrap();
    let row = |id: &str| goals.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no row {id}"));
    for id in ROWS {
        let row = row(id);
        assert!(text.contains(row["work"].as_str().unwrap()), "{id} is not in the table");
        let measured = row["ours"]["value"].as_f64().is_some_and(|value| value > 0.0);
        assert!(measured || matches!(id, "append-32" | "append-256"), "{row}");
    }
    assert_eq!(row("crash")["verdict"], "elsewhere");
    assert!(text.contains("kalel bench crash"));
    // Nobody asked for 32 or 256 callers: that is said, not passed over.
    assert_eq!(
        (&row("append-32")["verdict"], &row("append-256")["verdict"]),
        (&"not_measured".into(), &"not_measured".into())
    );
    for id in ["http-node", "load-and-append", "taken"] {
        assert_eq!(row(id)["verdict"], "not_measured", "{id}");
        assert!(row(id)["why"].as_str().unwrap().contains("there is no folder"), "{id}");
    }
    for name in ["postgres-es", "eventsourcing"] {
        let told = json["streams"]["libraries"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
        assert!(told["not_measured"].as_str().unwrap().contains("there is no folder"));
        assert!(text.contains(&format!("`{name}`: not measured")));
    }
    assert!(text.contains("The booking API in Node was not measured"));
    // What does not depend on how fast the machine is.
    assert_eq!((report.http.crowds.won, report.http.crowds.lost), (1, 19));
    assert!(report.rebuild.lines.iter().all(|line| line.equal) && report.rebuild.lag_alone.commands > 0);
    assert!(report.search.found > 0.0 && report.streams.read_all.events > 0);
}
