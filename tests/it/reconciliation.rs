//! Statements of providers over HTTP: imported as a file, compared, explained, closed.

use std::time::Duration;

use chrono::NaiveDate;
use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    ids::{PaymentId, RefundId, ReservationId},
    money::Money,
    payment::{Cells, Landed, Payment, ProviderId, Settle},
    reservation::Reservation,
};
use eventstore::{Append, Meta};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Answer, Api, fresh_key, slot};

const HEADER: &str = "transaction,kind,state,amount,fee,currency,at,reference";

/// A deposit of 9 000 by Wave that has landed under this name; our reference.
async fn landed(api: &Api, site: &str, number: u32, transaction: &str) -> String {
    landed_by(api, site, number, transaction, "wave").await
}

/// The same by another method.
pub async fn landed_by(api: &Api, site: &str, number: u32, transaction: &str, method: &str) -> String {
    let mut body = slot(site, "nord", api.midday(10) + chrono::TimeDelta::hours(i64::from(number)), 60);
    body["client"] = json!({ "phone": format!("+2217712300{number:02}") });
    body["payment"] = json!({ "method": method, "pays": "deposit" });
    let made = api.post("service", "/v1/reservations", body).await.is(201);
    let id = |pointer: &str| made.text(pointer).parse::<uuid::Uuid>().unwrap();
    let payment: Loaded<Payment> = api.store.load(PaymentId::new(id("/payment/id"))).await.unwrap();
    let reservation: Loaded<Reservation> = api.store.load(ReservationId::new(id("/id"))).await.unwrap();
    let asked = payment.state.request.as_ref().unwrap();
    assert_eq!(asked.amount, Money::xof(9_000));
    let reference = asked.reference.to_string();
    let clock = api.store.clock();
    let settle = Settle {
        payment: &payment,
        reservation: &reservation,
        client: Some(1),
        fine: None,
        promotion: None,
        refund_id: RefundId::new(clock.new_id()),
        landed: Landed {
            transaction: ProviderId::new(transaction).unwrap(),
            provider_id: None,
            received: Money::xof(9_000),
            by: Actor::SYSTEM,
        },
        now: clock.now(),
    };
    let decision = settle.decide(Cells::Free).unwrap().decision;
    api.store.append(Append::new(decision, Meta::system())).await.unwrap();
    reference
}

pub fn today(api: &Api) -> NaiveDate {
    api.store.clock().now().date_naive()
}

pub fn csv(lines: &[String]) -> String {
    std::iter::once(HEADER.to_owned()).chain(lines.iter().cloned()).map(|line| line + "\n").collect()
}

/// A charge of 9 000 at nine in the morning.
pub fn charge(day: NaiveDate, transaction: &str, reference: &str) -> String {
    format!("{transaction},charge,succeeded,9000,90,XOF,{day}T09:00:00Z,{reference}")
}

pub async fn import_as(api: &Api, role: &str, path: &str, key: &str, file: impl Into<Vec<u8>>) -> Answer {
    let ask = api.ask(Method::POST, &format!("{path}/statement")).role(role).key(key);
    ask.header("content-type", "text/csv").raw(file).send().await
}

async fn import(api: &Api, path: &str, file: impl Into<Vec<u8>>) -> Answer {
    import_as(api, "finance", path, &fresh_key(), file).await
}

pub async fn balance(api: &Api, account: &str) -> i64 {
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    let found = all.body["accounts"].as_array().unwrap().iter().find(|one| one["account"] == account);
    found.map_or(0, |one| one["balance"]["amount"].as_i64().unwrap())
}

pub fn counts(answer: &Answer) -> [i64; 3] {
    ["matched", "differences", "unexplained"].map(|name| answer.body[name].as_i64().unwrap())
}

#[tokio::test]
async fn a_day_is_imported_explained_and_closed() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let reference = landed(&api, &site, 1, "T1").await;
    let day = today(&api);
    let path = format!("/v1/reconciliations/wave/{day}");
    api.settle().await;
    let file = csv(&[charge(day, "T1", &reference), charge(day, "T_STRANGE", "")]);
    let key = fresh_key();
    let first = import_as(&api, "finance", &path, &key, file.clone()).await.is(200);
    assert_eq!((first.text("/status"), counts(&first)), ("open", [1, 1, 1]));
    assert_eq!(first.body["statement"]["totals"][0]["came"]["amount"], 18_000);
    let again = import_as(&api, "finance", &path, &key, file.clone()).await.is(200);
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
    import_as(&api, "finance", &path, &key, file.replace("T1", "T2")).await.problem(422, "idempotency.key_reused");
    // The fee is known, and money that nobody knows is in suspense, not income.
    assert_eq!(balance(&api, "provider:fees").await, 90);
    assert_eq!(balance(&api, "suspense").await, -9_000);
    assert_eq!(balance(&api, "provider:wave:clearing").await, 18_000 - 90);
    // The same file once more changes nothing.
    let same = import(&api, &path, file.clone()).await.is(200);
    assert_eq!(same.body["version"], first.body["version"]);

    let shown = api.get("auditor", &path).await.is(200);
    assert_eq!(shown.body, first.body);
    let listed = api.get("admin", &format!("/v1/reconciliations?day={day}&status=open")).await.is(200);
    assert_eq!(listed.body["data"], json!([first.body]));
    let listed = api.get("admin", "/v1/reconciliations?provider=sonatel").await.is(200);
    assert_eq!(listed.body["data"], json!([]));
    let differences = format!("{path}/differences");
    let open = api.get("auditor", &format!("{differences}?standing=unexplained")).await.is(200);
    let difference = &open.body["data"][0];
    assert_eq!(
        (&difference["kind"], &difference["there"]["transaction"]),
        (&json!("missing_here"), &json!("T_STRANGE"))
    );
    assert_eq!(difference["here"], Value::Null);

    let (closing, explanation) = (format!("{path}/closing"), format!("{differences}/1/explanation"));
    api.post("finance", &closing, json!({})).await.problem(422, "reconciliation.day_not_ended");
    api.store.clock().advance(Duration::from_secs(24 * 3_600)).await.unwrap();
    api.post("finance", &closing, json!({})).await.problem(422, "reconciliation.unexplained");
    let waits = api.post("finance", &explanation, json!({ "how": "wait" })).await.is(200);
    assert_eq!(waits.text("/standing"), "waiting");
    api.post("finance", &closing, json!({})).await.problem(422, "reconciliation.unexplained");
    let unfit = json!({ "how": "superseded" });
    api.post("finance", &explanation, unfit).await.problem(422, "reconciliation.explanation_unfit");
    let none = format!("{differences}/2/explanation");
    api.post("finance", &none, json!({ "how": "wait" })).await.problem(404, "reconciliation.no_such_difference");
    let by_hand = json!({ "how": "refunded_by_hand", "note": "In the portal, 10:04" });
    let explained = api.post("finance", &explanation, by_hand).await.is(200);
    assert_eq!((explained.text("/standing"), explained.text("/note")), ("explained", "In the portal, 10:04"));
    let other = json!({ "how": "written_off" });
    api.post("finance", &explanation, other).await.problem(422, "reconciliation.already_explained");
    let closed = api.post("finance", &closing, json!({})).await.is(200);
    assert_eq!((closed.text("/status"), counts(&closed)), ("closed", [1, 1, 0]));
    api.settle().await;
    assert_eq!(api.get("auditor", &path).await.is(200).body, closed.body);
    import(&api, &path, file).await.is(200);
    import(&api, &path, csv(&[])).await.problem(422, "reconciliation.closed");
}

#[tokio::test]
async fn a_file_with_a_fault_is_refused_with_its_lines_and_nothing_of_it_is_imported() {
    let api = Api::new().await;
    let day = today(&api);
    let path = format!("/v1/reconciliations/wave/{day}");
    let good = csv(&[charge(day, "T1", ""), charge(day, "T2", "")]);
    let latin = {
        let mut bytes = good.clone().into_bytes();
        bytes.extend_from_slice(b"T3,charge,succeeded,9000,90,XOF,S\xe8ne,\n");
        bytes
    };
    let twice = format!("{good}{}\n", charge(day, "T1", ""));
    let cases: [(Vec<u8>, u64, Value); 6] = [
        (good.replace("amount,", "").into(), 1, json!("amount")),
        (latin, 4, Value::Null),
        (twice.into(), 4, Value::Null),
        (good.replacen("9000,", "9000.0,", 1).into(), 2, json!("amount")),
        (good.replacen("9000,", "\"9 000,00\",", 2).into(), 2, json!("amount")),
        (good.replace(&day.to_string(), "2026-01-01").into(), 2, Value::Null),
    ];
    for (file, line, column) in cases {
        let refused = import(&api, &path, file).await.problem(422, "reconciliation.statement_unreadable");
        assert_eq!((&refused.body["lines"][0]["line"], &refused.body["lines"][0]["column"]), (&json!(line), &column));
        assert!(refused.body["lines"][0]["detail"].is_string());
    }
    let ask = api.ask(Method::POST, &format!("{path}/statement")).role("finance").key(&fresh_key());
    ask.json(&json!({})).send().await.problem(415, "request.unsupported_media_type");
    let large = vec![b'x'; 4 * 1024 * 1024 + 1];
    import(&api, &path, large).await.problem(413, "request.too_large");
    api.settle().await;
    api.get("finance", &path).await.problem(404, "object.not_found");
    let late = format!("/v1/reconciliations/wave/{}", day + chrono::Days::new(2));
    import(&api, &late, csv(&[])).await.problem(422, "reconciliation.day_not_begun");
    for nothing in ["/v1/reconciliations/mtn/2026-11-28", "/v1/reconciliations/wave/yesterday"] {
        import(&api, nothing, good.clone()).await.problem(404, "object.not_found");
        api.get("finance", nothing).await.problem(404, "object.not_found");
    }
}

#[tokio::test]
async fn only_finance_writes_and_whoever_sees_the_ledger_reads() {
    let mut api = Api::new().await;
    let (site, _) = api.site().await;
    let sites = vec![domain::ids::SiteId::new(site.parse().unwrap())];
    api.grant("narrow_finance", Role::Finance, Some(sites)).await;
    let day = today(&api);
    let path = format!("/v1/reconciliations/wave/{day}");
    api.settle().await;
    import(&api, &path, csv(&[charge(day, "T1", "")])).await.is(200);
    api.settle().await;
    let explanation = format!("{path}/differences/1/explanation");
    for stranger in ["client", "manager", "admin", "support", "auditor", "service"] {
        let refused = import_as(&api, stranger, &path, &fresh_key(), csv(&[])).await;
        refused.problem(403, "auth.role_forbidden");
        api.post(stranger, &explanation, json!({ "how": "wait" })).await.problem(403, "auth.role_forbidden");
        api.post(stranger, &format!("{path}/closing"), json!({})).await.problem(403, "auth.role_forbidden");
    }
    for reader in ["finance", "admin", "auditor"] {
        api.get(reader, &path).await.is(200);
        api.get(reader, "/v1/reconciliations").await.is(200);
        api.get(reader, &format!("{path}/differences")).await.is(200);
    }
    for stranger in ["client", "manager", "support", "service"] {
        api.get(stranger, &path).await.problem(403, "auth.role_forbidden");
        api.get(stranger, "/v1/reconciliations").await.problem(403, "auth.role_forbidden");
    }
    // A key that names sites has no account at a provider.
    api.get("narrow_finance", &path).await.problem(404, "object.not_found");
    api.get("narrow_finance", "/v1/reconciliations").await.problem(403, "auth.role_forbidden");
    import_as(&api, "narrow_finance", &path, &fresh_key(), csv(&[])).await.problem(404, "object.not_found");
}

#[tokio::test]
async fn above_the_limit_a_difference_takes_two_people() {
    let api = Api::new().await;
    let day = today(&api);
    let path = format!("/v1/reconciliations/wave/{day}");
    api.settle().await;
    let much = charge(day, "T1", "").replace("9000,90", "60000,600");
    import(&api, &path, csv(&[much])).await.is(200);
    let explanation = format!("{path}/differences/1/explanation");
    let off = json!({ "how": "written_off" });
    let first = api.post("finance", &explanation, off.clone()).await.is(200);
    assert_eq!((first.text("/standing"), &first.body["needs_second_person"]), ("proposed", &json!(true)));
    let once_more = api.post("finance", &explanation, off.clone()).await.is(200);
    assert_eq!(once_more.text("/standing"), "proposed");
    assert_eq!(balance(&api, "suspense").await, -60_000);
    let second = api.post("second_finance", &explanation, off).await.is(200);
    assert_eq!(second.text("/standing"), "explained");
    assert_eq!(second.text("/explained_by"), api.principal("second_finance").to_string());
    assert_eq!(second.text("/proposed_by"), api.principal("finance").to_string());
    assert_eq!(balance(&api, "suspense").await, 0);
    assert_eq!(balance(&api, "provider:fees").await, -59_400, "a gain, and the fee of it");
}

#[tokio::test]
async fn each_of_the_eight_kinds_is_found_in_one_file_and_nothing_else() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let other_day = landed(&api, &site, 8, "T8").await;
    api.store.clock().advance(Duration::from_secs(24 * 3_600)).await.unwrap();
    let day = today(&api);
    let mut lines = Vec::new();
    for number in 0..7_u32 {
        let transaction = format!("T{number}");
        let reference = landed(&api, &site, number, &transaction).await;
        let line = charge(day, &transaction, &reference);
        match number {
            0 => lines.push(line),
            1 => {}
            2 => lines.push(line.replace("9000,90", "8000,80")),
            3 => lines.push(line.replace("9000,90", "9000,500")),
            4 => lines.extend([line.clone(), line.replace("09:00:00", "09:00:01")]),
            5 => lines.push(line.replace("XOF", "EUR")),
            _ => lines.push(line.replace("succeeded", "reversed")),
        }
    }
    lines.push(charge(day, "T_STRANGE", ""));
    lines.push(charge(day, "T8", &other_day));
    api.settle().await;
    let path = format!("/v1/reconciliations/wave/{day}");
    let answer = import(&api, &path, csv(&lines)).await.is(200);
    // What lies on two days explains itself.
    assert_eq!(counts(&answer), [2, 8, 7]);
    api.settle().await;
    let found = api.get("finance", &format!("{path}/differences")).await.is(200);
    let found = found.body["data"].as_array().unwrap();
    let mut kinds: Vec<&str> = found.iter().map(|difference| difference["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    let mut all = domain::reconciliation::Kind::ALL.map(domain::reconciliation::Kind::as_str);
    all.sort_unstable();
    assert_eq!(kinds, all);
    // In pages, too.
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let page = api.get("finance", &format!("{path}/differences?limit=3{cursor}")).await.is(200);
        seen += page.body["data"].as_array().unwrap().len();
        match page.body["next_cursor"].as_str() {
            Some(next) => {
                let link = format!("<{path}/differences?limit=3&cursor={next}>; rel=\"next\"");
                assert_eq!(page.header("link"), link, "the day that was asked for, as a reader can follow it");
                cursor = format!("&cursor={next}");
            }
            None => break,
        }
    }
    assert_eq!(seen, 8);
}

#[tokio::test]
async fn every_rail_has_its_day() {
    let api = Api::new().await;
    let day = today(&api);
    api.settle().await;
    for (provider, file) in [
        ("wave", csv(&[charge(day, "T1", "")])),
        ("sonatel", csv(&[charge(day, "MP1", "")])),
        (
            "paytech",
            format!(
                "type_event,ref_command,token,item_price,currency,payment_method,at\n\
                 sale_complete,x,tok1,9000,XOF,Free Money,{day} 09:00:00\n"
            ),
        ),
        ("paydunya", format!("token,status,total_amount,channel,at\ntok1,completed,9000,card,{day}T09:00:00Z\n")),
    ] {
        let path = format!("/v1/reconciliations/{provider}/{day}");
        api.settle().await;
        let answer = import(&api, &path, file).await.is(200);
        assert_eq!((answer.text("/provider"), counts(&answer)), (provider, [0, 1, 1]));
    }
    api.settle().await;
    let all = api.get("finance", &format!("/v1/reconciliations?day={day}")).await.is(200);
    assert_eq!(all.body["data"].as_array().unwrap().len(), 4);
    // The same money in four places that nobody knows.
    assert_eq!(balance(&api, "suspense").await, -36_000);
}

#[tokio::test]
async fn a_later_statement_takes_the_place_of_an_earlier_one() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let reference = landed(&api, &site, 1, "T1").await;
    let day = today(&api);
    let path = format!("/v1/reconciliations/wave/{day}");
    api.settle().await;
    let early = import(&api, &path, csv(&[])).await.is(200);
    assert_eq!(counts(&early), [0, 1, 1]);
    api.settle().await;
    let late = import(&api, &path, csv(&[charge(day, "T1", &reference)])).await.is(200);
    assert_eq!(counts(&late), [1, 0, 0]);
    assert_eq!(balance(&api, "provider:fees").await, 90);
    let explained = api.get("finance", &format!("{path}/differences")).await.is(200);
    assert_eq!((explained.text("/data/0/kind"), explained.text("/data/0/how")), ("missing_at_provider", "superseded"));
    // Back again, and the fee is taken back with it.
    let back = import(&api, &path, csv(&[])).await.is(200);
    assert_eq!(counts(&back), [0, 1, 1]);
    assert_eq!(balance(&api, "provider:fees").await, 0);
}
