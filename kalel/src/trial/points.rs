//! The named steps where a process can die between two effects, each tried once.

use std::time::{Duration, Instant};

use eventstore::failpoint;
use serde::Serialize;

use super::{Off, history::History, nemesis, stage::Stage};
use crate::seeded::Seeded;

/// Every step there is in the code, gathered when this was built.
pub const ALL: &[&str] = include!(concat!(env!("OUT_DIR"), "/failpoints.rs"));

/// How long it may take until somebody gets there.
const PATIENCE: Duration = Duration::from_secs(30);

/// A step, and whether a process died there.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    pub name: &'static str,
    pub hit: bool,
}

/// Who gets to a step: a process, or the command `kalel rebuild`.
enum Who {
    Process(&'static str),
    Rebuild,
}

/// What became of who was to die at a step.
enum Ended {
    There,
    /// It ended before it got there, as the system words it.
    Otherwise(String),
    /// It still runs, or ran to its end.
    Never,
}

impl Ended {
    fn new(status: &str) -> Self {
        if status.contains("SIGABRT") { Self::There } else { Self::Otherwise(status.into()) }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::There => f.write_str("died at"),
            Self::Otherwise(status) => write!(f, "ENDED WITH {status} BEFORE"),
            Self::Never => f.write_str("NEVER GOT TO"),
        }
    }
}

/// By the first word of its name.
fn who(point: &str) -> Option<Who> {
    Some(match point.split_once('.')?.0 {
        "lane" | "api" | "subject" => Who::Process("api-1"),
        "inbox" if point == "inbox.stored" => Who::Process("api-1"),
        "inbox" | "effect" | "process" | "message" => Who::Process("worker-1"),
        "projector" | "lease" => Who::Process("projector-1"),
        "sealer" => Who::Process("sealer"),
        "relay" => Who::Process("relay"),
        "shadow" => Who::Rebuild,
        _ => return None,
    })
}

/// Tries them all.
pub async fn try_all(
    stage: &mut Stage,
    http: &reqwest::Client,
    history: &History,
    random: &mut Seeded,
    say: &mut dyn FnMut(&str),
) -> Result<Vec<Point>, Off> {
    if !failpoint::ARE_BUILT_IN {
        return Err(Off::NoPoints);
    }
    let mut tried = Vec::new();
    for (number, name) in ALL.iter().copied().enumerate() {
        let who = who(name).ok_or_else(|| Off::Stuck(format!("nobody is known to get to {name}: trial/points.rs")))?;
        history.nemesis("point", name);
        let ended = match who {
            Who::Process(process) => in_process(stage, http, process, name, random).await?,
            Who::Rebuild => in_command(stage, name).await?,
        };
        let hit = matches!(ended, Ended::There);
        history.nemesis(if hit { "died" } else { "survived" }, name);
        say(&format!("{:>3} of {} {ended} {name}", number + 1, ALL.len()));
        tried.push(Point { name, hit });
    }
    Ok(tried)
}

/// Some steps are gone through once in a process's life; at the others it dies the first, second, third or fourth time.
fn instruction(name: &str, random: &mut Seeded) -> String {
    let once = name.ends_with(".owned")
        || matches!(name, "lane.probed" | "lease.held" | "relay.discarded" | "subject.key_made");
    let before = if once { 0 } else { random.below(4) };
    if before == 0 { format!("{name}=return") } else { format!("{name}={before}*off->return") }
}

async fn in_process(
    stage: &mut Stage,
    http: &reqwest::Client,
    process: &'static str,
    name: &'static str,
    random: &mut Seeded,
) -> Result<Ended, Off> {
    // The work of two is left to one, so that it gets there.
    let other = process.strip_suffix("-1").filter(|role| *role != "api").map(|role| format!("{role}-2"));
    if let Some(other) = &other {
        stage.pause(other, PATIENCE * 2);
    }
    stage.arm(process, Some(&instruction(name, random))).await?;
    let until = Instant::now() + PATIENCE;
    while stage.keeper.exit_of(process).is_none() && Instant::now() < until {
        provoke(stage, http, name).await;
        stage.mind_all_but(process).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ended = stage.keeper.exit_of(process).map_or(Ended::Never, |exit| Ended::new(&exit.status));
    stage.disarm(process);
    if let Ended::Never = ended {
        stage.arm(process, None).await?;
    } else {
        stage.start(process, false).await?;
    }
    if let Some(other) = &other {
        stage.wake(other);
    }
    Ok(ended)
}

/// Some steps are gone through only when something else has gone wrong.
async fn provoke(stage: &Stage, http: &reqwest::Client, name: &str) {
    match name {
        // Whoever loses the session asks what became of the commit.
        "lane.probed" => nemesis::cut_lanes(stage).await,
        // There may be no stream just now.
        "relay.discarded" => drop(stage.intrude().await),
        // Somebody wants to see what happened just now proven: that is signed at once.
        "sealer.before_commit" | "sealer.after_commit" => drop(ask_for_proof(stage, http).await),
        "effect.not_called" | "inbox.later" => nemesis::overload_provider(http, stage).await,
        _ => {}
    }
}

async fn ask_for_proof(stage: &Stage, http: &reqwest::Client) -> Result<(), Off> {
    let head = stage.head().await?;
    let asked = http.get(format!("{}/v1/audit/proofs/{head}", stage.bases[0])).bearer_auth(stage.key("auditor"));
    asked.send().await?;
    Ok(())
}

/// A rebuild that dies, and the next one, which finishes it.
async fn in_command(stage: &mut Stage, name: &'static str) -> Result<Ended, Off> {
    // Reservations are rebuilt in bulk, clients batch by batch.
    let by_batch = matches!(name, "shadow.rows_written" | "shadow.before_commit" | "shadow.after_commit");
    let projector = if by_batch { "client" } else { "reservation" };
    let args = ["rebuild", projector, "--swap", "--json"];
    let dying = stage.command(&args, Some(&format!("{name}=return"))).await?;
    stage.mind().await?;
    let next = stage.command(&args, None).await?;
    if !next.status.success() {
        let said = String::from_utf8_lossy(&next.stderr).into_owned();
        return Err(Off::Early(format!("after a rebuild that died at {name} the next one failed: {said}")));
    }
    Ok(if dying.status.success() { Ended::Never } else { Ended::new(&dying.status.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_in_the_code_is_somebody_s() {
        assert!(ALL.len() > 30, "{ALL:?}");
        let nobody: Vec<_> = ALL.iter().filter(|name| who(name).is_none()).collect();
        assert!(nobody.is_empty(), "{nobody:?}");
    }
}
