//! Cash-in: money to a customer's account, with the distributor's PIN encrypted. Sonatel documents no idempotency, so the
//! same call twice pays twice.

use axum::{Json, body::Bytes, extract::State};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::{
    App,
    auth::{DISTRIBUTOR, May},
    error::{Answer, BLOCKED, NOT_ALLOWED, PAYER, Problem, UNKNOWN_CUSTOMER},
    payer::endpoint,
    state::{Draft, Kind, Standing, Status},
    validate::Fields,
};
use crate::server::lock;

pub(crate) async fn create(_: May<DISTRIBUTOR>, State(sonatel): App, body: Bytes) -> Answer<Json<Value>> {
    let fields = Fields::read(&body)?;
    let partner = fields.object("partner")?;
    let customer = fields.object("customer")?.msisdn()?;
    let (amount, reference, metadata) = (fields.amount(1)?, fields.text("reference")?, fields.metadata()?);
    let told = fields.flag("receiveNotification")?;
    let (distributor, encrypted) = (partner.msisdn()?, partner.text("encryptedPinCode")?);
    let known = sonatel.config.distributors.iter().find(|known| known.msisdn == distributor);
    let known = known.ok_or_else(|| Problem::refused(NOT_ALLOWED, "The partner may not do cash-ins"))?;

    let now = sonatel.clock.now();
    let (row, endpoint) = {
        let mut books = lock(&sonatel.books);
        let pin = sonatel.keys.decrypt(books.current_key, &encrypted)?;
        if !bool::from(pin.as_bytes().ct_eq(known.pin.as_bytes())) {
            return Err(Problem::refused(PAYER, "The PIN is wrong"));
        }
        match books.standing(&customer) {
            Standing::Unknown => return Err(Problem::refused(UNKNOWN_CUSTOMER, "The customer has no account")),
            Standing::Blocked => return Err(Problem::refused(BLOCKED, "The customer's account is blocked")),
            Standing::Active | Standing::Poor => {}
        }
        let status = books.next.pop_front().unwrap_or(Status::Success);
        let draft = Draft { kind: Kind::Cashin, amount, reference, metadata, customer, partner: distributor, qr: None };
        let row = books.make(draft, status, None, 0, now)?;
        let endpoint = endpoint(&books, None).filter(|_| told);
        (sonatel.noted(&mut books, row, endpoint.is_some()), endpoint)
    };
    if endpoint.is_some() {
        sonatel.emit(&row, endpoint);
    }
    Ok(Json(json!({
        "transactionId": row.transaction_id,
        "status": row.status,
        "reference": row.reference,
        "description": "Cash-in",
    })))
}
