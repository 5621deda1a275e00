//! The clients: a process of its own, with a core of its own where there are two, so that what they take is not taken from
//! the servers. Waiting for the answer of one request delays no other: latency counts from when a request was due.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, sync::Semaphore};

use super::mix::{Kind, Maker, Scene};
use crate::bench::append::Problem;

/// What the clients are to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub scene: Scene,
    pub seconds: f64,
    pub connections: usize,
    /// Requests a second, whatever becomes of them; without it each connection asks again once it is answered.
    pub per_second: Option<f64>,
    /// This kind and no other.
    pub only: Option<Kind>,
    pub seed: u64,
    pub next: u64,
}

/// What became of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub next: u64,
    pub lasted: f64,
    pub kinds: BTreeMap<Kind, Counts>,
    /// By the second in which they were due.
    pub seconds: Vec<Second>,
    pub accepted: Spread,
    pub refused: Spread,
    /// Neither done nor refused, with the first of them.
    pub failed: u64,
    pub failure: Option<String>,
    /// Not even sent, because every connection was waiting.
    pub unsent: u64,
    /// Of one core.
    pub processor: f64,
    /// Some that were made.
    pub reservations: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    pub accepted: Spread,
    pub refused: u64,
}

/// So many, and how long they took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Spread {
    pub count: u64,
    pub p50: f64,
    pub p99: f64,
    pub most: f64,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Second {
    pub accepted: u64,
    pub refused: u64,
    pub p99: f64,
}

/// One answer.
struct Answered {
    kind: Kind,
    second: u32,
    micros: u32,
    refused: bool,
}

/// A request, and when it was due.
type Due = (Kind, Instant);

struct Shared {
    job: Job,
    begun: Instant,
    maker: Mutex<Maker>,
    due: Mutex<VecDeque<Due>>,
    ready: Semaphore,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    answers: Vec<Answered>,
    failed: u64,
    failure: Option<String>,
    unsent: u64,
    reservations: Vec<String>,
}

/// Reservations that are told.
const ENOUGH: usize = 500;
/// Requests that wait for a connection, at most.
const BACKLOG: usize = 2_000;
/// Then a request is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Does the job that standard input says, and tells standard output.
///
/// # Errors
/// When the server cannot be reached.
pub fn work() -> Result<(), Problem> {
    let job: Job = serde_json::from_str(&std::io::read_to_string(std::io::stdin())?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(job))?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

async fn run(job: Job) -> Result<Outcome, Problem> {
    let maker = Maker::new(job.scene.clone(), job.seed, job.next)?;
    let mut connections = Vec::new();
    for _ in 0..job.connections {
        connections.push(connect(&job.scene.authority).await?);
    }
    let before = processor();
    let shared = Arc::new(Shared {
        begun: Instant::now(),
        maker: Mutex::new(maker),
        due: Mutex::default(),
        ready: Semaphore::new(0),
        told: Mutex::default(),
        job,
    });
    let clients: Vec<_> = connections.into_iter().map(|sender| tokio::spawn(client(shared.clone(), sender))).collect();
    if let Some(per_second) = shared.job.per_second {
        schedule(&shared, per_second).await;
    }
    for client in clients {
        client.await??;
    }
    let lasted = shared.begun.elapsed().as_secs_f64();
    let processor = (processor() - before) / lasted;
    let next = lock(&shared.maker).next;
    let told = std::mem::take(&mut *lock(&shared.told));
    Ok(Outcome { next, lasted, processor, ..summary(told) })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Seconds of processor time that this process has used.
fn processor() -> f64 {
    let Ok(usage) = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF) else { return 0.0 };
    [usage.user_time(), usage.system_time()].iter().map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6).sum()
}

async fn connect(authority: &str) -> Result<SendRequest<Full<Bytes>>, Problem> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
}

/// Requests come one after the other without knowing of each other (Poisson).
async fn schedule(shared: &Shared, per_second: f64) {
    let mut next = 0.0;
    loop {
        let now = shared.begun.elapsed().as_secs_f64();
        if now >= shared.job.seconds {
            break;
        }
        let mut more = 0;
        while next <= now {
            let at = shared.begun + Duration::from_secs_f64(next);
            let (kind, gap) = {
                let mut maker = lock(&shared.maker);
                (shared.job.only.unwrap_or_else(|| maker.kind()), -maker.share().ln() / per_second)
            };
            next += gap;
            let mut due = lock(&shared.due);
            if due.len() < BACKLOG {
                due.push_back((kind, at));
                more += 1;
            } else {
                lock(&shared.told).unsent += 1;
            }
        }
        shared.ready.add_permits(more);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    shared.ready.close();
}

impl Shared {
    /// What this client does next.
    async fn next(&self) -> Option<Due> {
        if self.job.per_second.is_some() {
            if let Ok(permit) = self.ready.acquire().await {
                permit.forget();
            }
            return lock(&self.due).pop_front();
        }
        if self.begun.elapsed().as_secs_f64() >= self.job.seconds {
            return None;
        }
        let kind = self.job.only.unwrap_or_else(|| lock(&self.maker).kind());
        Some((kind, Instant::now()))
    }
}

async fn client(shared: Arc<Shared>, mut sender: SendRequest<Full<Bytes>>) -> Result<(), Problem> {
    while let Some((kind, at)) = shared.next().await {
        let request = lock(&shared.maker).request(kind)?;
        let answer = tokio::time::timeout(PATIENCE, ask(&mut sender, request)).await;
        let took = at.elapsed();
        let mut failure = None;
        match answer {
            Ok(Ok((status, body))) => {
                let refused = matches!(status, 429 | 503);
                if refused || matches!(status, 200 | 201) {
                    let second = u32::try_from(at.saturating_duration_since(shared.begun).as_secs()).unwrap_or(0);
                    let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
                    let mut told = lock(&shared.told);
                    told.answers.push(Answered { kind, second, micros, refused });
                    if status == 201 && told.reservations.len() < ENOUGH {
                        told.reservations.extend(id(&body));
                    }
                } else {
                    failure = Some(format!("{kind:?}: {status} {}", String::from_utf8_lossy(&body)));
                }
            }
            Ok(Err(error)) => {
                failure = Some(format!("{kind:?}: {error}"));
                sender = connect(&shared.job.scene.authority).await?;
            }
            Err(_elapsed) => {
                failure = Some(format!("{kind:?}: no answer in {PATIENCE:?}"));
                sender = connect(&shared.job.scene.authority).await?;
            }
        }
        if let Some(failure) = failure {
            let mut told = lock(&shared.told);
            told.failed += 1;
            told.failure.get_or_insert(failure);
        }
    }
    Ok(())
}

async fn ask(
    sender: &mut SendRequest<Full<Bytes>>,
    request: axum::http::Request<Full<Bytes>>,
) -> Result<(u16, Bytes), Problem> {
    sender.ready().await?;
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}

fn id(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    body["id"].as_str().map(str::to_owned)
}

fn summary(told: Told) -> Outcome {
    let mut kinds: BTreeMap<Kind, (Vec<u32>, u64)> = BTreeMap::new();
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    let mut seconds: Vec<(Vec<u32>, u64)> = Vec::new();
    for Answered { kind, second, micros, refused: no } in told.answers {
        let second = second as usize;
        if seconds.len() <= second {
            seconds.resize_with(second + 1, Default::default);
        }
        let (of_kind, of_second) = (kinds.entry(kind).or_default(), &mut seconds[second]);
        if no {
            refused.push(micros);
            of_kind.1 += 1;
            of_second.1 += 1;
        } else {
            accepted.push(micros);
            of_kind.0.push(micros);
            of_second.0.push(micros);
        }
    }
    let seconds = seconds.into_iter().map(|(took, refused)| {
        let spread = spread(took);
        Second { accepted: spread.count, refused, p99: spread.p99 }
    });
    Outcome {
        kinds: kinds
            .into_iter()
            .map(|(kind, (took, refused))| (kind, Counts { accepted: spread(took), refused }))
            .collect(),
        seconds: seconds.collect(),
        accepted: spread(accepted),
        refused: spread(refused),
        failed: told.failed,
        failure: told.failure,
        unsent: told.unsent,
        reservations: told.reservations,
        ..Outcome::default()
    }
}

fn spread(mut took: Vec<u32>) -> Spread {
    took.sort_unstable();
    let at = |percent: usize| {
        let index = (took.len() * percent / 100).min(took.len().saturating_sub(1));
        took.get(index).map_or(0.0, |micros| f64::from(*micros) / 1_000.0)
    };
    Spread { count: took.len() as u64, p50: at(50), p99: at(99), most: at(100) }
}
