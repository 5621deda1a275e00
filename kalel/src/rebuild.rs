//! `kalel rebuild`: the rows of a projector built again beside the ones that are read, compared with them, put in their
//! place.

mod shown;

use std::time::{Duration, Instant};

use eventstore::Store;
use projections::{
    PROJECTORS, Position, Projector, RunError, Shadow,
    shadow::{self, Comparison},
};
use workers::{lease::Lease, shadow::lease_of};

use crate::admin::Log;
use shown::Screen;
pub(crate) use shown::grouped;

/// `kalel rebuild`.
#[derive(Debug, clap::Args)]
pub struct Rebuild {
    /// A projector (`kalel projections` names them), or `all`.
    name: String,
    /// Only show how the rows would differ: what was built for that is thrown away again.
    #[arg(long, conflicts_with_all = ["swap", "drop"])]
    dry_run: bool,
    /// Put the rebuilt rows in the place of the ones that are read. Refused when both are of one version and differ.
    #[arg(long)]
    swap: bool,
    /// Swap all the same.
    #[arg(long, requires = "swap")]
    force: bool,
    /// Throw away what was built and not swapped.
    #[arg(long, conflicts_with = "swap")]
    drop: bool,
    /// The outcome as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: Log,
}

/// What became of one projector.
pub(crate) struct Outcome {
    projector: &'static Projector,
    comparison: Option<Comparison>,
    /// Events applied here, and in which time.
    events: i64,
    took: Duration,
    done: Done,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// Shown only.
    Compared,
    /// Built, and kept up by whoever runs the role projector.
    Ready,
    /// In place, from this position on.
    Swapped(Position),
    /// Both are of one version, and they differ.
    Refused,
    Dropped,
    NothingToDrop,
}

/// How long a lease lasts that is kept up in the background.
const LEASE: Duration = Duration::from_secs(30);

/// The projectors that a name stands for.
pub(crate) fn named(name: &str) -> Result<Vec<&'static Projector>, String> {
    if name == "all" {
        return Ok(PROJECTORS.to_vec());
    }
    match PROJECTORS.iter().find(|projector| projector.name == name) {
        Some(projector) => Ok(vec![projector]),
        None => {
            let known: Vec<&str> = PROJECTORS.iter().map(|projector| projector.name).collect();
            Err(format!("there is no projector {name:?}: name one of {}, or all", known.join(", ")))
        }
    }
}

/// An error with what caused it, in one line.
pub(crate) fn line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !line.ends_with(&said) {
            line = format!("{line}: {said}");
        }
        cause = deeper.source();
    }
    line
}

/// Rebuilds.
///
/// # Errors
/// One line.
pub async fn run(rebuild: Rebuild) -> Result<(), String> {
    let projectors = named(&rebuild.name)?;
    let store = rebuild.log.open().await?;
    let mut screen = Screen::new(rebuild.json);
    let mut outcomes = Vec::new();
    let mut failed = None;
    for projector in projectors {
        match one(&rebuild, &store, projector, &mut screen).await {
            Ok(outcome) => {
                screen.show(&outcome);
                outcomes.push(outcome);
            }
            Err(error) => {
                failed = Some(format!("{}: {error}", projector.name));
                break;
            }
        }
    }
    screen.end(&outcomes);
    store.close().await;
    let refused: Vec<&str> =
        outcomes.iter().filter(|one| one.done == Done::Refused).map(|one| one.projector.name).collect();
    match failed {
        Some(error) => Err(error),
        None if refused.is_empty() => Ok(()),
        None => Err(format!(
            "{}: the rows differ though they are of one version, so nothing was swapped; look at the difference, then \
             --force, or --drop",
            refused.join(", ")
        )),
    }
}

/// Rebuilds one, under the lease of its shadow: a projector process that was building it stands aside meanwhile.
async fn one(
    rebuild: &Rebuild,
    store: &Store,
    projector: &'static Projector,
    screen: &mut Screen,
) -> Result<Outcome, String> {
    let owner = format!("rebuild-{}", std::process::id());
    let lease = Lease::new(store.pool().clone(), lease_of(projector), &owner, LEASE);
    lease.seize().await.map_err(|error| line(&error))?;
    let keeping = lease.clone();
    let kept = tokio::spawn(async move {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            if let Err(error) = keeping.hold().await {
                tracing::warn!(%error, "the lease was not kept up");
            }
        }
    });
    let outcome = tokio::select! {
        outcome = under_lease(rebuild, store, projector, &owner, screen) => outcome,
        () = crate::stop::asked() => Err("stopped; what is built so far stays, and the same command goes on".into()),
    };
    kept.abort();
    // Should that fail, it ends by itself.
    let _ = lease.give_back().await;
    outcome
}

async fn under_lease(
    rebuild: &Rebuild,
    store: &Store,
    projector: &'static Projector,
    owner: &str,
    screen: &mut Screen,
) -> Result<Outcome, String> {
    let told = |error: RunError| match error {
        RunError::Fenced { .. } => "somebody else has taken this rebuild over".to_owned(),
        other => line(&other),
    };
    let mut outcome =
        Outcome { projector, comparison: None, events: 0, took: Duration::ZERO, done: Done::NothingToDrop };
    if rebuild.drop {
        if shadow::discard(projector, store).await.map_err(told)? {
            outcome.done = Done::Dropped;
        }
        return Ok(outcome);
    }
    let before = shadow::versions(projector, store).await.map_err(|error| line(&error))?;
    let began = Instant::now();
    let mut shadow = Shadow::own(projector, store.clone(), owner).await.map_err(told)?;
    let from = shadow.position();
    loop {
        let progress = shadow.step().await.map_err(told)?;
        let live = shadow.live().await.map_err(told)?;
        screen.progress(projector.name, from, progress.position, live, began.elapsed());
        if progress.caught_up {
            break;
        }
    }
    (outcome.events, outcome.took) = (shadow.position() - from, began.elapsed());
    let comparison = shadow.compare().await.map_err(told)?;
    let differs_and_must_not = comparison.is_of_one_version() && !comparison.is_equal();
    outcome.comparison = Some(comparison);
    outcome.done = if rebuild.dry_run {
        if before.shadow.is_none() {
            shadow::discard(projector, store).await.map_err(told)?;
        }
        Done::Compared
    } else if !rebuild.swap {
        Done::Ready
    } else if differs_and_must_not && !rebuild.force {
        Done::Refused
    } else {
        Done::Swapped(shadow.swap().await.map_err(told)?)
    };
    Ok(outcome)
}
