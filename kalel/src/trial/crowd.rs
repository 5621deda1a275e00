//! Many clients who fight for the same ground: they book, pay, cancel, move and look, and remember what they have.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    client::{Ask, Client, World, press},
    history::Ended,
};
use crate::seeded::Seeded;

/// Half hours that are fought over at any time.
const WINDOW: u64 = 30;
/// Reservations asked for before the window moves on by half an hour, so that there is always something left to take.
const PER_STEP: u64 = 14;
/// Telephones. Each comes again when the window has moved past what it wanted before: nobody is told the same thing twice
/// for good reason, so the judge may take two texts that are the same for one that was sent twice.
const PHONES: u64 = 2 * WINDOW * PER_STEP;

/// Where they play.
pub struct Ground {
    pub site: String,
    /// Slug and id.
    pub pitches: BTreeMap<String, String>,
    /// The first half hour.
    pub first: DateTime<Utc>,
}

/// A reservation that somebody made.
#[derive(Clone, Debug)]
struct Booked {
    id: String,
    by_manager: bool,
    moved: bool,
}

#[derive(Default)]
struct Known {
    unpaid: Vec<Booked>,
    firm: Vec<Booked>,
    all: Vec<Booked>,
}

/// Everybody, and what they share.
pub struct Crowd {
    world: Arc<World>,
    ground: Ground,
    known: Mutex<Known>,
    asked: AtomicU64,
    stop: AtomicBool,
}

impl Crowd {
    pub fn new(world: Arc<World>, ground: Ground) -> Arc<Self> {
        let (known, asked, stop) = (Mutex::default(), AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { world, ground, known, asked, stop })
    }

    /// Sends them in.
    pub fn enter(self: &Arc<Self>, clients: u64, seed: u64) -> JoinSet<()> {
        let mut all = JoinSet::new();
        for number in 0..clients {
            let (crowd, client) = (Arc::clone(self), Client::new(Arc::clone(&self.world), number, seed));
            all.spawn(async move { crowd.live(client).await });
        }
        all
    }

    /// Tells them to go home, once they know what became of their last wish.
    pub fn leave(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    async fn live(&self, mut client: Client) {
        while !self.stop.load(Ordering::Relaxed) {
            match client.random.below(100) {
                0..44 => self.book(&mut client).await,
                44..64 => self.pay(&mut client).await,
                64..75 => self.cancel(&mut client).await,
                75..81 => self.reschedule(&mut client).await,
                81..96 => self.look(&mut client).await,
                _ => self.search(&mut client).await,
            }
            client.rest(60, 260).await;
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pitch's slug and id, and a start in the window.
    fn somewhere(&self, random: &mut Seeded) -> (String, String, DateTime<Utc>) {
        let at = usize::try_from(random.below(self.ground.pitches.len() as u64)).unwrap_or(0);
        let (slug, id) =
            self.ground.pitches.iter().nth(at).map(|(slug, id)| (slug.clone(), id.clone())).unwrap_or_default();
        let half_hours = self.asked.load(Ordering::Relaxed) / PER_STEP + random.below(WINDOW);
        let start = self.ground.first + TimeDelta::minutes(30 * i64::try_from(half_hours).unwrap_or(0));
        (slug, id, start)
    }

    async fn book(&self, client: &mut Client) {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let (slug, pitch, start) = self.somewhere(&mut client.random);
        let by_manager = client.random.below(10) < 4;
        let (pays, who) = if by_manager { ("none", "manager") } else { ("deposit", "service") };
        // Now and then somebody new.
        let person = if number.is_multiple_of(6) { PHONES + number } else { number % PHONES };
        let phone = format!("+22177{:07}", 4_000_000 + person);
        let mut payment = json!({ "pays": pays });
        if !by_manager {
            payment["method"] = json!("wave");
        }
        let starts_at = start.to_rfc3339();
        let body = json!({
            "site_id": self.ground.site, "pitch_id": slug, "starts_at": starts_at, "minutes": 60,
            "client": { "phone": phone, "name": "Awa" }, "payment": payment,
        });
        let about = json!({
            "site": self.ground.site, "pitch": pitch, "starts_at": starts_at, "minutes": 60, "pays": pays, "as": who,
        });
        let key = client.fresh_key();
        let bearer = self.bearer(by_manager);
        let ask = Ask {
            op: "place",
            method: Method::POST,
            path: "/v1/reservations",
            bearer: Some(&bearer),
            key: Some(&key),
            body: Some(&body),
            about: &about,
            said: |body, _| json!({ "reservation": body["id"], "status": body["status"] }),
        };
        let (answer, body) = client.insist(&ask).await;
        if answer.ended != Ended::Ok {
            return;
        }
        let Some(id) = body["id"].as_str().map(str::to_owned) else { return };
        let booked = Booked { id, by_manager, moved: false };
        let mut known = self.known();
        known.all.push(booked.clone());
        if by_manager {
            known.firm.push(booked);
        } else {
            known.unpaid.push(booked);
        }
    }

    fn bearer(&self, manager: bool) -> String {
        if manager { self.world.manager.clone() } else { self.world.service.clone() }
    }

    /// Looks for the provider's page and pays there.
    async fn pay(&self, client: &mut Client) {
        let Some(booked) = client.random.draw(&mut self.known().unpaid) else { return };
        for _ in 0..12 {
            let shown = self.show(client, &booked).await;
            let payment = &shown["payment"];
            if let Some(url) = payment["checkout_url"].as_str().filter(|_| payment["status"] == "pending") {
                let about = json!({ "reservation": booked.id, "reference": payment["reference"] });
                if press(client, url, &about).await != Ended::Fail {
                    self.known().firm.push(booked);
                }
                return;
            }
            if !shown.is_null() && shown["status"] != "held" {
                return;
            }
            client.rest(100, 400).await;
        }
    }

    async fn show(&self, client: &mut Client, booked: &Booked) -> Value {
        let id = &booked.id;
        let path = format!("/v1/reservations/{id}");
        let about = json!({ "reservation": id, "min_position": client.seen });
        let bearer = self.bearer(booked.by_manager);
        let ask = Ask {
            op: "read",
            method: Method::GET,
            path: &path,
            bearer: Some(&bearer),
            key: None,
            body: None,
            about: &about,
            said: |body, position| {
                json!({ "status": body["status"], "as_of_position": position, "pitch": body["pitch_id"],
                        "starts_at": body["starts_at"] })
            },
        };
        let at = usize::try_from(client.random.below(2)).unwrap_or(0);
        let (answer, body) = client.once(&ask, at).await;
        if answer.ended == Ended::Ok { body } else { Value::Null }
    }

    async fn look(&self, client: &mut Client) {
        let booked = client.random.pick(&self.known().all).cloned();
        if let Some(booked) = booked {
            self.show(client, &booked).await;
        }
    }

    /// What anybody may ask, from the cache or not.
    async fn search(&self, client: &mut Client) {
        let (_, _, start) = self.somewhere(&mut client.random);
        let date = start.format("%F");
        let path = match client.random.below(2) {
            0 => format!("/v1/sites/{}/availability?date={date}&minutes=60", self.ground.site),
            _ => "/v1/sites?near=14.6868,-17.4547&radius_m=3000&format=5x5".to_owned(),
        };
        let about = json!({ "path": path });
        let ask = Ask {
            op: "search",
            method: Method::GET,
            path: &path,
            bearer: None,
            key: None,
            body: None,
            about: &about,
            said: |_, _| Value::Null,
        };
        client.once(&ask, 0).await;
    }

    async fn cancel(&self, client: &mut Client) {
        let from_unpaid = client.random.below(4) == 0;
        let drawn = {
            let mut known = self.known();
            let from = if from_unpaid { &mut known.unpaid } else { &mut known.firm };
            client.random.draw(from)
        };
        let Some(booked) = drawn else { return };
        let body = if booked.by_manager { json!({ "reason": "weather", "note": "Orage" }) } else { json!({}) };
        let path = format!("/v1/reservations/{}/cancellation", booked.id);
        self.change(client, "cancel", &path, &body, &json!({ "reservation": booked.id }), booked.by_manager).await;
    }

    async fn reschedule(&self, client: &mut Client) {
        let Some(mut booked) = client.random.draw(&mut self.known().firm) else { return };
        if !booked.moved {
            let (slug, pitch, start) = self.somewhere(&mut client.random);
            let starts_at = start.to_rfc3339();
            let body = json!({ "pitch_id": slug, "starts_at": starts_at, "minutes": 60 });
            let about = json!({ "reservation": booked.id, "pitch": pitch, "starts_at": starts_at, "minutes": 60 });
            let path = format!("/v1/reservations/{}/reschedule", booked.id);
            let ended = self.change(client, "reschedule", &path, &body, &about, booked.by_manager).await;
            booked.moved = ended != Ended::Fail;
        }
        self.known().firm.push(booked);
    }

    async fn change(
        &self,
        client: &mut Client,
        op: &'static str,
        path: &str,
        body: &Value,
        about: &Value,
        by_manager: bool,
    ) -> Ended {
        let key = client.fresh_key();
        let bearer = self.bearer(by_manager);
        let ask = Ask {
            op,
            method: Method::POST,
            path,
            bearer: Some(&bearer),
            key: Some(&key),
            body: Some(body),
            about,
            said: |body, _| json!({ "status": body["status"] }),
        };
        client.insist(&ask).await.0.ended
    }
}

/// How a manager makes the ground: four grounds, each sold whole or in halves, open around the clock.
pub fn site() -> Value {
    let francs = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
    let (mut cells, mut pitches) = (Vec::new(), Vec::new());
    for ground in ["a", "b", "c", "d"] {
        let [north, south] = ["n", "s"].map(|half| format!("{ground}{half}"));
        pitches.push(json!({ "slug": format!("{ground}-whole"), "name": format!("Terrain {ground}"), "format": "8x8",
                             "cells": [north, south] }));
        for half in [north, south] {
            pitches.push(json!({ "slug": format!("half-{half}"), "name": format!("Moitie {half}"), "format": "5x5",
                                 "cells": [half] }));
            cells.push(half);
        }
    }
    json!({
        "slug": "trial", "time_zone": "Africa/Dakar", "currency": "XOF",
        "profile": { "name": "Terrain d'epreuve", "city": "Dakar", "country": "SN",
                     "location": { "lat": 14.6931, "lon": -17.4472 } },
        "cells": cells, "pitches": pitches,
        "hours": [{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "opens": "00:00", "closes": "00:00" }],
        "tariffs": [{ "price": francs(30_000), "minutes": 60 }],
        "policy": {
            "start_every_minutes": 30, "shortest_minutes": 60, "longest_minutes": 480, "lead_minutes": 0,
            "horizon_days": 90, "hold_seconds": 45, "checkout_grace_seconds": 120,
            "unpaid_holds_at_once": 50, "unpaid_holds_per_day": 50,
            "deposit": { "kind": "fixed", "amount": francs(10_000) },
            "free_cancellation_minutes": 720, "reschedule_minutes": 360, "free_reschedules": 1,
            "check_in_opens_minutes": 30, "completion_grace_minutes": 15, "reminder_minutes": 120,
            "no_show_fine": null, "four_eyes_above": francs(50_000),
        },
        "contact": { "phone": "77 000 00 01", "email": "gestion@kalel.invalid" },
    })
}

/// How long a client waits for an answer: longer than a request may take.
pub const PATIENCE: Duration = Duration::from_secs(12);
