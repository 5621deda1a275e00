//! The fake's own books: every movement once, with the balance after it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::wallet::{Env, Sale};
use crate::clock::seconds;

/// What a movement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Opening,
    Adjustment,
    Sale,
    Refund,
}

/// What a movement is about; the ledger adds number and balance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Movement {
    #[serde(serialize_with = "in_seconds")]
    pub at: DateTime<Utc>,
    pub kind: Kind,
    /// What the payer was really debited, or given back: francs, positive when money comes in.
    pub gross: i64,
    /// What PayTech keeps.
    pub fee: i64,
    /// The price that the merchant asked for, before promotions.
    pub asked: Option<i64>,
    pub env: Option<Env>,
    pub token: Option<String>,
    pub client_reference: Option<String>,
    pub method: Option<String>,
    pub counterparty_mobile: Option<String>,
}

impl Movement {
    pub(crate) fn opening(amount: i64, at: DateTime<Utc>) -> Self {
        Self {
            at,
            kind: Kind::Opening,
            gross: amount,
            fee: 0,
            asked: None,
            env: None,
            token: None,
            client_reference: None,
            method: None,
            counterparty_mobile: None,
        }
    }

    pub(crate) fn of(sale: &Sale, kind: Kind, gross: i64, fee: i64, at: DateTime<Utc>) -> Self {
        Self {
            at,
            kind,
            gross,
            fee,
            asked: Some(sale.order.item_price),
            env: Some(sale.order.env),
            token: Some(sale.token.clone()),
            client_reference: Some(sale.order.ref_command.clone()),
            method: sale.paid.as_ref().map(|paid| paid.method.clone()),
            counterparty_mobile: sale.paid.as_ref().map(|paid| paid.phone.clone()),
        }
    }
}

fn in_seconds<S: serde::Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&seconds(*at))
}

/// A movement in the books.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub number: usize,
    #[serde(flatten)]
    pub movement: Movement,
    /// `gross - fee`: what the balance changes by.
    pub net: i64,
    pub balance: i64,
}

/// Movements in order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger(Vec<Entry>);

impl Ledger {
    pub(crate) fn balance(&self) -> i64 {
        self.0.last().map_or(0, |entry| entry.balance)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.0
    }

    pub(crate) fn post(&mut self, movement: Movement) {
        let net = movement.gross - movement.fee;
        self.0.push(Entry { number: self.0.len() + 1, net, balance: self.balance() + net, movement });
    }

    pub(crate) fn set_balance(&mut self, amount: i64, at: DateTime<Utc>) {
        let difference = amount - self.balance();
        self.post(Movement { kind: Kind::Adjustment, ..Movement::opening(difference, at) });
    }

    /// Francs of one kind, signed.
    pub(crate) fn gross(&self, kind: Kind) -> i64 {
        self.0.iter().map(|entry| &entry.movement).filter(|of| of.kind == kind).map(|of| of.gross).sum()
    }

    /// References that occur more than once among the movements of one kind.
    pub(crate) fn repeated(&self, kind: Kind) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        let of_kind = self.0.iter().map(|entry| &entry.movement).filter(|of| of.kind == kind);
        of_kind.filter_map(|of| of.client_reference.as_deref()).filter(|reference| !seen.insert(*reference)).collect()
    }
}
