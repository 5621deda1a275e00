//! Measurements and trials that anybody can repeat: `kalel bench`.

pub mod append;
pub mod audit;
pub mod compare;
pub mod crash;
pub mod http;
mod machine;
mod private;
pub mod rebuild;
pub mod sample;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};

/// What to measure or try.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// The append lane against an unordered one-row-per-transaction INSERT.
    Append(AppendOptions),
    /// `POST /v1/reservations` against a bare endpoint with one INSERT and a booking API in Node; then a crowd on one slot.
    Http(HttpOptions),
    /// How far the seal is behind a log written as fast as it goes; then `audit verify` beside `sha256sum`.
    Audit(AuditOptions),
    /// Rebuilding every projection while commands and readers go on, against a plain COPY of the same rows.
    Rebuild(RebuildOptions),
    /// All of these goals and more beside plain INSERT, a booking API in Node and two published libraries, in one run.
    Compare(CompareOptions),
    /// Random commands from processes that are killed; then the log is checked.
    Crash(CrashOptions),
    /// Started by `crash`: one of its processes.
    #[command(hide = true)]
    CrashWorker(crash::Worker),
    /// Started by `audit`: its sealer.
    #[command(hide = true)]
    SealWorker(audit::SealWorker),
    /// Started by `http`: one of its servers.
    #[command(hide = true)]
    HttpServer(http::Server),
}

#[derive(Debug, Args)]
pub struct AppendOptions {
    /// A migrated database, as its owner, that may be filled. Without it a private Postgres is started.
    #[arg(long)]
    database_url: Option<String>,
    /// How many callers, in turn.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32, 256])]
    callers: Vec<usize>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How often both sides take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct HttpOptions {
    /// A migrated database, as its owner, that may be filled. Without it a private Postgres is started.
    #[arg(long)]
    database_url: Option<String>,
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How often both sides take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Clients that want one and the same slot.
    #[arg(long, default_value_t = 1_000)]
    crowd: usize,
    /// Also measures the booking API in this folder, with Node: peers/node.
    #[arg(long)]
    node: Option<PathBuf>,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct AuditOptions {
    /// A migrated database of its own, as its owner. Without it a private Postgres is started.
    #[arg(long)]
    database_url: Option<String>,
    /// Events in the log.
    #[arg(long, default_value_t = 1_000_000)]
    events: i64,
    /// How often both sides take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RebuildOptions {
    /// A migrated database, as its owner, that may be filled. Without it a private Postgres is started.
    #[arg(long)]
    database_url: Option<String>,
    /// Events in the log.
    #[arg(long, default_value_t = 1_000_000)]
    events: i64,
    /// Commands a second meanwhile.
    #[arg(long, default_value_t = 100)]
    commands: u32,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CompareOptions {
    /// Folder of the peers: what is not there, or cannot be installed, is named as not measured.
    #[arg(long, default_value = "peers")]
    peers: PathBuf,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How often all sides take turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Events in the log that is rebuilt.
    #[arg(long, default_value_t = 200_000)]
    events: i64,
    /// Sites that are searched.
    #[arg(long, default_value_t = 10_000)]
    sites: u64,
    /// Clients that want one and the same slot.
    #[arg(long, default_value_t = 1_000)]
    crowd: usize,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CrashOptions {
    /// A migrated database that may be filled. Without it a private Postgres is started.
    #[arg(long)]
    database_url: Option<String>,
    #[arg(long, default_value_t = 100_000)]
    commands: u64,
    #[arg(long, default_value_t = 4)]
    processes: usize,
    /// Makes the run's choices; printed, so that a failure can be repeated.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs one.
///
/// # Errors
/// A line to tell.
pub async fn run(bench: Bench) -> Result<(), String> {
    match bench {
        Bench::Append(options) => append(options).await.map_err(|problem| problem.to_string()),
        Bench::Http(options) => http(options).await.map_err(|problem| problem.to_string()),
        Bench::Audit(options) => audit(options).await.map_err(|problem| problem.to_string()),
        Bench::Rebuild(options) => rebuild(options).await.map_err(|problem| problem.to_string()),
        Bench::Compare(options) => compare(options).await.map_err(|problem| problem.to_string()),
        Bench::Crash(options) => crash(options).await.map_err(|problem| problem.to_string()),
        Bench::HttpServer(server) => http::serve(server).await.map_err(|problem| problem.to_string()),
        Bench::SealWorker(worker) => audit::work(worker).await.map_err(|problem| problem.to_string()),
        Bench::CrashWorker(worker) => crash::work(worker).await.map_err(|problem| problem.to_string()),
    }
}

async fn append(options: AppendOptions) -> Result<(), append::Problem> {
    let private = match &options.database_url {
        Some(_) => None,
        None => Some(private::start(512).await?),
    };
    let given = private.as_ref().map(|server| server.owner_url.clone());
    let plan = append::Plan {
        database_url: options.database_url.or(given).unwrap_or_default(),
        callers: options.callers,
        lasting: Duration::from_secs(options.seconds.max(1)),
        rounds: options.rounds.max(1),
    };
    let lines = append::run(&plan, &mut |doing| eprintln!("bench: {doing}")).await?;
    let text = format!("{}\n\n{}", machine::describe(&plan.database_url).await?, append::table(&lines));
    println!("{text}");
    if let Some(path) = options.write {
        machine::replace_section(&path, "append", &text)?;
    }
    Ok(())
}

async fn http(options: HttpOptions) -> Result<(), append::Problem> {
    let private = match &options.database_url {
        Some(_) => None,
        None => Some(private::start(256).await?),
    };
    let given = private.as_ref().map(|server| server.owner_url.clone());
    let plan = http::Plan {
        program: std::env::current_exe()?,
        node: options.node,
        database_url: options.database_url.or(given).unwrap_or_default(),
        nats_url: private.as_ref().map(|server| server.nats_url.clone()),
        connections: options.connections.max(1),
        lasting: Duration::from_secs(options.seconds.max(1)),
        rounds: options.rounds.max(1),
        crowd: options.crowd.max(1),
    };
    let report = http::run(&plan, &mut |doing| eprintln!("bench: {doing}")).await?;
    let text = format!("{}\n\n{}", machine::describe(&plan.database_url).await?, http::table(&plan, &report));
    println!("{text}");
    if let Some(path) = options.write {
        machine::replace_section(&path, "http", &text)?;
    }
    Ok(())
}

async fn audit(options: AuditOptions) -> Result<(), append::Problem> {
    let private = match &options.database_url {
        Some(_) => None,
        None => Some(private::start(256).await?),
    };
    let given = private.as_ref().map(|server| server.owner_url.clone());
    let plan = audit::Plan {
        program: std::env::current_exe()?,
        database_url: options.database_url.or(given).unwrap_or_default(),
        events: options.events.max(1),
        rounds: options.rounds.max(1),
    };
    let report = audit::run(&plan, &mut |doing| eprintln!("bench: {doing}")).await?;
    let text = format!("{}\n\n{}", machine::describe(&plan.database_url).await?, audit::table(&report));
    println!("{text}");
    if let Some(path) = options.write {
        machine::replace_section(&path, "audit", &text)?;
    }
    Ok(())
}

async fn rebuild(options: RebuildOptions) -> Result<(), append::Problem> {
    let private = match &options.database_url {
        Some(_) => None,
        None => Some(private::start(128).await?),
    };
    let given = private.as_ref().map(|server| server.owner_url.clone());
    let plan = rebuild::Plan {
        database_url: options.database_url.or(given).unwrap_or_default(),
        events: options.events,
        commands: options.commands,
        alone: Duration::from_secs(5),
    };
    let report = rebuild::run(&plan, &mut |doing| eprintln!("bench: {doing}")).await?;
    let text = format!("{}\n\n{}", machine::describe(&plan.database_url).await?, rebuild::table(&report));
    if options.json {
        println!("{}", rebuild::as_json(&report));
    } else {
        println!("{text}");
    }
    if let Some(path) = options.write {
        machine::replace_section(&path, "rebuild", &text)?;
    }
    Ok(())
}

async fn compare(options: CompareOptions) -> Result<(), append::Problem> {
    let server = private::start(512).await?;
    let plan = compare::Plan {
        program: std::env::current_exe()?,
        databases: compare::Databases {
            append: server.another("append").await?,
            http: server.another("http").await?,
            streams: server.another("streams").await?,
            search: server.another("search").await?,
            rebuild: server.another("rebuild").await?,
        },
        nats_url: Some(server.nats_url.clone()),
        peers: options.peers,
        cache: compare::install::cache(),
        callers: vec![1, 32, 256],
        callers_of_libraries: 32,
        connections: 64,
        crowd: options.crowd.max(1),
        sites: options.sites.max(1),
        events: options.events.max(1),
        lasting: Duration::from_secs(options.seconds.max(1)),
        rounds: options.rounds.max(1),
    };
    let began = std::time::Instant::now();
    let report =
        compare::run(&plan, &mut |doing| eprintln!("bench: {:4.0} s: {doing}", began.elapsed().as_secs_f64())).await?;
    let machine = machine::describe(&plan.databases.append).await?;
    let text = format!("{machine}\n\n{}", compare::table::table(&report));
    if options.json {
        println!("{:#}", compare::as_json(&report, &machine));
    } else {
        println!("{text}");
    }
    if let Some(path) = options.write {
        machine::replace_section(&path, "compare", &text)?;
    }
    Ok(())
}

async fn crash(options: CrashOptions) -> Result<(), append::Problem> {
    let private = match &options.database_url {
        Some(_) => None,
        None => Some(private::start(64).await?),
    };
    let given = private.as_ref().map(|server| server.owner_url.clone());
    let plan = crash::Plan {
        program: std::env::current_exe()?,
        database_url: options.database_url.or(given).unwrap_or_default(),
        commands: options.commands,
        processes: options.processes.max(1),
        seed: options.seed,
    };
    let report = crash::run(&plan).await?;
    println!("{report}");
    if report.violations.is_empty() { Ok(()) } else { Err("the log is not what it must be".into()) }
}
