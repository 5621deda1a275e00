//! Many clients on many slots, and many clients on one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use serde_json::Value;

use super::client::{Connection, Target};
use crate::bench::append::{Figure, Problem};

/// A slot that nobody has yet, by its number.
pub type Slots = Arc<dyn Fn(u64) -> Value + Send + Sync>;

/// So many clients, each with a connection of its own, reserve one free slot after the other.
pub async fn spread(
    target: &Target,
    clients: usize,
    lasting: Duration,
    slots: &Slots,
    next: &Arc<AtomicU64>,
) -> Result<Figure, Problem> {
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(Connection::open(target).await?);
    }
    let begun = Instant::now();
    let callers: Vec<_> = connections
        .into_iter()
        .map(|mut connection| {
            let (next, slots) = (Arc::clone(next), Arc::clone(slots));
            tokio::spawn(async move {
                let mut took = Vec::new();
                while begun.elapsed() < lasting {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let (key, body) = (format!("bench key number {number}"), slots(number));
                    let asked = Instant::now();
                    let (status, answer) = connection.post(&key, &body).await?;
                    took.push(asked.elapsed());
                    if status != StatusCode::CREATED {
                        return Err(format!("{status}: {}", String::from_utf8_lossy(&answer)).into());
                    }
                }
                Ok::<_, Problem>(took)
            })
        })
        .collect();
    let mut took = Vec::new();
    for caller in callers {
        took.extend(caller.await??);
    }
    Ok(figure(took, begun.elapsed()))
}

/// So many clients, each with a connection of its own, ask for slots that are all taken, one after the other.
pub async fn taken(target: &Target, clients: usize, lasting: Duration, slots: &[Value]) -> Result<Figure, Problem> {
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(Connection::open(target).await?);
    }
    let slots = Arc::new(slots.to_vec());
    let begun = Instant::now();
    let callers: Vec<_> = connections
        .into_iter()
        .enumerate()
        .map(|(caller, mut connection)| {
            let slots = Arc::clone(&slots);
            tokio::spawn(async move {
                let mut took = Vec::new();
                for (number, slot) in slots.iter().cycle().enumerate().skip(caller * 7) {
                    if begun.elapsed() >= lasting {
                        break;
                    }
                    let asked = Instant::now();
                    let key = format!("of {caller} for what is taken, number {number}");
                    let (status, answer) = connection.post(&key, slot).await?;
                    took.push(asked.elapsed());
                    if status != StatusCode::CONFLICT {
                        return Err(format!("{status}: {}", String::from_utf8_lossy(&answer)).into());
                    }
                }
                Ok::<_, Problem>(took)
            })
        })
        .collect();
    let mut took = Vec::new();
    for caller in callers {
        took.extend(caller.await??);
    }
    Ok(figure(took, begun.elapsed()))
}

/// Asks for each slot once, so that it is taken; by whom does not matter: the peers' processes share a table.
pub async fn take(target: &Target, slots: &[Value]) -> Result<(), Problem> {
    let mut connection = Connection::open(target).await?;
    for slot in slots {
        let key = format!("taken {} {}", slot["pitch_id"], slot["starts_at"]);
        let (status, answer) = connection.post(&key, slot).await?;
        if !matches!(status, StatusCode::CREATED | StatusCode::CONFLICT) {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&answer)).into());
        }
    }
    Ok(())
}

pub fn figure(mut took: Vec<Duration>, lasted: Duration) -> Figure {
    took.sort_unstable();
    let per_second = took.len() as f64 / lasted.as_secs_f64();
    Figure { per_second, p50_ms: percentile(&took, 50), p99_ms: percentile(&took, 99) }
}

/// Then a client of a crowd gives up: 64 transactions that wait for each other under an EXCLUDE constraint deadlock, and
/// Postgres ends one of them per second.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a crowd on one slot was answered.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    pub won: usize,
    pub lost: usize,
    /// Any other answer, or none in time.
    pub others: usize,
    pub p99_ms: f64,
}

/// Everybody at once on one slot, each on a connection of its own that has been used before: they have all looked around.
pub async fn crowd(target: &Target, clients: usize, slot: &Value) -> Result<Crowd, Problem> {
    let mut connections = Vec::new();
    for _ in 0..clients {
        let mut connection = Connection::open(target).await?;
        // Whatever is answered: the server has taken the connection up.
        connection.get("/livez").await?;
        connections.push(connection);
    }
    let asked: Vec<_> = connections
        .into_iter()
        .enumerate()
        .map(|(number, mut connection)| {
            let (key, slot) = (format!("{} {} for {number}", slot["pitch_id"], slot["starts_at"]), slot.clone());
            tokio::spawn(async move {
                let begun = Instant::now();
                let answer = tokio::time::timeout(PATIENCE, connection.post(&key, &slot)).await;
                let status = answer.ok().and_then(Result::ok).map_or(0, |(status, _)| status.as_u16());
                (status, begun.elapsed())
            })
        })
        .collect();
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(answer.await?);
    }
    let count = |wanted: u16| answers.iter().filter(|(status, _)| *status == wanted).count();
    let (won, lost) = (count(201), count(409));
    let mut took: Vec<Duration> = answers.iter().map(|(_, took)| *took).collect();
    took.sort_unstable();
    Ok(Crowd { won, lost, others: answers.len() - won - lost, p99_ms: percentile(&took, 99) })
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(0.0, Duration::as_secs_f64) * 1_000.0
}
