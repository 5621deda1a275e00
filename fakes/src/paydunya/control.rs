//! `POST /__control`: what to get wrong next; and what has happened so far.

use std::num::NonZeroU32;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App, PayDunya, Quirks,
    books::{Books, Progress},
    checkout::{Attempt, Deed, unknown_invoice},
    error::{Answer, Error},
    forge::Forgery,
    hooks::{Order, Plan},
    ledger::{Entry, Kind},
    refuse::Refuse,
};
use crate::{clock::seconds, control, faults::Fault, server::lock};

/// One instruction: `{"do": "settle", "invoice": "<token or reference>", "as": "pay"}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Instruction {
    /// The next calls go wrong.
    Fail(Fault),
    /// The next calls are refused with a code; by default 5000, maintenance, inside a 200.
    Refuse(Refuse),
    /// Nothing goes wrong any more; callbacks included. Quirks stay.
    Heal,
    /// Sets all switches; those left out to their defaults.
    Quirks(Quirks),
    /// The next callbacks are dropped, delayed, duplicated, held or reordered; `times` 0: all from now on.
    Webhooks { next: Plan, times: Option<usize> },
    /// Lets held callbacks go.
    Release {
        #[serde(default)]
        order: Order,
    },
    /// Waits until every callback that is due has been answered.
    Drain,
    /// Sends a callback that PayDunya did not make, or one again.
    Forge(Forgery),
    /// Does what a payer does; by token or `custom_data.reference`.
    Settle {
        invoice: String,
        r#as: Deed,
        reason: Option<String>,
        phone: Option<String>,
        /// Francs paid instead of what was asked for.
        amount: Option<NonZeroU32>,
    },
    /// The next invoices are paid, and their callbacks delivered, before the creation is answered.
    PayAtOnce { times: u32 },
    /// How the next submission of a disbursement ends.
    NextPayout { status: Ending },
    /// Ends a disbursement that is pending; by token or `disburse_id`.
    SettlePayout { payout: String, status: Ending },
    /// Sets the account's balance.
    Balance { amount: i64 },
    /// Moves the fake's clock; retries fall due.
    Advance { seconds: i64 },
    /// Everything as at the start.
    Reset,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ending {
    Pending,
    Success,
    Failed,
}

impl From<Ending> for Progress {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Pending => Self::Pending,
            Ending::Success => Self::Success,
            Ending::Failed => Self::Failed,
        }
    }
}

pub(crate) async fn act(State(paydunya): App, body: Bytes) -> Response {
    let instructions = match control::read::<Instruction>(&body) {
        Ok(instructions) => instructions,
        Err(answer) => return answer,
    };
    let mut results = Vec::new();
    for instruction in instructions {
        match paydunya.follow(instruction).await {
            Ok(result) => results.push(result),
            // Here a refusal has a status that says so.
            Err(error) => return Error { http: StatusCode::CONFLICT, ..error }.into_response(),
        }
    }
    Json(json!({ "now": seconds(paydunya.clock.now()), "results": results })).into_response()
}

impl PayDunya {
    async fn follow(&self, instruction: Instruction) -> Answer<Value> {
        match instruction {
            Instruction::Fail(fault) => self.faults.add(fault),
            Instruction::Refuse(refuse) => lock(&self.refusals).push(refuse),
            Instruction::Heal => {
                self.faults.heal();
                lock(&self.refusals).clear();
                self.hooks.heal();
            }
            Instruction::Quirks(quirks) => *lock(&self.quirks) = quirks,
            Instruction::Webhooks { next, times } => self.hooks.plan(next, times.unwrap_or(1)),
            Instruction::Release { order } => return Ok(json!(self.hooks.release(order).await)),
            Instruction::Drain => {
                self.hooks.drain().await;
                return Ok(self.hooks.show());
            }
            Instruction::Forge(forgery) => return self.forge(&forgery).await,
            Instruction::Settle { invoice, r#as, reason, phone, amount } => {
                let found = lock(&self.books).invoice_named(&invoice).map(|invoice| invoice.token.clone());
                let token = found.ok_or_else(unknown_invoice)?;
                let event = self.settle(&token, r#as, Attempt { reason, phone, amount })?;
                return Ok(json!({ "invoice": token, "event": event }));
            }
            Instruction::PayAtOnce { times } => lock(&self.books).pay_next_at_once = times,
            Instruction::NextPayout { status } => lock(&self.books).scripts.push_back(status.into()),
            Instruction::SettlePayout { payout, status } => self.settle_payout(&payout, status.into())?,
            Instruction::Balance { amount } => lock(&self.books).set_balance(amount, self.clock.now()),
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
        lock(&self.refusals).clear();
        *lock(&self.quirks) = self.config.quirks.clone();
        self.hooks.reset();
        *lock(&self.books) = Books::new(self.config.opening_balance, self.clock.now());
    }
}

/// The books, with what should never be: one reference charged or paid out more than once. PayDunya refunds nothing.
pub(crate) async fn ledger(State(paydunya): App) -> Json<Value> {
    let books = lock(&paydunya.books);
    let entries = books.ledger.entries();
    let gross = |kind: Kind| -> i64 {
        let some = entries.iter().filter(|entry| entry.movement.kind == kind);
        some.map(|entry| entry.movement.gross).sum()
    };
    Json(json!({
        "currency": "XOF",
        "balance": books.ledger.balance(),
        "entries": entries,
        "totals": {
            "charged": gross(Kind::ApiCheckout),
            "refunded": 0,
            "paid_out": -gross(Kind::ApiPayout) - gross(Kind::ApiPayoutReversal),
        },
        "repeated": {
            "charges": repeated(entries, Kind::ApiCheckout),
            "refunds": [],
            "payouts": repeated(entries, Kind::ApiPayout),
        },
    }))
}

/// Our references that occur more than once among the entries of one kind.
fn repeated(entries: &[Entry], kind: Kind) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    let movements = entries.iter().map(|entry| &entry.movement).filter(|movement| movement.kind == kind);
    let references = movements.filter_map(|movement| movement.client_reference.as_deref());
    references.filter(|reference| !seen.insert(*reference)).collect()
}

pub(crate) async fn calls(State(paydunya): App) -> Json<Value> {
    Json(json!({ "calls": paydunya.faults.calls() }))
}

pub(crate) async fn webhooks(State(paydunya): App) -> Json<Value> {
    Json(paydunya.hooks.show())
}
