//! Tokens: client credentials in, 299 seconds of access out; and the gateway's other demand, a content type on each call.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use subtle::ConstantTimeEq;

use super::{
    Api, App, Client, ClientState, Sonatel,
    error::{Problem, oauth},
};
use crate::server::lock;

/// Token → whose it is and until when.
pub(crate) type Tokens = HashMap<String, (String, DateTime<Utc>)>;

/// 415 for every API call, a GET too, that does not say it is JSON.
pub(crate) async fn demand_json(request: Request, next: Next) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if request.uri().path().starts_with("/api/") && !kind.starts_with("application/json") {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Problem::new(status, super::error::BAD_REQUEST, "Content-Type must be application/json")
            .into_response();
    }
    next.run(request).await
}

/// `POST /oauth/v1/token`; credentials in the form, or as HTTP Basic.
pub(crate) async fn token(State(sonatel): App, headers: HeaderMap, body: Bytes) -> Response {
    let form: HashMap<_, _> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.get(name).cloned().unwrap_or_default();
    if field("grant_type") != "client_credentials" {
        let body = json!({ "error": "unsupported_grant_type", "error_description": "Only client_credentials" });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let (id, secret) = basic(&headers).unwrap_or_else(|| (field("client_id"), field("client_secret")));
    let good = |client: &&Client| client.id == id && bool::from(client.secret.as_bytes().ct_eq(secret.as_bytes()));
    let Some(client) = sonatel.config.clients.iter().find(good) else {
        return oauth("invalid_client", "Invalid client or Invalid client credentials");
    };
    if client.state == ClientState::NotActivated {
        return oauth("unauthorized_client", "The client is not activated");
    }
    let token = sonatel.ids.lower("", 48);
    let until = sonatel.clock.now() + TimeDelta::seconds(sonatel.config.token_seconds);
    lock(&sonatel.tokens).insert(token.clone(), (client.id.clone(), until));
    Json(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": sonatel.config.token_seconds,
        "scope": "apimanagement email profile",
        "refresh_token": sonatel.ids.lower("", 48),
        "refresh_expires_in": 1_799,
    }))
    .into_response()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// Proof that the call may use an API: `May::<PAYMENT>`.
pub(crate) struct May<const API: u8>;

pub(crate) const QR_CODE: u8 = 0;
pub(crate) const PAYMENT: u8 = 1;
pub(crate) const NOTIFICATION: u8 = 2;
pub(crate) const DISTRIBUTOR: u8 = 3;

impl<const API: u8> FromRequestParts<Arc<Sonatel>> for May<API> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, sonatel: &Arc<Sonatel>) -> Result<Self, Problem> {
        let api = match API {
            QR_CODE => Api::QrCode,
            PAYMENT => Api::Payment,
            NOTIFICATION => Api::Notification,
            _ => Api::Distributor,
        };
        check(sonatel, parts, api).map(|()| Self)
    }
}

fn check(sonatel: &Sonatel, parts: &Parts, api: Api) -> Result<(), Problem> {
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|header| header.to_str().ok()).unwrap_or_default();
    let token = header.strip_prefix("Bearer ").ok_or_else(|| Problem::unauthorized("Missing bearer token"))?;
    let (id, until) =
        lock(&sonatel.tokens).get(token).cloned().ok_or_else(|| Problem::unauthorized("Invalid token"))?;
    if sonatel.clock.now() >= until {
        return Err(Problem::unauthorized("The token has expired"));
    }
    let subscribed = |client: &Client| client.id == id && client.apis.contains(&api);
    if sonatel.config.clients.iter().any(subscribed) {
        return Ok(());
    }
    let detail = "The application is not subscribed to this API";
    Err(Problem::new(StatusCode::FORBIDDEN, super::error::CREDENTIALS, detail))
}
