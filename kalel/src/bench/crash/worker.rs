//! One process of the trial: random commands, sixteen at a time, each answer said aloud at once.

use std::{
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use clap::Args;
use domain::{Timestamp, decision::Decision, ids::CellId, reservation::Slot};
use eventstore::{Append, AppendError, Appended, Idempotency, Keep, Keyring, Meta, Mode, Options, Refusal, Store};
use uuid::Uuid;

use super::{Problem, Told};
use crate::{
    bench::sample::{self, Ground, Wish},
    seeded::Seeded,
};

/// Half hours of the ground that are fought over at any time. The window moves with the clock, the same for every
/// process, so that there is always something left to take.
const HALF_HOURS: u64 = 24;
const STEP_MS: i64 = 2;
/// Then it starts over: within a century, which is as far as an instant reaches.
const STEPS: i64 = 1_500_000;
const AT_ONCE: u64 = 16;

/// One of the processes.
#[derive(Debug, Args)]
pub struct Worker {
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    #[arg(long)]
    seed: u64,
    #[arg(long, value_delimiter = ',')]
    cells: Vec<Uuid>,
}

/// Some half hour of the window.
fn half_hour(now: Timestamp, random: &mut Seeded) -> Result<u32, Problem> {
    let first = now.timestamp_millis() / STEP_MS % STEPS;
    Ok(u32::try_from(u64::try_from(first)? + random.below(HALF_HOURS))?)
}

/// A reservation this process made, as it believes it to be.
#[derive(Clone)]
struct Mine {
    wish: Wish,
    version: i32,
}

/// Goes on until it is killed.
///
/// # Errors
/// When the log cannot be opened.
pub async fn work(worker: Worker) -> Result<(), Problem> {
    let mut options = Options::new(&worker.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 2;
    let store = Store::open(options).await?;
    let cells: Vec<CellId> = worker.cells.iter().map(|cell| (*cell).into()).collect();
    let ground = Ground { cells, ..Ground::new(store.clock(), 0) };
    let mine = Arc::<Mutex<Vec<Mine>>>::default();
    let mut tasks = Vec::new();
    for number in 0..AT_ONCE {
        let (store, ground, mine) = (store.clone(), ground.clone(), Arc::clone(&mine));
        let random = Seeded(worker.seed.wrapping_add(number.wrapping_mul(7_919)));
        tasks.push(tokio::spawn(go_on(store, ground, mine, random)));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn go_on(store: Store, ground: Ground, mine: Arc<Mutex<Vec<Mine>>>, mut random: Seeded) -> Result<(), Problem> {
    loop {
        let known = {
            let mut mine = mine.lock().unwrap_or_else(PoisonError::into_inner);
            let count = mine.len() as u64;
            if count > 0 && random.below(10) < 6 { Some(mine.swap_remove(random.below(count) as usize)) } else { None }
        };
        let said = match known {
            None => place(&store, &ground, &mine, &mut random).await?,
            Some(known) => follow_up(&store, &ground, &mine, known, &mut random).await?,
        };
        say(&said);
    }
}

/// A hold on some cells; every third one lapses almost at once.
async fn place(store: &Store, ground: &Ground, mine: &Mutex<Vec<Mine>>, random: &mut Seeded) -> Result<Told, Problem> {
    let clock = store.clock();
    let count = ground.cells.len() as u64;
    let first = random.below(count) as usize;
    let second = random.below(count) as usize;
    let half_hour = half_hour(clock.now(), random)?;
    let until = if random.below(3) == 0 {
        clock.now() + chrono::TimeDelta::milliseconds(i64::try_from(random.below(20))?)
    } else {
        clock.now() + chrono::TimeDelta::hours(1)
    };
    let wish = ground.only(&[first, second]).wish(clock, half_hour, until)?;
    let stream = wish.reservation_id.uuid();
    let mut append = Append::new(wish.place(), Meta::system());
    let twice = random.below(4) == 0;
    if twice {
        let (key, fingerprint) = (store.answers().key("trial", &stream.to_string()), store.answers().fingerprint(b"x"));
        append = append.once(Idempotency { key, fingerprint, keep: Keep::ThirtyDays });
    }
    let outcome = store.append(append.clone()).await;
    if let Ok(Appended::Applied { .. }) = &outcome {
        mine.lock().unwrap_or_else(PoisonError::into_inner).push(Mine { wish, version: 1 });
    }
    let told = judge(&outcome, stream, true);
    if let (true, Told::Applied { first, last, .. }) = (twice, &told) {
        return Ok(match store.append(append).await {
            Ok(Appended::Duplicate(record)) if (record.first, record.last) == (*first, *last) => told,
            Err(error) if !matches!(error, AppendError::KeyReused | AppendError::Conflict { .. }) => told,
            other => Told::Violation(format!("{stream} was sent twice and answered {other:?}")),
        });
    }
    Ok(told)
}

/// Something with a reservation of this process, which somebody else may have ended meanwhile.
async fn follow_up(
    store: &Store,
    ground: &Ground,
    mine: &Mutex<Vec<Mine>>,
    known: Mine,
    random: &mut Seeded,
) -> Result<Told, Problem> {
    let now = store.clock().now();
    let half_hour = half_hour(now, random)?;
    let (decision, moved) = choose(ground, &known, half_hour, now, random.below(4))?;
    let outcome = store.append(Append::new(decision, Meta::system())).await;
    if let (Ok(Appended::Applied { .. }), Some(slot)) = (&outcome, moved) {
        let mut wish = known.wish.clone();
        wish.slot = slot;
        mine.lock().unwrap_or_else(PoisonError::into_inner).push(Mine { wish, version: known.version + 1 });
    }
    Ok(judge(&outcome, known.wish.reservation_id.uuid(), false))
}

/// The command, and where the reservation stands if it succeeds; `None` when it is over.
fn choose(
    ground: &Ground,
    known: &Mine,
    half_hour: u32,
    now: Timestamp,
    choice: u64,
) -> Result<(Decision, Option<Slot>), Problem> {
    let (id, wish) = (known.wish.reservation_id, &known.wish);
    let to = Ground { cells: wish.slot.cells.clone(), ..ground.clone() }.slot(half_hour)?;
    Ok(match choice {
        0 => (sample::one(id, known.version, [wish.confirm(now)]), Some(wish.slot.clone())),
        1 => (sample::one(id, known.version, [wish.cancel(now)]), None),
        2 => (sample::one(id, known.version, [wish.reschedule(to.clone(), now)]), Some(to)),
        // From a version that is long gone.
        _ => (sample::one(id, known.version - 1, [wish.cancel(now)]), None),
    })
}

fn judge(outcome: &Result<Appended, AppendError>, stream: Uuid, new: bool) -> Told {
    match outcome {
        Ok(Appended::Applied { first, last, .. }) => Told::Applied { stream, first: *first, last: *last },
        Ok(Appended::Duplicate(record)) => Told::Violation(format!("{stream} is new, not a duplicate of {record:?}")),
        Err(AppendError::Refused(Refusal::SlotTaken { .. } | Refusal::LimitReached { .. })) if new => {
            Told::Refused { stream }
        }
        Err(AppendError::Conflict { .. }) if new => Told::Violation(format!("{stream} is new and conflicts")),
        Err(_) => Told::Other,
    }
}

/// One line, in one write: a process that dies has said it or not.
fn say(told: &Told) {
    let line = match told {
        Told::Applied { stream, first, last } => format!("applied {stream} {first} {last}\n"),
        Told::Refused { stream } => format!("refused {stream}\n"),
        Told::Other => "other\n".to_owned(),
        Told::Violation(what) => format!("violation {what}\n"),
    };
    let mut out = std::io::stdout().lock();
    if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
        // Nobody listens any more.
        std::process::exit(0);
    }
}

pub(super) fn parse(line: &str) -> Option<Told> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut parts = rest.split(' ');
    match word {
        "applied" => Some(Told::Applied {
            stream: parts.next()?.parse().ok()?,
            first: parts.next()?.parse().ok()?,
            last: parts.next()?.parse().ok()?,
        }),
        "refused" => Some(Told::Refused { stream: parts.next()?.parse().ok()? }),
        "other" => Some(Told::Other),
        "violation" => Some(Told::Violation(rest.to_owned())),
        _ => None,
    }
}
