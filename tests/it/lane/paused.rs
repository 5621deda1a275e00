//! A process that is paused (SIGSTOP) while it holds the lane: the others wait two seconds at most, and what it is told
//! once it goes on is true (reliability.md F07).

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use domain::ids::StreamId;
use eventstore::Store;
use kalel::up::{
    children::Keeper,
    keeper::{Run, Stop},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::sleep;
use uuid::Uuid;

use super::{LOCK, append, log, sample};
use crate::world::{KALEL, World, wait_until};

/// What everybody else may have to wait (reliability.md F07).
const LONGEST: Duration = Duration::from_secs(2);
/// The database ends the paused session after one second and the callers' appends take milliseconds, so half of the two
/// seconds is spare already. This is for a machine on which the whole test run and a compiler want the same two cores.
const SCHEDULING: Duration = Duration::from_millis(500);
/// What it must be caught at with the lane in its hands, by what it has just asked the database: it has the lock and
/// knows nothing yet; it looks at the facts; it has written and not committed.
const MOMENTS: [&str; 3] = ["pg_advisory_xact_lock", "AS asked", "event_log.write"];
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Commands that the process has under way at any time (kalel/src/bench/crash/worker.rs).
const UNDER_WAY: usize = 16;

/// A process that appends all the time and says what it is told. Its keeper ends it however the test ends.
struct Writer {
    keeper: Keeper,
    pid: Pid,
    folder: tempfile::TempDir,
}

impl Writer {
    fn start(world: &World, store: &Store) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::start(Path::new(KALEL), &folder.path().join("lock"), None).unwrap();
        let cells: Vec<String> = (0..8).map(|_| store.clock().new_id().to_string()).collect();
        let args = ["bench", "crash-worker", "--seed", "11", "--cells", &cells.join(",")].map(str::to_owned);
        let run = Run {
            name: "writer".into(),
            program: KALEL.into(),
            args: args.to_vec(),
            env: vec![("DATABASE_URL".into(), world.database_url.clone())],
            user: None,
            log: folder.path().join("log"),
            stop: Stop::Gently,
        };
        let pid = Pid::from_raw(keeper.run(run).unwrap());
        Self { keeper, pid, folder }
    }

    /// The lines it has said, whole ones only.
    fn said(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
        whole.lines().map(str::to_owned).collect()
    }

    /// Waits until it has been told about so many more commands.
    fn goes_on(&self, commands: usize) {
        let before = self.said().len();
        wait_until("the process goes on", || self.said().len() >= before + commands);
    }

    fn pause(&self) {
        kill(self.pid, Signal::SIGSTOP).unwrap();
        let stat = format!("/proc/{}/stat", self.pid);
        let state = || std::fs::read_to_string(&stat).unwrap().rsplit_once(") ").unwrap().1.chars().next();
        wait_until("the process is stopped", || state() == Some('T'));
    }

    fn resume(&self) {
        kill(self.pid, Signal::SIGCONT).unwrap();
    }

    /// Pauses it at one moment after the other until it is this one; its session.
    async fn pause_at(&self, moment: &str, world: &World) -> i32 {
        for attempt in 0..2_000_u64 {
            self.pause();
            if let Some(Paused { session, query, .. }) = paused_session(world).await
                && query.contains(moment)
            {
                return session;
            }
            self.resume();
            // Odd steps, so that it is not always the same moment of its work.
            sleep(Duration::from_millis(1 + attempt * 7 % 13)).await;
        }
        panic!("it was never paused while it held the lane: {moment}");
    }
}

/// A session that has the lane's lock.
#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Paused {
    session: i32,
    state: String,
    query: String,
    state_change: chrono::DateTime<chrono::Utc>,
}

/// The session that has the lane's lock and waits for its client to say something: still the same after a while, so that
/// nothing was on its way to the database when the client was stopped.
async fn paused_session(world: &World) -> Option<Paused> {
    let look = async || -> Option<Paused> {
        sqlx::query_as(
            "SELECT a.pid AS session, a.state, a.query, a.state_change
             FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
             WHERE l.locktype = 'advisory' AND l.granted AND l.objid::bigint = $1
                 AND a.datname = current_database() AND a.application_name = 'kalel lane'",
        )
        .bind(LOCK)
        .fetch_optional(&world.pool)
        .await
        .unwrap()
    };
    loop {
        let first = look().await?;
        sleep(LOOK_AGAIN).await;
        if first.state == "idle in transaction" && look().await? == first {
            return Some(first);
        }
    }
}

/// Somebody else's append, and how long it took.
async fn somebody_appends(store: Store) -> (Duration, i64) {
    let began = Instant::now();
    let stream = store.clock().new_id();
    let event = sample::plain(stream, store.clock().now());
    let appended = append(&store, sample::one(StreamId::new(stream), 0, [event])).await.unwrap();
    (began.elapsed(), appended.position())
}

/// Waits for the end of a session: its lock goes a moment before the last trace of it.
async fn ended(world: &World, session: i32) {
    let began = Instant::now();
    let lives = async || -> bool {
        let lives = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)";
        sqlx::query_scalar(lives).bind(session).fetch_one(&world.pool).await.unwrap()
    };
    while lives().await {
        assert!(began.elapsed() < LONGEST, "the paused session lives");
        sleep(LOOK_AGAIN).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_holder_of_the_lane_delays_the_others_by_two_seconds_at_most() {
    let world = World::new().await;
    let stores = [world.store().await, world.store().await];
    let mut others = Vec::new();
    for store in &stores {
        others.push(somebody_appends(store.clone()).await.1);
    }
    let writer = Writer::start(&world, &stores[0]);
    for moment in MOMENTS {
        writer.goes_on(100);
        let session = writer.pause_at(moment, &world).await;
        // One caller alone, others together, in two processes' lanes.
        let callers: Vec<_> = [&stores[0], &stores[1], &stores[1], &stores[1]]
            .map(|store| tokio::spawn(somebody_appends(store.clone())))
            .into();
        for caller in callers {
            let (waited, position) = caller.await.unwrap();
            assert!(waited <= LONGEST + SCHEDULING, "{waited:?}");
            others.push(position);
        }
        // They were served because the session was ended, not because it let go.
        ended(&world, session).await;
        writer.resume();
    }
    writer.goes_on(100);
    writer.keeper.stop();
    check(&writer.said(), &others, &stores[0]).await;
}

/// The log has no gap; all that anybody was told is in it; and nothing is in it of which nobody was told, but for what
/// was under way when the process was ended.
async fn check(said: &[String], others: &[i64], store: &Store) {
    let log = log(store).await;
    let mut untold: HashMap<i64, (Uuid, &str)> = HashMap::new();
    for (index, event) in log.iter().enumerate() {
        assert_eq!(event.position, i64::try_from(index).unwrap() + 1, "gapless from 1");
        untold.insert(event.position, (event.stream_id, &event.name));
    }
    let streams: Vec<Uuid> = log.iter().map(|event| event.stream_id).collect();
    for line in said {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["applied", stream, first, last] => {
                let (stream, first, last) = (stream.parse().unwrap(), first.parse().unwrap(), last.parse().unwrap());
                for position in first..=last {
                    let told = untold.remove(&position).map(|(of, _)| of);
                    assert_eq!(told, Some(stream), "acknowledged at {position}: {line}");
                }
            }
            ["refused", stream] => assert!(!streams.contains(&stream.parse().unwrap()), "{line}, and there it is"),
            ["violation", ..] => panic!("{line}"),
            _ => {}
        }
    }
    for position in others {
        assert!(untold.remove(position).is_some(), "{position} was acknowledged to somebody else");
    }
    // The end of a hold that stood in the way is written with the command that needed its ground.
    untold.retain(|_, (_, name)| *name != "reservation.expired");
    assert!(untold.len() <= UNDER_WAY, "written and not told: {untold:?}");
}
