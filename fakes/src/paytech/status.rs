//! `GET /payment/get-status?token_payment=`. The body of its answer is not documented: this one has the fields of the IPN.

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    App,
    answer::{Answer, No},
    auth::Merchant,
};
use crate::server::lock;

pub(crate) const CALL: &str = "status";

#[derive(Deserialize)]
pub(crate) struct Asked {
    token_payment: Option<String>,
}

pub(crate) async fn show(_: Merchant, State(paytech): App, Query(asked): Query<Asked>) -> Answer {
    if let Some(body) = paytech.scripted(CALL) {
        return Ok(Json(body));
    }
    paytech.mature();
    let switches = paytech.switches();
    let token = asked.token_payment.ok_or_else(|| No::errors(&["token_payment est obligatoire".into()]))?;
    let wallet = lock(&paytech.wallet);
    let sale = wallet.by_token(&token).ok_or_else(|| No::message(0, "Token invalide"))?;
    let mut payment = sale.fields(switches.tells);
    payment.insert("state".into(), json!(sale.state(switches.tells_refunds)));
    Ok(Json(json!({ "success": 1, "payment": payment })))
}
