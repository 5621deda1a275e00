//! SoftPay for Free Money (Yas): a push on the payer's telephone, which `/__control` settles. It exists live only.

use axum::{Json, body::Bytes, extract::State};
use serde_json::{Value, json};

use super::{
    App,
    auth::May,
    books::{Mode, Stage},
    checkout::{object, unknown_invoice},
    error::{Answer, Error},
    ledger::fee,
};
use crate::server::lock;

pub(crate) async fn free_money(_: May, State(paydunya): App, body: Bytes) -> Answer<Json<Value>> {
    let body = object(&body)?;
    let text = |field: &str| {
        let text = body.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| Error::invalid(format!("{field} is missing")))
    };
    let (_, _, phone, token) =
        (text("customer_name")?, text("customer_email")?, text("phone_number")?, text("payment_token")?);
    if phone.len() != 9 || !phone.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid("phone_number must have 9 digits"));
    }
    let mut books = lock(&paydunya.books);
    let live = books.invoice(&token).filter(|invoice| invoice.mode == Mode::Live);
    let invoice = live.ok_or_else(unknown_invoice)?;
    if invoice.stage != Stage::Pending {
        return Ok(Json(json!({ "success": false, "message": "La facture n’est plus en attente" })));
    }
    invoice.pushed_to = Some(phone);
    let fees = fee(invoice.total_amount, paydunya.config.checkout_fee_bps);
    Ok(Json(json!({
        "success": true,
        "message": "Merci de finaliser le paiement en composant #150# sur votre téléphone.",
        "fees": fees,
        "currency": "XOF",
    })))
}
