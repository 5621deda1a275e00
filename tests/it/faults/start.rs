//! What a process needs to start: missing, it says so in one line; and the first key of a log.

use std::process::{Command, Output};

use reqwest::Method;
use serde_json::{Value, json};

use super::served::{Served, config};
use crate::world::KALEL;

const SECRETS: [&str; 4] = ["geheim", "wave_sn_prod_x", "wave_sn_WHS_x", "atsk_x"];

/// Runs `kalel serve` with this file and nothing else in the environment; it must end by itself.
fn serve(text: &str, roles: &str, environment: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kalel.toml");
    std::fs::write(&path, text).unwrap();
    let mut command = Command::new(KALEL);
    command.args(["serve", "--roles", roles, "--config"]).arg(path).env_clear();
    command.envs(environment.iter().copied()).output().unwrap()
}

/// It stopped with one line that names what is wrong, and gives nothing away.
fn stopped_over(output: &Output, what: &str) {
    let (said, logged) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.status.code(), Some(1), "{what}: {said}");
    assert_eq!(said.lines().count(), 1, "{what}: {said}");
    assert!(said.starts_with("kalel: ") && said.contains(what), "{what}: {said}");
    let encoded = config(1).lines().find_map(|line| line.strip_prefix("master_key = ").map(str::to_owned)).unwrap();
    for secret in SECRETS.into_iter().chain([encoded.trim_matches('"')]) {
        assert!(!said.contains(secret) && !logged.contains(secret), "{what}: {said}{logged}");
    }
}

/// Nothing listens there.
const NOWHERE: (&str, &str) = ("DATABASE_URL", "postgres://kalel:geheim@127.0.0.1:1/kalel");

#[test]
fn a_secret_that_is_missing_or_empty_stops_the_start_with_one_line_that_names_it() {
    let text = config(1);
    for setting in [
        "secrets.master_key",
        "secrets.lookup_key",
        "wave.api_key",
        "wave.webhook_secret",
        "sms.username",
        "sms.api_key",
    ] {
        let (section, name) = setting.split_once('.').unwrap();
        let mut here = "";
        let (mut without, mut empty) = (String::new(), String::new());
        for line in text.lines() {
            here = line.strip_prefix('[').map_or(here, |line| line.trim_end_matches(']'));
            let it = here == section && line.starts_with(&format!("{name} = "));
            if it {
                empty += &format!("{name} = \"  \"\n");
            } else {
                without += &format!("{line}\n");
                empty += &format!("{line}\n");
            }
        }
        assert_ne!(without, text, "{setting} is not in the file");
        stopped_over(&serve(&without, "api", &[NOWHERE]), setting);
        stopped_over(&serve(&empty, "api", &[NOWHERE]), setting);
    }
    for setting in ["mode", "public_url"] {
        let lines = text.lines().filter(|line| !line.starts_with(setting));
        let without = lines.fold(String::new(), |all, line| all + line + "\n");
        stopped_over(&serve(&without, "api", &[NOWHERE]), setting);
    }
    stopped_over(&serve(&text.replace("[sms]", "[smsss]"), "api", &[NOWHERE]), "smsss");
}

#[test]
fn an_address_that_is_missing_stops_the_start_with_one_line_that_names_it() {
    let text = config(1);
    stopped_over(&serve(&text, "api", &[]), "DATABASE_URL is missing");
    stopped_over(&serve(&text, "api", &[("DATABASE_URL", " ")]), "DATABASE_URL is missing");
    for role in ["worker", "projector", "relay", "api,worker"] {
        stopped_over(&serve(&text, role, &[NOWHERE]), "NATS_URL is missing");
    }
    let missing = Command::new(KALEL).args(["serve", "--config", "/nowhere/kalel.toml"]).env_clear().output().unwrap();
    stopped_over(&missing, "/nowhere/kalel.toml");
}

#[test]
fn a_database_that_is_away_or_no_address_at_all_is_said_in_one_line_without_its_password() {
    let text = config(1);
    stopped_over(&serve(&text, "api", &[NOWHERE]), "database");
    let odd = ("DATABASE_URL", "mysql://kalel:geheim@127.0.0.1:1/kalel");
    stopped_over(&serve(&text, "api", &[odd]), "database");
}

#[tokio::test]
async fn a_key_made_on_the_command_line_opens_the_api_and_is_shown_once() {
    let served = Served::new().await;
    // The first admin key of a log is made before anything runs.
    let said = served.key("admin");
    let admin = said.lines().next().unwrap();
    assert!(admin.starts_with("kk_test_") && admin.len() > 40, "{said}");
    assert_eq!(said.matches("kk_test_").count(), 1, "{said}");
    served.start().await;
    let call = async |method: Method, path: &str, key: &str, body: Value| {
        let ask = served.http.request(method, format!("{}{path}", served.base)).bearer_auth(key);
        ask.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()
    };
    let granted = call(Method::POST, "/v1/keys", admin, json!({ "label": "more", "role": "service" })).await;
    assert_eq!(granted.status(), 201);
    // A key made while it runs works at once, and may what its role may.
    let auditor = served.secret("auditor");
    assert_ne!(auditor, admin);
    let events = call(Method::GET, "/v1/events", &auditor, Value::Null).await;
    assert_eq!(events.status(), 200);
    let events: Value = events.json().await.unwrap();
    assert_eq!(events["data"].as_array().unwrap().len(), 3, "{events}");
    assert_eq!(call(Method::POST, "/v1/keys", &auditor, json!({})).await.status(), 403);
    let spoiled = format!("{}x", &auditor[..auditor.len() - 1]);
    assert_eq!(call(Method::GET, "/v1/events", &spoiled, Value::Null).await.status(), 401);
    // It is nowhere else: not in the log, not in a guard, not in an answer, not in what the process writes.
    let kept: String = sqlx::query_scalar(
        "SELECT (SELECT string_agg(data::text || meta::text, '') FROM event_log.events)
             || (SELECT string_agg(scope || key, '') FROM event_log.unique_claims)",
    )
    .fetch_one(&served.world.pool)
    .await
    .unwrap();
    for secret in [admin, &auditor] {
        let random = secret.strip_prefix("kk_test_").unwrap();
        assert!(!kept.contains(random) && !events.to_string().contains(random) && !served.log().contains(random));
    }
}
