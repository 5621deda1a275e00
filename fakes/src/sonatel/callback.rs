//! Registration of the address that gets the news. The specification promises a body; production sends none.

use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App, Callback,
    auth::{May, NOTIFICATION},
    error::{Answer, PAYEE, Problem},
    state::Registered,
    validate::{Fields, bad},
};
use crate::server::lock;

pub(crate) async fn register(_: May<NOTIFICATION>, State(sonatel): App, body: Bytes) -> Answer<StatusCode> {
    let fields = Fields::read(&body)?;
    if fields.text("code")? != sonatel.config.merchant_code {
        return Err(Problem::refused(PAYEE, "The merchant code is unknown"));
    }
    let url = fields.optional_url("callbackUrl", sonatel.config.loopback_http)?;
    let url = url.ok_or_else(|| bad("callbackUrl is required"))?;
    let callback = Callback { url, api_key: fields.text("apiKey")? };
    let registered = Registered { callback, name: fields.text("name")?, created: sonatel.clock.now() };
    lock(&sonatel.books).registered = Some(registered);
    Ok(StatusCode::CREATED)
}

#[derive(Deserialize)]
pub(crate) struct ByCode {
    code: Option<String>,
}

/// The key comes back in the clear.
pub(crate) async fn list(_: May<NOTIFICATION>, State(sonatel): App, Query(query): Query<ByCode>) -> Json<Value> {
    let books = lock(&sonatel.books);
    let ours = query.code.as_ref().is_none_or(|code| *code == sonatel.config.merchant_code);
    let rows = books.registered.iter().filter(|_| ours).map(|registered| {
        json!({
            "code": sonatel.config.merchant_code,
            "msisdn": sonatel.config.payer,
            "name": registered.name,
            "callbackUrl": registered.callback.url,
            "apiKey": registered.callback.api_key,
            "createdAt": registered.created.format("%d-%m-%Y %H:%M:%S").to_string(),
        })
    });
    Json(rows.collect())
}
