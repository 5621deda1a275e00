//! What the matrix knocks at: two places with one of everything each, made over HTTP, full of things that must not leak.

use std::collections::BTreeMap;

use chrono::{DurationRound, TimeDelta};
use domain::{
    actor::{Actor as Who, Role},
    aggregate::Loaded,
    client::{self, Client, DeviceKey, Entry, NewDevice},
    ids::{ClientId, DeviceId, PrincipalId, RecoveryId, ReservationId, SecretId},
    money::Money,
    payment::Payment,
    policy::Policy,
    reservation::{self, Reservation, Source},
};
use eventstore::auth::{secret, session};
use serde_json::{Value, json};
use uuid::Uuid;

use super::actors::{revoke, spare_key, work};
use crate::{
    api::{Answer, Api, slot},
    credit::{land, write},
};

/// Who lives at a place, by the names of their keys.
pub struct People {
    pub manager: &'static str,
    pub client: &'static str,
    pub service: &'static str,
}

/// A site with one of everything, and whose it is.
pub struct Place {
    pub site: Uuid,
    pub manager: Uuid,
    pub client: Uuid,
    pub service: Uuid,
    /// By noun of the path, or by name.
    pub ids: BTreeMap<&'static str, String>,
    pub client_phone: String,
    pub client_name: String,
    /// The game that was missed is one of today's.
    pub played_today: bool,
    /// What nobody is told, whatever they ask.
    pub secrets: Vec<String>,
}

/// Whose an object is, as the fixtures made it: what the table of rights is asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Object {
    pub site: Option<Uuid>,
    pub manager: Option<Uuid>,
    pub client: Option<Uuid>,
    pub made_by: Option<Uuid>,
    pub today: bool,
}

impl Place {
    pub fn principal(&self, role: Role) -> Option<Uuid> {
        match role {
            Role::Client => Some(self.client),
            Role::Manager => Some(self.manager),
            Role::Service => Some(self.service),
            _ => None,
        }
    }

    /// Whose the objects of a noun are.
    pub fn object(&self, noun: &str) -> Object {
        let site = Object { site: Some(self.site), manager: Some(self.manager), ..Object::default() };
        match noun {
            "reservations" | "payments" | "refunds" => {
                Object { client: Some(self.client), made_by: Some(self.service), ..site }
            }
            // Placed by the client.
            "fine" => {
                Object { client: Some(self.client), made_by: Some(self.client), today: self.played_today, ..site }
            }
            "clients" | "sessions" | "devices" | "recoveries" => {
                Object { client: Some(self.client), ..Object::default() }
            }
            "keys" | "reconciliations" | "accounts" => Object::default(),
            // Whoever added it.
            "endpoints" => Object { client: Some(self.service), ..Object::default() },
            _ => site,
        }
    }

    /// Whose any of the client's reservations is: where one is enough.
    pub fn any_reservation(&self) -> Object {
        Object { today: self.played_today, ..self.object("reservations") }
    }

    /// Ids that say something to whoever may not know them, and whose they are.
    pub fn private_ids(&self) -> Vec<(&str, Object)> {
        let whose = |name: &str| match name {
            "split" | "gone reservations" => Some(self.object("reservations")),
            "clients" => Some(self.any_reservation()),
            "fine" | "payments" | "refunds" | "payouts" | "invoices" | "keys" | "endpoints" | "reservations" => {
                Some(self.object(name))
            }
            _ => None,
        };
        self.ids.iter().filter_map(|(name, id)| Some((id.as_str(), whose(name)?))).collect()
    }

    /// One of everything, number `n`.
    pub async fn build(api: &Api, n: u32, who: &People) -> Self {
        let contact = json!({ "phone": format!("+22178000220{n}"), "email": format!("gerant{n}@secret.example") });
        let policy = Policy { no_show_fine: Some(Money::xof(5_000)), ..Policy::default() };
        let ground = crate::api::ground(&format!("matrix-{n}"), json!({ "contact": contact, "policy": policy }));
        let site = api.post(who.manager, "/v1/sites", ground).await.is(201).text("/id").to_owned();
        let mut place = Self {
            site: site.parse().unwrap(),
            manager: api.principal(who.manager),
            client: api.principal(who.client),
            service: api.principal(who.service),
            ids: BTreeMap::from([("sites", site)]),
            client_phone: format!("77000110{n}"),
            client_name: format!("Awa Canari-{n}"),
            played_today: true,
            secrets: vec![format!("78000220{n}"), format!("gerant{n}@secret.example"), format!("78000330{n}")],
        };
        place.missed(api, who).await;
        place.booked(api, who).await;
        place.money(api, n, who).await;
        place.kept(api, who).await;
        place.signed_in(api).await;
        place
    }

    fn keep(&mut self, name: &'static str, id: impl ToString) {
        self.ids.insert(name, id.to_string());
    }

    pub fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    fn wish(&self, api: &Api, days: i64, payment: Value) -> Value {
        let mut body = slot(self.id("sites"), "nord", api.midday(days), 60);
        body["client"] = json!({ "phone": format!("+221{}", self.client_phone), "name": self.client_name });
        body["payment"] = payment;
        body
    }

    /// A game that was paid, and that its client did not come to: a fine, and money for the site.
    async fn missed(&mut self, api: &Api, who: &People) {
        let starts_at = api.midday(1);
        let body = self.wish(api, 1, json!({ "method": "wave", "pays": "full" }));
        let held = api.post(who.client, "/v1/reservations", body).await.is(201);
        land(api, held.text("/payment/id"), 30_000).await;
        api.store.clock().advance_to(starts_at + TimeDelta::hours(2)).await.unwrap();
        let id = ReservationId::new(held.text("/id").parse().unwrap());
        let reservation: Loaded<Reservation> = api.store.load(id).await.unwrap();
        let payment: Loaded<Payment> = api.store.load(reservation.state.paying()[0]).await.unwrap();
        let client: Loaded<Client> = api.store.load(ClientId::new(self.client)).await.unwrap();
        let sources = [Source { payment: &payment, refund_id: api.store.clock().new_id().into() }];
        let now = api.store.clock().now();
        write(api, reservation::finish(&reservation, &sources, Some(client.version), now).unwrap()).await;
        self.keep("fine", id);
        // Whoever owes a fine books nothing: it is waived, and stays there to be read.
        api.settle().await;
        let path = format!("/v1/reservations/{id}/fine/decision");
        let verdict = json!({ "verdict": "waive", "note": "La route était coupée." });
        let waived = api.post(who.manager, &path, verdict).await;
        assert!(waived.status < 500, "{}", waived.body);
    }

    /// Placed by the service for the client: confirmed, cancelled with its money on the way back, and paid together.
    async fn booked(&mut self, api: &Api, who: &People) {
        let deposit = json!({ "method": "wave", "pays": "deposit" });
        let book = async |days: i64, payment: Value| {
            let body = self.wish(api, days, payment);
            api.post(who.service, "/v1/reservations", body).await.is(201)
        };
        let made = book(10, deposit.clone()).await;
        land(api, made.text("/payment/id"), 9_000).await;
        let cancelled = book(11, deposit).await;
        land(api, cancelled.text("/payment/id"), 9_000).await;
        let path = format!("/v1/reservations/{}", cancelled.text("/id"));
        api.post(who.manager, &format!("{path}/cancellation"), json!({ "reason": "weather" })).await.is(200);
        let split = book(12, json!({ "pays": "none" })).await;
        let deadline = (api.midday(12) - TimeDelta::hours(6)).to_rfc3339();
        let path_of_split = format!("/v1/reservations/{}/split", split.text("/id"));
        api.post(who.service, &path_of_split, json!({ "shares": 2, "deadline": deadline })).await.is(201);
        api.settle().await;
        let refund = api.get(who.manager, &path).await.is(200).text("/refunds/0/id").to_owned();
        let ticket = api.get(who.manager, &format!("/v1/reservations/{}/ticket", made.text("/id"))).await.is(200);
        self.keep("ticket", ticket.text("/payload"));
        self.keep("reservations", made.text("/id"));
        self.keep("streams", made.text("/id"));
        self.keep("payments", made.text("/payment/id"));
        self.keep("gone reservations", cancelled.text("/id"));
        self.keep("refunds", refund);
        self.keep("split", split.text("/id"));
        self.keep("clients", self.client);
    }

    /// A payout that waits for its second person, and an invoice.
    async fn money(&mut self, api: &Api, n: u32, who: &People) {
        let path = format!("/v1/sites/{}/payout-account", self.site);
        let account = json!({ "method": "wave", "account": format!("+22178000330{n}") });
        api.put("admin", &path, "*", account).await.is(200);
        api.settle().await;
        let payout = api.post("finance", "/v1/payouts", json!({ "site": self.id("sites") })).await.is(201);
        self.keep("payouts", payout.text("/id"));
        // What the manager collects, the platform asks its commission for.
        let path = format!("/v1/sites/{}/contract", self.site);
        let collects = |flow: &str| json!({ "flow": flow, "commission_basis_points": 1_000 });
        api.put("admin", &path, "*", collects("manager_collects")).await.is(200);
        let starts_at = api.store.clock().now().duration_trunc(TimeDelta::hours(1)).unwrap() + TimeDelta::hours(1);
        let mut body = slot(self.id("sites"), "sud", starts_at, 60);
        body["payment"] = json!({ "method": "cash", "pays": "full" });
        let met = api.post(who.manager, "/v1/reservations", body).await.is(201);
        api.store.clock().advance_to(starts_at).await.unwrap();
        let check_in = format!("/v1/reservations/{}/check-in", met.text("/id"));
        api.post(who.manager, &check_in, json!({ "code": met.text("/code") })).await.is(200);
        api.put("admin", &path, "*", collects("platform_collects")).await.is(200);
        api.settle().await;
        let invoice = api.post("finance", "/v1/invoices", json!({ "site": self.id("sites") })).await.is(201);
        self.keep("invoices", invoice.text("/id"));
    }

    /// The client has a device and a session; nobody of the matrix comes with either.
    async fn signed_in(&mut self, api: &Api) {
        let (clock, id) = (api.store.clock(), ClientId::new(self.client));
        let known: Loaded<Client> = api.store.load(id).await.unwrap();
        let device_id = DeviceId::new(clock.new_id());
        let secret_id = SecretId::new(clock.new_id());
        secret::keep(&api.store, self.client, secret_id, "350862").await.unwrap();
        let device = NewDevice { device_id, device_key: DeviceKey("A".repeat(43)), name: None };
        let me = PrincipalId::new(self.client);
        let entry = Entry { person: None, pin: Some(secret_id), device };
        write(api, client::enter(&known, entry, Who::new(Role::Client, me), clock.now()).unwrap()).await;
        let opened = session::open(&api.store, me, Role::Client, Some(device_id)).await.unwrap();
        self.keep("devices", device_id);
        let known: Loaded<Client> = api.store.load(id).await.unwrap();
        let recovery_id = RecoveryId::new(clock.new_id());
        let key = DeviceKey("B".repeat(43));
        let by = Who::new(Role::Client, me);
        write(api, client::begin_recovery(&known, recovery_id, key, by, clock.now()).unwrap()).await;
        self.keep("recoveries", recovery_id);
        self.keep("sessions", opened.session.id);
        self.keep("challenges", clock.new_id());
        let colleague = clock.new_id();
        work(api, colleague, Role::Support).await;
        self.keep("accounts", colleague);
    }

    /// What a manager sets up, and a key.
    async fn kept(&mut self, api: &Api, who: &People) {
        let now = api.store.clock().now();
        let code = json!({
            "code": "MATRIX", "site_id": self.id("sites"), "percent_basis_points": 1000,
            "valid": { "from": now.to_rfc3339(), "to": (now + TimeDelta::days(30)).to_rfc3339() },
            "budget": { "amount": 100_000, "currency": "XOF" },
        });
        let ended = {
            let mut other = code.clone();
            other["code"] = json!("ENDED");
            api.post(who.manager, "/v1/promotions", other).await.is(201).text("/id").to_owned()
        };
        api.post(who.manager, &format!("/v1/promotions/{ended}/end"), json!({})).await;
        self.keep("gone promotions", ended);
        let promotion = api.post(who.manager, "/v1/promotions", code).await.is(201);
        self.keep("promotions", promotion.text("/id"));
        let during = json!({ "from": api.midday(40).to_rfc3339(), "to": api.midday(41).to_rfc3339() });
        let path = format!("/v1/sites/{}", self.site);
        let closure = json!({ "during": during, "reason": "maintenance" });
        let closure = api.post(who.manager, &format!("{path}/closures"), closure).await.is(201);
        self.keep("closure_id", closure.text("/id"));
        let float = json!({ "float": { "amount": 20_000, "currency": "XOF" } });
        api.settle().await;
        let till: Answer = api.post(who.manager, &format!("{path}/till/opening"), float).await.is(200);
        self.keep("position", till.position());
        let wanted = json!({ "url": format!("http://127.0.0.1:9/{}", self.site), "types": ["till.*"] });
        let endpoint = api.post(who.service, "/v1/endpoints", wanted).await.is(201);
        self.keep("endpoints", endpoint.text("/id"));
        self.secrets.push(endpoint.text("/secret").to_owned());
        self.keep("keys", spare_key(api).await);
        let revoked = spare_key(api).await;
        revoke(api, domain::ids::KeyId::new(revoked)).await;
        self.keep("gone keys", revoked);
    }

    /// A client who was here, and is forgotten.
    pub async fn forget_somebody(&mut self, api: &Api, name: &'static str) {
        let mut body = slot(self.id("sites"), "sud", api.midday(20), 60);
        body["client"] = json!({ "phone": "+221770009911" });
        let held = api.post(name, "/v1/reservations", body).await.is(201);
        api.post(name, &format!("/v1/reservations/{}/cancellation", held.text("/id")), json!({})).await.is(200);
        api.settle().await;
        let id = api.principal(name);
        let path = format!("/v1/clients/{id}/erasure");
        let (erased, ()) = tokio::join!(api.post(name, &path, json!({})), api.settle());
        erased.is(200);
        self.keep("gone clients", id);
    }
}
