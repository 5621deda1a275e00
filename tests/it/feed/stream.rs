//! Nothing is lost and nothing comes twice: resuming, other processes, many readers, slow readers.

use std::{sync::Arc, time::Duration};

use ::api::event::Limits;
use reqwest::Method;
use serde_json::Value;

use super::{
    process::{Process, read, write},
    reader::{PATIENCE, Reader, positions},
};
use crate::api::Api;

/// Every event as the list tells it.
async fn listed(api: &Api, role: &str, filter: &str) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let page = api.get(role, &format!("/v1/events?limit=100&after={after}{filter}")).await.is(200).body;
        events.extend(page["data"].as_array().unwrap().clone());
        after = page["next_after"].as_i64().unwrap();
        if page["has_more"] == false {
            return events;
        }
    }
}

#[tokio::test]
async fn a_stream_tells_what_the_list_tells() {
    let api = Api::new().await;
    api.site().await;
    let mut stream = read(&api, "auditor", "?after=0").await;
    let head = api.store.head().await.unwrap();
    let told = stream.up_to(head).await;
    assert_eq!(told, listed(&api, "auditor", "").await);
    assert_eq!(positions(&told), (1..=head).collect::<Vec<_>>());
    assert_eq!(stream.retry, Some(2_000));
    // What happens from now on comes by itself, whether or not the end was reached before.
    let last = write(&api.store, None, 3).await;
    assert_eq!(positions(&stream.up_to(last).await), (head + 1..=last).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_a_position_a_stream_begins_with_what_happens_next() {
    let api = Api::new().await;
    let before = api.store.head().await.unwrap();
    let mut stream = read(&api, "auditor", "").await;
    assert_eq!(stream.block().await.unwrap().id, Some(before), "a reader that is cut at once begins there again");
    let last = write(&api.store, None, 1).await;
    assert_eq!(positions(&stream.up_to(last).await), [before + 1]);
}

#[tokio::test]
async fn cuts_lose_nothing_and_repeat_nothing_while_two_processes_write() {
    let api = Api::new().await;
    let other = Arc::new(Process::new(&api.world, Limits::default()).await);
    let writers = [(0, api.store.clone()), (1, other.store.clone()), (2, api.store.clone()), (3, other.store.clone())];
    let writing: Vec<_> = writers
        .into_iter()
        .map(|(number, store)| {
            tokio::spawn(async move {
                for round in 0..40 {
                    write(&store, None, 1 + (round + number) % 4).await;
                }
            })
        })
        .collect();
    let bases = [api.base.clone(), other.base.clone()];
    let (mut told, mut cuts, mut last_id) = (Vec::new(), 0_usize, None);
    let done = async {
        for one in writing {
            one.await.unwrap();
        }
        api.store.head().await.unwrap()
    };
    tokio::pin!(done);
    let mut head = None;
    while head.is_none_or(|head| told.last().is_none_or(|last| *last < head)) {
        // As a browser does: the same address, and the last id it has seen.
        let mut request =
            api.http.get(format!("{}/v1/events/stream?after=0", bases[cuts % 2])).bearer_auth(api.secret("auditor"));
        if let Some(id) = last_id {
            request = request.header("last-event-id", i64::to_string(&id));
        }
        let mut stream = Reader::of(request).await;
        for _ in 0..(cuts * 7) % 23 {
            tokio::select! {
                event = stream.event() => told.push(event.unwrap()["position"].as_i64().unwrap()),
                reached = &mut done, if head.is_none() => head = Some(reached),
            }
            if head.is_some_and(|head| told.last() == Some(&head)) {
                break;
            }
        }
        last_id = stream.last_id.or(last_id);
        cuts += 1;
    }
    assert!(cuts > 10, "{cuts}");
    assert_eq!(told, (1..=head.unwrap()).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_another_process_writes_is_told_soon() {
    let api = Api::new().await;
    let other = api.world.store().await;
    let mut stream = read(&api, "auditor", "").await;
    stream.block().await.unwrap();
    for _ in 0..3 {
        let last = write(&other, None, 2).await;
        let told = tokio::time::timeout(Duration::from_secs(5), stream.up_to(last)).await.unwrap();
        assert_eq!(told.len(), 2);
    }
}

#[tokio::test]
async fn two_hundred_streams_at_once_each_get_everything_and_requests_go_on() {
    let api = Api::new().await;
    let process = Process::new(&api.world, Limits { per_key: 200, ..Limits::default() }).await;
    let head = api.store.head().await.unwrap();
    let mut streams = Vec::new();
    for number in 0..200 {
        // Half of them have something to catch up on.
        let after = if number % 2 == 0 { head } else { 0 };
        streams.push((after, process.read(api.secret("auditor"), &format!("?after={after}")).await));
    }
    let site = api.site().await;
    let mut last = 0;
    for round in 0..20 {
        last = write(if round % 2 == 0 { &api.store } else { &process.store }, None, 5).await;
    }
    let reading = streams.into_iter().map(|(after, mut stream)| {
        tokio::spawn(
            async move { assert_eq!(positions(&stream.up_to(last).await), (after + 1..=last).collect::<Vec<_>>()) },
        )
    });
    let reading: Vec<_> = reading.collect();
    let shown = process.http.get(format!("{}/v1/sites/{}", process.base, site.0)).send().await.unwrap();
    assert_ne!(shown.status(), 503);
    for one in reading {
        tokio::time::timeout(PATIENCE, one).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn types_choose_what_is_listed_and_told_and_an_unknown_one_says_which_there_are() {
    let api = Api::new().await;
    api.site().await;
    let head = write(&api.store, None, 2).await;
    let all = listed(&api, "auditor", "").await;
    for (filter, noun) in
        [("&type=site.*", "site."), ("&type=key.granted", "key.granted"), ("&type=client.renamed", "client.renamed")]
    {
        let expected: Vec<Value> =
            all.iter().filter(|event| event["type"].as_str().unwrap().starts_with(noun)).cloned().collect();
        assert!(!expected.is_empty());
        assert_eq!(listed(&api, "auditor", filter).await, expected);
        let mut stream = read(&api, "auditor", &format!("?after=0{filter}")).await;
        let last = expected.last().unwrap()["position"].as_i64().unwrap();
        assert_eq!(stream.up_to(last).await, expected);
    }
    let several = listed(&api, "auditor", "&type=site.hours_set&type=client.renamed").await;
    assert_eq!(several.len(), 3);
    assert_eq!(several.last().unwrap()["position"], head);
    let page = api.get("auditor", "/v1/events?after=0&limit=1&type=client.renamed").await.is(200);
    assert!(page.header("link").contains("limit=1&type=client.renamed>"), "{}", page.header("link"));
    for path in ["/v1/events?type=reservation.sold", "/v1/events/stream?type=reservation", "/v1/events/stream?type=*"] {
        let refused = api.get("auditor", path).await.problem(400, "request.invalid_parameter");
        let detail = refused.text("/errors/0/detail");
        assert!(detail.contains("reservation.confirmed") && detail.contains("reservation.*"), "{detail}");
    }
}

#[tokio::test]
async fn a_position_that_cannot_be_is_refused() {
    let api = Api::new().await;
    let head = api.store.head().await.unwrap();
    let stream = "/v1/events/stream";
    let beyond = api.get("auditor", &format!("{stream}?after={}", head + 1)).await.problem(400, "position.beyond_head");
    assert_eq!(beyond.body["head"], head);
    for value in ["nine", "-1", "1.0", "9223372036854775808", "1 2"] {
        let ask = api.ask(Method::GET, stream).role("auditor").header("last-event-id", value);
        ask.send().await.problem(400, "request.invalid_header");
    }
    let ask = api.ask(Method::GET, stream).role("auditor").header("last-event-id", &(head + 1).to_string());
    ask.send().await.problem(400, "position.beyond_head");
    api.get("auditor", &format!("{stream}?after=-1")).await.problem(400, "request.invalid_parameter");
    api.get("auditor", &format!("{stream}?limit=1")).await.problem(400, "request.invalid_parameter");
    // An empty id is what a browser has before the first event.
    let ask = api.ask(Method::GET, stream).role("auditor").header("last-event-id", "");
    assert_eq!(ask.send().await.status, 200);
}
