//! A refund that Wave refuses, and that goes by Orange Money; and what a site has earned.

use chrono::Duration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    Booked,
    guide::{Guide, Off, wrong},
    stage::{DEPOSIT, Stage},
};

/// Wave refuses to give the deposit back: it goes to the same number by Orange Money, which has proven the number.
pub(super) async fn refund_another_way(guide: &mut Guide, stage: &Stage) -> Result<(), Off> {
    guide.chapter("Wave refuses a refund: it goes by Orange Money");
    let phone = Stage::phone(guide, 9)?;
    guide.say("Paid once by Orange Money from their own number: it is known to be theirs.");
    let first = deposit(guide, stage, 70, &phone, "orange_money").await?;
    guide.say("Paid by Wave, and Wave will refuse every way of giving it back.");
    let second = deposit(guide, stage, 75, &phone, "wave").await?;
    for call in ["checkout.refund", "payout.create"] {
        let no = json!({ "do": "fail", "call": call, "how": "status", "status": 400, "times": 9 });
        guide.fake("wave", "/__control", Some(no)).await?;
    }
    let path = format!("/v1/reservations/{second}");
    guide.call("service", Method::POST, &format!("{path}/cancellation"), Some(json!({})), StatusCode::OK).await?;
    let mut refund = Value::Null;
    for _ in 0..20 {
        // Between two ways there is a rest, which the test clock skips.
        let now = guide.now().await?;
        guide.pass_quietly(now + Duration::seconds(60)).await?;
        let before = refund["version"].as_i64().unwrap_or_default();
        refund = guide.moved_on("service", &path, "/refunds/0", before).await?;
        if refund["version"].as_i64() > Some(before) {
            let route = format!("{} {}", refund["method"], refund["route"]).replace('"', "");
            guide.show(refund["status"].as_str().unwrap_or("?"), &route);
        }
        if refund["status"] == "succeeded" {
            break;
        }
    }
    guide.fake("wave", "/__control", Some(json!({ "do": "heal" }))).await?;
    if refund["status"] != "succeeded" || refund["method"] != "orange_money" {
        return Err(wrong(format!("it should have gone by Orange Money: {refund}")));
    }
    let ledger = guide.fake("sonatel", "/__ledger", None).await?;
    if ledger["totals"]["paid_out"].as_i64() < Some(DEPOSIT) {
        return Err(wrong(format!("Sonatel's ledger knows of no cash-in: {}", ledger["totals"])));
    }
    guide.holds(&format!("{DEPOSIT} XOF left by Orange Money, by Sonatel's own ledger"));
    let path = format!("/v1/reservations/{first}/cancellation");
    guide.call("service", Method::POST, &path, Some(json!({})), StatusCode::OK).await?;
    guide.events().await
}

/// A reservation whose deposit is paid by a rail, from the client's own number.
async fn deposit(guide: &mut Guide, stage: &Stage, hour: i64, phone: &str, rail: &str) -> Result<String, Off> {
    let mut body = stage.slot("grand", stage.hour(hour));
    body["client"] = json!({ "phone": phone, "name": "Ndeye" });
    body["payment"] = json!({ "method": rail, "pays": "deposit" });
    let held = guide.call("service", Method::POST, "/v1/reservations", Some(body), StatusCode::CREATED).await?;
    let id = held.text("/id")?;
    let path = format!("/v1/reservations/{id}");
    let pending = guide.until("service", &path, "/payment/status", "pending").await?;
    let national = phone.trim_start_matches("+221").to_owned();
    guide.press_with(&pending.text("/payment/checkout_url")?, "pay", &[("msisdn", &national)]).await?;
    guide.until("service", &path, "/status", "confirmed").await?;
    guide.show(rail, "confirmed");
    Ok(id)
}

/// What was played is the site's, less the commission: the statement says the same as the ledger.
pub(super) async fn what_the_site_has_earned(guide: &mut Guide, stage: &Stage, played: &Booked) -> Result<(), Off> {
    guide.chapter("What the site has earned");
    let contract = format!("/v1/sites/{}/contract", stage.slug);
    let contract = guide.call("manager", Method::GET, &contract, None, StatusCode::OK).await?;
    guide.show("flow", &contract.text("/flow")?);
    guide.show("commission", &format!("{} basis points", contract.text("/commission_basis_points")?));
    let account = format!("site:{}:payable", stage.id);
    let path = format!("/v1/ledger/statement?account={account}");
    let statement = guide.call("manager", Method::GET, &path, None, StatusCode::OK).await?;
    for line in statement.body["data"].as_array().into_iter().flatten() {
        let (amount, balance) = (&line["amount"]["amount"], &line["balance"]["amount"]);
        guide.show(line["event"].as_str().unwrap_or("?"), &format!("{amount:>8}  balance {balance:>8}"));
    }
    let closing = statement.body["closing"][0]["amount"].as_i64().unwrap_or_default();
    let path = format!("/v1/ledger/accounts?site={}", stage.slug);
    let accounts = guide.quiet("manager", Method::GET, &path, None).await?;
    let on = accounts.body["data"].as_array().into_iter().flatten().find(|one| one["account"] == account.as_str());
    let on = on.and_then(|one| one["balance"]["amount"].as_i64()).unwrap_or_default();
    // Owed to the site: a credit.
    if on != closing || closing != -(DEPOSIT - DEPOSIT / 10) {
        return Err(wrong(format!("{} was played: statement {closing}, ledger {on}", played.id)));
    }
    guide.holds(&format!(
        "the statement ends where the ledger stands: {} XOF for the site, {} for the platform",
        -closing,
        DEPOSIT / 10
    ));
    Ok(())
}
