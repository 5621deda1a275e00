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
    App, Callback, Proof, Sonatel,
    error::Answer,
    forge::Forgery,
    hooks::{Order, Plan},
    ledger,
    payer::{Attempt, Deed},
    state::{Kind, Registered, Standing, Status},
    store,
};
use crate::{clock::seconds, control, faults::Fault, server::lock};

/// One instruction: `{"do": "settle", "qr": "bk_01…", "as": "pay"}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Instruction {
    /// The next calls go wrong.
    Fail(Fault),
    /// Nothing goes wrong any more; webhooks included.
    Heal,
    /// The next events are dropped, delayed, duplicated or held; `times` 0: all from now on.
    Webhooks { next: Plan, times: Option<usize> },
    /// Lets held events go.
    Release {
        #[serde(default)]
        order: Order,
    },
    /// Waits until every webhook that is due has been answered.
    Drain,
    /// Replaces the registered callback.
    Register { callback: Option<Callback> },
    /// How webhooks prove themselves from now on.
    Prove(Proof),
    /// Sends a webhook that Sonatel did not make, or one again.
    Forge(Forgery),
    /// Does what a payer does; by the code's id or the reference.
    Settle {
        qr: String,
        r#as: Deed,
        code: Option<String>,
        msisdn: Option<String>,
        /// Francs paid instead of what was asked for.
        amount: Option<NonZeroU32>,
        r#type: Option<Kind>,
    },
    /// The next codes created are paid, and their webhooks delivered, before the creation is answered.
    PayAtOnce { times: u32 },
    /// The next transactions, cash-ins too, come out like this instead of as a success, and stay so.
    Next {
        r#as: Status,
        #[serde(default = "once")]
        times: usize,
    },
    /// Ends a transaction that was left open; by id or reference.
    SettleTransaction { transaction: String, r#as: Status },
    /// Blocks a customer, takes the account away, or gives it back.
    Customer { msisdn: String, r#as: Standing },
    /// The code that a customer got by USSD.
    Otp { msisdn: String, otp: String },
    /// PINs encrypted for the key so far are refused from now on.
    RotateKey,
    /// Every token so far is refused from now on.
    RevokeTokens,
    /// Sets the balance.
    Balance { amount: i64 },
    /// Moves the fake's clock; codes and tokens expire and retries fall due.
    Advance { seconds: i64 },
    /// Everything as at the start, the registered callback included.
    Reset,
}

const fn once() -> usize {
    1
}

pub(crate) async fn act(State(sonatel): App, body: Bytes) -> Response {
    let instructions = match control::read::<Instruction>(&body) {
        Ok(instructions) => instructions,
        Err(answer) => return answer,
    };
    let mut results = Vec::new();
    for instruction in instructions {
        match sonatel.follow(instruction).await {
            Ok(result) => results.push(result),
            Err(problem) => return problem.into_response(),
        }
    }
    Json(json!({ "now": seconds(sonatel.clock.now()), "results": results })).into_response()
}

impl Sonatel {
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
            Instruction::Register { callback } => {
                let (name, created) = (self.config.merchant_name.clone(), self.clock.now());
                lock(&self.books).registered = callback.map(|callback| Registered { callback, name, created });
            }
            Instruction::Prove(proof) => self.hooks.prove(proof),
            Instruction::Forge(forgery) => return self.forge(&forgery).await,
            Instruction::Settle { qr, r#as, code, msisdn, amount, r#type } => {
                let made = self.settle(&qr, r#as, Attempt { code, msisdn, amount, kind: r#type })?;
                return Ok(json!({ "transaction": made.row.transaction_id, "event": made.event }));
            }
            Instruction::SettleTransaction { transaction, r#as } => {
                let made = self.settle_row(&transaction, r#as)?;
                return Ok(json!({ "transaction": made.row.transaction_id, "event": made.event }));
            }
            other => self.change(other),
        }
        Ok(json!("done"))
    }

    /// Instructions that need nobody else.
    fn change(&self, instruction: Instruction) {
        let now = self.clock.now();
        match instruction {
            Instruction::PayAtOnce { times } => lock(&self.books).pay_at_once = times,
            Instruction::Next { r#as, times } => {
                lock(&self.books).next.extend(std::iter::repeat_n(r#as, times));
            }
            Instruction::Customer { msisdn, r#as } => {
                lock(&self.books).customers.insert(msisdn, r#as);
            }
            Instruction::Otp { msisdn, otp } => {
                lock(&self.books).otps.insert(msisdn, otp);
            }
            Instruction::RotateKey => lock(&self.books).current_key += 1,
            Instruction::RevokeTokens => lock(&self.tokens).clear(),
            Instruction::Balance { amount } => {
                lock(&self.books).ledger.adjust(ledger::Kind::Adjustment, amount, now);
            }
            Instruction::Advance { seconds } => {
                self.clock.advance(seconds);
                self.hooks.wake();
            }
            Instruction::Reset => {
                self.clock.reset();
                self.faults.reset();
                self.hooks.reset(self.config.proof.clone());
                lock(&self.tokens).clear();
                *lock(&self.books) = store::fresh(&self.config, &self.clock);
            }
            // Those that `follow` does itself.
            _ => {}
        }
    }
}

pub(crate) async fn calls(State(sonatel): App) -> Json<Value> {
    Json(json!({ "calls": sonatel.faults.calls() }))
}

pub(crate) async fn webhooks(State(sonatel): App) -> Json<Value> {
    Json(sonatel.hooks.show())
}
