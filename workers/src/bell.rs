//! A doorbell: says that there may be something to do, never what. Losing a ring costs a little time, nothing else.

use std::sync::Arc;

use tokio::sync::watch;

/// Rung by whoever made work; rings while nobody listens are remembered as one.
#[derive(Clone, Debug)]
pub struct Bell(Arc<watch::Sender<u64>>);

/// One listener of a [`Bell`].
#[derive(Debug)]
pub struct Listener(watch::Receiver<u64>);

impl Default for Bell {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Bell {
    pub fn ring(&self) {
        self.0.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// Returns at the next ring, or at once when one was missed.
    pub async fn rung(&mut self) {
        if self.0.changed().await.is_err() {
            // Nobody is left to ring: only the poll remains.
            std::future::pending::<()>().await;
        }
    }
}

/// The bells of one process.
#[derive(Clone, Debug, Default)]
pub struct Bells {
    /// Events were appended.
    pub log: Bell,
    /// Effects were written.
    pub effects: Bell,
    /// A webhook was stored.
    pub inbox: Bell,
    /// Something waits for an endpoint.
    pub deliveries: Bell,
}

impl Bells {
    /// Something happened and it is not known what.
    pub fn ring_all(&self) {
        self.log.ring();
        self.effects.ring();
        self.inbox.ring();
        self.deliveries.ring();
    }
}
