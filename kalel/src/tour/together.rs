//! Five friends pay a pitch together, on three rails.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{
    guide::{Guide, Off, wrong},
    stage::Stage,
};

/// By which each of them pays.
const RAILS: [&str; 5] = ["wave", "orange_money", "yas", "wave", "orange_money"];

/// Which hour of the tour they play.
pub(super) const HOUR: i64 = 60;

/// The price of an hour in five shares, each paid by its link. Answers which reservation it is.
pub(super) async fn pay_together(guide: &mut Guide, stage: &Stage) -> Result<String, Off> {
    guide.chapter("Five friends pay together, on three rails");
    let mut body = stage.slot("grand", stage.hour(HOUR));
    body["client"] = json!({ "phone": Stage::phone(guide, 8)?, "name": "Cheikh" });
    body["payment"] = json!({ "pays": "none" });
    let held = guide.call("service", Method::POST, "/v1/reservations", Some(body), StatusCode::CREATED).await?;
    let id = held.text("/id")?;
    let deadline = stage.hour(50).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let path = format!("/v1/reservations/{id}/split");
    let wish = json!({ "shares": RAILS.len(), "of": "full", "deadline": deadline });
    let split = guide.call("service", Method::POST, &path, Some(wish), StatusCode::CREATED).await?;
    let mut links = Vec::new();
    for share in split.body["shares"].as_array().into_iter().flatten() {
        links.push(share["pay_url"].as_str().unwrap_or_default().to_owned());
        guide.show("share", &format!("{} XOF", share["amount"]["amount"]));
    }
    if links.len() != RAILS.len() {
        return Err(wrong(format!("{} shares were asked for, and there are {}", RAILS.len(), links.len())));
    }
    for (number, (link, rail)) in links.iter().zip(RAILS).enumerate() {
        let phone = format!("7712345{number:02}");
        let page = guide.choose(link, rail, &phone).await?;
        guide.press_with(&page, "pay", &[("msisdn", &phone)]).await?;
        let paid = format!("/shares/{number}/due/amount");
        guide.until_number("service", &path, &paid, 0).await?;
        let now = guide.quiet("service", Method::GET, &path, None).await?;
        guide.show(
            rail,
            &format!("paid; {} XOF missing, {}", now.body["missing"]["amount"], now.text("/reservation_status")?),
        );
    }
    let reservation = format!("/v1/reservations/{id}");
    let confirmed = guide.until("service", &reservation, "/status", "confirmed").await?;
    guide.holds(&format!("confirmed with the last share; {} XOF still due", confirmed.text("/balance_due/amount")?));
    for fake in ["wave", "sonatel", "paytech"] {
        let ledger = guide.fake(fake, "/__ledger", None).await?;
        if ledger["repeated"]["charges"].as_array().is_none_or(|charges| !charges.is_empty()) {
            return Err(wrong(format!("{fake} charged something twice: {}", ledger["repeated"])));
        }
    }
    guide.holds("no rail charged anything twice, by its own ledger");
    guide.events().await?;
    Ok(id)
}
