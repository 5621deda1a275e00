//! Disbursements in three steps: `get-invoice` only makes a token, `submit-invoice` sends the money, `check-status` tells.
//! They exist live only: with test keys the call is refused.

use axum::{Json, body::Bytes, extract::State};
use serde_json::{Map, Value, json};

use super::{
    App, PayDunya,
    auth::May,
    books::{Disbursement, Progress},
    callback,
    checkout::{amount, object},
    error::{Answer, Error, KEYS_OR_MODE, LOW_BALANCE, TROUBLE},
    ledger::{Kind, fee},
};
use crate::server::lock;

const MODES: [&str; 4] = ["orange-money-senegal", "free-money-senegal", "wave-senegal", "expresso-senegal"];

pub(crate) async fn get_invoice(_: May, State(paydunya): App, body: Bytes) -> Answer<Json<Value>> {
    let asked = read(&paydunya, &object(&body)?)?;
    let probes = lock(&paydunya.quirks).probes_callbacks;
    if probes {
        let answered = paydunya.hooks.post(&asked.callback_url, "application/json", String::new()).await;
        if !answered.is_some_and(|status| (200..300).contains(&status)) {
            return Err(Error::new(LOW_BALANCE, "the callback is not accessible"));
        }
    }
    let token = asked.token.clone();
    let mut books = lock(&paydunya.books);
    enough(books.ledger.balance(), &asked)?;
    let number = books.next_number();
    books.disbursements.insert(number, asked);
    Ok(Json(json!({ "response_code": "00", "disburse_token": token })))
}

fn enough(balance: i64, asked: &Disbursement) -> Answer<()> {
    if balance < asked.amount + asked.fee {
        let text = "You don't have enough funds. Consider crediting your account";
        return Err(Error::new(LOW_BALANCE, text));
    }
    Ok(())
}

fn read(paydunya: &PayDunya, body: &Map<String, Value>) -> Answer<Disbursement> {
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let account_alias = text("account_alias");
    if account_alias.len() != 9 || !account_alias.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid("account_alias must be a number of 9 digits"));
    }
    let withdraw_mode = text("withdraw_mode");
    if !MODES.contains(&withdraw_mode.as_str()) {
        return Err(Error::new(KEYS_OR_MODE, "withdraw_mode non pris en charge"));
    }
    let callback_url = text("callback_url");
    if !paydunya.reachable(&callback_url) {
        return Err(Error::invalid("callback_url must be a valid URL"));
    }
    let amount = amount(body.get("amount"), "amount")?;
    Ok(Disbursement {
        token: paydunya.ids.lower("", 20),
        account_alias,
        amount,
        fee: fee(amount, paydunya.config.payout_fee_bps),
        withdraw_mode,
        callback_url,
        progress: Progress::Created,
        disburse_id: None,
        transaction_id: None,
        provider_ref: None,
        updated: paydunya.clock.now(),
    })
}

fn token(body: &Map<String, Value>) -> &str {
    body.get("disburse_invoice").and_then(Value::as_str).unwrap_or_default()
}

pub(crate) async fn submit(_: May, State(paydunya): App, body: Bytes) -> Answer<Json<Value>> {
    let body = object(&body)?;
    let id = body.get("disburse_id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
    let quirks = lock(&paydunya.quirks).clone();
    let submitted = {
        let mut books = lock(&paydunya.books);
        let found = books.disbursement(token(&body)).ok_or_else(unknown_disbursement)?.clone();
        if found.progress != Progress::Created {
            return Err(Error::invalid("the disbursement was submitted before"));
        }
        if quirks.unique_disburse_ids && id.as_ref().is_some_and(|id| books.used.contains(id)) {
            return Err(Error::new(TROUBLE, "disburse_id already used"));
        }
        enough(books.ledger.balance(), &found)?;
        let progress = books.scripts.pop_front().unwrap_or(Progress::Success);
        let submitted = Disbursement {
            progress,
            disburse_id: id.clone(),
            transaction_id: Some(paydunya.ids.upper("TFA-TX-", 20)),
            provider_ref: (progress == Progress::Success).then(|| paydunya.ids.upper("PR", 12)),
            updated: paydunya.clock.now(),
            ..found
        };
        if progress != Progress::Failed {
            books.ledger.post(submitted.movement(Kind::ApiPayout, submitted.updated));
        }
        books.used.extend(id);
        if let Some(kept) = books.disbursement(&submitted.token) {
            *kept = submitted.clone();
        }
        submitted
    };
    paydunya.tell(&submitted);
    let mut answer = json!({
        "response_code": "00",
        "response_text": "Transaction effectuée",
        "description": format!("{} F CFA vers {}", submitted.amount, submitted.account_alias),
        "transaction_id": submitted.transaction_id,
        "provider_ref": submitted.provider_ref,
    });
    // Anything but a success has always been said.
    if quirks.submit_says_status || submitted.progress != Progress::Success {
        answer["status"] = json!(submitted.progress);
    }
    Ok(Json(answer))
}

pub(crate) async fn check(_: May, State(paydunya): App, body: Bytes) -> Answer<Json<Value>> {
    let body = object(&body)?;
    let amounts = lock(&paydunya.quirks).amounts;
    let mut books = lock(&paydunya.books);
    // By token only: a disburse_id finds nothing.
    let found = books.disbursement(token(&body)).ok_or_else(unknown_disbursement)?;
    let mut answer = found.json(amounts);
    answer["response_code"] = json!("00");
    Ok(Json(answer))
}

impl PayDunya {
    /// The callback of a disbursement that has ended.
    fn tell(&self, disbursement: &Disbursement) {
        let kind = match disbursement.progress {
            Progress::Success => "disburse.success",
            Progress::Failed => "disburse.failed",
            Progress::Created | Progress::Pending => return,
        };
        let form = lock(&self.quirks).disburse_callback;
        let body = callback::encode(form, &self.disbursement_json(disbursement));
        self.emit(kind, &disbursement.callback_url, body);
    }

    /// Ends a disbursement that the operator still had; by token or `disburse_id`.
    pub(crate) fn settle_payout(&self, wanted: &str, progress: Progress) -> Answer<()> {
        let settled = {
            let mut books = lock(&self.books);
            let same = |one: &&mut Disbursement| one.token == wanted || one.disburse_id.as_deref() == Some(wanted);
            let found = books.disbursements.values_mut().find(same).ok_or_else(unknown_disbursement)?;
            if found.progress != Progress::Pending {
                return Err(Error::invalid("the disbursement is not pending"));
            }
            found.progress = progress;
            found.updated = self.clock.now();
            if progress == Progress::Success {
                found.provider_ref = Some(self.ids.upper("PR", 12));
            }
            let settled = found.clone();
            if progress == Progress::Failed {
                books.ledger.post(settled.movement(Kind::ApiPayoutReversal, settled.updated));
            }
            settled
        };
        self.tell(&settled);
        Ok(())
    }
}

fn unknown_disbursement() -> Error {
    Error::unknown("disburse_invoice inexistant")
}
