//! Afterwards: what follows once a command is in the log.
//!
//! The relay publishes events, projectors fill the read models, process managers write down what the world is owed,
//! effect workers carry it out and report back as commands, inbox workers deal with webhooks. All of them are loops
//! around a [`runtime::Step`]; what they know is in Postgres, so that any of them may die at any time.

pub mod act;
pub mod bell;
pub mod breaker;
pub mod bus;
pub mod codes;
pub mod context;
pub mod doorbell;
pub mod effect;
pub mod health;
pub mod inbox;
pub mod lease;
mod message;
pub mod nightly;
pub mod process;
pub mod projector;
pub mod random;
pub mod relay;
pub mod runtime;
pub mod sealer;
pub mod shadow;
pub mod sweep;
pub mod texts;
mod turn;
pub mod webhook_out;

use projections::Watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use bus::{Bus, BusError};
pub use context::{Config, Context, Guarded, PayUrl, Providers};
pub use process::enrol;

use crate::runtime::StepError;

/// What a process does besides serving HTTP. Roles of one log may be spread over any number of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Publishes the log to the bus. One at a time; the others stand by.
    Relay,
    /// Fills the read models. Each projector has one owner at a time.
    Projector,
    /// Process managers, effects, webhooks.
    Worker,
    /// Seals the log. One at a time; the others stand by.
    Sealer,
}

/// Runs the given roles until `shutdown`, then lets each loop finish the step it is in.
///
/// `bus` is the connection of this process to NATS, or `None` to do without: everything but the relay works by polling.
/// `watch` is rung by projectors of this process, for readers that wait for a position.
///
/// # Errors
/// [`StepError`] when the process managers cannot be entered at the head of the log; nothing runs then.
pub async fn run(
    ctx: Context,
    roles: &[Role],
    bus: Option<Bus>,
    watch: Option<Watch>,
    shutdown: CancellationToken,
) -> Result<(), StepError> {
    if roles.contains(&Role::Worker) {
        process::enrol(&ctx).await?;
    }
    let mut loops = JoinSet::new();
    loops.spawn(doorbell::listen_here(ctx.store.clone(), ctx.bells.clone(), shutdown.clone()));
    if let Some(bus) = bus.clone() {
        let (instance, bells, random) = (ctx.config.instance.clone(), ctx.bells.clone(), ctx.random.clone());
        loops.spawn(doorbell::listen(bus, instance, bells, random, shutdown.clone()));
    }
    for role in roles {
        match role {
            Role::Relay => {
                if let Some(bus) = bus.clone() {
                    let relay = relay::Relay::new(ctx.clone(), bus);
                    loops.spawn(runtime::run(relay, ctx.bells.log.listen(), ctx.random.clone(), shutdown.clone()));
                }
            }
            Role::Projector => {
                let figures = projector::Figures::new(ctx.store.clone());
                loops.spawn(runtime::run(
                    figures,
                    bell::Bell::default().listen(),
                    ctx.random.clone(),
                    shutdown.clone(),
                ));
                for projector in projections::PROJECTORS {
                    let work = projector::Projecting::new(ctx.clone(), projector, watch.clone());
                    loops.spawn(runtime::run(work, ctx.bells.log.listen(), ctx.random.clone(), shutdown.clone()));
                    let beside = shadow::Shadowing::new(ctx.clone(), projector);
                    let quiet = bell::Bell::default().listen();
                    loops.spawn(runtime::run(beside, quiet, ctx.random.clone(), shutdown.clone()));
                }
            }
            Role::Sealer => match ctx.config.sealing.clone() {
                Some(sealing) => {
                    let seals = sealer::Seals::new(ctx.clone(), sealing);
                    let unrung = bell::Bell::default().listen();
                    loops.spawn(runtime::run(seals, unrung, ctx.random.clone(), shutdown.clone()));
                }
                None => return Err(StepError::Stopped("the sealer has no key to sign with".into())),
            },
            Role::Worker => spawn_workers(&ctx, &mut loops, &shutdown)?,
        }
    }
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended
            && !shutdown.is_cancelled()
        {
            // A loop that panicked is a bug; what it was doing is in the database and will be done after a restart.
            tracing::error!(error = &error as &dyn std::error::Error, "a loop ended");
            return Err(StepError::Stopped(error.to_string()));
        }
    }
    Ok(())
}

fn spawn_workers(ctx: &Context, loops: &mut JoinSet<()>, shutdown: &CancellationToken) -> Result<(), StepError> {
    let egress = webhook_out::way_out(ctx)?;
    for manager in process::MANAGERS {
        let work = process::Process::new(ctx.clone(), manager);
        loops.spawn(runtime::run(work, ctx.bells.log.listen(), ctx.random.clone(), shutdown.clone()));
    }
    // Whoever waits for a code looks at their telephone.
    let codes = codes::Codes::new(ctx.clone());
    loops.spawn(runtime::run(codes, ctx.bells.inbox.listen(), ctx.random.clone(), shutdown.clone()));
    let writer = webhook_out::Writer::new(ctx.clone());
    loops.spawn(runtime::run(writer, ctx.bells.log.listen(), ctx.random.clone(), shutdown.clone()));
    for _ in 0..ctx.config.deliveries_at_once {
        let sender = webhook_out::Sender::by(ctx.clone(), egress.clone());
        loops.spawn(runtime::run(sender, ctx.bells.deliveries.listen(), ctx.random.clone(), shutdown.clone()));
    }
    let sweeper = sweep::Sweeper::new(ctx.clone());
    loops.spawn(runtime::run(sweeper, bell::Bell::default().listen(), ctx.random.clone(), shutdown.clone()));
    if ctx.config.nightly {
        let nightly = nightly::Nightly::new(ctx.clone());
        loops.spawn(runtime::run(nightly, bell::Bell::default().listen(), ctx.random.clone(), shutdown.clone()));
    }
    let health = health::Health::new(ctx.clone());
    loops.spawn(runtime::run(health, bell::Bell::default().listen(), ctx.random.clone(), shutdown.clone()));
    for _ in 0..ctx.config.effects_at_once {
        let work = act::Worker::new(ctx.clone());
        loops.spawn(runtime::run(work, ctx.bells.effects.listen(), ctx.random.clone(), shutdown.clone()));
    }
    for _ in 0..ctx.config.webhooks_at_once {
        let work = inbox::Reader::new(ctx.clone());
        loops.spawn(runtime::run(work, ctx.bells.inbox.listen(), ctx.random.clone(), shutdown.clone()));
    }
    Ok(())
}
