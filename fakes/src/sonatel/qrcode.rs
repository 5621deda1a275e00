//! `POST /api/eWallet/v4/qrcode`: a code that can be paid until it ends.

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    App, Sonatel,
    auth::{May, QR_CODE},
    error::{Answer, CREDENTIALS, PAYEE, Problem},
    payer::{Attempt, Deed},
    state::Qr,
    validate::{Fields, bad, is_good_url},
};
use crate::{clock::seconds, server::lock};

/// A grey pixel: a PNG like the real one, without `data:` before it.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// The specification says 1; in production nothing below 10 can be paid.
const LEAST: i64 = 10;
const LONGEST: i64 = 86_400;

pub(crate) async fn create(
    _: May<QR_CODE>,
    State(sonatel): App,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<Json<Value>> {
    let (qr, validity) = read(&sonatel, &headers, &body)?;
    let answer = sonatel.qr_json(&qr, validity);
    let id = qr.id.clone();
    let at_once = {
        let mut books = lock(&sonatel.books);
        books.qrs.push(qr);
        let at_once = books.pay_at_once > 0;
        books.pay_at_once = books.pay_at_once.saturating_sub(1);
        at_once
    };
    if at_once {
        // The webhook overtakes the answer: its delivery is waited for.
        sonatel.settle(&id, Deed::Pay, Attempt::default())?;
        sonatel.hooks.drain().await;
    }
    Ok(Json(answer))
}

fn read(sonatel: &Sonatel, headers: &HeaderMap, body: &Bytes) -> Answer<(Qr, i64)> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if sonatel.config.api_key.is_some() && header("x-api-key") != sonatel.config.api_key {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, CREDENTIALS, "X-Api-Key is missing or wrong"));
    }
    let callback_url = header("x-callback-url");
    let loopback_http = sonatel.config.loopback_http;
    if callback_url.as_deref().is_some_and(|url| !is_good_url(url, loopback_http)) {
        return Err(bad("X-Callback-Url must be an https address"));
    }
    let fields = Fields::read(body)?;
    if fields.text("code")? != sonatel.config.merchant_code {
        return Err(Problem::refused(PAYEE, "The merchant code is unknown"));
    }
    let validity = fields.whole("validity")?;
    if !(1..=LONGEST).contains(&validity) {
        return Err(bad(format!("validity must be from 1 to {LONGEST}")));
    }
    let restrictions = fields.optional_object("restrictions")?;
    let now = sonatel.clock.now();
    let qr = Qr {
        id: sonatel.ids.lower("", 20),
        amount: fields.amount(LEAST)?,
        name: fields.text("name")?,
        reference: fields.text("reference")?,
        success_url: fields.optional_url("callbackSuccessUrl", loopback_http)?,
        cancel_url: fields.optional_url("callbackCancelUrl", loopback_http)?,
        callback_url,
        single_use: restrictions.map_or(Ok(false), |restrictions| restrictions.flag("isSingleUse"))?,
        metadata: fields.metadata()?,
        created: now,
        expires: now + TimeDelta::seconds(validity),
        last_error: None,
    };
    Ok((qr, validity))
}

impl Sonatel {
    fn qr_json(&self, qr: &Qr, validity: i64) -> Value {
        let page = format!("{}/q/{}", self.public_url, qr.id);
        json!({
            "deepLink": format!("{page}?app=om"),
            "deepLinks": { "OM": format!("{page}?app=om"), "MAXIT": format!("{page}?app=maxit") },
            "qrCode": PNG,
            "validity": validity,
            "metadata": qr.metadata,
            "shortLink": page,
            "qrId": qr.id,
            "validFor": { "startDateTime": seconds(qr.created), "endDateTime": seconds(qr.expires) },
        })
    }
}
