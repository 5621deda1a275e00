//! The state behind the API: invoices, disbursements, ledger.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    ledger::{Kind, Ledger, Movement},
    quirks::{Amounts, Quirks, StatusAt},
};

type Time = DateTime<Utc>;

/// Real money or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    Test,
    Live,
}

/// Where an invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Pending,
    Completed,
    Cancelled,
    Failed,
}

impl Stage {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

/// Where browsers and callbacks go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Actions {
    pub cancel_url: Option<String>,
    pub return_url: Option<String>,
    pub callback_url: Option<String>,
}

/// An invoice to be paid on PayDunya's page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Invoice {
    pub token: String,
    pub mode: Mode,
    pub total_amount: i64,
    pub description: String,
    pub channels: Vec<String>,
    pub store_name: String,
    pub custom_data: Map<String, Value>,
    pub actions: Actions,
    pub stage: Stage,
    pub fail_reason: Option<String>,
    pub payer: Option<String>,
    /// A push of SoftPay is on this telephone.
    pub pushed_to: Option<String>,
    pub created: Time,
}

impl Invoice {
    pub(crate) fn reference(&self) -> Option<&str> {
        self.custom_data.get("reference")?.as_str()
    }

    /// What `confirm` answers; a callback says the same.
    pub(crate) fn json(&self, quirks: &Quirks, hash: &str, public_url: &str) -> Value {
        let mut body = json!({
            "response_code": "00",
            "response_text": "Transaction Found",
            "hash": hash,
            "mode": self.mode,
            "invoice": {
                "token": self.token,
                "total_amount": quirks.amounts.write(self.total_amount),
                "description": self.description,
                "channels": self.channels,
            },
            "custom_data": self.custom_data,
            "actions": self.actions,
            "customer": { "name": "", "email": "", "phone": self.payer.as_deref().unwrap_or_default() },
        });
        let (top, inner) = match quirks.status_at {
            StatusAt::Top => (Some(self.stage), None),
            StatusAt::Invoice => (None, Some(self.stage)),
            StatusAt::Both => (Some(self.stage), Some(self.stage)),
            StatusAt::Contradicting => (Some(self.stage), Some(Stage::Pending)),
        };
        if let Some(stage) = top {
            body["status"] = json!(stage.name());
        }
        if let Some(stage) = inner {
            body["invoice"]["status"] = json!(stage.name());
        }
        if self.stage == Stage::Completed {
            body["receipt_url"] = json!(format!("{public_url}/checkout/receipt/{}.pdf", self.token));
        }
        if let Some(reason) = &self.fail_reason {
            body["fail_reason"] = json!(reason);
        }
        body
    }
}

impl Amounts {
    pub(crate) fn write(self, amount: i64) -> Value {
        match self {
            Self::Number => json!(amount),
            // Francs are far below where a double loses whole numbers.
            Self::Float => json!(amount as f64),
            Self::Text => json!(amount.to_string()),
            Self::Decimals => json!(format!("{amount}.00")),
        }
    }
}

/// Where a disbursement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Progress {
    /// Not submitted.
    Created,
    /// At the operator.
    Pending,
    Success,
    Failed,
}

/// Money on its way to somebody's wallet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Disbursement {
    pub token: String,
    pub account_alias: String,
    pub amount: i64,
    pub fee: i64,
    pub withdraw_mode: String,
    pub callback_url: String,
    pub progress: Progress,
    pub disburse_id: Option<String>,
    pub transaction_id: Option<String>,
    pub provider_ref: Option<String>,
    pub updated: Time,
}

impl Disbursement {
    /// What `check-status` answers, without its code; a callback says the same.
    pub(crate) fn json(&self, amounts: Amounts) -> Value {
        let mut body = json!({
            "status": self.progress,
            "token": self.token,
            "withdraw_mode": self.withdraw_mode,
            "amount": amounts.write(self.amount),
            "updated_at": self.updated.format("%d/%m/%Y %H:%M:%S").to_string(),
        });
        let optional = [
            ("disburse_id", &self.disburse_id),
            ("transaction_id", &self.transaction_id),
            ("disburse_tx_id", &self.provider_ref),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        body
    }

    pub(crate) fn movement(&self, kind: Kind, at: Time) -> Movement {
        // Money goes out with the submission and comes back, fee included, when the operator fails.
        let sign = if kind == Kind::ApiPayout { 1 } else { -1 };
        Movement {
            at,
            kind,
            transaction_id: self.transaction_id.clone().unwrap_or_default(),
            gross: -sign * self.amount,
            fee: sign * self.fee,
            session_id: None,
            payout_id: Some(self.token.clone()),
            client_reference: self.disburse_id.clone(),
            counterparty_mobile: Some(format!("+221{}", self.account_alias)),
        }
    }
}

/// The whole state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Books {
    /// By number of creation.
    pub invoices: BTreeMap<u64, Invoice>,
    pub disbursements: BTreeMap<u64, Disbursement>,
    /// Every `disburse_id` that was submitted and not refused.
    pub used: BTreeSet<String>,
    /// How the next submissions end.
    #[serde(skip)]
    pub scripts: VecDeque<Progress>,
    /// The next invoices are paid before their creation is answered.
    #[serde(skip)]
    pub pay_next_at_once: u32,
    pub ledger: Ledger,
}

impl Books {
    pub(crate) fn new(opening: i64, now: Time) -> Self {
        let mut ledger = Ledger::default();
        ledger.post(Movement::of_ours(Kind::Opening, opening, now));
        Self {
            invoices: BTreeMap::new(),
            disbursements: BTreeMap::new(),
            used: BTreeSet::new(),
            scripts: VecDeque::new(),
            pay_next_at_once: 0,
            ledger,
        }
    }

    pub(crate) fn next_number(&self) -> u64 {
        (self.invoices.len() + self.disbursements.len()) as u64
    }

    pub(crate) fn invoice(&mut self, token: &str) -> Option<&mut Invoice> {
        self.invoices.values_mut().find(|invoice| invoice.token == token)
    }

    /// By token or our reference; the newest of several.
    pub(crate) fn invoice_named(&self, wanted: &str) -> Option<&Invoice> {
        let mut newest_first = self.invoices.values().rev();
        newest_first.find(|invoice| invoice.token == wanted || invoice.reference() == Some(wanted))
    }

    pub(crate) fn disbursement(&mut self, token: &str) -> Option<&mut Disbursement> {
        self.disbursements.values_mut().find(|disbursement| disbursement.token == token)
    }

    pub(crate) fn set_balance(&mut self, amount: i64, now: Time) {
        let difference = amount - self.ledger.balance();
        self.ledger.post(Movement::of_ours(Kind::Adjustment, difference, now));
    }
}
