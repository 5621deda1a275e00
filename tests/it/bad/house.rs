//! Where bad input knocks: a process of the API, a place with one of everything, and who may call what.

use std::collections::BTreeMap;

use ::api::http::operation::{Authz, Operation};
use domain::{actor::Role, ids::PrincipalId};
use eventstore::auth::session;
use reqwest::Method;
use serde_json::Value;

use super::{
    document::Document,
    process::Process,
    run::{Case, Must},
};
use crate::{
    api::{Api, fresh_key},
    matrix::{
        actors::work,
        bodies::{Ground, replaces},
        objects::{People, Place},
    },
};

/// In this order: whoever owns what is there comes first.
const WHO: [Role; 7] =
    [Role::Manager, Role::Service, Role::Client, Role::Admin, Role::Finance, Role::Support, Role::Auditor];

pub struct House {
    /// Asks the process.
    pub api: Api,
    pub process: Process,
    pub here: Place,
    pub there: Place,
    pub document: Document,
    /// By who it is: keys, and whoever is signed in.
    pub bearers: BTreeMap<String, String>,
}

/// An operation, and a request to it that has the right form.
pub struct Door {
    pub operation: &'static Operation,
    pub path: String,
    pub who: Option<String>,
    pub body: Option<Value>,
}

impl House {
    pub async fn new() -> Self {
        let mut api = Api::new().await;
        let near = People { manager: "manager", client: "client", service: "service" };
        let far = People { manager: "other_manager", client: "other_client", service: "other_service" };
        let here = Place::build(&api, 1, &near).await;
        let there = Place::build(&api, 2, &far).await;
        api.settle().await;
        let mut bearers: BTreeMap<String, String> =
            WHO.iter().map(|role| (role.as_str().to_owned(), api.secret(role.as_str()).to_owned())).collect();
        for other in ["other_manager", "other_client", "other_service", "second_finance"] {
            bearers.insert(other.to_owned(), api.secret(other).to_owned());
        }
        for role in WHO {
            let me = here.principal(role).unwrap_or_else(|| api.store.clock().new_id());
            if role != Role::Client && role != Role::Service {
                work(&api, me, role).await;
            }
            let device = (role == Role::Client).then(|| here.id("devices").parse().unwrap());
            if let Ok(opened) = session::open(&api.store, PrincipalId::new(me), role, device).await {
                bearers.insert(format!("{} signed in", role.as_str()), opened.access);
            }
        }
        api.settle().await;
        let process = Process::new(&api.world).await;
        api.base.clone_from(&process.base);
        let document = Document::new(api.ask(Method::GET, "/openapi.json").send().await.is(200).body);
        Self { api, process, here, there, document, bearers }
    }

    /// Every operation, asked of what is here by whoever may.
    pub async fn doors(&self) -> Vec<Door> {
        let head = self.api.store.head().await.unwrap();
        let ground = Ground::new(&self.api, &self.here, &self.there, head);
        let mut doors = Vec::new();
        for operation in ::api::operations() {
            let cases = ground.cases(operation);
            let case = cases.iter().find(|case| case.object == "here" && case.exists).or_else(|| cases.first());
            let Some(case) = case else { continue };
            doors.push(Door { operation, path: case.path.clone(), who: who(operation), body: case.body.clone() });
        }
        doors
    }

    /// Those that take JSON.
    pub async fn doors_with_bodies(&self) -> Vec<Door> {
        self.doors().await.into_iter().filter(|door| door.operation.body.is_some()).collect()
    }
}

/// Who may call an operation, by the name of what they come with.
pub fn who(operation: &Operation) -> Option<String> {
    let first = |roles: &[(Role, _)]| WHO.iter().find(|role| roles.iter().any(|(named, _)| named == *role));
    match operation.authz {
        // Whoever added it.
        Authz::Keys { .. } if operation.path.starts_with("/v1/endpoints/") => Some("service".to_owned()),
        Authz::Keys { roles, .. } => first(roles).map(|role| role.as_str().to_owned()),
        Authz::Session { roles } => first(roles).map(|role| format!("{} signed in", role.as_str())),
        _ => None,
    }
}

impl Door {
    /// A request to it with this body.
    pub fn case(&self, about: impl Into<String>, body: impl Into<Vec<u8>>, must: Must) -> Case {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(self.usual());
        let about = format!("{}: {}", self.operation.id, about.into());
        let (path, who) = (self.path.clone(), self.who.clone());
        Case { about, method: self.method(), path, who, headers, body: body.into(), must }
    }

    pub fn method(&self) -> Method {
        Method::from_bytes(self.operation.method.as_str().as_bytes()).unwrap()
    }

    /// A request to it with this query.
    pub fn asking(&self, about: impl Into<String>, query: &str, must: Must) -> Case {
        let about = format!("{}: {}", self.operation.id, about.into());
        let (before, _) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let path = if query.is_empty() { before.to_owned() } else { format!("{before}?{query}") };
        Case {
            about,
            method: self.method(),
            path,
            who: self.who.clone(),
            headers: self.usual(),
            body: Vec::new(),
            must,
        }
    }

    /// What it is asked with, without one of its parameters.
    pub fn query_without(&self, name: &str) -> String {
        let (_, query) = self.path.split_once('?').unwrap_or_default();
        let kept: Vec<&str> =
            query.split('&').filter(|part| !part.is_empty() && !part.starts_with(&format!("{name}="))).collect();
        kept.join("&")
    }

    /// What it is asked with, and one parameter more, or another value of it.
    pub fn query_with(&self, name: &str, value: &str) -> String {
        let value: String = url_encoded(value);
        let rest = self.query_without(name);
        if rest.is_empty() { format!("{name}={value}") } else { format!("{rest}&{name}={value}") }
    }

    /// Headers without which it is refused.
    fn usual(&self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        if self.operation.idempotent {
            headers.push(("idempotency-key".to_owned(), fresh_key()));
        }
        if replaces(self.operation) {
            headers.push(("if-match".to_owned(), "*".to_owned()));
        }
        headers
    }
}

/// Every byte that is no letter and no digit by its number.
pub fn url_encoded(text: &str) -> String {
    let one =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}
