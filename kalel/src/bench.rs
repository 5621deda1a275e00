//! Measurements and trials that anybody can repeat: `kalel bench`.

pub mod append;
pub mod audit;
pub mod compare;
pub mod crash;
pub mod guess;
pub mod http;
mod machine;
mod options;
pub mod overload;
mod private;
pub mod rebuild;
pub mod sample;
pub mod search;
pub mod streams;

use std::{path::Path, time::Duration};

use clap::Subcommand;
use options::{
    AppendOptions, AuditOptions, CompareOptions, CrashOptions, GuessOptions, HttpOptions, OverloadOptions,
    RebuildOptions, SearchOptions, StreamsOptions,
};

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
    /// `GET /v1/sites` near a point with a free pitch at a time, against the bare statement for the nearest.
    Search(SearchOptions),
    /// Load and append, append, and read everything, beside two published libraries.
    Streams(StreamsOptions),
    /// All of these goals beside plain INSERT, a booking API in Node and two published libraries, in one run.
    Compare(CompareOptions),
    /// Random commands from processes that are killed; then the log is checked.
    Crash(CrashOptions),
    /// A million guesses at codes and PINs, at the tables that count them, beside the odds.
    Guess(GuessOptions),
    /// Started by `crash`: one of its processes.
    #[command(hide = true)]
    CrashWorker(crash::Worker),
    /// Started by `audit`: its sealer.
    #[command(hide = true)]
    SealWorker(audit::SealWorker),
    /// Started by `http`: one of its servers.
    #[command(hide = true)]
    HttpServer(http::Server),
    /// Ten times the load that can be borne, for minutes: what is done, what is refused, and how soon it is over.
    Overload(OverloadOptions),
    /// Started by `overload`: its clients.
    #[command(hide = true)]
    OverloadClients,
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
        Bench::Search(options) => search(options).await.map_err(|problem| problem.to_string()),
        Bench::Streams(options) => streams(options).await.map_err(|problem| problem.to_string()),
        Bench::Compare(options) => compare(options).await.map_err(|problem| problem.to_string()),
        Bench::Crash(options) => crash(options).await.map_err(|problem| problem.to_string()),
        Bench::Guess(options) => guess(options).await.map_err(|problem| problem.to_string()),
        Bench::HttpServer(server) => http::serve(server).await.map_err(|problem| problem.to_string()),
        Bench::Overload(options) => overload(options).await.map_err(|problem| problem.to_string()),
        Bench::OverloadClients => std::thread::spawn(|| overload::work().map_err(|problem| problem.to_string()))
            .join()
            .map_err(|_| "the clients panicked".to_owned())?,
        Bench::SealWorker(worker) => audit::work(worker).await.map_err(|problem| problem.to_string()),
        Bench::CrashWorker(worker) => crash::work(worker).await.map_err(|problem| problem.to_string()),
    }
}

/// Where something is measured: a database that was given, or one of a private server that ends with this value.
struct Place {
    database_url: String,
    server: Option<private::Server>,
}

impl Place {
    async fn of(given: Option<String>, connections: u32) -> Result<Self, append::Problem> {
        if let Some(database_url) = given {
            return Ok(Self { database_url, server: None });
        }
        let server = private::start(connections).await?;
        Ok(Self { database_url: server.owner_url.clone(), server: Some(server) })
    }
}

/// Prints a report, and puts it into its section of a file.
fn tell(section: &str, text: &str, write: Option<&Path>) -> Result<(), append::Problem> {
    println!("{text}");
    write.map_or(Ok(()), |path| machine::replace_section(path, section, text))
}

async fn append(options: AppendOptions) -> Result<(), append::Problem> {
    let at = Place::of(options.database_url, 512).await?;
    let plan = append::Plan {
        database_url: at.database_url.clone(),
        callers: options.callers,
        lasting: Duration::from_secs(options.seconds.max(1)),
        rounds: options.rounds.max(1),
    };
    let lines = append::run(&plan, &mut |doing| eprintln!("bench: {doing}")).await?;
    let text = format!("{}\n\n{}", machine::describe(&plan.database_url).await?, append::table(&lines));
    tell("append", &text, options.write.as_deref())
}

async fn http(options: HttpOptions) -> Result<(), append::Problem> {
    let at = Place::of(options.database_url, 256).await?;
    let plan = http::Plan {
        program: std::env::current_exe()?,
        node: options.node,
        database_url: at.database_url.clone(),
        nats_url: at.server.as_ref().map(|server| server.nats_url.clone()),
        connections: options.connections.max(1),
        lasting: Duration::from_secs(options.seconds.max(1)),
        rounds: options.rounds.max(1),
        crowd: options.crowd.max(1),
    };
    let report = http::run(&plan, &mut |doing| eprintln!("bench: {doing}")).await?;
    let text = format!("{}\n\n{}", machine::describe(&plan.database_url).await?, http::table(&plan, &report));
    tell("http", &text, options.write.as_deref())
}

async fn audit(options: AuditOptions) -> Result<(), append::Problem> {
    let at = Place::of(options.database_url, 256).await?;
    let plan = audit::Plan {
        program: std::env::current_exe()?,
        database_url: at.database_url.clone(),
        events: options.events.max(1),
        rounds: options.rounds.max(1),
    };
    let report = audit::run(&plan, &mut |doing| eprintln!("bench: {doing}")).await?;
    let text = format!("{}\n\n{}", machine::describe(&plan.database_url).await?, audit::table(&report));
    tell("audit", &text, options.write.as_deref())
}

async fn rebuild(options: RebuildOptions) -> Result<(), append::Problem> {
    let at = Place::of(options.database_url, 128).await?;
    let plan = rebuild::Plan {
        database_url: at.database_url.clone(),
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

async fn search(options: SearchOptions) -> Result<(), append::Problem> {
    let at = Place::of(options.database_url, 128).await?;
    let plan = search::Plan {
        program: std::env::current_exe()?,
        database_url: at.database_url.clone(),
        sites: options.sites.max(1),
        connections: options.connections.max(1),
        lasting: Duration::from_secs(options.seconds.max(1)),
        rounds: options.rounds.max(1),
    };
    let report = search::run(&plan, &mut |doing| eprintln!("bench: {doing}")).await?;
    let text = format!("{}\n\n{}", machine::describe(&plan.database_url).await?, search::table(&report));
    tell("search", &text, options.write.as_deref())
}

async fn streams(options: StreamsOptions) -> Result<(), append::Problem> {
    let server = private::start(512).await?;
    let mut say = |doing: &str| eprintln!("bench: {doing}");
    let peers = compare::install::install(&options.peers, &compare::install::cache(), &mut say).await;
    let plan = streams::Plan {
        database_url: server.another("streams").await?,
        callers: options.callers.max(1),
        lasting: Duration::from_secs(options.seconds.max(1)),
        rounds: options.rounds.max(1),
    };
    let report = streams::run(&plan, &peers, &mut say).await?;
    let text = format!("{}\n\n{}", machine::describe(&plan.database_url).await?, streams::table(&report));
    tell("streams", &text, options.write.as_deref())
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

async fn guess(options: GuessOptions) -> Result<(), append::Problem> {
    let at = Place::of(options.database_url, 64).await?;
    let plan = guess::Plan {
        database_url: at.database_url.clone(),
        guesses: options.guesses.max(1),
        people: options.people.clamp(1, 9_999_999),
        seed: options.seed,
    };
    let report = guess::run(&plan, &mut |doing| eprintln!("bench: {doing}")).await?;
    let text = format!("{}\n\n{report}", machine::describe(&plan.database_url).await?);
    if options.json {
        println!("{:#}", serde_json::to_value(report)?);
    } else {
        tell("guess", &text, options.write.as_deref())?;
    }
    if report.holds() { Ok(()) } else { Err("more was let through than may be".into()) }
}

async fn overload(options: OverloadOptions) -> Result<(), append::Problem> {
    // Before anything is started: it stays on these.
    let cores = overload::Cores::for_servers()?;
    let at = Place::of(options.database_url, 128).await?;
    let plan = overload::Plan {
        program: std::env::current_exe()?,
        database_url: at.database_url.clone(),
        nats_url: at.server.as_ref().map(|server| server.nats_url.clone()),
        lasting: Duration::from_secs(options.seconds.max(3)),
        times: options.times,
        unguarded: options.unguarded,
    };
    let began = std::time::Instant::now();
    let report = overload::run(&plan, cores, &mut |doing| {
        eprintln!("bench: {:4.0} s: {doing}", began.elapsed().as_secs_f64());
    })
    .await?;
    let machine = machine::describe(&plan.database_url).await?;
    let text = format!("{machine}\n\n{}", overload::table(&report));
    if options.json {
        println!("{:#}", overload::as_json(&report, &machine));
    } else {
        println!("{text}");
    }
    if let Some(path) = options.write {
        machine::replace_section(&path, "overload", &text)?;
    }
    Ok(())
}

async fn crash(options: CrashOptions) -> Result<(), append::Problem> {
    let at = Place::of(options.database_url, 64).await?;
    let plan = crash::Plan {
        program: std::env::current_exe()?,
        database_url: at.database_url.clone(),
        commands: options.commands,
        processes: options.processes.max(1),
        seed: options.seed,
    };
    let report = crash::run(&plan).await?;
    println!("{report}");
    if report.violations.is_empty() { Ok(()) } else { Err("the log is not what it must be".into()) }
}
