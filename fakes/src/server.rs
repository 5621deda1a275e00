//! Running an axum server until told to stop, without waiting for answers that are held back on purpose.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until `shutdown`; then idle connections close and hanging ones have half a second.
pub(crate) async fn run(
    listener: TcpListener,
    app: Router,
    stop: CancellationToken,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let stopping = stop.clone();
    let server =
        axum::serve(listener, app).with_graceful_shutdown(async move { stopping.cancelled().await }).into_future();
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => { stop.cancel(); return ended; }
        () = shutdown => stop.cancel(),
    }
    // A client that holds its connection open does not keep a fake alive.
    tokio::time::timeout(Duration::from_millis(500), server).await.unwrap_or(Ok(()))
}

/// A client for webhooks: no redirects, five seconds, as Wave gives us.
pub(crate) fn client() -> io::Result<reqwest::Client> {
    // Another part of the process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(io::Error::other)
}

/// Locks; a panic elsewhere must not take the whole fake down with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
