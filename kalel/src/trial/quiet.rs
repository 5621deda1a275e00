//! After the storm: everything runs, providers tell the truth, time passes, and whatever was owed is done. Then all that
//! the judge wants is put into the folder.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row as _};

use super::{Off, nemesis, stage::Stage};
use crate::up::postgres;

/// How long it may take until nothing moves any more, at each step of time.
const PATIENCE: Duration = Duration::from_secs(180);
/// Time that passes, step by step: holds end, checkouts close, questions are asked again (domain.md, Payment).
const STEPS_S: [i64; 5] = [150, 700, 3_700, 7_300, 60];
/// In the end nothing is to be left for the next minutes either: what did not work at once is tried again a little later.
const SOON_S: i64 = 300;

/// What is not done yet.
const OPEN: &str = "
    SELECT (SELECT coalesce(max(position), 0) FROM event_log.events) AS head,
           (SELECT coalesce(min(position), 0) FROM read.checkpoints) AS viewed,
           (SELECT coalesce(min(position), 0) FROM work.checkpoints) AS folded,
           (SELECT size FROM event_log.seal) AS sealed,
           (SELECT count(*) FROM work.effects WHERE state = 'running' OR (state = 'ready' AND due_at <= $1)) AS effects,
           (SELECT count(*) FROM work.inbox WHERE finished_at IS NULL AND due_at <= $1) AS letters,
           (SELECT count(*) FROM read.reservations WHERE status = 'held') AS held,
           (SELECT count(*) FROM read.payments WHERE status IN ('requested', 'pending', 'unknown')) AS payments,
           (SELECT count(*) FROM read.refunds
            WHERE status IN ('requested', 'approved', 'submitted', 'pending', 'unknown')) AS refunds";

/// Makes it quiet. What is left when it never becomes so: that is a verdict too, and the judge may know why.
pub async fn settle(
    stage: &mut Stage,
    http: &reqwest::Client,
    say: &mut dyn FnMut(&str),
) -> Result<Option<String>, Off> {
    stage.wake_all();
    nemesis::heal_providers(http, stage).await;
    stage.everything_answers().await?;
    for (number, step) in STEPS_S.into_iter().enumerate() {
        let now = pass(stage, http, TimeDelta::seconds(step)).await?;
        let until = if number + 1 == STEPS_S.len() { now + TimeDelta::seconds(SOON_S) } else { now };
        let began = Instant::now();
        loop {
            stage.mind().await?;
            let mut connection = postgres::connect(&stage.database_url()).await?;
            let (moving, open) = still(&mut connection, until).await?;
            let bus = stage.bus_head().await.unwrap_or((0, 0)).0;
            let last = format!("{open}, bus at {bus}");
            if !moving && bus == stage.head().await? {
                say(&format!("{step} s have passed: {last}"));
                break;
            }
            if began.elapsed() > PATIENCE {
                say(&format!("NEVER BECOMES QUIET: {last}"));
                return Ok(Some(last));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(None)
}

/// Whether anything is on its way until this time, and what there is.
async fn still(connection: &mut PgConnection, until: DateTime<Utc>) -> Result<(bool, String), Off> {
    let row = sqlx::query(OPEN).bind(until).fetch_one(connection).await?;
    let count = |name: &str| row.try_get::<i64, _>(name).unwrap_or(-1);
    let head = count("head");
    let behind = ["viewed", "folded", "sealed"].iter().any(|name| count(name) != head);
    let owed = count("effects") + count("letters");
    let names = ["head", "viewed", "folded", "sealed", "effects", "letters", "held", "payments", "refunds"];
    let open: Vec<String> = names.iter().map(|name| format!("{name} {}", count(name))).collect();
    Ok((behind || owed != 0, open.join(", ")))
}

/// Lets time pass here and at the providers; what the clock then shows.
async fn pass(stage: &Stage, http: &reqwest::Client, time: TimeDelta) -> Result<DateTime<Utc>, Off> {
    let base = &stage.bases[0];
    let shown = http.get(format!("{base}/v1/test-clock")).bearer_auth(stage.key("admin")).send().await?;
    let shown: Value = shown.json().await?;
    let now: DateTime<Utc> = shown["now"]
        .as_str()
        .unwrap_or_default()
        .parse()
        .map_err(|error| Off::Stuck(format!("the test clock shows no time: {error}: {shown}")))?;
    let to = now + time;
    let body = json!({ "to": to.to_rfc3339_opts(chrono::SecondsFormat::Millis, true) }).to_string();
    let set = http.post(format!("{base}/v1/test-clock")).bearer_auth(stage.key("admin"));
    let set = set.header("content-type", "application/json").header("idempotency-key", format!("trial clock {to}"));
    let set = set.body(body).send().await?;
    if !set.status().is_success() {
        return Err(Off::Stuck(format!("the test clock: {} {}", set.status(), set.text().await?)));
    }
    let advance = json!({ "do": "advance", "seconds": time.num_seconds() }).to_string();
    let told = http.post(format!("{}/__control", stage.fake("wave"))).header("content-type", "application/json");
    told.body(advance).send().await?;
    Ok(to)
}

/// Writes down what the servers say of themselves in the end.
pub async fn gather(stage: &Stage, http: &reqwest::Client, folder: &Path) -> Result<(), Off> {
    for (name, url) in [
        ("wave.json", format!("{}/__ledger", stage.fake("wave"))),
        ("sms.json", format!("{}/__messages", stage.fake("sms"))),
    ] {
        std::fs::write(folder.join(name), http.get(url).send().await?.bytes().await?)?;
    }
    let (last_position, messages) = stage.bus_head().await?;
    std::fs::write(
        folder.join("bus.json"),
        json!({ "messages": messages, "last_position": last_position }).to_string(),
    )?;
    let rebuilt = stage.command(&["rebuild", "all", "--dry-run", "--json"], None).await?;
    // What cannot be built anew is equal to nothing.
    let nothing = json!([{ "projector": "all", "position": null, "equal": null }]).to_string().into_bytes();
    let rebuilt = if rebuilt.status.success() { rebuilt.stdout } else { nothing };
    std::fs::write(folder.join("rebuild.json"), rebuilt)?;
    let verified = verify(stage, folder).await?;
    std::fs::write(folder.join("verify.json"), verified.to_string())?;
    Ok(())
}

/// The whole log exported, and verified against the first checkpoint that was kept during the storm.
async fn verify(stage: &Stage, folder: &Path) -> Result<Value, Off> {
    let file = folder.join("export.ndjson").display().to_string();
    let exported = stage.command(&["audit", "export", "--out", &file], None).await?;
    if !exported.status.success() {
        return Ok(json!({ "ok": false, "said": String::from_utf8_lossy(&exported.stderr) }));
    }
    let kept = folder.join("checkpoint.note");
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    command.args(["audit", "verify", &file, "--json"]);
    if kept.exists() {
        command.arg("--checkpoint").arg(&kept);
    }
    let verified = command.output().await?;
    let text = if verified.status.success() { &verified.stdout } else { &verified.stderr };
    std::fs::remove_file(&file)?;
    Ok(json!({ "ok": verified.status.success() && kept.exists(), "said": String::from_utf8_lossy(text) }))
}
