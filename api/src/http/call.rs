//! One request, checked: what every handler is given.

use std::net::IpAddr;

use axum::{body::Bytes, http::HeaderMap};
use domain::{Timestamp, actor::Actor, ids::SiteId};
use eventstore::Record;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{
    App,
    http::{
        auth::Caller,
        etag::Precondition,
        idempotency::Scoped,
        language::Language,
        limits::Meter,
        operation::{Operation, Over},
        query::Query,
        strict_json,
    },
    problem::Problem,
};

/// A request whose form, key and rights are already checked.
#[derive(Clone)]
pub struct Call {
    pub app: App,
    pub operation: &'static Operation,
    pub caller: Caller,
    pub headers: HeaderMap,
    pub path: Vec<(String, String)>,
    pub query: Query,
    pub body: Bytes,
    pub precondition: Precondition,
    /// The key of the request, in the caller's own scope.
    pub key: Option<Scoped>,
    /// What the first request with this key did, when this one repeats it: nothing is decided again, only answered.
    pub resumed: Option<Box<Record>>,
    pub request_id: String,
    pub language: Language,
    pub traceparent: Option<String>,
    /// What it was counted under.
    pub meter: Meter,
    /// Whence it comes: personal, to count with and never to write down.
    pub address: IpAddr,
}

impl Call {
    /// The body, read strictly.
    ///
    /// # Errors
    /// `request.malformed_json`, `request.invalid_field`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        strict_json::read(&self.body)
    }

    /// A segment of the path.
    pub fn segment(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// A segment that must be a UUID: what is not one names nothing (404).
    ///
    /// # Errors
    /// `object.not_found`.
    pub fn uuid(&self, name: &str) -> Result<Uuid, Problem> {
        Uuid::try_parse(self.segment(name)).map_err(|_| Problem::new("object.not_found"))
    }

    pub fn actor(&self) -> Actor {
        self.caller.actor()
    }

    /// By the clock of the log, which decisions go by.
    pub fn now(&self) -> Timestamp {
        self.app.store.clock().now()
    }

    /// Whole seconds until then, so that whoever waits as long is not too early; one at least.
    pub fn seconds_until(&self, then: Timestamp) -> u64 {
        let millis = (then - self.now()).num_milliseconds().max(1).unsigned_abs();
        millis.div_ceil(1_000)
    }

    /// A new id of our own.
    pub fn new_id(&self) -> Uuid {
        self.app.store.clock().new_id()
    }

    /// Whether the caller asked for an embedded object.
    pub fn expands(&self, what: &str) -> bool {
        self.query.all("expand[]").any(|asked| asked == what)
    }

    /// # Errors
    /// `object.not_found` unless the caller's role may touch the object with this operation.
    pub fn may_touch(&self, object: &Object) -> Result<(), Problem> {
        if self.caller.may_touch(self.operation, object) { Ok(()) } else { Err(Problem::new("object.not_found")) }
    }

    /// What belongs to no site is for keys that name none: a key that names sites is narrowed to them.
    ///
    /// # Errors
    /// `object.not_found`.
    pub fn may_touch_what_is_of_no_site(&self) -> Result<(), Problem> {
        let all = self.caller.over(self.operation) == Some(Over::All) && self.caller.sites().is_none();
        if all { Ok(()) } else { Err(Problem::new("object.not_found")) }
    }
}

/// Whose an object is: what the table of rights is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    pub site: SiteId,
    /// Who runs the site.
    pub manager: Option<Uuid>,
    /// The client it belongs to.
    pub client: Option<Uuid>,
    /// Who made it.
    pub made_by: Option<Uuid>,
    /// It is a game of today, by the opening hours of its site.
    pub today: bool,
}

impl Object {
    /// Something that belongs to a site and to nobody else.
    pub const fn of_site(site: SiteId, manager: Option<Uuid>) -> Self {
        Self { site, manager, client: None, made_by: None, today: false }
    }
}
