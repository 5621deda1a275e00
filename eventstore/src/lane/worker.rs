//! The lane's thread: takes what has queued, has it settled, answers.

use std::sync::Arc;

use tokio::{
    runtime::Handle,
    sync::{Mutex, mpsc::UnboundedReceiver, watch},
    time::Instant,
};

use super::{Command, LaneLimits, Load, Pending, session::Session, verdict};

/// Commands in one transaction at most.
const BATCH_COMMANDS: usize = 512;
/// And bytes: one large command does not delay many.
const BATCH_BYTES: usize = 4 << 20;

pub(crate) struct Worker {
    pub(crate) waiting: UnboundedReceiver<Pending>,
    pub(crate) stopped: watch::Receiver<bool>,
    pub(crate) load: Arc<Load>,
    pub(crate) limits: LaneLimits,
    pub(crate) session: Session,
    /// Held while a batch is settled: nobody settles directly meanwhile.
    pub(crate) direct: Arc<Mutex<Session>>,
    /// Where the callers live.
    pub(crate) callers: Handle,
    /// Commands of the last batch.
    pub(crate) last: usize,
}

impl Worker {
    pub(crate) async fn run(mut self) {
        while let Some(first) = self.next().await {
            let alone = Arc::clone(&self.direct).lock_owned().await;
            let batch = self.fill(first);
            self.last = batch.len();
            if !batch.is_empty() {
                self.settle(batch).await;
            }
            drop(alone);
        }
    }

    /// The next command; `None` when the lane is closed and everything is answered.
    async fn next(&mut self) -> Option<Pending> {
        if *self.stopped.borrow() {
            // No more is taken; what has queued is still answered.
            self.waiting.close();
        }
        let queued = self.waiting.len();
        let first = tokio::select! {
            biased;
            first = self.waiting.recv() => first,
            () = stopped(&mut self.stopped) => {
                self.waiting.close();
                self.waiting.recv().await
            }
        };
        // Hardly anybody had queued: those whom the last batch answered may be about to. Let them have their turn, behind
        // which this one stands; it makes one commit of two.
        if queued < self.last / 2 {
            self.callers.spawn(async {}).await.ok();
        }
        first
    }

    /// What has queued by now and is still wanted.
    fn fill(&mut self, first: Pending) -> Vec<Pending> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(pending) = next {
            self.load.take(1, pending.bytes);
            if pending.since.elapsed() > self.limits.deadline {
                metrics::counter!("lane_refusals_total", "reason" => "deadline").increment(1);
                let _ = pending.reply.send(Err(LaneLimits::overloaded()));
            } else if !pending.reply.is_closed() {
                bytes += pending.bytes;
                batch.push(pending);
            }
            let full = batch.len() >= BATCH_COMMANDS || bytes >= BATCH_BYTES;
            next = if full { None } else { self.waiting.try_recv().ok() };
        }
        batch
    }

    async fn settle(&mut self, batch: Vec<Pending>) {
        let began = Instant::now();
        metrics::gauge!("lane_queue_commands").set(self.load.commands() as f64);
        metrics::histogram!("lane_batch_commands").record(batch.len() as f64);
        let waited = metrics::histogram!("lane_wait_seconds");
        for pending in &batch {
            waited.record((began - pending.since).as_secs_f64());
        }
        let commands: Vec<&Command> = batch.iter().map(|pending| &pending.command).collect();
        let verdicts = self.session.settle(&commands).await;
        self.load.settled(commands.len());
        metrics::histogram!("lane_batch_seconds").record(began.elapsed().as_secs_f64());
        let events: u64 = verdicts.iter().map(verdict::count).sum();
        metrics::histogram!("lane_batch_events").record(events as f64);
        for (pending, verdict) in batch.into_iter().zip(verdicts) {
            // Whoever asked may have gone away; what is recorded is recorded.
            let _ = pending.reply.send(verdict);
        }
    }
}

async fn stopped(signal: &mut watch::Receiver<bool>) {
    // An error means that the lane was dropped: that is a stop, too.
    let _ = signal.wait_for(|stopped| *stopped).await.map(|_| ());
}
