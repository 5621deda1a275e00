//! Peers that do not take their answers, that come too often from one address, or that take back what they ask.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing::get};
use futures_util::StreamExt;
use kalel::serve::listen::{Bounds, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

/// More than all buffers between two sockets.
const LARGE: usize = 64 << 20;
const PIECE: usize = 64 << 10;
/// Requests that are taken back.
const TIMES: u32 = 10_000;
const SOON: Duration = Duration::from_secs(20);

struct Server {
    address: SocketAddr,
    closing: CancellationToken,
    /// Answers that were begun.
    begun: Arc<AtomicUsize>,
    /// A large answer is over, taken or not.
    over: Arc<Notify>,
}

/// Tells that an answer is over.
struct Over(Arc<Notify>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Server {
    async fn new(bounds: Bounds) -> Self {
        let (begun, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (counted, told) = (begun.clone(), over.clone());
        let large = move || {
            let over = Over(told.clone());
            let pieces = futures_util::stream::iter(0..LARGE / PIECE).map(move |_| {
                let _ = &over;
                Ok::<_, std::io::Error>(vec![b'a'; PIECE])
            });
            async move { Body::from_stream(pieces) }
        };
        let small = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { "done" }
        };
        let router = Router::new().route("/", get(small)).route("/large", get(large));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, closing) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(serve(listener, router, bounds, closing.clone()));
        Self { address, closing, begun, over }
    }

    async fn connect(&self, begins: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // Somebody who has enough is cut off while they write.
        let _ = stream.write_all(begins).await;
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const ASK_LARGE: &[u8] = b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn who_does_not_take_an_answer_is_cut_off_and_who_takes_it_slowly_is_not() {
    let server = Server::new(Bounds { untaken: Duration::from_millis(600), ..Bounds::default() }).await;
    let mut slow = server.connect(ASK_LARGE).await;
    let mut read = 0;
    let mut bytes = vec![0; 4 << 20];
    loop {
        let more = slow.read(&mut bytes).await.unwrap();
        if more == 0 {
            break;
        }
        read += more;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(read > LARGE, "{read} bytes of a slow reader's answer");
    tokio::time::timeout(SOON, server.over.notified()).await.unwrap();

    let mut untaken = server.connect(ASK_LARGE).await;
    tokio::time::timeout(SOON, server.over.notified()).await.expect("an answer that nobody takes lies there for ever");
    let mut read = 0;
    while let Ok(more @ 1..) = untaken.read(&mut bytes).await {
        read += more;
    }
    assert!(read < LARGE, "all of it was written into nowhere");
}

/// Whether a connection is served; one that is not is closed.
async fn served(stream: &mut TcpStream) -> bool {
    matches!(tokio::time::timeout(SOON, stream.read(&mut [0; 1_000])).await.expect("neither"), Ok(1..))
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_a_proxy_as_many_as_it_likes() {
    let bounds = Bounds { per_address: 2, ..Bounds::default() };
    let server = Server::new(bounds.clone()).await;
    let (mut one, mut two) = (server.connect(ASK).await, server.connect(ASK).await);
    assert!(served(&mut one).await && served(&mut two).await);
    assert!(!served(&mut server.connect(ASK).await).await);
    // Those that are there go on, and when one goes there is room for another.
    two.write_all(ASK).await.unwrap();
    assert!(served(&mut two).await);
    drop(one);
    let again = async { while !served(&mut server.connect(ASK).await).await {} };
    tokio::time::timeout(SOON, again).await.expect("its place is not given back");

    let proxies = ["127.0.0.0/8".parse().unwrap()];
    let server = Server::new(Bounds { proxies: proxies.into(), ..bounds }).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        let mut one = server.connect(ASK).await;
        assert!(served(&mut one).await);
        all.push(one);
    }
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn who_asks_and_takes_it_back_again_and_again_is_shown_out() {
    let [headers, rst_stream, settings, goaway] = [1, 3, 4, 7];
    let server = Server::new(Bounds::default()).await;
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(settings, 0, 0, &[]));
    // GET / at http://x, by the static table of HPACK (RFC 7541); END_STREAM and END_HEADERS.
    let head = [0x82, 0x84, 0x86, 0x41, 1, b'x'];
    for number in 0..TIMES {
        sent.extend(frame(headers, 0x5, number * 2 + 1, &head));
        sent.extend(frame(rst_stream, 0, number * 2 + 1, &8_u32.to_be_bytes()));
    }
    let mut attacker = TcpStream::connect(server.address).await.unwrap();
    let (mut reading, mut writing) = attacker.split();
    let mut read = Vec::new();
    let _ =
        tokio::time::timeout(SOON, async { tokio::join!(writing.write_all(&sent), reading.read_to_end(&mut read)) })
            .await
            .expect("the connection goes on");
    // What was told before the end, if the reset did not overtake it: ENHANCE_YOUR_CALM.
    let mut rest = read.as_slice();
    while let [a, b, c, kind, tail @ ..] = rest {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let payload = tail.get(5..5 + length).unwrap_or_default();
        if *kind == goaway && payload.len() >= 8 {
            assert_eq!(payload[4..8], 11_u32.to_be_bytes());
        }
        rest = tail.get(5 + length..).unwrap_or_default();
    }
    let begun = server.begun.load(Ordering::SeqCst);
    assert!(begun < TIMES as usize / 10, "{begun} of {TIMES} were begun");
    assert!(served(&mut server.connect(ASK).await).await, "the others pay for it");
}
