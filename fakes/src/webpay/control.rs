//! `POST /__control`: what to get wrong next; and what has happened so far.

use std::{collections::HashSet, num::NonZeroU32, sync::Arc};

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
    App, Error, Quirks, WebPay,
    payment::{Books, Deed},
};
use crate::{
    clock::seconds,
    control,
    faults::Fault,
    paydunya::{
        hooks::{Order, Plan},
        ledger::Kind,
    },
    server::lock,
};

/// One instruction: `{"do": "settle", "page": "<order id or pay_token>", "as": "pay"}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Instruction {
    /// The next calls go wrong.
    Fail(Fault),
    /// Nothing goes wrong any more; notifications included. Quirks stay.
    Heal,
    /// Sets all switches; those left out to their defaults.
    Quirks(Quirks),
    /// The next notifications are dropped, delayed, duplicated, held or reordered; `times` 0: all from now on.
    Webhooks { next: Plan, times: Option<usize> },
    /// Lets held notifications go.
    Release {
        #[serde(default)]
        order: Order,
    },
    /// Waits until every notification that is due has been answered.
    Drain,
    /// Sends a notification with the true token of a page and this status, whatever is true.
    Tell { page: String, status: String },
    /// Sends a notification that Orange did not make, to where those of this page go.
    Forge { page: String, body: Value },
    /// Does what a payer does. `amount` must be the page's, for nobody pays another one; `number` ends the transaction's id.
    Settle { page: String, r#as: Deed, amount: Option<i64>, number: Option<NonZeroU32> },
    /// The next pages are paid, and their notifications delivered, before their making is answered.
    PayAtOnce { times: u32 },
    /// Tokens that were given out are good no longer.
    RevokeTokens,
    /// Moves the fake's clock; retries and ends fall due.
    Advance { seconds: i64 },
    /// Everything as at the start.
    Reset,
}

pub(crate) async fn act(State(webpay): App, body: Bytes) -> Response {
    let instructions = match control::read::<Instruction>(&body) {
        Ok(instructions) => instructions,
        Err(answer) => return answer,
    };
    let mut results = Vec::new();
    for instruction in instructions {
        match webpay.follow(instruction).await {
            Ok(result) => results.push(result),
            Err(error) => return Error { http: StatusCode::CONFLICT, ..error }.into_response(),
        }
    }
    Json(json!({ "now": seconds(webpay.clock.now()), "results": results })).into_response()
}

impl WebPay {
    async fn follow(self: &Arc<Self>, instruction: Instruction) -> Result<Value, Error> {
        match instruction {
            Instruction::Fail(fault) => self.faults.add(fault),
            Instruction::Heal => {
                self.faults.heal();
                self.hooks.heal();
            }
            Instruction::Quirks(quirks) => *lock(&self.quirks) = quirks,
            Instruction::Webhooks { next, times } => self.hooks.plan(next, times.unwrap_or(1)),
            Instruction::Release { order } => return Ok(json!(self.hooks.release(order).await)),
            Instruction::Drain => {
                self.hooks.drain().await;
                return Ok(self.hooks.show());
            }
            Instruction::Forge { page, body } => {
                let url = self.notif_url(&page).ok_or_else(|| Error::invalid("no such payment"))?;
                let status = self.hooks.post(&url, "application/json", body.to_string()).await;
                return Ok(json!({ "status": status }));
            }
            Instruction::Tell { page, status } => {
                let body = self.told(&page, &status).ok_or_else(|| Error::invalid("no such payment"))?;
                let url = self.notif_url(&page).ok_or_else(|| Error::invalid("no such payment"))?;
                let status = self.hooks.post(&url, "application/json", body.to_string()).await;
                return Ok(json!({ "status": status }));
            }
            Instruction::Settle { page, r#as, amount, number } => {
                let asked = lock(&self.books).page(&page).map(|page| page.amount);
                if amount.is_some_and(|amount| Some(amount) != asked) {
                    return Err(Error::invalid("a page is paid as it is, or not"));
                }
                return Ok(json!({ "event": self.settle(&page, r#as, number)? }));
            }
            Instruction::PayAtOnce { times } => lock(&self.books).pay_next_at_once = times,
            Instruction::RevokeTokens => lock(&self.tokens).revoke(),
            Instruction::Advance { seconds } => {
                self.clock.advance(seconds);
                self.hooks.wake();
            }
            Instruction::Reset => {
                self.clock.reset();
                self.faults.reset();
                *lock(&self.quirks) = Quirks::default();
                self.hooks.reset();
                *lock(&self.books) = Books::default();
            }
        }
        Ok(json!("done"))
    }
}

/// The books, with what should never be: one order charged more than once. Orange gives nothing back and sends nothing.
pub(crate) async fn ledger(State(webpay): App) -> Json<Value> {
    let books = lock(&webpay.books);
    let entries = books.ledger.entries();
    let sales = || entries.iter().map(|entry| &entry.movement).filter(|movement| movement.kind == Kind::ApiCheckout);
    let mut seen = HashSet::new();
    let references = sales().filter_map(|sale| sale.client_reference.as_deref());
    let repeated: Vec<_> = references.filter(|reference| !seen.insert(*reference)).collect();
    Json(json!({
        "currency": "XOF",
        "balance": books.ledger.balance(),
        "entries": entries,
        "totals": { "charged": sales().map(|sale| sale.gross).sum::<i64>(), "refunded": 0, "paid_out": 0 },
        "repeated": { "charges": repeated, "refunds": [], "payouts": [] },
    }))
}

pub(crate) async fn calls(State(webpay): App) -> Json<Value> {
    Json(json!({ "calls": webpay.faults.calls() }))
}

pub(crate) async fn webhooks(State(webpay): App) -> Json<Value> {
    Json(webpay.hooks.show())
}
