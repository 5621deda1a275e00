//! What a connection may take: of the listener of `kalel serve` alone, without an API behind it.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::ConnectInfo,
    http::Request,
    routing::{get, post},
};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kalel::serve::listen::{Bounds, MOST_HEADERS, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

/// Shorter than it is, for tests that are about something else.
const HEAD: Duration = Duration::from_secs(1);

struct Server {
    address: SocketAddr,
    closing: CancellationToken,
    /// A slow request has come in.
    in_hand: Arc<Notify>,
    running: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn new(bounds: Bounds) -> Self {
        let in_hand = Arc::new(Notify::new());
        let comes = in_hand.clone();
        let slow = move || {
            comes.notify_one();
            lasting(Duration::from_millis(700))
        };
        let router = Router::new()
            .route("/", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }))
            .route("/slow", get(slow))
            .route("/long", post(|body: String| async move { lasting(HEAD * 2).await.to_owned() + &body }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let closing = CancellationToken::new();
        let running = tokio::spawn(serve(listener, router, bounds, closing.clone()));
        Self { address, closing, in_hand, running }
    }

    async fn http2(&self) -> (SendRequest<Empty<bytes::Bytes>>, tokio::task::JoinHandle<()>) {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        (sender, tokio::spawn(async move { connection.await.unwrap_or(()) }))
    }

    async fn connect(&self, begins: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(begins.as_bytes()).await.unwrap();
        stream
    }

    /// A whole request on a connection of its own; the whole answer.
    async fn ask(&self, path: &str, headers: &str) -> String {
        let mut stream =
            self.connect(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")).await;
        let mut answer = Vec::new();
        // What the server has closed with unread bytes is reset once it is read.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }
}

async fn lasting(time: Duration) -> &'static str {
    tokio::time::sleep(time).await;
    "done"
}

/// Until the server has cut it off.
async fn cut(mut stream: TcpStream) -> String {
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn slow_heads_are_cut_off_after_five_seconds_while_others_are_served() {
    let server = Server::new(Bounds::default()).await;
    let begun = Instant::now();
    let mut slow = Vec::new();
    for number in 0..400 {
        // Nothing, half a head, half of the preface of HTTP/2, and half a head after a whole one that was answered.
        let whole = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        let begins = ["", "GET / HTTP/1.1\r\nhost: x\r\nx-a: ", "PRI * HTTP/2.0", whole];
        slow.push(server.connect(begins[number % begins.len()]).await);
    }
    for stream in slow.iter_mut().skip(3).step_by(4) {
        assert!(stream.read(&mut [0; 1_000]).await.unwrap() > 0);
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    }
    // Some go on, a byte at a time.
    let mut dripping = server.connect("GET / HTTP/1.1\r\nx-b: ").await;
    let drip = tokio::spawn(async move {
        while dripping.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    });
    for _ in 0..100 {
        assert!(server.ask("/", "").await.starts_with("HTTP/1.1 200"));
    }
    for stream in slow {
        let read = tokio::time::timeout(Duration::from_secs(15), cut(stream)).await.expect("a slow one is kept");
        assert!(read.is_empty() || read.starts_with("HTTP/1.1 "), "{read}");
    }
    tokio::time::timeout(Duration::from_secs(15), drip).await.expect("who drips is kept").unwrap();
    assert!(begun.elapsed() >= Bounds::default().head, "cut off after {:?}", begun.elapsed());
}

#[tokio::test]
async fn more_than_a_hundred_headers_are_431() {
    let server = Server::new(Bounds::default()).await;
    // `host` and `connection` are there already.
    let headers = |count: usize| (2..count).map(|number| format!("x-{number}: 1\r\n")).collect::<String>();
    assert!(server.ask("/", &headers(MOST_HEADERS)).await.starts_with("HTTP/1.1 200"));
    assert!(server.ask("/", &headers(MOST_HEADERS + 1)).await.starts_with("HTTP/1.1 431"));
    let large = format!("x-large: {}\r\n", "a".repeat(40_000));
    assert!(server.ask("/", &large).await.starts_with("HTTP/1.1 431"));
    for (count, status) in [(MOST_HEADERS, 200), (MOST_HEADERS + 1, 431)] {
        let (mut sender, _connection) = server.http2().await;
        let mut request = Request::get(format!("http://{}/", server.address));
        for number in 0..count {
            request = request.header(format!("x-{number}"), "1");
        }
        let answer = sender.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (status, axum::http::Version::HTTP_2));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(&*body, if status == 200 { b"127.0.0.1".as_slice() } else { b"" });
    }
}

#[tokio::test]
async fn connections_are_bounded_and_whoever_waits_is_served_when_a_place_is_free() {
    let server = Server::new(Bounds { connections: 2, head: HEAD, ..Bounds::default() }).await;
    let begun = Instant::now();
    let (_one, _two) = (server.connect("").await, server.connect("GET").await);
    // They were first, and are let in first.
    let answer = tokio::time::timeout(Duration::from_secs(20), server.ask("/", "")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let waited = begun.elapsed();
    assert!(waited > HEAD * 9 / 10, "a third was let in after {waited:?}");
}

#[tokio::test]
async fn requests_in_hand_finish_and_no_more_are_taken_when_it_closes() {
    let server = Server::new(Bounds::default()).await;
    let resting = server.connect("").await;
    let (answer, ()) = tokio::join!(server.ask("/slow", ""), async {
        server.in_hand.notified().await;
        server.closing.cancel();
    });
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
    tokio::time::timeout(Duration::from_secs(2), server.running).await.expect("it does not end").unwrap();
    assert_eq!(cut(resting).await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_connection_may_rest_between_requests_for_longer_than_a_head_takes_but_not_for_ever() {
    let rest = Duration::from_millis(1_500);
    let server = Server::new(Bounds { head: HEAD, rest, ..Bounds::default() }).await;
    let (mut sender, connection) = server.http2().await;
    let request = |path: &str| Request::get(format!("http://{}{path}", server.address)).body(Empty::new()).unwrap();
    let begun = Instant::now();
    // Longer than a head may take, and one that lasts into the rest.
    for path in ["/", "/slow", "/"] {
        sender.ready().await.unwrap();
        assert_eq!(sender.send_request(request(path)).await.unwrap().status(), 200);
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    assert!(begun.elapsed() > rest && !connection.is_finished());
    tokio::time::timeout(Duration::from_secs(10), connection).await.expect("it rests for ever").unwrap();
    assert!(sender.send_request(request("/")).await.is_err());

    let mut stream = server.connect("").await;
    for path in ["/", "/slow", "/"] {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        let read = stream.read(&mut [0; 1_000]).await.unwrap();
        assert!(read > 0, "cut off while it rested");
        tokio::time::sleep(HEAD + Duration::from_millis(200)).await;
    }
    assert_eq!(tokio::time::timeout(Duration::from_secs(10), cut(stream)).await.expect("it rests for ever"), "");
}

#[tokio::test]
async fn a_body_and_an_answer_may_take_longer_than_a_head() {
    let server = Server::new(Bounds { head: HEAD, ..Bounds::default() }).await;
    let head = "POST /long HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\n";
    let mut stream = server.connect(head).await;
    for letter in [b"a", b"b", b"c", b"d"] {
        tokio::time::sleep(HEAD / 2).await;
        stream.write_all(letter).await.unwrap();
    }
    let answer = cut(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("doneabcd"), "{answer}");
}

#[tokio::test]
async fn a_connection_of_http_2_has_a_hundred_requests_at_once() {
    let server = Server::new(Bounds::default()).await;
    let (sender, _connection) = server.http2().await;
    let begun = Instant::now();
    let all = (0..150).map(|_| {
        let mut sender = sender.clone();
        let request = Request::get(format!("http://{}/slow", server.address)).body(Empty::new()).unwrap();
        async move { sender.send_request(request).await.unwrap().status().as_u16() }
    });
    assert_eq!(futures_util::future::join_all(all).await, [200; 150]);
    assert!(begun.elapsed() > Duration::from_millis(1_400), "all at once: {:?}", begun.elapsed());
}
