//! The state behind the API: QR codes, transactions, customers, callbacks, ledger. Every change of money happens here.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Amounts, Callback,
    error::{Answer, INSUFFICIENT_FUNDS, Problem},
    ledger::{self, Ledger, Movement},
};
use crate::clock::seconds;

type Time = DateTime<Utc>;

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Success,
    Failed,
    Rejected,
    Cancelled,
    Initiated,
    PreInitiated,
    Pending,
    Accepted,
}

impl Status {
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Initiated | Self::PreInitiated | Self::Pending | Self::Accepted)
    }

    /// Money has moved, or may yet.
    pub(crate) const fn has_a_claim(self) -> bool {
        matches!(self, Self::Success) || self.is_open()
    }
}

/// What kind of transaction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Kind {
    MerchantPayment,
    WebPayment,
    Cashin,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::MerchantPayment => "MP",
            Self::WebPayment => "WP",
            Self::Cashin => "CI",
        }
    }
}

/// A QR code: payable until it ends, whatever the merchant thinks of it meanwhile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Qr {
    pub id: String,
    pub amount: i64,
    pub name: String,
    pub reference: String,
    pub success_url: Option<String>,
    pub cancel_url: Option<String>,
    /// `X-Callback-Url`
    pub callback_url: Option<String>,
    pub single_use: bool,
    pub metadata: Map<String, Value>,
    pub created: Time,
    pub expires: Time,
    pub last_error: Option<String>,
}

/// A transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub transaction_id: String,
    pub kind: Kind,
    pub status: Status,
    pub amount: i64,
    pub reference: String,
    pub metadata: Map<String, Value>,
    /// 9 digits: who pays, or who gets a cash-in.
    pub customer: String,
    pub partner: String,
    pub qr: Option<String>,
    pub error: Option<String>,
    pub created: Time,
    pub updated: Time,
}

impl Row {
    /// As the API and the webhooks show it.
    pub(crate) fn json(&self, amounts: Amounts) -> Value {
        let value = match amounts {
            #[expect(clippy::cast_precision_loss, reason = "francs are far below 2^53")]
            Amounts::Float => json!(self.amount as f64),
            Amounts::Integer => json!(self.amount),
            Amounts::Text => json!(self.amount.to_string()),
        };
        let partner = if self.kind == Kind::Cashin { "MSISDN" } else { "CODE" };
        json!({
            "amount": { "value": value, "unit": "XOF" },
            "requestDate": seconds(self.created),
            "reference": self.reference,
            "metadata": self.metadata,
            "receiveNotification": true,
            "partner": { "id": self.partner, "idType": partner, "walletType": "PRINCIPAL" },
            "customer": { "id": self.customer, "idType": "MSISDN", "walletType": "PRINCIPAL" },
            "type": self.kind,
            "transactionId": self.transaction_id,
            "createdAt": seconds(self.created),
            "updatedAt": seconds(self.updated),
            "channel": if self.kind == Kind::Cashin { "API" } else { "MAXIT" },
            "status": self.status,
        })
    }
}

/// A transaction to be made.
pub(crate) struct Draft {
    pub kind: Kind,
    pub amount: i64,
    pub reference: String,
    pub metadata: Map<String, Value>,
    pub customer: String,
    pub partner: String,
    pub qr: Option<String>,
}

/// What is the matter with a customer, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// As everybody who is not listed.
    Active,
    Blocked,
    /// Has no account.
    Unknown,
    /// Has an account with nothing in it.
    Poor,
}

/// A callback as registered by call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Registered {
    pub callback: Callback,
    pub name: String,
    pub created: Time,
}

/// The whole state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Books {
    pub qrs: Vec<Qr>,
    pub rows: Vec<Row>,
    pub registered: Option<Registered>,
    pub customers: BTreeMap<String, Standing>,
    /// Customer → one-time code that is good for one payment.
    pub otps: BTreeMap<String, String>,
    pub current_key: u32,
    pub ledger: Ledger,
    /// How the next transactions come out, instead of SUCCESS.
    #[serde(skip)]
    pub next: VecDeque<Status>,
    /// The next QR codes are paid before their creation is answered.
    #[serde(skip)]
    pub pay_at_once: u32,
}

impl Books {
    pub(crate) fn new(opening: i64, registered: Option<Registered>, now: Time) -> Self {
        let mut ledger = Ledger::default();
        ledger.adjust(ledger::Kind::Opening, opening, now);
        Self {
            qrs: Vec::new(),
            rows: Vec::new(),
            registered,
            customers: BTreeMap::new(),
            otps: BTreeMap::new(),
            current_key: 0,
            ledger,
            next: VecDeque::new(),
            pay_at_once: 0,
        }
    }

    /// How many things have been given an id.
    pub(crate) fn things(&self) -> u64 {
        (self.qrs.len() + self.rows.len()) as u64
    }

    pub(crate) fn standing(&self, msisdn: &str) -> Standing {
        self.customers.get(msisdn).copied().unwrap_or(Standing::Active)
    }

    /// By its id; or the newest of a reference.
    pub(crate) fn qr(&self, wanted: &str) -> Option<&Qr> {
        self.qrs.iter().rev().find(|qr| qr.id == wanted || qr.reference == wanted)
    }

    pub(crate) fn qr_mut(&mut self, id: &str) -> Option<&mut Qr> {
        self.qrs.iter_mut().find(|qr| qr.id == id)
    }

    /// By its id; or the newest of a reference.
    pub(crate) fn row(&self, wanted: &str) -> Option<&Row> {
        self.rows.iter().rev().find(|row| row.transaction_id == wanted || row.reference == wanted)
    }

    /// Whether somebody paid with it, or may have.
    pub(crate) fn used(&self, qr: &str) -> bool {
        self.rows.iter().any(|row| row.qr.as_deref() == Some(qr) && row.status.has_a_claim())
    }

    /// Makes a transaction in `status` and moves its money.
    ///
    /// # Errors
    /// 2020 for a cash-in that the balance does not cover; nothing was made then.
    pub(crate) fn make(
        &mut self,
        draft: Draft,
        status: Status,
        error: Option<String>,
        fee_bps: i64,
        now: Time,
    ) -> Answer<Row> {
        let Draft { kind, amount, reference, metadata, customer, partner, qr } = draft;
        let cashin = kind == Kind::Cashin && status.has_a_claim();
        if cashin && self.ledger.balance() < amount {
            return Err(Problem::refused(INSUFFICIENT_FUNDS, "The balance is insufficient"));
        }
        let number = self.rows.len() + 1;
        let transaction_id = format!("{}{}.A{number:05}", kind.prefix(), now.format("%y%m%d.%H%M"));
        let row = Row {
            transaction_id,
            kind,
            status,
            amount,
            reference,
            metadata,
            customer,
            partner,
            qr,
            error,
            created: now,
            updated: now,
        };
        self.rows.push(row.clone());
        if cashin {
            self.move_money(&row, ledger::Kind::Cashin, -amount, 0, now);
        } else if status == Status::Success {
            self.move_money(&row, ledger::Kind::Payment, amount, amount * fee_bps / 10_000, now);
        }
        Ok(row)
    }

    /// Ends a transaction that is open. `None` when there is no such one.
    pub(crate) fn end(&mut self, wanted: &str, status: Status, fee_bps: i64, now: Time) -> Option<Row> {
        let same = |row: &&mut Row| row.transaction_id == wanted || row.reference == wanted;
        let row = self.rows.iter_mut().rev().filter(same).find(|row| row.status.is_open())?;
        row.status = status;
        row.updated = now;
        let row = row.clone();
        if row.kind == Kind::Cashin {
            if !status.has_a_claim() {
                self.move_money(&row, ledger::Kind::CashinReversal, row.amount, 0, now);
            }
        } else if status == Status::Success {
            self.move_money(&row, ledger::Kind::Payment, row.amount, row.amount * fee_bps / 10_000, now);
        }
        Some(row)
    }

    fn move_money(&mut self, row: &Row, kind: ledger::Kind, gross: i64, fee: i64, at: Time) {
        let (transaction_id, reference, customer) = (&*row.transaction_id, Some(&*row.reference), Some(&*row.customer));
        self.ledger.post(&Movement { at, kind, transaction_id, gross, fee, reference, customer });
    }
}
