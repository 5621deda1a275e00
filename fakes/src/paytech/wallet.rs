//! The state behind the API: sales and the ledger.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Tells,
    ledger::{Ledger, Movement},
};

type Time = DateTime<Utc>;

/// Where a sale stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Can be paid, for ever.
    Open,
    Complete,
    /// The payer said no; nothing more can be paid in it.
    Cancelled,
    /// `/__control` ended it; PayTech itself is not known to do that.
    Expired,
}

/// What became of giving it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Refund {
    None,
    Pending { due: Time },
    Complete,
}

/// `test` debits a little whatever the price, `prod` the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Env {
    Test,
    Prod,
}

/// A payment request as it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub item_name: String,
    pub item_price: i64,
    pub ref_command: String,
    pub command_name: String,
    pub env: Env,
    pub ipn_url: Option<String>,
    pub refund_notif_url: Option<String>,
    pub success_url: Option<String>,
    pub cancel_url: Option<String>,
    pub custom_field: Option<String>,
    /// Empty: any.
    pub target_payment: Vec<String>,
}

/// How it was paid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Paid {
    pub method: String,
    pub phone: String,
    /// What really left the payer's wallet.
    pub debited: i64,
}

/// A sale, from its request on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sale {
    pub token: String,
    pub order: Order,
    /// The price after promotions.
    pub final_item_price: i64,
    pub promo_percent: Option<u8>,
    pub stage: Stage,
    pub refund: Refund,
    pub paid: Option<Paid>,
    pub last_error: Option<String>,
    pub created: Time,
}

impl Sale {
    pub(crate) fn new(token: String, order: Order, created: Time) -> Self {
        Self {
            token,
            final_item_price: order.item_price,
            order,
            promo_percent: None,
            stage: Stage::Open,
            refund: Refund::None,
            paid: None,
            last_error: None,
            created,
        }
    }

    pub(crate) fn is_due(&self, now: Time) -> bool {
        matches!(self.refund, Refund::Pending { due } if due <= now)
    }

    /// The word of `get-status` for where it stands.
    pub(crate) fn state(&self, tells_refunds: bool) -> &'static str {
        match (self.stage, self.refund) {
            (Stage::Open, _) => "pending",
            (Stage::Cancelled, _) => "canceled",
            (Stage::Expired, _) => "expired",
            (Stage::Complete, Refund::Pending { .. }) if tells_refunds => "refund_pending",
            (Stage::Complete, Refund::Complete) if tells_refunds => "refunded",
            (Stage::Complete, _) => "complete",
        }
    }

    /// What an IPN and `get-status` tell of it.
    pub(crate) fn fields(&self, tells: Tells) -> Map<String, Value> {
        let told = match (&self.paid, tells) {
            (Some(paid), Tells::Debited) => paid.debited,
            _ => self.final_item_price,
        };
        let Order { item_price, ref_command, item_name, command_name, env, custom_field, .. } = &self.order;
        let fields = json!({
            "token": self.token,
            "ref_command": ref_command,
            "item_name": item_name,
            "item_price": item_price,
            "item_price_xof": item_price,
            "final_item_price": told,
            "final_item_price_xof": told,
            "initial_item_price": item_price,
            "initial_item_price_xof": item_price,
            "currency": "XOF",
            "command_name": command_name,
            "env": env,
            "payment_method": self.paid.as_ref().map(|paid| &paid.method),
            "client_phone": self.paid.as_ref().map(|paid| &paid.phone),
            "custom_field": custom_field,
            "promo_enabled": self.promo_percent.is_some(),
            "promo_value_percent": self.promo_percent.unwrap_or(0),
        });
        fields.as_object().cloned().unwrap_or_default()
    }
}

/// The whole state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wallet {
    /// By number of creation.
    sales: BTreeMap<u64, Sale>,
    /// So many sales are paid before their request is answered.
    #[serde(skip)]
    pub at_once: u32,
    pub ledger: Ledger,
}

impl Wallet {
    pub(crate) fn new(opening: i64, now: Time) -> Self {
        let mut ledger = Ledger::default();
        ledger.post(Movement::opening(opening, now));
        Self { sales: BTreeMap::new(), at_once: 0, ledger }
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.sales.len() as u64
    }

    pub(crate) fn add(&mut self, sale: Sale) {
        self.sales.insert(self.next_number(), sale);
    }

    pub(crate) fn sales(&self) -> impl Iterator<Item = &Sale> {
        self.sales.values()
    }

    pub(crate) fn by_token(&self, token: &str) -> Option<&Sale> {
        self.sales().find(|sale| sale.token == token)
    }

    /// By token or `ref_command`.
    pub(crate) fn sale(&self, wanted: &str) -> Option<&Sale> {
        self.sales().find(|sale| sale.token == wanted || sale.order.ref_command == wanted)
    }

    /// By token or `ref_command`.
    pub(crate) fn sale_mut(&mut self, wanted: &str) -> Option<&mut Sale> {
        self.sales.values_mut().find(|sale| sale.token == wanted || sale.order.ref_command == wanted)
    }

    /// When the next refund falls due.
    pub(crate) fn next_refund(&self) -> Option<Time> {
        let due = |sale: &Sale| match sale.refund {
            Refund::Pending { due } => Some(due),
            Refund::None | Refund::Complete => None,
        };
        self.sales().filter_map(due).min()
    }

    /// Whether the sale just requested is to be paid at once.
    pub(crate) fn pay_next_at_once(&mut self) -> bool {
        let at_once = self.at_once > 0;
        self.at_once = self.at_once.saturating_sub(1);
        at_once
    }
}
