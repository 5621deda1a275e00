//! What streams may take: a place, some memory, a sign of life now and then; and how they end.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use ::api::event::Limits;

use super::{
    process::{Process, write},
    reader::Reader,
};
use crate::{api::Api, faults::served::Served};

#[tokio::test]
async fn a_silent_stream_shows_that_it_lives() {
    assert_eq!(Limits::default().heartbeat, Duration::from_secs(15));
    let api = Api::new().await;
    let process = Process::new(&api.world, Limits { heartbeat: Duration::from_millis(100), ..Limits::default() }).await;
    let head = api.store.head().await.unwrap();
    let mut auditor = process.read(api.secret("auditor"), "").await;
    assert_eq!(auditor.block().await.unwrap().id, Some(head));
    for _ in 0..3 {
        let block = auditor.block().await.unwrap();
        assert_eq!((block.comment.as_deref(), block.data.is_none()), (Some("still here"), true));
    }
    // Whoever saw nothing of what happened is told at the same moment how far they are.
    let mut manager = process.read(api.secret("manager"), "").await;
    manager.block().await.unwrap();
    let last = write(&api.store, None, 3).await;
    while manager.block().await.unwrap().id != Some(last) {}
}

#[tokio::test]
async fn places_are_limited_for_a_key_and_for_a_process_and_given_back() {
    let api = Api::new().await;
    let process = Process::new(&api.world, Limits { per_key: 2, per_process: 3, ..Limits::default() }).await;
    let (auditor, admin) = (api.secret("auditor"), api.secret("admin"));
    let first = process.read(auditor, "").await;
    let _second = process.read(auditor, "").await;
    let refused = process.ask(auditor, "").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (429, true));
    let problem: serde_json::Value = refused.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["retryable"]), (&"event.too_many_streams".into(), &true.into()));
    let _third = process.read(admin, "").await;
    let full = process.ask(admin, "").send().await.unwrap();
    assert_eq!((full.status().as_u16(), full.headers().contains_key("retry-after")), (503, true));
    drop(first);
    let began = Instant::now();
    while process.ask(admin, "").send().await.unwrap().status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "the place is not given back");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_process_that_ends_says_so_and_waits_for_no_stream() {
    let api = Api::new().await;
    let process = Process::new(&api.world, Limits::default()).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(process.read(api.secret("auditor"), "").await);
    }
    let began = Instant::now();
    process.ending.cancel();
    for stream in streams {
        let (comment, retry) = stream.end().await;
        assert_eq!((comment.as_deref(), retry), (Some("this process ends; another one answers"), Some(1_000)));
    }
    tokio::time::timeout(Duration::from_secs(5), process.server).await.expect("it waits for something").unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Resident memory of a process, in MiB.
fn memory(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
}

#[tokio::test]
async fn readers_that_do_not_read_cost_no_memory_and_hold_nobody_up_and_sigterm_ends_them() {
    const SLOW: usize = 40;
    const EVENTS: i64 = 16_000;
    let served = Served::new().await;
    let secret = served.secret("auditor");
    let pid = served.start().await;
    let store = served.world.store().await;
    let before = memory(pid);
    let request = format!(
        "GET /v1/events/stream?after=0 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {secret}\r\nconnection: close\r\n\r\n"
    );
    let slow: Vec<TcpStream> = (0..SLOW)
        .map(|_| {
            let mut stream = TcpStream::connect(served.base.trim_start_matches("http://")).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut status = [0; 12];
            stream.read_exact(&mut status).unwrap();
            assert_eq!(&status, b"HTTP/1.1 200");
            stream
        })
        .collect();
    let figures = served.http.get(format!("{}/metrics", served.base)).send().await.unwrap().text().await.unwrap();
    assert!(figures.lines().any(|line| line == format!("kalel_event_streams {SLOW}")), "{figures}");
    for _ in 0..EVENTS / 400 {
        write(&store, None, 400).await;
    }
    let last = store.head().await.unwrap();
    let fast = served.http.get(format!("{}/v1/events/stream?after=0", served.base)).bearer_auth(&secret);
    let told = Reader::of(fast).await.up_to(last).await;
    assert_eq!(told.len(), usize::try_from(last).unwrap());
    let bytes: usize = told.iter().map(|event| event.to_string().len()).sum();
    let (all, grown) = (SLOW * bytes / (1 << 20), memory(pid).saturating_sub(before));
    assert!(all > 150, "only {all} MiB would have been queued");
    assert!(grown < 80, "{grown} MiB more for {SLOW} readers that do not read, of {all} MiB in all");
    // One of them reads after all, and has missed nothing.
    let mut late = &slow[0];
    late.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (mut text, mut piece, end) = (String::new(), vec![0; 1 << 16], format!("id: {last}\n"));
    while !text.contains(&end) {
        let read = late.read(&mut piece).unwrap();
        assert!(read > 0, "it ended before");
        text.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    assert_eq!(text.matches("\ndata: ").count(), told.len());
    // Whoever does not even read what is there already is waited for as any request in hand is, and no longer.
    served.terminate(pid);
}
