//! `POST /version1/messaging`: a form in, 201 with one status per recipient out, even when all of them failed.

use std::sync::Arc;

use axum::{
    Form, Json,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::{App, Message, Sms, control::Outcome, gsm};
use crate::server::lock;

#[derive(Deserialize)]
pub(crate) struct Body {
    username: String,
    to: String,
    message: String,
    from: Option<String>,
}

pub(crate) async fn send(State(sms): App, headers: HeaderMap, body: Result<Form<Body>, FormRejection>) -> Response {
    let Ok(Form(body)) = body else {
        return (StatusCode::BAD_REQUEST, "Request is missing required form field").into_response();
    };
    let key = headers.get("apikey").map(axum::http::HeaderValue::as_bytes).unwrap_or_default();
    let known = bool::from(key.ct_eq(sms.config.api_key.as_bytes())) && body.username == sms.config.username;
    if !known {
        return (StatusCode::UNAUTHORIZED, "The supplied authentication is invalid").into_response();
    }
    let sender_known = |from: &String| sms.config.senders.is_empty() || sms.config.senders.contains(from);
    if !body.from.as_ref().is_none_or(sender_known) {
        return sent("InvalidSenderId", Vec::new());
    }
    let mut recipients = Vec::new();
    for to in body.to.split(',').map(str::trim) {
        match sms.one(to, &body) {
            Ok(recipient) => recipients.push(recipient),
            Err(message) => return sent(&message, Vec::new()),
        }
    }
    let accepted = recipients.iter().filter(|recipient| recipient["statusCode"].as_u64() < Some(400)).count();
    let message =
        format!("Sent to {accepted}/{} Total Cost: XOF {}", recipients.len(), accepted as u32 * sms.config.price);
    sent(&message, recipients)
}

fn sent(message: &str, recipients: Vec<Value>) -> Response {
    let body = json!({ "SMSMessageData": { "Message": message, "Recipients": recipients } });
    (StatusCode::CREATED, Json(body)).into_response()
}

impl Sms {
    /// One recipient's line; an error is the message of an answer without recipients.
    fn one(self: &Arc<Self>, to: &str, body: &Body) -> Result<Value, String> {
        let outcome = self.outcome(to);
        let digits = to.strip_prefix('+').unwrap_or_default();
        let number = (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        match outcome {
            Some(Outcome::Empty { message, .. }) => return Err(message),
            Some(Outcome::Status { code, .. }) => return Ok(line(code, to, "None", 0)),
            None if !number => return Ok(line(403, to, "None", 0)),
            None => {}
        }
        let (encoding, segments) = gsm::segments(&body.message);
        let message = Message {
            id: self.ids.lower("ATXid_", 32),
            to: to.to_owned(),
            from: body.from.clone(),
            text: body.message.clone(),
            segments,
            encoding,
            time: self.clock.now(),
            status: "Sent".into(),
        };
        let line = line(101, to, &message.id, self.config.price * segments as u32);
        let id = message.id.clone();
        lock(&self.messages).push(message);
        if let Some(status) = lock(&self.auto_report).clone() {
            let sms = Arc::clone(self);
            tokio::spawn(async move { sms.report(&id, &status, None).await });
        }
        Ok(line)
    }

    fn outcome(&self, to: &str) -> Option<Outcome> {
        let mut outcomes = lock(&self.outcomes);
        let position = outcomes.iter().position(|outcome| outcome.is_for(to))?;
        outcomes.remove(position)
    }

    /// Posts a delivery report; answers with the status that came back, if any.
    pub(crate) async fn report(&self, id: &str, status: &str, reason: Option<&str>) -> Option<u16> {
        let url = self.config.delivery_url.clone()?;
        let to = {
            let mut messages = lock(&self.messages);
            let message = messages.iter_mut().find(|message| message.id == id)?;
            status.clone_into(&mut message.status);
            message.to.clone()
        };
        let mut form =
            vec![("id", id), ("status", status), ("phoneNumber", &to), ("networkCode", "60801"), ("retryCount", "0")];
        form.extend(reason.map(|reason| ("failureReason", reason)));
        let answer = self.client.post(url).form(&form).send().await;
        answer.ok().map(|answer| answer.status().as_u16())
    }
}

fn line(code: u16, to: &str, id: &str, cost: u32) -> Value {
    let status = match code {
        100 => "Processed",
        101 => "Success",
        102 => "Queued",
        401 => "RiskHold",
        402 => "InvalidSenderId",
        403 => "InvalidPhoneNumber",
        404 => "UnsupportedNumberType",
        405 => "InsufficientBalance",
        406 => "UserInBlacklist",
        407 => "CouldNotRoute",
        409 => "DoNotDisturbRejection",
        500 => "InternalServerError",
        501 => "GatewayError",
        _ => "RejectedByGateway",
    };
    let cost = if cost == 0 { "0".to_owned() } else { format!("XOF {cost}.0000") };
    json!({ "statusCode": code, "number": to, "status": status, "cost": cost, "messageId": id })
}
