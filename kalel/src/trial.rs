//! `kalel trial`: does the engine keep its word when anything dies at any moment?
//!
//! A private stack, two of everything as processes of their own, clients who write down what they ask and what they are
//! told; meanwhile processes and servers are killed, paused and restarted, NATS loses what it holds and Redis forgets, all
//! chosen by a seed. Then it becomes quiet, and the judge, which knows nothing of our code, compares what was told with
//! the log, the views and the providers' books. docs/reliability.md says how to repeat a run.

mod again;
mod bus;
mod client;
mod crowd;
mod history;
mod nemesis;
mod points;
mod quiet;
mod stage;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{seeded::Seeded, up::folder::Folder};
use client::{Ask, Client, World};
use crowd::{Crowd, Ground};
use history::{Ended, History};
use stage::Stage;

/// `kalel trial`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Makes the run's choices: what is killed when, and what clients want.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often a process or server gets `kill -9`; a tenth as often each is paused, restarted, cut off.
    #[arg(long, default_value_t = 100)]
    kills: usize,
    /// How often NATS loses all it holds, or comes back with older contents.
    #[arg(long, default_value_t = 4)]
    wipes: usize,
    /// How often Redis forgets everything.
    #[arg(long, default_value_t = 4)]
    flushes: usize,
    /// How many clients go on meanwhile.
    #[arg(long, default_value_t = 12)]
    clients: u64,
    /// First let a process die at each named step between two effects, once (a build with `--features failpoints`).
    #[arg(long)]
    points: bool,
    /// Keep history, verdict and logs in this folder, which must not be there yet. Without it they are kept only when
    /// something is wrong.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Nothing is tried: the run that was kept in this folder is judged again.
    #[arg(long, conflicts_with_all = ["points", "out"])]
    judge: Option<PathBuf>,
    /// The verdict as JSON.
    #[arg(long)]
    json: bool,
}

/// What is to be done to it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    pub kills: usize,
    pub wipes: usize,
    pub flushes: usize,
    pub clients: u64,
    pub points: bool,
}

/// Why a trial did not come to its end. That is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum Off {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Up(#[from] crate::up::Problem),
    #[error("migrating: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("{0}")]
    Seed(#[from] crate::seed::SeedError),
    #[error("{0}")]
    Judge(#[from] judge::JudgeError),
    #[error("{0}")]
    Stuck(String),
    /// That is a verdict, though no judge was needed.
    #[error("it does not keep its word, and that shows before anybody judges: {0}")]
    Early(String),
    #[error("this build cannot die at named steps: cargo run --features failpoints -- trial --points")]
    NoPoints,
    #[error("{0} is there already; nothing was written")]
    Exists(PathBuf),
}

/// Runs one.
///
/// # Errors
/// One line: it could not be carried out, or something is wrong.
pub async fn run(options: &Options) -> Result<(), String> {
    if let Some(kept) = &options.judge {
        let verdict = again::judge(kept).await.map_err(|off| off.to_string())?;
        show(options, &json!({ "verdict": verdict }), &verdict);
        return if verdict.outcome == judge::Outcome::Valid { Ok(()) } else { Err("it did not keep its word".into()) };
    }
    let plan = Plan {
        seed: options.seed,
        kills: options.kills,
        wipes: options.wipes,
        flushes: options.flushes,
        clients: options.clients.max(1),
        points: options.points,
    };
    let given = options.out.clone();
    let out = given
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("kalel-trial-{}-{}", plan.seed, std::process::id())));
    let began = Instant::now();
    let mut say = |line: &str| eprintln!("trial: {:>5} s  {line}", began.elapsed().as_secs());
    let tried =
        attempt(&plan, &out, &mut say).await.map_err(|off| format!("{off}; what there is: {}", out.display()))?;
    let as_json = json!({ "plan": plan_as_json(&plan), "points": tried.points, "restless": tried.restless,
                          "verdict": tried.verdict });
    show(options, &as_json, &tried.verdict);
    let missed: Vec<&str> = tried.points.iter().filter(|point| !point.hit).map(|point| point.name).collect();
    let valid = tried.verdict.outcome == judge::Outcome::Valid;
    if valid && missed.is_empty() && tried.restless.is_none() {
        if given.is_none() {
            let all = Folder::open(&out.join("data")).and_then(|folder| folder.delete());
            all.and_then(|()| crate::up::folder::remove(&out)).map_err(|problem| problem.to_string())?;
        }
        return Ok(());
    }
    let what = match tried.restless {
        _ if !valid => "it did not keep its word".into(),
        Some(left) => format!("it never becomes quiet: {left}"),
        None => format!("nobody got to {}", missed.join(", ")),
    };
    Err(format!("{what}; history, verdict and logs: {}", out.display()))
}

fn show(options: &Options, as_json: &Value, verdict: &judge::Verdict) {
    if options.json {
        println!("{as_json}");
    } else {
        print!("{verdict}");
    }
}

fn plan_as_json(plan: &Plan) -> Value {
    json!({ "seed": plan.seed, "kills": plan.kills, "wipes": plan.wipes, "flushes": plan.flushes,
            "clients": plan.clients, "points": plan.points })
}

/// What came of it.
struct Tried {
    verdict: judge::Verdict,
    points: Vec<points::Point>,
    /// What was never done, when that is so.
    restless: Option<String>,
}

async fn attempt(plan: &Plan, out: &Path, say: &mut (dyn FnMut(&str) + Send)) -> Result<Tried, Off> {
    if out.exists() {
        return Err(Off::Exists(out.into()));
    }
    crate::up::folder::make(out, 0o700)?;
    let out = std::fs::canonicalize(out)?;
    say(&format!("seed {}; building the stage", plan.seed));
    let mut stage = Stage::build(&out.join("data")).await?;
    let history = Arc::new(History::create(&out.join("history.ndjson"))?);
    let world = Arc::new(World {
        http: reqwest::Client::builder()
            .no_proxy()
            .timeout(crowd::PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?,
        bases: stage.bases.clone(),
        service: stage.key("service"),
        manager: stage.key("manager"),
        history: Arc::clone(&history),
    });
    let ground = prepare(&world, plan, &out).await?;
    let crowd = Crowd::new(Arc::clone(&world), ground);
    let mut clients = crowd.enter(plan.clients, plan.seed);
    let stormed = storm(plan, &mut stage, &world, &out, say).await;
    crowd.leave();
    let points = stormed?;
    stage.wake_all();
    while !clients.is_empty() {
        stage.mind().await?;
        let wait = std::time::Duration::from_millis(200);
        // Each comes home once it knows; meanwhile whatever ended is started again.
        let _ = tokio::time::timeout(wait, clients.join_next()).await;
    }
    say(&format!("{} calls, {} of them successful; waiting until it is quiet", history.calls(), history.successes()));
    let restless = quiet::settle(&mut stage, &world.http, say).await?;
    quiet::gather(&stage, &world.http, &out).await?;
    history.close()?;
    say("judging");
    let verdict = judge::judge(&out, &stage.database_url()).await?;
    std::fs::write(out.join("verdict.json"), serde_json::to_vec_pretty(&verdict).map_err(std::io::Error::from)?)?;
    tokio::task::block_in_place(|| stage.keeper.stop());
    Ok(Tried { verdict, points, restless })
}

/// The site they play at.
async fn prepare(world: &Arc<World>, plan: &Plan, out: &Path) -> Result<Ground, Off> {
    let mut client = Client::new(Arc::clone(world), plan.clients, plan.seed);
    let (key, body) = (client.fresh_key(), crowd::site());
    let bearer = world.manager.clone();
    let ask = Ask {
        op: "register",
        method: Method::POST,
        path: "/v1/sites",
        bearer: Some(&bearer),
        key: Some(&key),
        body: Some(&body),
        about: &Value::Null,
        said: |body, _| json!({ "site": body["id"] }),
    };
    let (answer, made) = client.insist(&ask).await;
    if answer.ended != Ended::Ok {
        return Err(Off::Stuck(format!("the site cannot be made: {} {made}", answer.status)));
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pitches: std::collections::BTreeMap<String, String> = made["pitches"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|pitch| (text(&pitch["slug"]), text(&pitch["id"])))
        .collect();
    let site = text(&made["id"]);
    let stage = json!({ "seed": plan.seed, "site_id": site, "pitches": pitches });
    std::fs::write(out.join("stage.json"), stage.to_string())?;
    let today = eventstore::Clock::system().now().date_naive();
    let first = today.and_hms_opt(12, 0, 0).unwrap_or_default().and_utc() + TimeDelta::days(2);
    Ok(Ground { site, pitches, first })
}

/// Everything that is done to it.
async fn storm(
    plan: &Plan,
    stage: &mut Stage,
    world: &World,
    out: &Path,
    say: &mut (dyn FnMut(&str) + Send),
) -> Result<Vec<points::Point>, Off> {
    let mut random = Seeded(plan.seed.wrapping_add(1));
    let history = &world.history;
    nemesis::calm(stage, history, &mut random, 20).await?;
    keep_a_checkpoint(stage, world, out).await?;
    let points = match plan.points {
        true => points::try_all(stage, &world.http, history, &mut random, say).await?,
        false => Vec::new(),
    };
    let deeds = nemesis::deeds(plan);
    let mut done = std::collections::BTreeMap::<String, usize>::new();
    for (number, deed) in deeds.iter().enumerate() {
        nemesis::calm(stage, history, &mut random, 4).await?;
        if number % 4 == 0 {
            nemesis::trouble_providers(&world.http, stage, &mut random).await;
        }
        nemesis::perform(deed, stage, history, &mut random).await?;
        let name = match deed {
            nemesis::Deed::Kill(name) => format!("kill {name}"),
            other => format!("{other:?}").split(['(', ' ']).next().unwrap_or_default().to_lowercase(),
        };
        *done.entry(name).or_default() += 1;
        if number % 25 == 24 {
            say(&format!("{} of {} deeds, {} calls", number + 1, deeds.len(), history.calls()));
        }
    }
    let told: Vec<String> = done.iter().map(|(name, count)| format!("{name} {count}")).collect();
    say(&format!("done: {}", told.join(", ")));
    nemesis::calm(stage, history, &mut random, 20).await?;
    Ok(points)
}

/// What somebody else keeps from an early moment: the log must still continue it in the end.
async fn keep_a_checkpoint(stage: &mut Stage, world: &World, out: &Path) -> Result<(), Off> {
    let until = Instant::now() + std::time::Duration::from_secs(60);
    loop {
        stage.mind().await?;
        let asked = world.http.get(format!("{}/v1/audit/checkpoint", stage.bases[0]));
        let asked = asked.bearer_auth(stage.key("auditor")).send().await;
        if let Ok(answer) = asked
            && answer.status().is_success()
        {
            let checkpoint: Value = answer.json().await?;
            std::fs::write(out.join("checkpoint.note"), checkpoint["note"].as_str().unwrap_or_default())?;
            return Ok(());
        }
        if Instant::now() > until {
            return Err(Off::Stuck("nothing is ever sealed".into()));
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
