//! What is done to the servers and processes while clients go on: chosen by a seed, in numbers that were asked for.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    Off, Plan,
    history::History,
    stage::{PROCESSES, Stage},
};
use crate::seeded::Seeded;

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// `kill -9`.
    Kill(&'static str),
    /// SIGSTOP, and SIGCONT after so many milliseconds: shorter and longer than a lease.
    Pause(&'static str, u64),
    /// SIGTERM, as a release does it.
    Restart(&'static str),
    /// NATS loses all it holds.
    Wipe,
    /// NATS comes back with what it held a while ago.
    Older,
    /// Redis forgets everything.
    Flush,
    /// A session of the database is ended, whatever it does.
    Cut,
}

/// How often each is killed, beside the others.
const TARGETS: [(&str, u64); 11] = [
    ("api-1", 3),
    ("api-2", 3),
    ("projector-1", 3),
    ("projector-2", 3),
    ("worker-1", 4),
    ("worker-2", 4),
    ("sealer", 3),
    ("relay", 3),
    ("postgres", 2),
    ("nats", 2),
    ("redis", 1),
];
/// Longer than this nothing succeeds: something is stuck.
const STUCK: Duration = Duration::from_secs(90);

/// Everything that will be done, in order.
pub fn deeds(plan: &Plan) -> Vec<Deed> {
    let mut random = Seeded(plan.seed);
    let weighted: Vec<&'static str> = TARGETS
        .iter()
        .flat_map(|(name, weight)| std::iter::repeat_n(*name, usize::try_from(*weight).unwrap_or(1)))
        .collect();
    let mut all = Vec::new();
    // Everybody once before anybody twice.
    let first = TARGETS.iter().map(|(name, _)| *name);
    let then = std::iter::repeat_with(|| random.pick(&weighted).copied().unwrap_or("api-1"));
    all.extend(first.chain(then).take(plan.kills).map(Deed::Kill));
    for number in 0..plan.wipes {
        all.push(if number % 4 == 3 { Deed::Older } else { Deed::Wipe });
    }
    all.extend(std::iter::repeat_n(Deed::Flush, plan.flushes));
    for _ in 0..plan.kills / 10 {
        let name = random.pick(&PROCESSES).map_or("api-1", |(name, _)| name);
        all.push(Deed::Pause(name, 500 + random.below(6_500)));
        all.push(Deed::Restart(random.pick(&PROCESSES).map_or("api-1", |(name, _)| name)));
        all.push(Deed::Cut);
    }
    random.shuffle(&mut all);
    all
}

/// Does one.
pub async fn perform(deed: &Deed, stage: &mut Stage, history: &History, random: &mut Seeded) -> Result<(), Off> {
    match deed {
        Deed::Kill(name) => {
            history.nemesis("kill", name);
            stage.kill(name).await?;
            // As often under its own name, which takes its leases back at once, as under a new one.
            stage.start(name, random.below(2) == 0).await?;
            history.nemesis("started", name);
        }
        Deed::Pause(name, ms) => {
            history.nemesis("pause", name);
            stage.pause(name, Duration::from_millis(*ms));
        }
        Deed::Restart(name) => {
            history.nemesis("restart", name);
            stage.stop(name).await?;
            stage.start(name, true).await?;
        }
        Deed::Wipe => {
            history.nemesis("wipe", "nats");
            stage.kill("nats").await?;
            stage.empty_bus()?;
            stage.start("nats", false).await?;
        }
        Deed::Older => older(stage, history).await?,
        Deed::Flush => {
            history.nemesis("flush", "redis");
            flush(stage).await;
        }
        Deed::Cut => {
            history.nemesis("cut", "postgres");
            cut(stage).await;
        }
    }
    Ok(())
}

/// What NATS holds is put aside, and put back a moment later.
async fn older(stage: &mut Stage, history: &History) -> Result<(), Off> {
    let (store, aside) = (stage.bus_store(), stage.bus_store().with_extension("older"));
    stage.kill("nats").await?;
    copy(&store, &aside).await?;
    stage.start("nats", false).await?;
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        stage.mind().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    history.nemesis("older", "nats");
    stage.kill("nats").await?;
    crate::up::folder::remove(&store)?;
    std::fs::rename(&aside, &store)?;
    stage.start("nats", false).await
}

/// With owners and rights.
async fn copy(from: &std::path::Path, to: &std::path::Path) -> Result<(), Off> {
    crate::up::folder::remove(to)?;
    let copied = tokio::process::Command::new("cp").arg("-a").arg(from).arg(to).status().await?;
    if copied.success() { Ok(()) } else { Err(Off::Stuck("cp -a failed".into())) }
}

async fn flush(stage: &Stage) {
    // Should it be away just now, it has nothing to forget.
    if let Ok(client) = redis::Client::open(stage.stack.redis.url())
        && let Ok(mut connection) = client.get_multiplexed_async_connection().await
    {
        let _ = redis::cmd("FLUSHALL").exec_async(&mut connection).await;
    }
}

/// Ends two sessions of the database, whosever they are.
async fn cut(stage: &Stage) {
    end_sessions(
        stage,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 2",
    )
    .await;
}

/// Ends the sessions of all lanes.
pub async fn cut_lanes(stage: &Stage) {
    end_sessions(stage, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kalel lane'")
        .await;
}

async fn end_sessions(stage: &Stage, which: &'static str) {
    if let Ok(mut connection) = crate::up::postgres::connect(&stage.stack.postgres.superuser_url("kalel")).await {
        let _ = sqlx::query(which).execute(&mut connection).await;
    }
}

/// Between two deeds: a moment, and until a few calls have succeeded again, so that each meets work under way.
pub async fn calm(stage: &mut Stage, history: &History, random: &mut Seeded, wanted: u64) -> Result<(), Off> {
    let (began, before) = (Instant::now(), history.successes());
    let least = Duration::from_millis(50 + random.below(700));
    while began.elapsed() < least || history.successes() < before + wanted {
        if began.elapsed() > STUCK {
            return Err(Off::Stuck(format!("nothing has succeeded for {} s", STUCK.as_secs())));
        }
        stage.mind().await?;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Ok(())
}

/// What goes wrong at the providers next: before or after the effect, and with the messages they send.
pub async fn trouble_providers(http: &reqwest::Client, stage: &Stage, random: &mut Seeded) {
    let how = *random.pick(&["cut", "hang", "html", "empty", "status"]).unwrap_or(&"cut");
    let call = *random.pick(&["any", "checkout.create", "checkout.expire", "payout.create"]).unwrap_or(&"any");
    let fault = json!({ "do": "fail", "call": call, "how": how, "after_effect": random.below(2) == 0,
                        "times": 1 + random.below(2), "status": 500, "ms": 600 + random.below(3_000) });
    let next = match random.below(5) {
        0 => json!("drop"),
        1 => json!({ "delay": { "ms": 2_000 } }),
        2 => json!({ "duplicate": { "copies": 3 } }),
        3 => json!({ "reorder": { "count": 2 } }),
        _ => json!({ "duplicate": { "copies": 2 } }),
    };
    tell(http, &stage.fake("wave"), &json!([fault, { "do": "webhooks", "next": next, "times": 2 }])).await;
    let sms = json!({ "do": "fail", "how": how, "after_effect": true, "times": 1, "status": 500, "ms": 500 });
    tell(http, &stage.fake("sms"), &sms).await;
}

/// The provider asks to be left alone for a second.
pub async fn overload_provider(http: &reqwest::Client, stage: &Stage) {
    let busy = json!({ "do": "fail", "call": "any", "how": "status", "status": 429, "retry_after": 1, "times": 2 });
    tell(http, &stage.fake("wave"), &busy).await;
}

/// Nothing goes wrong at the providers any more.
pub async fn heal_providers(http: &reqwest::Client, stage: &Stage) {
    tell(http, &stage.fake("wave"), &json!([{ "do": "heal" }, { "do": "release" }])).await;
}

async fn tell(http: &reqwest::Client, base: &str, instruction: &Value) {
    let told = http.post(format!("{base}/__control")).header("content-type", "application/json");
    match told.body(instruction.to_string()).send().await {
        Ok(answer) if answer.status().is_success() => {}
        Ok(answer) => tracing::warn!(status = %answer.status(), %instruction, "the fake did not understand"),
        Err(error) => tracing::warn!(%error, "the fake cannot be told"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> Plan {
        Plan { seed, kills: 500, wipes: 20, flushes: 20, clients: 1, points: false }
    }

    #[test]
    fn as_many_of_each_as_were_asked_for_and_the_same_for_the_same_seed() {
        let all = deeds(&plan(7));
        let count = |what: fn(&Deed) -> bool| all.iter().filter(|deed| what(deed)).count();
        assert_eq!(count(|deed| matches!(deed, Deed::Kill(_))), 500);
        assert_eq!(count(|deed| matches!(deed, Deed::Wipe | Deed::Older)), 20);
        assert_eq!(count(|deed| *deed == Deed::Flush), 20);
        for (name, _) in TARGETS {
            assert!(all.contains(&Deed::Kill(name)), "{name}");
        }
        assert_eq!(all, deeds(&plan(7)));
        assert_ne!(all, deeds(&plan(8)));
    }
}
