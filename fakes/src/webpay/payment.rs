//! Pages: made, asked about, paid or not.

use std::{num::NonZeroU32, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::{App, Error, WebPay};
use crate::{
    clock::seconds,
    paydunya::{
        hooks::Event,
        ledger::{Kind, Ledger, Movement},
    },
    server::lock,
};

/// Where a page stands, in Orange's five words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Initiated,
    /// The payer has given the code, and nothing is decided.
    Pending,
    Success,
    Failed,
    Expired,
}

impl Stage {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Initiated => "INITIATED",
            Self::Pending => "PENDING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// What a payer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    /// Gives the code; what comes of it is open.
    Start,
    Pay,
    Fail,
    /// Does nothing until the time is over.
    Expire,
}

#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub order_id: String,
    pub amount: i64,
    pub pay_token: String,
    pub notif_token: String,
    pub reference: String,
    pub return_url: String,
    pub cancel_url: String,
    notif_url: String,
    stage: Stage,
    txnid: Option<String>,
    ends: DateTime<Utc>,
}

/// Pages in the order in which they were made, and the money that came in.
#[derive(Default)]
pub(crate) struct Books {
    pub pages: Vec<Page>,
    pub ledger: Ledger,
    /// The next pages are paid, and notified of, before their making is answered.
    pub pay_next_at_once: u32,
}

impl Books {
    /// By order id or `pay_token`.
    pub(crate) fn page(&mut self, wanted: &str) -> Option<&mut Page> {
        self.pages.iter_mut().find(|page| page.order_id == wanted || page.pay_token == wanted)
    }
}

impl Page {
    /// A page ends by itself unless somebody is paying.
    pub(crate) fn stage(&self, now: DateTime<Utc>) -> Stage {
        if self.stage == Stage::Initiated && now >= self.ends { Stage::Expired } else { self.stage }
    }
}

pub(crate) async fn create(
    State(webpay): App,
    Path(country): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Error> {
    webpay.admit(&headers, &country)?;
    let page = webpay.read(&object(&body)?)?;
    let (pay_token, notif_token) = (page.pay_token.clone(), page.notif_token.clone());
    let at_once = {
        let mut books = lock(&webpay.books);
        // Once and for all, whatever became of the page.
        if books.pages.iter().any(|other| other.order_id == page.order_id) {
            let (code, message) = (1204, "Order already exists");
            return Err(Error { http: StatusCode::BAD_REQUEST, code, message, description: page.order_id });
        }
        books.pages.push(page);
        let at_once = books.pay_next_at_once > 0;
        books.pay_next_at_once = books.pay_next_at_once.saturating_sub(1);
        at_once
    };
    if at_once {
        webpay.settle(&pay_token, Deed::Pay, None)?;
        webpay.hooks.drain().await;
    }
    let payment_url = format!("{}/payment/pay_token/{pay_token}", webpay.public_url);
    let answer = json!({
        "status": 201,
        "message": "OK",
        "pay_token": pay_token,
        "payment_url": payment_url,
        "notif_token": notif_token,
    });
    // 201, not 200.
    Ok((StatusCode::CREATED, Json(answer)))
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Error> {
    serde_json::from_slice(body).map_err(|error| Error::invalid(format!("not a JSON object: {error}")))
}

fn text<'b>(body: &'b Map<String, Value>, name: &str, most: usize) -> Result<&'b str, Error> {
    let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Error::invalid(format!("{name} is missing")))?;
    if text.chars().count() > most { Err(Error::invalid(format!("{name} is longer than {most}"))) } else { Ok(text) }
}

fn amount(body: &Map<String, Value>) -> Result<i64, Error> {
    let amount = body.get("amount").and_then(Value::as_i64).filter(|amount| (1..=1_000_000_000_000).contains(amount));
    amount.ok_or_else(|| Error::invalid("amount must be a whole number above 0"))
}

pub(crate) async fn status(
    State(webpay): App,
    Path(country): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Error> {
    webpay.admit(&headers, &country)?;
    let body = object(&body)?;
    let (order_id, pay_token) = (text(&body, "order_id", 30)?, text(&body, "pay_token", 512)?);
    let amount = amount(&body)?;
    let found = lock(&webpay.books).page(pay_token).cloned();
    // All three must be those of one page.
    let page = found.filter(|page| page.order_id == order_id && page.amount == amount && page.pay_token == pay_token);
    let page = page.ok_or_else(|| Error::invalid("order_id, amount and pay_token are not those of a payment"))?;
    let quirks = webpay.quirks();
    let stage = page.stage(webpay.clock.now()).name().to_owned();
    let mut answer = json!({
        "status": quirks.status.unwrap_or(stage),
        "order_id": quirks.other_order.unwrap_or(page.order_id),
        "txnid": page.txnid.filter(|_| !quirks.no_txnid).unwrap_or_default(),
    });
    if let Some(amount) = quirks.tells_amount {
        answer["amount"] = amount;
    }
    Ok((StatusCode::CREATED, Json(answer)))
}

impl WebPay {
    fn read(&self, body: &Map<String, Value>) -> Result<Page, Error> {
        if text(body, "merchant_key", 64)? != self.config.merchant_key {
            return Err(Error::invalid("merchant_key is unknown"));
        }
        let currency = if self.config.country == "dev" { "OUV" } else { "XOF" };
        if text(body, "currency", 3)? != currency {
            return Err(Error::invalid(format!("currency must be {currency}")));
        }
        if !matches!(text(body, "lang", 2)?, "fr" | "en") {
            return Err(Error::invalid("lang must be fr or en"));
        }
        let address = |name: &str| {
            let address = text(body, name, 120)?;
            let refused = || Error::invalid(format!("{name} cannot be reached from here"));
            if self.is_reachable(address) { Ok(address.to_owned()) } else { Err(refused()) }
        };
        Ok(Page {
            order_id: text(body, "order_id", 30)?.to_owned(),
            amount: amount(body)?,
            pay_token: self.ids.lower("", 40),
            notif_token: self.ids.lower("", 32),
            reference: text(body, "reference", 30)?.to_owned(),
            return_url: address("return_url")?,
            cancel_url: address("cancel_url")?,
            notif_url: address("notif_url")?,
            stage: Stage::Initiated,
            txnid: None,
            ends: self.clock.now() + TimeDelta::seconds(self.config.page_seconds),
        })
    }

    /// Any address but this machine's, unless the fake was told so.
    fn is_reachable(&self, address: &str) -> bool {
        let Ok(url) = Url::parse(address) else { return false };
        let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        matches!(url.scheme(), "http" | "https") && url.has_host() && (!local || self.config.loopback_http)
    }

    /// Does to a page what a payer does. Returns the fake's id of the notification, already queued; none is made of a
    /// beginning, and none of an end by time.
    pub(crate) fn settle(&self, wanted: &str, deed: Deed, told: Option<NonZeroU32>) -> Result<Option<String>, Error> {
        let now = self.clock.now();
        let page = {
            let mut books = lock(&self.books);
            let page = books.page(wanted).ok_or_else(|| Error::invalid("no such payment"))?;
            let stage = page.stage(now);
            if !matches!(stage, Stage::Initiated | Stage::Pending) {
                return Err(Error::invalid(format!("the payment is {}", stage.name())));
            }
            match deed {
                Deed::Start => {
                    page.stage = Stage::Pending;
                    return Ok(None);
                }
                Deed::Expire => {
                    page.ends = now;
                    return Ok(None);
                }
                Deed::Fail => page.stage = Stage::Failed,
                Deed::Pay => {
                    page.stage = Stage::Success;
                    let number = told.map_or_else(|| self.ids.upper("", 6), |number| number.to_string());
                    page.txnid = Some(format!("MP{}.{number}", now.format("%y%m%d.%H%M")));
                }
            }
            let page = page.clone();
            if let Some(txnid) = page.txnid.clone() {
                books.ledger.post(Movement {
                    transaction_id: txnid,
                    session_id: Some(page.pay_token.clone()),
                    client_reference: Some(page.order_id.clone()),
                    ..Movement::of_ours(Kind::ApiCheckout, page.amount, now)
                });
            }
            page
        };
        Ok(Some(self.notify(&page)))
    }

    /// Queues the notification of a page as it stands.
    fn notify(&self, page: &Page) -> String {
        let mut body = json!({ "status": page.stage.name(), "notif_token": page.notif_token });
        body["txnid"] = json!(page.txnid.as_deref().unwrap_or_default());
        self.send(&page.notif_url, &body)
    }

    /// Queues a notification, genuine or not.
    pub(crate) fn send(&self, url: &str, body: &Value) -> String {
        let id = self.ids.upper("NT_", 12);
        self.hooks.emit(Event {
            id: id.clone(),
            kind: body["status"].as_str().unwrap_or_default().to_owned(),
            at: seconds(self.clock.now()),
            url: url.to_owned(),
            content_type: "application/json".into(),
            body: body.to_string(),
        });
        id
    }

    /// A notification of a page, with whatever status.
    pub(crate) fn told(&self, wanted: &str, status: &str) -> Option<Value> {
        let token = lock(&self.books).page(wanted)?.notif_token.clone();
        Some(json!({ "status": status, "notif_token": token, "txnid": "MP000000.0000.X00000" }))
    }

    /// Where the notifications of a page go.
    pub(crate) fn notif_url(self: &Arc<Self>, wanted: &str) -> Option<String> {
        lock(&self.books).page(wanted).map(|page| page.notif_url.clone())
    }
}
