//! The page that `redirect_url` opens: pay, fail with a code, or cancel; then back to where the merchant said.

use axum::{
    Form,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    App,
    settle::{Attempt, Deed},
    wallet::{Env, Sale, Stage},
};
use crate::server::lock;

const FAILURES: [(&str, &str); 3] = [
    ("insufficient-funds", "Solde insuffisant"),
    ("wrong-code", "Code secret incorrect"),
    ("operator-unavailable", "Opérateur indisponible"),
];

pub(crate) async fn show(State(paytech): App, Path(token): Path<String>) -> Response {
    let sale = lock(&paytech.wallet).by_token(&token).cloned();
    match sale {
        None => (StatusCode::NOT_FOUND, Html(shell("Lien inconnu", "<p>Ce lien de paiement n’existe pas.</p>")))
            .into_response(),
        Some(sale) => {
            ([(header::CACHE_CONTROL, "no-store")], Html(body(&sale, &paytech.config.business_name))).into_response()
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Choice {
    action: Deed,
    code: Option<String>,
    mobile: Option<String>,
}

pub(crate) async fn act(State(paytech): App, Path(token): Path<String>, Form(choice): Form<Choice>) -> Response {
    if choice.action == Deed::Expire {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let Some(sale) = lock(&paytech.wallet).by_token(&token).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mobile = choice.mobile.filter(|mobile| !mobile.is_empty());
    let attempt = Attempt { code: choice.code, mobile, amount: None };
    let back = match paytech.settle(&token, choice.action, attempt) {
        Ok(_) if choice.action == Deed::Pay => sale.order.success_url,
        Ok(_) => sale.order.cancel_url,
        // It is over: the page says how.
        Err(_) => None,
    };
    Redirect::to(&back.unwrap_or_else(|| format!("/payment/checkout/{token}"))).into_response()
}

fn body(sale: &Sale, business: &str) -> String {
    let head = format!(
        "<p class=b>{}</p><p>{}</p><p class=a>{} F&nbsp;CFA</p>",
        escape(business),
        escape(&sale.order.command_name),
        grouped(sale.final_item_price)
    );
    let rest = match sale.stage {
        Stage::Complete => "<p>Paiement effectué. Merci&nbsp;!</p>".to_owned(),
        Stage::Expired => "<p>Ce lien de paiement a expiré.</p>".to_owned(),
        Stage::Cancelled => "<p>Paiement annulé.</p>".to_owned(),
        Stage::Open => form(sale),
    };
    shell("Payer avec PayTech", &(head + &rest))
}

fn form(sale: &Sale) -> String {
    let options = FAILURES.map(|(code, text)| format!("<option value={code}>{text}")).concat();
    let methods = match sale.order.target_payment.join(", ") {
        any if any.is_empty() => "Tous les moyens de paiement".to_owned(),
        these => escape(&these),
    };
    let test = match sale.order.env {
        Env::Test => "<p class=e>Mode test&nbsp;: entre 100 et 150 F&nbsp;CFA seront réellement débités.</p>",
        Env::Prod => "",
    };
    let failed = sale.last_error.as_deref();
    let failed = failed.map(|code| format!("<p class=e>Dernier essai refusé&nbsp;: {}</p>", escape(code)));
    format!(
        "<p>{methods}</p>{test}{}<form method=post>\
         <label>Numéro du payeur <input name=mobile inputmode=tel></label>\
         <button name=action value=pay class=p>Payer</button>\
         <label>Motif d’échec <select name=code>{options}</select></label>\
         <button name=action value=fail>Échouer</button>\
         <button name=action value=cancel>Annuler</button></form>",
        failed.unwrap_or_default()
    )
}

fn shell(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=fr><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:18px system-ui;max-width:24em;margin:2em auto;padding:0 1em}}\
         .a{{font-size:2em;font-weight:700}}.e{{color:#a00}}label{{display:block;margin:1em 0}}\
         input,select,button{{font:inherit;padding:.6em;width:100%;box-sizing:border-box;margin:.2em 0}}\
         .p{{background:#f60;border:0}}</style><h1>PayTech (factice)</h1>{body}</html>"
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
