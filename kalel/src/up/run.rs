//! The walk of `kalel up`, from an empty machine to a running engine, and the watch over it until it is stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::announce::Announcement;
use super::children::{Exit, Keeper};
use super::folder::{Folder, Private, secret};
use super::keeper::{Run, Stop};
use super::progress::Progress;
use super::stack::{Plan, Stack, failed};
use super::{Problem, fakes, ports, postgres, settings};
use crate::config::Config;
use crate::fork::Past;
use crate::seed::{self, Demo};

/// What the user asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// The data folder.
    #[arg(long, default_value = ".kalel")]
    pub data: PathBuf,
    /// The port of the API on 127.0.0.1. Default: that of the last start, else 8080, else a free one.
    #[arg(long)]
    pub port: Option<u16>,
    /// Delete the data folder's contents first.
    #[arg(long)]
    pub fresh: bool,
}

/// The port that is tried first.
const USUAL_PORT: u16 = 8080;
/// The roles of the engine, and those of a copy of the past.
const ALL: &str = "api,projector,worker,relay,sealer";
const READS: &str = "api,projector";
/// How often one child may end within a minute before it is left alone.
const RESTARTS: usize = 5;

/// Starts everything, says where it is, and stays until Ctrl-C or SIGTERM. Every child has ended when it returns.
///
/// # Errors
/// [`Problem`], worded for the terminal.
pub async fn up(options: &Options) -> Result<(), Problem> {
    let progress = Progress::new();
    progress.line(&format!("{} {}", progress.paint("1", "kalel up"), progress.paint("2", env!("CARGO_PKG_VERSION"))));
    walk(options, &progress, &Folder::open(&options.data)?, None).await
}

/// Goes through it with an opened folder; with a past, into a new folder that becomes a copy of it.
///
/// # Errors
/// [`Problem`].
pub(crate) async fn walk(
    options: &Options,
    progress: &Progress,
    folder: &Folder,
    past: Option<&Past>,
) -> Result<(), Problem> {
    let mut asked = std::pin::pin!(crate::stop::asked());
    let program = std::env::current_exe().map_err(|error| Problem::io(Path::new("kalel"), error))?;
    let keeper = Keeper::start(&program, &folder.lock(), None)?;
    let outcome = tokio::select! {
        started = start(options, progress, folder, &keeper, &program, past) => match started {
            Ok(mut running) => {
                running.announcement.print(progress, folder);
                tokio::select! {
                    outcome = running.watch(progress, folder, &keeper) => outcome,
                    () = &mut asked => Ok(()),
                }
            }
            Err(problem) => Err(problem),
        },
        () = &mut asked => Ok(()),
    };
    let _ = std::fs::remove_file(folder.path.join("up.json"));
    progress.line("");
    let step = keeper.has_run().then(|| progress.begin("stopping"));
    tokio::task::block_in_place(|| keeper.stop());
    if let Some(step) = step {
        progress.done(&step, "every child has ended");
    }
    outcome
}

/// What is being watched over.
struct Running {
    stack: Stack,
    announcement: Announcement,
    /// Every child as it was started, the servers included.
    runs: Vec<Run>,
    ends: BTreeMap<String, Vec<Instant>>,
}

async fn start(
    options: &Options,
    progress: &Progress,
    folder: &Folder,
    keeper: &Keeper,
    program: &Path,
    past: Option<&Past>,
) -> Result<Running, Problem> {
    if options.fresh {
        folder.empty()?;
    }
    folder.turn_logs()?;
    let step = progress.begin("programs");
    let cluster = postgres::major_of(&folder.servers.join("postgres"));
    let programs =
        tokio::task::block_in_place(|| postgres::programs(cluster, &mut |doing| progress.doing("programs", doing)))?;
    progress.done(&step, &format!("Postgres {}, nats-server, redis-server", programs.postgres.version));

    let mut private = folder.private()?;
    if private.fork.is_some() && !private.ready && past.is_none() {
        return Err(Problem::HalfFork);
    }
    private.choose_ports()?;
    private.ports.http = http_port(options.port, &private)?;
    folder.keep(&private)?;

    let step = progress.begin("servers");
    let new = cluster.is_none();
    progress.doing("servers", if new { "making the database cluster" } else { "" });
    let logs = folder.path.join("logs");
    let plan = Plan { programs, servers: folder.servers.clone(), logs, private: private.clone(), throw_away: false };
    let stack = Stack::start(&plan, keeper).await?;
    let ports = &private.ports;
    progress.done(&step, &format!("Postgres :{}, NATS :{}, Redis :{}", ports.postgres, ports.nats, ports.redis));

    let step = progress.begin("schema");
    if !private.ready {
        stack.postgres.set_up().await?;
    }
    let mut owner = postgres::connect(&stack.postgres.owner_url(postgres::DATABASE)).await?;
    let count = crate::migrate::migrate(&mut owner).await?;
    progress.done(&step, &format!("{count} migrations"));
    if let Some(past) = past {
        past.copy(&mut owner, progress).await?;
    }
    drop(owner);

    let base_url = format!("http://127.0.0.1:{}", private.ports.http);
    let fork = private.fork.clone();
    let config = match &fork {
        Some(forked) => forked.config(&private, &base_url),
        None => settings::config(folder, &private, &base_url)?,
    };
    settings::write(folder, &config)?;
    let mut runs = match &fork {
        Some(_) => Vec::new(),
        None => demo(progress, folder, &mut private, &config, &stack, program).await?,
    };
    runs.push(serve(program, folder, &stack, if fork.is_some() { READS } else { ALL }));
    let mut pids = BTreeMap::from([("up".to_owned(), own_pid()), ("keeper".to_owned(), keeper.pid())]);
    for (run, pid) in stack.runs.iter().zip(&stack.pids) {
        pids.insert(run.name.clone(), *pid);
    }
    let step = progress.begin("engine");
    for run in &runs {
        pids.insert(run.name.clone(), keeper.run(run.clone())?);
    }
    for run in &runs {
        ready(run, &private, keeper).await?;
    }
    if fork.is_some() {
        crate::fork::caught_up(&config, &stack.postgres.app_url(postgres::DATABASE)).await?;
        progress.done(&step, "API, projectors");
    } else {
        caught_up(&private, &base_url).await?;
        progress.done(
            &step,
            "API, projectors, workers, relay, sealer; fakes of Wave, Sonatel, PayTech, PayDunya, SMS, email",
        );
    }
    private.ready = true;
    folder.keep(&private)?;

    let announcement = announcement(&private, &stack, base_url, pids);
    announcement.write(folder)?;
    let runs = stack.runs.iter().cloned().chain(runs).collect();
    Ok(Running { stack, announcement, runs, ends: BTreeMap::new() })
}

/// Demo keys and sites, and how the fakes are started.
async fn demo(
    progress: &Progress,
    folder: &Folder,
    private: &mut Private,
    config: &Config,
    stack: &Stack,
    program: &Path,
) -> Result<Vec<Run>, Problem> {
    // Half a copy of the past is of no use; half a demo is finished at the next start.
    private.ready = true;
    let step = progress.begin("demo data");
    let demo = match private.demo.clone() {
        Some(demo) => demo,
        None => Demo::new(secret)?,
    };
    private.demo = Some(demo.clone());
    // Kept before it is used: a key that was granted must not be forgotten.
    folder.keep(private)?;
    let seeded = seed::seed(config, &stack.postgres.app_url(postgres::DATABASE), &demo).await;
    progress.done(&step, &seeded.map_err(|error| Problem::Seed(error.to_string()))?);

    fakes::prepare(program, folder, private, &config.public_url)
}

fn own_pid() -> i32 {
    i32::try_from(std::process::id()).unwrap_or_default()
}

fn http_port(asked: Option<u16>, private: &Private) -> Result<u16, Problem> {
    let all = &private.ports;
    let taken = all.taken();
    match asked {
        Some(port) if ports::is_free(port) && !taken.contains(&port) => Ok(port),
        Some(port) => Err(Problem::PortTaken(port)),
        None => ports::free(Some(if all.http == 0 { USUAL_PORT } else { all.http }), &taken),
    }
}

fn serve(program: &Path, folder: &Folder, stack: &Stack, roles: &str) -> Run {
    Run {
        name: "kalel".into(),
        program: program.into(),
        args: vec![
            "serve".into(),
            "--roles".into(),
            roles.into(),
            "--config".into(),
            folder.path.join("kalel.toml").display().to_string(),
            "--instance".into(),
            "up".into(),
        ],
        env: vec![
            ("DATABASE_URL".into(), stack.postgres.app_url(postgres::DATABASE)),
            ("NATS_URL".into(), stack.nats.url()),
            ("REDIS_URL".into(), stack.redis.url()),
        ],
        user: None,
        log: folder.log("kalel"),
        stop: Stop::Gently,
    }
}

/// Waits until a fake or the API answers.
async fn ready(run: &Run, private: &Private, keeper: &Keeper) -> Result<(), Problem> {
    let ports = &private.ports;
    let fake = ports.fakes().into_iter().find(|(name, _)| *name == run.name);
    let (port, path) = match fake {
        Some(("sms" | "email", port)) => (port, "/__messages"),
        Some((_, port)) => (port, "/__ledger"),
        None => (ports.http, "/readyz"),
    };
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build();
    let client = client.map_err(|error| Problem::Keeper(error.to_string()))?;
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = client.get(format!("http://127.0.0.1:{port}{path}")).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        if let Some(exit) = keeper.exit_of(&run.name) {
            return Err(failed(run, &format!("ended ({})", exit.status)));
        }
        if Instant::now() > deadline {
            return Err(failed(run, &format!("is not ready (http://127.0.0.1:{port}{path})")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the views show what is in the log, demo keys and sites included: what `up` announces can be used.
async fn caught_up(private: &Private, base_url: &str) -> Result<(), Problem> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build();
    let client = client.map_err(|error| Problem::Keeper(error.to_string()))?;
    let keys: BTreeMap<String, String> = private.demo.iter().flat_map(Demo::secrets).collect();
    let key = keys.get("auditor").cloned().unwrap_or_default();
    let deadline = Instant::now() + Duration::from_secs(60);
    for path in ["/v1/sites?limit=1", "/v1/reservations?limit=1"] {
        loop {
            let head = client.get(format!("{base_url}/readyz")).send().await;
            let head = match head {
                Ok(answer) => answer.json::<serde_json::Value>().await.map(|ready| ready["head"].to_string()),
                Err(error) => Err(error),
            };
            if let Ok(head) = head {
                let asked =
                    client.get(format!("{base_url}{path}")).bearer_auth(&key).header("Kalel-Min-Position", head);
                if asked.send().await.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
            }
            if Instant::now() > deadline {
                return Err(Problem::Keeper(format!("the views do not catch up ({base_url}{path})")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

fn announcement(private: &Private, stack: &Stack, base_url: String, pids: BTreeMap<String, i32>) -> Announcement {
    let ports = &private.ports;
    let fakes = ports.fakes();
    Announcement {
        docs_url: format!("{base_url}/docs"),
        base_url,
        keys: private.demo.iter().flat_map(Demo::secrets).collect(),
        fakes: fakes
            .into_iter()
            .filter(|_| private.fork.is_none())
            .map(|(name, port)| (name.into(), format!("http://127.0.0.1:{port}")))
            .collect(),
        postgres_url: stack.postgres.app_url(postgres::DATABASE),
        nats_url: stack.nats.url(),
        nats_consumer_url: stack.nats.consumer_url(),
        redis_url: stack.redis.url(),
        fork: private.fork.clone(),
        pids,
    }
}

impl Running {
    /// Starts children that ended again. NATS and Redis stay away when somebody asked them to end: the engine goes on
    /// without them, and whoever did it wants to see that.
    async fn watch(&mut self, progress: &Progress, folder: &Folder, keeper: &Keeper) -> Result<(), Problem> {
        let (mut seen, mut told) = (0, BTreeMap::<String, i32>::new());
        loop {
            for exit in keeper.exits(&mut seen).await {
                let pid = self.announcement.pids.get(&exit.name).copied().unwrap_or_default();
                if told.insert(exit.name.clone(), pid) != Some(pid) {
                    self.again(&exit, progress, folder, keeper).await?;
                }
            }
        }
    }

    async fn again(
        &mut self,
        exit: &Exit,
        progress: &Progress,
        folder: &Folder,
        keeper: &Keeper,
    ) -> Result<(), Problem> {
        let Some(run) = self.runs.iter().find(|run| run.name == exit.name).cloned() else { return Ok(()) };
        // nats-server answers SIGTERM with exit status 1 (2.9).
        let asked = exit.clean || (exit.name == "nats" && exit.status == "exit status: 1");
        if asked && matches!(exit.name.as_str(), "nats" | "redis") {
            progress.note(&format!("{} was stopped ({}); going on without it", exit.name, exit.status));
            return Ok(());
        }
        let ends = self.ends.entry(exit.name.clone()).or_default();
        ends.retain(|end| end.elapsed() < Duration::from_secs(60));
        ends.push(Instant::now());
        if ends.len() > RESTARTS {
            return Err(failed(&run, &format!("ended {RESTARTS} times within a minute, last with {}", exit.status)));
        }
        progress.note(&format!("{} ended ({}); starting it again", exit.name, exit.status));
        // The first time at once; a child that keeps ending gets a little longer each time.
        tokio::time::sleep(Duration::from_millis(200) * u32::try_from(ends.len() - 1).unwrap_or(0)).await;
        let pid = keeper.run(run.clone())?;
        self.announcement.pids.insert(exit.name.clone(), pid);
        self.announcement.write(folder)?;
        if self.stack.runs.iter().any(|server| server.name == run.name)
            && let Err(problem) = self.stack.answering(&run, keeper).await
        {
            progress.note(&problem.to_string());
        }
        Ok(())
    }
}
