//! Whoever may not see an event does not see it, whenever the key was asked for.

use domain::{actor::Role, ids::SiteId, key::Key};
use eventstore::{Append, Meta};
use serde_json::Value;

use super::{
    process::{Process, key, read, write},
    reader::positions,
};
use crate::api::{Api, fresh_key, ground};

#[tokio::test]
async fn a_manager_sees_their_own_sites_and_never_those_of_others() {
    let api = Api::new().await;
    let mut mine = read(&api, "manager", "?after=0").await;
    let mut theirs = read(&api, "other_manager", "?after=0").await;
    let (site, _) = api.site().await;
    let body = ground("site-of-another", serde_json::json!({}));
    let other =
        api.ask(reqwest::Method::POST, "/v1/sites").role("other_manager").key(&fresh_key()).json(&body).send().await;
    let other = other.is(201).text("/id").to_owned();
    let ids = [&site, &other].map(|id| SiteId::new(id.parse().unwrap()));
    write(&api.store, None, 2).await;
    write(&api.store, Some(ids[1]), 2).await;
    let last = write(&api.store, Some(ids[0]), 1).await;
    let last_of_theirs = write(&api.store, Some(ids[1]), 1).await;
    let (mine, theirs) = (mine.up_to(last).await, theirs.up_to(last_of_theirs).await);
    assert!(mine.iter().all(|event| event["site_id"] == site), "{mine:?}");
    assert!(theirs.iter().all(|event| event["site_id"] == other), "{theirs:?}");
    // Made of several events each, and written to once or three times.
    assert_eq!(mine.len() + 2, theirs.len());
    for (role, seen) in [("manager", &mine), ("other_manager", &theirs)] {
        let page = api.get(role, "/v1/events?after=0&limit=100").await.is(200).body;
        assert_eq!(page["data"], Value::Array(seen.clone()), "the list tells the same");
    }
}

#[tokio::test]
async fn what_is_not_theirs_moves_the_reader_on_all_the_same() {
    let api = Api::new().await;
    let head = api.store.head().await.unwrap();
    let (site, _) = api.site().await;
    let seen = api.store.head().await.unwrap();
    let mut stream = read(&api, "manager", &format!("?after={head}")).await;
    assert_eq!(positions(&stream.up_to(seen).await), (head + 1..=seen).collect::<Vec<_>>());
    for _ in 0..6 {
        write(&api.store, None, 500).await;
    }
    let end = api.store.head().await.unwrap();
    let mut told = seen;
    while end - told >= 1_000 {
        let block = stream.block().await.unwrap();
        assert!(block.data.is_none(), "{block:?}");
        told = block.id.unwrap_or(told);
    }
    drop(stream);
    let last = write(&api.store, Some(SiteId::new(site.parse().unwrap())), 1).await;
    let request = api.http.get(format!("{}/v1/events/stream", api.base)).bearer_auth(api.secret("manager"));
    let mut again = super::reader::Reader::of(request.header("last-event-id", told.to_string())).await;
    assert_eq!(positions(&again.up_to(last).await), [last]);
}

#[tokio::test]
async fn a_revoked_key_reads_no_more() {
    let api = Api::new().await;
    let process = Process::new(&api.world, ::api::event::Limits::default()).await;
    let (id, secret) = key(&api.store, Role::Auditor).await;
    let mut quiet = process.read(&secret, "").await;
    quiet.block().await.unwrap();
    let busy = process.read(&secret, "?after=0").await;
    // By another process: this one has to find out.
    let loaded = api.store.load::<Key>(id).await.unwrap();
    let decision = domain::key::revoke(&loaded, domain::actor::Actor::SYSTEM, api.store.clock().now()).unwrap();
    api.store.append(Append::new(decision, Meta::system())).await.unwrap();
    let began = std::time::Instant::now();
    for stream in [quiet, busy] {
        assert_eq!(stream.end().await.0.as_deref(), Some("auth.invalid"));
    }
    assert!(began.elapsed().as_secs() < 4, "{:?}", began.elapsed());
    assert_eq!(process.ask(&secret, "").send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn personal_fields_and_secrets_are_in_no_event() {
    let api = Api::new().await;
    let golden = |name: &str| domain::event::Event::shapes().find(|shape| shape.name == name).unwrap().sample;
    let id = uuid::Uuid::from_u128(0x1234);
    let event = domain::event::Event::from_json("client.registered", 1, golden("client.registered")).unwrap();
    let change = domain::decision::Change { stream: id.into(), expected: 0, events: vec![event] };
    let decision = domain::decision::Decision { changes: vec![change], reads: Vec::new() };
    let last = api.store.append(Append::new(decision, Meta::system())).await.unwrap().position();
    let told = read(&api, "auditor", "?after=0").await.up_to(last).await;
    let text = serde_json::to_string(&told).unwrap();
    for secret in ["secret_hash", "phone_hash", "c2VhbGVk", "00ff00ff"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert_eq!(told.last().unwrap()["data"]["language"], "wo");
}
