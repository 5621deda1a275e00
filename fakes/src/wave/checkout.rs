//! Checkout sessions: create, look up, expire, refund; and what the payer does with one.

use std::num::NonZeroU32;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App, Wave,
    auth::{CHECKOUT, May},
    error::{Answer, Error},
    ledger::{Kind, Movement, fee},
    validate::Fields,
    wallet::{Session, Stage, Wallet},
};
use crate::server::lock;

/// What a payer can do on the launch page.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deed {
    Pay,
    Fail,
    Cancel,
    Expire,
}

/// The particulars of a deed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    /// Why it fails.
    pub code: Option<String>,
    /// Who pays.
    pub mobile: Option<String>,
    /// Francs that are paid instead of what the session asks for. Wave itself lets nobody do that.
    pub amount: Option<NonZeroU32>,
}

pub(crate) async fn create(_: May<CHECKOUT>, State(wave): App, headers: HeaderMap, body: Bytes) -> Answer<Json<Value>> {
    let session = read(&wave, &headers, &body)?;
    let id = session.id.clone();
    let at_once = {
        let mut wallet = lock(&wave.wallet);
        let number = wallet.next_number();
        wallet.sessions.insert(number, session);
        let at_once = wallet.pay_next_at_once > 0;
        wallet.pay_next_at_once = wallet.pay_next_at_once.saturating_sub(1);
        at_once
    };
    if at_once {
        // The webhook overtakes the answer: its delivery is waited for.
        wave.settle(&id, &Deed::Pay, Attempt::default())?;
        wave.hooks.drain().await;
    }
    wave.show(&id)
}

fn read(wave: &Wave, headers: &HeaderMap, body: &[u8]) -> Answer<Session> {
    let mut fields = Fields::read(headers, body)?;
    let amount = fields.amount("amount");
    fields.currency();
    let success_url = fields.url("success_url", wave.config.loopback_http);
    let error_url = fields.url("error_url", wave.config.loopback_http);
    let client_reference = fields.text("client_reference", 255);
    let restrict = fields.mobile("restrict_payer_mobile");
    let older_name = fields.mobile("enforce_payer_mobile");
    let aggregated_merchant_id = fields.text("aggregated_merchant_id", 255);
    fields.done()?;
    let now = wave.clock.now();
    Ok(Session {
        id: wave.ids.lower("cos-", 14),
        amount,
        client_reference,
        success_url,
        error_url,
        restrict_payer_mobile: restrict.or(older_name),
        aggregated_merchant_id,
        created: now,
        expires: now + TimeDelta::seconds(wave.config.session_seconds),
        completed: None,
        stage: Stage::Open,
        last_error: None,
        transaction_id: None,
        refunded: false,
    })
}

pub(crate) async fn show(_: May<CHECKOUT>, State(wave): App, Path(id): Path<String>) -> Answer<Json<Value>> {
    wave.show(&id)
}

#[derive(Deserialize)]
pub(crate) struct ByTransaction {
    transaction_id: Option<String>,
}

pub(crate) async fn by_transaction(
    _: May<CHECKOUT>,
    State(wave): App,
    Query(query): Query<ByTransaction>,
) -> Answer<Json<Value>> {
    let wanted = query.transaction_id.ok_or_else(|| missing_query("transaction_id"))?;
    let found =
        lock(&wave.wallet).sessions(wave.clock.now(), |session| session.transaction_id.as_deref() == Some(&*wanted));
    found.first().map(|session| Json(wave.session_json(session))).ok_or_else(unknown_session)
}

#[derive(Deserialize)]
pub(crate) struct ByReference {
    pub client_reference: Option<String>,
}

pub(crate) async fn search(
    _: May<CHECKOUT>,
    State(wave): App,
    Query(query): Query<ByReference>,
) -> Answer<Json<Value>> {
    let wanted = query.client_reference.ok_or_else(|| missing_query("client_reference"))?;
    let found =
        lock(&wave.wallet).sessions(wave.clock.now(), |session| session.client_reference.as_deref() == Some(&*wanted));
    let result: Vec<_> = found.iter().map(|session| wave.session_json(session)).collect();
    Ok(Json(json!({ "result": result })))
}

pub(crate) async fn expire(_: May<CHECKOUT>, State(wave): App, Path(id): Path<String>) -> Answer<StatusCode> {
    wave.settle(&id, &Deed::Expire, Attempt::default())?;
    Ok(StatusCode::OK)
}

pub(crate) async fn refund(_: May<CHECKOUT>, State(wave): App, Path(id): Path<String>) -> Answer<StatusCode> {
    refund_session(&wave, &id)?;
    Ok(StatusCode::OK)
}

/// Gives a paid session back in full; again changes nothing.
pub(crate) fn refund_session(wave: &Wave, id: &str) -> Answer<()> {
    let (now, mut wallet) = (wave.clock.now(), lock(&wave.wallet));
    let session = wallet.session(id, now).ok_or_else(unknown_session)?.clone();
    if session.stage != Stage::Complete {
        let message = "The checkout session is not in a succeeded state";
        return Err(Error::new(StatusCode::BAD_REQUEST, "checkout-refund-failed", message));
    }
    if session.refunded {
        return Ok(());
    }
    let charged = wallet
        .ledger
        .entries()
        .iter()
        .find(|entry| entry.kind == Kind::ApiCheckout && entry.session_id.as_deref() == Some(id));
    let (net, charged_fee, payer) =
        charged.map(|entry| (entry.net, entry.fee, entry.counterparty_mobile.clone())).ok_or_else(unknown_session)?;
    if wallet.ledger.balance() < net {
        return Err(Error::new(StatusCode::BAD_REQUEST, "insufficient-funds", "The wallet does not hold enough"));
    }
    let transaction_id = wave.ids.upper("T_", 10);
    wallet.ledger.post(Movement {
        gross: -session.amount,
        fee: -charged_fee,
        ..movement(&session, Kind::ApiCheckoutRefund, transaction_id, payer, now)
    });
    if let Some(session) = wallet.session(id, now) {
        session.refunded = true;
    }
    Ok(())
}

fn movement(
    session: &Session,
    kind: Kind,
    transaction_id: String,
    payer: Option<String>,
    at: DateTime<Utc>,
) -> Movement {
    Movement {
        at,
        kind,
        transaction_id,
        gross: session.amount,
        fee: 0,
        session_id: Some(session.id.clone()),
        payout_id: None,
        client_reference: session.client_reference.clone(),
        counterparty_mobile: payer,
    }
}

impl Wave {
    pub(crate) fn session_json(&self, session: &Session) -> Value {
        session.json(&self.config.business_name, &self.public_url)
    }

    fn show(&self, id: &str) -> Answer<Json<Value>> {
        let mut wallet = lock(&self.wallet);
        let session = wallet.session(id, self.clock.now()).ok_or_else(unknown_session)?;
        Ok(Json(self.session_json(session)))
    }

    /// Does to a session what a payer, or an expire call, does. Returns the id of the event it made, already queued.
    pub(crate) fn settle(&self, id: &str, deed: &Deed, attempt: Attempt) -> Answer<Option<String>> {
        let now = self.clock.now();
        let Attempt { code, mobile, amount } = attempt;
        if amount.is_some() && !matches!(deed, Deed::Pay) {
            return Err(Error::new(StatusCode::BAD_REQUEST, "amount", "Only a payment has an amount"));
        }
        let (kind, data) = {
            let mut wallet = lock(&self.wallet);
            let session = wallet.session(id, now).ok_or_else(unknown_session)?;
            let cancelled_expires = matches!((&session.stage, deed), (Stage::Cancelled, Deed::Expire));
            if session.stage != Stage::Open && !cancelled_expires {
                return Err(Error::conflict("checkout-session-closed", "The session is complete or expired"));
            }
            match deed {
                Deed::Expire => {
                    session.stage = Stage::Expired;
                    session.expires = now;
                    return Ok(None);
                }
                Deed::Cancel => {
                    session.stage = Stage::Cancelled;
                    failed(session, "payment-failure")
                }
                Deed::Fail => failed(session, code.as_deref().unwrap_or("insufficient-funds")),
                Deed::Pay if other_payer(session, mobile.as_deref()) => failed(session, "payer-mobile-mismatch"),
                Deed::Pay => {
                    if let Some(amount) = amount {
                        session.amount = amount.get().into();
                    }
                    let paid = self.pay(&mut wallet, id, mobile, now)?;
                    ("checkout.session.completed", self.session_json(&paid))
                }
            }
        };
        Ok(Some(self.emit(kind, data)))
    }

    fn pay(&self, wallet: &mut Wallet, id: &str, mobile: Option<String>, now: DateTime<Utc>) -> Answer<Session> {
        let transaction_id = self.ids.upper("T_", 10);
        let session = wallet.session(id, now).ok_or_else(unknown_session)?;
        session.stage = Stage::Complete;
        session.completed = Some(now);
        session.transaction_id = Some(transaction_id.clone());
        session.last_error = None;
        let paid = session.clone();
        let payer = mobile.or_else(|| paid.restrict_payer_mobile.clone()).or_else(|| Some("+221770000000".into()));
        wallet.ledger.post(Movement {
            fee: fee(paid.amount, self.config.checkout_fee_bps),
            ..movement(&paid, Kind::ApiCheckout, transaction_id, payer, now)
        });
        Ok(paid)
    }
}

fn other_payer(session: &Session, mobile: Option<&str>) -> bool {
    matches!((session.restrict_payer_mobile.as_deref(), mobile), (Some(wanted), Some(mobile)) if wanted != mobile)
}

/// A failed attempt: the session stays open. The event carries little: an id and the error.
fn failed(session: &mut Session, code: &str) -> (&'static str, Value) {
    session.last_error = Some(code.to_owned());
    let data = json!({ "id": session.id, "last_payment_error": super::wallet::attempt_error(code) });
    ("checkout.session.payment_failed", data)
}

pub(crate) fn unknown_session() -> Error {
    Error::new(StatusCode::NOT_FOUND, "checkout-session-not-found", "No such checkout session")
}

pub(crate) fn missing_query(name: &str) -> Error {
    Error::validation(vec![json!({ "loc": ["query", name], "msg": "field required", "type": "value_error.missing" })])
}
