//! Being asked to end: Ctrl-C, SIGTERM, or the terminal is gone.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves at the first of them. The signals are caught from the call on, not from the first poll.
pub fn asked() -> impl Future<Output = ()> + Send + 'static {
    let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    async move {
        let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = signals else {
            // Not to be caught: the default action ends the process.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
