//! The requests of an operation: its path, query and body filled in for each object that it can be tried on.

use ::api::http::operation::{Authz, IfMatch, Operation, Over};
use serde_json::{Value, json};

use super::objects::{Object, Place};
use crate::api::Api;

/// What a request touches, by the fixtures.
#[derive(Clone, Debug)]
pub enum Touches {
    Nothing,
    /// What belongs to no site.
    TheHouse,
    /// A list, narrowed to what belongs to this.
    Narrowed(Object),
    /// Something new at a site.
    Makes(Object),
    /// A reservation at a site, or its price.
    Books(Object),
    One(Object),
}

/// One request, for whoever asks.
#[derive(Clone, Debug)]
pub struct Case {
    /// `here`, `there`, `gone`, `missing`, `other noun`, `malformed`.
    pub object: &'static str,
    pub path: String,
    pub body: Option<Value>,
    pub touches: Touches,
    pub exists: bool,
}

/// The two places, and what there is of neither.
pub struct Ground<'a> {
    pub here: &'a Place,
    pub there: &'a Place,
    pub missing: String,
    pub today: String,
    /// A position of the log that the views have.
    pub head: i64,
}

impl Ground<'_> {
    pub fn new<'a>(api: &Api, here: &'a Place, there: &'a Place, head: i64) -> Ground<'a> {
        let clock = api.store.clock();
        let today = clock.now().date_naive().to_string();
        Ground { here, there, missing: clock.new_id().to_string(), today, head }
    }

    /// Every request of an operation.
    pub fn cases(&self, operation: &Operation) -> Vec<Case> {
        if operation.path.contains('{') {
            return self.of_one(operation);
        }
        let mut cases = Vec::new();
        let example = operation.body.map(|body| (body.example)());
        let sited =
            example.as_ref().and_then(|body| ["site_id", "site"].into_iter().find(|name| body.get(name).is_some()));
        let query = self.required(operation);
        for (object, place) in [("here", self.here), ("there", self.there)] {
            if let Some(name) = sited {
                let mut body = example.clone().unwrap();
                body[name] = json!(place.id("sites"));
                let mut touches = match noun(operation) {
                    "reservations" | "quotes" => Touches::Books(place.object("sites")),
                    _ => Touches::Makes(place.object("sites")),
                };
                if operation.id == "reservation.check_in_at_gate" {
                    body = json!({ "ticket": place.id("ticket") });
                    touches = Touches::One(place.object("reservations"));
                }
                let path = format!("{}{query}", operation.path);
                let case = self.case(object, path, Some(body), touches);
                if case.body.as_ref().is_some_and(|body| body.get(name).is_some()) {
                    for (object, id) in [("missing", self.missing.as_str()), ("other noun", place.id("reservations"))] {
                        let mut case = Case { object, exists: false, ..case.clone() };
                        case.body.as_mut().unwrap()[name] = json!(id);
                        cases.push(case);
                    }
                }
                cases.push(case);
            }
            for param in operation.query {
                if let Some((value, touches)) = asked(noun(operation), param.name, place) {
                    let join = if query.is_empty() { '?' } else { '&' };
                    let path = format!("{}{query}{join}{}={value}", operation.path, param.name);
                    let case = self.case(object, path, None, Touches::Narrowed(touches));
                    for (object, id) in [("missing", self.missing.as_str()), ("other noun", place.id("payments"))] {
                        let path = case.path.replace(&value, id);
                        cases.push(Case { object, path, exists: false, ..case.clone() });
                    }
                    cases.push(case);
                }
            }
        }
        if sited.is_none() {
            let mut body = example;
            if let Some(sites) = body.as_mut().and_then(|body| body.get_mut("sites")) {
                *sites = json!([self.here.id("sites")]);
            }
            let touches = if of_the_house(operation) { Touches::TheHouse } else { Touches::Nothing };
            cases.push(self.case("none", format!("{}{query}", operation.path), body, touches));
        }
        cases
    }

    /// Those of an operation on something.
    fn of_one(&self, operation: &Operation) -> Vec<Case> {
        let noun = noun(operation);
        let kind = match operation.path {
            path if path.contains("/fine") => "fine",
            path if path.ends_with("/split") => "split",
            _ => noun,
        };
        let other = if noun == "sites" { self.here.id("reservations") } else { self.here.id("sites") };
        let of = |place: &Place| place.object(if kind == "fine" { kind } else { noun });
        let gone = self.here.ids.get(format!("gone {noun}").as_str());
        let gone_object = match noun {
            "clients" => Object { client: gone.map(|id| id.parse().unwrap()), ..Object::default() },
            _ => of(self.here),
        };
        let targets = match noun {
            // A day at a provider is one for all, and so are schemas and where providers call.
            "reconciliations" | "event-schemas" | "provider-webhooks" => {
                vec![("here", "", of(self.here), true), ("missing", "nobody", of(self.here), false)]
            }
            "audit" => vec![
                ("here", self.here.id("position"), of(self.here), true),
                ("there", self.there.id("position"), of(self.there), true),
                ("missing", "999999999", of(self.here), false),
                ("malformed", "x", of(self.here), false),
            ],
            _ => vec![
                ("here", self.here.id(kind), of(self.here), true),
                ("there", self.there.id(kind), of(self.there), true),
                ("missing", self.missing.as_str(), of(self.here), false),
                ("other noun", other, of(self.here), false),
                ("malformed", "not-a-thing", of(self.here), false),
            ],
        };
        let targets = targets.into_iter().filter(|(object, ..)| noun != "streams" || *object != "other noun");
        let gone = gone.filter(|_| kind == noun).map(|id| ("gone", id.as_str(), gone_object, true));
        let mut cases = Vec::new();
        for (object, id, touches, exists) in targets.chain(gone) {
            let (touches, exists) = match operation.id {
                // An id of the caller's choice: there, it is theirs to make.
                "reservation.put" if object == "missing" => (Touches::Books(self.here.object("sites")), true),
                // Alike, whatever there is; what is no id is nobody's.
                "challenge.prove" | "device.challenge" | "recovery.complete" => {
                    (Touches::Nothing, object != "malformed")
                }
                "reservation.put" if object == "other noun" => (Touches::One(Object::default()), true),
                _ => (Touches::One(touches), exists),
            };
            let path = self.filled(operation, id, object);
            let query = self.required(operation);
            let mut body = operation.body.map(|body| (body.example)());
            if let Some(site) = body.as_mut().and_then(|body| body.get_mut("site_id")) {
                *site = json!(self.here.id("sites"));
            }
            let case = Case { object, path: format!("{path}{query}"), body, touches, exists };
            if operation.query.iter().any(|param| param.name == "as_of") && exists {
                let join = if query.is_empty() { '?' } else { '&' };
                let then = format!("{}{join}as_of={}", case.path, self.head);
                cases.push(Case { path: then, ..case.clone() });
            }
            cases.push(case);
        }
        cases
    }

    fn case(&self, object: &'static str, path: String, body: Option<Value>, touches: Touches) -> Case {
        Case { object, path, body, touches, exists: true }
    }

    /// A path about this object.
    fn filled(&self, operation: &Operation, id: &str, object: &str) -> String {
        let place = if object == "there" { self.there } else { self.here };
        let exists = object != "missing";
        operation.path_names().fold(operation.path.to_owned(), |path, name| {
            let value = match (noun(operation), name) {
                ("reconciliations" | "provider-webhooks", "provider") => {
                    if exists {
                        "wave"
                    } else {
                        id
                    }
                }
                ("event-schemas", "type") => {
                    if exists {
                        "reservation.held"
                    } else {
                        id
                    }
                }
                (_, "account") => crate::api::FATOU,
                (_, "schema" | "number") => "1",
                (_, "day" | "date") => &self.today,
                (_, "closure_id") => place.id("closure_id"),
                (_, "id" | "position") => id,
                (noun, name) => panic!("no fixture for {{{name}}} of {noun}"),
            };
            path.replace(&format!("{{{name}}}"), value)
        })
    }

    /// What has to be asked, and everything that can be shown.
    fn required(&self, operation: &Operation) -> String {
        let mut parts = Vec::new();
        for param in operation.query {
            match param.name {
                "expand[]" => parts.push("expand[]=client".to_owned()),
                "date" => parts.push(format!("date={}", self.today)),
                "from" if param.required => parts.push("from=1".to_owned()),
                // Asked about in turn.
                "account" => {}
                name if param.required => parts.push(format!("{name}={}", param.example)),
                _ => {}
            }
        }
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }
}

/// What a query parameter asks about at a place.
fn asked(noun: &str, param: &str, place: &Place) -> Option<(String, Object)> {
    let id = |name: &str| place.id(name).to_owned();
    Some(match param {
        "site_id" if noun == "reservations" => (id("sites"), place.any_reservation()),
        "site_id" | "site" => (id("sites"), place.object("sites")),
        "client" => (id("clients"), Object::default()),
        "client_id" => (id("clients"), place.any_reservation()),
        "reservation" => (id("reservations"), place.object("reservations")),
        _ => return None,
    })
}

/// The noun of a path: what follows `/v1/`.
pub fn noun(operation: &Operation) -> &'static str {
    operation.path.trim_start_matches("/v1/").split(['/', '.']).next().unwrap()
}

/// What is declared for roles that see everything only, and is about nothing of anybody's.
fn of_the_house(operation: &Operation) -> bool {
    match operation.authz {
        Authz::Keys { roles, .. } => roles.iter().all(|(_, over)| *over == Over::All),
        _ => false,
    }
}

/// Whether a configuration is replaced: the version does not matter here.
pub fn replaces(operation: &Operation) -> bool {
    operation.if_match == IfMatch::Required
}
