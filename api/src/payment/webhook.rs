//! What providers tell us. Verified in memory, kept sealed, answered; a worker reads it and asks the provider.
//!
//! A message that does not prove its origin is counted and leaves no trace. No secret configured: no such provider.

use axum::http::{Method, StatusCode};
use eventstore::{
    Clock,
    inbox::{self, Stored, Webhook},
};
use sha2::{Digest, Sha256};

use crate::{
    http::{
        admission::Class,
        call::Call,
        halt::Halt,
        limits::Purpose,
        operation::{Authz, IfMatch, Operation, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const WEBHOOK: Operation = Operation {
    id: "payment.webhook",
    method: Method::POST,
    path: "/v1/provider-webhooks/{provider}",
    class: Class::Confirm,
    summary: "A provider tells us something",
    about: "The raw body is verified, kept and answered within a second; nothing in it is believed before the provider \
            was asked.",
    authz: Authz::Signature,
    limit: Purpose::Webhook,
    idempotent: false,
    if_match: IfMatch::Ignored,
    raw_body: true,
    success: Success { about: "We have it.", ..Operation::READ.success },
    refusals: &["webhook.unknown_provider", "webhook.signature_invalid"],
    run: |call| Box::pin(webhook(call)),
    ..Operation::WRITE
};

pub const WEBHOOK_OF_ACCOUNT: Operation =
    Operation { id: "payment.webhook_of_account", path: "/v1/provider-webhooks/{provider}/{account}", ..WEBHOOK };

async fn webhook(call: Call) -> Result<Reply, Halt> {
    let (provider, account) = (call.segment("provider"), call.segment("account"));
    let origin = call.app.webhooks.find(provider, account).ok_or_else(|| Problem::new("webhook.unknown_provider"))?;
    if origin.is_probe(&call.body) {
        return Ok(Reply::json(StatusCode::OK, &serde_json::json!({ "received": true }))?);
    }
    // A provider signs with the time of the world, also when the clock of a test log runs ahead.
    let world = Clock::system().now();
    let genuine = origin.verify(&call.headers, &call.body, world).or_else(|forged| match call.app.is_test() {
        true => origin.verify(&call.headers, &call.body, call.now()),
        false => Err(forged),
    });
    if let Err(forged) = genuine {
        metrics::counter!("webhook_forged_total", "provider" => provider.to_owned()).increment(1);
        tracing::warn!(provider, %forged, request_id = call.request_id, "a webhook does not prove its origin");
        return Err(Problem::new("webhook.signature_invalid").into());
    }
    if let Some(page) = origin.page(&call.body)
        && inbox::payment_of_page(&call.app.store, &page).await.map_err(Problem::from)?.is_none()
    {
        // Nobody waits for it: somebody's guess, or so early that we are going to ask anyway.
        metrics::counter!("webhook_forged_total", "provider" => provider.to_owned()).increment(1);
        return Ok(Reply::json(StatusCode::OK, &serde_json::json!({ "received": true }))?);
    }
    let event_id = match origin.event_id(&call.headers, &call.body) {
        Some(id) if id.len() <= 255 => id,
        // Genuine, but nothing to know it by: its content is its name.
        _ => hex::encode(Sha256::digest(&call.body)),
    };
    let message = Webhook { provider, account, event_id: &event_id, body: &call.body };
    let stored = inbox::store(&call.app.store, message).await.map_err(Problem::from)?;
    metrics::counter!("webhook_total", "provider" => provider.to_owned()).increment(1);
    let again = matches!(stored, Stored::Again);
    Ok(Reply::json(StatusCode::OK, &serde_json::json!({ "received": true, "again": again }))?)
}
