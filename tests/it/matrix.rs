//! Every actor at every operation on every kind of object: what comes back is what the table of rights says, and nothing
//! in it tells anybody what they may not know (reliability.md §4.2). Made from the router's own list.

pub mod actors;
pub mod bodies;
mod expect;
pub mod objects;

use std::{collections::BTreeMap, io::Write, time::Instant};

use ::api::http::operation::{Authz, Operation};
use domain::actor::Role;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::Value;

use self::{
    actors::{Actor, Is, everybody},
    bodies::{Case, Ground},
    expect::{Expected, expected, reaches},
    objects::{People, Place},
};
use crate::api::{Answer, Api, fresh_key};

/// Requests on their way at the same time.
const AT_ONCE: usize = 16;

/// Roles that may know the clients of what they reach.
const KNOW_CLIENTS: [Role; 5] = [Role::Client, Role::Manager, Role::Service, Role::Gatekeeper, Role::Cashier];

/// What takes something away that others are tried on: last, one after the other.
const DESTROYS: [&str; 9] = [
    "endpoint.remove",
    "client.erase",
    "client.change_pin",
    "device.release",
    "key.revoke",
    "key.rotate",
    "session.end",
    "session.end_others",
    "test_clock.advance",
];

/// What can be gone when the second one comes, and is 404 then.
const ONCE: [&str; 4] = ["endpoint.remove", "site.lift_closure", "session.end", "device.release"];

/// One cell of the matrix.
struct Cell<'a> {
    operation: &'static Operation,
    actor: &'a Actor,
    case: Case,
    expected: Expected,
}

/// What came of all of them.
#[derive(Default)]
struct Tally {
    requests: usize,
    as_expected: usize,
    by_expectation: BTreeMap<String, usize>,
    wrong: Vec<String>,
    /// How often a client's number was told to somebody who may know it.
    told: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_actor_at_every_operation_on_every_object_gets_what_is_declared() {
    let began = Instant::now();
    let mut api = Api::new().await;
    api.grant("forgotten", Role::Client, None).await;
    let near = People { manager: "manager", client: "client", service: "service" };
    let far = People { manager: "other_manager", client: "other_client", service: "other_service" };
    let mut here = Place::build(&api, 1, &near).await;
    let there = Place::build(&api, 2, &far).await;
    // The clock went on by a day for the second one.
    here.played_today = false;
    here.forget_somebody(&api, "forgotten").await;
    let actors = everybody(&api, &here, &there).await;
    api.settle().await;
    import(&api).await;
    api.settle().await;
    crate::seal::seal(&api.store, crate::seal::every(10_000)).await;
    let head = api.store.head().await.unwrap();
    let ground = Ground::new(&api, &here, &there, head);

    let mut cells = Vec::new();
    for operation in ::api::operations() {
        for case in ground.cases(operation) {
            for actor in &actors {
                let expected = expected(operation, actor, &case);
                cells.push(Cell { operation, actor, case: case.clone(), expected });
            }
        }
    }
    println!("matrix: fixtures after {:?}", began.elapsed());
    let mut tally = Tally::default();
    let (allowed, refused): (Vec<_>, Vec<_>) = cells.into_iter().partition(|cell| cell.expected == Expected::Allowed);
    let (reads, writes): (Vec<_>, Vec<_>) = allowed.into_iter().partition(|cell| cell.operation.method == Method::GET);
    let (last, writes): (Vec<_>, Vec<_>) = writes.into_iter().partition(|cell| DESTROYS.contains(&cell.operation.id));
    // Whoever is signed in goes first: the clock ends sessions.
    let mut last = last;
    last.sort_by_key(|cell| (place_of(cell.operation), !cell.actor.is_signed_in()));
    for (name, cells, at_once) in
        [("refused", refused, AT_ONCE), ("reads", reads, AT_ONCE), ("writes", writes, AT_ONCE), ("last", last, 1)]
    {
        let pump = async {
            loop {
                api.settle().await;
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        let all = stream::iter(&cells).map(|cell| ask(&api, cell)).buffer_unordered(at_once);
        let work = all.for_each(|(cell, answer)| {
            tally.judge(cell, &answer, [&here, &there]);
            futures_util::future::ready(())
        });
        tokio::select! { () = work => {}, () = pump => {} }
        println!("matrix: {name}: {} after {:?}", cells.len(), began.elapsed());
        if name != "writes" && name != "last" {
            let wrote = api.store.read_after(head, 10).await.unwrap();
            let wrote: Vec<&str> = wrote.iter().map(|event| event.name.as_str()).collect();
            if !wrote.is_empty() {
                tally.wrong.push(format!("what is {name} has written {wrote:?}"));
            }
        }
    }
    tally.report();
}

/// Where an operation stands in the router's list.
fn place_of(operation: &Operation) -> Option<usize> {
    ::api::operations().position(|other| other.id == operation.id)
}

/// A day at Wave with a difference.
async fn import(api: &Api) {
    use crate::reconciliation::{charge, csv, import_as, today};
    let day = today(api);
    let path = format!("/v1/reconciliations/wave/{day}");
    import_as(api, "finance", &path, &fresh_key(), csv(&[charge(day, "T_STRANGE", "")])).await.is(200);
}

async fn ask<'a>(api: &Api, cell: &'a Cell<'a>) -> (&'a Cell<'a>, Answer) {
    let operation = cell.operation;
    let method = Method::from_bytes(operation.method.as_str().as_bytes()).unwrap();
    let mut ask = api.ask(method, &cell.case.path).key(&fresh_key());
    if let Some(bearer) = &cell.actor.bearer {
        ask = ask.bearer(bearer);
    }
    if bodies::replaces(operation) {
        ask = ask.header("if-match", "*");
    }
    ask = match (&cell.case.body, operation.upload) {
        (Some(body), _) => ask.json(body),
        (None, Some(upload)) => ask.header("content-type", upload.media).raw(upload.example),
        (None, None) if operation.method == Method::GET => ask,
        (None, None) => ask.json(&serde_json::json!({})),
    };
    (cell, ask.send().await)
}

impl Tally {
    fn judge(&mut self, cell: &Cell<'_>, answer: &Answer, places: [&Place; 2]) {
        let code = answer.body["code"].as_str().unwrap_or_default();
        let empty = answer.body["data"].as_array().is_some_and(Vec::is_empty);
        let once = ONCE.contains(&cell.operation.id) && cell.expected == Expected::Allowed && answer.status == 404;
        let mut wrong = expect::wrong(cell.expected, answer.status, code, empty).filter(|_| !once);
        if wrong.is_none() {
            wrong = self.leaks(cell, answer, places);
        }
        self.requests += 1;
        *self.by_expectation.entry(format!("{:?}", cell.expected)).or_default() += 1;
        match wrong {
            None => self.as_expected += 1,
            Some(wrong) => {
                let Cell { operation, actor, case, .. } = cell;
                self.wrong.push(format!("{} {} by {}: {wrong} ({})", operation.id, case.object, actor.name, case.path));
            }
        }
    }

    /// What an answer tells that this actor may not know.
    fn leaks(&mut self, cell: &Cell<'_>, answer: &Answer, places: [&Place; 2]) -> Option<String> {
        let text = String::from_utf8_lossy(&answer.bytes);
        let sent = format!("{} {}", cell.case.path, cell.case.body.as_ref().map(Value::to_string).unwrap_or_default());
        for place in places {
            if let Some(secret) = place.secrets.iter().find(|secret| text.contains(secret.as_str())) {
                return Some(format!("tells {secret}"));
            }
            let knows = knows_clients(cell, place);
            for personal in [&place.client_phone, &place.client_name] {
                if !text.contains(personal.as_str()) {
                    continue;
                }
                if !knows {
                    return Some(format!("tells who a client is: {personal}"));
                }
                self.told += 1;
            }
            for (id, object) in place.private_ids() {
                let asked_for = sent.contains(id);
                if !asked_for && text.contains(id) && !sees(cell, &object) {
                    return Some(format!("tells of {id}"));
                }
            }
        }
        None
    }

    fn report(self) {
        let count = format!("matrix: {} requests, {} as expected\n", self.requests, self.as_expected);
        // Not captured: the count is read in what a run prints.
        std::io::stderr().write_all(count.as_bytes()).unwrap();
        println!("matrix: {:?}", self.by_expectation);
        println!("matrix: clients were told to {} who may know them", self.told);
        let mut kinds: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for wrong in &self.wrong {
            let operation = wrong.split(' ').next().unwrap().to_owned();
            kinds.entry(operation).or_default().push(wrong);
        }
        for (operation, wrong) in &kinds {
            println!("{operation}: {} wrong", wrong.len());
            wrong.iter().take(6).for_each(|one| println!("    {one}"));
        }
        assert!(self.wrong.is_empty(), "{} cells are wrong", self.wrong.len());
        assert!(self.requests > 12_000, "only {} requests", self.requests);
        assert!(self.told > 10, "nobody was told of a client: leaks would not be found");
    }
}

/// Whether the caller reaches this object with this operation.
fn sees(cell: &Cell<'_>, object: &objects::Object) -> bool {
    let Is::Holder(holder) = &cell.actor.is else { return false };
    let (Authz::Keys { roles, .. } | Authz::Session { roles }) = cell.operation.authz else { return false };
    roles.iter().any(|(role, over)| *role == holder.role && reaches(holder, *over, object))
}

/// Whether the caller may know who the client of a place is.
fn knows_clients(cell: &Cell<'_>, place: &Place) -> bool {
    let Is::Holder(holder) = &cell.actor.is else { return false };
    KNOW_CLIENTS.contains(&holder.role) && sees(cell, &place.any_reservation())
}
