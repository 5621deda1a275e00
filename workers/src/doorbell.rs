//! The doorbell on the bus: rings the loops of this process when something was published. Contents are not looked at, so
//! that a forged or garbled message can do no more than ring.

use eventstore::Store;
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::{bell::Bells, bus::Bus, random::Random, runtime};

/// Listens until `shutdown`; while the bus is away the loops go on by polling.
pub async fn listen(bus: Bus, instance: String, bells: Bells, random: Random, shutdown: CancellationToken) {
    let mut failures = 0_u32;
    while !shutdown.is_cancelled() {
        if let Ok(mut messages) = bus.doorbell(&instance).await {
            failures = 0;
            // Something may have been published while nobody listened.
            bells.ring_all();
            loop {
                tokio::select! {
                    message = messages.next() => match message {
                        Some(Ok(_)) => bells.ring_all(),
                        // Heartbeats missed, the stream gone: begin anew.
                        Some(Err(_)) | None => break,
                    },
                    () = shutdown.cancelled() => return,
                }
            }
        }
        failures = failures.saturating_add(1);
        let rest = random.backoff(failures, runtime::REST, std::time::Duration::from_secs(5)).max(runtime::REST);
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

/// Rings for what this process itself records or takes in, until `shutdown`: no message bus is in between.
pub async fn listen_here(store: Store, bells: Bells, shutdown: CancellationToken) {
    let mut news = store.news();
    loop {
        tokio::select! {
            changed = news.changed() => match changed {
                Ok(()) => bells.ring_all(),
                Err(_) => return,
            },
            () = shutdown.cancelled() => return,
        }
    }
}
