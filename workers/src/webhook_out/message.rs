//! What is sent: the event as it is published, or a ping.

use adapters::webhook_out::{Headers, LogKey, Message, SharedSecret};
use chrono::SecondsFormat;
use domain::{Timestamp, endpoint::Endpoint};
use eventstore::{Recorded, webhook_out};
use serde_json::json;

use crate::{context::Context, relay::envelope::cloud_event, runtime::StepError};

/// An event as anybody outside may read it: what is withheld from the feed is withheld here.
pub(super) fn event(ctx: &Context, recorded: &Recorded) -> String {
    cloud_event(ctx.store.log().id, &ctx.config.public_url, recorded)
}

/// What says nothing but that it arrived.
pub(super) fn ping(ctx: &Context, message_id: &str, now: Timestamp) -> String {
    let body = json!({
        "specversion": "1.0",
        "id": message_id,
        "source": format!("urn:kalel:log:{}", ctx.store.log().id),
        "type": webhook_out::PING,
        "time": now.to_rfc3339_opts(SecondsFormat::Micros, true),
        "datacontenttype": "application/json",
        "data": {},
    });
    body.to_string()
}

/// The headers of one try: signed with every secret that signs now, by the clock of the log, and with the key of the log.
/// `None` when one of the secrets is not there, or cannot be opened by this process.
pub(super) async fn headers(
    ctx: &Context,
    endpoint: &Endpoint,
    message: Message<'_>,
    now: Timestamp,
) -> Result<Option<Headers>, StepError> {
    let mut secrets = Vec::new();
    for secret_id in endpoint.secrets(now) {
        let kept = webhook_out::secret(&ctx.store, secret_id.uuid()).await?;
        let secret = kept.and_then(|text| SharedSecret::parse(&text).ok());
        // Signed without it would be a message that nobody believes.
        let Some(secret) = secret else {
            tracing::error!(secret = %secret_id, "the secret of an endpoint cannot be opened");
            return Ok(None);
        };
        secrets.push(secret);
    }
    let key = LogKey::from_seed(&webhook_out::key_seed(&ctx.store));
    message.headers(&secrets, &key).map(Some).map_err(|error| StepError::Stopped(error.to_string()))
}
