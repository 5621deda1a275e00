//! The page that `wave_launch_url` opens: pay, fail with a code, or cancel; then back to where the merchant said.

use axum::{
    Form,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    App,
    checkout::{Attempt, Deed},
    wallet::{Session, Stage},
};
use crate::server::lock;

const FAILURES: [(&str, &str); 7] = [
    ("insufficient-funds", "Solde insuffisant"),
    ("blocked-account", "Compte bloqué"),
    ("cross-border-payment-not-allowed", "Paiement transfrontalier interdit"),
    ("customer-age-restricted", "Client trop jeune"),
    ("kyb-limits-exceeded", "Limite du marchand dépassée"),
    ("payer-mobile-mismatch", "Autre numéro que prévu"),
    ("payment-failure", "Échec du paiement"),
];

pub(crate) async fn page(State(wave): App, Path(id): Path<String>) -> Response {
    let session = lock(&wave.wallet).session(&id, wave.clock.now()).cloned();
    match session {
        None => (StatusCode::NOT_FOUND, Html(shell("Lien inconnu", "<p>Ce lien de paiement n’existe pas.</p>")))
            .into_response(),
        Some(session) => {
            ([(header::CACHE_CONTROL, "no-store")], Html(show(&session, &wave.config.business_name))).into_response()
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Choice {
    action: Deed,
    code: Option<String>,
    mobile: Option<String>,
}

pub(crate) async fn act(State(wave): App, Path(id): Path<String>, Form(choice): Form<Choice>) -> Response {
    let mobile = choice.mobile.filter(|mobile| !mobile.is_empty());
    if matches!(choice.action, Deed::Expire) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let attempt = Attempt { code: choice.code, mobile, amount: None };
    if wave.settle(&id, &choice.action, attempt).is_err() {
        // Paid, expired or unknown: the page says which.
        return Redirect::to(&format!("/c/{id}")).into_response();
    }
    let session = lock(&wave.wallet).session(&id, wave.clock.now()).cloned();
    session.map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |session| {
            let paid = session.stage == Stage::Complete;
            Redirect::to(if paid { &session.success_url } else { &session.error_url }).into_response()
        },
    )
}

fn show(session: &Session, business: &str) -> String {
    let amount = grouped(session.amount);
    let head = format!("<p class=b>{}</p><p class=a>{amount} F&nbsp;CFA</p>", escape(business));
    let body = match session.stage {
        Stage::Complete => "<p>Paiement effectué. Merci&nbsp;!</p>".to_owned(),
        Stage::Expired => "<p>Ce lien de paiement a expiré.</p>".to_owned(),
        Stage::Cancelled => "<p>Paiement annulé.</p>".to_owned(),
        Stage::Open => form(session),
    };
    let failed = session.last_error.as_deref().filter(|_| session.stage == Stage::Open);
    let failed = failed.map(|code| format!("<p class=e>Dernier essai refusé&nbsp;: {}</p>", escape(code)));
    shell("Payer avec Wave", &format!("{head}{}{body}", failed.unwrap_or_default()))
}

fn form(session: &Session) -> String {
    let options = FAILURES.map(|(code, text)| format!("<option value={code}>{text}")).concat();
    let mobile = session.restrict_payer_mobile.as_deref().unwrap_or_default();
    format!(
        "<form method=post><label>Numéro du payeur <input name=mobile inputmode=tel value=\"{}\"></label>\
         <button name=action value=pay class=p>Payer</button>\
         <label>Motif d’échec <select name=code>{options}</select></label>\
         <button name=action value=fail>Échouer</button>\
         <button name=action value=cancel>Annuler</button></form>",
        escape(mobile)
    )
}

fn shell(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=fr><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:18px system-ui;max-width:24em;margin:2em auto;padding:0 1em}}\
         .a{{font-size:2em;font-weight:700}}.e{{color:#a00}}label{{display:block;margin:1em 0}}\
         input,select,button{{font:inherit;padding:.6em;width:100%;box-sizing:border-box;margin:.2em 0}}\
         .p{{background:#1dc8ff;border:0}}</style><h1>Wave (factice)</h1>{body}</html>"
    )
}

/// `35 000`, as French writes it.
fn grouped(amount: i64) -> String {
    let digits = amount.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
