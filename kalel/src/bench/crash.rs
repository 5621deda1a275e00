//! `kalel bench crash`: random commands from several processes, which are killed at random moments and whose database
//! connections are cut; then the log is checked against what the processes were told.

mod check;
mod worker;

use std::{fmt, path::PathBuf, process::Stdio, time::Duration};

use domain::ids::CellId;
use eventstore::{Clock, Keyring, Mode, Options, Store};
use sqlx::{Connection as _, PgConnection};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::mpsc,
};
use uuid::Uuid;

pub use worker::{Worker, work};

use super::append::Problem;

/// How hard to try.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The `kalel` binary.
    pub program: PathBuf,
    pub database_url: String,
    pub commands: u64,
    pub processes: usize,
    pub seed: u64,
}

/// What one process was told about one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Recorded: the positions of its events, and its stream.
    Applied { stream: Uuid, first: i64, last: i64 },
    /// Not recorded, and its stream (a new one) does not exist.
    Refused { stream: Uuid },
    /// Refused for a reason that says nothing about the stream.
    Other,
    /// Something that must not happen.
    Violation(String),
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub commands: u64,
    pub applied: u64,
    pub kills: u64,
    pub cuts: u64,
    pub events: u64,
    /// Expired by whoever needed the slot.
    pub lapses: u64,
    pub violations: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} commands, {} of them recorded as {} events ({} lapsed holds ended by others); {} processes killed, {} \
             connections cut; positions 1…{} checked, {} violations",
            self.commands,
            self.applied,
            self.events,
            self.lapses,
            self.kills,
            self.cuts,
            self.events,
            self.violations.len()
        )?;
        self.violations.iter().take(20).try_for_each(|violation| write!(f, "\n  {violation}"))
    }
}

/// Between two disturbances.
const CALM: Duration = Duration::from_millis(150);

/// Runs the processes until enough commands are answered, then checks the log.
///
/// # Errors
/// When a process or the database cannot be started or reached.
pub async fn run(plan: &Plan) -> Result<Report, Problem> {
    let clock = Clock::system();
    let cells: Vec<CellId> = (0..8).map(|_| clock.new_id().into()).collect();
    let mut options = Options::new(&plan.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 2;
    let store = Store::open(options).await?;
    let mut random = crate::seeded::Seeded(plan.seed);
    let (send, mut told) = mpsc::unbounded_channel();
    let mut children = Vec::new();
    for _ in 0..plan.processes {
        children.push(spawn(plan, &cells, random.next(), send.clone())?);
    }
    let mut report = Report::default();
    let mut heard = Vec::new();
    while report.commands < plan.commands {
        let calm = tokio::time::sleep(CALM);
        tokio::pin!(calm);
        loop {
            tokio::select! {
                () = &mut calm => break,
                Some(line) = told.recv() => {
                    report.commands += 1;
                    heard.push(line);
                }
            }
        }
        let victim = random.below(children.len() as u64) as usize;
        if random.below(3) == 0 {
            report.cuts += u64::from(cut_a_lane(&plan.database_url).await.unwrap_or(false));
        } else if let Some(child) = children.get_mut(victim) {
            child.kill().await?;
            *child = spawn(plan, &cells, random.next(), send.clone())?;
            report.kills += 1;
        }
    }
    for child in &mut children {
        child.kill().await?;
    }
    drop(send);
    while let Some(line) = told.recv().await {
        report.commands += 1;
        heard.push(line);
    }
    check::check(&store, &heard, &mut report).await?;
    store.close().await;
    Ok(report)
}

/// Starts a process whose words arrive on the channel, to the last one before it dies.
fn spawn(plan: &Plan, cells: &[CellId], seed: u64, told: mpsc::UnboundedSender<Told>) -> Result<Child, Problem> {
    let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
    let mut child = Command::new(&plan.program)
        .args(["bench", "crash-worker", "--seed", &seed.to_string(), "--cells", &cells.join(",")])
        .env("DATABASE_URL", &plan.database_url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().ok_or("a process without output")?;
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(word) = worker::parse(&line) {
                let _ = told.send(word);
            }
        }
    });
    Ok(child)
}

/// Ends the database session of some lane, whatever it is doing.
async fn cut_a_lane(database_url: &str) -> Result<bool, sqlx::Error> {
    let mut connection = PgConnection::connect(database_url).await?;
    let cut: Option<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'kalel lane' AND datname = current_database() ORDER BY random() LIMIT 1",
    )
    .fetch_optional(&mut connection)
    .await?;
    connection.close().await?;
    Ok(cut.unwrap_or(false))
}
