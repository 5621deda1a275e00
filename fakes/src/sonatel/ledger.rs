//! The fake's own books: every movement once, with the balance after it.

use std::collections::HashSet;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use crate::{clock::seconds, server::lock};

/// What a movement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Opening,
    Adjustment,
    Payment,
    Cashin,
    /// A cash-in that was accepted and failed later.
    CashinReversal,
}

/// A movement. Amounts in francs, positive when money comes in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub number: usize,
    #[serde(serialize_with = "in_seconds")]
    pub at: DateTime<Utc>,
    pub kind: Kind,
    pub transaction_id: String,
    /// What the other side paid or received, signed from the account's side.
    pub gross: i64,
    /// What Sonatel keeps.
    pub fee: i64,
    /// `gross - fee`: what the balance changes by.
    pub net: i64,
    pub balance: i64,
    pub client_reference: Option<String>,
    pub counterparty_mobile: Option<String>,
}

fn in_seconds<S: serde::Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&seconds(*at))
}

/// What a movement is about; the ledger adds number and balance.
pub(crate) struct Movement<'a> {
    pub at: DateTime<Utc>,
    pub kind: Kind,
    pub transaction_id: &'a str,
    pub gross: i64,
    pub fee: i64,
    pub reference: Option<&'a str>,
    pub customer: Option<&'a str>,
}

/// Movements in order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger(Vec<Entry>);

impl Ledger {
    pub(crate) fn balance(&self) -> i64 {
        self.0.last().map_or(0, |entry| entry.balance)
    }

    pub(crate) fn post(&mut self, movement: &Movement<'_>) {
        let net = movement.gross - movement.fee;
        self.0.push(Entry {
            number: self.0.len() + 1,
            at: movement.at,
            kind: movement.kind,
            transaction_id: movement.transaction_id.to_owned(),
            gross: movement.gross,
            fee: movement.fee,
            net,
            balance: self.balance() + net,
            client_reference: movement.reference.map(str::to_owned),
            counterparty_mobile: movement.customer.map(|msisdn| format!("+221{msisdn}")),
        });
    }

    /// Sets the balance.
    pub(crate) fn adjust(&mut self, kind: Kind, balance: i64, at: DateTime<Utc>) {
        let gross = balance - self.balance();
        self.post(&Movement { at, kind, transaction_id: "", gross, fee: 0, reference: None, customer: None });
    }

    fn gross(&self, kind: Kind) -> i64 {
        self.0.iter().filter(|entry| entry.kind == kind).map(|entry| entry.gross).sum()
    }

    /// References that occur more than once among the entries of one kind, undone ones not counted.
    fn repeated(&self, kind: Kind) -> Vec<&str> {
        let undone: HashSet<_> = self.of(Kind::CashinReversal).map(|entry| &entry.transaction_id).collect();
        let mut seen = HashSet::new();
        let counted = self.of(kind).filter(|entry| !undone.contains(&entry.transaction_id));
        counted.filter_map(|entry| entry.client_reference.as_deref()).filter(|name| !seen.insert(*name)).collect()
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(move |entry| entry.kind == kind)
    }
}

/// The books, with what should never be: one reference paid or paid out more than once.
pub(crate) async fn show(State(sonatel): App) -> Json<Value> {
    let books = lock(&sonatel.books);
    let ledger = &books.ledger;
    Json(json!({
        "currency": "XOF",
        "balance": ledger.balance(),
        "entries": ledger.0,
        "totals": {
            "charged": ledger.gross(Kind::Payment),
            // Sonatel takes no payment back; what goes back goes by cash-in.
            "refunded": 0,
            "paid_out": -ledger.gross(Kind::Cashin) - ledger.gross(Kind::CashinReversal),
        },
        "repeated": { "charges": ledger.repeated(Kind::Payment), "payouts": ledger.repeated(Kind::Cashin) },
    }))
}
