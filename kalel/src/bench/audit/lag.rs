//! How far the seal is behind what readers can see, looked at from a thread and a connection of its own: neither the
//! writers' queues nor a commit under way are counted.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection};
use tokio::{runtime, sync::oneshot};

use crate::bench::append::Problem;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(10);

/// Looks again and again, until it is asked.
pub(super) struct Sampler {
    over: Arc<AtomicBool>,
    found: oneshot::Receiver<Result<Vec<Duration>, sqlx::Error>>,
}

impl Sampler {
    pub(super) fn start(database_url: &str) -> Result<Self, Problem> {
        let (over, url) = (Arc::new(AtomicBool::new(false)), database_url.to_owned());
        let (tell, found) = oneshot::channel();
        let asked = Arc::clone(&over);
        let own = runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("sampler".into()).spawn(move || {
            let _ = tell.send(own.block_on(sample(&url, &asked)));
        })?;
        Ok(Self { over, found })
    }

    /// How far it was behind at each look.
    pub(super) async fn end(self) -> Result<Vec<Duration>, Problem> {
        self.over.store(true, Ordering::Relaxed);
        Ok(self.found.await??)
    }
}

async fn sample(database_url: &str, over: &AtomicBool) -> Result<Vec<Duration>, sqlx::Error> {
    let mut connection = PgConnection::connect(database_url).await?;
    let mut seen = Seen { heads: VecDeque::new(), head: 0, looked: Instant::now() };
    let mut behind = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let (head, sealed): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT coalesce(max(position), 0) FROM event_log.events), (SELECT size FROM event_log.seal)",
        )
        .fetch_one(&mut connection)
        .await?;
        behind.push(seen.look(head, sealed, began, Instant::now()));
        tokio::time::sleep(EVERY).await;
    }
    connection.close().await?;
    Ok(behind)
}

/// Heads of the log that were seen and are not sealed, each with the moment at which it was certainly not there yet.
struct Seen {
    heads: VecDeque<(i64, Instant)>,
    head: i64,
    looked: Instant,
}

impl Seen {
    /// For how long, at most, the oldest event that is not sealed has been there.
    fn look(&mut self, head: i64, sealed: i64, began: Instant, ended: Instant) -> Duration {
        if head > self.head {
            self.heads.push_back((head, self.looked));
        }
        (self.head, self.looked) = (head, began);
        while self.heads.front().is_some_and(|(seen, _)| *seen <= sealed) {
            self.heads.pop_front();
        }
        self.heads.front().map_or(Duration::ZERO, |(_, since)| ended - *since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_counts_from_the_last_look_that_did_not_find_it() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut seen = Seen { heads: VecDeque::new(), head: 0, looked: start };
        assert_eq!(seen.look(0, 0, at(0), at(1)), Duration::ZERO);
        assert_eq!(seen.look(5, 0, at(10), at(12)), Duration::from_millis(12));
        assert_eq!(seen.look(9, 4, at(20), at(22)), Duration::from_millis(22), "of the five one is left");
        assert_eq!(seen.look(9, 5, at(30), at(31)), Duration::from_millis(21), "6 to 9 came after the look at 10");
        assert_eq!(seen.look(9, 9, at(40), at(41)), Duration::ZERO);
    }
}
