//! NATS as the trial sees it: what the stream holds, and a stranger who writes into it.

use async_nats::jetstream;

use super::{Off, stage::Stage};

fn off(error: impl std::fmt::Display) -> Off {
    Off::Stuck(format!("the bus: {error}"))
}

impl Stage {
    async fn jetstream(&self) -> Result<jetstream::Context, Off> {
        let url = self.stack.nats.url();
        let address = url.rsplit_once('@').map_or(url.as_str(), |(_, address)| address).to_owned();
        let password = self.private.nats_password.clone();
        let options = async_nats::ConnectOptions::with_user_and_password("kalel".into(), password);
        Ok(jetstream::new(options.connect(address).await.map_err(off)?))
    }

    async fn stream_name(&self) -> Result<String, Off> {
        let bus = workers::Bus::connect(&self.stack.nats.url(), self.log_id().await?, 1).await.map_err(off)?;
        Ok(bus.stream_name())
    }

    /// The position of the last message, and how many there are.
    pub async fn bus_head(&self) -> Result<(i64, u64), Off> {
        let mut stream = self.jetstream().await?.get_stream(self.stream_name().await?).await.map_err(off)?;
        let state = stream.info().await.map_err(off)?.state.clone();
        let last = stream.get_raw_message(state.last_sequence).await.map_err(off)?;
        let position = last.headers.get("Nats-Msg-Id").and_then(|value| value.as_str().parse().ok());
        Ok((position.unwrap_or(-1), state.messages))
    }

    /// A message in the stream that is not of this log.
    pub async fn intrude(&self) -> Result<(), Off> {
        let subject = format!("kalel.{}.events.nobody.said_this", self.log_id().await?);
        let jetstream = self.jetstream().await?;
        jetstream.publish(subject, "nothing of ours".into()).await.map_err(off)?.await.map_err(off)?;
        Ok(())
    }
}
