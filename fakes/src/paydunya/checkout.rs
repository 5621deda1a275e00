//! Invoices: create, confirm; and what the payer does with one.

use std::num::NonZeroU32;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    App, PayDunya,
    auth::May,
    books::{Actions, Invoice, Mode, Stage},
    callback,
    error::{Answer, Error},
    ledger::{Kind, Movement, fee},
};
use crate::server::lock;

/// The wallets of Senegal, and cards (providers.md §3.2).
const CHANNELS: [&str; 6] =
    ["orange-money-senegal", "wave-senegal", "free-money-senegal", "expresso-sn", "wizall-senegal", "card"];

/// What a payer can do with an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    Pay,
    Fail,
    Cancel,
}

/// The particulars of a deed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    /// Why it fails.
    pub reason: Option<String>,
    /// Who pays.
    pub phone: Option<String>,
    /// Francs that are paid instead of what the invoice asks for. PayDunya itself lets nobody do that.
    pub amount: Option<NonZeroU32>,
}

pub(crate) async fn create(May(mode): May, State(paydunya): App, body: Bytes) -> Answer<Json<Value>> {
    let invoice = read(&paydunya, mode, &body)?;
    let token = invoice.token.clone();
    let at_once = {
        let mut books = lock(&paydunya.books);
        let number = books.next_number();
        books.invoices.insert(number, invoice);
        let at_once = books.pay_next_at_once > 0;
        books.pay_next_at_once = books.pay_next_at_once.saturating_sub(1);
        at_once
    };
    if at_once {
        // The callback overtakes the answer: its delivery is waited for.
        paydunya.settle(&token, Deed::Pay, Attempt::default())?;
        paydunya.hooks.drain().await;
    }
    Ok(Json(json!({
        "response_code": "00",
        "response_text": paydunya.page_url(mode, &token),
        "description": "Checkout Invoice Created",
        "token": token,
    })))
}

/// A JSON object, or a refusal.
pub(crate) fn object(body: &[u8]) -> Answer<Map<String, Value>> {
    serde_json::from_slice(body).map_err(|error| Error::invalid(format!("the body must be a JSON object: {error}")))
}

/// Whole francs, more than none; as a number or as text.
pub(crate) fn amount(value: Option<&Value>, field: &str) -> Answer<i64> {
    let amount = match value {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    amount
        .filter(|amount| (1..=1_000_000_000_000).contains(amount))
        .ok_or_else(|| Error::invalid(format!("{field} must be a whole number above 0")))
}

fn read(paydunya: &PayDunya, mode: Mode, body: &[u8]) -> Answer<Invoice> {
    let body = Value::Object(object(body)?);
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let total_amount = amount(body.pointer("/invoice/total_amount"), "invoice.total_amount")?;
    let store_name = text("/store/name").ok_or_else(|| Error::invalid("store.name is missing"))?.to_owned();
    let mut channels = Vec::new();
    for channel in body.pointer("/invoice/channels").and_then(Value::as_array).into_iter().flatten() {
        let known = channel.as_str().filter(|channel| CHANNELS.contains(channel));
        channels.push(known.ok_or_else(|| Error::invalid(format!("channel {channel} does not exist")))?.to_owned());
    }
    let address = |name: &str| match body.pointer(&format!("/actions/{name}")) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if paydunya.reachable(text) => Ok(Some(text.clone())),
        Some(_) => Err(Error::invalid(format!("actions.{name} must be a valid https URL"))),
    };
    Ok(Invoice {
        token: paydunya.ids.lower(if mode == Mode::Test { "test_" } else { "" }, 20),
        mode,
        total_amount,
        description: text("/invoice/description").unwrap_or_default().to_owned(),
        channels,
        store_name,
        custom_data: body.get("custom_data").and_then(Value::as_object).cloned().unwrap_or_default(),
        actions: Actions {
            cancel_url: address("cancel_url")?,
            return_url: address("return_url")?,
            callback_url: address("callback_url")?,
        },
        stage: Stage::Pending,
        fail_reason: None,
        payer: None,
        pushed_to: None,
        created: paydunya.clock.now(),
    })
}

pub(crate) async fn confirm(May(mode): May, State(paydunya): App, Path(token): Path<String>) -> Answer<Json<Value>> {
    let found = lock(&paydunya.books).invoice(&token).filter(|invoice| invoice.mode == mode).cloned();
    let invoice = found.ok_or_else(unknown_invoice)?;
    Ok(Json(paydunya.invoice_json(&invoice)))
}

impl PayDunya {
    pub(crate) fn page_url(&self, mode: Mode, token: &str) -> String {
        let path = if mode == Mode::Test { "sandbox-checkout" } else { "checkout" };
        format!("{}/{path}/invoice/{token}", self.public_url)
    }

    /// An https address; http on loopback only if the fake was told so.
    pub(crate) fn reachable(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|url| match url.scheme() {
            "https" => url.has_host(),
            "http" => self.config.loopback_http && matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")),
            _ => false,
        })
    }

    /// Does to an invoice what a payer does. Returns the fake's id of the callback it made, already queued; none when
    /// the invoice has no address for it.
    pub(crate) fn settle(&self, token: &str, deed: Deed, attempt: Attempt) -> Answer<Option<String>> {
        let Attempt { reason, phone, amount } = attempt;
        if amount.is_some() && deed != Deed::Pay {
            return Err(Error::invalid("only a payment has an amount"));
        }
        let settled = {
            let now = self.clock.now();
            let mut books = lock(&self.books);
            let invoice = books.invoice(token).ok_or_else(unknown_invoice)?;
            if invoice.stage != Stage::Pending {
                return Err(Error::invalid(format!("the invoice is {}", invoice.stage.name())));
            }
            match deed {
                Deed::Cancel => invoice.stage = Stage::Cancelled,
                Deed::Fail => {
                    invoice.stage = Stage::Failed;
                    invoice.fail_reason = Some(reason.unwrap_or_else(|| "Solde insuffisant".into()));
                }
                Deed::Pay => {
                    invoice.stage = Stage::Completed;
                    invoice.payer = phone.or_else(|| invoice.pushed_to.clone()).or_else(|| Some("760000000".into()));
                    invoice.total_amount = amount.map_or(invoice.total_amount, |amount| amount.get().into());
                }
            }
            let settled = invoice.clone();
            if deed == Deed::Pay {
                books.ledger.post(Movement {
                    transaction_id: settled.token.clone(),
                    fee: fee(settled.total_amount, self.config.checkout_fee_bps),
                    session_id: Some(settled.token.clone()),
                    client_reference: settled.reference().map(str::to_owned),
                    counterparty_mobile: settled.payer.as_ref().map(|phone| format!("+221{phone}")),
                    ..Movement::of_ours(Kind::ApiCheckout, settled.total_amount, now)
                });
            }
            settled
        };
        let form = lock(&self.quirks).callback;
        let body = callback::encode(form, &self.invoice_json(&settled));
        let kind = format!("checkout.{}", settled.stage.name());
        Ok(settled.actions.callback_url.as_deref().map(|url| self.emit(&kind, url, body)))
    }
}

pub(crate) fn unknown_invoice() -> Error {
    Error::unknown("invoice inexistant")
}
