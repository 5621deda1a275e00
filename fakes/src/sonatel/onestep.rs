//! Payment with a one-time code that the customer got by USSD; and the sandbox's way to get such a code.

use axum::{Json, body::Bytes, extract::State};
use serde_json::{Value, json};

use super::{
    App,
    auth::{May, PAYMENT},
    error::{Answer, BLOCKED, INSUFFICIENT_FUNDS, PAYEE, PAYER, Problem, UNKNOWN_CUSTOMER},
    payer::endpoint,
    state::{Draft, Kind, Standing, Status},
    validate::{Fields, bad},
};
use crate::server::lock;

pub(crate) async fn pay(_: May<PAYMENT>, State(sonatel): App, body: Bytes) -> Answer<Json<Value>> {
    let fields = Fields::read(&body)?;
    let (who, partner) = (fields.object("customer")?, fields.object("partner")?);
    let (customer, otp) = (who.msisdn()?, who.text("otp")?);
    if partner.text("idType")? != "CODE" {
        return Err(bad("partner.idType must be CODE"));
    }
    if partner.text("id")? != sonatel.config.merchant_code {
        return Err(Problem::refused(PAYEE, "The merchant code is unknown"));
    }
    let (amount, reference, metadata) = (fields.amount(1)?, fields.text("reference")?, fields.metadata()?);
    let now = sonatel.clock.now();
    let (row, endpoint) = {
        let mut books = lock(&sonatel.books);
        match books.standing(&customer) {
            Standing::Unknown => return Err(Problem::refused(UNKNOWN_CUSTOMER, "The customer has no account")),
            Standing::Blocked => return Err(Problem::refused(BLOCKED, "The customer's account is blocked")),
            Standing::Poor => return Err(Problem::refused(INSUFFICIENT_FUNDS, "The balance is insufficient")),
            Standing::Active => {}
        }
        if books.otps.get(&customer) != Some(&otp) {
            return Err(Problem::refused(PAYER, "The OTP is wrong"));
        }
        books.otps.remove(&customer);
        let status = books.next.pop_front().unwrap_or(Status::Success);
        let partner = sonatel.config.merchant_code.clone();
        let draft = Draft { kind: Kind::MerchantPayment, amount, reference, metadata, customer, partner, qr: None };
        let row = books.make(draft, status, None, sonatel.config.fee_bps, now)?;
        let endpoint = endpoint(&books, None);
        (sonatel.noted(&mut books, row, endpoint.is_some()), endpoint)
    };
    sonatel.emit(&row, endpoint);
    Ok(Json(json!({ "transactionId": row.transaction_id, "status": row.status, "reference": row.reference })))
}

/// Stands in for the customer's USSD menu: `{idType, id}` → a code for one payment.
pub(crate) async fn otp(_: May<PAYMENT>, State(sonatel): App, body: Bytes) -> Answer<Json<Value>> {
    let customer = Fields::read(&body)?.msisdn()?;
    let otp: String = sonatel.ids.lower("", 24).bytes().map(|byte| char::from(b'0' + byte % 10)).take(6).collect();
    lock(&sonatel.books).otps.insert(customer, otp.clone());
    Ok(Json(json!({ "otp": otp })))
}
