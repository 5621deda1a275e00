//! The three private servers together, as `up` and the tests start them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::Problem;
use super::children::Keeper;
use super::find::Programs;
use super::folder::Private;
use super::keeper::{Run, Stop};
use super::nats::Nats;
use super::postgres::{Postgres, connect};
use super::redis::Redis;

/// Where and how.
#[derive(Debug, Clone)]
pub struct Plan {
    pub programs: Programs,
    /// The folder that gets `postgres/`, `nats/` and `redis/`.
    pub servers: PathBuf,
    pub logs: PathBuf,
    pub private: Private,
    /// For tests: no fsync, ended at once.
    pub throw_away: bool,
}

/// The three, started. They end with the keeper.
#[derive(Debug, Clone)]
pub struct Stack {
    pub postgres: Postgres,
    pub nats: Nats,
    pub redis: Redis,
    pub runs: Vec<Run>,
    /// In the order of `runs`.
    pub pids: Vec<i32>,
}

impl Stack {
    /// Starts the three servers and waits until each answers.
    ///
    /// # Errors
    /// [`Problem::Server`] with the end of its log when one does not start.
    pub async fn start(plan: &Plan, keeper: &Keeper) -> Result<Self, Problem> {
        let log = |name: &str| plan.logs.join(format!("{name}.log"));
        let fast = if plan.throw_away { Stop::AtOnce } else { Stop::Fast };
        let ports = &plan.private.ports;
        let nats = Nats {
            program: plan.programs.nats.clone(),
            folder: plan.servers.join("nats"),
            port: ports.nats,
            password: plan.private.nats_password.clone(),
            consumer_password: plan.private.nats_consumer_password.clone(),
        };
        let redis = Redis {
            program: plan.programs.redis.clone(),
            folder: plan.servers.join("redis"),
            port: ports.redis,
            password: plan.private.redis_password.clone(),
        };
        let postgres = Postgres {
            installed: plan.programs.postgres.clone(),
            folder: plan.servers.join("postgres"),
            private: plan.private.clone(),
            throw_away: plan.throw_away,
        };
        let runs =
            vec![postgres.prepare(log("postgres"), fast)?, nats.prepare(log("nats"))?, redis.prepare(log("redis"))?];
        let mut pids = Vec::new();
        for run in &runs {
            pids.push(keeper.run(run.clone())?);
        }
        let stack = Self { postgres, nats, redis, runs, pids };
        for run in &stack.runs {
            stack.answering(run, keeper).await?;
        }
        Ok(stack)
    }

    /// Waits until a started server answers. Postgres may have to replay its log first, so it gets two minutes.
    ///
    /// # Errors
    /// [`Problem::Server`].
    pub async fn answering(&self, run: &Run, keeper: &Keeper) -> Result<(), Problem> {
        let deadline = Instant::now() + Duration::from_secs(if run.name == "postgres" { 120 } else { 20 });
        loop {
            let answers = match run.name.as_str() {
                "postgres" => connect(&self.postgres.superuser_url("postgres")).await.is_ok(),
                "nats" => nats_answers(self.nats.port).await.unwrap_or(false),
                _ => redis_answers(self.redis.port, &self.redis.password).await.unwrap_or(false),
            };
            if answers {
                return Ok(());
            }
            if let Some(exit) = keeper.exit_of(&run.name) {
                return Err(failed(run, &format!("ended ({})", exit.status)));
            }
            if Instant::now() > deadline {
                return Err(failed(run, "does not answer"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What to tell when a child fails: the end of its log.
pub fn failed(run: &Run, what: &str) -> Problem {
    Problem::Server { name: run.name.clone(), what: what.into(), log: run.log.clone(), tail: tail(&run.log) }
}

fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(4_096)..]).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

async fn nats_answers(port: u16) -> std::io::Result<bool> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(line.starts_with("INFO "))
}

async fn redis_answers(port: u16, password: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(format!("AUTH {password}\r\nPING\r\n").as_bytes()).await?;
    let mut answer = [0_u8; 12];
    stream.read_exact(&mut answer).await?;
    Ok(&answer == b"+OK\r\n+PONG\r\n")
}
