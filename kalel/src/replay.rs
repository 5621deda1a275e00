//! `kalel replay`: what happened to something, up to a moment, with who did it, why, and what it led to.

mod story;

use std::io::{IsTerminal, Write};

use clap::ValueEnum;
use eventstore::{AsOf, Moment};
use uuid::Uuid;

use crate::admin::Log;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// A position, or a time as in 2026-11-23T18:00:00Z. Default: now.
    #[arg(long)]
    as_of: Option<String>,
    /// What is told, and its id: `reservation 019a…` (with its payments and refunds), `payment`, `refund`, `site`, `client`
    /// or `key`.
    #[arg(long, num_args = 2, value_names = ["WHAT", "ID"], required = true)]
    show: Vec<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: Log,
}

/// What can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Reservation,
    Payment,
    Refund,
    Site,
    Client,
    Key,
}

impl What {
    const fn noun(self) -> &'static str {
        match self {
            Self::Reservation => "reservation",
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Site => "site",
            Self::Client => "client",
            Self::Key => "key",
        }
    }
}

/// Tells the story.
///
/// # Errors
/// One line.
pub async fn run(options: &Options) -> Result<(), String> {
    let [what, id] = options.show.as_slice() else { return Err("--show takes what and its id".into()) };
    let what = What::from_str(what, true).map_err(|_| {
        let all: Vec<&str> = What::value_variants().iter().map(|what| what.noun()).collect();
        format!("--show: {what:?} is none of {}", all.join(", "))
    })?;
    let id = Uuid::parse_str(id).map_err(|_| format!("--show: {id:?} is no id"))?;
    let as_of: Option<AsOf> =
        options.as_of.as_deref().map(str::parse).transpose().map_err(|error| format!("--as-of: {error}"))?;
    let store = options.log.open().await?;
    let outcome = async {
        let now = AsOf::Time(store.clock().now());
        let moment = store.moment(as_of.unwrap_or(now)).await.map_err(|error| format!("--as-of: {error}"))?;
        let story = story::tell(&store, what, id, moment).await?;
        Ok::<_, String>((moment, story))
    };
    let outcome = outcome.await;
    store.close().await;
    let (moment, story) = outcome?;
    if options.json {
        println!("{}", story::as_json(what, id, moment, &story));
    } else {
        print(what, id, moment, &story);
    }
    Ok(())
}

fn print(what: What, id: Uuid, moment: Moment, story: &story::Story) {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let paint = |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut out = std::io::stdout().lock();
    // A closed pipe is no reason to stop.
    let mut line = |text: String| drop(writeln!(out, "{}", text.trim_end()));
    let title = format!("{} {id}", what.noun());
    line(format!("{} as of position {}, {}", paint("1", &title), moment.position, moment.at.to_rfc3339()));
    line(String::new());
    let width = |of: fn(&story::Scene) -> usize| story.scenes.iter().map(of).max().unwrap_or(0);
    let (by, kind) = (width(|scene| scene.by.len()), width(|scene| scene.kind.len()));
    for scene in &story.scenes {
        let cause = scene.cause.map(|cause| format!("  because of {cause}")).unwrap_or_default();
        line(format!(
            "{:>9}  {}  {:<by$}  {}  {}{}",
            scene.position,
            scene.at.format("%Y-%m-%d %H:%M:%S"),
            scene.by,
            paint("36", &format!("{:<kind$}", scene.kind)),
            scene.details,
            paint("2", &cause),
        ));
        for effect in &scene.effects {
            line(format!("{:>9}  {:19}  {:<by$}  {}", "", "", "", paint("2", &format!("→ {effect}"))));
        }
    }
    line(String::new());
    for (noun, state) in &story.states {
        line(format!("{noun:>11}  {}", paint("1", state)));
    }
}
