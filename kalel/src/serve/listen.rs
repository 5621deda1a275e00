//! The listener of the API: HTTP/1.1 and h2c, with bounds on what a connection may take (reliability.md, F05).
//!
//! Who sends nothing, or a head byte by byte, is cut off; so is a connection that rests for too long between two requests.
//! What a request may take is the API's own matter.

mod addresses;
mod pace;
mod taken;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use api::http::address::Cidr;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt};

use addresses::Addresses;
use pace::{Counts, InHand, Paced};
use taken::Taken;

/// What answers requests: the API's router, or its door.
pub trait Routes:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Routes for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// What connections may take.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Open at once; more wait in the queue of the operating system.
    pub connections: usize,
    /// Open at once from one address; more are closed as they come.
    pub per_address: usize,
    /// Whose addresses may have as many as they like.
    pub proxies: Arc<[Cidr]>,
    /// How long the head of a request may take.
    pub head: Duration,
    /// How long a connection may be without a request: longer than proxies keep one for the next, which is a minute mostly.
    pub rest: Duration,
    /// How long an answer may lie here without any of it being taken.
    pub untaken: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 10_000,
            per_address: 1_000,
            proxies: Arc::default(),
            head: Duration::from_secs(5),
            rest: Duration::from_secs(75),
            untaken: Duration::from_secs(30),
        }
    }
}

/// Headers of one request; more are 431.
pub const MOST_HEADERS: usize = 100;
/// Bytes of the head of one request; more are 431.
const LARGEST_HEAD: usize = 32 * 1024;
/// Requests at once on one connection of HTTP/2.
const MOST_STREAMS: u32 = 100;
/// Streams that a peer has reset before we have looked at them (CVE-2023-44487), or that we have reset for its mistakes
/// (CVE-2025-8671): with more the connection ends.
const MOST_RESETS: usize = 20;
/// Bytes of one answer that are kept for a peer of HTTP/2 that does not take them.
const MOST_UNTAKEN: usize = 64 * 1024;
/// How often the peer of an HTTP/2 connection is asked whether it is still there, and how long it may take to say so.
const STILL_THERE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// What an HTTP/2 connection begins with (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Files that a process has open besides its connections, generously.
const OTHER_FILES: u64 = 512;

/// Serves until `closing`, then takes no more connections and lets the requests in hand finish.
pub async fn serve(listener: TcpListener, routes: impl Routes, bounds: Bounds, closing: CancellationToken) {
    let places = Arc::new(Semaphore::new(bounds.connections.min(Semaphore::MAX_PERMITS)));
    let addresses = Addresses::new(bounds.per_address, Arc::clone(&bounds.proxies));
    let open = TaskTracker::new();
    loop {
        let place = tokio::select! {
            () = closing.cancelled() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = closing.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(one) = addresses.open(peer.ip()) else {
                    metrics::counter!("api_connections_refused_total").increment(1);
                    continue;
                };
                let (routes, bounds, closing) = (routes.clone(), bounds.clone(), closing.clone());
                open.spawn(async move {
                    let _place = (place, one);
                    connection(stream, peer, routes, bounds, closing).await;
                });
            }
            // It was gone before it was ours.
            Err(error) if is_of_the_peer(&error) => {}
            // No file is free, say: some will be.
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// As many connections as were asked for, or as the files of this process allow: the limit that it may raise itself is
/// raised.
pub fn room_for(connections: usize) -> usize {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return connections };
    let raised = wanted.min(hard).max(soft);
    let files = if setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() { raised } else { soft };
    if files >= wanted {
        return connections;
    }
    let room = usize::try_from(files.saturating_sub(OTHER_FILES).max(files / 2)).unwrap_or(connections);
    tracing::warn!(files, connections, room, "too few files may be open for limits.connections");
    room.clamp(1, connections.max(1))
}

/// Everything on one connection. How it ends interests nobody but its peer.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    routes: impl Routes,
    bounds: Bounds,
    closing: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let (mut reading, writing) = stream.into_split();
    let opening = tokio::select! {
        () = closing.cancelled() => return,
        opening = tokio::time::timeout(bounds.head, opening(&mut reading)) => opening,
    };
    let Ok(Ok(opening)) = opening else { return };
    let is_http2 = opening == PREFACE;
    let (in_hand, counts) = watch::channel(Counts::default());
    let service = service_fn(move |request| answer(routes.clone(), peer, in_hand.clone(), request));
    let reading = io::Cursor::new(opening).chain(reading);
    let writing = Taken::new(writing, bounds.untaken);
    if is_http2 {
        let io = TokioIo::new(tokio::io::join(reading, writing));
        let mut connection = pin!(http2().serve_connection(io, service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = closing.cancelled() => {}
            () = rested(counts, bounds.rest) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    } else {
        let io = TokioIo::new(tokio::io::join(Paced::new(reading, counts, bounds.head), writing));
        let mut connection = pin!(http1(&bounds).serve_connection(io, service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = closing.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

/// Until nothing has been in hand for so long.
async fn rested(mut counts: watch::Receiver<Counts>, rest: Duration) {
    // The sender goes with the connection, and this with it.
    while counts.wait_for(|counts| counts.in_hand == 0).await.is_ok() {
        if tokio::time::timeout(rest, counts.wait_for(|counts| counts.in_hand > 0)).await.is_err() {
            return;
        }
    }
    std::future::pending().await
}

/// The first bytes: all of the preface of HTTP/2, or as many as show that it is none.
async fn opening(reading: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(PREFACE.len());
    while bytes.len() < PREFACE.len() && PREFACE.starts_with(&bytes) {
        let missing = PREFACE.len() - bytes.len();
        if (&mut *reading).take(u64::try_from(missing).unwrap_or(0)).read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(bytes)
}

fn http1(bounds: &Bounds) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // From the end of the request before; from its own beginning on, a head is `Paced`.
    builder.timer(TokioTimer::new()).header_read_timeout(bounds.rest.saturating_add(bounds.head));
    // Its own limit is `MOST_HEADERS`; set, it would cost memory for each request.
    builder.max_header_size(LARGEST_HEAD);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let (interval, patience) = STILL_THERE;
    builder.timer(TokioTimer::new()).keep_alive_interval(interval).keep_alive_timeout(patience);
    builder.max_concurrent_streams(MOST_STREAMS).max_header_list_size(u32::try_from(LARGEST_HEAD).unwrap_or(u32::MAX));
    builder.max_send_buf_size(MOST_UNTAKEN);
    builder.max_pending_accept_reset_streams(MOST_RESETS).max_local_error_reset_streams(MOST_RESETS);
    builder
}

async fn answer(
    routes: impl Routes,
    peer: SocketAddr,
    counts: watch::Sender<Counts>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let in_hand = InHand::new(counts);
    // HTTP/1.1 has counted them itself.
    if request.headers().len() > MOST_HEADERS {
        let mut refused = Response::new(Body::empty());
        *refused.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Ok(refused);
    }
    request.extensions_mut().insert(ConnectInfo(peer));
    let answer = routes.oneshot(request.map(Body::new)).await?;
    Ok(answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _ = &in_hand;
            frame
        }))
    }))
}
