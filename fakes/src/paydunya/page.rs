//! The page behind an invoice: pay, fail with a reason, or cancel; then back to where the merchant said.

use axum::{
    Form,
    extract::{OriginalUri, Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use url::Url;

use super::{
    App,
    books::{Invoice, Mode, Stage},
    checkout::{Attempt, Deed},
};
use crate::server::lock;

const FAILURES: [&str; 4] = ["Solde insuffisant", "Compte bloqué", "Plafond dépassé", "Délai de confirmation dépassé"];

pub(crate) async fn show(State(paydunya): App, OriginalUri(uri): OriginalUri, Path(token): Path<String>) -> Response {
    let found = lock(&paydunya.books).invoice(&token).filter(|invoice| is_there(invoice, uri.path())).cloned();
    match found {
        None => (StatusCode::NOT_FOUND, Html(shell("Facture inconnue", "<p>Cette facture n’existe pas.</p>")))
            .into_response(),
        Some(invoice) => ([(header::CACHE_CONTROL, "no-store")], Html(page(&invoice))).into_response(),
    }
}

/// A test invoice has its page under the sandbox's path, and there only.
fn is_there(invoice: &Invoice, path: &str) -> bool {
    path.starts_with("/sandbox-checkout/") == (invoice.mode == Mode::Test)
}

#[derive(Deserialize)]
pub(crate) struct Choice {
    action: Deed,
    reason: Option<String>,
    phone: Option<String>,
}

pub(crate) async fn act(
    State(paydunya): App,
    OriginalUri(uri): OriginalUri,
    Path(token): Path<String>,
    Form(choice): Form<Choice>,
) -> Response {
    let Some(invoice) = lock(&paydunya.books).invoice(&token).filter(|invoice| is_there(invoice, uri.path())).cloned()
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let phone = choice.phone.filter(|phone| !phone.is_empty());
    let attempt = Attempt { reason: choice.reason, phone, amount: None };
    let back = match (paydunya.settle(&token, choice.action, attempt), choice.action) {
        (Ok(_), Deed::Pay) => invoice.actions.return_url,
        (Ok(_), Deed::Fail | Deed::Cancel) => invoice.actions.cancel_url,
        // Paid, failed or cancelled before: the page says which.
        (Err(_), _) => None,
    };
    let back = back.and_then(|url| Url::parse(&url).ok()).map(|mut url| {
        url.query_pairs_mut().append_pair("token", &token);
        url.to_string()
    });
    Redirect::to(back.as_deref().unwrap_or(uri.path())).into_response()
}

fn page(invoice: &Invoice) -> String {
    let head = format!(
        "<p class=b>{}</p><p>{}</p><p class=a>{} F&nbsp;CFA</p>",
        escape(&invoice.store_name),
        escape(&invoice.description),
        grouped(invoice.total_amount)
    );
    let body = match invoice.stage {
        Stage::Completed => "<p>Paiement effectué. Merci&nbsp;!</p>".to_owned(),
        Stage::Cancelled => "<p>Paiement annulé.</p>".to_owned(),
        Stage::Failed => {
            format!("<p class=e>Paiement échoué&nbsp;: {}</p>", escape(invoice.fail_reason.as_deref().unwrap_or("")))
        }
        Stage::Pending => form(invoice),
    };
    let test = if invoice.mode == Mode::Test { "<p class=e>Mode test</p>" } else { "" };
    shell("Payer avec PayDunya", &format!("{test}{head}{body}"))
}

fn form(invoice: &Invoice) -> String {
    let channels = if invoice.channels.is_empty() { "tous".to_owned() } else { invoice.channels.join(", ") };
    let reasons = FAILURES.map(|reason| format!("<option>{reason}")).concat();
    format!(
        "<p>Moyens&nbsp;: {}</p><form method=post>\
         <label>Numéro du payeur <input name=phone inputmode=tel value=\"{}\"></label>\
         <button name=action value=pay class=p>Payer</button>\
         <label>Motif d’échec <select name=reason>{reasons}</select></label>\
         <button name=action value=fail>Échouer</button>\
         <button name=action value=cancel>Annuler</button></form>",
        escape(&channels),
        escape(invoice.pushed_to.as_deref().unwrap_or_default())
    )
}

fn shell(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=fr><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:18px system-ui;max-width:24em;margin:2em auto;padding:0 1em}}\
         .a{{font-size:2em;font-weight:700}}.e{{color:#a00}}label{{display:block;margin:1em 0}}\
         input,select,button{{font:inherit;padding:.6em;width:100%;box-sizing:border-box;margin:.2em 0}}\
         .p{{background:#2f6bff;color:#fff;border:0}}</style><h1>PayDunya (factice)</h1>{body}</html>"
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
