//! An event as others see it: CloudEvents 1.0, JSON format (github.com/cloudevents/spec, v1.0.2).

use chrono::SecondsFormat;
use domain::event::{address, outside};
use eventstore::Recorded;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: Uuid,
    source: String,
    r#type: &'a str,
    /// The stream.
    subject: Uuid,
    time: String,
    datacontenttype: &'static str,
    dataschema: String,
    /// Position in the log (the extension `sequence`: a string that orders the events of a source).
    sequence: String,
    /// Version in the stream.
    streamversion: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    siteid: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlationid: Option<Uuid>,
    /// The extension "distributed tracing".
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    /// The stored bytes, without what is withheld from readers outside.
    data: Box<RawValue>,
}

/// The message for one event, as anybody outside may read it.
pub(crate) fn cloud_event(log: Uuid, public_url: &str, event: &Recorded) -> String {
    let data = outside(&event.name, &event.data).and_then(|data| RawValue::from_string(data.into_owned()));
    // The log holds nothing but JSON.
    let data = data.unwrap_or_else(|_| RawValue::NULL.to_owned());
    let cloud_event = CloudEvent {
        specversion: "1.0",
        id: event.event_id,
        source: format!("urn:kalel:log:{log}"),
        r#type: &event.name,
        subject: event.stream_id,
        time: event.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        datacontenttype: "application/json",
        dataschema: address(public_url, &event.name, event.schema),
        sequence: event.position.to_string(),
        streamversion: event.version,
        siteid: event.meta.site_id.map(|id| id.uuid()),
        causationid: event.meta.causation,
        correlationid: event.meta.correlation,
        traceparent: event.meta.traceparent.as_deref(),
        data,
    };
    // Text, numbers and JSON that is valid already: it always has a JSON form.
    serde_json::to_string(&cloud_event).unwrap_or_default()
}
