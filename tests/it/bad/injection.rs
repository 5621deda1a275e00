//! What is meant for somebody behind us: the database, the network, the log, the browser of a manager.

use std::time::Duration;

use kalel::seeded::Seeded;
use reqwest::Method;
use serde_json::json;

use super::{
    document::with,
    house::{House, url_encoded},
    run::{Case, Must, Tally, drawn},
};
use crate::api::{fresh_key, slot};

const SQL: [&str; 16] = [
    "' OR '1'='1",
    "'; SELECT pg_sleep(9); --",
    "1 AND 1=(SELECT 1 FROM pg_sleep(9))",
    "') UNION SELECT secret_hash FROM read.keys --",
    "\"; DROP SCHEMA event_log CASCADE; --",
    "' || (SELECT version()) || '",
    "$$; SELECT 1; $$",
    "\\'; --",
    "1; COPY (SELECT 1) TO PROGRAM 'id'",
    "%' AND 1=CAST((SELECT current_user) AS int) --",
    "'||chr(0)||'",
    "/**/OR/**/1=1",
    "1e0union select 1",
    "'::regclass",
    "{1,2}' ::int[]",
    "E'\\x41'",
];
/// Where nobody may send us. (To this machine a test log may; that a live one may not is `adapters/src/egress/`.)
const INSIDE: [&str; 27] = [
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://user:pw@shop.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "ftp://shop.example/",
    "dict://127.0.0.1:11211/",
    "javascript:alert('kalel')",
    "data:text/html,a",
    "//shop.example/",
    "https://",
    "https:///a",
    "shop.example",
    "http://shop.example/",
    "https://127.0.0.1\\@shop.example/",
    "https://[64:ff9b::7f00:1]/",
];
const TAG: &str = "<script>alert('kalel')</script>";
const BREAKS_OUT: &str = "\"><img src=x onerror=alert('kalel')>";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_sent_is_carried_out_by_the_database_the_network_the_log_or_a_browser() {
    let count = super::count(300, 5_000);
    let house = House::new().await;
    let mut seeded = Seeded(super::seed());
    let groups = vec![sql(&house).await, addresses(&house, count).await, log_lines(&house).await];
    let mut tally = Tally::new("injection");
    tally.try_all(&house, drawn(groups, count, &mut seeded)).await;
    if tally.slowest() > Duration::from_secs(8) {
        tally.wrong(format!("somebody slept in the database: {:?}", tally.slowest()));
    }
    for line in house.process.log().lines() {
        if line.trim_start().starts_with("kalel-injected") || line.contains('\u{1b}') {
            tally.wrong(format!("a line of the log that is the caller's: {line}"));
        }
    }
    house.api.settle().await;
    browsers(&house, &mut tally).await;
    tally.report(Some(&house.process), count);
}

async fn sql(house: &House) -> Vec<Case> {
    let mut cases = Vec::new();
    for door in house.doors().await.into_iter().filter(|door| !door.operation.path.ends_with("/stream")) {
        for param in door.operation.query {
            for probe in SQL {
                cases.push(door.asking(
                    format!("?{}={probe}", param.name),
                    &door.query_with(param.name, probe),
                    Must::May,
                ));
            }
        }
        if let Some(body) = &door.body {
            for member in house.document.members(door.operation, body) {
                if house.document.types(member.schema).contains("string") {
                    for probe in SQL {
                        let body = with(body, &member, Some(json!(probe))).to_string();
                        cases.push(door.case(format!("{} is {probe}", member.pointer()), body, Must::May));
                    }
                }
            }
        }
    }
    cases
}

async fn addresses(house: &House, count: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for door in house.doors_with_bodies().await {
        for member in house.document.members(door.operation, door.body.as_ref().unwrap()) {
            if member.name == "url" {
                for _ in 0..=count / 150 {
                    for url in INSIDE {
                        let body = with(door.body.as_ref().unwrap(), &member, Some(json!(url))).to_string();
                        cases.push(door.case(format!("{} is {url}", member.pointer()), body, Must::Refuse));
                    }
                }
            }
        }
    }
    assert!(!cases.is_empty(), "no member of a body is called `url` any more");
    cases
}

/// Line breaks and colours wherever the process may write down what it was sent.
async fn log_lines(house: &House) -> Vec<Case> {
    let mut cases = Vec::new();
    let line = "a\r\nkalel-injected {\"level\":\"ERROR\"}\u{1b}[2J";
    for door in house.doors().await.into_iter().filter(|door| !door.operation.path.ends_with("/stream")) {
        let mut by_path = door.asking("a line in the path", "", Must::Refuse);
        by_path.path = format!("/v1/sites/{}", url_encoded(line));
        by_path.method = Method::GET;
        cases.push(by_path);
        let mut unknown = door.asking("a line in a parameter", &format!("{}=1", url_encoded(line)), Must::Refuse);
        unknown.body = b"{}".to_vec();
        cases.push(unknown);
        if let Some(body) = &door.body {
            let mut extra = body.clone();
            extra[line] = json!(line);
            cases.push(door.case("a line in a member's name", extra.to_string(), Must::Refuse));
        }
        let mut named = door.asking("a request of another name", "colour=red", Must::Refuse);
        named.headers.push(("request-id".into(), "a\tkalel-injected".into()));
        named.headers.push(("traceparent".into(), "00-kalel-injected".into()));
        cases.push(named);
    }
    for provider in ["wave", "sonatel", "paytech", "paydunya", "webpay"] {
        let headers = vec![("wave-signature".into(), "t=1,v1=\tkalel-injected".into())];
        let (path, body) = (format!("/v1/provider-webhooks/{provider}"), line.as_bytes().to_vec());
        let about = "a line in a webhook".into();
        cases.push(Case { about, method: Method::POST, path, who: None, headers, body, must: Must::Refuse });
    }
    cases
}

/// Names that clients choose, on the pages that others look at.
async fn browsers(house: &House, tally: &mut Tally) {
    let mut pages = vec![
        format!("/problems/{}", url_encoded(TAG)),
        format!("/pay/{}", url_encoded(TAG)),
        format!("/pay/share/{}", url_encoded(BREAKS_OUT)),
        format!("/docs/{}", url_encoded(TAG)),
        format!("/{}", url_encoded(TAG)),
    ];
    for (number, name) in [TAG, BREAKS_OUT].into_iter().enumerate() {
        let mut site = crate::api::ground(&format!("browser-{number}"), json!({}));
        site["profile"]["name"] = json!(name);
        site["profile"]["notes"] = json!([name]);
        site["pitches"][1]["name"] = json!(name);
        let site = house.api.post("manager", "/v1/sites", site).await.is(201).text("/id").to_owned();
        let mut wish = slot(&site, "nord", house.api.midday(3), 60);
        wish["client"] = json!({ "phone": format!("77 555 44 3{number}"), "name": name });
        wish["payment"] = json!({ "method": "wave", "pays": "deposit" });
        let ask = house.api.ask(Method::POST, "/v1/reservations").role("service").key(&fresh_key()).json(&wish);
        let held = ask.send().await.is(201);
        house.api.settle().await;
        let pay = held.text("/payment/pay_url").to_owned();
        pages.push(pay[pay.find("/pay/").expect("a page of ours")..].to_owned());
    }
    let mut html = 0;
    for page in pages {
        let answer = house.api.ask(Method::GET, &page).send().await;
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        if answer.status >= 500 {
            tally.wrong(format!("{page}: {}", answer.status));
        }
        if answer.header("content-type").starts_with("text/html") {
            html += 1;
            if text.contains("<script>alert") || text.contains("<img src=x") {
                tally.wrong(format!("{page} carries out what a client wrote"));
            }
        }
        if answer.header("x-content-type-options") != "nosniff" && !page.starts_with("/docs") {
            tally.wrong(format!("{page} may be taken for something else"));
        }
    }
    assert!(html >= 4, "only {html} pages were HTML");
}
