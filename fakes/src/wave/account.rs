//! Balance and transactions.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App,
    auth::{BALANCE, CHECKOUT, May},
    checkout,
    error::{Answer, Error},
    ledger::{Entry, Kind},
};
use crate::{clock::seconds, server::lock};

const PAGE: usize = 50;

pub(crate) async fn balance(_: May<BALANCE>, State(wave): App) -> Json<Value> {
    let balance = lock(&wave.wallet).ledger.balance();
    Json(json!({ "amount": balance.to_string(), "currency": "XOF" }))
}

#[derive(Deserialize)]
pub(crate) struct Page {
    date: Option<chrono::NaiveDate>,
    after: Option<String>,
}

pub(crate) async fn transactions(_: May<BALANCE>, State(wave): App, Query(page): Query<Page>) -> Answer<Json<Value>> {
    let date = page.date.unwrap_or_else(|| wave.clock.now().date_naive());
    let after = match page.after.as_deref() {
        None => 0,
        Some(cursor) => cursor.parse::<usize>().map_err(|_| {
            Error::validation(vec![
                json!({ "loc": ["query", "after"], "msg": "no such cursor", "type": "value_error" }),
            ])
        })?,
    };
    let wallet = lock(&wave.wallet);
    let listed = |entry: &&Entry| {
        let money = !matches!(entry.kind, Kind::Opening | Kind::Adjustment);
        money && entry.at.date_naive() == date && entry.number > after
    };
    let mut found: Vec<_> = wallet.ledger.entries().iter().filter(listed).take(PAGE + 1).collect();
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    Ok(Json(json!({
        "page_info": {
            "start_cursor": found.first().map(|entry| entry.number.to_string()),
            "end_cursor": found.last().map(|entry| entry.number.to_string()),
            "has_next_page": more,
        },
        "date": date.to_string(),
        "items": found.into_iter().map(item).collect::<Vec<_>>(),
    })))
}

fn item(entry: &Entry) -> Value {
    let mut item = json!({
        "timestamp": seconds(entry.at),
        "transaction_id": entry.transaction_id,
        "transaction_type": entry.kind,
        "amount": entry.net.to_string(),
        "fee": entry.fee.to_string(),
        "balance": entry.balance.to_string(),
        "currency": "XOF",
        "counterparty_mobile": entry.counterparty_mobile,
        "client_reference": entry.client_reference,
        "checkout_api_session_id": entry.session_id,
    });
    if let (Kind::ApiPayoutReversal, Some(item)) = (entry.kind, item.as_object_mut()) {
        item.insert("is_reversal".into(), Value::Bool(true));
    }
    item
}

/// Gives a payment back in full, fee included, by its transaction id.
pub(crate) async fn refund(_: May<CHECKOUT>, State(wave): App, Path(id): Path<String>) -> Answer<StatusCode> {
    let session = lock(&wave.wallet)
        .ledger
        .entries()
        .iter()
        .find(|entry| entry.kind == Kind::ApiCheckout && entry.transaction_id == id)
        .and_then(|entry| entry.session_id.clone());
    let session = session.ok_or_else(|| Error::not_found("No such transaction"))?;
    checkout::refund_session(&wave, &session)?;
    Ok(StatusCode::OK)
}
