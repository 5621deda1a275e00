//! `POST /payment/request-payment`: a sale to be paid on a page of PayTech's.

use axum::{Json, body::Bytes, extract::State, http::HeaderMap};
use serde_json::json;

use super::{
    App, PayTech,
    answer::{Answer, No},
    auth::Merchant,
    settle::{Attempt, Deed},
    validate::Fields,
    wallet::{Env, Order, Sale},
};
use crate::server::lock;

pub(crate) const CALL: &str = "request";

/// The ways to pay that a merchant can narrow a page to.
const METHODS: [&str; 6] = ["Orange Money", "Wave", "Free Money", "Carte Bancaire", "Joni Joni", "Wizall"];

pub(crate) async fn create(_: Merchant, State(paytech): App, headers: HeaderMap, body: Bytes) -> Answer {
    if let Some(body) = paytech.scripted(CALL) {
        return Ok(Json(body));
    }
    let order = read(&headers, &body, paytech.switches().loopback_http)?;
    let (token, at_once) = {
        let mut wallet = lock(&paytech.wallet);
        if wallet.sale(&order.ref_command).is_some() {
            return Err(No::message(0, "ref_command existe déjà"));
        }
        let token = paytech.ids.lower("", 24);
        wallet.add(Sale::new(token.clone(), order, paytech.clock.now()));
        (token, wallet.pay_next_at_once())
    };
    if at_once {
        // The IPN overtakes the answer: its delivery is waited for.
        paytech.settle(&token, Deed::Pay, Attempt::default()).map_err(|why| No::message(-1, &why))?;
        paytech.hooks.drain().await;
    }
    Ok(Json(json!({ "success": 1, "token": token, "redirect_url": paytech.page_url(&token) })))
}

fn read(headers: &HeaderMap, body: &[u8], loopback_http: bool) -> Result<Order, No> {
    let mut fields = Fields::read(headers, body, loopback_http)?;
    let item_name = fields.required("item_name", 255);
    let item_price = fields.price("item_price");
    let ref_command = fields.required("ref_command", 255);
    let command_name = fields.required("command_name", 255);
    fields.choice("currency", &["XOF"]);
    let env = if fields.choice("env", &["prod", "test"]) == "test" { Env::Test } else { Env::Prod };
    let target = fields.text("target_payment", 255).unwrap_or_default();
    let target_payment: Vec<_> = target.split(',').map(|name| name.trim().to_owned()).collect();
    if !target.is_empty() && !target_payment.iter().all(|name| METHODS.contains(&name.as_str())) {
        fields.wrong("target_payment", "est invalide");
    }
    let order = Order {
        item_name,
        item_price,
        ref_command,
        command_name,
        env,
        ipn_url: fields.url("ipn_url"),
        refund_notif_url: fields.url("refund_notif_url"),
        success_url: fields.url("success_url"),
        cancel_url: fields.url("cancel_url"),
        custom_field: fields.text("custom_field", 4_096),
        target_payment: if target.is_empty() { Vec::new() } else { target_payment },
    };
    fields.done()?;
    Ok(order)
}

impl PayTech {
    pub(crate) fn page_url(&self, token: &str) -> String {
        format!("{}/payment/checkout/{token}", self.public_url)
    }
}
