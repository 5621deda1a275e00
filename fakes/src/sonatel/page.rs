//! The page that `shortLink` opens: pay, fail with a code, or cancel; then back to where the merchant said.

use axum::{
    Form,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    App,
    payer::{Attempt, Deed},
    state::{Qr, Status},
};
use crate::server::lock;

const FAILURES: [(&str, &str); 5] = [
    ("2020", "Solde insuffisant"),
    ("2000", "Client inconnu"),
    ("2013", "Compte bloqué"),
    ("2041", "Opération non autorisée"),
    ("50", "Erreur technique"),
];

pub(crate) async fn show(State(sonatel): App, Path(id): Path<String>) -> Response {
    let found = {
        let books = lock(&sonatel.books);
        books.qrs.iter().find(|qr| qr.id == id).map(|qr| (qr.clone(), books.used(&qr.id)))
    };
    let Some((qr, used)) = found else {
        let body = "<p>Ce code de paiement n’existe pas.</p>";
        return (StatusCode::NOT_FOUND, Html(shell("Code inconnu", body))).into_response();
    };
    let over = sonatel.clock.now() >= qr.expires;
    let html = page(&qr, used, over, &sonatel.config.payer);
    ([(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Choice {
    action: Deed,
    code: Option<String>,
    msisdn: Option<String>,
}

pub(crate) async fn act(State(sonatel): App, Path(id): Path<String>, Form(choice): Form<Choice>) -> Response {
    let plain = |text: String| text.split_whitespace().collect::<String>().trim_start_matches("+221").to_owned();
    let msisdn = choice.msisdn.map(plain).filter(|msisdn| !msisdn.is_empty());
    let attempt = Attempt { code: choice.code, msisdn, ..Attempt::default() };
    let page = format!("/q/{id}");
    let Ok(made) = sonatel.settle(&id, choice.action, attempt) else {
        // Paid, expired or unknown: the page says which.
        return Redirect::to(&page).into_response();
    };
    let qr = lock(&sonatel.books).qrs.iter().find(|qr| qr.id == id).cloned();
    let back = qr.and_then(|qr| if made.row.status == Status::Success { qr.success_url } else { qr.cancel_url });
    Redirect::to(back.as_deref().unwrap_or(&page)).into_response()
}

fn page(qr: &Qr, used: bool, over: bool, payer: &str) -> String {
    let head = format!("<p class=b>{}</p><p class=a>{} F&nbsp;CFA</p>", escape(&qr.name), grouped(qr.amount));
    let body = match (used, over) {
        (true, _) if qr.single_use => "<p>Paiement effectué. Merci&nbsp;!</p>".to_owned(),
        (_, true) => "<p>Ce code de paiement a expiré.</p>".to_owned(),
        _ => form(payer),
    };
    let failed = qr.last_error.as_deref().map(|code| {
        let text = FAILURES.iter().find(|(known, _)| *known == code).map_or(code, |(_, text)| text);
        format!("<p class=e>Dernier essai refusé&nbsp;: {}</p>", escape(text))
    });
    shell("Payer avec Orange Money", &format!("{head}{}{body}", failed.unwrap_or_default()))
}

fn form(payer: &str) -> String {
    let options = FAILURES.map(|(code, text)| format!("<option value={code}>{text}")).concat();
    format!(
        "<form method=post><label>Numéro du payeur <input name=msisdn inputmode=tel placeholder=\"{}\"></label>\
         <button name=action value=pay class=p>Payer</button>\
         <label>Motif d’échec <select name=code>{options}</select></label>\
         <button name=action value=fail>Échouer</button>\
         <button name=action value=cancel>Annuler</button></form>",
        escape(payer)
    )
}

fn shell(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=fr><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:18px system-ui;max-width:24em;margin:2em auto;padding:0 1em}}\
         .a{{font-size:2em;font-weight:700}}.e{{color:#a00}}label{{display:block;margin:1em 0}}\
         input,select,button{{font:inherit;padding:.6em;width:100%;box-sizing:border-box;margin:.2em 0}}\
         .p{{background:#ff7900;border:0}}</style><h1>Orange Money (factice)</h1>{body}</html>"
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
