//! The bus as somebody outside has it: a login that reads, and can do nothing else.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{self, consumer, stream};
use domain::{
    decision::{Change, Decision},
    event::Event,
};
use eventstore::{Append, Meta, Store};
use futures_util::StreamExt;
use serde_json::Value;
use workers::{
    Bus, Config, Context, Providers,
    bus::OUTSIDE,
    relay::Relay,
    runtime::{Progress, Step},
};

use super::process::write;
use crate::world::{World, shared};

const PUBLIC_URL: &str = "https://kalel.example";

async fn connect(url: &str) -> jetstream::Context {
    let (login, address) = url.trim_start_matches("nats://").split_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap();
    let client = async_nats::ConnectOptions::with_user_and_password(user.into(), password.into())
        .custom_inbox_prefix(kalel::up::nats::CONSUMER_INBOX)
        .connect(address)
        .await
        .unwrap();
    // What is forbidden is not answered.
    jetstream::ContextBuilder::new().timeout(Duration::from_millis(500)).build(client)
}

/// Publishes everything there is.
async fn publish(world: &World, store: &Store) -> Bus {
    let bus = Bus::connect(&world.nats_url, store.log().id, 1 << 24).await.unwrap();
    let mut config = Config::new("test");
    config.public_url = PUBLIC_URL.into();
    let ctx = Context::new(store.clone(), config, Providers::default(), Arc::new(|_| String::new()));
    let mut relay = Relay::new(ctx, bus.clone());
    for _ in 0..2_000 {
        match relay.step().await {
            Ok(Progress::Idle) => return bus,
            Ok(Progress::Busy) => {}
            // Connecting.
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    panic!("the relay does not get through");
}

/// Events of several nouns, personal ones among them: the stored samples.
async fn samples(store: &Store) -> i64 {
    let mut last = 0;
    for name in ["client.registered", "key.granted", "site.contact_set", "refund.approved"] {
        let sample = Event::shapes().find(|shape| shape.name == name).unwrap().sample;
        let event = Event::from_json(name, 1, sample).unwrap();
        let change = Change { stream: store.clock().new_id().into(), expected: 0, events: vec![event] };
        let decision = Decision { changes: vec![change], reads: Vec::new() };
        last = store.append(Append::new(decision, Meta::system())).await.unwrap().position();
    }
    last
}

#[tokio::test]
async fn a_reader_outside_takes_every_event_as_a_cloud_event_without_what_is_personal() {
    let world = World::new().await;
    let store = world.store().await;
    samples(&store).await;
    let last = write(&store, None, 20).await;
    let bus = publish(&world, &store).await;
    let outside = connect(&shared().stack.nats.consumer_url()).await;
    let consumer: consumer::PullConsumer = outside.get_consumer_from_stream(OUTSIDE, bus.stream_name()).await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let document = ::api::event::asyncapi::document("0", PUBLIC_URL, Some("bus.example:4222"), store.log().id);
    let options = || jsonschema::options().should_validate_formats(true);
    let envelope = options().build(&document["components"]["schemas"]["CloudEvent"]).unwrap();
    for position in 1..=last {
        let message = tokio::time::timeout(Duration::from_secs(20), messages.next()).await.unwrap().unwrap().unwrap();
        let headers = message.headers.as_ref().unwrap();
        assert_eq!(headers.get("Nats-Msg-Id").unwrap().as_str(), position.to_string());
        assert_eq!(headers.get("content-type").unwrap().as_str(), "application/cloudevents+json");
        let text = std::str::from_utf8(&message.payload).unwrap();
        for secret in ["phone", "secret_hash", "c2VhbGVk", "00ff00ff"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        let event: Value = serde_json::from_str(text).unwrap();
        let wrong: Vec<String> = envelope.iter_errors(&event).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{event}: {wrong:?}");
        let name = event["type"].as_str().unwrap();
        assert_eq!(message.subject.as_str(), format!("kalel.{}.events.{name}", store.log().id));
        // Read as the first there was, and told as it is written now.
        let shape = Event::shapes().filter(|shape| shape.name == name).max_by_key(|shape| shape.schema).unwrap();
        assert_eq!(event["dataschema"], shape.address(PUBLIC_URL));
        assert!(options().build(&shape.published(PUBLIC_URL)).unwrap().is_valid(&event["data"]), "{event}");
        assert_eq!(document["components"]["messages"][format!("bus.{name}.v{}", shape.schema)]["name"], name);
        message.ack().await.unwrap();
    }
    // Whoever keeps their own place asks for single messages.
    let stream = outside.get_stream(bus.stream_name()).await.unwrap();
    assert!(stream.get_raw_message(1).await.is_ok());
}

#[tokio::test]
async fn a_reader_outside_cannot_write_or_destroy_or_listen_to_others() {
    let world = World::new().await;
    let store = world.store().await;
    let last = write(&store, None, 5).await;
    let bus = publish(&world, &store).await;
    let name = bus.stream_name();
    let subject = format!("kalel.{}.events.client.renamed", store.log().id);
    let outside = connect(&shared().stack.nats.consumer_url()).await;
    let held = outside.get_stream(&name).await.unwrap();
    let mut push =
        consumer::push::Config { deliver_subject: format!("$JS.API.STREAM.PURGE.{name}"), ..Default::default() };
    push.durable_name = Some("mine".into());
    let pull = consumer::pull::Config { durable_name: Some("mine".into()), ..Default::default() };
    let config = stream::Config { name: "MINE".into(), subjects: vec!["mine.>".into()], ..Default::default() };
    let (published, purged, deleted, pushed, pulled, dropped, made, erased, changed) = tokio::join!(
        async { outside.publish(subject.clone(), "{}".into()).await.unwrap().await.is_ok() },
        async { held.purge().await.is_ok() },
        async { outside.delete_stream(&name).await.is_ok() },
        async { held.create_consumer(push).await.is_ok() },
        async { held.create_consumer(pull).await.is_ok() },
        async { held.delete_consumer(OUTSIDE).await.is_ok() },
        async { outside.create_stream(config).await.is_ok() },
        async { held.delete_message(1).await.is_ok() },
        async {
            outside.update_stream(stream::Config { max_messages: 1, ..held.cached_info().config.clone() }).await.is_ok()
        },
    );
    assert_eq!([published, purged, deleted, pushed, pulled, dropped, made, erased, changed], [false; 9]);
    // A forgery without JetStream's say is one, too; and nobody hears the answers of others.
    outside.client().publish(subject.clone(), "{}".into()).await.unwrap();
    let mut others = outside.client().subscribe("_INBOX.>").await.unwrap();
    outside.client().flush().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(500), others.next()).await.is_err());
    let held = bus.last().await.unwrap().unwrap();
    assert_eq!((held.position, held.sequence), (Some(last), u64::try_from(last).unwrap()));
    let stream = connect(&world.nats_url).await.get_stream(&name).await.unwrap();
    let info = stream.get_info().await.unwrap();
    assert_eq!(info.state.messages, u64::try_from(last).unwrap());
    assert_eq!(info.state.consumer_count, 1);
}
