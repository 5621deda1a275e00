//! Whole deeds of a tale: booking, paying, cancelling, as an engine without a mistake records them.

use serde_json::{Value, json};

use super::tale::{DEPOSIT, FINE, SITE, TOTAL, Tale, client, francs, hour, id, slot};

/// A reservation of the tale; its payment has the number behind it, its refund the one behind that.
#[derive(Clone, Copy)]
pub struct Deed {
    pub reservation: u128,
    pub pitch: u128,
    pub at: i64,
}

impl Deed {
    pub const fn new(reservation: u128, pitch: u128, at: i64) -> Self {
        Self { reservation, pitch, at }
    }

    pub const fn payment(self) -> u128 {
        self.reservation + 1
    }

    pub const fn refund(self) -> u128 {
        self.reservation + 2
    }

    pub fn reference(self) -> String {
        format!("ref-{:x}", self.payment())
    }

    pub fn transaction(self) -> String {
        format!("T-{:x}", self.payment())
    }

    pub fn wish(self, who: &str) -> Value {
        json!({ "site": id(SITE), "pitch": id(self.pitch), "starts_at": hour(self.at), "minutes": 60,
                "pays": "deposit", "as": who })
    }

    pub fn said(self, status: &str) -> Value {
        json!({ "reservation": id(self.reservation), "status": status })
    }

    fn of(self, rest: Value) -> Value {
        let mut data = json!({ "reservation_id": id(self.reservation), "payment_id": id(self.payment()),
                               "refund_id": id(self.refund()), "client_id": client(), "site_id": id(SITE) });
        data.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        data
    }

    fn share(self, amount: i64) -> Value {
        json!([{ "payment_id": id(self.payment()), "refund_id": id(self.refund()), "amount": francs(amount) }])
    }
}

impl Tale {
    pub fn price(&self) -> Value {
        json!({ "total": francs(TOTAL), "deposit": francs(DEPOSIT), "lines": [] })
    }

    /// `reservation.held`, by this role.
    pub fn hold(&mut self, deed: Deed, role: &str) {
        let by = json!({ "role": role, "id": id(0xace) });
        let (price, policy) = (self.price(), json!({ "free_cancellation_minutes": 720 }));
        let slot = slot(deed.pitch, deed.at);
        let data = deed.of(json!({ "slot": slot, "placed_by": by, "price": price, "policy": policy }));
        self.event(deed.reservation, "reservation.held", data);
    }

    pub fn request(&mut self, deed: Deed, method: &str) {
        let data = json!({ "method": method, "reference": deed.reference(), "amount": francs(DEPOSIT) });
        self.event(deed.payment(), "payment.requested", deed.of(data));
    }

    /// Placed and answered: held, with a checkout open.
    pub fn book(&mut self, deed: Deed, key: &str) {
        let call = self.invoke("place", Some(key), deed.wish("service"));
        self.hold(deed, "service");
        self.request(deed, "wave");
        self.ok(call, deed.said("held"));
        self.event(deed.payment(), "payment.opened", deed.of(json!({})));
    }

    /// The payer pays, the provider moves the money.
    pub fn charge(&mut self, deed: Deed, amount: i64) {
        let about = json!({ "reservation": id(deed.reservation), "reference": deed.reference() });
        let call = self.invoke("pay", None, about);
        self.move_money("api_checkout", &deed.transaction(), amount, &deed.reference());
        self.ok(call, json!({}));
    }

    /// `payment.succeeded`, of which so much became credit.
    pub fn land(&mut self, deed: Deed, method: &str, amount: i64, credited: i64) {
        let data = json!({ "transaction": deed.transaction(), "method": method, "received": francs(amount),
                           "credited": francs(credited) });
        self.event(deed.payment(), "payment.succeeded", deed.of(data));
    }

    pub fn receive(&mut self, deed: Deed) {
        let data = deed.of(json!({ "amount": francs(DEPOSIT) }));
        self.event(deed.reservation, "reservation.payment_received", data);
    }

    pub fn confirm(&mut self, deed: Deed, kind: &str, reclaims: bool) {
        let reclaims = if reclaims { slot(deed.pitch, deed.at) } else { Value::Null };
        let grounds = json!({ "kind": kind, "by": { "role": "manager", "id": id(0xace) } });
        let data = deed.of(json!({ "grounds": grounds, "reclaims": reclaims }));
        self.event(deed.reservation, "reservation.confirmed", data);
        self.sms(deed, "confirmed");
    }

    fn sms(&mut self, deed: Deed, word: &str) {
        let text = format!("{word} {:x}", deed.reservation);
        self.sms.push(crate::Sms { to: "+221770000001".into(), text });
    }

    /// Paid in time.
    pub fn pay(&mut self, deed: Deed) {
        self.charge(deed, DEPOSIT);
        self.land(deed, "wave", DEPOSIT, 0);
        self.receive(deed);
        self.confirm(deed, "payment", false);
    }

    pub fn expire(&mut self, deed: Deed) {
        self.event(deed.payment(), "payment.expired", deed.of(json!({})));
        self.event(deed.reservation, "reservation.expired", deed.of(json!({})));
    }

    /// Any event of the reservation that says nothing but whose it is.
    pub fn plain(&mut self, deed: Deed, name: &str) {
        self.event(deed.reservation, name, deed.of(json!({})));
    }

    /// Nobody came; the deposit is kept.
    pub fn miss(&mut self, deed: Deed) {
        let data = deed.of(json!({ "kept": francs(DEPOSIT), "refunds": [], "fine": francs(FINE) }));
        self.event(deed.reservation, "reservation.no_show", data);
        self.fine(deed, "client.fined", json!({}));
    }

    /// What happens to the fine of whoever did not come.
    pub fn fine(&mut self, deed: Deed, name: &str, rest: Value) {
        let mut data = json!({ "amount": francs(FINE) });
        data.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        self.event(client().as_u128(), name, deed.of(data));
    }

    /// `client.fine_decided`, by this role.
    pub fn decide(&mut self, deed: Deed, verdict: &str, role: &str) {
        let at = self.now + self.ahead;
        let by = json!({ "role": role, "id": id(0xace) });
        self.fine(deed, "client.fine_decided", json!({ "verdict": verdict, "by": by, "at": at }));
    }

    /// Another payment of the same reservation pays its fine.
    pub fn pay_fine(&mut self, deed: Deed, by: Deed) {
        let of = |rest: Value| {
            let mut data = by.of(rest);
            data["reservation_id"] = json!(id(deed.reservation));
            data
        };
        let asked = json!({ "method": "wave", "reference": by.reference(), "amount": francs(FINE) });
        self.event(by.payment(), "payment.requested", of(asked));
        self.event(by.payment(), "payment.opened", of(json!({})));
        self.charge(Deed { reservation: by.reservation, ..deed }, FINE);
        let paid = json!({ "transaction": by.transaction(), "method": "wave", "received": francs(FINE),
                           "credited": francs(0) });
        self.event(by.payment(), "payment.succeeded", of(paid));
    }

    /// `client.fine_settled`, by that payment.
    pub fn settle_fine(&mut self, deed: Deed, by: Deed) {
        self.fine(deed, "client.fine_settled", json!({ "payment_id": id(by.payment()) }));
    }

    /// `reservation.cancelled`, with everything on its way back.
    pub fn call_off(&mut self, deed: Deed) {
        let at = self.now + self.ahead;
        let data = json!({ "reason": "client", "by": { "role": "service", "id": id(0xace) }, "at": at,
                           "refunds": deed.share(DEPOSIT), "kept": francs(0) });
        self.event(deed.reservation, "reservation.cancelled", deed.of(data));
        self.ask_back(deed, "whole_transaction", DEPOSIT);
    }

    /// A refund by rule: allotted, requested, approved.
    pub fn ask_back(&mut self, deed: Deed, route: &str, amount: i64) {
        let data = deed.of(json!({ "amount": francs(amount), "method": "wave", "route": route }));
        self.event(deed.payment(), "payment.refund_allotted", data.clone());
        self.event(deed.refund(), "refund.requested", data.clone());
        self.event(deed.refund(), "refund.approved", data);
    }

    pub fn submit(&mut self, deed: Deed, route: &str, attempt: u16) {
        let data = json!({ "route": route, "reference": payout(deed, attempt), "attempt": attempt });
        self.event(deed.refund(), "refund.submitted", deed.of(data));
    }

    pub fn refund(&mut self, deed: Deed, name: &str) {
        self.event(deed.refund(), name, deed.of(json!({})));
    }

    /// `refund.succeeded`.
    pub fn paid_back(&mut self, deed: Deed, route: &str, amount: i64) {
        let data = deed.of(json!({ "route": route, "amount": francs(amount) }));
        self.event(deed.refund(), "refund.succeeded", data);
    }

    /// `client.credited`.
    pub fn credit(&mut self, deed: Deed, amount: i64) {
        let stream = client().as_u128();
        self.event(stream, "client.credited", deed.of(json!({ "amount": francs(amount) })));
    }

    /// `client.credit_spent`.
    pub fn spend(&mut self, deed: Deed, amount: i64) {
        let stream = client().as_u128();
        self.event(stream, "client.credit_spent", deed.of(json!({ "amount": francs(amount) })));
    }

    /// `reservation.rescheduled` from where it was placed.
    pub fn shift(&mut self, deed: Deed, to: Deed) {
        let (from, to) = (slot(deed.pitch, deed.at), slot(to.pitch, to.at));
        let data = json!({ "from": from, "to": to, "price": self.price(), "refunds": [] });
        self.event(deed.reservation, "reservation.rescheduled", deed.of(data));
    }

    /// `site.closure_scheduled` or `site.closure_lifted`.
    pub fn closure(&mut self, name: &str, pitch: u128, at: i64) {
        let slot = slot(pitch, at);
        let data = json!({ "site_id": id(SITE), "closure_id": id(0xc105), "cells": slot["cells"],
                           "during": slot["during"], "hits": [] });
        self.event(SITE, name, data);
    }
}

/// The reference of a payout.
pub fn payout(deed: Deed, attempt: u16) -> String {
    format!("back-{:x}-{attempt}", deed.refund())
}
