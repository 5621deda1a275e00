//! Two of everything on a private stack, each a process of its own that is started again when it ends, as an init
//! system does.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use eventstore::failpoint;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::Off;
use crate::{
    config,
    seed::{self, Demo},
    up::{
        children::Keeper,
        fakes,
        folder::{Folder, Private, secret, write_private},
        keeper::{Run, Stop},
        ports, postgres, settings,
        stack::{Plan, Stack},
    },
};

/// The processes, with their roles; APIs each listen at a port of their own.
pub const PROCESSES: [(&str, &str); 8] = [
    ("api-1", "api"),
    ("api-2", "api"),
    ("projector-1", "projector"),
    ("projector-2", "projector"),
    ("worker-1", "worker"),
    ("worker-2", "worker"),
    ("sealer", "sealer"),
    ("relay", "relay"),
];
/// The servers.
pub const SERVERS: [&str; 3] = ["postgres", "nats", "redis"];
/// How long a process may hang before another takes its work: short, so that it happens often.
const LEASE_MS: u64 = 3_000;
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One of the processes.
struct Process {
    run: Run,
    pid: i32,
    generation: u32,
    /// SIGSTOP was sent until then.
    paused_until: Option<Instant>,
}

/// Everything that runs.
pub struct Stage {
    pub keeper: Keeper,
    pub stack: Stack,
    pub folder: Folder,
    pub private: Private,
    pub demo: Demo,
    /// Of the two APIs.
    pub bases: [String; 2],
    program: PathBuf,
    processes: BTreeMap<String, Process>,
}

impl Stage {
    /// Builds it in a folder that is not there yet.
    pub async fn build(path: &Path) -> Result<Self, Off> {
        let program = std::env::current_exe()?;
        let folder = Folder::open(path)?;
        let keeper = Keeper::start(&program, &folder.lock(), None)?;
        let mut private = folder.private()?;
        private.choose_ports()?;
        let mut taken = private.ports.taken();
        let mut api = [0; 2];
        for port in &mut api {
            *port = ports::free(None, &taken)?;
            taken.push(*port);
        }
        private.ports.http = api[0];
        folder.keep(&private)?;
        let programs = postgres::programs(None, &mut |doing| eprintln!("trial: {doing}"))?;
        let logs = folder.path.join("logs");
        let plan =
            Plan { programs, servers: folder.servers.clone(), logs, private: private.clone(), throw_away: false };
        let stack = Stack::start(&plan, &keeper).await?;
        stack.postgres.set_up().await?;
        crate::migrate::migrate(&mut postgres::connect(&stack.postgres.owner_url(postgres::DATABASE)).await?).await?;
        let demo = Demo::new(secret)?;
        let bases = api.map(|port| format!("http://127.0.0.1:{port}"));
        let mut config = settings::config(&folder, &private, &bases[0])?;
        config.database.connections = 8;
        config.workers.lease_ms = LEASE_MS;
        config.shutdown.notice_ms = 200;
        seed::seed(&config, &stack.postgres.app_url(postgres::DATABASE), &demo).await?;
        for (name, port) in ["kalel", "api-2"].iter().zip(api) {
            config.listen = ([127, 0, 0, 1], port).into();
            write(&folder.path.join(format!("{name}.toml")), &config)?;
        }
        for fake in fakes::prepare(&program, &folder, &private, &bases[0])? {
            keeper.run(fake)?;
        }
        let mut stage = Self { keeper, stack, folder, private, demo, bases, program, processes: BTreeMap::new() };
        for (run, pid) in stage.stack.runs.clone().into_iter().zip(stage.stack.pids.clone()) {
            stage.processes.insert(run.name.clone(), Process { run, pid, generation: 0, paused_until: None });
        }
        for (name, roles) in PROCESSES {
            stage.add(name, roles)?;
        }
        stage.everything_answers().await?;
        Ok(stage)
    }

    fn add(&mut self, name: &str, roles: &str) -> Result<(), Off> {
        let run = self.run(name, &["serve", "--roles", roles, "--instance", &format!("{name}-0")]);
        let pid = self.keeper.run(run.clone())?;
        self.processes.insert(name.into(), Process { run, pid, generation: 0, paused_until: None });
        Ok(())
    }

    /// How a command of this program is started here.
    fn run(&self, name: &str, args: &[&str]) -> Run {
        let file = if name == "api-2" { "api-2.toml" } else { "kalel.toml" };
        let config = self.folder.path.join(file).display().to_string();
        let args = args.iter().copied().chain(["--config", &config]).map(str::to_owned).collect();
        Run {
            name: name.into(),
            program: self.program.clone(),
            args,
            env: vec![
                ("DATABASE_URL".into(), self.database_url()),
                ("NATS_URL".into(), self.stack.nats.url()),
                ("REDIS_URL".into(), self.stack.redis.url()),
            ],
            user: None,
            log: self.folder.log(name),
            stop: Stop::Gently,
        }
    }

    /// As the program connects to it.
    pub fn database_url(&self) -> String {
        self.stack.postgres.app_url(postgres::DATABASE)
    }

    /// The id of the log.
    pub async fn log_id(&self) -> Result<uuid::Uuid, Off> {
        let mut connection = postgres::connect(&self.database_url()).await?;
        Ok(sqlx::query_scalar("SELECT id FROM event_log.identity").fetch_one(&mut connection).await?)
    }

    /// The last position of the log.
    pub async fn head(&self) -> Result<i64, Off> {
        let mut connection = postgres::connect(&self.database_url()).await?;
        let head = sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM event_log.events");
        Ok(head.fetch_one(&mut connection).await?)
    }

    /// A demo key by its role.
    pub fn key(&self, role: &str) -> String {
        self.demo.secrets().find(|(known, _)| known == role).map(|(_, secret)| secret).unwrap_or_default()
    }

    /// Where a fake is.
    pub fn fake(&self, name: &str) -> String {
        let fakes = self.private.ports.fakes();
        let port = fakes.into_iter().find(|(known, _)| *known == name).map_or(0, |(_, port)| port);
        format!("http://127.0.0.1:{port}")
    }

    /// Waits until every server and API answers.
    pub async fn everything_answers(&mut self) -> Result<(), Off> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
        let until = Instant::now() + PATIENCE;
        for base in self.bases.clone() {
            while !http.get(format!("{base}/readyz")).send().await.is_ok_and(|answer| answer.status().is_success()) {
                if Instant::now() > until {
                    return Err(Off::Stuck(format!(
                        "{base} is not ready; the logs are in {}",
                        self.folder.path.display()
                    )));
                }
                self.mind().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }

    /// Starts again whatever has ended, wakes whatever has slept long enough.
    pub async fn mind(&mut self) -> Result<(), Off> {
        self.mind_all_but("").await
    }

    /// The same, but for one that is expected to end.
    pub async fn mind_all_but(&mut self, left: &str) -> Result<(), Off> {
        let names: Vec<String> = self.processes.keys().filter(|name| *name != left).cloned().collect();
        for name in names {
            if self.keeper.exit_of(&name).is_some() {
                self.start(&name, false).await?;
            }
        }
        for process in self.processes.values_mut() {
            if process.paused_until.is_some_and(|until| Instant::now() >= until) {
                process.paused_until = None;
                signal(process.pid, Signal::SIGCONT);
            }
        }
        Ok(())
    }

    /// Starts a process that has ended; under a name of its own among the owners of leases when `anew`: it then has to
    /// wait for them as everybody.
    pub async fn start(&mut self, name: &str, anew: bool) -> Result<(), Off> {
        let Some(process) = self.processes.get_mut(name) else { return Err(Off::Stuck(format!("no process {name}"))) };
        process.generation += u32::from(anew);
        process.paused_until = None;
        let mut run = process.run.clone();
        if let Some(instance) = run.args.iter_mut().skip_while(|arg| *arg != "--instance").nth(1) {
            *instance = format!("{name}-{}", process.generation);
        }
        process.pid = self.keeper.run(run)?;
        if SERVERS.contains(&name) {
            self.server_answers(name).await?;
        }
        Ok(())
    }

    /// A server that was killed may not start at the first try: Postgres waits for the last of its former children.
    async fn server_answers(&mut self, name: &str) -> Result<(), Off> {
        let Some(run) = self.stack.runs.iter().find(|run| run.name == name).cloned() else { return Ok(()) };
        let until = Instant::now() + PATIENCE;
        loop {
            match self.stack.answering(&run, &self.keeper).await {
                Ok(()) => return Ok(()),
                Err(problem) if Instant::now() > until => return Err(problem.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
            if self.keeper.exit_of(name).is_some()
                && let Some(process) = self.processes.get_mut(name)
            {
                process.pid = self.keeper.run(process.run.clone())?;
            }
        }
    }

    /// `kill -9`, and waits for the end.
    pub async fn kill(&mut self, name: &str) -> Result<(), Off> {
        self.signal(name, Signal::SIGKILL);
        self.ended(name).await
    }

    /// Asks it to end, and waits for that.
    pub async fn stop(&mut self, name: &str) -> Result<(), Off> {
        self.signal(name, Signal::SIGCONT);
        self.keeper.end(name)?;
        self.ended(name).await
    }

    async fn ended(&self, name: &str) -> Result<(), Off> {
        let until = Instant::now() + PATIENCE;
        while self.keeper.exit_of(name).is_none() {
            if Instant::now() > until {
                return Err(Off::Stuck(format!("{name} does not end")));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Stops it in the middle of whatever it does, for a while.
    pub fn pause(&mut self, name: &str, lasting: Duration) {
        self.signal(name, Signal::SIGSTOP);
        if let Some(process) = self.processes.get_mut(name) {
            process.paused_until = Some(Instant::now() + lasting);
        }
    }

    /// It sleeps no more.
    pub fn wake(&mut self, name: &str) {
        if let Some(process) = self.processes.get_mut(name) {
            process.paused_until = None;
            signal(process.pid, Signal::SIGCONT);
        }
    }

    /// Nobody sleeps any more.
    pub fn wake_all(&mut self) {
        for process in self.processes.values_mut() {
            process.paused_until = None;
            signal(process.pid, Signal::SIGCONT);
        }
    }

    fn signal(&self, name: &str, what: Signal) {
        if let Some(process) = self.processes.get(name)
            && self.keeper.exit_of(name).is_none()
        {
            signal(process.pid, what);
        }
    }

    /// Ends a process and starts it so that it dies at a step; with nothing, as it was.
    pub async fn arm(&mut self, name: &str, point: Option<&str>) -> Result<(), Off> {
        self.stop(name).await?;
        let Some(process) = self.processes.get_mut(name) else { return Ok(()) };
        process.run.env.retain(|(variable, _)| variable != failpoint::VARIABLE);
        process.run.env.extend(point.map(|point| (failpoint::VARIABLE.to_owned(), point.to_owned())));
        process.pid = self.keeper.run(process.run.clone())?;
        Ok(())
    }

    /// The next start is without a step to die at.
    pub fn disarm(&mut self, name: &str) {
        if let Some(process) = self.processes.get_mut(name) {
            process.run.env.retain(|(variable, _)| variable != failpoint::VARIABLE);
        }
    }

    /// Runs a command of this program to its end; how it ended, and what it wrote.
    pub async fn command(&self, args: &[&str], point: Option<&str>) -> Result<std::process::Output, Off> {
        let run = self.run("command", args);
        let mut command = tokio::process::Command::new(&run.program);
        command.args(&run.args).envs(run.env).kill_on_drop(true);
        if let Some(point) = point {
            command.env(failpoint::VARIABLE, point);
        }
        Ok(command.output().await?)
    }

    /// Where NATS keeps its streams.
    pub fn bus_store(&self) -> PathBuf {
        self.stack.nats.folder.join("jetstream")
    }

    /// Its folder, made anew with its rights.
    pub fn empty_bus(&self) -> Result<(), Off> {
        crate::up::folder::remove(&self.bus_store())?;
        self.stack.nats.prepare(self.folder.log("nats"))?;
        Ok(())
    }
}

fn signal(pid: i32, what: Signal) {
    // Whoever has ended meanwhile has.
    let _ = kill(Pid::from_raw(pid), what);
}

fn write(path: &Path, config: &config::Config) -> Result<(), Off> {
    let text = toml::to_string(config).map_err(|error| Off::Stuck(error.to_string()))?;
    Ok(write_private(path, text.as_bytes())?)
}
