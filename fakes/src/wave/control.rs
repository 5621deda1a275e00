//! `POST /__control`: what to get wrong next; and what has happened so far.

use std::num::NonZeroU32;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App, Endpoint, Wave,
    checkout::{Attempt, Deed},
    error::Answer,
    forge::Forgery,
    hooks::{Order, Plan},
    ledger::{Entry, Kind},
    wallet::{PayoutStage, Script, Wallet},
};
use crate::{clock::seconds, control, faults::Fault, server::lock};

/// One instruction: `{"do": "settle", "session": "cos-…", "as": "pay"}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Instruction {
    /// The next calls go wrong.
    Fail(Fault),
    /// Nothing goes wrong any more; webhooks included.
    Heal,
    /// The next events are dropped, delayed, duplicated, held or reordered; `times` 0: all from now on.
    Webhooks { next: Plan, times: Option<usize> },
    /// Lets held events go.
    Release {
        #[serde(default)]
        order: Order,
    },
    /// Waits until every webhook that is due has been answered.
    Drain,
    /// Replaces the registered webhooks.
    Register { endpoints: Vec<Endpoint> },
    /// Sends a webhook that Wave did not make, or one again.
    Forge(Forgery),
    /// `test.test_event`, as the portal's button sends it.
    TestEvent,
    /// Does what a payer does; by session id or client reference.
    Settle {
        session: String,
        r#as: Deed,
        code: Option<String>,
        mobile: Option<String>,
        /// Francs paid instead of what was asked for.
        amount: Option<NonZeroU32>,
    },
    /// The next sessions created are paid, and their webhooks delivered, before the creation is answered.
    PayAtOnce { times: u32 },
    /// How the next payout ends inside its HTTP 200.
    NextPayout { status: Ending, code: Option<String> },
    /// Ends a payout that is processing; by id or client reference.
    SettlePayout { payout: String, status: Ending, code: Option<String> },
    /// Sets the wallet's balance.
    Balance { amount: i64 },
    /// Moves the fake's clock; sessions expire and retries fall due.
    Advance { seconds: i64 },
    /// Everything as at the start, registered webhooks included.
    Reset,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ending {
    Processing,
    Succeeded,
    Failed,
}

impl From<Ending> for PayoutStage {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Processing => Self::Processing,
            Ending::Succeeded => Self::Succeeded,
            Ending::Failed => Self::Failed,
        }
    }
}

pub(crate) async fn act(State(wave): App, body: Bytes) -> Response {
    let instructions = match control::read::<Instruction>(&body) {
        Ok(instructions) => instructions,
        Err(answer) => return answer,
    };
    let mut results = Vec::new();
    for instruction in instructions {
        match wave.follow(instruction).await {
            Ok(result) => results.push(result),
            Err(error) => return error.into_response(),
        }
    }
    Json(json!({ "now": seconds(wave.clock.now()), "results": results })).into_response()
}

impl Wave {
    async fn follow(&self, instruction: Instruction) -> Answer<Value> {
        match instruction {
            Instruction::Fail(fault) => self.faults.add(fault),
            Instruction::Heal => {
                self.faults.heal();
                self.hooks.heal();
            }
            Instruction::Webhooks { next, times } => self.hooks.plan(next, times.unwrap_or(1)),
            Instruction::Release { order } => return Ok(json!(self.hooks.release(order).await)),
            Instruction::Drain => {
                self.hooks.drain().await;
                return Ok(self.hooks.show());
            }
            Instruction::Register { endpoints } => self.hooks.register(endpoints),
            Instruction::Forge(forgery) => return self.forge(&forgery).await,
            Instruction::TestEvent => return Ok(json!(self.emit("test.test_event", json!({ "message": "test" })))),
            Instruction::Settle { session, r#as, code, mobile, amount } => {
                let id = self.session_id(&session)?;
                let event = self.settle(&id, &r#as, Attempt { code, mobile, amount })?;
                return Ok(json!({ "session": id, "event": event }));
            }
            Instruction::PayAtOnce { times } => lock(&self.wallet).pay_next_at_once = times,
            Instruction::NextPayout { status, code } => {
                let code = code.or_else(|| default_code(status));
                lock(&self.wallet).scripts.push_back(Script { stage: status.into(), code });
            }
            Instruction::SettlePayout { payout, status, code } => {
                self.settle_payout(&payout, status.into(), code.or_else(|| default_code(status)))?;
            }
            Instruction::Balance { amount } => lock(&self.wallet).set_balance(amount, self.clock.now()),
            Instruction::Advance { seconds } => {
                self.clock.advance(seconds);
                self.hooks.wake();
            }
            Instruction::Reset => self.reset(),
        }
        Ok(json!("done"))
    }

    fn reset(&self) {
        self.clock.reset();
        self.faults.reset();
        self.hooks.reset(self.config.webhooks.clone());
        *lock(&self.wallet) = Wallet::new(self.config.opening_balance, self.clock.now());
    }
}

fn default_code(status: Ending) -> Option<String> {
    matches!(status, Ending::Failed).then(|| "recipient-limit-exceeded".to_owned())
}

/// The books, with what should never be: one reference charged, refunded or paid out more than once.
pub(crate) async fn ledger(State(wave): App) -> Json<Value> {
    let wallet = lock(&wave.wallet);
    let entries = wallet.ledger.entries();
    let gross =
        |kind: Kind| -> i64 { entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.gross).sum() };
    Json(json!({
        "currency": "XOF",
        "balance": wallet.ledger.balance(),
        "entries": entries,
        "totals": {
            "charged": gross(Kind::ApiCheckout),
            "refunded": -gross(Kind::ApiCheckoutRefund),
            "paid_out": -gross(Kind::ApiPayout) - gross(Kind::ApiPayoutReversal),
        },
        "repeated": {
            "charges": repeated(entries, Kind::ApiCheckout),
            "refunds": repeated(entries, Kind::ApiCheckoutRefund),
            "payouts": repeated(entries, Kind::ApiPayout),
        },
    }))
}

/// Client references that occur more than once among the entries of one kind.
fn repeated(entries: &[Entry], kind: Kind) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    let references =
        entries.iter().filter(|entry| entry.kind == kind).filter_map(|entry| entry.client_reference.as_deref());
    references.filter(|reference| !seen.insert(*reference)).collect()
}

pub(crate) async fn calls(State(wave): App) -> Json<Value> {
    Json(json!({ "calls": wave.faults.calls() }))
}

pub(crate) async fn webhooks(State(wave): App) -> Json<Value> {
    Json(wave.hooks.show())
}
