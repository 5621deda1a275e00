//! Requests that HTTP does not know, byte by byte on a connection: an answer below 500, or none; and whoever comes next is
//! served. Slow ones, many at once and HTTP/2 requests taken back are in `limits/connections.rs` and `limits/peers.rs`.

use std::time::{Duration, Instant};

use kalel::seeded::Seeded;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    house::House,
    run::{Tally, drawn},
};

/// The server has closed by then, or never will: both are fine for what is no whole request.
const PATIENCE: Duration = Duration::from_secs(7);

/// Most of these wait for nothing but to be cut off.
const AT_ONCE: usize = 75;

/// What is sent, and how many answers it may have at most.
struct Raw {
    about: String,
    bytes: Vec<u8>,
    answers: usize,
}

fn raw(about: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Raw {
    Raw { about: about.into(), bytes: bytes.into(), answers: 1 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_is_answered_below_500_or_cut_off_and_smuggles_nothing() {
    let count = super::count(300, 5_000);
    let house = House::new().await;
    let mut seeded = Seeded(super::seed());
    let good = good(&house);
    let mut groups = vec![lines(), headers(&good), lengths(&good), large(&good)];
    while groups.iter().map(Vec::len).sum::<usize>() < count {
        groups.push((0..100).map(|_| spoiled(&good, &mut seeded)).collect());
    }
    let mut tally = Tally::new("http");
    let head = house.api.store.head().await.unwrap();
    for pair in drawn(groups, count, &mut seeded).chunks(AT_ONCE) {
        let answers =
            futures_util::future::join_all(pair.iter().map(|raw| said(house.process.address(), &raw.bytes))).await;
        for (raw, (answer, took)) in pair.iter().zip(answers) {
            let text = String::from_utf8_lossy(&answer);
            let statuses: Vec<u16> = text
                .split("HTTP/1.")
                .skip(1)
                .filter_map(|rest| rest.get(2..5)?.parse().ok())
                .filter(|status| *status >= 200)
                .collect();
            tally.count(statuses.first().copied().unwrap_or_default(), took);
            if statuses.iter().any(|status| *status >= 500) || statuses.len() > raw.answers {
                tally.wrong(format!("{}: {statuses:?}: {text:.300}", raw.about));
            }
            // What was refused by an operation, and not by the connection, says so as always.
            if statuses.first().is_some_and(|status| *status >= 400)
                && text.contains("request-id:")
                && !text.contains("problem+json")
            {
                tally.wrong(format!("{}: no problem document: {text:.300}", raw.about));
            }
            if text.split("\r\n\r\n").next().is_some_and(|head| head.contains("x-injected")) {
                tally.wrong(format!("{}: a header of the caller's: {text:.300}", raw.about));
            }
        }
        tally.remember(&house.process);
        let (alive, _) =
            said(house.process.address(), b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(alive.starts_with(b"HTTP/1.1 200"), "nobody is served any more");
    }
    if house.api.store.head().await.unwrap() != head {
        tally.wrong("something was written".into());
    }
    tally.report(Some(&house.process), count);
}

/// All that comes back until the server closes, or nothing more comes.
async fn said(address: &str, bytes: &[u8]) -> (Vec<u8>, Duration) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    let talk = async {
        // Closed while it is sent: an answer, too.
        let _ = stream.write_all(bytes).await;
        let mut piece = [0; 8_192];
        while let Ok(read @ 1..) = stream.read(&mut piece).await {
            answer.extend_from_slice(&piece[..read]);
            if answer.len() > 1 << 20 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, talk).await;
    (answer, begun.elapsed())
}

/// A search, and a wish without a key: nothing that is ever carried out.
fn good(house: &House) -> Vec<Vec<u8>> {
    let key = house.api.secret("auditor");
    vec![
        format!("GET /v1/sites?limit=1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n").into_bytes(),
        b"POST /v1/quotes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}".to_vec(),
        b"GET /v1/events/stream?after=x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec(),
    ]
}

/// Methods, targets and versions.
fn lines() -> Vec<Raw> {
    let mut all = Vec::new();
    let rest = "host: x\r\nconnection: close\r\n\r\n";
    let methods = [
        "TRACE", "CONNECT", "OPTIONS", "HEAD", "PATCH", "DELETE", "PROPFIND", "get", "GeT", "BREW", "G T", "GET\t",
        " GET", "GÉT", "\0GET", "", "PRI", "M-SEARCH", "DEBUG", "TRACK",
    ];
    for method in methods.map(str::to_owned).into_iter().chain(["A".repeat(20), "A".repeat(10_000)]) {
        for target in ["/v1/sites", "/v1/reservations", "*"] {
            all.push(raw(format!("{method:.20} {target}"), format!("{method} {target} HTTP/1.1\r\n{rest}")));
        }
    }
    let targets = [
        "",
        "*",
        "v1/sites",
        "//",
        "//v1/sites",
        "/v1//sites",
        "/v1/../v1/sites",
        "/v1/%2e%2e/livez",
        "/v1/sites#a",
        "/v1/sites?",
        "/v1/sites?&&&=",
        "/v1/sites?%",
        "/v1/sites?limit=%00",
        "/v1/sites/%",
        "/v1/sites/%zz",
        "/v1/sites/\u{e9}",
        "http://other.example/v1/sites",
        "https://x:99999/",
        "ftp://x/",
        "http://[::1",
        "/v1/sites HTTP/1.1\r\nx-injected: 1",
        "/v1/sites?a=b\\c",
        "/v1/sites/|",
        "/\u{0}",
        "/v1/sites\tHTTP/1.1",
        "x:443",
        "/v1/sites/%0d%0ax-injected:%201",
        "/problems/%3Cscript%3E",
        "/docs/../../etc/passwd",
        "/docs/%2e%2e/%2e%2e/etc/passwd",
        "/pay/%00",
        "/pay/..",
    ];
    all.extend(targets.map(|target| raw(format!("GET {target}"), format!("GET {target} HTTP/1.1\r\n{rest}"))));
    for version in [
        "HTTP/0.9",
        "HTTP/1.2",
        "HTTP/2.0",
        "HTTP/3",
        "HTTP/1.1.1",
        "HTTP/-1.1",
        "HTTP/1,1",
        "http/1.1",
        "HTTPS/1.1",
        "",
        "ICY/1.0",
        "HTTP/11",
    ] {
        all.push(raw(format!("version {version:?}"), format!("GET /v1/sites {version}\r\n{rest}")));
    }
    for (about, bytes) in [
        ("nothing", ""),
        ("a line", "\r\n"),
        ("lines", "\r\n\r\n\r\n\r\n"),
        ("a greeting", "EHLO x\r\n"),
        ("a Redis command", "*1\r\n$4\r\nPING\r\n"),
        ("no lines", "GET /v1/sites HTTP/1.1"),
        ("only line feeds", "GET /v1/sites HTTP/1.1\nhost: x\nconnection: close\n\n"),
        ("HTTP/0.9", "GET /v1/sites\r\n"),
        ("an answer", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        ("half a preface", "PRI * HTTP/2.0\r\n\r\nSM"),
        ("a preface and no frame", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    ] {
        all.push(raw(about, bytes));
    }
    all.push(raw("TLS", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".to_vec()));
    all.push(raw("zeros", vec![0; 3_000]));
    all
}

/// Behind the first line of a good one.
fn beside(good: &[u8], line: &str) -> Vec<u8> {
    let at = good.windows(2).position(|pair| pair == b"\r\n").unwrap() + 2;
    [&good[..at], line.as_bytes(), &good[at..]].concat()
}

fn headers(good: &[Vec<u8>]) -> Vec<Raw> {
    let lines = [
        "host: y\r\n",
        "host:\r\n",
        "Host : z\r\n",
        ": nameless\r\n",
        "no colon\r\n",
        "x-a: \u{0}\r\n",
        "x-a: \u{7f}\r\n",
        "x-a: a\rb\r\n",
        "x\u{e9}: a\r\n",
        "x a: b\r\n",
        " folded: 1\r\n",
        "x-a: 1\r\n\tfolded\r\n",
        "authorization: Bearer a\r\nauthorization: Bearer b\r\n",
        "authorization: Basic YTpi\r\n",
        "authorization: Bearer\r\n",
        "authorization: Bearer \u{1}\r\n",
        "authorization:\r\n",
        "idempotency-key: a\r\nidempotency-key: b\r\n",
        "if-match: \"\r\n",
        "if-match: W/\"v1\", *\r\n",
        "if-none-match: \"a\", \"\r\n",
        "if-modified-since: yesterday\r\n",
        "range: bytes=0-0\r\n",
        "range: bytes=5-1,-1,9999999999999999999-\r\n",
        "range: lines=1\r\n",
        "expect: 100-continue\r\n",
        "expect: 200-ok\r\n",
        "upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABk\r\n",
        "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: x\r\n",
        "te: trailers, deflate\r\n",
        "accept: */*;q=2, text\r\n",
        "accept-encoding: gzip;q=x\r\n",
        "accept-language: *;q=0, zz-ZZ-x-1, fr;q=1.1\r\n",
        "accept-language: \u{e9}\r\n",
        "kalel-min-position: -1\r\n",
        "kalel-min-position: 99999999999999999999\r\n",
        "kalel-min-position: a\r\n",
        "x-deadline: yesterday\r\n",
        "x-deadline: 0\r\n",
        "x-deadline: -9223372036854775808\r\n",
        "x-forwarded-for: '; --\r\n",
        "x-forwarded-for: 1.2.3.4, , ::1, 999.1.1.1\r\n",
        "forwarded: for=\"[::1\r\n",
        "x-http-method-override: DELETE\r\n",
        "request-id: \u{b}\r\n",
        "traceparent: 00-0-0-0\r\n",
        "traceparent: ff-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff\r\n",
        "origin: null\r\n",
        "origin: http://x\r\naccess-control-request-method: \u{e9}\r\n",
        "cookie: a=b; a=c\r\n",
        "content-type: application/json\r\ncontent-type: text/plain\r\n",
        "content-type: application/json; charset=utf-7\r\n",
        "content-type: ;;;\r\n",
        "content-type: multipart/form-data\r\n",
        "content-encoding: gzip\r\n",
        "content-encoding: br, gzip, x\r\n",
        "last-event-id: -5\r\n",
        "last-event-id: \u{e9}\r\n",
        "connection: host\r\n",
        "connection: keep-alive, close, x\r\n",
        "keep-alive: timeout=99999\r\n",
        "proxy-authorization: Basic YTpi\r\n",
        "max-forwards: -1\r\n",
    ];
    lines.iter().flat_map(|line| good.iter().map(move |good| raw(format!("{line:?}"), beside(good, line)))).collect()
}

/// Where one request ends and another one begins.
fn lengths(good: &[Vec<u8>]) -> Vec<Raw> {
    let inside = "GET /v1/keys HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut all = Vec::new();
    for lines in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunked, chunked\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: chunked, gzip\r\n",
        "transfer-encoding : chunked\r\n",
        "transfer-encoding:\u{b}chunked\r\n",
        "transfer-encoding: \"chunked\"\r\n",
        "x: y\r\n transfer-encoding: chunked\r\n",
        "content-length: 3\r\ncontent-length: 4\r\n",
        "content-length: 3, 4\r\n",
        "content-length: -1\r\n",
        "content-length: +3\r\n",
        "content-length: 0x3\r\n",
        "content-length: 3.0\r\n",
        "content-length: 99999999999999999999999\r\n",
        "content-length:\r\n",
        "content-length: 3 3\r\n",
        "content-length: 1000000\r\n",
    ] {
        let head = format!("POST /v1/quotes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{lines}\r\n");
        // Asked for once, answered once: what stands in the body is no request. The connection is not said to be closed.
        for body in ["0\r\n\r\n", "3\r\n{} \r\n0\r\n\r\n", "{}"] {
            let answers = if body == "{}" { 1 } else { 2 };
            all.push(Raw {
                about: format!("{lines:?} with {body:?}"),
                bytes: format!("{head}{body}").into_bytes(),
                answers,
            });
        }
        let both = lines.contains("content-length") && lines.contains("chunked");
        let answers = if both || lines.matches("content-length").count() > 1 { 1 } else { 2 };
        all.push(Raw {
            about: format!("smuggled behind {lines:?}"),
            bytes: format!("{head}0\r\n\r\n{inside}").into_bytes(),
            answers,
        });
    }
    for chunks in [
        "5\r\n{}\r\n0\r\n\r\n",
        "-1\r\n{}\r\n",
        "ffffffffffffffffff\r\n{}\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "2;ext=\"\r\n{}\r\n0\r\n\r\n",
        "2\n{}\n0\n\n",
        "2 \r\n{}\r\n0\r\n\r\n",
        "zz\r\n",
        "2\r\n{}0\r\n\r\n",
        "0\r\nx-injected: 1\r\n\r\n",
        "0\r\ncontent-length: 5\r\n\r\n",
        "",
    ] {
        let head = "POST /v1/quotes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
        all.push(raw(format!("chunks {chunks:?}"), format!("{head}{chunks}")));
    }
    all.push(raw("a body with a GET", beside(&good[0], "content-length: 5\r\n")));
    all
}

/// More than fits.
fn large(good: &[Vec<u8>]) -> Vec<Raw> {
    let mut all = Vec::new();
    for count in [101, 1_000, 100_000] {
        let lines: String = (0..count).map(|number| format!("x-{number}: 1\r\n")).collect();
        all.push(raw(format!("{count} headers"), beside(&good[0], &lines)));
        all.push(raw(format!("{count} times one header"), beside(&good[0], &"x-a: 1\r\n".repeat(count))));
    }
    for bytes in [9_000, 70_000, 1_000_000] {
        all.push(raw(
            format!("a header of {bytes} bytes"),
            beside(&good[0], &format!("x-a: {}\r\n", "a".repeat(bytes))),
        ));
        all.push(raw(
            format!("a header's name of {bytes} bytes"),
            beside(&good[0], &format!("{}: 1\r\n", "a".repeat(bytes))),
        ));
        all.push(raw(
            format!("a path of {bytes} bytes"),
            format!("GET /{} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "a".repeat(bytes)),
        ));
        all.push(raw(
            format!("a query of {bytes} bytes"),
            format!("GET /v1/sites?q={} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "a".repeat(bytes)),
        ));
        let pairs = "limit=1&".repeat(bytes / 8);
        all.push(raw(
            format!("{} parameters", bytes / 8),
            format!("GET /v1/sites?{pairs} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        ));
        let slashes = "/a".repeat(bytes / 2);
        all.push(raw(
            format!("{} segments", bytes / 2),
            format!("GET {slashes} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        ));
        let cookies = format!("cookie: {}\r\n", "a=b; ".repeat(bytes / 5));
        all.push(raw(format!("cookies of {bytes} bytes"), beside(&good[1], &cookies)));
    }
    all
}

/// A good one with some bytes changed, taken away or doubled.
fn spoiled(good: &[Vec<u8>], seeded: &mut Seeded) -> Raw {
    let mut bytes = seeded.pick(good).unwrap().clone();
    let before = String::from_utf8_lossy(&bytes).into_owned();
    for _ in 0..=seeded.below(4) {
        let at = usize::try_from(seeded.below(bytes.len() as u64)).unwrap();
        match seeded.below(4) {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, u8::try_from(seeded.below(256)).unwrap()),
            2 => bytes.truncate(at.max(1)),
            _ => bytes[at] = u8::try_from(seeded.below(256)).unwrap(),
        }
    }
    // A line break can make two of one.
    Raw { about: format!("{before:.60?} spoiled: {:?}", String::from_utf8_lossy(&bytes)), bytes, answers: 2 }
}
