//! The fake's own books: every movement once, with the balance after it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock::seconds;

/// What a movement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Opening,
    Adjustment,
    ApiCheckout,
    ApiPayout,
    /// A disbursement that was on its way and failed: money and fee come back.
    ApiPayoutReversal,
}

/// What a movement is about; the ledger adds number and balance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Movement {
    #[serde(serialize_with = "in_seconds")]
    pub at: DateTime<Utc>,
    pub kind: Kind,
    pub transaction_id: String,
    /// What the other side paid or received, signed from the account's side.
    pub gross: i64,
    /// What PayDunya keeps; negative when it gives the fee back.
    pub fee: i64,
    /// The invoice's token.
    pub session_id: Option<String>,
    /// The disbursement's token.
    pub payout_id: Option<String>,
    /// `custom_data.reference` of an invoice, `disburse_id` of a disbursement.
    pub client_reference: Option<String>,
    pub counterparty_mobile: Option<String>,
}

impl Movement {
    /// Money that nobody paid: what was there at the start, and what `/__control` adds.
    pub(crate) fn of_ours(kind: Kind, amount: i64, at: DateTime<Utc>) -> Self {
        Self {
            at,
            kind,
            transaction_id: String::new(),
            gross: amount,
            fee: 0,
            session_id: None,
            payout_id: None,
            client_reference: None,
            counterparty_mobile: None,
        }
    }
}

/// A movement. Amounts in francs, positive when money comes in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub number: usize,
    /// `gross - fee`: what the balance changes by.
    pub net: i64,
    pub balance: i64,
    #[serde(flatten)]
    pub movement: Movement,
}

fn in_seconds<S: serde::Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&seconds(*at))
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
}

/// `rate` basis points of `amount`, rounded down. The real fees are in no document.
pub(crate) const fn fee(amount: i64, rate: i64) -> i64 {
    amount * rate / 10_000
}
