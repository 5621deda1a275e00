//! The page that a payer is sent to: number and code, then back to where the merchant said. Going back proves nothing.

use axum::{
    Form,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    App,
    payment::{Deed, Page, Stage},
};
use crate::server::lock;

pub(crate) async fn show(State(webpay): App, Path(token): Path<String>) -> Response {
    let found = lock(&webpay.books).page(&token).filter(|page| page.pay_token == token).cloned();
    match found {
        None => (StatusCode::NOT_FOUND, Html(shell("<p>Ce paiement n’existe pas.</p>"))).into_response(),
        Some(page) => {
            let body = shell(&body(&page, page.stage(webpay.clock.now())));
            ([(header::CACHE_CONTROL, "no-store")], Html(body)).into_response()
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Choice {
    action: Deed,
}

pub(crate) async fn act(State(webpay): App, Path(token): Path<String>, Form(choice): Form<Choice>) -> Response {
    let found = lock(&webpay.books).page(&token).filter(|page| page.pay_token == token).cloned();
    let Some(page) = found else { return StatusCode::NOT_FOUND.into_response() };
    let back = match (webpay.settle(&token, choice.action, None), choice.action) {
        (Ok(_), Deed::Pay) => page.return_url,
        (Ok(_), Deed::Fail) => page.cancel_url,
        // Still under way, or over before: the page says which.
        _ => format!("/payment/pay_token/{token}"),
    };
    Redirect::to(&back).into_response()
}

fn body(page: &Page, stage: Stage) -> String {
    let head = format!("<p>{}</p><p><b>{} F&nbsp;CFA</b></p>", escape(&page.reference), page.amount);
    let rest = match stage {
        Stage::Initiated | Stage::Pending => {
            "<form method=post><label>Numéro Orange Money <input name=number inputmode=tel></label>\
             <label>Code de paiement <input name=otp inputmode=numeric></label>\
             <button name=action value=pay>Payer</button><button name=action value=fail>Annuler</button></form>"
        }
        Stage::Success => "<p>Paiement effectué. Merci&nbsp;!</p>",
        Stage::Failed => "<p>Paiement échoué.</p>",
        Stage::Expired => "<p>Paiement expiré.</p>",
    };
    format!("{head}{rest}")
}

fn shell(body: &str) -> String {
    format!(
        "<!doctype html><html lang=fr><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>Orange Money</title><h1>Orange Money</h1>{body}</html>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
