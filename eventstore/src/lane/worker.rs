//! The lane's task: takes what has queued, has it settled, answers.

use std::sync::Arc;

use tokio::{
    sync::{Mutex, mpsc::UnboundedReceiver, watch},
    time::Instant,
};

use super::{Command, LaneLimits, Load, Pending, session::Session, verdict};

/// Commands in one transaction at most.
const BATCH_COMMANDS: usize = 512;
/// And bytes: one large command does not delay many.
const BATCH_BYTES: usize = 4 << 20;

pub(crate) struct Worker {
    waiting: UnboundedReceiver<Pending>,
    stopped: watch::Receiver<bool>,
    load: Arc<Load>,
    limits: LaneLimits,
    session: Arc<Mutex<Session>>,
}

impl Worker {
    pub(crate) fn new(
        waiting: UnboundedReceiver<Pending>,
        stopped: watch::Receiver<bool>,
        load: Arc<Load>,
        limits: LaneLimits,
        session: Arc<Mutex<Session>>,
    ) -> Self {
        Self { waiting, stopped, load, limits, session }
    }

    pub(crate) async fn run(mut self) {
        loop {
            let Some(first) = self.next().await else { return };
            // Callers that the last batch answered are about to queue again: let them, it makes one commit of two.
            tokio::task::yield_now().await;
            let mut session = Arc::clone(&self.session).lock_owned().await;
            let batch = self.fill(first);
            if !batch.is_empty() {
                self.settle(&mut session, batch).await;
            }
        }
    }

    /// The next command; `None` when the lane is closed and everything is answered.
    async fn next(&mut self) -> Option<Pending> {
        tokio::select! {
            biased;
            first = self.waiting.recv() => return first,
            () = stopped(&mut self.stopped) => {}
        }
        // No more is taken; what has queued is still answered.
        self.waiting.close();
        self.waiting.recv().await
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

    async fn settle(&self, session: &mut Session, batch: Vec<Pending>) {
        let began = Instant::now();
        metrics::gauge!("lane_queue_commands").set(self.load.commands() as f64);
        metrics::histogram!("lane_batch_commands").record(batch.len() as f64);
        if let Some(oldest) = batch.first() {
            metrics::histogram!("lane_wait_seconds").record((began - oldest.since).as_secs_f64());
        }
        let commands: Vec<&Command> = batch.iter().map(|pending| &pending.command).collect();
        let verdicts = session.settle(&commands).await;
        self.load.settled(commands.len());
        metrics::histogram!("lane_batch_seconds").record(began.elapsed().as_secs_f64());
        for (pending, verdict) in batch.into_iter().zip(verdicts) {
            metrics::counter!("lane_verdicts_total", "verdict" => verdict::name(&verdict)).increment(1);
            // Whoever asked may have gone away; what is recorded is recorded.
            let _ = pending.reply.send(verdict);
        }
    }
}

async fn stopped(signal: &mut watch::Receiver<bool>) {
    // An error means that the lane was dropped: that is a stop, too.
    let _ = signal.wait_for(|stopped| *stopped).await.map(|_| ());
}
