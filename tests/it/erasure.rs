//! A person is forgotten: nobody can read them any more, nowhere is anything of them in the clear, and the log still proves
//! itself.

use std::{
    path::Path,
    process::{Command, Output},
};

use chrono::TimeDelta;
use domain::{client::Client, ids::ClientId, sealed::field};
use kalel::config::Config;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api::{Api, fresh_key, ground, slot},
    up::Data,
    world::KALEL,
};

/// Nobody else is called that.
const NAME: &str = "Zwexquine Mbaraftou";
const PHONE: &str = "771980723";

/// What would give the person away.
const CANARIES: [&[u8]; 3] = [NAME.as_bytes(), b"Zwexquine", PHONE.as_bytes()];

fn holds(bytes: &[u8]) -> bool {
    CANARIES.iter().any(|canary| bytes.windows(canary.len()).any(|window| window == *canary))
}

/// Every file under a folder that gives the person away.
fn files_with(folder: &Path, found: &mut Vec<String>, looked: &mut usize) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let Ok(meta) = std::fs::metadata(&path) else { continue };
        if meta.is_dir() {
            files_with(&path, found, looked);
        } else if meta.is_file() && meta.len() > 0 {
            *looked += 1;
            if std::fs::read(&path).is_ok_and(|bytes| holds(&bytes)) {
                found.push(path.display().to_string());
            }
        }
    }
}

fn kalel(data: &Data, url: &str, arguments: &[&str]) -> Output {
    let config = data.path().join("kalel.toml");
    Command::new(KALEL).args(arguments).arg("--config").arg(config).env("DATABASE_URL", url).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_search_over_everything_finds_nothing_of_a_person_and_erasing_ends_the_rest() {
    crate::world::shared();
    let data = Data::new();
    let up = data.up();
    let (base, url) = (up.told["base_url"].as_str().unwrap(), up.told["postgres_url"].as_str().unwrap());
    let http = reqwest::Client::new();
    let call = async |method: Method, role: &str, path: &str, body: Value| {
        let key = up.told["keys"][role].as_str().unwrap();
        let ask = http.request(method, format!("{base}{path}")).bearer_auth(key);
        let ask = ask.header("content-type", "application/json").header("idempotency-key", fresh_key());
        let answer = if body.is_null() { ask } else { ask.body(body.to_string()) }.send().await.unwrap();
        let (status, position) = (answer.status().as_u16(), answer.headers().get("kalel-position").cloned());
        (status, answer.json::<Value>().await.unwrap_or_default(), position)
    };
    let (status, site, _) = call(Method::POST, "manager", "/v1/sites", ground("erasure", json!({}))).await;
    assert_eq!(status, 201, "{site}");
    let noon = (eventstore::Clock::system().now().date_naive() + chrono::Days::new(3))
        .and_hms_opt(12, 0, 0)
        .unwrap()
        .and_utc();
    let mut wish = slot(site["id"].as_str().unwrap(), "nord", noon, 60);
    wish["client"] = json!({ "phone": PHONE, "name": NAME });
    let (status, booked, position) = call(Method::POST, "manager", "/v1/reservations", wish.clone()).await;
    assert_eq!(status, 201, "{booked}");
    let client = booked["client_id"].as_str().unwrap().to_owned();

    // The SMS tells that everything behind has dealt with it.
    let messages = format!("{}/__messages", up.told["fakes"]["sms"].as_str().unwrap());
    let began = std::time::Instant::now();
    while !http.get(&messages).send().await.unwrap().text().await.unwrap().contains(PHONE) {
        assert!(began.elapsed().as_secs() < 30, "no SMS came");
    }
    let path = format!("/v1/reservations/{}", booked["id"].as_str().unwrap());
    let shown = http.get(format!("{base}{path}?expand[]=client")).header("kalel-min-position", position.unwrap());
    let shown = shown.bearer_auth(up.told["keys"]["manager"].as_str().unwrap()).send().await.unwrap();
    let shown: Value = shown.json().await.unwrap();
    assert_eq!(shown["client"]["name"], NAME, "{shown}");

    let refused = kalel(&data, url, &["erase", "--client", &client]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("1 reservations of this client are not over"), "{}", said(&refused));
    let off = json!({ "reason": "weather" });
    let (status, _, position) = call(Method::POST, "manager", &format!("{path}/cancellation"), off).await;
    assert_eq!(status, 200);
    let list =
        http.get(format!("{base}/v1/reservations?limit=1")).bearer_auth(up.told["keys"]["auditor"].as_str().unwrap());
    let caught_up = list.header("kalel-min-position", position.unwrap()).send().await.unwrap();
    assert_eq!(caught_up.status(), 200);

    let erased = kalel(&data, url, &["erase", "--client", &client]);
    assert!(erased.status.success(), "{}", said(&erased));
    assert!(said(&kalel(&data, url, &["erase", "--client", &client])).contains("was erased before"));

    // Whoever has every secret of the installation reads nothing.
    let config = Config::read(&data.path().join("kalel.toml")).unwrap();
    let options = eventstore::Options::new(url, config.keyring().unwrap(), eventstore::Mode::Test);
    let store = eventstore::Store::open(options).await.unwrap();
    let id = ClientId::new(client.parse().unwrap());
    let events = store.read_stream(id.uuid(), 0, 100).await.unwrap();
    assert_eq!(events.last().unwrap().name, "client.erased");
    let registered: Value = serde_json::from_str(&events[0].data).unwrap();
    for name in [field::PHONE, field::NAME] {
        let sealed = domain::sealed::Sealed(registered[name].as_str().unwrap().to_owned());
        assert_eq!(store.subjects().open(id.uuid(), name, &sealed).await.unwrap(), None, "{name}");
    }
    let key: (Option<Vec<u8>>, bool) =
        sqlx::query_as("SELECT wrapped, destroyed_at IS NOT NULL FROM event_log.subject_keys WHERE subject = $1")
            .bind(id.uuid())
            .fetch_one(store.pool())
            .await
            .unwrap();
    assert_eq!(key, (None, true));

    // Everything in the database as text, an export, and every file of the installation: pages, WAL, streams, logs.
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('event_log', 'read', 'work')",
    )
    .fetch_all(store.pool())
    .await
    .unwrap();
    assert!(tables.len() > 15, "{tables:?}");
    for table in &tables {
        let select = format!("SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {table} AS t");
        let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(select)).fetch_one(store.pool()).await.unwrap();
        assert!(!holds(text.as_bytes()), "{table}");
    }
    let head = store.head().await.unwrap();
    store.want_checkpoint(head).await.unwrap();
    let out = data.path().join("export.ndjson");
    while store.checkpoint().await.unwrap().is_none_or(|newest| newest.size < head) {
        tokio::task::yield_now().await;
    }
    let exported = kalel(&data, url, &["audit", "export", "--out", out.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", said(&exported));
    let verified = Command::new(KALEL).args(["audit", "verify"]).arg(&out).output().unwrap();
    assert!(verified.status.success(), "the log still proves itself: {}", said(&verified));
    sqlx::query("SELECT pg_switch_wal()").execute(store.pool()).await.ok();
    let (mut found, mut looked) = (Vec::new(), 0);
    let servers = std::fs::canonicalize(data.path().join("servers")).unwrap();
    files_with(&data.path(), &mut found, &mut looked);
    files_with(&servers, &mut found, &mut looked);
    assert!(looked > 500, "{looked} files were looked at");
    assert_eq!(found, Vec::<String>::new());

    // What is shown from now on, and whoever has the number next.
    let shown = call(Method::GET, "manager", &format!("{path}?expand[]=client"), Value::Null).await.1;
    assert_eq!((&shown["client"]["name"], &shown["client"]["phone"]), (&Value::Null, &Value::Null), "{shown}");
    wish["starts_at"] = json!((noon + TimeDelta::hours(2)).to_rfc3339());
    let (status, next, _) = call(Method::POST, "manager", "/v1/reservations", wish).await;
    assert_eq!(status, 201, "{next}");
    assert_ne!(next["client_id"], client.as_str());
    store.close().await;
}

#[tokio::test]
async fn a_client_erases_themselves_once_nothing_of_theirs_is_ahead() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let me = api.principal("client");
    let path = format!("/v1/clients/{me}/erasure");
    let unknown = api.post("client", &path, Value::Null).await;
    assert_eq!(unknown.status, 404, "never registered: {}", unknown.body);
    let mut wish = slot(&site, "nord", api.midday(4), 60);
    wish["client"] = json!({ "phone": PHONE, "name": NAME });
    wish["payment"] = json!({ "method": "wave", "pays": "deposit" });
    let held = api.post("client", "/v1/reservations", wish.clone()).await.is(201);
    api.settle().await;
    api.post("client", &path, Value::Null).await.problem(409, "client.still_expected");
    api.post("other_client", &path, Value::Null).await.problem(404, "object.not_found");
    api.post("manager", &path, Value::Null).await.problem(403, "auth.role_forbidden");
    let off = json!({ "reason": "client" });
    api.post("client", &format!("/v1/reservations/{}/cancellation", held.text("/id")), off).await.is(200);
    api.settle().await;
    let certificate = api.post("client", &path, Value::Null).await.is(200);
    assert_eq!(certificate.text("/client_id"), me.to_string());
    let again = api.post("client", &path, Value::Null).await.is(200);
    assert_eq!(again.body, certificate.body);
    let loaded = api.store.load::<Client>(ClientId::new(me)).await.unwrap();
    assert_eq!((loaded.state.name, loaded.state.phone, loaded.state.phone_hash), (None, None, None));
    api.settle().await;
    let (_, rows) = projections::client::find_many(api.store.pool(), &[ClientId::new(me)]).await.unwrap();
    assert!(rows[0].phone.is_none() && rows[0].phone_hash.is_none() && rows[0].erased_at.is_some(), "{rows:?}");
    wish["starts_at"] = json!((api.midday(4) + TimeDelta::hours(3)).to_rfc3339());
    api.post("client", "/v1/reservations", wish).await.problem(409, "client.erased");
}
