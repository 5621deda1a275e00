//! Who may call: an application shows its secret once for a token, then the token with each call.

use std::collections::HashMap;

use axum::{
    Form, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, Error, WebPay};
use crate::server::lock;

/// Tokens given out, and until when each is good.
#[derive(Default)]
pub(crate) struct Tokens(HashMap<String, DateTime<Utc>>);

impl Tokens {
    pub(crate) fn revoke(&mut self) {
        self.0.clear();
    }
}

#[derive(Deserialize)]
pub(crate) struct Grant {
    grant_type: Option<String>,
}

pub(crate) async fn token(
    State(webpay): App,
    headers: HeaderMap,
    Form(grant): Form<Grant>,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let refused = |status, error: &str, description: &str| {
        Err((status, Json(json!({ "error": error, "error_description": description }))))
    };
    if grant.grant_type.as_deref() != Some("client_credentials") {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", "grant_type must be client_credentials");
    }
    // Fields of the form are not read: an application shows itself in the header.
    let config = &webpay.config;
    let known = STANDARD.encode(format!("{}:{}", config.client_id, config.client_secret));
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if shown.and_then(|shown| shown.strip_prefix("Basic ")) != Some(known.as_str()) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "The requested service needs credentials.");
    }
    let token = webpay.ids.lower("", 28);
    let until = webpay.clock.now() + TimeDelta::seconds(config.token_seconds);
    lock(&webpay.tokens).0.insert(token.clone(), until);
    // A number as text.
    let lasts = config.token_seconds.to_string();
    Ok(Json(json!({ "token_type": "Bearer", "access_token": token, "expires_in": lasts })))
}

impl WebPay {
    /// Whether a call comes with a good token, about the merchant's country.
    pub(crate) fn admit(&self, headers: &HeaderMap, country: &str) -> Result<(), Error> {
        let unauthorized = |code, message| Error {
            http: StatusCode::UNAUTHORIZED,
            code,
            message,
            description: "The requested service needs credentials.".into(),
        };
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(token) = shown.and_then(|shown| shown.strip_prefix("Bearer ")) else {
            return Err(unauthorized(40, "Missing credentials"));
        };
        match lock(&self.tokens).0.get(token) {
            None => return Err(unauthorized(41, "Invalid credentials")),
            Some(until) if *until <= self.clock.now() => return Err(unauthorized(42, "Expired credentials")),
            Some(_) => {}
        }
        if country == self.config.country {
            return Ok(());
        }
        let (code, message) = (50, "Access denied");
        Err(Error { http: StatusCode::FORBIDDEN, code, message, description: format!("no subscription in {country}") })
    }
}
