//! Tells a trial step by step: what clients do, what the engine records, what the provider moves.

use std::collections::HashMap;

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Bus, Content, Effects, Entry, Event, Fact, History, Input, Rebuilt, Record, Repeated, Sms, Stage, Table, Time,
    Verify, View, Wave, ground::Ground, story::Story,
};

pub const SITE: u128 = 0x517e;
pub const NORTH: u128 = 0x9a;
pub const SOUTH: u128 = 0x9b;
pub const WHOLE: u128 = 0x9c;
pub const TOTAL: i64 = 40_000;
pub const DEPOSIT: i64 = 12_000;
pub const FINE: i64 = 5_000;
const CLIENT: u128 = 0xc11e;

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// An hour of the day that is played on.
pub fn hour(hour: i64) -> Time {
    "2026-12-01T00:00:00Z".parse::<Time>().unwrap() + TimeDelta::hours(hour)
}

pub fn francs(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "XOF" })
}

/// The cells of a pitch.
fn cells(pitch: u128) -> Vec<Uuid> {
    match pitch {
        NORTH => vec![id(0xce11a)],
        SOUTH => vec![id(0xce11b)],
        _ => vec![id(0xce11a), id(0xce11b)],
    }
}

/// Where and when, for an hour.
pub fn slot(pitch: u128, at: i64) -> Value {
    let during = json!({ "from": hour(at), "to": hour(at + 1) });
    json!({ "site_id": id(SITE), "pitch_id": id(pitch), "cells": cells(pitch), "during": during, "claims": during,
            "time_zone": "Africa/Dakar" })
}

/// An event before it has a position.
#[derive(Clone, Debug)]
pub struct Raw {
    pub stream: Uuid,
    pub name: String,
    pub data: Value,
    pub at: Time,
}

/// A trial as it is told.
pub struct Tale {
    pub events: Vec<Raw>,
    pub records: Vec<Record>,
    pub entries: Vec<Entry>,
    pub sms: Vec<Sms>,
    /// What is done to the evidence at the very end.
    pub twist: fn(&mut Input),
    pub now: Time,
    /// How far the engine's clock runs ahead.
    pub ahead: TimeDelta,
    calls: u64,
}

impl Tale {
    pub fn new() -> Self {
        let mut tale = Self {
            events: Vec::new(),
            records: Vec::new(),
            entries: vec![Entry {
                kind: "opening".into(),
                transaction_id: String::new(),
                gross: 1_000_000,
                client_reference: None,
            }],
            sms: Vec::new(),
            twist: |_| {},
            now: "2026-11-27T10:00:00Z".parse().unwrap(),
            ahead: TimeDelta::zero(),
            calls: 0,
        };
        let pitch = |pitch| json!({ "id": id(pitch), "cells": cells(pitch), "buffer_minutes": 0 });
        let pitches = json!([pitch(NORTH), pitch(SOUTH), pitch(WHOLE)]);
        tale.event(SITE, "site.registered", json!({}));
        tale.event(SITE, "site.ground_set", json!({ "site_id": id(SITE), "pitches": pitches }));
        tale
    }

    /// Records an event. Answers its position.
    pub fn event(&mut self, stream: u128, name: &str, data: Value) -> i64 {
        self.now += TimeDelta::seconds(1);
        let at = self.now + self.ahead;
        self.events.push(Raw { stream: id(stream), name: name.into(), data, at });
        self.head()
    }

    pub fn head(&self) -> i64 {
        i64::try_from(self.events.len()).unwrap()
    }

    fn record(&mut self, who: &str, what: &str) -> &mut Record {
        self.now += TimeDelta::seconds(1);
        let (n, wall) = (self.records.len() as u64 + 1, self.now);
        let (call, op, key, target, about) = (None, None, None, None, None);
        let (status, code, position, sha, said) = (None, None, None, None, None);
        let (who, what, at_ms) = (who.to_owned(), what.to_owned(), 0);
        self.records.push(Record {
            n,
            at_ms,
            wall,
            who,
            what,
            call,
            op,
            key,
            target,
            about,
            status,
            code,
            position,
            sha,
            said,
        });
        self.records.last_mut().unwrap()
    }

    pub fn nemesis(&mut self, what: &str, target: &str) {
        self.record("nemesis", what).target = Some(target.to_owned());
    }

    /// A client begins a call.
    pub fn invoke(&mut self, op: &str, key: Option<&str>, about: Value) -> u64 {
        self.calls += 1;
        let call = self.calls;
        let record = self.record("client-1", "invoke");
        (record.call, record.op, record.about) = (Some(call), Some(op.to_owned()), Some(about));
        record.key = key.map(str::to_owned);
        call
    }

    fn end(&mut self, call: u64, what: &str) -> &mut Record {
        let begun = self.records.iter().find(|record| record.call == Some(call)).unwrap();
        let (op, key) = (begun.op.clone(), begun.key.clone());
        let record = self.record("client-1", what);
        (record.call, record.op, record.key) = (Some(call), op, key);
        record
    }

    /// It is acknowledged at the head of the log.
    pub fn ok(&mut self, call: u64, said: Value) {
        let position = self.head();
        self.ok_at(call, position, said);
    }

    pub fn ok_at(&mut self, call: u64, position: i64, said: Value) {
        let record = self.end(call, "ok");
        record.sha = Some(said.to_string());
        (record.status, record.position, record.said) = (Some(201), Some(position), Some(said));
    }

    pub fn fail(&mut self, call: u64, code: &str) {
        let record = self.end(call, "fail");
        (record.status, record.code) = (Some(409), Some(code.to_owned()));
    }

    pub fn maybe(&mut self, call: u64) {
        self.end(call, "maybe");
    }

    pub fn move_money(&mut self, kind: &str, transaction: &str, gross: i64, reference: &str) {
        let (kind, transaction_id) = (kind.to_owned(), transaction.to_owned());
        self.entries.push(Entry { kind, transaction_id, gross, client_reference: Some(reference.to_owned()) });
    }

    /// The `nth` event of this name, from 0.
    pub fn place_of(&self, name: &str, nth: usize) -> usize {
        let mut places = self.events.iter().enumerate().filter(|(_, event)| event.name == name);
        places.nth(nth).unwrap_or_else(|| panic!("no {name} number {nth}")).0
    }

    /// Changes the data of an event.
    pub fn edit(&mut self, name: &str, nth: usize, pointer: &str, value: Value) {
        let place = self.place_of(name, nth);
        *self.events[place].data.pointer_mut(pointer).unwrap_or_else(|| panic!("{name} has no {pointer}")) = value;
    }

    /// Takes an event out; the log closes up behind it.
    pub fn remove(&mut self, name: &str, nth: usize) {
        let place = self.place_of(name, nth);
        self.events.remove(place);
    }

    /// Records an event again.
    pub fn again(&mut self, name: &str, nth: usize) {
        let place = self.place_of(name, nth);
        let event = self.events[place].clone();
        self.events.push(event);
    }

    /// The last record of this kind of an operation.
    pub fn last(&mut self, op: &str, what: &str) -> &mut Record {
        let mut records = self.records.iter_mut().rev();
        records.find(|record| record.op.as_deref() == Some(op) && record.what == what).unwrap()
    }

    /// The evidence, as an engine without a mistake leaves it behind such a log.
    pub fn finish(self) -> Input {
        let mut versions: HashMap<Uuid, i32> = HashMap::new();
        let mut log = Vec::new();
        for (place, raw) in self.events.iter().enumerate() {
            let version = versions.entry(raw.stream).or_insert(0);
            *version += 1;
            let (position, fact) = (place as i64 + 1, Fact::read(&raw.name, 1, &raw.data.to_string()));
            let (event_id, stream_id, version) = (id(0xe0_0000 + position as u128), raw.stream, *version);
            let (name, recorded_at) = (raw.name.clone(), raw.at);
            log.push(Event { position, event_id, stream_id, version, name, recorded_at, fact });
        }
        let mut ground = Ground::default();
        log.iter().for_each(|event| drop(ground.fold(event)));
        let story = Story::of(&log);
        let views = story.in_order().into_iter().map(|booking| {
            let point = booking.last().unwrap().clone();
            let (reservation_id, pitch_id, status) = (booking.id, point.pitch, point.status.to_owned());
            View { reservation_id, pitch_id, status, starts_at: point.starts_at, ends_at: point.ends_at }
        });
        let content = Content { rows: 3, sha256: "ab".into() };
        let table = Table { table: "reservations".into(), equal: true, live: content.clone(), rebuilt: content };
        let (projector, position) = ("reservation".to_owned(), Some(story.head));
        let mut input = Input {
            stage: Stage { seed: 1, site_id: id(SITE), pitches: HashMap::new() },
            history: History::of(self.records),
            claims: ground.claims(),
            views: views.collect(),
            ledger: Vec::new(),
            effects: Effects { count: 9, left: Vec::new() },
            wave: Wave { entries: self.entries, repeated: Repeated::default() },
            sms: self.sms,
            rebuild: vec![Rebuilt { projector, position, equal: Some(true), tables: vec![table] }],
            bus: Bus { messages: story.head, last_position: story.head },
            verify: Verify { ok: true, said: "12 checkpoints".into() },
            log,
        };
        input.ledger = crate::money::told(&input);
        (self.twist)(&mut input);
        input
    }
}

/// Who a reservation was made for.
pub fn client() -> Uuid {
    id(CLIENT)
}
