//! What may be called and what may not, and servers that try to lead elsewhere.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeZone;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

fn now() -> Timestamp {
    chrono::Utc.with_ymd_and_hms(2026, 11, 28, 9, 0, 0).unwrap()
}

/// A name that means something else each time it is asked for; the last meaning stays.
fn names(meanings: &'static [&'static [&'static str]], asked: Arc<AtomicUsize>) -> LookUp {
    Arc::new(move |_| {
        let nth = asked.fetch_add(1, Ordering::SeqCst).min(meanings.len() - 1);
        let found = meanings[nth].iter().map(|ip| ip.parse().unwrap()).collect();
        Box::pin(async move { Ok(found) })
    })
}

#[test]
fn every_block_that_is_not_public_is_closed_from_its_first_address_to_its_last() {
    let closed = [
        ("0.0.0.0", "0.255.255.255"),
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.0.0", "192.0.0.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.88.99.0", "192.88.99.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
        ("224.0.0.0", "239.255.255.255"),
        ("240.0.0.0", "255.255.255.255"),
        ("168.63.129.16", "168.63.129.16"),
        // What the clouds keep their secrets at.
        ("169.254.169.254", "100.100.100.200"),
        ("fd00:ec2::254", "192.0.0.192"),
        // Unspecified, loopback, mapped, compatible, translated.
        ("::", "::1"),
        ("::ffff:0.0.0.0", "::ffff:255.255.255.255"),
        ("::ffff:127.0.0.1", "::ffff:8.8.8.8"),
        ("::10.0.0.1", "::8.8.8.8"),
        ("64:ff9b::", "64:ff9b::ffff:ffff"),
        ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
        ("100::", "100::ffff:ffff:ffff:ffff"),
        // Teredo and its neighbours, 6to4, documentation.
        ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2002:7f00:1::", "2002:a00:1::"),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ];
    for (first, last) in closed {
        for ip in [first, last] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }
}

#[test]
fn the_neighbours_of_closed_blocks_are_open() {
    let open = [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "168.63.129.15",
        "168.63.129.17",
        "8.8.8.8",
        "2000::1",
        "2001:200::1",
        "2001:db7::1",
        "2001:db9::1",
        "2003::1",
        "2606:4700::1111",
        "3ffe::1",
        "3fff:1000::1",
    ];
    for ip in open {
        assert!(is_public(ip.parse().unwrap()), "{ip}");
    }
}

#[test]
fn an_address_in_any_spelling_is_what_it_is() {
    let (live, test) = (|address| check(address, false), |address| check(address, true));
    let closed = [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://10.0.0.1:8443/x",
        "https://169.254.169.254/latest",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:7f00:1::]/",
        "https://0/",
        "https://100.100.100.200/",
        "http://shop.sn/",
        "ftp://shop.sn/",
        "https://user@shop.sn/",
        "https://user:x@shop.sn/",
        "data:text/plain,x",
        "shop.sn",
    ];
    for address in closed {
        assert!(matches!(live(address), Err(Failure::Refused(_))), "{address}");
    }
    for address in ["https://shop.sn/hook", "https://8.8.8.8/", "https://[2606:4700::1111]:8443/"] {
        assert!(live(address).is_ok(), "{address}");
    }
    // A test log reaches its own machine, and nothing else that is private.
    for address in ["http://127.0.0.1:1/", "http://localhost/", "http://[::1]:1/"] {
        assert!(test(address).is_ok() && live(address).is_err(), "{address}");
    }
    for address in ["http://10.0.0.1/", "https://192.168.1.1/", "https://169.254.169.254/", "http://0.0.0.0/"] {
        assert!(test(address).is_err(), "{address}");
    }
}

#[tokio::test]
async fn a_name_that_means_a_private_address_is_not_called() {
    let cases: [&'static [&'static [&'static str]]; 5] = [
        &[&["10.0.0.1"]],
        &[&["127.0.0.1"]],
        &[&["::ffff:127.0.0.1"]],
        // One good address hides no bad one.
        &[&["203.0.114.1", "169.254.169.254"]],
        &[&["2606:4700::1111", "fd00:ec2::254"]],
    ];
    for meanings in cases {
        let egress = Egress::by(names(meanings, Arc::default()), false).unwrap();
        let answer = egress.post("https://shop.sn/", HeaderMap::new(), Vec::new(), now()).await;
        assert!(matches!(answer, Err(Failure::Refused(_))), "{meanings:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_name_that_meant_a_good_address_and_then_a_private_one_is_not_called_again() {
    let (listening, heard) =
        server(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    let port = listening.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let asked = Arc::new(AtomicUsize::new(0));
    // Loopback stands for the good address here: nothing of a test leaves this machine.
    let rebinding: &'static [&'static [&'static str]] = &[&["127.0.0.1"], &["10.0.0.1"], &["169.254.169.254"]];
    let egress = Egress::by(names(rebinding, Arc::clone(&asked)), true).unwrap();
    let address = format!("http://rebind.sn:{port}/");
    let post = || egress.post(&address, HeaderMap::new(), Vec::new(), now());
    assert_eq!(post().await.unwrap().status, 200);
    // Asked once: what was checked is what was called.
    assert_eq!((asked.load(Ordering::SeqCst), heard.load(Ordering::SeqCst)), (1, 1));
    for times in 2..=3 {
        let answer = post().await;
        assert!(matches!(answer, Err(Failure::Refused(_))), "{answer:?}");
        assert_eq!((asked.load(Ordering::SeqCst), heard.load(Ordering::SeqCst)), (times, 1));
    }
}

/// A server that answers each connection with these bytes, and counts them.
async fn server(answer: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, heard) = (format!("http://{}/", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    (address, heard)
}

#[tokio::test]
async fn a_redirection_is_an_answer_and_not_a_way() {
    let (elsewhere, heard) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer = format!("HTTP/1.1 {status}\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n");
        let (address, _) = server(answer.into_bytes()).await;
        let answer = Egress::new(true).unwrap().post(&address, HeaderMap::new(), Vec::new(), now()).await.unwrap();
        assert_eq!(answer.status.to_string(), status[..3]);
    }
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_more_of_an_answer_is_read_than_is_wanted() {
    let mut long = b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n".to_vec();
    long.resize(long.len() + (1 << 20), b'x');
    let (address, _) = server(long).await;
    let answer = Egress::new(true).unwrap().post(&address, HeaderMap::new(), Vec::new(), now()).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, MOST));
}

#[test]
fn how_long_to_wait_is_said_in_seconds_or_as_a_date() {
    for (text, seconds) in [
        ("120", Some(120)),
        (" 0 ", Some(0)),
        ("Sat, 28 Nov 2026 09:02:00 GMT", Some(120)),
        ("Sat, 28 Nov 2026 08:59:00 GMT", None),
        ("soon", None),
        ("-1", None),
    ] {
        assert_eq!(wait(text, now()), seconds.map(Duration::from_secs), "{text}");
    }
}
