//! A manager's month end: what was played is paid out, two persons sign, and the statement equals the ledger.

use chrono::Duration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    guide::{Answer, Guide, Off, wrong},
    stage::Stage,
    together::HOUR,
};

/// The second of two persons of finance.
const SECOND: &str = "second finance";

/// The five friends come: what they paid is the site's from then on, less the commission.
pub(super) async fn play(guide: &mut Guide, stage: &Stage, reservation: &str) -> Result<(), Off> {
    guide.chapter("The five friends play");
    let path = format!("/v1/reservations/{reservation}");
    let code = guide.quiet("service", Method::GET, &path, None).await?.text("/code")?;
    guide.pass_until(stage.hour(HOUR) - Duration::minutes(10)).await?;
    let check_in = Some(json!({ "code": code }));
    let here = guide.call("manager", Method::POST, &format!("{path}/check-in"), check_in, StatusCode::OK).await?;
    guide.show("status", &here.text("/status")?);
    guide.events().await
}

/// Everything that the site has earned in the run, once the month is over.
pub(super) async fn pay_the_site(guide: &mut Guide, stage: &Stage) -> Result<(), Off> {
    guide.chapter("Month end: the site is paid");
    let wallet = Stage::phone(guide, 0)?;
    let account = format!("/v1/sites/{}/payout-account", stage.slug);
    let agreed = guide.set("admin", &account, json!({ "method": "wave", "account": wallet })).await?;
    guide.show("paid to", &format!("{} …{}", agreed.text("/method")?, agreed.text("/account_ends_with")?));
    let wish = json!({ "label": format!("Finance {}", guide.run), "role": "finance" });
    let key = guide.call("admin", Method::POST, "/v1/keys", Some(wish), StatusCode::CREATED).await?;
    guide.meet(SECOND, key.text("/secret")?);
    let now = guide.now().await?;
    let month = domain::payout::month_after(now, chrono_tz::Africa::Dakar);
    guide.pass_until(month + Duration::hours(domain::payout::MONTH_RESTS) + Duration::minutes(1)).await?;
    let list = format!("/v1/payouts?site_id={}", stage.slug);
    let prepared = guide.until("finance", &list, "/data/0/status", "prepared").await?;
    let id = prepared.text("/data/0/id")?;
    guide.show("payout", &id);
    for part in ["payable", "taken_back", "at_site", "held", "amount"] {
        guide.show(part, &format!("{:>8} XOF", francs(&prepared.body, &format!("/data/0/{part}"))?));
    }
    guide.holds("prepared by itself, for all that was entered before the first of the month");
    let path = format!("/v1/payouts/{id}");
    let approval = format!("{path}/approval");
    let yes = || Some(json!({}));
    guide.call("manager", Method::POST, &approval, yes(), StatusCode::FORBIDDEN).await?;
    guide.call("finance", Method::POST, &approval, yes(), StatusCode::OK).await?;
    let again = guide.call("finance", Method::POST, &approval, yes(), StatusCode::UNPROCESSABLE_ENTITY).await?;
    guide.show("code", &again.text("/code")?);
    guide.holds("one person is not two");
    guide.call(SECOND, Method::POST, &approval, yes(), StatusCode::OK).await?;
    let paid = guide.until("manager", &path, "/status", "succeeded").await?;
    guide.show("status", &paid.text("/status")?);
    guide.show("at Wave", &paid.text("/provider_id")?);
    sent_once(guide, &paid).await?;
    guide.message("+221770000001", "reversés").await?;
    guide.events().await?;
    equal_to_the_ledger(guide, stage, &path).await
}

/// By Wave's own ledger.
async fn sent_once(guide: &mut Guide, paid: &Answer) -> Result<(), Off> {
    let (amount, reference) = (francs(&paid.body, "/amount")?, paid.text("/reference")?);
    let ledger = guide.fake("wave", "/__ledger", None).await?;
    let entries = ledger["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sent = entries.iter().filter(|entry| entry["client_reference"] == reference.as_str());
    let gross: Vec<i64> = sent.filter_map(|entry| entry["gross"].as_i64()).map(i64::abs).collect();
    if gross != [amount] {
        return Err(wrong(format!("{amount} should have left once, and Wave's ledger knows of {gross:?}")));
    }
    guide.holds(&format!("{amount} XOF left once, by Wave's own ledger"));
    Ok(())
}

/// The statement, in each of its forms, against the entries of the site's account.
async fn equal_to_the_ledger(guide: &mut Guide, stage: &Stage, path: &str) -> Result<(), Off> {
    guide.chapter("The payout statement equals the ledger");
    let path = format!("{path}/statement");
    let told = guide.call("manager", Method::GET, &path, None, StatusCode::OK).await?;
    let mut nets = Vec::new();
    for row in told.body["data"].as_array().into_iter().flatten() {
        let net = francs(row, "/net")?;
        let sums = format!("received {:>6}  commission {:>5}", francs(row, "/received")?, francs(row, "/commission")?);
        guide.show(row["code"].as_str().or(row["event"].as_str()).unwrap_or("?"), &format!("{sums}  net {net:>6}"));
        nets.push(net);
    }
    let payable = francs(&told.body, "/payable")?;
    guide.show("payable", &format!("{payable} XOF"));
    let until = told.body["as_of_position"].as_i64().unwrap_or_default();
    let account = format!("/v1/ledger/entries?account=site:{}:payable&limit=100", stage.id);
    let entries = guide.call("finance", Method::GET, &account, None, StatusCode::OK).await?;
    let entered = entries.body["data"].as_array().into_iter().flatten();
    let entered = entered.filter(|entry| entry["position"].as_i64() <= Some(until));
    let ledger: i64 = -entered.filter_map(|entry| entry["amount"]["amount"].as_i64()).sum::<i64>();
    if nets.is_empty() || nets.iter().sum::<i64>() != ledger || payable != ledger {
        return Err(wrong(format!("the statement says {nets:?} and {payable}, the ledger {ledger}")));
    }
    guide.holds(&format!("{} lines, {payable} XOF: what the ledger entered for the site", nets.len()));
    let csv = guide.call("manager", Method::GET, &format!("{path}.csv"), None, StatusCode::OK).await?;
    let text = String::from_utf8_lossy(&csv.bytes).into_owned();
    let last = |line: &str| line.rsplit(',').next().and_then(|cell| cell.trim().parse::<i64>().ok());
    let amounts: Vec<i64> = text.lines().filter_map(last).collect();
    // What was carried over, a line for each, and below them what is paid of it.
    let mut wanted = vec![francs(&told.body, "/opening")?];
    wanted.extend(&nets);
    wanted.extend([payable, francs(&told.body, "/amount")?]);
    if amounts != wanted {
        return Err(wrong(format!("the CSV says {amounts:?} and not {wanted:?}")));
    }
    for (ending, begins) in [("xlsx", b"PK\x03\x04".as_slice()), ("pdf", b"%PDF-")] {
        let file = guide.call("manager", Method::GET, &format!("{path}.{ending}"), None, StatusCode::OK).await?;
        if !file.bytes.starts_with(begins) {
            return Err(wrong(format!("the statement as {ending} is none")));
        }
        guide.show(ending, &format!("{} bytes", file.bytes.len()));
    }
    guide.holds("the CSV has the same figures, and a workbook and pages to print are made of the same table");
    Ok(())
}

fn francs(body: &Value, pointer: &str) -> Result<i64, Off> {
    let amount = body.pointer(pointer).and_then(|money| money["amount"].as_i64());
    amount.ok_or_else(|| wrong(format!("no amount at {pointer}: {body}")))
}
