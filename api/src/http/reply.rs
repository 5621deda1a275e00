//! An answer on its way out: status, body, and the headers the conventions promise.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use futures_util::Stream;
use serde::Serialize;

use crate::problem::Problem;

/// Where in the log a write happened, or a read was made.
pub static KALEL_POSITION: HeaderName = HeaderName::from_static("kalel-position");

/// Media type of an answer that goes on for as long as its reader stays (WHATWG HTML, Server-sent events).
pub const EVENT_STREAM: &str = "text/event-stream";

/// An answer that has not left yet: its body is whole, so that it can be frozen for a repetition of the request; but for
/// one that goes on.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
    pub etag: Option<String>,
    /// The log alone gives the same answer again, byte for byte: it need not be frozen for a repetition.
    pub derived: bool,
    /// Instead of `body`, made piece by piece as the reader takes it.
    pub(super) flow: Option<Body>,
}

impl Reply {
    /// # Errors
    /// `server.error` when the value cannot be written, which is a bug.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value).map_err(|error| {
            tracing::error!(%error, "an answer could not be written");
            Problem::new("server.error")
        })?;
        Ok(Self::bytes(status, "application/json", body))
    }

    pub fn bytes(status: StatusCode, media: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static(media))],
            body: body.into(),
            etag: None,
            derived: false,
            flow: None,
        }
    }

    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), etag: None, derived: false, flow: None }
    }

    /// An answer that goes on. It is outside the time limit and the places of the requests worked on, and asked for its
    /// next piece only when the reader has room: whoever makes it bounds how many there are.
    pub fn flowing(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        use futures_util::StreamExt;
        let flow = Body::from_stream(pieces.map(Ok::<_, Infallible>));
        let reply = Self { flow: Some(flow), ..Self::empty(StatusCode::OK) };
        let reply = reply.header(header::CONTENT_TYPE, EVENT_STREAM).header(header::CACHE_CONTROL, "no-store");
        // nginx would keep pieces back to fill its buffer.
        reply.header(HeaderName::from_static("x-accel-buffering"), "no")
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        // A value that cannot be a header is left out: none of ours holds anything but visible ASCII.
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.push((name, value));
        }
        self
    }

    /// `Kalel-Position`: where the write is, or up to where the read is.
    #[must_use]
    pub fn position(self, position: i64) -> Self {
        self.header(KALEL_POSITION.clone(), position.to_string())
    }

    #[must_use]
    pub fn etag(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }

    /// Marks an answer that the log alone gives again.
    #[must_use]
    pub fn derived(mut self) -> Self {
        self.derived = true;
        self
    }

    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.flow.unwrap_or_else(|| Body::from(self.body)));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        if let Some(etag) = self.etag.and_then(|etag| HeaderValue::from_str(&etag).ok()) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}
