//! `POST /__control`: what to get wrong next; and what has happened so far.

use std::num::NonZeroU32;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    App, PayTech,
    forge::Forgery,
    hooks::{Order, Plan},
    ledger::Kind,
    settle::{Attempt, Deed},
    wallet::Wallet,
};
use crate::{clock::seconds, control, faults::Fault, server::lock};

/// One instruction: `{"do": "settle", "sale": "<token or ref_command>", "as": "pay"}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Instruction {
    /// The next calls go wrong.
    Fail(Fault),
    /// The next calls of this name are answered with this, HTTP 200, and have no effect.
    Answer {
        call: String,
        body: Value,
        #[serde(default = "once")]
        times: usize,
    },
    /// Nothing goes wrong any more; IPN included.
    Heal,
    /// Changes switches: `{"do": "switch", "set": {"hmac": false}}`.
    Switch { set: Map<String, Value> },
    /// The next IPN are dropped, delayed, duplicated, held or reordered; `times` 0: all from now on.
    Webhooks { next: Plan, times: Option<usize> },
    /// Lets held IPN go.
    Release {
        #[serde(default)]
        order: Order,
    },
    /// Waits until every IPN that is due has been answered.
    Drain,
    /// Sends an IPN that PayTech did not make, or one again.
    Forge(Forgery),
    /// Does what a payer does.
    Settle {
        sale: String,
        r#as: Deed,
        code: Option<String>,
        mobile: Option<String>,
        /// Francs paid instead of the price.
        amount: Option<NonZeroU32>,
    },
    /// A promotion of so many percent on an open sale.
    Promo { sale: String, percent: u8 },
    /// The next sales are paid, and their IPN delivered, before their request is answered.
    PayAtOnce { times: u32 },
    /// A refund that was accepted comes to nothing, silently.
    LoseRefund { sale: String },
    /// Sets the merchant's balance.
    Balance { amount: i64 },
    /// Moves the fake's clock; refunds and retries fall due.
    Advance { seconds: i64 },
    /// Everything as at the start.
    Reset,
}

const fn once() -> usize {
    1
}

pub(crate) async fn act(State(paytech): App, body: Bytes) -> Response {
    let instructions = match control::read::<Instruction>(&body) {
        Ok(instructions) => instructions,
        Err(answer) => return answer,
    };
    let mut results = Vec::new();
    for instruction in instructions {
        match paytech.follow(instruction).await {
            Ok(result) => results.push(result),
            Err(why) => return control::refused(&why),
        }
    }
    Json(json!({ "now": seconds(paytech.clock.now()), "results": results })).into_response()
}

impl PayTech {
    async fn follow(&self, instruction: Instruction) -> Result<Value, String> {
        match instruction {
            Instruction::Fail(fault) => self.faults.add(fault),
            Instruction::Answer { call, body, times } => {
                lock(&self.scripts).extend(std::iter::repeat_n((call, body), times));
            }
            Instruction::Heal => {
                self.faults.heal();
                self.hooks.heal();
                lock(&self.scripts).clear();
            }
            Instruction::Switch { set } => self.switch(set)?,
            Instruction::Webhooks { next, times } => self.hooks.plan(next, times.unwrap_or(1)),
            Instruction::Release { order } => return Ok(json!(self.hooks.release(order).await)),
            Instruction::Drain => {
                self.mature();
                self.hooks.drain().await;
                return Ok(self.hooks.show());
            }
            Instruction::Forge(forgery) => return self.forge(&forgery).await,
            Instruction::Settle { sale, r#as, code, mobile, amount } => {
                let event = self.settle(&sale, r#as, Attempt { code, mobile, amount })?;
                return Ok(json!({ "sale": sale, "event": event }));
            }
            Instruction::Promo { sale, percent } => self.promote(&sale, percent)?,
            Instruction::PayAtOnce { times } => lock(&self.wallet).at_once = times,
            Instruction::LoseRefund { sale } => self.lose_refund(&sale)?,
            Instruction::Balance { amount } => lock(&self.wallet).ledger.set_balance(amount, self.clock.now()),
            Instruction::Advance { seconds } => {
                self.clock.advance(seconds);
                self.mature();
                self.hooks.wake();
            }
            Instruction::Reset => self.reset(),
        }
        Ok(json!("done"))
    }

    fn switch(&self, set: Map<String, Value>) -> Result<(), String> {
        let mut switches = lock(&self.switches);
        let mut all = json!(*switches);
        for (name, value) in set {
            // A name that is new makes the whole unreadable below.
            if let Some(all) = all.as_object_mut() {
                all.insert(name, value);
            }
        }
        *switches = serde_json::from_value(all).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn reset(&self) {
        self.clock.reset();
        self.faults.reset();
        self.hooks.reset();
        lock(&self.scripts).clear();
        *lock(&self.switches) = self.config.switches;
        *lock(&self.wallet) = Wallet::new(self.config.opening_balance, self.clock.now());
    }
}

/// The books, with what should never be: one reference charged or refunded more than once.
pub(crate) async fn ledger(State(paytech): App) -> Json<Value> {
    paytech.mature();
    let wallet = lock(&paytech.wallet);
    let ledger = &wallet.ledger;
    Json(json!({
        "currency": "XOF",
        "balance": ledger.balance(),
        "entries": ledger.entries(),
        "totals": { "charged": ledger.gross(Kind::Sale), "refunded": -ledger.gross(Kind::Refund), "paid_out": 0 },
        "repeated": {
            "charges": ledger.repeated(Kind::Sale),
            "refunds": ledger.repeated(Kind::Refund),
            "payouts": [],
        },
    }))
}

pub(crate) async fn calls(State(paytech): App) -> Json<Value> {
    Json(json!({ "calls": paytech.faults.calls() }))
}

pub(crate) async fn webhooks(State(paytech): App) -> Json<Value> {
    Json(paytech.hooks.show())
}
