//! The message bus: one JetStream stream per log, a copy that may vanish at any moment.
//!
//! Nothing here needs a server newer than NATS 2.9, and nothing relies on what the bus says it keeps: the only question
//! that is asked of it is what it holds last, and the answer is checked against the log.

use std::time::Duration;

use async_nats::{
    connection,
    jetstream::{self, consumer, context::GetStreamErrorKind, message::PublishMessage, stream},
};
use bytes::Bytes;
use thiserror::Error;
use uuid::Uuid;

/// Publishing is given up after this long; the relay comes again.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The consumer of readers outside.
pub const OUTSIDE: &str = "outside";
/// Messages sent before the first acknowledgement is awaited.
pub const BATCH: usize = 256;

/// Why the bus did not do as asked. Never fatal: everything goes on without it.
#[derive(Debug, Error)]
pub enum BusError {
    #[error("the bus is away")]
    Away,
    #[error("the bus refused: {0}")]
    Refused(String),
    #[error("the stream does not stand where it was left")]
    Moved,
}

fn refused(error: impl std::fmt::Display) -> BusError {
    BusError::Refused(error.to_string())
}

/// A connection to NATS, seen from one log.
#[derive(Clone, Debug)]
pub struct Bus {
    client: async_nats::Client,
    jetstream: jetstream::Context,
    log: Uuid,
    most_bytes: i64,
}

/// The last message of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// JetStream's own count, which begins anew with a new stream.
    pub sequence: u64,
    /// `Nats-Msg-Id` as found, if it reads as a position.
    pub position: Option<i64>,
    /// The CloudEvents `id` inside, if there is one.
    pub event_id: Option<Uuid>,
}

/// A message to publish.
#[derive(Clone, Debug)]
pub struct Message {
    /// In the log; also its `Nats-Msg-Id`.
    pub position: i64,
    /// Wire name of the event, `<kind>.<type>`.
    pub name: String,
    /// CloudEvents 1.0, JSON.
    pub payload: String,
}

impl Bus {
    /// Connects in the background: a bus that is away delays nothing.
    ///
    /// # Errors
    /// [`BusError::Refused`] when the address cannot be read.
    pub async fn connect(url: &str, log: Uuid, most_bytes: i64) -> Result<Self, BusError> {
        let address: async_nats::ServerAddr = url.parse().map_err(refused)?;
        // The client does not take the login from the address by itself.
        let mut options = async_nats::ConnectOptions::new();
        if let (Some(user), Some(password)) = (address.username(), address.password()) {
            options = options.user_and_password(user.to_owned(), password.to_owned());
        }
        let client = options
            .name("kalel")
            .retry_on_initial_connect()
            .connection_timeout(TIMEOUT)
            .request_timeout(Some(TIMEOUT))
            .reconnect_delay_callback(|attempt| {
                let millis = 50_u64.saturating_mul(1 << attempt.min(6));
                Duration::from_millis(millis.min(2_000))
            })
            .connect(address)
            .await
            .map_err(refused)?;
        let jetstream = jetstream::ContextBuilder::new()
            .timeout(TIMEOUT)
            .ack_timeout(TIMEOUT)
            .max_ack_inflight(BATCH * 2)
            .build(client.clone());
        Ok(Self { client, jetstream, log, most_bytes })
    }

    /// The stream of this log.
    pub fn stream_name(&self) -> String {
        format!("KALEL_{}", self.log)
    }

    fn subjects(&self) -> String {
        format!("kalel.{}.events.>", self.log)
    }

    fn here(&self) -> Result<(), BusError> {
        match self.client.connection_state() {
            connection::State::Connected => Ok(()),
            _ => Err(BusError::Away),
        }
    }

    /// What the stream holds last; `None` when it is empty. Makes the stream when there is none.
    ///
    /// # Errors
    /// [`BusError`] when the bus is away or refuses.
    pub async fn last(&self) -> Result<Option<Last>, BusError> {
        self.here()?;
        let stream = self.stream().await?;
        let state = stream.get_info().await.map_err(refused)?.state;
        if state.messages == 0 {
            return match state.last_sequence {
                0 => Ok(None),
                // Purged by hand: a stream that says "from here on" without saying where. Made anew by the caller.
                sequence => Ok(Some(Last { sequence, position: None, event_id: None })),
            };
        }
        let message = stream.get_raw_message(state.last_sequence).await.map_err(refused)?;
        let position = message
            .headers
            .get(async_nats::header::NATS_MESSAGE_ID)
            .and_then(|value| value.as_str().parse().ok())
            .filter(|position| *position > 0);
        let event_id = serde_json::from_slice::<Identity>(&message.payload).ok().map(|identity| identity.id);
        Ok(Some(Last { sequence: state.last_sequence, position, event_id }))
    }

    /// Throws the stream away: what is in it is not of this log.
    ///
    /// # Errors
    /// [`BusError`] when the bus is away or refuses.
    pub async fn discard(&self) -> Result<(), BusError> {
        self.here()?;
        self.jetstream.delete_stream(self.stream_name()).await.map(|_| ()).map_err(refused)
    }

    /// Publishes in order after `sequence`; returns the sequence of the last one.
    ///
    /// Each message names the sequence it must follow, so two publishers can never interleave.
    ///
    /// # Errors
    /// [`BusError`] at the first message that was not taken: ask [`Bus::last`] where to go on.
    pub async fn publish(&self, after: u64, messages: Vec<Message>) -> Result<u64, BusError> {
        self.here()?;
        let mut acknowledgements = Vec::with_capacity(messages.len());
        for (sequence, message) in (after..).zip(messages) {
            let subject = format!("kalel.{}.events.{}", self.log, message.name);
            let publish = PublishMessage::build()
                .message_id(message.position.to_string())
                .expected_stream(self.stream_name())
                .expected_last_sequence(sequence)
                .header("content-type", "application/cloudevents+json")
                .payload(Bytes::from(message.payload));
            acknowledgements.push(self.jetstream.send_publish(subject, publish).await.map_err(moved)?);
        }
        let mut expected = after;
        for acknowledgement in acknowledgements {
            expected += 1;
            let taken = acknowledgement.await.map_err(moved)?;
            if taken.duplicate || taken.sequence != expected {
                return Err(BusError::Moved);
            }
        }
        Ok(expected)
    }

    /// A durable consumer that says when something new is in the stream. Only rings: what rang is not looked at.
    ///
    /// # Errors
    /// [`BusError`] when the bus is away or refuses.
    pub async fn doorbell(&self, instance: &str) -> Result<consumer::pull::Stream, BusError> {
        self.here()?;
        let stream = self.stream().await?;
        let name = format!("doorbell_{instance}");
        let config = consumer::pull::Config {
            durable_name: Some(name.clone()),
            deliver_policy: consumer::DeliverPolicy::New,
            ack_policy: consumer::AckPolicy::None,
            filter_subject: self.subjects(),
            headers_only: true,
            // A process that never comes back leaves nothing behind for ever.
            inactive_threshold: Duration::from_secs(3_600),
            ..consumer::pull::Config::default()
        };
        let consumer = stream.get_or_create_consumer(&name, config).await.map_err(refused)?;
        consumer
            .stream()
            .heartbeat(Duration::from_secs(2))
            .expires(Duration::from_secs(10))
            .messages()
            .await
            .map_err(refused)
    }

    /// The durable consumer that readers outside take events from. Made here, so that a login that reads need not be allowed
    /// to make anything on the server: a consumer says how much is kept for it, and to which subject it is delivered.
    ///
    /// # Errors
    /// [`BusError`] when the bus is away or refuses.
    pub async fn offer(&self) -> Result<(), BusError> {
        self.here()?;
        let stream = self.stream().await?;
        let config = consumer::pull::Config {
            durable_name: Some(OUTSIDE.to_owned()),
            description: Some("events for readers outside".to_owned()),
            ack_policy: consumer::AckPolicy::Explicit,
            filter_subject: self.subjects(),
            ..consumer::pull::Config::default()
        };
        stream.get_or_create_consumer(OUTSIDE, config).await.map(|_| ()).map_err(refused)
    }

    async fn stream(&self) -> Result<stream::Stream, BusError> {
        match self.jetstream.get_stream(self.stream_name()).await {
            Ok(stream) => Ok(stream),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(_) => self.make_stream().await,
                _ => Err(refused(error)),
            },
        }
    }

    async fn make_stream(&self) -> Result<stream::Stream, BusError> {
        let config = stream::Config {
            name: self.stream_name(),
            subjects: vec![self.subjects()],
            max_bytes: self.most_bytes,
            discard: stream::DiscardPolicy::Old,
            storage: stream::StorageType::File,
            ..stream::Config::default()
        };
        self.jetstream.create_stream(config).await.map_err(refused)
    }
}

fn moved(error: async_nats::jetstream::context::PublishError) -> BusError {
    use async_nats::jetstream::context::PublishErrorKind as Kind;
    match error.kind() {
        Kind::WrongLastSequence | Kind::WrongLastMessageId | Kind::StreamNotFound => BusError::Moved,
        Kind::TimedOut | Kind::BrokenPipe => BusError::Away,
        _ => refused(error),
    }
}

#[derive(serde::Deserialize)]
struct Identity {
    id: Uuid,
}
