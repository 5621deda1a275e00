//! Money: in, late, back, and never by a forgery.

use chrono::Duration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    Booked,
    guide::{Guide, Off, wrong},
    stage::{DEPOSIT, HOLD_SECONDS, Stage},
};

/// Reserves an hour with a Wave deposit.
async fn reserve(guide: &mut Guide, stage: &Stage, hour: i64, phone: u32) -> Result<Booked, Off> {
    let starts_at = stage.hour(hour);
    let phone = Stage::phone(guide, phone)?;
    let mut body = stage.slot("grand", starts_at);
    body["client"] = json!({ "phone": phone, "name": "Fatou Ndiaye" });
    body["payment"] = json!({ "method": "wave", "pays": "deposit" });
    let held = guide.call("service", Method::POST, "/v1/reservations", Some(body), StatusCode::CREATED).await?;
    let id = held.text("/id")?;
    guide.show("reservation", &id);
    guide.show("status", &held.text("/status")?);
    guide.show("deposit_due", &held.text("/deposit_due/amount")?);
    guide.show("pay_url", &held.text("/payment/pay_url")?);
    let checkout_url = held.text("/payment/checkout_url").ok();
    if let Some(url) = &checkout_url {
        guide.show("checkout_url", url);
    }
    Ok(Booked { code: held.text("/code")?, id, phone, starts_at, checkout_url })
}

/// Waits for the provider's page and pays on it, as a client with a telephone does.
async fn pay(guide: &mut Guide, booked: &Booked) -> Result<(), Off> {
    let path = format!("/v1/reservations/{}", booked.id);
    let url = match &booked.checkout_url {
        Some(url) => url.clone(),
        None => guide.until("service", &path, "/payment/status", "pending").await?.text("/payment/checkout_url")?,
    };
    let status = guide.press(&url, "pay").await?;
    if !status.is_success() && !status.is_redirection() {
        return Err(wrong(format!("the provider's page answered {status}")));
    }
    let confirmed = guide.until("service", &path, "/status", "confirmed").await?;
    guide.show("status", &confirmed.text("/status")?);
    guide.show("received", &confirmed.text("/received/amount")?);
    guide.show("balance_due", &confirmed.text("/balance_due/amount")?);
    Ok(())
}

/// Hold, pay the deposit by Wave, be confirmed, get the code by SMS.
pub(super) async fn pay_the_deposit(guide: &mut Guide, stage: &Stage) -> Result<Booked, Off> {
    guide.chapter("Hold the whole pitch and pay the deposit by Wave");
    let booked = reserve(guide, stage, 3, 3).await?;
    guide.message(&booked.phone, "/pay/").await?;
    pay(guide, &booked).await?;
    guide.message(&booked.phone, &booked.code).await?;
    let ledger = guide.fake("wave", "/__ledger", None).await?;
    if ledger["repeated"]["charges"].as_array().is_some_and(|charges| !charges.is_empty()) {
        return Err(wrong(format!("Wave charged something twice: {}", ledger["repeated"])));
    }
    guide.holds("Wave's own ledger knows of one charge");
    guide.message("+221770000001", "").await?;
    guide.events().await?;
    Ok(booked)
}

/// Nobody pays: the hold ends and the slot is free again.
pub(super) async fn let_it_expire(guide: &mut Guide, stage: &Stage) -> Result<(), Off> {
    guide.chapter("Nobody pays: the hold ends, the slot is free again");
    let booked = reserve(guide, stage, 30, 4).await?;
    let path = format!("/v1/reservations/{}", booked.id);
    guide.until("service", &path, "/payment/status", "pending").await?;
    let now = guide.now().await?;
    guide.pass_until(now + Duration::seconds(HOLD_SECONDS + 5)).await?;
    guide.until("service", &path, "/status", "expired").await?;
    guide.show("status", "expired");
    guide.message(&booked.phone, "").await?;
    let mut body = stage.slot("grand", booked.starts_at);
    body["client"] = json!({ "phone": Stage::phone(guide, 5)?, "name": "Ibou" });
    body["payment"] = json!({ "pays": "none" });
    let next = guide.call("service", Method::POST, "/v1/reservations", Some(body), StatusCode::CREATED).await?;
    guide.holds(&format!("somebody else holds it now: {}", next.text("/id")?));
    guide.events().await
}

/// Cancelled in time: the deposit comes back, with Wave's own reference.
pub(super) async fn cancel_and_refund(guide: &mut Guide, stage: &Stage) -> Result<(), Off> {
    guide.chapter("Cancelled in time: the deposit comes back");
    let booked = reserve(guide, stage, 40, 6).await?;
    pay(guide, &booked).await?;
    let path = format!("/v1/reservations/{}/cancellation", booked.id);
    let preview =
        guide.call("service", Method::POST, &format!("{path}?preview=true"), Some(json!({})), StatusCode::OK).await?;
    guide.show("would come back", &preview.text("/refund/amount")?);
    guide.call("service", Method::POST, &path, Some(json!({})), StatusCode::OK).await?;
    let path = format!("/v1/reservations/{}", booked.id);
    let refunded = guide.until("service", &path, "/refunds/0/status", "succeeded").await?;
    let amount = refunded.body["refunds"][0]["amount"]["amount"].as_i64();
    if amount != Some(DEPOSIT) {
        return Err(wrong(format!("{DEPOSIT} should come back, not {amount:?}")));
    }
    guide.show("refunded", &format!("{DEPOSIT} XOF"));
    let ledger = guide.fake("wave", "/__ledger", None).await?;
    let entries = ledger["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let returned = |entry: &&Value| {
        entry["kind"].as_str().is_some_and(|kind| kind.contains("refund"))
            && entry["gross"].as_i64().map(i64::abs) == Some(DEPOSIT)
    };
    if !entries.iter().any(|entry| returned(&entry)) {
        return Err(wrong(format!("Wave's ledger knows of no refund: {entries:?}")));
    }
    guide.holds("Wave's own ledger says the same");
    guide.message(&booked.phone, "rembours").await?;
    guide.events().await?;
    the_way_of_its_money(guide, &booked).await
}

/// Each franc of a reservation whose deposit came back: in, a debt, owed, out. All of the ledger is zero.
async fn the_way_of_its_money(guide: &mut Guide, booked: &Booked) -> Result<(), Off> {
    let path = format!("/v1/ledger/entries?reservation={}", booked.id);
    let entries = guide.until("finance", &path, "/data/5/event", "refund.succeeded").await?;
    let mut sums = std::collections::BTreeMap::<String, i64>::new();
    for posting in entries.body["data"].as_array().into_iter().flatten() {
        let account = posting["account"].as_str().unwrap_or("?").to_owned();
        let amount = posting["amount"]["amount"].as_i64().unwrap_or_default();
        guide.show(posting["event"].as_str().unwrap_or("?"), &format!("{amount:>+8}  {account}"));
        *sums.entry(account).or_default() += amount;
    }
    if sums.len() != 3 || sums.values().any(|sum| *sum != 0) {
        return Err(wrong(format!("all of the money came back, and the ledger says {sums:?}")));
    }
    let all = guide.quiet("auditor", Method::GET, "/v1/ledger/trial-balance", None).await?;
    let total = &all.body["totals"][0];
    if total["debit"] != total["credit"] {
        return Err(wrong(format!("the ledger is not balanced: {total}")));
    }
    guide.holds(&format!("the ledger of everything is balanced: {} XOF on either side", total["debit"]["amount"]));
    Ok(())
}

/// A webhook that Wave did not send changes nothing.
pub(super) async fn refuse_a_forgery(guide: &mut Guide, stage: &Stage) -> Result<(), Off> {
    guide.chapter("A forged webhook changes nothing");
    let booked = reserve(guide, stage, 50, 7).await?;
    let path = format!("/v1/reservations/{}", booked.id);
    let pending = guide.until("service", &path, "/payment/status", "pending").await?;
    let forged = json!({
        "id": format!("EV_forged{}", guide.run), "type": "checkout.session.completed",
        "data": { "id": "cos-forged", "amount": DEPOSIT.to_string(), "currency": "XOF", "checkout_status": "complete",
                  "payment_status": "succeeded", "client_reference": pending.text("/payment/reference")?,
                  "transaction_id": "T_FORGED" },
    });
    let now = guide.now().await?.timestamp();
    let signature = format!("t={now},v1={}", "0".repeat(64));
    for (name, headers) in [("unsigned", Vec::new()), ("badly signed", vec![("Wave-Signature", signature)])] {
        let status = guide.stranger("/v1/provider-webhooks/wave", &headers, forged.to_string()).await?;
        if status != StatusCode::UNAUTHORIZED {
            return Err(wrong(format!("an {name} webhook was answered {status}")));
        }
        guide.holds(&format!("{name}: 401"));
    }
    let after = guide.quiet("service", Method::GET, &path, None).await?;
    if after.text("/status")? != "held" {
        return Err(wrong("a forged webhook moved a reservation"));
    }
    guide.holds("the reservation is still only held");
    let path = format!("{path}/cancellation");
    guide.call("service", Method::POST, &path, Some(json!({})), StatusCode::OK).await?;
    guide.say(&format!("All of it stands in the log: GET /v1/streams/{}/events", stage.id));
    guide.events().await
}
