//! Callers that go on until the time is over, or nothing is left to do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Problem;

#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Figure {
    pub fn as_json(&self) -> Value {
        json!({ "per_second": self.per_second, "p50_ms": self.p50_ms, "p99_ms": self.p99_ms })
    }
}

/// `once` answers whether there was something left to do.
pub async fn race<F, O>(callers: usize, lasting: Duration, once: O) -> Result<Figure, Problem>
where
    O: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = Result<bool, Problem>> + Send,
{
    let over = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (over, once) = (Arc::clone(&over), once.clone());
        tasks.spawn(async move {
            let mut took = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                if !once().await? {
                    break;
                }
                took.push(asked.elapsed());
            }
            Ok::<_, Problem>(took)
        });
    }
    let bell = {
        let over = Arc::clone(&over);
        tokio::spawn(async move {
            tokio::time::sleep(lasting).await;
            over.store(true, Ordering::Relaxed);
        })
    };
    let mut took = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        took.extend(ended??);
    }
    let seconds = began.elapsed().as_secs_f64();
    bell.abort();
    took.sort_unstable();
    let at = |part: usize| took.get(took.len() * part / 100).map_or(0.0, |took| took.as_secs_f64() * 1_000.0);
    Ok(Figure { per_second: took.len() as f64 / seconds, p50_ms: at(50), p99_ms: at(99) })
}
