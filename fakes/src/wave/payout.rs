//! Payouts: money to a mobile wallet, at most once per idempotency key.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    App, Wave,
    auth::{May, PAYOUT},
    checkout::{ByReference, missing_query},
    error::{Answer, Error},
    ledger::{Kind, fee},
    validate::Fields,
    wallet::{Payout, PayoutStage, Script},
};
use crate::server::lock;

pub(crate) async fn create(_: May<PAYOUT>, State(wave): App, headers: HeaderMap, body: Bytes) -> Answer<Json<Value>> {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    if key.is_empty() || key.len() > 255 {
        let detail = json!({ "loc": ["header", "Idempotency-Key"], "msg": "field required", "type": "value_error" });
        return Err(Error::validation(vec![detail]));
    }
    let asked = read(&wave, &headers, &body)?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut wallet = lock(&wave.wallet);
    if let Some((first, number)) = wallet.keys.get(&key) {
        if *first != body {
            let message = "The idempotency key was used with another body";
            return Err(Error::conflict("idempotency-mismatch", message));
        }
        return wallet.payouts.get(number).map(|payout| Json(payout.json())).ok_or_else(unknown_payout);
    }
    let script = wallet.scripts.pop_front();
    let payout = Payout {
        stage: script.as_ref().map_or(PayoutStage::Succeeded, |script| script.stage),
        error: script.and_then(|Script { code, .. }| code),
        ..asked
    };
    if payout.stage != PayoutStage::Failed {
        if wallet.ledger.balance() < payout.receive_amount + payout.fee {
            return Err(Error::new(StatusCode::BAD_REQUEST, "insufficient-funds", "The wallet does not hold enough"));
        }
        let movement = payout.movement(Kind::ApiPayout, wave.ids.upper("T_", 10), payout.at);
        wallet.ledger.post(movement);
    }
    let (number, answer) = (wallet.next_number(), payout.json());
    wallet.payouts.insert(number, payout);
    wallet.keys.insert(key, (body, number));
    Ok(Json(answer))
}

fn read(wave: &Wave, headers: &HeaderMap, body: &[u8]) -> Answer<Payout> {
    let mut fields = Fields::read(headers, body)?;
    fields.currency();
    let receive_amount = fields.amount("receive_amount");
    let mobile = fields.mobile("mobile");
    if mobile.is_none() {
        fields.wrong("mobile", "field required");
    }
    let payout = Payout {
        id: wave.ids.lower("pt-", 14),
        receive_amount,
        fee: fee(receive_amount, wave.config.payout_fee_bps),
        mobile: mobile.unwrap_or_default(),
        name: fields.text("name", 255),
        national_id: fields.text("national_id", 255),
        payment_reason: fields.text("payment_reason", 40),
        client_reference: fields.text("client_reference", 255),
        aggregated_merchant_id: fields.text("aggregated_merchant_id", 255),
        stage: PayoutStage::Succeeded,
        error: None,
        at: wave.clock.now(),
    };
    fields.done()?;
    Ok(payout)
}

pub(crate) async fn show(_: May<PAYOUT>, State(wave): App, Path(id): Path<String>) -> Answer<Json<Value>> {
    lock(&wave.wallet).payout(&id).map(|payout| Json(payout.json())).ok_or_else(unknown_payout)
}

pub(crate) async fn search(_: May<PAYOUT>, State(wave): App, Query(query): Query<ByReference>) -> Answer<Json<Value>> {
    let wanted = query.client_reference.ok_or_else(|| missing_query("client_reference"))?;
    let wallet = lock(&wave.wallet);
    let found = wallet.payouts.values().filter(|payout| payout.client_reference.as_deref() == Some(&*wanted));
    let result: Vec<_> = found.map(Payout::json).collect();
    Ok(Json(json!({ "result": result })))
}

pub(crate) async fn reverse(_: May<PAYOUT>, State(wave): App, Path(id): Path<String>) -> Answer<StatusCode> {
    let (now, mut wallet) = (wave.clock.now(), lock(&wave.wallet));
    let payout = wallet.payout(&id).ok_or_else(unknown_payout)?;
    match payout.stage {
        PayoutStage::Reversed => return Ok(StatusCode::OK),
        PayoutStage::Succeeded => {}
        PayoutStage::Processing | PayoutStage::Failed => return Err(unknown_payout()),
    }
    if now - payout.at > TimeDelta::days(3) {
        let message = "A payout can be reversed for three days";
        return Err(Error::new(StatusCode::BAD_REQUEST, "payout-reversal-time-limit-exceeded", message));
    }
    payout.stage = PayoutStage::Reversed;
    let movement = payout.movement(Kind::ApiPayoutReversal, wave.ids.upper("T_", 10), now);
    wallet.ledger.post(movement);
    Ok(StatusCode::OK)
}

impl Wave {
    /// Ends a payout that `/__control` left processing.
    pub(crate) fn settle_payout(&self, wanted: &str, stage: PayoutStage, code: Option<String>) -> Answer<()> {
        let mut wallet = lock(&self.wallet);
        let same = |payout: &&mut Payout| payout.id == wanted || payout.client_reference.as_deref() == Some(wanted);
        let payout = wallet.payouts.values_mut().find(same).ok_or_else(unknown_payout)?;
        if payout.stage != PayoutStage::Processing {
            return Err(Error::conflict("payout-settled", "The payout is not processing"));
        }
        payout.stage = stage;
        payout.error = code;
        if stage == PayoutStage::Failed {
            let movement = payout.movement(Kind::ApiPayoutReversal, self.ids.upper("T_", 10), self.clock.now());
            wallet.ledger.post(movement);
        }
        Ok(())
    }
}

fn unknown_payout() -> Error {
    Error::not_found("No such payout")
}
