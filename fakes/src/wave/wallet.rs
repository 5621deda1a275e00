//! The state behind the API: sessions, payouts, idempotency keys, ledger. Every change of money happens here.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ledger::{Kind, Ledger, Movement};
use crate::clock::seconds;

type Time = DateTime<Utc>;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    Open,
    /// The payer said no; nothing more can be paid in it.
    Cancelled,
    Complete,
    Expired,
}

/// A checkout session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub id: String,
    pub amount: i64,
    pub client_reference: Option<String>,
    pub success_url: String,
    pub error_url: String,
    pub restrict_payer_mobile: Option<String>,
    pub aggregated_merchant_id: Option<String>,
    pub created: Time,
    pub expires: Time,
    pub completed: Option<Time>,
    pub stage: Stage,
    pub last_error: Option<String>,
    pub transaction_id: Option<String>,
    pub refunded: bool,
}

impl Session {
    fn look(&mut self, now: Time) {
        if matches!(self.stage, Stage::Open | Stage::Cancelled) && now >= self.expires {
            self.stage = Stage::Expired;
        }
    }

    /// The session as the API and the webhooks show it.
    pub(crate) fn json(&self, business_name: &str, public_url: &str) -> Value {
        let (checkout, payment) = match self.stage {
            Stage::Open => ("open", "processing"),
            Stage::Cancelled => ("open", "cancelled"),
            Stage::Complete => ("complete", "succeeded"),
            Stage::Expired => ("expired", "cancelled"),
        };
        let mut body = json!({
            "id": self.id,
            "amount": self.amount.to_string(),
            "checkout_status": checkout,
            "client_reference": self.client_reference,
            "currency": "XOF",
            "error_url": self.error_url,
            "success_url": self.success_url,
            "business_name": business_name,
            "payment_status": payment,
            "last_payment_error": self.last_error.as_deref().map(attempt_error),
            "wave_launch_url": format!("{public_url}/c/{}", self.id),
            "when_created": seconds(self.created),
            "when_expires": seconds(self.expires),
            "when_completed": self.completed.map(seconds),
        });
        let optional = [
            ("transaction_id", &self.transaction_id),
            ("aggregated_merchant_id", &self.aggregated_merchant_id),
            ("restrict_payer_mobile", &self.restrict_payer_mobile),
        ];
        for (name, value) in optional {
            if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
                body.insert(name.to_owned(), Value::String(value.clone()));
            }
        }
        body
    }
}

pub(crate) fn attempt_error(code: &str) -> Value {
    json!({ "code": code, "message": format!("The payment failed: {code}") })
}

/// What became of a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PayoutStage {
    Processing,
    Succeeded,
    Failed,
    Reversed,
}

/// A payout.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payout {
    pub id: String,
    pub receive_amount: i64,
    pub fee: i64,
    pub mobile: String,
    pub name: Option<String>,
    pub national_id: Option<String>,
    pub payment_reason: Option<String>,
    pub client_reference: Option<String>,
    pub aggregated_merchant_id: Option<String>,
    pub stage: PayoutStage,
    pub error: Option<String>,
    pub at: Time,
}

impl Payout {
    pub(crate) fn json(&self) -> Value {
        let status = match self.stage {
            PayoutStage::Processing => "processing",
            PayoutStage::Succeeded => "succeeded",
            PayoutStage::Failed => "failed",
            PayoutStage::Reversed => "reversed",
        };
        let error = self
            .error
            .as_deref()
            .map(|code| json!({ "error_code": code, "error_message": format!("The payout failed: {code}") }));
        let mut body = json!({
            "id": self.id,
            "currency": "XOF",
            "receive_amount": self.receive_amount.to_string(),
            "fee": self.fee.to_string(),
            "mobile": self.mobile,
            "status": status,
            "timestamp": seconds(self.at),
        });
        let optional = [
            ("name", self.name.clone().map(Value::String)),
            ("national_id", self.national_id.clone().map(Value::String)),
            ("payment_reason", self.payment_reason.clone().map(Value::String)),
            ("client_reference", self.client_reference.clone().map(Value::String)),
            ("aggregated_merchant_id", self.aggregated_merchant_id.clone().map(Value::String)),
            ("payout_error", error),
        ];
        for (name, value) in optional {
            if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
                body.insert(name.to_owned(), value);
            }
        }
        body
    }

    pub(crate) fn movement(&self, kind: Kind, transaction_id: String, at: Time) -> Movement {
        // Money goes out with the payout and comes back, fee included, with its reversal.
        let sign = if kind == Kind::ApiPayout { 1 } else { -1 };
        Movement {
            at,
            kind,
            transaction_id,
            gross: -sign * self.receive_amount,
            fee: sign * self.fee,
            session_id: None,
            payout_id: Some(self.id.clone()),
            client_reference: self.client_reference.clone(),
            counterparty_mobile: Some(self.mobile.clone()),
        }
    }
}

/// What `/__control` wants of a coming payout.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub stage: PayoutStage,
    pub code: Option<String>,
}

/// The whole state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wallet {
    /// By number of creation.
    pub sessions: BTreeMap<u64, Session>,
    pub payouts: BTreeMap<u64, Payout>,
    /// Idempotency key → body as first sent, and the payout it made.
    pub keys: HashMap<String, (Value, u64)>,
    #[serde(skip)]
    pub scripts: VecDeque<Script>,
    /// The next session created is paid before its creation is answered.
    #[serde(skip)]
    pub pay_next_at_once: u32,
    pub ledger: Ledger,
}

impl Wallet {
    pub(crate) fn new(opening: i64, now: Time) -> Self {
        let mut ledger = Ledger::default();
        ledger.post(adjustment(Kind::Opening, opening, now));
        Self {
            sessions: BTreeMap::new(),
            payouts: BTreeMap::new(),
            keys: HashMap::new(),
            scripts: VecDeque::new(),
            pay_next_at_once: 0,
            ledger,
        }
    }

    pub(crate) fn next_number(&self) -> u64 {
        (self.sessions.len() + self.payouts.len()) as u64
    }

    /// A session as it is now: an unpaid one whose time is over has expired.
    pub(crate) fn session(&mut self, id: &str, now: Time) -> Option<&mut Session> {
        let session = self.sessions.values_mut().find(|session| session.id == id)?;
        session.look(now);
        Some(session)
    }

    /// Sessions that match, oldest first.
    pub(crate) fn sessions(&mut self, now: Time, wanted: impl Fn(&Session) -> bool) -> Vec<Session> {
        let all = self.sessions.values_mut();
        let current = all.map(|session| {
            session.look(now);
            &*session
        });
        current.filter(|session| wanted(session)).cloned().collect()
    }

    pub(crate) fn payout(&mut self, id: &str) -> Option<&mut Payout> {
        self.payouts.values_mut().find(|payout| payout.id == id)
    }

    pub(crate) fn set_balance(&mut self, amount: i64, now: Time) {
        let difference = amount - self.ledger.balance();
        self.ledger.post(adjustment(Kind::Adjustment, difference, now));
    }
}

fn adjustment(kind: Kind, amount: i64, at: Time) -> Movement {
    Movement {
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
