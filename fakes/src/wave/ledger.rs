//! The fake's own books: every movement once, with the balance after it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock::seconds;

/// What a movement is, in the words of `/v1/transactions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Opening,
    Adjustment,
    ApiCheckout,
    ApiCheckoutRefund,
    ApiPayout,
    ApiPayoutReversal,
}

/// A movement. Amounts in francs, positive when money comes in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub number: usize,
    #[serde(serialize_with = "in_seconds")]
    pub at: DateTime<Utc>,
    pub kind: Kind,
    pub transaction_id: String,
    /// What the other side paid or received, signed from the wallet's side.
    pub gross: i64,
    /// What Wave keeps; negative when it gives the fee back.
    pub fee: i64,
    /// `gross - fee`: what the wallet's balance changes by.
    pub net: i64,
    pub balance: i64,
    pub session_id: Option<String>,
    pub payout_id: Option<String>,
    pub client_reference: Option<String>,
    pub counterparty_mobile: Option<String>,
}

fn in_seconds<S: serde::Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&seconds(*at))
}

/// What a movement is about; the ledger adds number and balance.
pub(crate) struct Movement {
    pub at: DateTime<Utc>,
    pub kind: Kind,
    pub transaction_id: String,
    pub gross: i64,
    pub fee: i64,
    pub session_id: Option<String>,
    pub payout_id: Option<String>,
    pub client_reference: Option<String>,
    pub counterparty_mobile: Option<String>,
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
        self.0.push(Entry {
            number: self.0.len() + 1,
            at: movement.at,
            kind: movement.kind,
            transaction_id: movement.transaction_id,
            gross: movement.gross,
            fee: movement.fee,
            net,
            balance: self.balance() + net,
            session_id: movement.session_id,
            payout_id: movement.payout_id,
            client_reference: movement.client_reference,
            counterparty_mobile: movement.counterparty_mobile,
        });
    }
}

/// `rate` basis points of `amount`, rounded down to a multiple of 5 francs (Wave's own examples).
pub(crate) const fn fee(amount: i64, rate: i64) -> i64 {
    amount * rate / 10_000 / 5 * 5
}

#[cfg(test)]
mod tests {
    use super::fee;

    #[test]
    fn fees_are_those_of_the_published_examples() {
        let examples = [(500, 5), (1_000, 10), (1_200, 10), (15_000, 150), (16_000, 160)];
        for (amount, expected) in examples {
            assert_eq!(fee(amount, 100), expected);
        }
    }
}
